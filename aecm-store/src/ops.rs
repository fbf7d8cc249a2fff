//! What every store of this crate does with its records: the logic of [`crate::KeyStore`], once.
//!
//! Record names: `mailbox/<address>`, `key/<key id>`, `account/<directory URL>`, `state/<name>`, `device`.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::key::{Decryptor, Signer};
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::account::AccountSigner;
use crate::error::StoreError;
use crate::lease::Lease;
use crate::ledger::{Ledger, same_key};
use crate::records::{Changes, Octets, Records, View};
use crate::slot::{DeviceId, Entry, EntryState, KeyId, Slot};

mod import;
mod key_store;

pub(crate) use import::import;
pub(crate) use key_store::key_store;

/// The longest directory URL and state name, in octets.
const MAX_TEXT: usize = 1000;
/// The longest state, in octets.
const MAX_STATE: usize = 4 << 20;

pub(crate) fn generate(
    records: &dyn Records,
    mailbox: &Mailbox,
    slot: &Slot,
    spec: KeySpec,
    now: Time,
) -> Result<KeyId, StoreError> {
    if !slot.is_well_formed() {
        return Err(StoreError::MalformedSlot { slot: slot.clone() });
    }
    if spec.suite() != slot.suite {
        return Err(StoreError::WrongKind { suite: slot.suite });
    }
    // RSA takes seconds: outside the lock.
    let key = SoftwareKey::generate(spec, records.rng().as_ref())?;
    let id = KeyId::random(records.rng().as_ref())?;
    records.update(&mut |changes| {
        let mut ledger = ledger(changes, mailbox)?;
        ledger.add(id, slot, key.public_key(), now)?;
        changes.put(key_name(&id), key.to_pkcs8_der())?;
        changes.put(mailbox_name(mailbox), ledger.to_json()?)
    })?;
    Ok(id)
}

pub(crate) fn entries(records: &dyn Records, mailbox: &Mailbox) -> Result<Vec<Entry>, StoreError> {
    read(records, |view| ledger(view, mailbox)?.entries())
}

pub(crate) fn mailboxes(records: &dyn Records) -> Result<Vec<Mailbox>, StoreError> {
    read(records, |view| {
        view.names("mailbox/")
            .iter()
            .map(|name| {
                let address = name.strip_prefix("mailbox/").unwrap_or(name);
                address.parse().map_err(|_| StoreError::corrupt(name.as_str(), "its name is not a mailbox"))
            })
            .collect()
    })
}

pub(crate) fn install(
    records: &dyn Records,
    mailbox: &Mailbox,
    id: &KeyId,
    chain: &[Certificate],
) -> Result<(), StoreError> {
    change(records, mailbox, |ledger, _| ledger.install(mailbox, id, chain))
}

pub(crate) fn signer(
    records: &dyn Records,
    mailbox: &Mailbox,
    id: &KeyId,
) -> Result<Arc<dyn Signer>, StoreError> {
    let key = usable(records, mailbox, id, &[Purpose::Sign, Purpose::Timestamp], "sign")?;
    Ok(Arc::new(key.into_signer(records.rng().clone())))
}

pub(crate) fn decryptor(
    records: &dyn Records,
    mailbox: &Mailbox,
    id: &KeyId,
) -> Result<Arc<dyn Decryptor>, StoreError> {
    let key = usable(records, mailbox, id, &[Purpose::Encrypt], "decrypt")?;
    Ok(Arc::new(key.into_decryptor(records.rng().clone())))
}

pub(crate) fn remove(records: &dyn Records, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
    change(records, mailbox, |ledger, _| ledger.remove(mailbox, id))
}

pub(crate) fn purge(records: &dyn Records, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
    change(records, mailbox, |ledger, changes| {
        ledger.purge(mailbox, id)?;
        changes.delete(&key_name(id))?;
        Ok(true)
    })
}

