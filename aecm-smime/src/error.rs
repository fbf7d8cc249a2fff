//! Why a message could not be evaluated or written. What was evaluated and not trusted is a report instead.

use core::fmt;

use aecm_core::embed::RngError;
use aecm_core::key::KeyError;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::TlvError;

use crate::cipher::SealError;

/// A message could not be read, evaluated or written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The octets are not the ASN.1 they should be.
    Tlv {
        /// The field, by the standard's name.
        what: &'static str,
        /// What is wrong and where.
        source: TlvError,
    },
    /// The ASN.1 is there and breaks a rule of its standard.
    Structure {
        /// The field, by the standard's name.
        what: &'static str,
        /// The rule it breaks.
        why: &'static str,
    },
    /// There is more of something than [`Limits`](aecm_core::limits::Limits) allows.
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// The outer content type is another one.
    ContentType {
        /// What was found.
        found: ObjectIdentifier,
        /// What the call is for.
        expected: &'static str,
    },
    /// The signature is detached and no content was given.
    DetachedContentMissing,
    /// The message carries its content and another one was given (THREATS S12).
    TwoContents,
    /// What was asked for is known and not done here.
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Its identifier, where it has one.
        oid: Option<ObjectIdentifier>,
    },
    /// The caller asked for something that makes no sense.
    Argument {
        /// What to change.
        what: &'static str,
    },
    /// A private key could not be used.
    Key(KeyError),
    /// The random source failed; nothing was written.
    Random,
    /// The content was not encrypted.
    Seal(SealError),
}

impl Error {
    /// Whether there is more of something than [`Limits`](aecm_core::limits::Limits) allows.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Limit { .. } => true,
            Self::Tlv { source, .. } => source.is_limit(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tlv { what, source } => write!(f, "{what} cannot be read: {source}"),
            Self::Structure { what, why } => write!(f, "{what} is not as its standard wants it: {why}"),
            Self::Limit { what, limit } => {
                write!(
                    f,
                    "more than {limit} {what}; raise the field of Limits if this sender is trusted so far"
                )
            }
            Self::ContentType { found, expected } => match oid::name(found) {
                Some(name) => write!(f, "the content type is {name} ({found}), not {expected}"),
                None => write!(f, "the content type is {found}, not {expected}"),
            },
            Self::DetachedContentMissing => {
                f.write_str("the signature is detached; give the content that was signed")
            }
            Self::TwoContents => {
                f.write_str("the message carries its content and another one was given; give one of them")
            }
            Self::Unsupported { what, oid: Some(oid) } => write!(f, "{what} {oid} is not supported"),
            Self::Unsupported { what, oid: None } => write!(f, "{what} is not supported"),
            Self::Argument { what } => f.write_str(what),
            Self::Key(source) => write!(f, "{source}"),
            Self::Random => write!(f, "{RngError}"),
            Self::Seal(source) => write!(f, "{source}"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tlv { source, .. } => Some(source),
            Self::Key(source) => Some(source),
            Self::Seal(source) => Some(source),
            _ => None,
        }
    }
}

impl From<KeyError> for Error {
    fn from(source: KeyError) -> Self {
        Self::Key(source)
    }
}

impl From<RngError> for Error {
    fn from(_: RngError) -> Self {
        Self::Random
    }
}

impl From<SealError> for Error {
    fn from(source: SealError) -> Self {
        Self::Seal(source)
    }
}

/// Names the field in which a TLV error happened.
pub(crate) trait At<T> {
    fn at(self, what: &'static str) -> Result<T, Error>;
}

impl<T> At<T> for Result<T, TlvError> {
    fn at(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Tlv { what, source })
    }
}
