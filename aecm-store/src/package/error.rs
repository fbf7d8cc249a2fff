//! Why a package could not be written or read.

use core::fmt;

use aecm_core::certificate::CertificateError;
use aecm_core::software::SoftwareKeyError;
use aecm_core::tlv::TlvError;

use crate::error::StoreError;

/// Why a package of keys could not be written or read. Carries nothing of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// The octets are not an AsymmetricKeyPackage in DER.
    Malformed(TlvError),
    /// The package is larger than is read or written.
    TooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// The package holds more keys than are read or written.
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
    /// The package holds no key, or the mailbox has none that could be packed.
    Empty,
    /// A version number that is not known.
    Version {
        /// Which key, counted from 0.
        index: usize,
        /// The number.
        version: u64,
    },
    /// One of the keys is not a private key that can be used.
    Key {
        /// Which, counted from 0.
        index: usize,
        /// What is wrong with it.
        why: SoftwareKeyError,
    },
    /// One of the certificates beside a key cannot be read.
    Certificate {
        /// Beside which key, counted from 0.
        index: usize,
        /// What is wrong with it.
        why: CertificateError,
    },
    /// A certificate beside a key holds the public key of another.
    Mismatch {
        /// Beside which key, counted from 0.
        index: usize,
    },
    /// There is no certificate beside a key.
    NoCertificate {
        /// Which key, counted from 0.
        index: usize,
    },
    /// The same key stands in the package twice.
    Duplicate {
        /// The second time, counted from 0.
        index: usize,
    },
    /// The store did not give the keys.
    Store(StoreError),
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a package of keys (RFC 5958) in DER: {error}"),
            Self::TooLarge { limit } => write!(f, "the package of keys exceeds {limit} octets"),
            Self::TooManyKeys { limit } => write!(f, "the package holds more than {limit} keys"),
            Self::Empty => {
                f.write_str("there is no encrypting key with a certificate to be packed or unpacked")
            }
            Self::Version { index, version } => {
                write!(f, "key {index} of the package has the unknown version {version}")
            }
            Self::Key { index, why } => write!(f, "key {index} of the package: {why}"),
            Self::Certificate { index, why } => {
                write!(f, "a certificate beside key {index} of the package: {why}")
            }
            Self::Mismatch { index } => {
                write!(f, "a certificate beside key {index} of the package belongs to another key")
            }
            Self::NoCertificate { index } => {
                write!(f, "there is no certificate beside key {index} of the package")
            }
            Self::Duplicate { index } => write!(f, "key {index} of the package stands in it twice"),
            Self::Store(error) => write!(f, "the keys to be packed: {error}"),
        }
    }
}

impl core::error::Error for PackageError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Key { why, .. } => Some(why),
            Self::Certificate { why, .. } => Some(why),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for PackageError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

impl From<StoreError> for PackageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
