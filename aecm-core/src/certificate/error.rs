//! What can be wrong with a certificate.

use core::fmt;

use crate::oid::{self, ObjectIdentifier};
use crate::public_key::VerifyError;
use crate::signature::AlgorithmError;
use crate::tlv::TlvError;

/// Why something is not a certificate, or does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not the DER of a certificate.
    Encoding(TlvError),
    /// Larger than [`crate::limits::Limits::certificate_bytes`].
    TooLarge {
        /// Its size in octets.
        octets: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// A version other than 1, 2 and 3.
    Version {
        /// The value of the field, one less than the version.
        value: u64,
    },
    /// A serial number of more than 64 octets.
    SerialTooLong {
        /// Its size in octets.
        octets: usize,
    },
    /// The algorithm inside and outside of what is signed differ (RFC 5280 §4.1.1.2).
    AlgorithmsDiffer,
    /// Extensions in a certificate of version 1 or 2.
    ExtensionsInOldVersion,
    /// More than [`crate::limits::Limits::extensions`].
    TooManyExtensions {
        /// The limit.
        limit: usize,
    },
    /// An extension that occurs twice (RFC 5280 §4.2).
    DuplicateExtension(ObjectIdentifier),
    /// A known extension is malformed.
    Extension {
        /// Which.
        oid: ObjectIdentifier,
        /// What is wrong; offsets count from the start of the extension's value.
        error: TlvError,
    },
    /// A text without a certificate in PEM.
    NoPem,
    /// A PEM block that is not closed or not base64 (RFC 7468).
    BadPem,
    /// The signature algorithm is unknown or does not go with the issuer's key.
    Algorithm(AlgorithmError),
    /// The issuer's signature does not verify.
    Signature(VerifyError),
    /// The crate x509-cert does not take this certificate.
    X509Cert,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(error) => write!(f, "not a certificate in DER: {error}"),
            Self::TooLarge { octets, limit } => {
                write!(f, "a certificate of {octets} octets where {limit} are allowed")
            }
            Self::Version { value } => write!(f, "certificate version field {value} is none of 0, 1, 2"),
            Self::SerialTooLong { octets } => {
                write!(f, "a serial number of {octets} octets; at most 64 are read")
            }
            Self::AlgorithmsDiffer => f.write_str("the certificate names two different signature algorithms"),
            Self::ExtensionsInOldVersion => f.write_str("extensions in a certificate older than version 3"),
            Self::TooManyExtensions { limit } => write!(f, "a certificate with more than {limit} extensions"),
            Self::DuplicateExtension(oid) => write!(f, "extension {} occurs twice", display(oid)),
            Self::Extension { oid, error } => write!(f, "extension {} is malformed: {error}", display(oid)),
            Self::NoPem => f.write_str("no `-----BEGIN CERTIFICATE-----` found"),
            Self::BadPem => f.write_str("a PEM block is not closed or not base64"),
            Self::Algorithm(error) => write!(f, "signature of the certificate: {error}"),
            Self::Signature(error) => write!(f, "signature of the certificate: {error}"),
            Self::X509Cert => f.write_str("the certificate is outside what x509-cert reads"),
        }
    }
}

impl core::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Encoding(error) | Self::Extension { error, .. } => Some(error),
            Self::Algorithm(error) => Some(error),
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

impl From<super::pem::BadPem> for CertificateError {
    fn from(_: super::pem::BadPem) -> Self {
        Self::BadPem
    }
}

impl From<super::extension::ListError> for CertificateError {
    fn from(error: super::extension::ListError) -> Self {
        use super::extension::ListError;
        match error {
            ListError::Encoding(error) => Self::Encoding(error),
            ListError::TooMany { limit } => Self::TooManyExtensions { limit },
            ListError::Duplicate(oid) => Self::DuplicateExtension(oid),
        }
    }
}

impl From<TlvError> for CertificateError {
    fn from(error: TlvError) -> Self {
        Self::Encoding(error)
    }
}

// The name where there is one, else the number.
pub(crate) fn display(oid: &ObjectIdentifier) -> alloc::string::String {
    oid::name(oid).map_or_else(|| alloc::format!("{oid}"), alloc::string::String::from)
}
