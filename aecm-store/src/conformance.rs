//! The promises of [`KeyStore`] as a suite that any implementation can run in its own tests.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use aecm_core::embed::OsRng;
//! use aecm_store::{KeyStore, MemoryStore, conformance};
//!
//! // A store on a medium opens a new handle to the same medium each time.
//! let store = Arc::new(MemoryStore::new(Arc::new(OsRng)));
//! conformance::run(&|| Ok(store.clone() as Arc<dyn KeyStore>)).await?;
//! # Ok::<(), conformance::Failure>(()) })?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use core::fmt;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::signature::Sm2Id;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;

use crate::error::{Mismatch, StoreError};
use crate::slot::{DeviceId, Entry, EntryState, KeyId, Slot};
use crate::store::KeyStore;

pub(crate) mod certificate;
mod importing;
mod leasing;
use certificate::{Wanted, issue};

/// A promise that a store did not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which promise.
    pub promise: &'static str,
    /// What happened instead.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise not kept: {}; {}", self.promise, self.detail)
    }
}

impl core::error::Error for Failure {}

/// Opens the store under test: for a durable store a new handle to the same medium at every call, so that
/// what is read was written and not remembered.
pub type Open<'a> = &'a (dyn Fn() -> Result<Arc<dyn KeyStore>, StoreError> + Send + Sync);

const NOW: Time = Time::from_unix(1_795_420_800);

/// Runs the whole suite against an empty store.
///
/// # Errors
/// [`Failure`] naming the first promise that was not kept.
pub async fn run(open: Open<'_>) -> Result<(), Failure> {
    generating(open).await?;
    installing(open).await?;
    pairing(open).await?;
    encrypting_history(open).await?;
    importing::run(open).await?;
    removing(open).await?;
    account_keys(open).await?;
    leasing::run(open).await?;
    states(open).await?;
    preferences(open).await
}

async fn generating(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("generate@example.test")?;
    let handle = opened(open)?;
    let device = handle.device().await.kept("a device has a name")?;
    ensure(
        opened(open)?.device().await.kept("a device has a name")? == device,
        "the name of the device stays",
        &"it changed",
    )?;
    ensure(
        handle.entries(&mailbox).await.kept("an unknown mailbox has no keys")?.is_empty(),
        "an unknown mailbox has no keys",
        &"it has",
    )?;
    for (suite, spec) in [(Suite::Sm2, KeySpec::Sm2), (Suite::Classic, KeySpec::P256)] {
        for purpose in Purpose::ALL {
            let slot = Slot::new(suite, purpose, Level::Mailbox, &device);
            let id = handle.generate(&mailbox, &slot, spec, NOW).await.kept("a key is generated")?;
            let entry = entry(open, &mailbox, &id).await?;
            ensure(
                entry.slot == slot
                    && entry.state == EntryState::Pending
                    && entry.created == NOW
                    && entry.certificate.is_none(),
                "a generated key is pending in its slot",
                &entry,
            )?;
            key_works(open, &mailbox, &entry).await?;
        }
    }
    ensure(
        opened(open)?.mailboxes().await.kept("mailboxes are listed")?.contains(&mailbox),
        "a mailbox with keys is listed",
        &"it is not",
    )?;
    let classic = Slot::new(Suite::Classic, Purpose::Sign, Level::Mailbox, &device);
    let before = handle.entries(&mailbox).await.kept("keys are listed")?.len();
    refused(
        handle.generate(&mailbox, &classic, KeySpec::Sm2, NOW).await,
        "a kind of key outside the suite is refused",
        |error| matches!(error, StoreError::WrongKind { .. }),
    )?;
    let bare = Slot { device: None, ..classic };
    refused(
        handle.generate(&mailbox, &bare, KeySpec::P256, NOW).await,
        "a signing slot without device is refused",
        |error| matches!(error, StoreError::MalformedSlot { .. }),
    )?;
    let after = opened(open)?.entries(&mailbox).await.kept("keys are listed")?.len();
    ensure(before == after && after == 6, "what is refused leaves nothing behind", &after)
}

