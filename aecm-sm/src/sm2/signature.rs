//! The signature value and its two encodings.

use alloc::{vec, vec::Vec};
use core::fmt;
use der::{Decode, Sequence, asn1::UintRef};

use crate::{Error, hex::Hex};

use super::arithmetic::nonzero_scalar;

/// Tags of X.690 §8.
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// An SM2 signature: r and s, both in `1..=n-1`.
///
/// ```text
/// SM2Signature ::= SEQUENCE {   -- GB/T 35276 §7.3
///     r  INTEGER,
///     s  INTEGER }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    r: [u8; 32],
    s: [u8; 32],
}

/// The DER form; the reader refuses BER lengths, padded or negative INTEGERs and trailing octets.
#[derive(Sequence)]
struct Sm2Signature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

impl Signature {
    /// Reads the DER form, as CMS, certificates and requests carry it.
    ///
    /// # Errors
    ///
    /// [`Error::SignatureEncoding`] where the octets are not strict DER, something follows them, or r or s is
    /// out of range.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let parsed = Sm2Signature::from_der(der).map_err(|_| Error::SignatureEncoding {
            reason: "not one DER SEQUENCE of two positive INTEGERs",
        })?;
        let number = |value: &UintRef<'_>| {
            pad(value.as_bytes()).ok_or(Error::SignatureEncoding { reason: "r or s is longer than 256 bits" })
        };
        Self::new(number(&parsed.r)?, number(&parsed.s)?)
    }

    /// Reads r‖s, 32 octets each, big-endian.
    ///
    /// # Errors
    ///
    /// [`Error::SignatureEncoding`] where r or s is out of range.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, Error> {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        let (left, right) = bytes.split_at(32);
        r.copy_from_slice(left);
        s.copy_from_slice(right);
        Self::new(r, s)
    }

    pub(super) fn new(r: [u8; 32], s: [u8; 32]) -> Result<Self, Error> {
        if nonzero_scalar(&r).is_none() || nonzero_scalar(&s).is_none() {
            return Err(Error::SignatureEncoding { reason: "r or s is not in 1..=n-1" });
        }
        Ok(Self { r, s })
    }

    /// The DER form, 8 to 72 octets.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        // Written by hand because this cannot fail: at most 70 octets of content, every length in one octet.
        let mut der = vec![SEQUENCE, 0];
        let numbers = write_integer(&mut der, &self.r).saturating_add(write_integer(&mut der, &self.s));
        if let Some(length) = der.get_mut(1) {
            *length = numbers;
        }
        der
    }

    /// r‖s, 32 octets each, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (left, right) = bytes.split_at_mut(32);
        left.copy_from_slice(&self.r);
        right.copy_from_slice(&self.s);
        bytes
    }

    pub(super) fn r(&self) -> &[u8; 32] {
        &self.r
    }

    pub(super) fn s(&self) -> &[u8; 32] {
        &self.s
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("r", &Hex(&self.r)).field("s", &Hex(&self.s)).finish()
    }
}

/// Appends a minimal positive INTEGER and returns how many octets that took.
fn write_integer(der: &mut Vec<u8>, number: &[u8; 32]) -> u8 {
    let mut zeros = 0_u8;
    let mut rest = number.as_slice();
    while let [0, tail @ ..] = rest {
        rest = tail;
        zeros = zeros.saturating_add(1);
    }
    let sign = u8::from(rest.first().is_none_or(|first| *first >= 0x80));
    let length = 32_u8.saturating_sub(zeros).saturating_add(sign);
    der.extend([INTEGER, length]);
    der.extend((sign == 1).then_some(0));
    der.extend_from_slice(rest);
    length.saturating_add(2)
}

/// Up to 32 octets, padded on the left.
pub(super) fn pad(octets: &[u8]) -> Option<[u8; 32]> {
    let mut padded = [0; 32];
    let zeros = padded.len().checked_sub(octets.len())?;
    padded.get_mut(zeros..)?.copy_from_slice(octets);
    Some(padded)
}