pub(crate) fn export(records: &dyn Records, mailbox: &Mailbox, id: &KeyId) -> Result<Octets, StoreError> {
    read(records, |view| {
        ledger(view, mailbox)?.key(mailbox, id)?;
        key_octets(view, id)
    })
}

pub(crate) fn account_key(records: &dyn Records, directory: &str) -> Result<Arc<dyn Signer>, StoreError> {
    check_text(directory, "the URL of a directory")?;
    let name = format!("account/{directory}");
    let mut stored = read(records, |view| view.get(&name))?;
    if stored.is_none() {
        let fresh = SoftwareKey::generate(KeySpec::P256, records.rng().as_ref())?;
        records.update(&mut |changes| {
            // Another process may have made it meanwhile; the first one made is the one that counts.
            stored = match changes.get(&name)? {
                Some(present) => Some(present),
                None => {
                    changes.put(name.clone(), fresh.to_pkcs8_der())?;
                    Some(fresh.to_pkcs8_der())
                }
            };
            Ok(())
        })?;
    }
    let octets = stored.ok_or_else(|| StoreError::corrupt(name.as_str(), "it is missing"))?;
    let key = SoftwareKey::from_pkcs8_der(&octets)
        .map_err(|_| StoreError::corrupt(name.as_str(), "it is not a private key"))?;
    AccountSigner::new(key, records.rng().clone())
        .map(|signer| -> Arc<dyn Signer> { Arc::new(signer) })
        .ok_or_else(|| StoreError::corrupt(name.as_str(), "it is not a P-256 key"))
}

pub(crate) fn load_state(records: &dyn Records, name: &str) -> Result<Option<Octets>, StoreError> {
    check_text(name, "the name of a state")?;
    read(records, |view| view.get(&state_name(name)))
}

pub(crate) fn save_state(records: &dyn Records, name: &str, octets: &[u8]) -> Result<(), StoreError> {
    check_text(name, "the name of a state")?;
    if octets.len() > MAX_STATE {
        return Err(StoreError::TooLarge { what: "a state", limit: MAX_STATE });
    }
    records.update(&mut |changes| changes.put(state_name(name), Zeroizing::new(octets.to_vec())))
}

pub(crate) fn delete_state(records: &dyn Records, name: &str) -> Result<(), StoreError> {
    check_text(name, "the name of a state")?;
    records.update(&mut |changes| changes.delete(&state_name(name)))
}

pub(crate) fn device(records: &dyn Records) -> Result<DeviceId, StoreError> {
    let mut stored = read(records, |view| view.get("device"))?;
    if stored.is_none() {
        let fresh = DeviceId::random(records.rng().as_ref())?;
        records.update(&mut |changes| {
            stored = changes.get("device")?;
            if stored.is_none() {
                let octets = Zeroizing::new(fresh.as_str().as_bytes().to_vec());
                stored = Some(octets.clone());
                changes.put("device".to_owned(), octets)?;
            }
            Ok(())
        })?;
    }
    stored
        .as_deref()
        .and_then(|octets| core::str::from_utf8(octets).ok())
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreError::corrupt("device", "it is not the name of a device"))
}

pub(crate) fn lease(records: &dyn Records, name: &str) -> Result<Lease, StoreError> {
    check_text(name, "the name of a lease")?;
    records.try_lease(name)?.ok_or_else(|| StoreError::Busy { name: name.to_owned() })
}

pub(crate) fn default_suite(records: &dyn Records, mailbox: &Mailbox) -> Result<Option<Suite>, StoreError> {
    read(records, |view| Ok(ledger(view, mailbox)?.default_suite()))
}

pub(crate) fn set_default_suite(
    records: &dyn Records,
    mailbox: &Mailbox,
    suite: Option<Suite>,
) -> Result<(), StoreError> {
    change(records, mailbox, |ledger, _| {
        ledger.set_default_suite(suite);
        Ok(true)
    })
}

