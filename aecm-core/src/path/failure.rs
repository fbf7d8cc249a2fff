//! Why there is no path.

use core::fmt;

use crate::certificate::Certificate;
use crate::certificate::error::display;
use crate::crl::RevocationReason;
use crate::oid::{self, ObjectIdentifier};
use crate::time::Time;

/// Why a path does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathReason {
    /// No certificate of the right name, or none that signed this one, leads to an anchor.
    NoPathToAnchor,
    /// There is an issuer of the right name, and it did not sign this certificate.
    BadSignature,
    /// A name that cannot be chained: an issuer without name.
    NameChaining,
    /// A kind of key or signature that is not known here.
    UnsupportedAlgorithm,
    /// SHA-1 or older in a signature, or an RSA key of less than 2048 bits.
    WeakAlgorithm,
    /// A certificate of one algorithm family under a CA of the other.
    MixedSuites,
    /// The issuer is no CA.
    NotCa,
    /// The certificate that should be a leaf is a CA, or an anchor.
    NotLeaf,
    /// More CAs below than the CA's pathLenConstraint allows.
    PathLength {
        /// The constraint.
        allowed: u64,
    },
    /// keyUsage does not allow this use.
    KeyUsage,
    /// extKeyUsage does not allow this use.
    ExtendedKeyUsage,
    /// extKeyUsage of a time-stamping certificate is not critical, or names more than timeStamping.
    ExtendedKeyUsageNotSole,
    /// The certificate of a time-stamping authority names a mailbox: it is a mailbox's own.
    MailboxInAuthority,
    /// A critical extension that is not processed here.
    UnknownCriticalExtension(ObjectIdentifier),
    /// A critical extension whose identifier is too large to name.
    UnnamedCriticalExtension,
    /// An extension that constrains the path cannot be read, or says what must not be said.
    MalformedExtension(ObjectIdentifier),
    /// A name of the certificate is outside the name constraints of a CA above it.
    NameConstraints,
    /// A CA constrains names of a form that is not known here, and the certificate has one, or it constrains in a
    /// way that is not known here.
    UnsupportedNameConstraints,
    /// The path has to be valid for a certificate policy, and from this certificate on it is for none (of those
    /// that are asked for).
    NoValidPolicy,
    /// Revoked.
    Revoked {
        /// When.
        date: Time,
        /// Why.
        reason: Option<RevocationReason>,
    },
    /// Whether it is revoked is not known, and [`Revocation::required`](super::Revocation::required) is set.
    RevocationUnknown,
    /// Not valid any more.
    Expired {
        /// When it was judged.
        at: Time,
        /// The end of its validity.
        not_after: Time,
    },
    /// Not valid yet.
    NotYetValid {
        /// When it was judged.
        at: Time,
        /// The start of its validity.
        not_before: Time,
    },
    /// The search was given up: too many signatures, names or certificates in a row.
    BudgetExceeded,
}

/// Why there is no path, and which certificate is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFailure {
    /// Why.
    pub reason: PathReason,
    /// Of which certificate. For [`PathReason::NoPathToAnchor`] the one whose issuer is missing.
    pub at: Option<Certificate>,
}