/// The handle fits the purpose, and signs or proves possession under the public key of the entry.
async fn key_works(open: Open<'_>, mailbox: &Mailbox, entry: &Entry) -> Result<(), Failure> {
    let store = opened(open)?;
    let wrong_purpose = |error: &StoreError| matches!(error, StoreError::WrongPurpose { .. });
    if entry.slot.purpose == Purpose::Encrypt {
        let decryptor = store.decryptor(mailbox, &entry.id).await.kept("an encrypting key decrypts")?;
        ensure(
            *decryptor.public_key() == entry.public_key,
            "a handle has the public key of its entry",
            &entry.id,
        )?;
        return refused(
            store.signer(mailbox, &entry.id).await.map(|_| ()),
            "an encrypting key is no signer",
            wrong_purpose,
        );
    }
    let signer = store.signer(mailbox, &entry.id).await.kept("a signing key signs")?;
    let signature = signer.sign(signer.algorithm(), b"message").await.kept("a signing key signs")?;
    entry
        .public_key
        .verify(signer.algorithm(), Sm2Id::Default, b"message", &signature)
        .kept("a signature verifies under the public key of the entry")?;
    refused(
        store.decryptor(mailbox, &entry.id).await.map(|_| ()),
        "a signing key is no decryptor",
        wrong_purpose,
    )
}

async fn installing(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("install@example.test")?;
    let store = opened(open)?;
    let device = store.device().await.kept("a device has a name")?;
    let slot = Slot::new(Suite::Sm2, Purpose::Sign, Level::Mailbox, &device);
    let other_slot = Slot::new(Suite::Sm2, Purpose::Timestamp, Level::Mailbox, &device);
    let (first, leaf) = certified(open, &mailbox, &slot, KeySpec::Sm2, 1).await?;
    let (unrelated, _) = certified(open, &mailbox, &other_slot, KeySpec::Sm2, 2).await?;
    let found = entry(open, &mailbox, &first).await?;
    ensure(
        found.state == EntryState::Active && found.certificate.as_ref() == Some(&leaf),
        "an installed certificate makes its key active",
        &found,
    )?;

    opened(open)?.install(&mailbox, &first, vec![leaf.clone()]).await.kept("installing again is no error")?;
    let again = entry(open, &mailbox, &first).await?;
    ensure(again == found, "installing the same chain again changes nothing", &again)?;

    let renewed = leaf_for(open, &mailbox, &found, 3).await?;
    let chain = vec![renewed.clone(), leaf.clone()];
    opened(open)?.install(&mailbox, &first, chain).await.kept("an active key gets a new certificate")?;
    let found = entry(open, &mailbox, &first).await?;
    ensure(
        found.state == EntryState::Active
            && found.certificate.as_ref() == Some(&renewed)
            && found.chain == [leaf.clone()]
            && found.former == [leaf.clone()],
        "a new certificate for the same key keeps the former one",
        &found,
    )?;

    let (second, _) = certified(open, &mailbox, &slot, KeySpec::Sm2, 4).await?;
    let states = [
        entry(open, &mailbox, &first).await?.state,
        entry(open, &mailbox, &second).await?.state,
        entry(open, &mailbox, &unrelated).await?.state,
    ];
    ensure(
        states == [EntryState::Retired, EntryState::Active, EntryState::Active],
        "a new active key retires the former one of its place and no other",
        &states,
    )?;
    refused(
        opened(open)?.install(&mailbox, &first, vec![renewed]).await,
        "a retired key takes no certificate",
        |error| matches!(error, StoreError::WrongState { .. }),
    )
}

