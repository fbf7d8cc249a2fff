//! Keys from elsewhere.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Level, Purpose, Suite};
use zeroize::Zeroizing;

use super::certificate::{Wanted, issue};
use super::{Failure, Kept, NOW, Open, certified, ensure, entry, key_works, mailbox, opened, refused};
use crate::error::{Mismatch, StoreError};
use crate::import::ImportedKey;
use crate::slot::{DeviceId, Entry, EntryState, KeyId, Slot};

/// A key made by another store, and who certifies it.
struct Foreign {
    mailbox: Mailbox,
    slot: Slot,
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
    issuer: Arc<dyn Signer>,
}

impl Foreign {
    /// Makes the key in the store itself, for a mailbox that nobody asks about: the suite has no random source.
    async fn make(open: Open<'_>, mailbox: &Mailbox, slot: &Slot, spec: KeySpec) -> Result<Self, Failure> {
        let store = opened(open)?;
        let elsewhere = self::mailbox("elsewhere@example.test")?;
        let id = store.generate(&elsewhere, slot, spec, NOW).await.kept("a key is generated")?;
        let pkcs8 = store.export(&elsewhere, &id).await.kept("a key is exported")?;
        let key = SoftwareKey::from_pkcs8_der(&pkcs8).kept("an exported key is PKCS#8")?;
        let device: DeviceId = "issuer".parse().kept("a device name is read")?;
        let slot_of_issuer = Slot::new(Suite::Classic, Purpose::Sign, Level::Mailbox, &device);
        let issuer = store
            .generate(&elsewhere, &slot_of_issuer, KeySpec::P256, NOW)
            .await
            .kept("a key is generated")?;
        let issuer = store.signer(&elsewhere, &issuer).await.kept("a signing key signs")?;
        let spki = key.public_key().spki_der().to_vec();
        Ok(Self { mailbox: mailbox.clone(), slot: slot.clone(), pkcs8, spki, issuer })
    }

    async fn leaf(&self, serial: u64) -> Result<Certificate, Failure> {
        let purpose = self.slot.purpose;
        let wanted = Wanted { mailbox: &self.mailbox, spki: &self.spki, purpose, serial };
        issue(&wanted, self.issuer.as_ref()).await.kept("a test certificate is made")
    }

    fn with(&self, state: EntryState, leaves: &[Certificate]) -> ImportedKey {
        let chains = leaves.iter().map(|leaf| vec![leaf.clone()]).collect();
        ImportedKey { slot: self.slot.clone(), pkcs8: self.pkcs8.clone(), chains, state }
    }
}

async fn import(open: Open<'_>, mailbox: &Mailbox, keys: Vec<ImportedKey>) -> Result<Vec<KeyId>, StoreError> {
    match open() {
        Ok(store) => store.import(mailbox, keys, NOW).await,
        Err(error) => Err(error),
    }
}

async fn entries(open: Open<'_>, mailbox: &Mailbox) -> Result<Vec<Entry>, Failure> {
    opened(open)?.entries(mailbox).await.kept("keys are listed")
}

pub(super) async fn run(open: Open<'_>) -> Result<(), Failure> {
    history(open).await?;
    presence(open).await?;
    wholeness(open).await
}

