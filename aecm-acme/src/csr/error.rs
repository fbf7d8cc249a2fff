//! What can be wrong with a certification request.

use core::fmt;

use aecm_core::key::KeyError;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::public_key::PublicKeyError;
use aecm_core::tlv::TlvError;

/// Why a request could not be made, read or verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrError {
    /// Not DER, or not a CertificationRequest.
    Malformed(TlvError),
    /// The request is larger than a certificate may be.
    TooLarge {
        /// Its size, in octets.
        octets: usize,
        /// The limit, in octets.
        limit: usize,
    },
    /// The version is not v1.
    Version,
    /// The key cannot be used.
    Key(PublicKeyError),
    /// The signature algorithm is unknown or does not fit the key.
    Algorithm(ObjectIdentifier),
    /// The signature does not match: no possession of the private key was shown.
    Signature,
    /// There is more than one extensionRequest, or one without or with several values.
    ExtensionRequest,
    /// An extension stands twice.
    Duplicate(ObjectIdentifier),
    /// A name in subjectAltName is neither rfc822Name nor SmtpUTF8Mailbox, or no mailbox.
    Name,
    /// The private key did not sign the request.
    Signer(KeyError),
    /// The key is not one for that purpose: RSA, P-256, P-384 and SM2 keys are.
    UnsupportedKey,
}

impl fmt::Display for CsrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a certification request in DER: {error}"),
            Self::TooLarge { octets, limit } => {
                write!(f, "a certification request of {octets} octets exceeds the limit of {limit}")
            }
            Self::Version => f.write_str("the certification request is not of version 1"),
            Self::Key(error) => write!(f, "the key of the certification request cannot be used: {error}"),
            Self::Algorithm(oid) => {
                write!(f, "the signature algorithm {oid} of the certification request does not fit its key")
            }
            Self::Signature => {
                f.write_str("the signature of the certification request does not match its key")
            }
            Self::ExtensionRequest => {
                f.write_str("the certification request needs one extensionRequest of one value")
            }
            Self::Duplicate(oid) => write!(f, "the certification request has the extension {oid} twice"),
            Self::Name => f.write_str("the certification request names something else than a mailbox"),
            Self::Signer(error) => write!(f, "the certification request was not signed: {error}"),
            Self::UnsupportedKey => f.write_str("the key does not fit the purpose of the request"),
        }
    }
}

impl core::error::Error for CsrError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Key(error) => Some(error),
            Self::Signer(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for CsrError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}
