//! What a verification found: never one bool (DESIGN, rule 4).

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;

use crate::cms::Form;
use crate::tolerance::Tolerance;
use crate::verify::reason::Reason;
use crate::verify::time::TimestampTrust;

/// The summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Every mandatory check holds for the signers that count.
    Valid,
    /// A signature, digest, attribute, chain, usage or revocation check does not hold or could not be made.
    Invalid,
    /// The mathematics and the chain hold; the algorithm policy refuses.
    Policy,
    /// Everything holds but that the signer is the sender.
    IdentityMismatch,
    /// There is no signature.
    NotSigned,
    /// Only a part of the mail is signed.
    Partial,
    /// Decrypted without authentication, and no valid signature inside.
    Unauthenticated,
}

impl Verdict {
    /// The stable word, as the command line prints it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Policy => "policy",
            Self::IdentityMismatch => "identity-mismatch",
            Self::NotSigned => "not-signed",
            Self::Partial => "partial",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The outcome of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckResult {
    /// It was made and holds.
    Valid,
    /// It was made and does not hold.
    Invalid,
    /// It was not or could not be made.
    NotEvaluated,
}

impl CheckResult {
    /// The stable word: `valid`, `invalid` or `not-evaluated`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotEvaluated => "not-evaluated",
        }
    }
}

/// What is known about revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevocationCheck {
    /// Not revoked at the time of evaluation, by fresh evidence.
    Good,
    /// Revoked.
    Revoked,
    /// No evidence was evaluated.
    Unknown,
}

impl RevocationCheck {
    /// The stable word: `good`, `revoked` or `unknown`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// The checks of one signer, each on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// The signature value verifies with the certificate's key.
    pub signature: CheckResult,
    /// The content has the digest that was signed.
    pub digest: CheckResult,
    /// The signed attributes obey RFC 5652 §11, RFC 5035 and RFC 6211.
    pub attributes: CheckResult,
    /// The chain leads to an anchor at the proven time, or else at the given one: the whole of RFC 5280 §6, names,
    /// policies and revocation included.
    pub chain: CheckResult,
    /// Key usage and extended key usage of the leaf allow signing mail.
    pub usage: CheckResult,
    /// The leaf names the expected mailbox; not evaluated where none was given.
    pub identity: CheckResult,
    /// Revocation.
    pub revocation: RevocationCheck,
    /// A timestamp proves when the signature existed; not evaluated without a token.
    pub time: CheckResult,
    /// The algorithm policy.
    pub policy: CheckResult,
}

impl Checks {
    /// Nothing evaluated yet.
    pub(crate) const NONE: Self = Self {
        signature: CheckResult::NotEvaluated,
        digest: CheckResult::NotEvaluated,
        attributes: CheckResult::NotEvaluated,
        chain: CheckResult::NotEvaluated,
        usage: CheckResult::NotEvaluated,
        identity: CheckResult::NotEvaluated,
        revocation: RevocationCheck::Unknown,
        time: CheckResult::NotEvaluated,
        policy: CheckResult::NotEvaluated,
    };

    /// Whether the mathematics fail: signature, digest or signed attributes are wrong.
    #[must_use]
    pub fn cryptographic_failure(&self) -> bool {
        [self.signature, self.digest, self.attributes].contains(&CheckResult::Invalid)
    }

    /// Whether the mathematics hold: the content is what the key of the reported certificate signed. That says
    /// nothing about who holds the key.
    #[must_use]
    pub fn cryptographically_valid(&self) -> bool {
        [self.signature, self.digest, self.attributes].iter().all(|check| *check == CheckResult::Valid)
    }
}

/// What is known about when a signer signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeReport {
    /// signingTime: what the signer says.
    pub claimed: Option<Time>,
    /// The earliest time at which an authority that is trusted saw the signature.
    ///
    /// It is what the authority says (genTime); certificates are judged for the latest time that its accuracy leaves open.
    pub proven: Option<Time>,
    /// That authority.
    pub authority: Option<String>,
    /// On what ground it is trusted.
    pub trust: Option<TimestampTrust>,
    /// Times the mailbox's own key says, with its name: shown, never believed.
    pub self_asserted: Vec<(Time, String)>,
}

/// What was found about one signer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignerReport {
    /// The certificate whose key verified the signature (THREATS S6); where none did, the one the message names.
    pub certificate: Option<Certificate>,
    /// The mailboxes of that certificate.
    pub mailboxes: Vec<Mailbox>,
    /// The signature algorithm; `None` where it is not known.
    pub algorithm: Option<SignatureAlgorithm>,
    /// The digest algorithm; `None` where it is not known.
    pub digest: Option<DigestAlgorithm>,
    /// The verdict on this signer alone.
    pub verdict: Verdict,
    /// The single checks.
    pub checks: Checks,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When.
    pub time: TimeReport,
    /// The chain, leaf first, anchor last; empty where none was found.
    pub chain: Vec<Certificate>,
    /// The certificate policies that the chain is valid for (RFC 5280 §6.1.6); anyPolicy stands for itself.
    pub valid_policies: Vec<ObjectIdentifier>,
    /// What was forgiven for this signer.
    pub tolerances: Vec<Tolerance>,
}

/// Evidence that would decide more, and was not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// Revocation of this certificate was not evaluated.
    Revocation {
        /// SHA-256 of the certificate.
        certificate: [u8; 32],
        /// Where it says CRLs are.
        crl_urls: Vec<String>,
        /// Where it says OCSP is answered.
        ocsp_urls: Vec<String>,
    },
    /// The certificate of this issuer, to lead on to an anchor.
    Issuer {
        /// SHA-256 of the certificate whose issuer is missing.
        certificate: [u8; 32],
        /// The issuer's name.
        issuer: String,
        /// Where it says the issuer's certificate is.
        urls: Vec<String>,
    },
    /// The signer's certificate.
    SignerCertificate,
}

/// What was found about a SignedData.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedReport {
    /// The summary, by the policy's [`SignerPolicy`](super::SignerPolicy).
    pub verdict: Verdict,
    /// Which standard's content types the message uses.
    pub form: Form,
    /// eContentType
    pub content_type: ObjectIdentifier,
    /// One report for each SignerInfo, in order.
    pub signers: Vec<SignerReport>,
    /// The content that the message carries, where the mathematics hold for at least one signer and the
    /// summary is not [`Verdict::Invalid`] for a cryptographic failure. `None` where it is detached.
    pub content: Option<Vec<u8>>,
    /// SHA-256 of the content that was judged, carried or detached, whatever came of it; `None` where there is none.
    pub content_sha256: Option<[u8; 32]>,
    /// What was forgiven, in reading and for each signer.
    pub tolerances: Vec<Tolerance>,
    /// Reasons of the message as a whole.
    pub reasons: Vec<Reason>,
    /// Evidence that would decide more.
    pub missing: Vec<Missing>,
}

impl SignedReport {
    /// All reasons, those of the message first, each once.
    #[must_use]
    pub fn all_reasons(&self) -> Vec<Reason> {
        let mut all: Vec<Reason> = Vec::new();
        let each = self.reasons.iter().chain(self.signers.iter().flat_map(|signer| &signer.reasons));
        for reason in each {
            if !all.contains(reason) {
                all.push(reason.clone());
            }
        }
        all
    }
}
