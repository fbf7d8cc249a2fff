//! Why a PKCS#12 file could not be read or written.

use core::fmt;

use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::password::PasswordError;
use aecm_core::software::SoftwareKeyError;
use aecm_core::tlv::TlvError;

use crate::error::StoreError;

/// Why a PKCS#12 file could not be read or written. Carries nothing of a key or password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// The octets are not a PFX (RFC 7292 §4).
    Malformed(TlvError),
    /// A version other than 3.
    Version {
        /// The number.
        version: u64,
    },
    /// The file is larger than is read.
    TooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// The file has more bags than are read.
    TooManyBags {
        /// The limit.
        limit: usize,
    },
    /// Safes stand in safes more deeply than is read.
    Depth {
        /// The limit.
        limit: usize,
    },
    /// All derivations of the file together would take more iterations than allowed; the rest was not computed
    /// (THREATS E6).
    Work {
        /// The limit, in iterations.
        limit: u64,
    },
    /// There is no MAC: nothing shows that the file is what its maker wrote (THREATS K1).
    NoMac,
    /// The MAC does not verify: the password is wrong, or the file was changed.
    WrongPassword,
    /// The MAC is of a kind that is not known, or too short to mean anything (THREATS K1).
    Mac {
        /// The algorithm, where that is what is not known.
        algorithm: Option<ObjectIdentifier>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The content or a safe is protected in a way that is not read: by public keys (RFC 7292 §3.1).
    Content {
        /// The content type.
        content_type: ObjectIdentifier,
    },
    /// Something in the file could not be decrypted, or encrypted.
    Password(PasswordError),
    /// A private key of the file.
    Key {
        /// Which, counted from 0.
        index: usize,
        /// What is wrong with it.
        why: SoftwareKeyError,
    },
    /// The store did not give or take the keys.
    Store(StoreError),
    /// There is nothing to be exported or imported for the mailbox.
    Nothing,
}

impl fmt::Display for Pkcs12Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a PKCS#12 file: {error}"),
            Self::Version { version } => write!(f, "PKCS#12 of version {version}; version 3 is read"),
            Self::TooLarge { limit } => write!(f, "the PKCS#12 file exceeds {limit} octets"),
            Self::TooManyBags { limit } => write!(f, "the PKCS#12 file has more than {limit} bags"),
            Self::Depth { limit } => write!(f, "the PKCS#12 file nests safes more than {limit} deep"),
            Self::Work { limit } => write!(
                f,
                "the PKCS#12 file asks for more than {limit} iterations in all; the rest was not computed"
            ),
            Self::NoMac => f.write_str(
                "the PKCS#12 file has no MAC: anybody could have changed it; write it anew with one, or read it as \
                 unauthenticated",
            ),
            Self::WrongPassword => {
                f.write_str("the password of the PKCS#12 file is wrong, or the file was changed")
            }
            Self::Mac { algorithm: Some(algorithm), why } => {
                write!(f, "the MAC of the PKCS#12 file, {}: {why}", name(algorithm))
            }
            Self::Mac { algorithm: None, why } => write!(f, "the MAC of the PKCS#12 file: {why}"),
            Self::Content { content_type } => write!(
                f,
                "the PKCS#12 file holds {}; only protection by a password is read",
                name(content_type)
            ),
            Self::Password(error) => write!(f, "PKCS#12: {error}"),
            Self::Key { index, why } => write!(f, "key {index} of the PKCS#12 file: {why}"),
            Self::Store(error) => write!(f, "PKCS#12 and the store: {error}"),
            Self::Nothing => f.write_str("no key with a certificate for this mailbox was found"),
        }
    }
}

impl core::error::Error for Pkcs12Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Password(error) => Some(error),
            Self::Key { why, .. } => Some(why),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for Pkcs12Error {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

impl From<PasswordError> for Pkcs12Error {
    fn from(error: PasswordError) -> Self {
        Self::Password(error)
    }
}

impl From<StoreError> for Pkcs12Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The name where there is one, else the number.
fn name(oid: &ObjectIdentifier) -> String {
    oid::name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}
