//! Who signed a token, and on what ground that signer is believed (A10, A11, THREATS T3–T5).

use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::path::{Anchors, PathPurpose, PathReason};
use aecm_core::time::Time;
use aecm_smime::Tolerance;
use aecm_smime::cms::{SignedData, SignerInfo};
use aecm_smime::verify::{
    CheckResult, Policy, Reason, RevocationCheck, SignerReport, TimestampRule, TimestampTrust,
    Verifier as CmsVerifier,
};

use super::token::Refusal;
use super::{NO_TSA_ANCHOR, TimestampPolicy};

/// A10: a mailbox's certificate where an authority's is wanted.
const MAILBOX: &str = "timestamp-mailbox-certificate";

/// The signer of a token.
pub(super) struct Signer {
    pub(super) certificate: Certificate,
    pub(super) chain: Vec<Certificate>,
    pub(super) trust: TimestampTrust,
    pub(super) revocation: RevocationCheck,
    pub(super) tolerances: Vec<Tolerance>,
}

/// What one set of roots says about the signer.
struct Answer {
    certificate: Certificate,
    chain: Vec<Certificate>,
    revocation: RevocationCheck,
    tolerances: Vec<Tolerance>,
}

impl Answer {
    fn trusted(self, trust: TimestampTrust) -> Signer {
        let Self { certificate, chain, revocation, tolerances } = self;
        Signer { certificate, chain, trust, revocation, tolerances }
    }
}

/// Why there is no signer to believe.
enum Failure {
    /// The token itself is wrong, whatever is trusted.
    Wrong(Refusal),
    /// No path to these anchors at that time, or not for this purpose. `no_path` where nothing leads there.
    Untrusted { refusal: Refusal, no_path: bool },
}

/// Verifies the signature and finds the ground on which its signer is believed.
pub(super) fn identify(
    signed: &SignedData<'_>,
    info: &SignerInfo<'_>,
    gen_time: Time,
    policy: &TimestampPolicy,
) -> Result<Signer, Refusal> {
    names_its_certificate(info, gen_time, policy)?;
    let question = Question { signed, gen_time, policy };
    let tsa = question.ask(&policy.tsa_anchors, Role::Authority);
    let as_authority = match tsa {
        Err(Failure::Wrong(refusal)) => return Err(refusal),
        // A10: whoever is named as a mailbox is no authority, whatever root stands above.
        Ok(answer) if answer.certificate.has_san_mailbox() => Failure::Untrusted {
            refusal: Refusal::new(
                MAILBOX,
                "the signer's certificate names a mailbox; that is no time-stamping authority",
            ),
            no_path: false,
        },
        Ok(answer) => {
            within_window(&answer.chain, gen_time, policy)?;
            return Ok(answer.trusted(TimestampTrust::Tsa));
        }
        Err(failure) => failure,
    };
    let as_mailbox = match question.ask(&policy.mailbox_anchors, Role::Mailbox) {
        Err(Failure::Wrong(refusal)) => return Err(refusal),
        Ok(answer) => {
            let trust = if is_bound(&answer.certificate, &answer.chain, policy) {
                TimestampTrust::MailboxBoundTsu
            } else {
                TimestampTrust::SelfAsserted
            };
            return Ok(answer.trusted(trust));
        }
        Err(failure) => failure,
    };
    match (as_authority, as_mailbox) {
        // What is wrong under a mailbox root says more than that no authority's root is above.
        (Failure::Untrusted { no_path: true, .. }, Failure::Untrusted { refusal, no_path: false }) => {
            Err(refusal)
        }
        (Failure::Untrusted { .. }, _) if policy.tsa_anchors.certificates().is_empty() => {
            Err(Refusal::untrusted(
                NO_TSA_ANCHOR,
                "no roots of time-stamping authorities were given, so the timestamp was not evaluated",
            ))
        }
        (Failure::Untrusted { refusal, no_path }, _) => Err(Refusal { untrusted: no_path, ..refusal }),
        (Failure::Wrong(refusal), _) => Err(refusal),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Authority,
    Mailbox,
}

struct Question<'a> {
    signed: &'a SignedData<'a>,
    gen_time: Time,
    policy: &'a TimestampPolicy,
}