impl PathReason {
    /// The stable word for output and tests.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoPathToAnchor => "no-path-to-anchor",
            Self::BadSignature => "certificate-signature-invalid",
            Self::NameChaining => "name-chaining",
            Self::UnsupportedAlgorithm => "unsupported-algorithm",
            Self::WeakAlgorithm => "weak-algorithm",
            Self::MixedSuites => "mixed-suites",
            Self::NotCa => "issuer-not-ca",
            Self::NotLeaf => "not-a-leaf",
            Self::PathLength { .. } => "path-length",
            Self::KeyUsage | Self::ExtendedKeyUsage | Self::ExtendedKeyUsageNotSole => "usage-not-allowed",
            Self::MailboxInAuthority => "mailbox-in-authority",
            Self::UnknownCriticalExtension(_) | Self::UnnamedCriticalExtension => {
                "unknown-critical-extension"
            }
            Self::MalformedExtension(_) => "malformed-extension",
            Self::NameConstraints => "name-constraints",
            Self::UnsupportedNameConstraints => "unsupported-name-constraints",
            Self::NoValidPolicy => "no-valid-policy",
            Self::Revoked { .. } => "revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::BudgetExceeded => "budget-exceeded",
        }
    }

    // How much it says: of several paths that fail, the reason with the highest rank is told. What depends on
    // a certificate that really signed goes before what depends on a name only.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::NoPathToAnchor => 0,
            Self::BadSignature => 1,
            Self::NameChaining => 2,
            Self::UnsupportedAlgorithm => 3,
            Self::NotCa => 4,
            Self::NotLeaf => 5,
            Self::MixedSuites => 6,
            Self::KeyUsage => 7,
            Self::ExtendedKeyUsage => 8,
            Self::ExtendedKeyUsageNotSole => 9,
            Self::MailboxInAuthority => 10,
            Self::PathLength { .. } => 11,
            Self::UnknownCriticalExtension(_) | Self::UnnamedCriticalExtension => 12,
            Self::WeakAlgorithm => 13,
            Self::Expired { .. } => 14,
            Self::NotYetValid { .. } => 15,
            // Of the path as a whole, when all that is above holds.
            Self::MalformedExtension(_) => 16,
            Self::UnsupportedNameConstraints => 17,
            Self::NameConstraints => 18,
            Self::NoValidPolicy => 19,
            Self::RevocationUnknown => 20,
            Self::Revoked { .. } => 21,
            Self::BudgetExceeded => 22,
        }
    }
}

impl fmt::Display for PathReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPathToAnchor => f.write_str("no issuer leads to a trust anchor"),
            Self::BadSignature => f.write_str("the issuer of that name did not sign it"),
            Self::NameChaining => f.write_str("its issuer has no name"),
            Self::UnsupportedAlgorithm => f.write_str("its key or signature algorithm is not known"),
            Self::WeakAlgorithm => f.write_str("its key or signature algorithm is too weak"),
            Self::MixedSuites => f.write_str("its algorithm family is not that of its issuer"),
            Self::NotCa => f.write_str("it issues certificates and is no CA"),
            Self::NotLeaf => f.write_str("it is a CA or an anchor where a mail certificate is wanted"),
            Self::PathLength { allowed } => write!(f, "it allows {allowed} CAs below it and there are more"),
            Self::KeyUsage => f.write_str("its key usage does not allow this"),
            Self::ExtendedKeyUsage => f.write_str("its extended key usage does not allow this"),
            Self::ExtendedKeyUsageNotSole => {
                f.write_str("its extended key usage is not critical with timeStamping alone")
            }
            Self::MailboxInAuthority => f.write_str("it is a mailbox's own and no time-stamping authority's"),
            Self::UnknownCriticalExtension(oid) => match oid::name(oid) {
                Some(name) => write!(f, "its critical extension {name} is not processed"),
                None => write!(f, "its critical extension {oid} is not known"),
            },
            Self::UnnamedCriticalExtension => f.write_str("it has a critical extension that cannot be named"),
            Self::MalformedExtension(oid) => write!(f, "its extension {} is malformed", display(oid)),
            Self::NameConstraints => f.write_str("it has a name that a CA above it must not certify"),
            Self::UnsupportedNameConstraints => {
                f.write_str("a CA above it constrains its names in a way that is not known here")
            }
            Self::NoValidPolicy => {
                f.write_str("the path is valid for none of the certificate policies asked for")
            }
            Self::Revoked { date, reason: Some(reason) } => write!(f, "it was revoked at {date} ({reason})"),
            Self::Revoked { date, reason: None } => write!(f, "it was revoked at {date}"),
            Self::RevocationUnknown => {
                f.write_str("no CRL or OCSP response says whether it is revoked, which has to be known")
            }
            Self::Expired { at, not_after } => write!(f, "it expired at {not_after} (judged at {at})"),
            Self::NotYetValid { at, not_before } => {
                write!(f, "it is valid only from {not_before} (judged at {at})")
            }
            Self::BudgetExceeded => f.write_str("the search for a path was too long and given up"),
        }
    }
}

impl PathFailure {
    pub(super) fn new(reason: PathReason, at: &Certificate) -> Self {
        Self { reason, at: Some(at.clone()) }
    }

    /// The stable word of the reason.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.reason.word()
    }
}

impl fmt::Display for PathFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "certificate {}: {}", at.subject_text(), self.reason),
            None => self.reason.fmt(f),
        }
    }
}

impl core::error::Error for PathFailure {}
