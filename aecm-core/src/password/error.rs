//! What can be wrong with a file under a password.

use core::fmt;

use crate::embed::RngError;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::TlvError;

/// Why nothing was derived, decrypted or encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// The octets are not what they should be.
    Malformed(TlvError),
    /// An algorithm that is not known here, or not used any more.
    Algorithm {
        /// What it was to do: `encryption scheme`, `key derivation`, `pseudo-random function`, `cipher`.
        role: &'static str,
        /// Its identifier.
        algorithm: ObjectIdentifier,
    },
    /// Parameters that do not belong to their algorithm.
    Parameters {
        /// Of which algorithm.
        what: &'static str,
    },
    /// An iteration count of zero or above the limit; nothing was computed (THREATS E6).
    Iterations {
        /// The count.
        count: u64,
        /// The limit.
        limit: u64,
    },
    /// A scrypt cost beyond the limit; nothing was computed (THREATS E6).
    Memory {
        /// Octets of memory that it asks for, as far as they can be counted.
        octets: u64,
        /// The limit in octets.
        limit: u64,
    },
    /// A salt shorter than 8 or longer than 1024 octets (THREATS E6).
    SaltLength {
        /// Its length.
        octets: usize,
    },
    /// The stated length of the key is not the one its use needs, or out of range.
    KeyLength {
        /// The length stated, in octets.
        stated: u64,
        /// The length needed, in octets.
        needed: usize,
    },
    /// It does not decrypt: the password is wrong, or what is encrypted is damaged.
    WrongPassword,
    /// The random source failed; nothing was written.
    Rng,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not encrypted under a password in a known form: {error}"),
            Self::Algorithm { role, algorithm } => {
                write!(f, "the {role} ")?;
                match oid::name(algorithm) {
                    Some(name) => write!(f, "{name} ({algorithm})")?,
                    None => write!(f, "{algorithm}")?,
                }
                f.write_str(" is not supported; write the file anew with PBES2 (PBKDF2 and AES-256-CBC)")
            }
            Self::Parameters { what } => write!(f, "the parameters of {what} are not those it has"),
            Self::Iterations { count, limit } => {
                write!(f, "an iteration count of {count}; from 1 to {limit} are read")
            }
            Self::Memory { octets, limit } => {
                write!(f, "scrypt would take {octets} octets of memory; {limit} are allowed")
            }
            Self::SaltLength { octets } => write!(f, "a salt of {octets} octets; from 8 to 1024 are read"),
            Self::KeyLength { stated, needed } => {
                write!(f, "the file states a key of {stated} octets where {needed} are needed")
            }
            Self::WrongPassword => f.write_str("the password is wrong, or what it encrypts is damaged"),
            Self::Rng => f.write_str("the random number source failed; nothing was encrypted"),
        }
    }
}

impl core::error::Error for PasswordError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for PasswordError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

impl From<RngError> for PasswordError {
    fn from(_: RngError) -> Self {
        Self::Rng
    }
}