impl Question<'_> {
    /// The signer and its chain, judged at genTime (T5); the leaf is the certificate that SignerIdentifier names
    /// and whose key verifies (T4).
    fn ask(&self, anchors: &Anchors, role: Role) -> Result<Answer, Failure> {
        let purpose = match role {
            Role::Authority if self.policy.accept_non_critical_eku => PathPurpose::Any,
            Role::Authority => PathPurpose::TimestampAuthority,
            Role::Mailbox => PathPurpose::MailboxTimestamp,
        };
        let mut cms = Policy::modern();
        cms.limits = self.policy.limits.clone();
        cms.signed_attributes_required = true;
        cms.timestamps = TimestampRule::Report;
        cms.sha1 = self.policy.sha1;
        cms.rsa_bits_min = self.policy.rsa_bits_min;
        let mut revocation = self.policy.revocation.clone();
        revocation.now = revocation.now.or(self.policy.now);
        revocation.stamper = true;
        let report = CmsVerifier::new(anchors, &cms)
            .at(self.gen_time)
            .content_type(oid::TST_INFO)
            .purpose(purpose)
            .intermediates(&self.policy.intermediates)
            .path_policies(self.policy.policies.clone())
            .revocation(revocation)
            .verify_signed(self.signed, None)
            .map_err(|error| Failure::Wrong(Refusal::new("timestamp-malformed", error.to_string())))?;
        let [signer] = report.signers.as_slice() else {
            return Err(Failure::Wrong(Refusal::new(
                "timestamp-signer-count",
                "the token has not one signer",
            )));
        };
        mathematics(signer)?;
        let Some(certificate) = signer.certificate.clone() else {
            return Err(Failure::Wrong(refusal_of(&Reason::SignerCertificateMissing)));
        };
        // The purpose first: it is wrong whatever root is above.
        usage(&certificate, role == Role::Authority && !self.policy.accept_non_critical_eku)?;
        if signer.checks.chain == CheckResult::Valid && signer.checks.usage == CheckResult::Valid {
            issuers_allow(&signer.chain)?;
            let mut tolerances = self.signed.tolerances().to_vec();
            tolerances.extend(&signer.tolerances);
            return Ok(Answer {
                certificate,
                chain: signer.chain.clone(),
                revocation: signer.checks.revocation,
                tolerances,
            });
        }
        let reason = signer.reasons.iter().find(|reason| is_about_trust(reason));
        // Roots that share no more than a name with the token's are no path either.
        let strange = |reason: &PathReason| {
            matches!(reason, PathReason::NoPathToAnchor | PathReason::BadSignature | PathReason::MixedSuites)
        };
        let no_path = match reason {
            Some(Reason::Chain(reason)) => strange(reason),
            Some(Reason::NoAnchorsGiven) => true,
            _ => false,
        };
        Err(Failure::Untrusted { refusal: reason.map_or_else(unexplained, refusal_of), no_path })
    }
}

/// Signature, digest, signed attributes and algorithms: the same under every root.
fn mathematics(signer: &SignerReport) -> Result<(), Failure> {
    if signer.checks.cryptographically_valid() && signer.checks.policy == CheckResult::Valid {
        return Ok(());
    }
    let reason = signer.reasons.iter().find(|reason| !is_about_trust(reason));
    let refusal = reason.map_or_else(unexplained, refusal_of);
    // Without the certificate nothing was found wrong: whoever has it can tell.
    Err(Failure::Wrong(Refusal { untrusted: reason == Some(&Reason::SignerCertificateMissing), ..refusal }))
}

const fn is_about_trust(reason: &Reason) -> bool {
    matches!(reason, Reason::Chain(_) | Reason::UsageNotAllowed | Reason::NoAnchorsGiven)
}

fn unexplained() -> Refusal {
    Refusal::new("timestamp-signer", "the signer of the token could not be verified")
}

/// timeStamping and no other purpose, in a critical extension unless A11 is switched on; a key that signs.
fn usage(certificate: &Certificate, critical: bool) -> Result<(), Failure> {
    let wrong = |detail: &str| {
        let refusal = Refusal::new("timestamp-usage-not-allowed", detail);
        Err(Failure::Untrusted { refusal, no_path: false })
    };
    let Some(extended) = certificate.extended_key_usage() else {
        return wrong("the signer's certificate has no extended key usage");
    };
    if !extended.is_only(&oid::TIME_STAMPING) {
        return wrong("the signer's extended key usage is not timeStamping alone");
    }
    if critical && !extended.critical {
        return wrong("the signer's extended key usage is not critical");
    }
    if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return wrong("the signer's certificate is that of a CA");
    }
    let signs =
        certificate.key_usage().is_none_or(|usage| usage.digital_signature() || usage.non_repudiation());
    if !signs {
        return wrong("the signer's key usage has neither digitalSignature nor nonRepudiation");
    }
    Ok(())
}

/// extKeyUsage of a CA binds what it issues. With A11 switched on the path is looked for without a purpose, so that
/// this is to be checked here.
fn issuers_allow(chain: &[Certificate]) -> Result<(), Failure> {
    let forbids = |issuer: &Certificate| {
        issuer
            .extended_key_usage()
            .is_some_and(|usage| !usage.has(&oid::TIME_STAMPING) && !usage.has(&oid::ANY_EXTENDED_KEY_USAGE))
    };
    match chain.iter().skip(1).find(|issuer| forbids(issuer)) {
        None => Ok(()),
        Some(issuer) => {
            let detail =
                format!("the CA {} may not issue certificates for timestamps", issuer.subject_text());
            let refusal = Refusal::new("timestamp-usage-not-allowed", detail);
            Err(Failure::Untrusted { refusal, no_path: false })
        }
    }
}

