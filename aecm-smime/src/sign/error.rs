//! Why SignedData was not written.

use core::fmt;

use aecm_core::key::KeyError;
use aecm_core::oid::{self, ObjectIdentifier};

/// Why SignedData was not written. `index` counts the signers from 0 in the order they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// No signer was named.
    NoSigner,
    /// More signers than readers take.
    TooManySigners {
        /// How many were named.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The certificate's key is of a kind that cannot sign here.
    UnsupportedKey {
        /// The signer.
        index: usize,
    },
    /// The algorithm does not belong to the certificate's key, or is read only (SHA-1).
    AlgorithmMismatch {
        /// The signer.
        index: usize,
    },
    /// The certificate may not sign this: keyUsage or extendedKeyUsage does not allow it (THREATS S14).
    CertificateUsage {
        /// The signer.
        index: usize,
        /// What the certificate lacks or has too much.
        why: &'static str,
    },
    /// GB/T 35275 form with a signer who is not SM2, or with a content type it has no name for.
    Form {
        /// What does not fit.
        why: &'static str,
    },
    /// An extra attribute that is written by itself, unsigned by definition, without a value, or twice.
    Attribute {
        /// The signer.
        index: usize,
        /// The attribute type.
        attribute: ObjectIdentifier,
        /// What is wrong with it.
        why: &'static str,
    },
    /// [`crate::sign::Prepared::finish`] got another number of signatures than there are signers.
    SignatureCount {
        /// How many signers there are.
        expected: usize,
        /// How many signatures came.
        found: usize,
    },
    /// A signature value does not verify under the signer's certificate, so it is not sent.
    SignatureDoesNotVerify {
        /// The signer.
        index: usize,
    },
    /// The identity is not that of the signer named in the message, or its key is not its certificate's.
    IdentityMismatch {
        /// The signer.
        index: usize,
    },
    /// There is no such signer in the draft.
    NoSuchSigner {
        /// The signer asked for.
        index: usize,
    },
    /// The private key did not sign.
    Key {
        /// The signer.
        index: usize,
        /// Why.
        source: KeyError,
    },
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSigner => f.write_str("nobody is named to sign; add a signer"),
            Self::TooManySigners { found, limit } => {
                write!(f, "{found} signers are named, at most {limit} are read by others; sign with fewer")
            }
            Self::UnsupportedKey { index } => {
                write!(
                    f,
                    "the certificate of signer {index} has a key of an unknown kind; use RSA, P-256, P-384 or SM2"
                )
            }
            Self::AlgorithmMismatch { index } => {
                write!(
                    f,
                    "the signature algorithm of signer {index} does not fit its certificate's key or may not be written"
                )
            }
            Self::CertificateUsage { index, why } => {
                write!(
                    f,
                    "the certificate of signer {index} may not sign this: {why}; use the signing certificate"
                )
            }
            Self::Form { why } => write!(f, "the message cannot be written in GB/T 35275 form: {why}"),
            Self::Attribute { index, attribute, why } => {
                write!(f, "attribute {attribute}")?;
                if let Some(name) = oid::name(attribute) {
                    write!(f, " ({name})")?;
                }
                write!(f, " of signer {index} cannot be added: {why}")
            }
            Self::SignatureCount { expected, found } => {
                write!(f, "{found} signatures were given for {expected} signers; give one for each, in order")
            }
            Self::SignatureDoesNotVerify { index } => write!(
                f,
                "the signature of signer {index} does not verify under its certificate; the key is another one or it failed"
            ),
            Self::IdentityMismatch { index } => {
                write!(f, "signer {index} of the message and the identity given for it differ")
            }
            Self::NoSuchSigner { index } => write!(f, "the draft has no signer {index}"),
            Self::Key { index, source } => write!(f, "signer {index} did not sign: {source}"),
        }
    }
}

impl core::error::Error for SignError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Key { source, .. } => Some(source),
            _ => None,
        }
    }
}
