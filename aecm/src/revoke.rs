//! Taking certificates back.

use aecm_acme::client::{ClientError, Revoked};
use aecm_acme::wire::{Event, EventKind, ProblemType, RevocationReason};
use aecm_core::certificate::Certificate;
use aecm_core::public_key::KeyKind;
use aecm_core::suite::Purpose;
use aecm_store::{DeviceId, Entry, EntryState, KeyId, Slot};

use crate::devices::{encrypts, event_name};
use crate::error::Error;
use crate::keyring::Mark;
use crate::mailbox::Mailbox;

/// What is to be revoked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevokeTarget {
    /// The key in use of a slot: every certificate of it that has not run out.
    Slot(Slot),
    /// A key of the store, former ones included: every certificate of it that has not run out.
    Key(KeyId),
    /// This certificate, whoever obtained it.
    Certificate(Box<Certificate>),
}

impl From<Slot> for RevokeTarget {
    fn from(slot: Slot) -> Self {
        Self::Slot(slot)
    }
}

impl From<KeyId> for RevokeTarget {
    fn from(id: KeyId) -> Self {
        Self::Key(id)
    }
}

impl From<Certificate> for RevokeTarget {
    fn from(certificate: Certificate) -> Self {
        Self::Certificate(Box::new(certificate))
    }
}

/// One certificate that is revoked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Revocation {
    /// The certificate.
    pub certificate: Certificate,
    /// Whether it was revoked now or before.
    pub outcome: Revoked,
}

/// What came of revoking a device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevokedDevice {
    /// The device.
    pub device: DeviceId,
    /// Its certificates.
    pub revoked: Vec<Revocation>,
    /// Signing certificates of the mailbox that are neither this device's nor any known device's: look whose they
    /// are, and revoke what is nobody's with [`Mailbox::revoke`].
    pub unattributed: Vec<Certificate>,
}

impl Mailbox {
    /// Revokes certificates (RFC 8555 §7.6). The service takes the word of the account that obtained a certificate,
    /// of any account that has proven the mailbox, and of the certificate's own key, with which it is tried where
    /// the account is not believed and the key is here and RSA or P-256.
    ///
    /// For an encrypting certificate that another account obtained a service may want a fresh proof that the owner
    /// reads the mailbox: one is made then, which costs a challenge mail and a new signing certificate.
    ///
    /// The keys stay in the store: an encrypting key still opens old mail. A slot whose certificate is revoked
    /// counts as empty, and the next [`Mailbox::provision`] fills it with a new key.
    ///
    /// # Errors
    /// [`Error::NothingThere`] where there is nothing to revoke; [`Error::Provision`] when the service refuses.
    /// What was revoked before the error is noted; calling again goes on.
    pub async fn revoke(
        &self,
        target: impl Into<RevokeTarget>,
        reason: RevocationReason,
    ) -> Result<Vec<Revocation>, Error> {
        let ring = self.keyring().await?;
        let nothing = |what: String| Error::NothingThere { mailbox: self.address().clone(), what };
        let (entry, certificates) = match target.into() {
            RevokeTarget::Certificate(certificate) => {
                let key = certificate.public_key().cloned();
                let entry = ring.entries.iter().find(|entry| Some(&entry.public_key) == key.as_ref());
                (entry, vec![*certificate])
            }
            RevokeTarget::Slot(slot) => {
                let entry = ring.active_in(&slot);
                let entry = entry.ok_or_else(|| nothing(format!("certificate in the slot {slot}")))?;
                (Some(entry), self.standing(entry))
            }
            RevokeTarget::Key(id) => {
                let entry = ring.entries.iter().find(|entry| entry.id == id);
                let entry = entry.ok_or_else(|| nothing(format!("key {id}")))?;
                (Some(entry), self.standing(entry))
            }
        };
        if certificates.is_empty() {
            return Err(nothing("certificate that has not run out".to_owned()));
        }
        let mut revoked = Vec::new();
        for certificate in certificates {
            revoked.push(self.revoke_one(certificate, entry, reason).await?);
        }
        Ok(revoked)
    }

