//! Why keys were not given, asked for or taken.

use core::fmt;

use aecm_core::suite::Suite;
use aecm_store::package::PackageError;

/// Why encrypting keys were not given, asked for or taken. Nothing was imported and nothing was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferError {
    /// The octets are not the CMS object or JSON they have to be.
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The package is larger than is taken.
    TooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// The signature on it is not valid, or not by one who may sign it.
    Signer {
        /// The reasons as words, joined by spaces; see docs/verdicts.md.
        reasons: String,
    },
    /// A request says something else than the service, or is not for here.
    Request {
        /// The member.
        member: &'static str,
    },
    /// The fingerprint that the user gave is not that of the device that asks: it is another device, or the user
    /// mistyped.
    Fingerprint,
    /// The request is too old, or from the future.
    Expired,
    /// The request was answered before.
    Replayed,
    /// The answer is one to another request.
    OtherRequest,
    /// The package is not for the transport key of this device, or was changed.
    Decrypt,
    /// A private key in the package is none of the keys of the certificates beside it.
    KeyMismatch,
    /// A certificate in the package cannot be taken.
    Certificate {
        /// Why, as a word.
        why: &'static str,
    },
    /// The key that the mailbox uses now is not in the package.
    ActiveMissing {
        /// The suite.
        suite: Suite,
    },
    /// What waits for the owner's decision is not what was shown to them.
    ConflictChanged,
    /// The store does not take the keys: asking again gives the same ones.
    NotTaken {
        /// What the store says.
        why: String,
    },
    /// This device has no encrypting key of the suites that are asked for.
    NothingToGive,
    /// The service keeps no keys in escrow, or none of this mailbox.
    NothingEscrowed,
    /// The certificate of the escrow cannot be encrypted to.
    EscrowCertificate {
        /// Why, as a word.
        why: &'static str,
    },
    /// The consent is to other terms than those of the escrow.
    OtherTerms {
        /// The terms that the service names.
        offered: String,
    },
    /// Only the account that obtained the certificate in use may replace its key; renew it here first, or rekey
    /// on that device.
    NotIssuer {
        /// The suite.
        suite: Suite,
    },
}

impl TransferError {
    /// The stable word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "transfer-malformed",
            Self::TooLarge { .. } => "transfer-too-large",
            Self::Signer { .. } => "transfer-signer-not-valid",
            Self::Request { .. } => "transfer-request-differs",
            Self::Fingerprint => "transfer-fingerprint-differs",
            Self::Expired => "transfer-expired",
            Self::Replayed => "transfer-replayed",
            Self::OtherRequest => "transfer-answers-another-request",
            Self::Decrypt => "transfer-not-decrypted",
            Self::KeyMismatch => "transfer-key-without-certificate",
            Self::Certificate { .. } => "transfer-certificate-not-valid",
            Self::ActiveMissing { .. } => "transfer-active-key-missing",
            Self::ConflictChanged => "transfer-conflict-changed",
            Self::NotTaken { .. } => "transfer-not-taken",
            Self::NothingToGive => "transfer-nothing-to-give",
            Self::NothingEscrowed => "nothing-escrowed",
            Self::EscrowCertificate { .. } => "escrow-certificate-not-valid",
            Self::OtherTerms { .. } => "escrow-terms-differ",
            Self::NotIssuer { .. } => "rekey-by-another-account",
        }
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { what } => write!(f, "the key package or its request is malformed: {what}"),
            Self::TooLarge { limit } => write!(f, "the key package is larger than {limit} octets"),
            Self::Signer { reasons } => {
                write!(f, "the key package or its request is not signed as it must be: {reasons}")
            }
            Self::Request { member } => {
                write!(f, "'{member}' in the signed request is not what the service says, or not for here")
            }
            Self::Fingerprint => f.write_str(
                "the fingerprint is not that of the device that asks; compare it on both devices, and refuse if it differs",
            ),
            Self::Expired => f.write_str("the request is too old; let the new device ask again"),
            Self::Replayed => f.write_str("this request was answered before; let the new device ask again"),
            Self::OtherRequest => f.write_str("the key package answers another request than this device's"),
            Self::Decrypt => f.write_str("the key package is not for this device, or it was changed"),
            Self::KeyMismatch => f.write_str("a private key in the package does not belong to its certificates"),
            Self::Certificate { why } => write!(f, "a certificate in the key package is not taken: {why}"),
            Self::ActiveMissing { suite } => {
                write!(f, "the encrypting key of suite {suite} that the mailbox uses now is not in the package")
            }
            Self::ConflictChanged => f.write_str(
                "the keys that wait for a decision are not those that were shown; look at them again and decide",
            ),
            Self::NotTaken { why } => {
                write!(f, "the key store does not take the keys that came: {why}; the next call asks for them anew")
            }
            Self::NothingToGive => f.write_str("this device has none of the encrypting keys that are asked for"),
            Self::NothingEscrowed => f.write_str("the service keeps no keys of this mailbox in escrow"),
            Self::EscrowCertificate { why } => {
                write!(f, "the certificate of the escrow is not to be encrypted to: {why}")
            }
            Self::OtherTerms { offered } => {
                write!(f, "the escrow has other terms than were agreed to: {}", offered.escape_debug())
            }
            Self::NotIssuer { suite } => write!(
                f,
                "another device obtained the encrypting certificate of suite {suite}: renew it here first, or rekey there"
            ),
        }
    }
}

impl core::error::Error for TransferError {}

impl From<PackageError> for TransferError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Mismatch { .. } => Self::KeyMismatch,
            PackageError::TooLarge { limit } => Self::TooLarge { limit },
            PackageError::Empty => Self::NothingToGive,
            _ => Self::Malformed { what: "it is not a package of keys with their certificates" },
        }
    }
}
