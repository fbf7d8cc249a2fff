//! Between a store and a file.

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::mailbox::Mailbox;
use aecm_core::password::Encryption;
use aecm_core::software::SoftwareKey;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;

use super::{Pkcs12, Pkcs12Error};
use crate::import::ImportedKey;
use crate::recognise;
use crate::slot::{DeviceId, Entry, EntryState, KeyId};
use crate::store::KeyStore;

/// What [`import`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The keys as they are in the store now.
    pub ids: Vec<KeyId>,
    /// Keys of the file that were not taken, by their place in it: of a kind that is not known here, or without a
    /// certificate for mail that names the mailbox.
    pub passed_over: Vec<usize>,
}

/// Writes the keys of `mailbox` into a file: every encrypting key it has or had, and those that sign and timestamp
/// now; with all their certificates and those above them.
///
/// # Errors
/// [`Pkcs12Error::Nothing`] when it has no key with a certificate; [`Pkcs12Error::Store`], also from a store that
/// does not export; [`Pkcs12Error::Password`].
pub async fn export(
    store: &dyn KeyStore,
    mailbox: &Mailbox,
    password: &str,
    encryption: Encryption,
    rng: &dyn Rng,
) -> Result<Vec<u8>, Pkcs12Error> {
    let mut entries = store.entries(mailbox).await?;
    entries.retain(|entry| match entry.state {
        EntryState::Active => true,
        EntryState::Retired => entry.slot.purpose == Purpose::Encrypt,
        EntryState::Pending | EntryState::Removed => false,
    });
    if entries.is_empty() {
        return Err(Pkcs12Error::Nothing);
    }
    let mut file = Pkcs12::builder().encryption(encryption);
    for (index, entry) in entries.iter().enumerate() {
        let octets = store.export(mailbox, &entry.id).await?;
        let key = SoftwareKey::from_pkcs8_der(&octets).map_err(|why| Pkcs12Error::Key { index, why })?;
        let name = format!("{mailbox} {}", entry.slot);
        file = file.key(&key, Some(&name), entry.certificate.as_ref());
    }
    for entry in &entries {
        for certificate in entry.former.iter().chain(&entry.chain) {
            file = file.certificate(certificate, None);
        }
    }
    file.to_der(password, rng)
}

/// Takes the keys of a file into a store, all or none, each into the slot that its latest certificate says.
///
/// Of several keys for one place the one with the latest certificate becomes active, unless the store has an
/// active one with a later certificate. A certificate for signing and encrypting both fills the encrypting slot.
/// Whether the certificates are trusted is not looked at here.
///
/// # Errors
/// [`Pkcs12Error::Nothing`] when no key of the file is for the mailbox; [`Pkcs12Error::Store`].
pub async fn import(
    store: &dyn KeyStore,
    mailbox: &Mailbox,
    file: &Pkcs12,
    now: Time,
) -> Result<Import, Pkcs12Error> {
    let device = store.device().await?;
    let present = store.entries(mailbox).await?;
    let (mut keys, mut passed_over) = (Vec::new(), Vec::new());
    let pool: Vec<Certificate> = file.certificates.iter().map(|bag| bag.certificate.clone()).collect();
    for (index, bag) in file.keys.iter().enumerate() {
        match bag.key().ok().and_then(|key| candidate(file, &pool, &key, mailbox, &device)) {
            Some(candidate) => keys.push(candidate),
            None => passed_over.push(index),
        }
    }
    if keys.is_empty() {
        return Err(Pkcs12Error::Nothing);
    }
    // The oldest first: of several for one place the store leaves the last one active.
    keys.sort_by_key(since);
    let decided: Vec<EntryState> =
        keys.iter().enumerate().map(|(place, key)| state(key, keys.get(place + 1..), &present)).collect();
    for (key, state) in keys.iter_mut().zip(decided) {
        key.state = state;
    }
    let ids = store.import(mailbox, keys, now).await?;
    Ok(Import { ids, passed_over })
}

/// The key with what fits it; active until it is known what else there is.
fn candidate(
    file: &Pkcs12,
    pool: &[Certificate],
    key: &SoftwareKey,
    mailbox: &Mailbox,
    device: &DeviceId,
) -> Option<ImportedKey> {
    let mut own: Vec<&Certificate> = file.certificates_of(key);
    own.retain(|leaf| leaf.mailboxes().iter().any(|named| named.matches(mailbox)));
    let slot = recognise::slot(own.last()?, device)?;
    // A former certificate may have been for something else.
    own.retain(|leaf| recognise::slot(leaf, device).is_some_and(|other| other.purpose == slot.purpose));
    let chains = own.into_iter().map(|leaf| recognise::chain(leaf, pool)).collect();
    Some(ImportedKey { slot, pkcs8: key.to_pkcs8_der(), chains, state: EntryState::Active })
}

/// When the latest certificate of a key begins.
fn since(key: &ImportedKey) -> Option<Time> {
    key.chains.last().and_then(|chain| chain.first()).map(Certificate::not_before)
}

fn state(key: &ImportedKey, later: Option<&[ImportedKey]>, present: &[Entry]) -> EntryState {
    let replaced = later.unwrap_or_default().iter().any(|other| other.slot.same_place(&key.slot));
    let newer = |entry: &Entry| {
        entry.state == EntryState::Active
            && entry.slot.same_place(&key.slot)
            && entry.certificate.as_ref().map(Certificate::not_before) > since(key)
    };
    if replaced || present.iter().any(newer) { EntryState::Retired } else { EntryState::Active }
}