    /// Revokes what is known of a device of the owner, as [`Mailbox::devices`] names it: every signing and
    /// timestamping certificate that this store holds of it (of this device) or that it showed when it asked for
    /// keys, and those that the service lists of it.
    ///
    /// The encrypting key is shared: whoever has the lost device can open mail that was encrypted to it. Rekey with
    /// [`RenewPlan::rekey`](crate::RenewPlan::rekey) and revoke the old one.
    ///
    /// # Errors
    /// [`Error::NothingThere`] for a device of which nothing is known; [`Error::Provision`].
    pub async fn revoke_device(
        &self,
        device: &DeviceId,
        reason: RevocationReason,
    ) -> Result<RevokedDevice, Error> {
        let ring = self.keyring().await?;
        let known = self.known_devices().await?;
        let devices = self.listed_devices(&ring).await?;
        let published = self.listed().await;
        let now = self.aecm().clock().now();
        let own_entries: Vec<&Entry> =
            ring.entries.iter().filter(|entry| entry.slot.purpose != Purpose::Encrypt).collect();
        let mut theirs: Vec<Certificate> = Vec::new();
        let mut add = |certificates: &mut dyn Iterator<Item = Certificate>| {
            let standing = certificates.filter(|one| now <= one.not_after() && !encrypts(one));
            for certificate in standing {
                if !theirs.contains(&certificate) {
                    theirs.push(certificate);
                }
            }
        };
        if *device == ring.device {
            for entry in own_entries.iter().filter(|entry| entry.state != EntryState::Removed) {
                add(&mut self.standing(entry).into_iter());
            }
        }
        for listed in devices.iter().flatten().filter(|listed| listed.id == *device) {
            add(&mut listed.certificates.iter().cloned());
        }
        for (_, certificates) in known.iter().filter(|(id, _)| id == device) {
            add(&mut certificates.iter().cloned());
        }
        if devices.is_none() {
            let named = self.named_by_events(device).await?;
            add(&mut published.iter().filter(|one| named.contains(&event_name(one))).cloned());
        }
        if theirs.is_empty() {
            let what = format!("certificate known to be of the device {device}");
            return Err(Error::NothingThere { mailbox: self.address().clone(), what });
        }
        let is_known = |certificate: &Certificate| {
            let own = ring.entries.iter().any(|entry| Some(&entry.public_key) == certificate.public_key());
            own || theirs.contains(certificate)
                || known.iter().any(|(_, certificates)| certificates.contains(certificate))
                || devices.iter().flatten().any(|device| device.certificates.contains(certificate))
        };
        let unattributed = published.iter().filter(|one| !is_known(one)).cloned().collect();
        let mut revoked = Vec::new();
        for certificate in theirs {
            let entry = own_entries.iter().find(|entry| Some(&entry.public_key) == certificate.public_key());
            revoked.push(self.revoke_one(certificate, entry.copied(), reason).await?);
        }
        Ok(RevokedDevice { device: device.clone(), revoked, unattributed })
    }

    async fn revoke_one(
        &self,
        certificate: Certificate,
        entry: Option<&Entry>,
        reason: RevocationReason,
    ) -> Result<Revocation, Error> {
        let client = self.client();
        let mut by_account = client.revoke(&certificate, Some(reason), self.soon()).await;
        if by_account.as_ref().is_err_and(wants_fresh_proof) {
            let _turn = self.turn().await?;
            self.prove_anew().await?;
            by_account = client.revoke(&certificate, Some(reason), self.soon()).await;
        }
        let outcome = match (by_account, entry.filter(|entry| signs_jose(entry))) {
            (Err(error), Some(entry)) if is_unauthorized(&error) => {
                let key = self.aecm().store().signer(self.address(), &entry.id).await?;
                client.revoke_with_key(&certificate, key.as_ref(), Some(reason), self.soon()).await?
            }
            (outcome, _) => outcome?,
        };
        let mark = Mark { at: self.aecm().clock().now().unix(), reason: reason.code(), learnt: false };
        self.mark(core::slice::from_ref(&certificate), &mark).await?;
        Ok(Revocation { certificate, outcome })
    }

    /// The certificates of a key that have not run out.
    fn standing(&self, entry: &Entry) -> Vec<Certificate> {
        let now = self.aecm().clock().now();
        let all = entry.certificate.iter().chain(&entry.former);
        all.filter(|certificate| now <= certificate.not_after()).cloned().collect()
    }

    /// Signing certificates of the mailbox that the directory of certificates lists, where it can be read: what is
    /// known of a device is revoked all the same.
    async fn listed(&self) -> Vec<Certificate> {
        let found = match (self.listed_by_service().await, self.aecm().directory()) {
            (Some(found), _) => found,
            (None, Some(directory)) => directory.certificates(self.address()).await.unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        let signs = |certificate: &Certificate| {
            certificate.key_usage().is_some_and(|usage| usage.digital_signature())
                && certificate.san_mailboxes().iter().any(|named| named.matches(self.address()))
        };
        found.into_iter().map(|found| found.certificate).filter(signs).collect()
    }

    /// Certificates that the service named together with the device.
    async fn named_by_events(&self, device: &DeviceId) -> Result<Vec<String>, Error> {
        // What a device did with a certificate of its own.
        let shows = |event: &Event| {
            matches!(
                event.kind,
                EventKind::DeviceAdded | EventKind::TransferRequested | EventKind::EscrowRecovered
            )
        };
        let events = self.events_if_told().await?;
        Ok(events
            .into_iter()
            .filter(shows)
            .filter(|event| event.device.as_deref() == Some(device.as_str()))
            .filter_map(|event| event.certificate)
            .collect())
    }
}

fn signs_jose(entry: &Entry) -> bool {
    entry.slot.purpose != Purpose::Encrypt
        && entry.state != EntryState::Removed
        && matches!(entry.public_key.kind(), KeyKind::P256 | KeyKind::Rsa { .. })
}

/// Whether the service wants the mailbox proven anew first.
fn wants_fresh_proof(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem(problem) if problem.kind == ProblemType::UserActionRequired)
}

fn is_unauthorized(error: &ClientError) -> bool {
    match error {
        ClientError::NoAccount => true,
        ClientError::Problem(problem) => {
            matches!(problem.kind, ProblemType::Unauthorized | ProblemType::AccountDoesNotExist)
        }
        _ => false,
    }
}
