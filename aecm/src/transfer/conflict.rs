//! A key that came and would take the place of one in use here: nothing happens without the owner's word.
//!
//! Whoever reads the mailbox for a while can have the owner's encrypting certificate revoked, obtain one of his own,
//! and answer the request with which the owner's device asks for the key in use. Mail to the owner would be his to
//! read from then on. So a device that holds a key which can be used keeps it until its owner decides.

use aecm_acme::jws;
use aecm_core::certificate::Certificate;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::Entry;
use serde::{Deserialize, Serialize};

use super::TransferError;
use super::ask::Progress;
use super::pending::{Lacking, damaged};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::hex;

/// Encrypting keys that another device, or the escrow, gave in place of ones that this device has in use. Show the
/// owner both certificates and ask; nothing was taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferConflict {
    /// What is in conflict, one a suite.
    pub keys: Vec<ConflictingKey>,
    /// The signing certificate of whoever gave the keys.
    pub giver: Certificate,
}

/// A key in use here, and the one that would take its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConflictingKey {
    /// The suite of both.
    pub suite: Suite,
    /// The certificate of the key that this device has in use.
    pub held: Certificate,
    /// The certificate of the key that came.
    pub offered: Certificate,
}

/// The mailbox's encrypting key in use is another than the one that this device made or was given, and was certified
/// later, for another account. Where the owner did not do that on another device, somebody else reads the mailbox:
/// revoke that certificate ([`Mailbox::revoke`]) and see to the mailbox's password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RekeyedElsewhere {
    /// The suite.
    pub suite: Suite,
    /// The newest encryption certificate that this device has of its own.
    pub own: Certificate,
    /// The one in use at the service.
    pub certificate: Certificate,
}

/// The stored form: base64url of DER.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConflictRecord {
    keys: Vec<KeyRecord>,
    giver: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeyRecord {
    suite: String,
    held: String,
    offered: String,
}

impl TransferConflict {
    pub(super) fn record(&self) -> ConflictRecord {
        let text = |certificate: &Certificate| jws::encode(certificate.as_der());
        let key = |key: &ConflictingKey| KeyRecord {
            suite: key.suite.word().to_owned(),
            held: text(&key.held),
            offered: text(&key.offered),
        };
        ConflictRecord { keys: self.keys.iter().map(key).collect(), giver: text(&self.giver) }
    }

    fn read(record: &ConflictRecord) -> Option<Self> {
        let read = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
        let key = |key: &KeyRecord| {
            let suite = Suite::from_word(&key.suite)?;
            Some(ConflictingKey { suite, held: read(&key.held)?, offered: read(&key.offered)? })
        };
        Some(Self { keys: record.keys.iter().map(key).collect::<Option<_>>()?, giver: read(&record.giver)? })
    }

    /// Whether it is about a suite.
    #[must_use]
    pub fn is_about(&self, suite: Suite) -> bool {
        self.keys.iter().any(|key| key.suite == suite)
    }

    fn is_same(&self, other: &Self) -> bool {
        let offered =
            |of: &Self| -> Vec<String> { of.keys.iter().map(|key| hex(&key.offered.sha256())).collect() };
        offered(self) == offered(other)
    }
}

impl Mailbox {
    /// The keys that wait for the owner's decision, as the last call that looked at the transfer found them.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Record`].
    pub async fn transfer_conflict(&self) -> Result<Option<TransferConflict>, Error> {
        let Some(pending) = self.pending_transfer().await? else { return Ok(None) };
        let Some(record) = pending.conflict.as_ref().filter(|_| !pending.imported) else { return Ok(None) };
        TransferConflict::read(record).map(Some).ok_or_else(|| damaged(self))
    }

    /// The owner's word that the keys which came take the place of those in use here. These retire, and go on
    /// opening old mail. The suites whose keys are in the store now.
    ///
    /// # Errors
    /// [`Error::Transfer`] with [`TransferError::ConflictChanged`] when something else waits by now than `conflict`;
    /// show that one ([`Mailbox::transfer_conflict`]). Else as [`Mailbox::provision`].
    pub async fn accept_transfer(&self, conflict: &TransferConflict) -> Result<Vec<Suite>, Error> {
        let _turn = self.turn().await?;
        self.require_current(conflict).await?;
        let Some(mut pending) = self.pending_transfer().await? else {
            return Err(TransferError::ConflictChanged.into());
        };
        pending.accepted = conflict.keys.iter().map(|key| hex(&key.offered.sha256())).collect();
        self.save_transfer(&pending).await?;
        let ring = self.keyring().await?;
        match self.resume_transfer(&ring).await? {
            Progress::Received(suites) => Ok(suites),
            _ => Err(TransferError::ConflictChanged.into()),
        }
    }

    /// The owner's word that the keys in use here stay: what came is not taken, and not asked for again until
    /// something is lacking.
    ///
    /// # Errors
    /// As [`Mailbox::accept_transfer`].
    pub async fn decline_transfer(&self, conflict: &TransferConflict) -> Result<(), Error> {
        let _turn = self.turn().await?;
        self.require_current(conflict).await?;
        self.forget_transfer().await
    }

    async fn require_current(&self, conflict: &TransferConflict) -> Result<(), Error> {
        match self.transfer_conflict().await? {
            Some(current) if current.is_same(conflict) => Ok(()),
            _ => Err(TransferError::ConflictChanged.into()),
        }
    }
}

/// Which of the certificates that the service names in place of ours are of keys that came after our own. `ring` is
/// as it was before anything was taken.
pub(crate) fn rekeyed_elsewhere(ring: &Keyring, named: &[Lacking]) -> Vec<RekeyedElsewhere> {
    let mut found: Vec<RekeyedElsewhere> = Vec::new();
    for one in named {
        let Some(certificate) = &one.certificate else { continue };
        let known = ring.entries.iter().any(|entry| certificate.public_key() == Some(&entry.public_key));
        let own = ring.encrypting(one.suite).filter_map(|entry| entry.certificate.as_ref());
        let Some(own) = own.max_by_key(|own| own.not_before()) else { continue };
        let again = found.iter().any(|other| other.certificate == *certificate);
        if !known && !again && certificate.not_before() >= own.not_before() {
            let (own, certificate) = (own.clone(), certificate.clone());
            found.push(RekeyedElsewhere { suite: one.suite, own, certificate });
        }
    }
    found
}

/// The key in use here of a suite and its certificate, where it can be used now.
pub(super) fn in_use(ring: &Keyring, suite: Suite, now: Time) -> Option<(&Entry, &Certificate)> {
    not_given_up(ring, suite, now).filter(|(_, certificate)| !ring.is_revoked(certificate))
}

/// The key of a suite that this device uses or would use, had not somebody else revoked its certificate: whoever reads
/// the mailbox can do that, and what it was revoked for is theirs to say too.
pub(crate) fn not_given_up(ring: &Keyring, suite: Suite, now: Time) -> Option<(&Entry, &Certificate)> {
    let entry = ring.active_in(&ring.slot(suite, Purpose::Encrypt, Level::Mailbox))?;
    let certificate = entry.certificate.as_ref().filter(|certificate| now <= certificate.not_after())?;
    let mark = ring.marks.get(&hex(&certificate.sha256()));
    mark.is_none_or(|mark| mark.learnt).then_some((entry, certificate))
}
