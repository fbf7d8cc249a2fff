//! The keys of a mailbox as this device sees them, read once: which is in use for what.

use std::collections::BTreeMap;

use aecm_core::certificate::Certificate;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::{DeviceId, Entry, EntryState, Slot};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::record::{self, hex};

/// What this store remembers of a revocation. The key stays: an encrypting one still opens old mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// When, in Unix seconds.
    pub(crate) at: i64,
    /// The CRLReason code (RFC 5280 §5.3.1).
    pub(crate) reason: u8,
    /// Whether another device did it, and this one learnt it from the service.
    #[serde(default)]
    pub(crate) learnt: bool,
}

/// By the SHA-256 of the certificate, in hexadecimal.
pub(crate) type Marks = BTreeMap<String, Mark>;

/// The keys of a mailbox, read once.
#[derive(Debug)]
pub(crate) struct Keyring {
    pub(crate) device: DeviceId,
    /// In the order they were made.
    pub(crate) entries: Vec<Entry>,
    pub(crate) marks: Marks,
    /// When it was read.
    now: Time,
}

impl Mailbox {
    pub(crate) async fn keyring(&self) -> Result<Keyring, Error> {
        Ok(Keyring {
            device: self.aecm().store().device().await?,
            entries: self.entries().await?,
            marks: self.marks().await?,
            now: self.aecm().clock().now(),
        })
    }

    pub(crate) async fn marks(&self) -> Result<Marks, Error> {
        Ok(record::load(self.aecm().store().as_ref(), &marks_name(self)).await?.unwrap_or_default())
    }

    /// Notes that certificates are revoked.
    pub(crate) async fn mark(&self, certificates: &[Certificate], mark: &Mark) -> Result<(), Error> {
        let note = |marks: &mut Marks| {
            for certificate in certificates {
                marks.entry(hex(&certificate.sha256())).or_insert_with(|| mark.clone());
            }
        };
        self.change(&marks_name(self), note).await
    }
}

fn marks_name(mailbox: &Mailbox) -> String {
    format!("aecm-revoked:{}", mailbox.address())
}

impl Keyring {
    pub(crate) fn is_revoked(&self, certificate: &Certificate) -> bool {
        self.marks.contains_key(&hex(&certificate.sha256()))
    }

    /// The slot of this device for that kind of certificate.
    pub(crate) fn slot(&self, suite: Suite, purpose: Purpose, level: Level) -> Slot {
        Slot::new(suite, purpose, level, &self.device)
    }

    /// The active entry of a slot, whatever has become of its certificate. Where a store has several, that with the
    /// newest certificate that can be used; the order in which keys came into the store says nothing.
    pub(crate) fn active_in(&self, slot: &Slot) -> Option<&Entry> {
        let active = |entry: &&Entry| entry.state == EntryState::Active && entry.slot.same_place(slot);
        self.entries.iter().filter(active).max_by_key(|entry| {
            let certificate = entry.certificate.as_ref();
            let stands = certificate.is_some_and(|one| !self.is_revoked(one));
            let valid = stands && certificate.is_some_and(|one| one.is_valid_at(self.now));
            (valid, stands, certificate.map(Certificate::not_before))
        })
    }

    /// The entry in use of a slot: active, and not revoked.
    pub(crate) fn in_slot(&self, slot: &Slot) -> Option<&Entry> {
        self.active_in(slot).filter(|entry| self.is_usable(entry))
    }

    fn is_usable(&self, entry: &Entry) -> bool {
        entry.certificate.as_ref().is_some_and(|certificate| !self.is_revoked(certificate))
    }

    /// The key in use for a purpose; this device's where each device has its own, of the lowest level that there
    /// is: more than the address is shown only when the owner chose so.
    pub(crate) fn active(&self, suite: Suite, purpose: Purpose) -> Option<&Entry> {
        Level::ALL.into_iter().find_map(|level| self.in_slot(&self.slot(suite, purpose, level)))
    }

    /// Whether the only keys for a purpose are those of revoked certificates.
    pub(crate) fn is_revoked_only(&self, suite: Suite, purpose: Purpose) -> bool {
        let slots = Level::ALL.into_iter().map(|level| self.slot(suite, purpose, level));
        let mut active = slots.filter_map(|slot| self.active_in(&slot)).peekable();
        active.peek().is_some() && active.all(|entry| !self.is_usable(entry))
    }

    /// Whether a slot has a certificate that has not run out.
    pub(crate) fn holds(&self, slot: &Slot, now: Time) -> bool {
        let certificate = self.in_slot(slot).and_then(|entry| entry.certificate.as_ref());
        certificate.is_some_and(|certificate| now <= certificate.not_after())
    }

    /// The encrypting keys of a suite that have or had a certificate and are not tombstones, the oldest first.
    pub(crate) fn encrypting(&self, suite: Suite) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| {
            entry.slot.purpose == Purpose::Encrypt
                && entry.slot.suite == suite
                && entry.state != EntryState::Removed
                && entry.certificate.is_some()
        })
    }
}