/// T3: a token names its certificate under its signature, so that no other one with the same key stands for it.
/// Whether it names the right one is for the signer's checks.
fn names_its_certificate(
    info: &SignerInfo<'_>,
    gen_time: Time,
    policy: &TimestampPolicy,
) -> Result<(), Refusal> {
    if info.attribute(&oid::SIGNING_CERTIFICATE_V2).is_some() {
        return Ok(());
    }
    if info.attribute(&oid::SIGNING_CERTIFICATE).is_none() {
        let detail = "the token does not name its certificate (signingCertificateV2)";
        return Err(Refusal::new("timestamp-signing-certificate-missing", detail));
    }
    if gen_time < policy.sha1_certificate_id_before {
        return Ok(());
    }
    let detail = "the token names its certificate by SHA-1, which only old tokens may";
    Err(Refusal::new("timestamp-signing-certificate-weak", detail))
}

/// T5: the anchor has to be believed at genTime.
fn within_window(chain: &[Certificate], gen_time: Time, policy: &TimestampPolicy) -> Result<(), Refusal> {
    let Some(anchor) = chain.last().map(Certificate::sha256) else { return Err(unexplained()) };
    let mut named = policy.windows.iter().filter(|window| window.anchor == anchor).peekable();
    if named.peek().is_none() {
        return Ok(());
    }
    let inside = named.any(|window| {
        window.from.is_none_or(|from| from <= gen_time) && window.until.is_none_or(|until| gen_time <= until)
    });
    if inside {
        Ok(())
    } else {
        let detail = format!("the root is not believed for {gen_time}");
        Err(Refusal::untrusted("timestamp-outside-trust-window", detail))
    }
}

/// A10: issuer key and certificate policy, both named by the policy.
fn is_bound(certificate: &Certificate, chain: &[Certificate], policy: &TimestampPolicy) -> bool {
    let Some(issuer) = chain.get(1) else { return false };
    let critical = certificate.extended_key_usage().is_some_and(|usage| usage.critical);
    critical
        && policy.mailbox_bound.iter().any(|bound| {
            bound.issuer_spki == issuer.spki_der() && certificate.policy_oids().contains(&bound.policy)
        })
}

/// The words of the CMS verifier as words about timestamps.
fn refusal_of(reason: &Reason) -> Refusal {
    let word = match reason {
        Reason::SignatureMismatch => "timestamp-signature-mismatch",
        Reason::DigestMismatch => "timestamp-digest-mismatch",
        Reason::SignerCertificateMissing => "timestamp-signer-certificate-missing",
        Reason::SigningCertificateMismatch => "timestamp-signing-certificate-mismatch",
        Reason::UnsupportedSignatureAlgorithm | Reason::UnsupportedDigest => {
            "timestamp-unsupported-algorithm"
        }
        Reason::AlgorithmMismatch | Reason::DigestParameters | Reason::DigestAlgorithmUndeclared => {
            "timestamp-algorithm-mismatch"
        }
        Reason::WeakDigest | Reason::WeakKey => "timestamp-weak-algorithm",
        Reason::UnexpectedContentType => "timestamp-content-type",
        Reason::ContentTypeMissing
        | Reason::ContentTypeRepeated
        | Reason::ContentTypeMalformed
        | Reason::ContentTypeMismatch => "timestamp-content-type-attribute",
        Reason::MessageDigestMissing | Reason::MessageDigestRepeated | Reason::MessageDigestMalformed => {
            "timestamp-message-digest-attribute"
        }
        Reason::SignedAttributesRequired | Reason::SignedAttributesEmpty => {
            "timestamp-signed-attributes-missing"
        }
        Reason::UsageNotAllowed
        | Reason::Chain(
            PathReason::KeyUsage | PathReason::ExtendedKeyUsage | PathReason::ExtendedKeyUsageNotSole,
        ) => "timestamp-usage-not-allowed",
        Reason::Chain(PathReason::MailboxInAuthority) => MAILBOX,
        Reason::NoAnchorsGiven | Reason::Chain(PathReason::NoPathToAnchor) => "timestamp-no-path-to-anchor",
        Reason::Chain(PathReason::Expired { .. }) => "timestamp-expired",
        Reason::Chain(PathReason::NotYetValid { .. }) => "timestamp-not-yet-valid",
        Reason::Chain(PathReason::Revoked { .. }) => "timestamp-revoked",
        Reason::Chain(_) => "timestamp-chain",
        _ => "timestamp-attributes",
    };
    Refusal::new(word, format!("the timestamp's signer: {reason}"))
}
