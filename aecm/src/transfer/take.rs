//! Opening a package and taking the keys into the store: all or none, and none that is not this mailbox's.

use aecm_acme::jws;
use aecm_acme::wire::{Transfer, TransferSource};
use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::package::{self, PackagedKey};
use aecm_store::{EntryState, ImportedKey};
use std::sync::Arc;

use super::pending::{Lacking, Pending};
use super::signed::{Signed, answers};
use super::{TransferError, envelope};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;

impl Mailbox {
    /// Verifies the answer and imports what it brings.
    pub(super) async fn take(
        &self,
        pending: &Pending,
        transfer: &Transfer,
        ring: &Keyring,
    ) -> Result<(), Error> {
        let now = self.aecm().clock().now();
        let limits = self.aecm().trust().policy.limits.clone();
        let cms = transfer.response.as_deref().and_then(jws::decode);
        let cms = cms.ok_or(TransferError::Malformed { what: "the answer is not base64url" })?;
        let signed = self.giver(pending, &cms, now).await?;
        let request = pending.request().unwrap_or_default();
        if !answers(&cms, &request, &limits) {
            return Err(TransferError::OtherRequest.into());
        }
        let key = pending.key(self)?.into_decryptor(Arc::clone(self.aecm().rng()));
        let package = envelope::open(&signed.content, &key, &limits).await?;
        let keys = package::parse(&package, &limits).map_err(TransferError::from)?;
        let imported = self.checked(keys, &pending.lacking(self)?, &signed.bag, ring, now)?;
        self.aecm().store().import(self.address(), imported, now).await?;
        Ok(())
    }

    /// Who may give: another device of the mailbox, or the escrow where that was asked.
    async fn giver(&self, pending: &Pending, cms: &[u8], now: Time) -> Result<Signed, Error> {
        if pending.source == TransferSource::Escrow {
            let (escrow, _) = self.escrow_certificate().await?;
            return Ok(self.signed_by_escrow(cms, oid::AUTH_ENVELOPED_DATA, &escrow, now)?);
        }
        Ok(self.signed_by_device(cms, oid::AUTH_ENVELOPED_DATA, now)?)
    }

    /// Every private key is that of its certificates; every certificate leads to the anchors, names the mailbox and
    /// is for encrypting; and what the mailbox uses now is among them (THREATS K8, E8).
    fn checked(
        &self,
        keys: Vec<PackagedKey>,
        lacking: &[Lacking],
        bag: &[Certificate],
        ring: &Keyring,
        now: Time,
    ) -> Result<Vec<ImportedKey>, TransferError> {
        let mut bag = bag.to_vec();
        bag.extend(lacking.iter().flat_map(|one| one.chain.iter().cloned()));
        let mut found: Vec<(Suite, ImportedKey)> = Vec::new();
        for mut key in keys {
            let suite = key.public_key.suite();
            if !lacking.iter().any(|one| one.suite == suite) {
                return Err(TransferError::Certificate { why: "suite-not-asked-for" });
            }
            let hints: Vec<Certificate> = key.issuers.drain(..).chain(bag.iter().cloned()).collect();
            let chains: Result<Vec<_>, _> =
                key.certificates.iter().map(|one| self.chain(one, &hints)).collect();
            let slot = ring.slot(suite, Purpose::Encrypt, Level::Mailbox);
            let state = EntryState::Retired;
            found.push((suite, ImportedKey { slot, pkcs8: key.pkcs8, chains: chains?, state }));
        }
        for one in lacking {
            let holds = |certificate: &Certificate| {
                let mut leaves =
                    found.iter().flat_map(|(_, key)| key.chains.iter().filter_map(|chain| chain.first()));
                leaves.any(|leaf| leaf == certificate)
            };
            let missing = TransferError::ActiveMissing { suite: one.suite };
            if one.certificate.as_ref().is_some_and(|certificate| !holds(certificate)) {
                return Err(missing);
            }
            // The oldest come first: the last key is the one in use.
            let last = found.iter_mut().rev().find(|(suite, _)| *suite == one.suite);
            let (_, key) = last.ok_or(missing.clone())?;
            let newest = key.chains.last().and_then(|chain| chain.first());
            if newest.is_none_or(|leaf| now > leaf.not_after()) {
                return Err(missing);
            }
            key.state = EntryState::Active;
        }
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// The way of one certificate to the anchors, without the anchor. Dates are not looked at: former keys open
    /// the mail of their time.
    fn chain(&self, leaf: &Certificate, bag: &[Certificate]) -> Result<Vec<Certificate>, TransferError> {
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
