//! Verification of signed messages: one honest report per signer.
//!
//! ```
//! use aecm_core::{certificate::Certificate, path::Anchors, time::Time};
//! use aecm_smime::verify::{Policy, Verdict, Verifier};
//!
//! let message = include_bytes!("../tests/vectors/signed/bc172-sm2.der");
//! let root = Certificate::from_pem(include_str!("../tests/vectors/keys/sm2-ca.crt"))?;
//! let (anchors, policy) = (Anchors::new(vec![root]), Policy::modern());
//! let alice = "alice@example.test".parse()?;
//! let now = Time::from_rfc3339("2026-12-01T00:00:00Z");
//!
//! let report = Verifier::new(&anchors, &policy).at(now).email(&alice).verify(message, None)?;
//! assert_eq!(report.verdict, Verdict::Valid);
//!
//! let mallory = "mallory@example.test".parse()?;
//! let report = Verifier::new(&anchors, &policy).at(now).email(&mallory).verify(message, None)?;
//! assert_eq!(report.verdict, Verdict::IdentityMismatch);
//! assert_eq!(report.all_reasons()[0].word(), "from-does-not-match");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod policy;
mod reason;
mod report;
mod signature;
mod signer;
mod stamps;
mod summary;
mod time;
mod trust;

pub use self::{
    policy::{Policy, SignerPolicy, TimestampRule},
    reason::Reason,
    report::{
        CheckResult, Checks, Missing, RevocationCheck, SignedReport, SignerReport, TimeReport, Verdict,
    },
    time::{TimestampTrust, TokenFinding, TokenVerifier},
};

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::path::{Anchors, PathPurpose, PolicySettings, Revocation};
use aecm_core::time::Time;

use crate::cms::SignedData;
use crate::error::Error;
use crate::tolerance::note;
use signature::Budget;
use signer::Spent;
use stamps::Stamps;

/// Verifies SignedData. It only borrows: make one per message.
pub struct Verifier<'a> {
    anchors: &'a Anchors,
    policy: &'a Policy,
    at: Option<Time>,
    extra: Vec<Certificate>,
    email: Option<Mailbox>,
    timestamps: Option<&'a dyn TokenVerifier>,
    content_type: Option<ObjectIdentifier>,
    purpose: PathPurpose,
    policies: PolicySettings,
    revocation: Revocation,
}

impl<'a> Verifier<'a> {
    /// A verifier that trusts `anchors` and judges by `policy`, without a time: validity dates are then not
    /// looked at, so give one with [`Verifier::at`].
    #[must_use]
    pub fn new(anchors: &'a Anchors, policy: &'a Policy) -> Self {
        Self {
            anchors,
            policy,
            at: None,
            extra: Vec::new(),
            email: None,
            timestamps: None,
            content_type: None,
            purpose: PathPurpose::SignMail,
            policies: PolicySettings::default(),
            revocation: Revocation::default(),
        }
    }

    /// When the certificates have to be valid, unless a timestamp proves an earlier time. `None` skips dates.
    #[must_use]
    pub fn at(mut self, at: impl Into<Option<Time>>) -> Self {
        self.at = at.into();
        self
    }

    /// More certificates to find signers and build paths with, untrusted like those of the message.
    #[must_use]
    pub fn intermediates(mut self, certificates: &[Certificate]) -> Self {
        self.extra.extend_from_slice(certificates);
        self
    }

    /// The mailbox that should have signed: the From of the mail (THREATS M1).
    #[must_use]
    pub fn email(mut self, mailbox: &Mailbox) -> Self {
        self.email = Some(mailbox.clone());
        self
    }

    /// Who verifies timestamp tokens. Without, no time is proven.
    #[must_use]
    pub fn timestamps(mut self, verifier: &'a dyn TokenVerifier) -> Self {
        self.timestamps = Some(verifier);
        self
    }

    /// The only eContentType to accept (THREATS S1), instead of `data` in both forms.
    #[must_use]
    pub fn content_type(mut self, oid: ObjectIdentifier) -> Self {
        self.content_type = Some(oid);
        self
    }

