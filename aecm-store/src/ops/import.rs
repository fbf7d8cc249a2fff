//! Taking over keys that were made elsewhere.

use aecm_core::mailbox::Mailbox;
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;

use super::{key_name, ledger, mailbox_name};
use crate::error::StoreError;
use crate::import::ImportedKey;
use crate::ledger::MAX_ENTRIES;
use crate::ledger::import::Arrival;
use crate::records::{Octets, Records};
use crate::slot::KeyId;

/// All of `keys` in one transaction: the ledger and every key become durable in one step (THREATS K6).
pub(crate) fn import(
    records: &dyn Records,
    mailbox: &Mailbox,
    keys: Vec<ImportedKey>,
    now: Time,
) -> Result<Vec<KeyId>, StoreError> {
    if keys.len() > MAX_ENTRIES {
        return Err(StoreError::TooLarge { what: "the number of keys of a mailbox", limit: MAX_ENTRIES });
    }
    let mut arrivals = Vec::with_capacity(keys.len());
    for (index, key) in keys.into_iter().enumerate() {
        arrivals.push(arrival(records, index, key)?);
    }
    let mut ids = Vec::new();
    records.update(&mut |changes| {
        // A second run of this closure would start from nothing again.
        ids.clear();
        let mut ledger = ledger(changes, mailbox)?;
        let mut changed = false;
        for (arrival, octets) in &arrivals {
            let (id, news) = ledger.import(mailbox, arrival, now)?;
            if id == arrival.id {
                changes.put(key_name(&id), octets.clone())?;
            }
            changed |= news;
            ids.push(id);
        }
        if changed { changes.put(mailbox_name(mailbox), ledger.to_json()?) } else { Ok(()) }
    })?;
    Ok(ids)
}

/// Reads a key and holds it against its slot; its certificates are looked at beside the ledger.
fn arrival(records: &dyn Records, index: usize, key: ImportedKey) -> Result<(Arrival, Octets), StoreError> {
    let ImportedKey { slot, pkcs8, chains, state } = key;
    if !slot.is_well_formed() {
        return Err(StoreError::MalformedSlot { slot });
    }
    let private = SoftwareKey::from_pkcs8_der(&pkcs8).map_err(|why| StoreError::BadKey { index, why })?;
    let public_key = private.public_key().clone();
    if public_key.suite() != slot.suite {
        return Err(StoreError::WrongKind { suite: slot.suite });
    }
    let id = KeyId::random(records.rng().as_ref())?;
    // In the one form in which this library writes keys.
    Ok((Arrival { id, slot, state, public_key, chains }, private.to_pkcs8_der()))
}
