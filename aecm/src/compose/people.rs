//! The recipients and what can be sent to them.

use aecm_core::directory::Found;
use aecm_core::mailbox::Mailbox as Address;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::time::Time;
use aecm_smime::choose::Correspondent;

use super::Compose;
use crate::error::Error;
use crate::mailbox::Mailbox;

impl Compose<'_> {
    /// Every recipient with the encryption certificates that hold for it now. A certificate from the directory
    /// is a candidate only: it has to name the mailbox and to lead to an anchor (THREATS K9, S14).
    pub(super) async fn people(&self, now: Time) -> Result<Vec<Correspondent>, Error> {
        let mut people = Vec::new();
        for address in self.addresses()? {
            let mut found = Vec::new();
            if address == *self.mailbox.address() {
                found = self.mailbox.own_encryption_certificates().await?;
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
    pub(crate) async fn correspondent(&self, now: Time) -> Result<Correspondent, Error> {
        let found = self.own_encryption_certificates().await?;
        Ok(self.vetted(self.address().clone(), found, now))
    }
}