pub(crate) fn default_signer(records: &dyn Records, mailbox: &Mailbox) -> Result<Option<Slot>, StoreError> {
    read(records, |view| Ok(ledger(view, mailbox)?.default_signer()))
}

pub(crate) fn set_default_signer(
    records: &dyn Records,
    mailbox: &Mailbox,
    slot: Option<Slot>,
) -> Result<(), StoreError> {
    if let Some(slot) = slot.as_ref().filter(|slot| !slot.is_well_formed() || slot.purpose != Purpose::Sign) {
        return Err(StoreError::MalformedSlot { slot: slot.clone() });
    }
    change(records, mailbox, |ledger, _| {
        ledger.set_default_signer(slot.clone());
        Ok(true)
    })
}

fn read<T>(
    records: &dyn Records,
    mut read: impl FnMut(&dyn View) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut result = None;
    records.view(&mut |view| {
        result = Some(read(view)?);
        Ok(())
    })?;
    result.ok_or_else(|| StoreError::corrupt("the store", "it was not read"))
}

/// Changes the ledger of `mailbox`; it is written back only where `change` says that something changed.
fn change(
    records: &dyn Records,
    mailbox: &Mailbox,
    mut change: impl FnMut(&mut Ledger, &mut Changes<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    records.update(&mut |changes| {
        let mut ledger = ledger(changes, mailbox)?;
        if change(&mut ledger, changes)? {
            changes.put(mailbox_name(mailbox), ledger.to_json()?)?;
        }
        Ok(())
    })
}

fn ledger(view: &dyn View, mailbox: &Mailbox) -> Result<Ledger, StoreError> {
    match view.get(&mailbox_name(mailbox))? {
        Some(octets) => Ledger::from_json(&octets, mailbox),
        None => Ok(Ledger::new(mailbox)),
    }
}

fn key_octets(view: &dyn View, id: &KeyId) -> Result<Octets, StoreError> {
    let name = key_name(id);
    view.get(&name)?.ok_or_else(|| StoreError::corrupt(name.as_str(), "it is missing"))
}

fn usable(
    records: &dyn Records,
    mailbox: &Mailbox,
    id: &KeyId,
    purposes: &[Purpose],
    wanted: &'static str,
) -> Result<SoftwareKey, StoreError> {
    let (octets, spki) = read(records, |view| {
        let ledger = ledger(view, mailbox)?;
        let key = ledger.key(mailbox, id)?;
        if !purposes.contains(&key.slot.purpose) {
            return Err(StoreError::WrongPurpose { id: *id, purpose: key.slot.purpose, wanted });
        }
        if key.state == EntryState::Removed {
            return Err(StoreError::WrongState { id: *id, state: key.state, asked: wanted });
        }
        Ok((key_octets(view, id)?, key.spki()?))
    })?;
    let corrupt = |why| StoreError::corrupt(key_name(id), why);
    let key = SoftwareKey::from_pkcs8_der(&octets).map_err(|_| corrupt("it is not a private key"))?;
    let public =
        PublicKey::from_spki_der(&spki).map_err(|_| corrupt("the public key beside it cannot be read"))?;
    // THREATS K8: private and public half must belong together at every load.
    if !same_key(key.public_key(), &public) {
        return Err(corrupt("it is not the private half of the public key beside it"));
    }
    Ok(key)
}

fn check_text(text: &str, what: &'static str) -> Result<(), StoreError> {
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(StoreError::TooLarge { what, limit: MAX_TEXT });
    }
    Ok(())
}

/// By the ASCII form of the domain, so that both forms of an internationalised one name the same record.
fn mailbox_name(mailbox: &Mailbox) -> String {
    format!("mailbox/{}@{}", mailbox.local(), mailbox.ascii_domain())
}

fn key_name(id: &KeyId) -> String {
    format!("key/{id}")
}

fn state_name(name: &str) -> String {
    format!("state/{name}")
}