/// THREATS K8: a certificate is installed for its own key, mailbox and purpose, or not at all.
async fn pairing(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("pair@example.test")?;
    let other = self::mailbox("other@example.test")?;
    let store = opened(open)?;
    let device = store.device().await.kept("a device has a name")?;
    let slot = |purpose| Slot::new(Suite::Classic, purpose, Level::Mailbox, &device);
    let mut ids = Vec::new();
    for purpose in [Purpose::Sign, Purpose::Sign, Purpose::Encrypt, Purpose::Timestamp] {
        let id =
            store.generate(&mailbox, &slot(purpose), KeySpec::P256, NOW).await.kept("a key is generated")?;
        ids.push(entry(open, &mailbox, &id).await?);
    }
    let [sign, twin, encrypt, stamp] = ids.as_slice() else {
        return Err(Failure { promise: "keys are generated", detail: format!("{} of 4", ids.len()) });
    };
    let issuer = store.signer(&mailbox, &sign.id).await.kept("a signing key signs")?;
    let cases: [(&Entry, &Entry, &Mailbox, Purpose, Mismatch); 6] = [
        (sign, twin, &mailbox, Purpose::Sign, Mismatch::PublicKey),
        (sign, encrypt, &mailbox, Purpose::Sign, Mismatch::PublicKey),
        (sign, sign, &other, Purpose::Sign, Mismatch::Mailbox),
        (sign, sign, &mailbox, Purpose::Encrypt, Mismatch::KeyUsage),
        (encrypt, encrypt, &mailbox, Purpose::Sign, Mismatch::KeyUsage),
        (stamp, stamp, &mailbox, Purpose::Sign, Mismatch::ExtendedKeyUsage),
    ];
    for (target, holder, named, purpose, expected) in cases {
        let wanted = Wanted { mailbox: named, spki: holder.public_key.spki_der(), purpose, serial: 7 };
        let leaf = issue(&wanted, issuer.as_ref()).await.kept("a test certificate is made")?;
        refused(
            opened(open)?.install(&mailbox, &target.id, vec![leaf]).await,
            "a certificate that does not fit is refused",
            |error| matches!(error, StoreError::CertificateMismatch { why, .. } if *why == expected),
        )?;
        let state = entry(open, &mailbox, &target.id).await?;
        ensure(state == *target, "a refused certificate changes nothing", &state)?;
    }
    refused(
        opened(open)?.install(&mailbox, &sign.id, Vec::new()).await,
        "an empty chain is refused",
        |error| matches!(error, StoreError::CertificateMismatch { why: Mismatch::EmptyChain, .. }),
    )?;
    let leaf = leaf_for(open, &mailbox, sign, 8).await?;
    refused(
        opened(open)?.install(&mailbox, &sign.id, vec![leaf.clone(); 17]).await,
        "a chain of more than 16 certificates is refused",
        |error| matches!(error, StoreError::TooLarge { .. }),
    )?;
    refused(
        opened(open)?.install(&other, &sign.id, vec![leaf]).await,
        "a key belongs to its mailbox only",
        |error| matches!(error, StoreError::NoSuchKey { .. }),
    )
}

/// THREATS E8: a replaced encrypting key goes on opening what was encrypted to it.
async fn encrypting_history(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("history@example.test")?;
    let device = opened(open)?.device().await.kept("a device has a name")?;
    let slot = Slot::new(Suite::Sm2, Purpose::Encrypt, Level::Mailbox, &device);
    let better = Slot::new(Suite::Sm2, Purpose::Encrypt, Level::Organization, &device);
    let (first, _) = certified(open, &mailbox, &slot, KeySpec::Sm2, 1).await?;
    let (second, _) = certified(open, &mailbox, &better, KeySpec::Sm2, 2).await?;
    let (old, new) = (entry(open, &mailbox, &first).await?, entry(open, &mailbox, &second).await?);
    ensure(
        old.state == EntryState::Retired && old.certificate.is_some() && new.state == EntryState::Active,
        "a mailbox has one active encrypting key a suite, and keeps the former ones with their certificates",
        &(old.state, new.state),
    )?;
    key_works(open, &mailbox, &old).await?;
    key_works(open, &mailbox, &new).await
}

/// THREATS K6: removal leaves a tombstone; only a purge destroys.
async fn removing(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("remove@example.test")?;
    let device = opened(open)?.device().await.kept("a device has a name")?;
    let slot = Slot::new(Suite::Sm2, Purpose::Encrypt, Level::Mailbox, &device);
    let (id, _) = certified(open, &mailbox, &slot, KeySpec::Sm2, 1).await?;
    refused(opened(open)?.purge(&mailbox, &id).await, "a key is removed before it is purged", |error| {
        matches!(error, StoreError::WrongState { state: EntryState::Active, .. })
    })?;
    let exported = opened(open)?.export(&mailbox, &id).await.kept("a key is exported")?;
    opened(open)?.remove(&mailbox, &id).await.kept("a key is removed")?;
    opened(open)?.remove(&mailbox, &id).await.kept("removing again is no error")?;
    let found = entry(open, &mailbox, &id).await?;
    ensure(
        found.state == EntryState::Removed && found.certificate.is_some(),
        "a removed key leaves a tombstone",
        &found,
    )?;
    refused(
        opened(open)?.decryptor(&mailbox, &id).await.map(|_| ()),
        "a removed key is not handed out",
        |error| matches!(error, StoreError::WrongState { .. }),
    )?;
    let again = opened(open)?.export(&mailbox, &id).await.kept("a removed key is still exported")?;
    ensure(*exported == *again, "removal does not touch the key", &"it did")?;
    let key = SoftwareKey::from_pkcs8_der(&again).kept("an exported key is PKCS#8")?;
    ensure(*key.public_key() == found.public_key, "the exported key is that of the entry", &found.id)?;
    opened(open)?.purge(&mailbox, &id).await.kept("a removed key is purged")?;
    let gone = |error: &StoreError| matches!(error, StoreError::NoSuchKey { .. });
    refused(opened(open)?.export(&mailbox, &id).await.map(|_| ()), "a purged key is gone", gone)?;
    refused(opened(open)?.remove(&mailbox, &id).await, "a purged key is gone", gone)
}

