//! The signatures on requests and packages: who asks, who gives, and for which request.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::PathPurpose;
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, write};
use aecm_smime::cms::SignedData;
use aecm_smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_smime::verify::{Policy, SignedReport, Verdict, Verifier};

use super::TransferError;
use crate::error::Error;
use crate::escrow::is_of_escrow;
use crate::mailbox::Mailbox;

/// The octets of a CMS object that are looked at.
pub(super) const MAX_OCTETS: usize = aecm_acme::wire::PACKAGE_BYTES;

/// What was signed, and by whom.
pub(super) struct Signed {
    pub(super) content: Vec<u8>,
    pub(super) signer: Certificate,
    /// The certificates beside it: untrusted hints.
    pub(super) bag: Vec<Certificate>,
}

/// Signs `content` with the certificates `along` beside it; `answers` is the request that a package is for.
///
/// ```text
/// aecm-transfer ATTRIBUTE ::= { WITH SYNTAX OCTET STRING ID 2.25.2741368305 }   -- SHA-256 of the request
/// ```
pub(super) async fn signed(
    content: &[u8],
    content_type: ObjectIdentifier,
    identity: &SigningIdentity,
    along: Vec<Certificate>,
    answers: Option<&[u8]>,
    now: Time,
) -> Result<Vec<u8>, Error> {
    let mut attributes = SignerAttributes { signing_time: Some(now), ..SignerAttributes::default() };
    if let Some(request) = answers {
        let digest = DigestAlgorithm::Sha256.digest(request);
        attributes.extra.push((oid::AECM_TRANSFER, vec![write::octet_string(&digest)]));
    }
    let message = SignedMessage::new(content)
        .content_type(content_type)
        .single_usage(true)
        .attributes(attributes)
        .certificates(along);
    let cms = sign(message, &[identity]).await?.to_der();
    if cms.len() > MAX_OCTETS {
        return Err(TransferError::TooLarge { limit: MAX_OCTETS }.into());
    }
    Ok(cms)
}

impl Mailbox {
    /// Verifies what a device of this mailbox signed: by one signer, whose certificate leads to the S/MIME anchors,
    /// names the mailbox and is for signing mail.
    pub(super) fn signed_by_device(
        &self,
        cms: &[u8],
        content_type: ObjectIdentifier,
        now: Time,
    ) -> Result<Signed, TransferError> {
        let (policy, trust) = (self.strict(), self.aecm().trust());
        let verifier =
            Verifier::new(&trust.smime, &policy).at(now).email(self.address()).content_type(content_type);
        read(cms, &verifier, &policy.limits)
    }

    /// Verifies what the escrow signed: its signing certificate has the names of `escrow`, its encryption
    /// certificate, is an escrow's by policy, and leads to the S/MIME anchors too.
    pub(super) fn signed_by_escrow(
        &self,
        cms: &[u8],
        content_type: ObjectIdentifier,
        escrow: &Certificate,
        now: Time,
    ) -> Result<Signed, TransferError> {
        let (policy, trust) = (self.strict(), self.aecm().trust());
        let verifier =
            Verifier::new(&trust.smime, &policy).at(now).purpose(PathPurpose::Any).content_type(content_type);
        let signed = read(cms, &verifier, &policy.limits)?;
        let signer = &signed.signer;
        let twin = signer.issuer_der() == escrow.issuer_der() && signer.subject_der() == escrow.subject_der();
        let signs = signer.key_usage().is_some_and(|usage| usage.digital_signature());
        if twin && signs && is_of_escrow(signer) {
            Ok(signed)
        } else {
            Err(TransferError::Signer { reasons: "not-the-escrow".to_owned() })
        }
    }

    /// Today's rules without what an owner relaxed for old mail.
    fn strict(&self) -> Policy {
        let mut policy = Policy::modern();
        policy.limits = self.aecm().trust().policy.limits.clone();
        policy.signed_attributes_required = true;
        policy
    }
}

fn read(cms: &[u8], verifier: &Verifier<'_>, limits: &Limits) -> Result<Signed, TransferError> {
    if cms.len() > MAX_OCTETS {
        return Err(TransferError::TooLarge { limit: MAX_OCTETS });
    }
    let malformed = TransferError::Malformed { what: "it is not SignedData with its content" };
    let message = SignedData::parse(cms, limits).map_err(|_| malformed.clone())?;
    let report = verifier.verify_signed(&message, None).map_err(|_| malformed.clone())?;
    let signer = match report.signers.as_slice() {
        [one] if report.verdict == Verdict::Valid => one.certificate.clone(),
        _ => return Err(TransferError::Signer { reasons: reasons(&report) }),
    };
    let content = report.content.ok_or_else(|| malformed.clone())?;
    Ok(Signed { content, signer: signer.ok_or(malformed)?, bag: message.certificates() })
}

fn reasons(report: &SignedReport) -> String {
    let words: Vec<&str> = report.all_reasons().iter().map(|reason| reason.word()).collect();
    if words.is_empty() { report.verdict.word().to_owned() } else { words.join(" ") }
}

/// Whether a package says that it answers `request`.
pub(super) fn answers(cms: &[u8], request: &[u8], limits: &Limits) -> bool {
    let found = || -> Option<bool> {
        let message = SignedData::parse(cms, limits).ok()?;
        let [signer] = message.signers() else { return None };
        let value = signer.attribute(&oid::AECM_TRANSFER)?.single()?;
        let mut reader = Reader::new(value, Rules::Der, limits);
        let digest = reader.octet_string().ok()?;
        reader.finish().ok()?;
        Some(*digest == *DigestAlgorithm::Sha256.digest(request))
    };
    found().unwrap_or(false)
}
