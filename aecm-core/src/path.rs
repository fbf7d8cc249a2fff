//! Certification path validation for mail and time-stamping (RFC 5280 §6, RFC 8550 §4, RFC 3161 §2.3).
//!
//! What is checked of every certificate: signature of its issuer (SM2 with the default identifier), validity at
//! the given time, chaining of names, critical extensions, strength and family of algorithms; of the CAs also
//! cA, pathLenConstraint, keyCertSign, and extKeyUsage as a constraint on what is below; of the leaf its usage.
//! nameConstraints, critical or not, and critical certificatePolicies and policyConstraints are refused as unknown,
//! never ignored.
//! Revocation is not looked at here.
//!
//! ```
//! # fn judge(leaf: &aecm_core::certificate::Certificate, sent_along: &[aecm_core::certificate::Certificate],
//! #          roots: Vec<aecm_core::certificate::Certificate>, now: aecm_core::time::Time) {
//! use aecm_core::{limits::Limits, path::{self, Anchors, PathOptions, PathPurpose}};
//!
//! let options = PathOptions { purpose: PathPurpose::SignMail, at: Some(now), limits: Limits::default() };
//! match path::validate(leaf, sent_along, &Anchors::new(roots), &options) {
//!     Ok(path) => println!("trusted through {} certificates", path.chain.len()),
//!     Err(failure) => println!("not trusted: {failure}"),
//! }
//! # }
//! ```

mod failure;
mod rules;
mod search;

pub use failure::{PathFailure, PathReason};

use alloc::vec::Vec;

use crate::certificate::Certificate;
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::time::Time;

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

/// How a path is judged.
#[derive(Clone, Debug)]
pub struct PathOptions {
    /// What the leaf is used for.
    pub purpose: PathPurpose,
    /// When all certificates must be valid; `None` does not look at validity.
    pub at: Option<Time>,
    /// Bounds on the search: [`Limits::signature_checks`], [`Limits::intermediates`],
    /// [`Limits::name_comparisons`].
    pub limits: Limits,
}

/// A path that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// From the leaf to the anchor, both included.
    pub chain: Vec<Certificate>,
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
    rules::leaf(leaf, anchors, options).map_err(|reason| PathFailure::new(reason, leaf))?;
    search::Search::new(intermediates, anchors, options).run(leaf)
}