/// THREATS N8: account keys are of their own kind.
async fn account_keys(open: Open<'_>) -> Result<(), Failure> {
    let one = "https://one.example.test/directory";
    let signer = opened(open)?.account_key(one, NOW).await.kept("an account key is made")?;
    let same = opened(open)?.account_key(one, NOW).await.kept("an account key is kept")?;
    let two = opened(open)?
        .account_key("https://two.example.test/directory", NOW)
        .await
        .kept("an account key is made")?;
    ensure(signer.public_key() == same.public_key(), "a directory has one account key", &"it has two")?;
    ensure(signer.public_key() != two.public_key(), "directories share no account key", &"they do")?;
    let input = b"eyJhbGciOiJFUzI1NiJ9.e30";
    let signature = signer.sign(signer.algorithm(), input).await.kept("an account key signs a JWS")?;
    signer
        .public_key()
        .verify(signer.algorithm(), Sm2Id::Default, input, &signature)
        .kept("the signature of an account key verifies")?;
    for other in [&b"\x30\x03\x02\x01\x00"[..], b"", b"text"] {
        if signer.sign(signer.algorithm(), other).await.is_ok() {
            return Err(Failure {
                promise: "an account key signs JWS signing inputs only",
                detail: format!("it signed {other:02x?}"),
            });
        }
    }
    refused(
        opened(open)?.account_key(&"x".repeat(1001), NOW).await.map(|_| ()),
        "a directory URL of more than 1000 octets is refused",
        |error| matches!(error, StoreError::TooLarge { .. }),
    )
}

async fn states(open: Open<'_>) -> Result<(), Failure> {
    const PROMISE: &str = "the state last saved is loaded";
    let load = async |name: &str| opened(open)?.load_state(name).await.kept(PROMISE);
    ensure(load("order/1").await?.is_none(), "there is no state before the first is saved", &"there is")?;
    for octets in [&b"first"[..], b"second, longer", b"", &[0; 70_000]] {
        opened(open)?.save_state("order/1", octets).await.kept("a state is saved")?;
        opened(open)?.save_state("order/2", b"another").await.kept("a state is saved")?;
        ensure(load("order/1").await?.is_some_and(|loaded| *loaded == octets), PROMISE, &octets.len())?;
    }
    opened(open)?.delete_state("order/1").await.kept("a state is deleted")?;
    opened(open)?.delete_state("order/1").await.kept("deleting nothing is no error")?;
    ensure(load("order/1").await?.is_none(), "a deleted state is gone", &"it is not")?;
    ensure(load("order/2").await?.is_some(), "deleting one state leaves the others", &"it does not")?;
    let too_large = |error: &StoreError| matches!(error, StoreError::TooLarge { .. });
    for name in ["", &"n".repeat(1001)] {
        refused(opened(open)?.save_state(name, b"").await, "an impossible name is refused", too_large)?;
    }
    refused(
        opened(open)?.save_state("large", &vec![0; (4 << 20) + 1]).await,
        "a state of more than 4 MiB is refused",
        too_large,
    )
}

