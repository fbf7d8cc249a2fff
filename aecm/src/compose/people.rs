//! The recipients and what can be sent to them.

use aecm_core::directory::Found;
use aecm_core::mailbox::Mailbox as Address;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_smime::choose::Correspondent;
use aecm_store::Entry;

use super::Compose;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;

impl Compose<'_> {
    /// Every recipient with the encryption certificates that hold for it now. A certificate from the directory
    /// is a candidate only: it has to name the mailbox and to lead to an anchor (THREATS K9, S14).
    pub(super) async fn people(&self, ring: &Keyring, now: Time) -> Result<Vec<Correspondent>, Error> {
        let mut people = Vec::new();
        for address in self.addresses()? {
            let mut found = Vec::new();
            if address == *self.mailbox.address() {
                found = own_encryption_certificates(ring);
            } else if let Some(directory) = self.mailbox.aecm().directory() {
                found = directory.certificates(&address).await?;
            }
            people.push(self.mailbox.vetted(address, found, now));
        }
        Ok(people)
    }
}

impl Mailbox {
    /// A correspondent with those of `found` that hold.
    pub(crate) fn vetted(&self, address: Address, found: Vec<Found>, now: Time) -> Correspondent {
        let trust = self.aecm().trust();
        let limits = trust.policy.limits.clone();
        let options = PathOptions::new(PathPurpose::EncryptMail, Some(now), limits);
        let holds = |candidate: &Found| {
            candidate.certificate.mailboxes().iter().any(|named| named.matches(&address))
                && validate(&candidate.certificate, &candidate.chain, &trust.smime, &options).is_ok()
        };
        let usable = found.iter().filter(|candidate| holds(candidate));
        let certificates = usable.map(|candidate| candidate.certificate.clone()).collect();
        Correspondent::new(address, certificates)
    }

    /// The sender as a correspondent, for the own copy.
    pub(crate) fn correspondent(&self, ring: &Keyring, now: Time) -> Correspondent {
        self.vetted(self.address().clone(), own_encryption_certificates(ring), now)
    }
}

/// The mailbox's encryption certificates in use.
fn own_encryption_certificates(ring: &Keyring) -> Vec<Found> {
    let entries = Suite::ALL.into_iter().filter_map(|suite| ring.active(suite, Purpose::Encrypt));
    let found = |entry: &Entry| {
        let chain = entry.chain.clone();
        entry.certificate.clone().map(|certificate| Found { certificate, chain })
    };
    entries.filter_map(found).collect()
}
