//! Public keys: read from SubjectPublicKeyInfo, checked once, then verifying and encrypting.

mod encrypt;
mod error;
mod parse;
mod verify;

pub use self::error::{EncryptError, PublicKeyError, VerifyError};

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::traits::PublicKeyParts;

use crate::digest::DigestAlgorithm;
use crate::suite::Suite;

/// The smallest RSA modulus that is read, in bits; whether it is trusted is for the caller's policy (THREATS A4).
pub const MIN_RSA_BITS: usize = 1024;

/// The largest RSA modulus, in bits (THREATS A4).
pub const MAX_RSA_BITS: usize = 8192;

/// A public key whose numbers have been checked: RSA sizes, points on their named curve (THREATS A4, E4).
///
/// ```text
/// SubjectPublicKeyInfo ::= SEQUENCE {   -- RFC 5280 §4.1
///     algorithm         AlgorithmIdentifier,
///     subjectPublicKey  BIT STRING }
/// ```
///
/// | algorithm | parameters | key |
/// |---|---|---|
/// | rsaEncryption (RFC 3279 §2.3.1) | NULL, absent | RSAPublicKey |
/// | id-ecPublicKey (RFC 5480) | P-256, P-384 or SM2 by name | point, uncompressed or compressed |
/// | SM2, 1.2.156.10197.1.301 (old CAs) | absent, NULL, SM2 | point |
///
/// The octets that were read are kept. Two keys are equal where their numbers are, however they were encoded;
/// compare [`spki_der`](Self::spki_der) to compare octets.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    spki: Vec<u8>,
    /// The value of the BIT STRING.
    bits: Vec<u8>,
    numbers: Numbers,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Numbers {
    Rsa(rsa::PublicKey),
    P256(p256::PublicKey),
    P384(p384::PublicKey),
    Sm2(aecm_sm::sm2::PublicKey),
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA.
    Rsa {
        /// The size of the modulus, in bits.
        bits: usize,
    },
    /// ECC on NIST P-256.
    P256,
    /// ECC on NIST P-384.
    P384,
    /// SM2 on the curve of GB/T 32918.5.
    Sm2,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo, whole and in DER.
    ///
    /// # Errors
    /// [`PublicKeyError`] for other algorithms and curves, parameters that do not fit, numbers out of range,
    /// points off the curve, trailing octets.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, PublicKeyError> {
        let (numbers, bits) = parse::spki(spki)?;
        Ok(Self(Arc::new(Inner { spki: spki.to_vec(), bits: bits.to_vec(), numbers })))
    }

    /// The SubjectPublicKeyInfo as it was read.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The kind of key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.0.numbers.kind()
    }

    /// The algorithm family.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self.0.numbers {
            Numbers::Sm2(_) => Suite::Sm2,
            Numbers::Rsa(_) | Numbers::P256(_) | Numbers::P384(_) => Suite::Classic,
        }
    }

    /// The key identifier of method 1: SHA-1 of the value of the BIT STRING (RFC 5280 §4.2.1.2).
    #[must_use]
    pub fn key_identifier(&self) -> [u8; 20] {
        let mut identifier = [0; 20];
        identifier.copy_from_slice(&DigestAlgorithm::Sha1.digest(&self.0.bits));
        identifier
    }

    /// The point `04‖X‖Y` of an elliptic-curve key: 65 octets, on P-384 97.
    #[must_use]
    pub fn sec1_point(&self) -> Option<Vec<u8>> {
        match &self.0.numbers {
            Numbers::Rsa(_) => None,
            Numbers::P256(key) => Some(key.to_sec1_point(false).as_bytes().to_vec()),
            Numbers::P384(key) => Some(key.to_sec1_point(false).as_bytes().to_vec()),
            Numbers::Sm2(key) => Some(key.to_sec1_bytes().to_vec()),
        }
    }

    /// The modulus n and the exponent e of an RSA key, big-endian, without leading zeros.
    #[must_use]
    pub fn rsa_parts(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match &self.0.numbers {
            Numbers::Rsa(key) => Some((strip(&key.n().to_be_bytes()), strip(&key.e().to_be_bytes()))),
            _ => None,
        }
    }

    /// The value of the BIT STRING, without the count of unused bits.
    pub(crate) fn bits(&self) -> &[u8] {
        &self.0.bits
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.0.numbers
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.numbers == other.0.numbers
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, ", self.kind())?;
        for octet in self.key_identifier() {
            write!(f, "{octet:02x}")?;
        }
        f.write_str(")")
    }
}

impl Numbers {
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa(key) => {
                KeyKind::Rsa { bits: usize::try_from(key.n().bit_width_vartime()).unwrap_or_default() }
            }
            Self::P256(_) => KeyKind::P256,
            Self::P384(_) => KeyKind::P384,
            Self::Sm2(_) => KeyKind::Sm2,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.pad("P-256"),
            Self::P384 => f.pad("P-384"),
            Self::Sm2 => f.pad("SM2"),
        }
    }
}

fn strip(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().skip_while(|octet| *octet == 0).collect()
}

#[cfg(test)]
mod tests;