async fn preferences(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("prefer@example.test")?;
    let device: DeviceId = "device".parse().kept("a device name is read")?;
    let slot = Slot::new(Suite::Sm2, Purpose::Sign, Level::Mailbox, &device);
    for (suite, signer) in [(None, None), (Some(Suite::Classic), Some(slot.clone())), (None, None)] {
        let store = opened(open)?;
        store.set_default_suite(&mailbox, suite).await.kept("a suite is preferred")?;
        store.set_default_signer(&mailbox, signer.clone()).await.kept("a signer is preferred")?;
        let found = (
            opened(open)?.default_suite(&mailbox).await.kept("a preference is read")?,
            opened(open)?.default_signer(&mailbox).await.kept("a preference is read")?,
        );
        ensure(found == (suite, signer), "a preference is kept", &found)?;
    }
    let encrypting = Slot::new(Suite::Sm2, Purpose::Encrypt, Level::Mailbox, &device);
    refused(
        opened(open)?.set_default_signer(&mailbox, Some(encrypting)).await,
        "only a signing slot is preferred for signing",
        |error| matches!(error, StoreError::MalformedSlot { .. }),
    )
}

/// A key with its certificate installed.
async fn certified(
    open: Open<'_>,
    mailbox: &Mailbox,
    slot: &Slot,
    spec: KeySpec,
    serial: u64,
) -> Result<(KeyId, Certificate), Failure> {
    let id = opened(open)?.generate(mailbox, slot, spec, NOW).await.kept("a key is generated")?;
    let leaf = leaf_for(open, mailbox, &entry(open, mailbox, &id).await?, serial).await?;
    opened(open)?
        .install(mailbox, &id, vec![leaf.clone()])
        .await
        .kept("a fitting certificate is installed")?;
    Ok((id, leaf))
}

/// A certificate that fits `entry`, issued by a key of another mailbox.
async fn leaf_for(
    open: Open<'_>,
    mailbox: &Mailbox,
    entry: &Entry,
    serial: u64,
) -> Result<Certificate, Failure> {
    let store = opened(open)?;
    let issuer_mailbox = self::mailbox("issuer@example.test")?;
    let device: DeviceId = "issuer".parse().kept("a device name is read")?;
    let slot = Slot::new(Suite::Classic, Purpose::Sign, Level::Mailbox, &device);
    let present = store.entries(&issuer_mailbox).await.kept("keys are listed")?;
    let id = match present.first() {
        Some(entry) => entry.id,
        None => {
            store.generate(&issuer_mailbox, &slot, KeySpec::P256, NOW).await.kept("a key is generated")?
        }
    };
    let issuer = store.signer(&issuer_mailbox, &id).await.kept("a signing key signs")?;
    let spki = entry.public_key.spki_der();
    let wanted = Wanted { mailbox, spki, purpose: entry.slot.purpose, serial };
    issue(&wanted, issuer.as_ref()).await.kept("a test certificate is made")
}

async fn entry(open: Open<'_>, mailbox: &Mailbox, id: &KeyId) -> Result<Entry, Failure> {
    let entries = opened(open)?.entries(mailbox).await.kept("keys are listed")?;
    entries
        .into_iter()
        .find(|entry| entry.id == *id)
        .ok_or_else(|| Failure { promise: "a key stays in the list", detail: format!("{id} is missing") })
}

fn opened(open: Open<'_>) -> Result<Arc<dyn KeyStore>, Failure> {
    open().kept("the store opens")
}

fn mailbox(text: &str) -> Result<Mailbox, Failure> {
    text.parse().kept("a mailbox is read")
}

fn ensure(kept: bool, promise: &'static str, found: &dyn fmt::Debug) -> Result<(), Failure> {
    if kept { Ok(()) } else { Err(Failure { promise, detail: format!("found {found:?}") }) }
}

fn refused<T>(
    result: Result<T, StoreError>,
    promise: &'static str,
    expected: impl Fn(&StoreError) -> bool,
) -> Result<(), Failure> {
    match result {
        Err(error) if expected(&error) => Ok(()),
        Err(error) => Err(Failure { promise, detail: format!("the error is another one: {error:?}") }),
        Ok(_) => Err(Failure { promise, detail: "it was allowed".to_owned() }),
    }
}

trait Kept<T> {
    fn kept(self, promise: &'static str) -> Result<T, Failure>;
}

impl<T, E: fmt::Debug> Kept<T> for Result<T, E> {
    fn kept(self, promise: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure { promise, detail: format!("{error:?}") })
    }
}
