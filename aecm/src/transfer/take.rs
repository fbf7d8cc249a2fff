//! Opening a package and taking the keys into the store: all or none, and none that is not this mailbox's.

use aecm_acme::jws;
use aecm_acme::wire::{Transfer, TransferSource};
use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::package::{self, PackagedKey};
use aecm_store::{EntryState, ImportedKey, StoreError};
use std::sync::Arc;

use super::conflict::{ConflictingKey, TransferConflict, not_given_up};
use super::pending::{Lacking, Pending};
use super::signed::{Signed, answers};
use super::{TransferError, envelope};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::hex;

/// What came of an answer.
pub(super) enum Taken {
    /// The keys of these suites are in the store.
    Imported(Vec<Suite>),
    /// The owner has to decide first; nothing was imported.
    Conflict(TransferConflict),
}

/// A key of an answer with the paths of its certificates, the oldest first.
struct Checked {
    suite: Suite,
    key: PublicKey,
    imported: ImportedKey,
}

impl Checked {
    fn leaves(&self) -> impl DoubleEndedIterator<Item = &Certificate> {
        self.imported.chains.iter().filter_map(|chain| chain.first())
    }

    fn newest(&self) -> Option<&Certificate> {
        self.leaves().next_back()
    }
}

impl Mailbox {
    /// Verifies the answer and imports what it brings: whole or not at all.
    pub(super) async fn take(
        &self,
        pending: &Pending,
        transfer: &Transfer,
        ring: &Keyring,
    ) -> Result<Taken, Error> {
        let now = self.aecm().clock().now();
        let limits = self.aecm().trust().policy.limits.clone();
        let cms = transfer.response.as_deref().and_then(jws::decode);
        let cms = cms.ok_or(TransferError::Malformed { what: "the answer is not base64url" })?;
        let signed = self.giver(pending, &cms, now).await?;
        let request = pending.request(self)?;
        if !answers(&cms, &request, &limits) {
            return Err(TransferError::OtherRequest.into());
        }
        let key = pending.key(self)?.into_decryptor(Arc::clone(self.aecm().rng()));
        let package = envelope::open(&signed.content, &key, &limits).await?;
        let keys = package::parse(&package, &limits).map_err(TransferError::from)?;
        let lacking = pending.lacking(self)?;
        let mut found = self.checked(keys, pending, &lacking, (&signed.bag, ring))?;
        let active = match pending.source {
            TransferSource::Escrow => self.active_of_escrow(&found, &lacking).await,
            _ => active_of_device(&found, &lacking, now)?,
        };
        let mut conflicts = Vec::new();
        for index in active {
            let Some(one) = found.get_mut(index) else { continue };
            if let Some(conflict) = in_conflict(one, ring, now)
                && !pending.accepted.contains(&hex(&conflict.offered.sha256()))
            {
                conflicts.push(conflict);
            }
            one.imported.state = EntryState::Active;
        }
        if !conflicts.is_empty() {
            return Ok(Taken::Conflict(TransferConflict { keys: conflicts, giver: signed.signer }));
        }
        let mut suites: Vec<Suite> = Vec::new();
        for one in &found {
            if !suites.contains(&one.suite) {
                suites.push(one.suite);
            }
        }
        let keys: Vec<ImportedKey> = found.into_iter().map(|one| one.imported).collect();
        let active: Vec<bool> = keys.iter().map(|key| key.state == EntryState::Active).collect();
        match self.aecm().store().import(self.address(), keys, now).await {
            Ok(names) => {
                // One that retired here is the one in use again: no other stands in its way, or the owner said so.
                for (name, _) in names.iter().zip(active).filter(|(_, active)| *active) {
                    self.promote(name).await?;
                }
                Ok(Taken::Imported(suites))
            }
            Err(error) if is_about_the_keys(&error) => {
                Err(TransferError::NotTaken { why: error.to_string() }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Who may give: another device of the mailbox, or the escrow where that was asked.
    async fn giver(&self, pending: &Pending, cms: &[u8], now: Time) -> Result<Signed, Error> {
        if pending.source == TransferSource::Escrow {
            let (escrow, _) = self.escrow_certificate().await?;
            return Ok(self.signed_by_escrow(cms, oid::AUTH_ENVELOPED_DATA, &escrow, now)?);
        }
        Ok(self.signed_by_device(cms, oid::AUTH_ENVELOPED_DATA, now)?)
    }

    /// Every private key is that of its certificates, every certificate leads to the anchors, names the mailbox and
    /// is for encrypting (THREATS K8). All are history until it is found which of them is in use.
    fn checked(
        &self,
        keys: Vec<PackagedKey>,
        pending: &Pending,
        lacking: &[Lacking],
        (bag, ring): (&[Certificate], &Keyring),
    ) -> Result<Vec<Checked>, TransferError> {
        let mut bag = bag.to_vec();
        bag.extend(lacking.iter().flat_map(|one| one.chain.iter().cloned()));
        let mut found = Vec::new();
        for mut key in keys {
            let suite = key.public_key.suite();
            if !lacking.iter().any(|one| one.suite == suite) {
                return Err(TransferError::Certificate { why: "suite-not-asked-for" });
            }
            let hints: Vec<Certificate> = key.issuers.drain(..).chain(bag.iter().cloned()).collect();
            let (good, bad): (Vec<_>, Vec<_>) = key
                .certificates
                .iter()
                .map(|one| self.encryption_chain(one, &hints))
                .partition(Result::is_ok);
            // An escrow keeps keys for decades, and anchors change: what leads nowhere any more is left out.
            let spared = pending.source == TransferSource::Escrow && !good.is_empty();
            let chains: Result<Vec<_>, _> =
                good.into_iter().chain(bad.into_iter().filter(|_| !spared)).collect();
            let slot = ring.slot(suite, Purpose::Encrypt, Level::Mailbox);
            let imported =
                ImportedKey { slot, pkcs8: key.pkcs8, chains: chains?, state: EntryState::Retired };
            found.push(Checked { suite, key: key.public_key, imported });
        }
        Ok(found)
    }

    /// Which keys out of escrow are in use: those whose certificate the service lists now. What the escrow keeps may
    /// be older than the last rekey, or revoked since. Where that list is not to be had all are history; an order
    /// tells then which is in use.
    async fn active_of_escrow(&self, found: &[Checked], lacking: &[Lacking]) -> Vec<usize> {
        let listed = self.listed_by_service().await.unwrap_or_default();
        let mut listed: Vec<Certificate> = listed.into_iter().map(|found| found.certificate).collect();
        listed.extend(lacking.iter().filter_map(|one| one.certificate.clone()));
        let mut active = Vec::new();
        for one in lacking {
            let in_use =
                |key: &Checked| key.suite == one.suite && key.leaves().any(|leaf| listed.contains(leaf));
            active.extend(found.iter().rposition(in_use));
        }
        active
    }

    /// The way of one certificate to the anchors, without the anchor. Dates are not looked at: former keys open
    /// the mail of their time.
    pub(crate) fn encryption_chain(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
    ) -> Result<Vec<Certificate>, TransferError> {
        let refuse = |why| Err(TransferError::Certificate { why });
        if !matches!(leaf.san_mailboxes().as_slice(), [one] if one.matches(self.address())) {
            return refuse("another-mailbox");
        }
        let trust = self.aecm().trust();
        let limits = trust.policy.limits.clone();
        let options = PathOptions::new(PathPurpose::EncryptMail, None, limits);
        match validate(leaf, bag, &trust.smime, &options) {
            Ok(path) => {
                let mut chain = path.chain;
                if chain.len() > 1 {
                    chain.pop();
                }
                Ok(chain)
            }
            Err(failure) => refuse(failure.reason.word()),
        }
    }
}

/// Which keys of a device's answer are in use, one of each suite that it answers for: the last one, where the
/// certificate that the service named is not a later one's, and is among them (THREATS E8).
fn active_of_device(found: &[Checked], lacking: &[Lacking], now: Time) -> Result<Vec<usize>, TransferError> {
    let mut active = Vec::new();
    for one in lacking {
        let missing = TransferError::ActiveMissing { suite: one.suite };
        // The oldest come first. A device may hold the keys of one suite only.
        let Some(mut last) = found.iter().rposition(|key| key.suite == one.suite) else { continue };
        if let Some(named) = &one.certificate {
            let place = found.iter().position(|key| key.leaves().any(|leaf| leaf == named));
            let place = place.ok_or(missing.clone())?;
            let newest = found.get(last).and_then(Checked::newest);
            if newest.is_none_or(|newest| newest.not_before() <= named.not_before()) {
                last = place;
            }
        }
        let newest = found.get(last).and_then(Checked::newest);
        if newest.is_none_or(|leaf| now > leaf.not_after()) {
            return Err(missing);
        }
        active.push(last);
    }
    Ok(active)
}

/// Whether this device has another key in use where this one would go.
fn in_conflict(one: &Checked, ring: &Keyring, now: Time) -> Option<ConflictingKey> {
    let (entry, held) = not_given_up(ring, one.suite, now)?;
    if entry.public_key == one.key {
        return None;
    }
    Some(ConflictingKey { suite: one.suite, held: held.clone(), offered: one.newest()?.clone() })
}

/// Whether a store refuses these keys, and will again; not that it could not be written.
const fn is_about_the_keys(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::MalformedSlot { .. }
            | StoreError::WrongKind { .. }
            | StoreError::WrongPurpose { .. }
            | StoreError::WrongState { .. }
            | StoreError::CertificateMismatch { .. }
            | StoreError::TooLarge { .. }
            | StoreError::BadKey { .. }
    )
}