/// THREATS E8, K6: a whole history comes in at once, and again without effect.
async fn history(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("import@example.test")?;
    let device = opened(open)?.device().await.kept("a device has a name")?;
    let slot = Slot::new(Suite::Sm2, Purpose::Encrypt, Level::Mailbox, &device);
    let (own, _) = certified(open, &mailbox, &slot, KeySpec::Sm2, 1).await?;
    let pending =
        opened(open)?.generate(&mailbox, &slot, KeySpec::Sm2, NOW).await.kept("a key is generated")?;
    let old = Foreign::make(open, &mailbox, &slot, KeySpec::Sm2).await?;
    let new = Foreign::make(open, &mailbox, &slot, KeySpec::Sm2).await?;
    let (first, second) = (old.leaf(2).await?, old.leaf(3).await?);
    let third = new.leaf(4).await?;
    let keys = || {
        vec![
            old.with(EntryState::Retired, &[first.clone(), second.clone()]),
            new.with(EntryState::Active, core::slice::from_ref(&third)),
        ]
    };
    let ids = import(open, &mailbox, keys()).await.kept("keys are imported")?;
    let [old_id, new_id] = ids.as_slice() else {
        return Err(Failure { promise: "each key gets a name", detail: format!("{} for 2", ids.len()) });
    };
    let (was_old, was_new) = (entry(open, &mailbox, old_id).await?, entry(open, &mailbox, new_id).await?);
    ensure(
        was_old.state == EntryState::Retired
            && was_old.certificate.as_ref() == Some(&second)
            && was_old.former.as_slice() == core::slice::from_ref(&first)
            && was_old.slot == slot,
        "a former key is imported with every certificate it went by",
        &was_old,
    )?;
    ensure(
        was_new.state == EntryState::Active && was_new.certificate.as_ref() == Some(&third),
        "an active key is imported as active",
        &was_new,
    )?;
    key_works(open, &mailbox, &was_old).await?;
    key_works(open, &mailbox, &was_new).await?;
    let states = [entry(open, &mailbox, &own).await?.state, entry(open, &mailbox, &pending).await?.state];
    ensure(
        states == [EntryState::Retired, EntryState::Pending],
        "an imported active key retires the active one of its place and leaves a pending one",
        &states,
    )?;
    let before = entries(open, &mailbox).await?;
    let again = import(open, &mailbox, keys()).await.kept("importing again is no error")?;
    ensure(again == ids, "a key that is there keeps its name", &again)?;
    let after = entries(open, &mailbox).await?;
    ensure(before == after, "importing the same keys again changes nothing", &after)
}

/// What becomes of a key that is here already.
async fn presence(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("present@example.test")?;
    let device = opened(open)?.device().await.kept("a device has a name")?;
    let slot = Slot::new(Suite::Classic, Purpose::Encrypt, Level::Mailbox, &device);
    let one = Foreign::make(open, &mailbox, &slot, KeySpec::P256).await?;
    let two = Foreign::make(open, &mailbox, &slot, KeySpec::P256).await?;
    let (older, one_leaf, two_leaf) = (one.leaf(1).await?, one.leaf(2).await?, two.leaf(3).await?);
    let single = async |key: ImportedKey| -> Result<KeyId, Failure> {
        let ids = import(open, &mailbox, vec![key]).await.kept("a key is imported")?;
        ids.first()
            .copied()
            .ok_or_else(|| Failure { promise: "each key gets a name", detail: "none".to_owned() })
    };
    let active = |leaf: &Certificate| (EntryState::Active, [leaf.clone()]);
    let id = single(one.with(EntryState::Pending, &[])).await?;
    ensure(
        entry(open, &mailbox, &id).await?.state == EntryState::Pending,
        "a key without certificate is imported as pending",
        &id,
    )?;
    let (state, leaves) = active(&one_leaf);
    ensure(single(one.with(state, &leaves)).await? == id, "a key that is there keeps its name", &id)?;
    let found = entry(open, &mailbox, &id).await?;
    ensure(
        found.state == EntryState::Active && found.certificate.as_ref() == Some(&one_leaf),
        "a pending key takes the certificate and the state of the imported one",
        &found,
    )?;
    single(one.with(EntryState::Retired, core::slice::from_ref(&older))).await?;
    let found = entry(open, &mailbox, &id).await?;
    ensure(
        found.state == EntryState::Active
            && found.certificate.as_ref() == Some(&one_leaf)
            && found.former == [older],
        "a key that is there gets the certificates it lacks and keeps its state",
        &found,
    )?;
    let (state, leaves) = active(&two_leaf);
    let other = single(two.with(state, &leaves)).await?;
    let (state, leaves) = active(&one_leaf);
    single(one.with(state, &leaves)).await?;
    let states = [entry(open, &mailbox, &id).await?.state, entry(open, &mailbox, &other).await?.state];
    ensure(
        states == [EntryState::Retired, EntryState::Active],
        "an old copy does not bring a retired key back before the active one",
        &states,
    )?;
    opened(open)?.remove(&mailbox, &other).await.kept("a key is removed")?;
    let (state, leaves) = active(&two_leaf);
    ensure(single(two.with(state, &leaves)).await? == other, "a removed key keeps its name", &other)?;
    let found = entry(open, &mailbox, &other).await?;
    ensure(found.state == EntryState::Active, "a removed key is there again when it is imported", &found)?;
    key_works(open, &mailbox, &found).await
}

