//! What can be wrong with a public key, a signature, an encryption.

use core::fmt;

use crate::embed::RngError;
use crate::oid::ObjectIdentifier;
use crate::signature::SignatureAlgorithm;
use crate::tlv::TlvError;

use super::{KeyKind, MAX_RSA_BITS, MIN_RSA_BITS};

/// Why octets are not a public key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The octets are not one SubjectPublicKeyInfo in DER.
    Malformed(TlvError),
    /// A key algorithm that is not known here.
    Algorithm {
        /// Its identifier.
        algorithm: ObjectIdentifier,
    },
    /// The parameters of the key algorithm are not those it has.
    Parameters {
        /// The identifier of the algorithm.
        algorithm: ObjectIdentifier,
    },
    /// A named curve that is not known here.
    Curve {
        /// Its identifier.
        curve: ObjectIdentifier,
    },
    /// The curve is spelt out instead of named.
    ExplicitCurve,
    /// The point is not one of the curve.
    Point {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The RSA modulus is too small or too large.
    ModulusSize {
        /// Its size, in bits.
        bits: usize,
    },
    /// The RSA modulus is even.
    EvenModulus,
    /// The RSA exponent is even, below 3 or not below 2³³.
    Exponent,
    /// An RSA number is negative.
    NegativeNumber,
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a SubjectPublicKeyInfo in DER: {error}"),
            Self::Algorithm { algorithm } => {
                write!(f, "public key of unknown algorithm {algorithm}; known are RSA, P-256, P-384 and SM2")
            }
            Self::Parameters { algorithm } => {
                write!(f, "public key of algorithm {algorithm} with parameters that do not belong to it")
            }
            Self::Curve { curve } => {
                write!(f, "public key on unknown curve {curve}; known are P-256, P-384 and SM2")
            }
            Self::ExplicitCurve => f.write_str("public key on a curve that is spelt out; it must be named"),
            Self::Point { why } => write!(f, "the point of a public key is refused: {why}"),
            Self::ModulusSize { bits } => {
                write!(f, "RSA modulus of {bits} bits; from {MIN_RSA_BITS} to {MAX_RSA_BITS} are read")
            }
            Self::EvenModulus => f.write_str("RSA modulus that is even"),
            Self::Exponent => f.write_str("RSA exponent that is even, below 3 or not below 2^33"),
            Self::NegativeNumber => f.write_str("RSA public key with a negative number"),
        }
    }
}

impl core::error::Error for PublicKeyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for PublicKeyError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

/// Why a signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Keys of that kind make no such signatures.
    KeyMismatch {
        /// The algorithm asked for.
        algorithm: SignatureAlgorithm,
        /// The kind of the key.
        key: KeyKind,
    },
    /// The signature is of a length that none of this key has.
    Length {
        /// Its length, in octets.
        octets: usize,
        /// The length of an RSA signature of this key; the largest length of an ECDSA or SM2 signature.
        expected: usize,
    },
    /// The signature is not the DER SEQUENCE of two numbers in range, or an RSA number not below the modulus.
    Encoding,
    /// The SM2 identifier is longer than 8191 octets.
    IdTooLong {
        /// Its length, in octets.
        octets: usize,
    },
    /// The signature was not made by this key over this message.
    Mismatch,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMismatch { algorithm, key } => {
                write!(f, "signature algorithm {algorithm} does not go with a key of kind {key}")
            }
            Self::Length { octets, expected } => {
                write!(f, "signature of {octets} octets where this key makes {expected}")
            }
            Self::Encoding => f.write_str("the signature value is malformed"),
            Self::IdTooLong { octets } => {
                write!(f, "SM2 identifier of {octets} octets; at most 8191 are possible")
            }
            Self::Mismatch => f.write_str("the signature does not match key and message"),
        }
    }
}

impl core::error::Error for VerifyError {}

/// Why a key was not encrypted to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// This kind of key does not encrypt so.
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// The kind of the key.
        key: KeyKind,
    },
    /// There is nothing to encrypt.
    Empty,
    /// What is to be encrypted is too long for this key.
    TooLong {
        /// Its length, in octets.
        octets: usize,
    },
    /// The random source failed.
    Rng,
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { what, key } => write!(f, "{what} is not possible with a key of kind {key}"),
            Self::Empty => f.write_str("no key to encrypt was given"),
            Self::TooLong { octets } => {
                write!(f, "{octets} octets are too long to be encrypted with this key")
            }
            Self::Rng => f.write_str("the random number source failed; nothing was encrypted"),
        }
    }
}

impl core::error::Error for EncryptError {}

impl From<RngError> for EncryptError {
    fn from(_: RngError) -> Self {
        Self::Rng
    }
}
