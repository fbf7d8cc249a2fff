//! From SubjectPublicKeyInfo to checked numbers.

use rsa::BoxedUint;

use crate::limits::Limits;
use crate::oid;
use crate::tlv::{AlgorithmId, Reader, Rules, Tag, write};

use super::{MAX_RSA_BITS, MIN_RSA_BITS, Numbers, PublicKeyError};

/// RFC 8017 allows any; more only costs the verifier (THREATS A4): e below 2³³.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// The numbers and the value of the BIT STRING.
pub(super) fn spki(octets: &[u8]) -> Result<(Numbers, &[u8]), PublicKeyError> {
    let limits = Limits::default();
    let mut outer = Reader::new(octets, Rules::Der, &limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let algorithm = fields.algorithm()?;
    let bits = fields.bit_string()?;
    fields.finish()?;
    let numbers = match algorithm.oid {
        oid::RSA_ENCRYPTION if algorithm.parameters_absent_or_null() => rsa(bits, &limits)?,
        oid::EC_PUBLIC_KEY => point(&curve(&algorithm, &limits)?, bits)?,
        oid::SM2_CURVE
            if algorithm.parameters_absent_or_null()
                || algorithm.parameters == Some(write::oid(&oid::SM2_CURVE).as_slice()) =>
        {
            point(&oid::SM2_CURVE, bits)?
        }
        oid::RSA_ENCRYPTION | oid::SM2_CURVE => {
            return Err(PublicKeyError::Parameters { algorithm: algorithm.oid });
        }
        other => return Err(PublicKeyError::Algorithm { algorithm: other }),
    };
    Ok((numbers, bits))
}

/// The named curve of id-ecPublicKey; curves that are spelt out are refused (THREATS E4).
fn curve(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<oid::ObjectIdentifier, PublicKeyError> {
    let wrong = PublicKeyError::Parameters { algorithm: algorithm.oid };
    let mut reader = Reader::new(algorithm.parameters.ok_or(wrong)?, Rules::Der, limits);
    match reader.peek()? {
        Some(Tag::OID) => Ok(reader.oid()?),
        Some(Tag::SEQUENCE) => Err(PublicKeyError::ExplicitCurve),
        _ => Err(wrong),
    }
}

/// A point `02`, `03` or `04` on the named curve.
fn point(curve: &oid::ObjectIdentifier, octets: &[u8]) -> Result<Numbers, PublicKeyError> {
    let known = matches!(*curve, oid::PRIME256V1 | oid::SECP384R1 | oid::SM2_CURVE);
    if !known {
        return Err(PublicKeyError::Curve { curve: *curve });
    }
    match octets.first() {
        Some(2..=4) => {}
        Some(0) => return Err(PublicKeyError::Point { why: "it is the point at infinity" }),
        _ => return Err(PublicKeyError::Point { why: "its first octet is none of 02, 03, 04" }),
    }
    let off = PublicKeyError::Point { why: "it is not a point of the curve" };
    match *curve {
        oid::PRIME256V1 => p256::PublicKey::from_sec1_bytes(octets).map(Numbers::P256).map_err(|_| off),
        oid::SECP384R1 => p384::PublicKey::from_sec1_bytes(octets).map(Numbers::P384).map_err(|_| off),
        _ => aecm_sm::sm2::PublicKey::from_sec1_bytes(octets).map(Numbers::Sm2).map_err(|_| off),
    }
}

/// ```text
/// RSAPublicKey ::= SEQUENCE {      -- RFC 8017 §A.1.1
///     modulus         INTEGER,
///     publicExponent  INTEGER }
/// ```
fn rsa(octets: &[u8], limits: &Limits) -> Result<Numbers, PublicKeyError> {
    let mut outer = Reader::new(octets, Rules::Der, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let modulus = unsigned(fields.integer()?).ok_or(PublicKeyError::NegativeNumber)?;
    let exponent = unsigned(fields.integer()?).ok_or(PublicKeyError::NegativeNumber)?;
    fields.finish()?;

    let bits = bit_length(modulus);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(PublicKeyError::ModulusSize { bits });
    }
    if modulus.last().is_none_or(|last| last & 1 == 0) {
        return Err(PublicKeyError::EvenModulus);
    }
    let e = exponent
        .iter()
        .try_fold(0_u64, |sum, octet| sum.checked_mul(256).map(|shifted| shifted | u64::from(*octet)));
    if !e.is_some_and(|e| e & 1 == 1 && (3..=MAX_EXPONENT).contains(&e)) {
        return Err(PublicKeyError::Exponent);
    }
    let number = |octets: &[u8]| {
        let precision = u32::try_from(octets.len().saturating_mul(8)).ok()?;
        BoxedUint::from_be_slice(octets, precision).ok()
    };
    let (n, e) = number(modulus).zip(number(exponent)).ok_or(PublicKeyError::ModulusSize { bits })?;
    rsa::PublicKey::new(n, e).map(Numbers::Rsa).map_err(|_| PublicKeyError::ModulusSize { bits })
}

/// The octets of a non-negative INTEGER without its sign octet.
fn unsigned(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, rest @ ..] => Some(rest),
        [first, ..] if *first & 0x80 == 0 => Some(content),
        _ => None,
    }
}

/// `octets` has no leading zero octet.
fn bit_length(octets: &[u8]) -> usize {
    octets.first().map_or(0, |first| {
        let unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
        octets.len().saturating_mul(8).saturating_sub(unused)
    })
}
