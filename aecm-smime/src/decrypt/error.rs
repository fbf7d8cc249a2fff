//! Why a message was not opened.

use core::fmt;

use aecm_core::key::KeyError;
use aecm_core::oid::ObjectIdentifier;

use crate::error::Error;

/// A message was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// It did not decrypt. Why is not said, by this value or by the time it took (THREATS E1).
    Failed,
    /// It is not encrypted to any of the given keys.
    NoMatchingKey,
    /// Several of the given secret keys fit EncryptedData in CBC, or several keys without a certificate an envelope in
    /// CBC, and nothing tells which is right: give one alone.
    AmbiguousKey,
    /// It cannot be read, for a reason that anybody without a key can see.
    Malformed(Error),
    /// There is more of something than the limits allow.
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// It uses something that is known or unknown and not done here.
    Unsupported {
        /// What.
        what: &'static str,
        /// Its identifier, where it has one.
        oid: Option<ObjectIdentifier>,
    },
    /// Its authentication tag is shorter than the options allow (THREATS E2).
    ShortTag {
        /// Octets of the tag.
        octets: usize,
    },
    /// A matching key could not be used now.
    Key(KeyError),
}

impl DecryptError {
    /// Whether there is more of something than [`Limits`](aecm_core::limits::Limits) allows.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Limit { .. } => true,
            Self::Malformed(source) => source.is_limit(),
            _ => false,
        }
    }
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => f.write_str("the message did not decrypt"),
            Self::NoMatchingKey => f.write_str("the message is not encrypted to any of the given keys"),
            Self::AmbiguousKey => f.write_str(
                "several of the given keys fit the message, and nothing tells which is right; give one alone",
            ),
            Self::Malformed(source) => write!(f, "{source}"),
            Self::Limit { what, limit } => write!(f, "the message has more than {limit} {what}"),
            Self::Unsupported { what, oid: Some(oid) } => write!(f, "{what} {oid} is not supported"),
            Self::Unsupported { what, oid: None } => write!(f, "{what} is not supported"),
            Self::ShortTag { octets } => {
                write!(f, "the authentication tag has {octets} octets, fewer than the options allow")
            }
            Self::Key(source) => write!(f, "{source}"),
        }
    }
}

impl core::error::Error for DecryptError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(source) => Some(source),
            Self::Key(source) => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for DecryptError {
    fn from(error: Error) -> Self {
        match error {
            Error::Limit { what, limit } => Self::Limit { what, limit },
            Error::Unsupported { what, oid } => Self::Unsupported { what, oid },
            other => Self::Malformed(other),
        }
    }
}
