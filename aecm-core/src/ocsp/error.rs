//! What can be wrong with an OCSP response.

use core::fmt;

use crate::certificate::error::display;
use crate::certificate::extension::ListError;
use crate::oid::ObjectIdentifier;
use crate::public_key::VerifyError;
use crate::signature::AlgorithmError;
use crate::tlv::TlvError;

/// Why something is not an OCSP response, or does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspError {
    /// Not the DER of a response.
    Encoding(TlvError),
    /// Larger than [`crate::limits::Limits::crl_bytes`].
    TooLarge {
        /// Its size in octets.
        octets: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// The responder gave an error instead of a status (RFC 6960 §4.2.1).
    Status {
        /// 1 malformedRequest, 2 internalError, 3 tryLater, 5 sigRequired, 6 unauthorized.
        code: u64,
    },
    /// A type of response other than id-pkix-ocsp-basic.
    Type(ObjectIdentifier),
    /// A version other than 1.
    Version {
        /// The value of the field, one less than the version.
        value: u64,
    },
    /// More certificates along with it than [`crate::limits::Limits::certificates`].
    TooManyCertificates {
        /// The limit.
        limit: usize,
    },
    /// More than [`crate::limits::Limits::extensions`].
    TooManyExtensions {
        /// The limit.
        limit: usize,
    },
    /// An extension that occurs twice.
    DuplicateExtension(ObjectIdentifier),
    /// The signature algorithm is unknown or does not go with the responder's key.
    Algorithm(AlgorithmError),
    /// The responder's signature does not verify.
    Signature(VerifyError),
}

impl fmt::Display for OcspError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(error) => write!(f, "not an OCSP response in DER: {error}"),
            Self::TooLarge { octets, limit } => {
                write!(f, "an OCSP response of {octets} octets where {limit} are allowed (Limits::crl_bytes)")
            }
            Self::Status { code } => {
                let name = match code {
                    1 => "malformedRequest",
                    2 => "internalError",
                    3 => "tryLater",
                    5 => "sigRequired",
                    6 => "unauthorized",
                    _ => "unknown",
                };
                write!(
                    f,
                    "the OCSP responder gave no status but error {code} ({name}); ask again or elsewhere"
                )
            }
            Self::Type(oid) => write!(f, "OCSP response of type {}, which is not basic", display(oid)),
            Self::Version { value } => write!(f, "OCSP response version field {value} is not 0"),
            Self::TooManyCertificates { limit } => {
                write!(f, "an OCSP response with more than {limit} certificates")
            }
            Self::TooManyExtensions { limit } => {
                write!(f, "an OCSP response with more than {limit} extensions")
            }
            Self::DuplicateExtension(oid) => {
                write!(f, "extension {} occurs twice in an OCSP response", display(oid))
            }
            Self::Algorithm(error) => write!(f, "signature of the OCSP response: {error}"),
            Self::Signature(error) => write!(f, "signature of the OCSP response: {error}"),
        }
    }
}

impl core::error::Error for OcspError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Encoding(error) => Some(error),
            Self::Algorithm(error) => Some(error),
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for OcspError {
    fn from(error: TlvError) -> Self {
        Self::Encoding(error)
    }
}

impl From<ListError> for OcspError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Encoding(error) => Self::Encoding(error),
            ListError::TooMany { limit } => Self::TooManyExtensions { limit },
            ListError::Duplicate(oid) => Self::DuplicateExtension(oid),
        }
    }
}
