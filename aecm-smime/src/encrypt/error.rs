//! Why nothing was encrypted.

use core::fmt;

use aecm_core::time::Time;

use super::Transport;
use crate::cipher::ContentCipher;

/// Why nothing was encrypted. `index` counts the recipients from 0 in the order they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// No recipient was named.
    NoRecipient,
    /// More recipients than readers take.
    TooManyRecipients {
        /// How many were named.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The recipient's certificate may not be encrypted to.
    Certificate {
        /// The recipient.
        index: usize,
        /// Why.
        why: UnusableCertificate,
    },
    /// The transport needs another kind of key.
    TransportMismatch {
        /// The recipient.
        index: usize,
        /// The transport that was asked for.
        transport: Transport,
    },
    /// The cipher is read, never written.
    ReadOnlyCipher {
        /// The cipher that was asked for.
        cipher: ContentCipher,
    },
    /// GB/T 35275 form cannot hold this.
    Form {
        /// What does not fit.
        why: &'static str,
    },
    /// The content is longer than the cipher takes.
    ContentTooLong {
        /// Octets of the content.
        octets: usize,
    },
    /// The content key could not be encrypted to the recipient's key.
    KeyTransport {
        /// The recipient.
        index: usize,
    },
    /// The random source failed, or gave zeros.
    Rng,
}

/// Why a certificate may not be encrypted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnusableCertificate {
    /// Its key is of an unknown kind.
    UnsupportedKey,
    /// Its RSA key is too short to protect anything.
    WeakKey {
        /// Its size in bits.
        bits: usize,
    },
    /// It is a CA's, not a mailbox's.
    Authority,
    /// It does not name the mailbox it is to be used for.
    OtherMailbox,
    /// keyUsage does not allow encryption: a signing certificate.
    KeyUsage,
    /// keyUsage allows signing too, and one usage for a certificate is asked for.
    NotSingleUsage,
    /// extendedKeyUsage does not allow mail.
    ExtendedKeyUsage,
    /// No longer valid.
    Expired {
        /// When it ended.
        not_after: Time,
    },
    /// Not valid yet.
    NotYetValid {
        /// When it begins.
        not_before: Time,
    },
}

impl UnusableCertificate {
    /// The stable word: `expired`, `usage-not-allowed` …
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnsupportedKey => "unsupported-key",
            Self::WeakKey { .. } => "weak-key",
            Self::Authority => "not-a-leaf",
            Self::OtherMailbox => "other-mailbox",
            Self::KeyUsage | Self::ExtendedKeyUsage => "usage-not-allowed",
            Self::NotSingleUsage => "not-single-usage",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not-yet-valid",
        }
    }
}

impl fmt::Display for UnusableCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedKey => f.write_str("its key is of an unknown kind"),
            Self::WeakKey { bits } => write!(f, "its RSA key has {bits} bits; at least 2048 are needed"),
            Self::Authority => f.write_str("it is the certificate of a CA"),
            Self::OtherMailbox => f.write_str("it does not name the mailbox"),
            Self::KeyUsage => f.write_str("its keyUsage does not allow encryption"),
            Self::NotSingleUsage => {
                f.write_str("its keyUsage allows signing too, and one usage for a certificate is asked for")
            }
            Self::ExtendedKeyUsage => f.write_str("its extendedKeyUsage lacks emailProtection"),
            Self::Expired { not_after } => write!(f, "it expired at {not_after}"),
            Self::NotYetValid { not_before } => write!(f, "it is not valid before {not_before}"),
        }
    }
}

impl core::error::Error for UnusableCertificate {}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecipient => f.write_str("nobody is named to encrypt to; add a recipient"),
            Self::TooManyRecipients { found, limit } => {
                write!(
                    f,
                    "{found} recipients are named, at most {limit} are read by others; send several messages"
                )
            }
            Self::Certificate { index, why } => {
                write!(f, "the certificate of recipient {index} cannot be encrypted to: {why}")
            }
            Self::TransportMismatch { index, transport } => {
                write!(f, "key transport {transport} does not fit the key of recipient {index}")
            }
            Self::ReadOnlyCipher { cipher } => {
                write!(f, "{} is read but never written; choose another cipher", cipher.word())
            }
            Self::Form { why } => write!(f, "the message cannot be written in GB/T 35275 form: {why}"),
            Self::ContentTooLong { octets } => {
                write!(f, "content of {octets} octets is more than the cipher takes")
            }
            Self::KeyTransport { index } => {
                write!(f, "the content key could not be encrypted to the key of recipient {index}")
            }
            Self::Rng => f.write_str("the random number source failed; nothing was encrypted"),
        }
    }
}

impl core::error::Error for EncryptError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Certificate { why, .. } => Some(why),
            _ => None,
        }
    }
}
