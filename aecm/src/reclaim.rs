//! A certificate that was issued for a key of this store and never arrived: fetched again, not waited for.

use aecm_core::certificate::Certificate;
use aecm_core::directory::{CertificateDirectory as _, Found};
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::suite::Purpose;
use aecm_store::{Entry, EntryState};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::transfer::Lacking;

impl Mailbox {
    /// What is really elsewhere of `lacking`. Where the certificate that the service names is for a key of this
    /// store that awaits one, it is installed: an answer was lost. A key that has a certificate already, and is not
    /// known as this account's, came out of a backup and has to be certified for this account too
    /// ([`Mailbox::certify_held`]).
    pub(crate) async fn reclaim(&self, lacking: Vec<Lacking>) -> Result<Vec<Lacking>, Error> {
        let mut elsewhere = Vec::new();
        for one in lacking {
            if !self.reclaimed(&one).await? {
                elsewhere.push(one);
            }
        }
        Ok(elsewhere)
    }

    async fn reclaimed(&self, one: &Lacking) -> Result<bool, Error> {
        let entries = self.entries().await?;
        let awaits = |entry: &&Entry| {
            entry.slot.purpose == Purpose::Encrypt
                && entry.slot.suite == one.suite
                && entry.state == EntryState::Pending
        };
        let own: Vec<&Entry> = entries.iter().filter(awaits).collect();
        if own.is_empty() {
            return Ok(false);
        }
        for (leaf, above) in self.named(one).await {
            let entry = own.iter().find(|entry| Some(&entry.public_key) == leaf.public_key());
            let Some(entry) = entry else { continue };
            let Some(chain) = self.chain_of_own(&leaf, &above) else { continue };
            self.aecm().store().install(self.address(), &entry.id, chain).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The certificate in use: as the service named it, else those that it lists, where that list is to be had.
    pub(crate) async fn named(&self, one: &Lacking) -> Vec<(Certificate, Vec<Certificate>)> {
        if let Some(certificate) = &one.certificate {
            return vec![(certificate.clone(), one.chain.clone())];
        }
        let found = self.listed_by_service().await.unwrap_or_default();
        found.into_iter().map(|found| (found.certificate, found.chain)).collect()
    }

    /// What the service lists of the mailbox; none where it keeps no list, or gives none that can be read: it is
    /// looked at as a help, and no reason to fail.
    pub(crate) async fn listed_by_service(&self) -> Option<Vec<Found>> {
        let directory = self.service_directory().await.ok()??;
        directory.certificates(self.address()).await.ok()
    }

    /// The way to the anchors, without the anchor, for a certificate of this mailbox to encrypt to that holds now.
    fn chain_of_own(&self, leaf: &Certificate, above: &[Certificate]) -> Option<Vec<Certificate>> {
        if !matches!(leaf.san_mailboxes().as_slice(), [one] if one.matches(self.address())) {
            return None;
        }
        let trust = self.aecm().trust();
        let now = self.aecm().clock().now();
        let options = PathOptions::new(PathPurpose::EncryptMail, Some(now), trust.policy.limits.clone());
        let mut chain = validate(leaf, above, &trust.smime, &options).ok()?.chain;
        if chain.len() > 1 {
            chain.pop();
        }
        Some(chain)
    }
}
