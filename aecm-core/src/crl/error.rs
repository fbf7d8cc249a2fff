//! What can be wrong with a CRL.

use core::fmt;

use crate::certificate::error::display;
use crate::certificate::extension::ListError;
use crate::certificate::pem::BadPem;
use crate::key::KeyError;
use crate::oid::ObjectIdentifier;
use crate::public_key::VerifyError;
use crate::signature::AlgorithmError;
use crate::tlv::TlvError;

/// Why something is not a CRL, does not verify, or could not be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrlError {
    /// Not the DER of a CRL.
    Encoding(TlvError),
    /// Larger than [`crate::limits::Limits::crl_bytes`].
    TooLarge {
        /// Its size in octets.
        octets: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// A version other than 1 and 2.
    Version {
        /// The value of the field, one less than the version.
        value: u64,
    },
    /// The algorithm inside and outside of what is signed differ (RFC 5280 §5.1.1.2).
    AlgorithmsDiffer,
    /// Extensions in a CRL of version 1.
    ExtensionsInOldVersion,
    /// More than [`crate::limits::Limits::extensions`].
    TooManyExtensions {
        /// The limit.
        limit: usize,
    },
    /// An extension that occurs twice.
    DuplicateExtension(ObjectIdentifier),
    /// A known extension of the list or of an entry is malformed.
    Extension {
        /// Which.
        oid: ObjectIdentifier,
        /// What is wrong; offsets count from the start of the extension's value.
        error: TlvError,
    },
    /// A text without a CRL in PEM.
    NoPem,
    /// A PEM block that is not closed or not base64 (RFC 7468).
    BadPem,
    /// The signature algorithm is unknown or does not go with the issuer's key.
    Algorithm(AlgorithmError),
    /// The issuer's signature does not verify.
    Signature(VerifyError),
    /// The certificate given as issuer may not sign CRLs, or is not that of the signing key.
    NotIssuer,
    /// nextUpdate is not after thisUpdate.
    Dates,
    /// A serial number to be revoked is empty, negative, not minimal, or of more than 64 octets.
    BadSerial,
    /// The signing key did not sign.
    Key(KeyError),
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(error) => write!(f, "not a CRL in DER: {error}"),
            Self::TooLarge { octets, limit } => {
                write!(f, "a CRL of {octets} octets where {limit} are allowed (Limits::crl_bytes)")
            }
            Self::Version { value } => write!(f, "CRL version field {value} is neither 0 nor 1"),
            Self::AlgorithmsDiffer => f.write_str("the CRL names two different signature algorithms"),
            Self::ExtensionsInOldVersion => f.write_str("extensions in a CRL of version 1"),
            Self::TooManyExtensions { limit } => write!(f, "a CRL or entry with more than {limit} extensions"),
            Self::DuplicateExtension(oid) => write!(f, "extension {} occurs twice in a CRL", display(oid)),
            Self::Extension { oid, error } => {
                write!(f, "extension {} of a CRL is malformed: {error}", display(oid))
            }
            Self::NoPem => f.write_str("no `-----BEGIN X509 CRL-----` found"),
            Self::BadPem => f.write_str("a PEM block is not closed or not base64"),
            Self::Algorithm(error) => write!(f, "signature of the CRL: {error}"),
            Self::Signature(error) => write!(f, "signature of the CRL: {error}"),
            Self::NotIssuer => f.write_str(
                "the issuer's certificate does not allow cRLSign, has no name, or is not that of the signing key",
            ),
            Self::Dates => f.write_str("the CRL's nextUpdate must be after its thisUpdate"),
            Self::BadSerial => {
                f.write_str("a revoked serial number must be a minimal INTEGER of 1 to 64 octets")
            }
            Self::Key(error) => write!(f, "the CRL could not be signed: {error}"),
        }
    }
}

impl core::error::Error for CrlError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Encoding(error) | Self::Extension { error, .. } => Some(error),
            Self::Algorithm(error) => Some(error),
            Self::Signature(error) => Some(error),
            Self::Key(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for CrlError {
    fn from(error: TlvError) -> Self {
        Self::Encoding(error)
    }
}

impl From<KeyError> for CrlError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<BadPem> for CrlError {
    fn from(_: BadPem) -> Self {
        Self::BadPem
    }
}

impl From<ListError> for CrlError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Encoding(error) => Self::Encoding(error),
            ListError::TooMany { limit } => Self::TooManyExtensions { limit },
            ListError::Duplicate(oid) => Self::DuplicateExtension(oid),
        }
    }
}