/// A key that is refused, what is wrong with it, and whether the error says so.
type Case = (ImportedKey, &'static str, fn(&StoreError) -> bool);

/// THREATS K6, K8: what does not fit keeps all the others out.
async fn wholeness(open: Open<'_>) -> Result<(), Failure> {
    let mailbox = mailbox("whole@example.test")?;
    let stranger = self::mailbox("stranger@example.test")?;
    let device = opened(open)?.device().await.kept("a device has a name")?;
    let slot = |purpose| Slot::new(Suite::Classic, purpose, Level::Mailbox, &device);
    let good = Foreign::make(open, &mailbox, &slot(Purpose::Encrypt), KeySpec::P256).await?;
    let sign = Foreign::make(open, &mailbox, &slot(Purpose::Sign), KeySpec::P256).await?;
    let theirs = Foreign::make(open, &stranger, &slot(Purpose::Encrypt), KeySpec::P256).await?;
    let (leaf, sign_leaf, their_leaf) = (good.leaf(1).await?, sign.leaf(2).await?, theirs.leaf(3).await?);
    let active = EntryState::Active;
    let changed = |change: fn(&mut ImportedKey)| {
        let mut key = sign.with(active, core::slice::from_ref(&sign_leaf));
        change(&mut key);
        key
    };
    let mismatch = |error: &StoreError| matches!(error, StoreError::CertificateMismatch { .. });
    let cases: [Case; 10] = [
        (sign.with(active, core::slice::from_ref(&leaf)), "the certificate of another key", mismatch),
        (
            theirs.with(active, core::slice::from_ref(&their_leaf)),
            "a certificate of another mailbox",
            |error| matches!(error, StoreError::CertificateMismatch { why: Mismatch::Mailbox, .. }),
        ),
        (
            sign.with(EntryState::Retired, &[leaf.clone(), sign_leaf.clone()]),
            "a former certificate of another key",
            mismatch,
        ),
        (sign.with(active, &[]), "an active key without certificate", mismatch),
        (
            changed(|key| {
                key.chains.first_mut().map(Vec::clear);
            }),
            "an empty chain",
            mismatch,
        ),
        (
            changed(|key| key.slot.purpose = Purpose::Timestamp),
            "a signing certificate in a timestamping slot",
            mismatch,
        ),
        (changed(|key| key.slot.suite = Suite::Sm2), "a classic key in an SM2 slot", |error| {
            matches!(error, StoreError::WrongKind { .. })
        }),
        (changed(|key| key.slot.device = None), "a malformed slot", |error| {
            matches!(error, StoreError::MalformedSlot { .. })
        }),
        (
            changed(|key| {
                key.pkcs8.pop();
            }),
            "a key cut short",
            |error| matches!(error, StoreError::BadKey { index: 1, .. }),
        ),
        (changed(|key| key.state = EntryState::Pending), "a pending key with a certificate", |error| {
            matches!(error, StoreError::WrongState { .. })
        }),
    ];
    for (bad, what, expected) in cases {
        let keys = vec![good.with(active, core::slice::from_ref(&leaf)), bad];
        refused(import(open, &mailbox, keys).await, what, expected)?;
        let left = entries(open, &mailbox).await?;
        ensure(left.is_empty(), "a refused import leaves nothing behind", &(what, left.len()))?;
    }
    import(open, &mailbox, vec![good.with(active, core::slice::from_ref(&leaf))])
        .await
        .kept("a key is imported")?;
    let mut twisted = good.with(active, core::slice::from_ref(&leaf));
    twisted.slot = slot(Purpose::Sign);
    refused(import(open, &mailbox, vec![twisted]).await, "a key serves one purpose", |error| {
        matches!(error, StoreError::WrongPurpose { .. })
    })
}
