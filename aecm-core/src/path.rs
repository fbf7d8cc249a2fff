//! Certification path validation for mail and time-stamping (RFC 5280 §6, RFC 8550 §4, RFC 3161 §2.3).
//!
//! What is checked of every certificate: signature of its issuer (SM2 with the default identifier), validity at
//! the given time, chaining of names, critical extensions, strength and family of algorithms; of the CAs also
//! cA, pathLenConstraint, keyCertSign, and extKeyUsage as a constraint on what is below; of the leaf its usage.
//! Then of the path as a whole: name constraints (§4.2.1.10, RFC 9598 §6), certificate policies by the graph of
//! RFC 9618, and revocation by the CRLs (§6.3) and OCSP responses (RFC 6960) that are given.
//!
//! Of the anchor, nameConstraints, policyConstraints and inhibitAnyPolicy count as if the embedder had set them
//! (RFC 5937); its certificatePolicies and policyMappings do not.
//!
//! # Revocation
//!
//! A certificate is revoked where a CRL or OCSP response that can be believed says so for a date that is not after
//! [`PathOptions::at`]: what a timestamp proves to be older than the revocation stays valid. Where the reason is
//! a compromise of the key, that date is the invalidityDate if there is one, and any time otherwise: whoever has
//! the key may have set any date. Of those who stamp times more is counted as any time: [`Revocation::stamper`]. Revocation for good is shown by old evidence too; that a certificate is good is
//! shown by fresh evidence only, and by such as still speaks of the certificate: not by a list or response that was made
//! after it expired, unless that says that it keeps those (expiredCertsOnCRL, archiveCutoff). All else, such as evidence with unknown critical extensions or without a
//! believable signer, says nothing: the status is unknown.
//!
//! ```
//! # fn judge(leaf: &aecm_core::certificate::Certificate, sent_along: &[aecm_core::certificate::Certificate],
//! #          roots: Vec<aecm_core::certificate::Certificate>, now: aecm_core::time::Time) {
//! use aecm_core::{limits::Limits, path::{self, Anchors, PathOptions, PathPurpose}};
//!
//! let options = PathOptions::new(PathPurpose::SignMail, Some(now), Limits::default());
//! match path::validate(leaf, sent_along, &Anchors::new(roots), &options) {
//!     Ok(path) => println!("trusted through {} certificates", path.chain.len()),
//!     Err(failure) => println!("not trusted: {failure}"),
//! }
//! # }
//! ```

mod budget;
mod failure;
mod names;
mod options;
mod policies;
mod revocation;
mod rules;
mod search;

pub use budget::Budget;
pub use failure::{PathFailure, PathReason};
pub use options::{PathOptions, PolicySettings, Revocation};

use alloc::vec::Vec;

use crate::certificate::Certificate;
use crate::oid::{self, ObjectIdentifier};

/// The certificates that are trusted of themselves. They come from the embedder, never from a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    certificates: Vec<Certificate>,
}

impl Anchors {
    /// Trusts `certificates`. Their own signatures are not checked; their validity, algorithms and constraints
    /// are, whenever a path ends in one of them.
    #[must_use]
    pub const fn new(certificates: Vec<Certificate>) -> Self {
        Self { certificates }
    }

    /// The certificates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// What the leaf is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathPurpose {
    /// Signs mail: keyUsage, where present, has digitalSignature or nonRepudiation (RFC 8550 §4.4.2).
    SignMail,
    /// Receives encrypted mail: keyUsage, where present, has keyEncipherment (RSA, SM2) or keyAgreement (ECC,
    /// SM2).
    EncryptMail,
    /// Signs time-stamp tokens as an authority: extKeyUsage is critical and names timeStamping alone (RFC 3161
    /// §2.3), and the certificate names no mailbox.
    TimestampAuthority,
    /// Signs time-stamp tokens for the mailbox it names: extKeyUsage as for an authority.
    MailboxTimestamp,
    /// No usage is asked for: the chain alone.
    Any,
}

impl PathPurpose {
    /// What extKeyUsage must name, of the leaf and of every CA that has the extension.
    #[must_use]
    pub const fn extended_key_usage(self) -> Option<ObjectIdentifier> {
        match self {
            Self::SignMail | Self::EncryptMail => Some(oid::EMAIL_PROTECTION),
            Self::TimestampAuthority | Self::MailboxTimestamp => Some(oid::TIME_STAMPING),
            Self::Any => None,
        }
    }
}

/// A path that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Path {
    /// From the leaf to the anchor, both included.
    pub chain: Vec<Certificate>,
    /// user-constrained-policy-set (RFC 5280 §6.1.6, RFC 9618 §5.6): the policies for which the path is valid, in
    /// the CAs' words nearest to the anchor. anyPolicy stands for itself.
    pub valid_policies: Vec<ObjectIdentifier>,
    /// Whether every certificate but the anchor is known not to be revoked.
    pub revocation: RevocationStatus,
    /// The certificates whose status is not known: evidence about them would decide.
    pub revocation_unknown: Vec<Certificate>,
    /// What was forgiven because the options allow it, each once.
    pub tolerances: Vec<PathTolerance>,
}

/// What is known about revocation of a path that holds. A revoked certificate breaks the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationStatus {
    /// No certificate of the path was revoked, by evidence that is fresh.
    Good,
    /// There is no evidence that decides for every certificate of the path.
    Unknown,
}

/// What a path forgave because the options allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PathTolerance {
    /// A certificate is signed with SHA-1: [`PathOptions::sha1`].
    WeakDigest,
    /// A certificate has an RSA key of less than 2,048 bits: [`PathOptions::rsa_bits_min`].
    WeakKey,
}

impl PathTolerance {
    /// The stable word for output and tests: the same as the tolerance of a message of that name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WeakDigest => "weak-digest",
            Self::WeakKey => "weak-key",
        }
    }
}

/// Looks for a path from `leaf` to one of `anchors` that holds, through `intermediates`: hints in any order, as
/// they come in messages.
///
/// # Errors
/// [`PathFailure`] with the most specific reason that was met, and the certificate it concerns. A rule that the
/// leaf itself breaks goes before everything above it.
pub fn validate(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &Anchors,
    options: &PathOptions,
) -> Result<Path, PathFailure> {
    validate_within(leaf, intermediates, anchors, options, &mut Budget::new(&options.limits))
}

/// As [`validate`], on a budget that may serve several paths: what it costs is taken off.
///
/// # Errors
/// As [`validate`]; [`PathReason::BudgetExceeded`] also where earlier paths spent the budget.
pub fn validate_within(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &Anchors,
    options: &PathOptions,
    budget: &mut Budget,
) -> Result<Path, PathFailure> {
    rules::leaf(leaf, anchors, options).map_err(|reason| PathFailure::new(reason, leaf))?;
    search::Search::new(intermediates, anchors, options, budget).run(leaf)
}
