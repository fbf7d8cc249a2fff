//! What a device signs to ask for the keys, and whether this account may.

use std::time::Duration;

use aecm_acme::jws::decode;
use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_smime::cms::Form;
use aecm_smime::verify::{Policy, Verdict, Verifier};
use serde::Deserialize;

use super::super::AcmeServer;
use super::super::problem::Problem;
use super::super::state::key_name;
use crate::ca::Realm;
use crate::hex::hex;

/// How far the device's clock may be from ours.
const SKEW: Duration = Duration::from_secs(600);
/// The smallest RSA transport key, in bits.
const MIN_RSA: usize = 3_072;
/// The longest name of a device, in octets.
const MAX_DEVICE: usize = 128;

/// A request that was checked.
pub(in crate::acme) struct Asked {
    pub(in crate::acme) mailbox: Mailbox,
    pub(in crate::acme) device: String,
    pub(in crate::acme) transport: PublicKey,
    pub(in crate::acme) fingerprint: String,
    pub(in crate::acme) suites: Vec<Suite>,
    pub(in crate::acme) from_escrow: bool,
    /// SHA-256 of the certificate that signed, in hex.
    pub(in crate::acme) certificate: String,
}

/// The text that is signed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    version: u64,
    kind: String,
    directory: String,
    mailbox: String,
    device: String,
    transport_key: String,
    suites: Vec<String>,
    nonce: String,
    created: String,
    source: String,
}

/// Who signed a CMS object, and what.
pub(in crate::acme) struct Signer {
    pub(in crate::acme) certificate: Certificate,
    pub(in crate::acme) content: Vec<u8>,
}

impl AcmeServer {
    /// Reads and checks a request; whose mailbox it is about is known only from what is signed.
    pub(in crate::acme) fn read_transfer_request(&self, cms: &[u8], account: &str) -> Result<Asked, Problem> {
        let member =
            |name: &str| Problem::malformed(format!("the request's {name} is not what it has to be"));
        let signer = self.verified(cms, oid::DATA)?;
        let text: Text = serde_json::from_slice(&signer.content).map_err(|error| {
            Problem::malformed(format!("the request is not the JSON it has to be: {error}"))
        })?;
        if text.version != 1 {
            return Err(member("version"));
        }
        if text.kind != "transfer-request" {
            return Err(member("kind"));
        }
        if text.directory != self.directory_url() {
            return Err(member("directory"));
        }
        let mailbox: Mailbox = text.mailbox.parse().map_err(|_| member("mailbox"))?;
        if text.device.is_empty()
            || text.device.len() > MAX_DEVICE
            || text.device.chars().any(char::is_control)
        {
            return Err(member("device"));
        }
        if decode(&text.nonce).is_none_or(|nonce| nonce.len() != 16) {
            return Err(member("nonce"));
        }
        let from_escrow = match text.source.as_str() {
            "device" => false,
            "escrow" => true,
            _ => return Err(member("source")),
        };
        let suites: Option<Vec<Suite>> = text.suites.iter().map(|word| Suite::from_word(word)).collect();
        let suites = suites.filter(|suites| (1..=Suite::ALL.len()).contains(&suites.len()));
        let suites = suites.ok_or_else(|| member("suites"))?;
        let transport = decode(&text.transport_key).and_then(|spki| PublicKey::from_spki_der(&spki).ok());
        let transport = transport.ok_or_else(|| member("transportKey"))?;
        let strong = match transport.kind() {
            KeyKind::Sm2 => true,
            KeyKind::Rsa { bits } => bits >= MIN_RSA,
            _ => false,
        };
        let same_suite = signer.certificate.public_key().map(PublicKey::suite) == Some(transport.suite());
        if !strong || !same_suite {
            return Err(member("transportKey"));
        }
        if self.state().certified(&transport) {
            return Err(member("transportKey"));
        }
        let created = Time::from_rfc3339(&text.created).ok_or_else(|| member("created"))?;
        let now = self.now();
        if created > now.plus(SKEW) || now > created.plus(SKEW) {
            return Err(Problem::unauthorized("the request was not created within ten minutes of now"));
        }
        self.by_device(&signer, account, &mailbox)?;
        if self.state().reusable(account, &mailbox, now).is_none() {
            return Err(Problem::unauthorized(format!(
                "this account has no valid authorization for {mailbox}; order a certificate first"
            )));
        }
        Ok(Asked {
            fingerprint: key_name(transport.spki_der()),
            certificate: hex(&signer.certificate.sha256()),
            mailbox,
            device: text.device,
            transport,
            suites,
            from_escrow,
        })
    }

    /// A CMS object with its content, signed once, by a certificate under our S/MIME roots.
    pub(in crate::acme) fn verified(
        &self,
        cms: &[u8],
        content_type: ObjectIdentifier,
    ) -> Result<Signer, Problem> {
        let roots = self.pki.anchors(Realm::Smime).map_err(|error| Problem::internal(error.to_string()))?;
        let anchors = Anchors::new(vec![roots.classic, roots.sm2]);
        let mut policy = Policy::modern();
        policy.signed_attributes_required = true;
        policy.limits = self.limits.clone();
        let report = Verifier::new(&anchors, &policy)
            .at(self.now())
            .content_type(content_type)
            .verify(cms, None)
            .map_err(|error| Problem::malformed(format!("not SignedData with its content: {error}")))?;
        let untrusted = || {
            let reasons: Vec<&str> = report.all_reasons().iter().map(|reason| reason.word()).collect();
            Problem::unauthorized(format!(
                "the signature on the CMS object is not one to rely on: {}",
                if reasons.is_empty() { report.verdict.word().to_owned() } else { reasons.join(", ") }
            ))
        };
        if report.form != Form::Rfc5652 {
            return Err(Problem::malformed("the CMS object has to be of RFC 5652's form"));
        }
        match (report.signers.as_slice(), &report.content) {
            ([one], Some(content)) if report.verdict == Verdict::Valid => {
                let certificate = one.certificate.clone().ok_or_else(untrusted)?;
                Ok(Signer { certificate, content: content.clone() })
            }
            ([_, _, ..], _) => Err(Problem::malformed("the CMS object has more than one signer")),
            _ => Err(untrusted()),
        }
    }

    /// The signer is a device of this account: its certificate was issued here, to the account, for signing mail of
    /// that mailbox, and stands.
    pub(in crate::acme) fn by_device(
        &self,
        signer: &Signer,
        account: &str,
        mailbox: &Mailbox,
    ) -> Result<(), Problem> {
        let now = self.now();
        let state = self.state();
        let standing = state.certificates.values().any(|issued| {
            issued.leaf() == Some(&signer.certificate)
                && issued.account == account
                && issued.profile.purpose == Purpose::Sign
                && issued.mailbox.matches(mailbox)
                && issued.is_active(now)
        });
        if standing {
            return Ok(());
        }
        Err(Problem::unauthorized(format!(
            "the signer's certificate is not a signing certificate of this account for {mailbox} that stands"
        )))
    }
}
