//! What a device signs to ask for the keys.

use aecm_acme::jws;
use aecm_acme::wire::{TransferRequest as Text, TransferSource};
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid;
use aecm_core::path::{Anchors, PathOptions, PathPurpose, validate};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_store::DeviceId;
use core::time::Duration;

use super::TransferError;
use crate::mailbox::Mailbox;
use crate::record::hex;

/// How long a request may wait for its answer: as long as the service keeps it.
pub(super) const LIFE: Duration = Duration::from_secs(7 * 86_400);
/// How far clocks of devices may be apart.
pub(super) const SKEW: Duration = Duration::from_secs(600);
/// The smallest RSA transport key, in bits.
const MIN_RSA: usize = 3_072;

/// A request that was verified.
pub(super) struct Asked {
    pub(super) device: DeviceId,
    pub(super) key: PublicKey,
    pub(super) suites: Vec<Suite>,
    pub(super) created: Time,
    /// Certificates that the device says are its own, the one that signed first.
    pub(super) certificates: Vec<Certificate>,
}

/// SHA-256 of the SubjectPublicKeyInfo, in hexadecimal: what the user compares.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    hex(&DigestAlgorithm::Sha256.digest(key.spki_der()))
}

impl Mailbox {
    /// Reads and verifies the request of another device.
    pub(super) fn read_request(&self, cms: &[u8], now: Time) -> Result<Asked, TransferError> {
        let signed = self.signed_by_device(cms, oid::DATA, now)?;
        let limits = &self.aecm().trust().policy.limits;
        let text: Text = aecm_acme::wire::parse(&signed.content, limits)
            .map_err(|_| TransferError::Malformed { what: "the request is not the JSON it has to be" })?;
        let differs = |member| Err(TransferError::Request { member });
        if text.version != Text::VERSION {
            return differs("version");
        }
        if text.kind != Text::KIND {
            return differs("kind");
        }
        if text.directory != self.aecm().directory_url() {
            return differs("directory");
        }
        if !text.mailbox.parse().is_ok_and(|named: aecm_core::mailbox::Mailbox| named.matches(self.address()))
        {
            return differs("mailbox");
        }
        if text.source != TransferSource::Device {
            return differs("source");
        }
        if jws::decode(&text.nonce).is_none_or(|nonce| nonce.len() != 16) {
            return differs("nonce");
        }
        let Ok(device) = text.device.parse() else { return differs("device") };
        let suites: Option<Vec<Suite>> = text.suites.iter().map(|word| Suite::from_word(word)).collect();
        let Some(suites) = suites.filter(|suites| !suites.is_empty()) else { return differs("suites") };
        let key = jws::decode(&text.transport_key).and_then(|spki| PublicKey::from_spki_der(&spki).ok());
        let strong =
            |kind| matches!(kind, KeyKind::Sm2) || matches!(kind, KeyKind::Rsa { bits } if bits >= MIN_RSA);
        let Some(key) = key.filter(|key| strong(key.kind())) else { return differs("transportKey") };
        // The key asks under the signature of its own suite.
        if signed.signer.public_key().is_none_or(|signer| signer.suite() != key.suite()) {
            return differs("transportKey");
        }
        if now > text.created.plus(LIFE) || text.created > now.plus(SKEW) {
            return Err(TransferError::Expired);
        }
        let mut certificates = vec![signed.signer.clone()];
        let others = signed.bag.iter().filter(|one| **one != signed.signer);
        certificates.extend(others.filter(|one| self.is_of_mailbox(one, &signed.bag, now)).cloned());
        Ok(Asked { device, key, suites, created: text.created, certificates })
    }

    /// Whether a certificate that lies beside a request is a signing or timestamping one of this mailbox: whoever
    /// relays may lay any beside it, and what is believed here is revoked with the device one day.
    fn is_of_mailbox(&self, certificate: &Certificate, bag: &[Certificate], now: Time) -> bool {
        if !matches!(certificate.san_mailboxes().as_slice(), [one] if one.matches(self.address())) {
            return false;
        }
        let trust = self.aecm().trust();
        let leads = |purpose, anchors: &Anchors| {
            let options = PathOptions::new(purpose, Some(now), trust.policy.limits.clone());
            validate(certificate, bag, anchors, &options).is_ok()
        };
        leads(PathPurpose::SignMail, &trust.smime)
            || leads(PathPurpose::MailboxTimestamp, &trust.mailbox_timestamp)
    }
}