    /// What the signer's certificate must be for, instead of [`PathPurpose::SignMail`].
    #[must_use]
    pub fn purpose(mut self, purpose: PathPurpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// The certificate policies that the path has to be valid for (RFC 5280 §6.1.1), instead of any.
    #[must_use]
    pub fn path_policies(mut self, policies: PolicySettings) -> Self {
        self.policies = policies;
        self
    }

    /// CRLs and OCSP responses about the signers' certificates and those above. Where
    /// [`Revocation::now`] is not set, they have to be fresh at the time of [`Verifier::at`], so that what a
    /// timestamp proves to be older than a revocation is judged by today's evidence.
    #[must_use]
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// Verifies a ContentInfo that holds SignedData, in BER or DER. `detached` is the content, octet for octet,
    /// of a signature that does not carry it.
    ///
    /// # Errors
    /// What could not be evaluated: [`Error::Tlv`], [`Error::Structure`], [`Error::Limit`],
    /// [`Error::ContentType`] for what is no SignedData, [`Error::DetachedContentMissing`] and
    /// [`Error::TwoContents`] where content is missing or there are two that differ (THREATS S12). What was
    /// evaluated and not trusted is a report.
    pub fn verify(&self, cms: &[u8], detached: Option<&[u8]>) -> Result<SignedReport, Error> {
        let signed = SignedData::parse(cms, &self.policy.limits)?;
        self.verify_signed(&signed, detached)
    }

    /// As [`Verifier::verify`], for what was already read.
    ///
    /// # Errors
    /// [`Error::DetachedContentMissing`], [`Error::TwoContents`], [`Error::Limit`].
    pub fn verify_signed(
        &self,
        signed: &SignedData<'_>,
        detached: Option<&[u8]>,
    ) -> Result<SignedReport, Error> {
        let limit = self.policy.limits.message_bytes;
        if detached.is_some_and(|content| content.len() > limit) {
            return Err(Error::Limit { what: "octets of a message", limit });
        }
        let embedded = signed.content();
        let content = match (embedded.as_deref(), detached) {
            (Some(embedded), Some(detached)) if embedded != detached => return Err(Error::TwoContents),
            (Some(content), _) | (None, Some(content)) => content,
            (None, None) if signed.signers().is_empty() => &[][..],
            (None, None) => return Err(Error::DetachedContentMissing),
        };
        let has_content = embedded.is_some() || detached.is_some();
        let certificates = signed.certificates();
        let bag: Vec<Certificate> = certificates.into_iter().chain(self.extra.iter().cloned()).collect();
        let mut spent = Spent {
            budget: Budget(self.policy.limits.signature_checks),
            stamps: Stamps::new(self.timestamps),
            missing: Vec::new(),
            paths: aecm_core::path::Budget::new(&self.policy.limits),
            digests: Vec::new(),
        };
        let mut found = Vec::new();
        for info in signed.signers() {
            found.push(self.signer(signed, info, content, &bag, &mut spent));
        }
        let counted: Vec<_> = found
            .iter()
            .map(|(report, claims_mailbox)| summary::Counted { report, claims_mailbox: *claims_mailbox })
            .collect();
        let (verdict, reason) = summary::of_message(&counted, self.policy, self.email.is_some());
        let signers: Vec<SignerReport> = found.into_iter().map(|(report, _)| report).collect();
        let mut tolerances = signed.tolerances().to_vec();
        for tolerance in signers.iter().flat_map(|signer| &signer.tolerances) {
            note(&mut tolerances, *tolerance);
        }
        let content_sha256 = has_content.then(|| spent.sha256(content));
        let vouched = signers.iter().any(|signer| signer.checks.cryptographically_valid())
            && !(verdict == Verdict::Invalid
                && signers.iter().any(|signer| signer.checks.cryptographic_failure()));
        Ok(SignedReport {
            verdict,
            form: signed.form(),
            content_type: signed.content_type(),
            signers,
            content_sha256,
            content: embedded.filter(|_| vouched).map(std::borrow::Cow::into_owned),
            tolerances,
            reasons: reason.into_iter().collect(),
            missing: spent.missing,
        })
    }
}

impl fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("at", &self.at)
            .field("email", &self.email)
            .field("policies", &self.policies)
            .field("policy", &self.policy)
            .field("timestamps", &self.timestamps.is_some())
            .finish_non_exhaustive()
    }
}
