//! Private keys from DER, checked.

use rsa::pkcs1::DecodeRsaPrivateKey;
use zeroize::Zeroizing;

use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::public_key::{MAX_RSA_BITS, PublicKeyError};
use crate::tlv::{Reader, Rules, Tag};

use super::pem::Label;
use super::{Secret, SoftwareKey, SoftwareKeyError};

/// Reads what `label` promises. OpenSSL writes PKCS#8 under `SM2 PRIVATE KEY` too, so that is looked at.
pub(super) fn labelled(label: Label, der: &[u8]) -> Result<SoftwareKey, SoftwareKeyError> {
    if label == Label::Encrypted {
        return Err(SoftwareKeyError::Encrypted);
    }
    let form = form(der)?;
    match (label, form) {
        (Label::Pkcs8, Form::Pkcs8) | (Label::Sec1, Form::Pkcs8) => pkcs8(der),
        (Label::Sec1, Form::Sec1) => sec1(der, None),
        (Label::Pkcs1, Form::Pkcs1) => pkcs1(der),
        _ => Err(SoftwareKeyError::Parameters),
    }
}

/// Reads any of the forms; the first fields tell them apart.
pub(super) fn any(der: &[u8]) -> Result<SoftwareKey, SoftwareKeyError> {
    match form(der)? {
        Form::Pkcs8 => pkcs8(der),
        Form::Sec1 => sec1(der, None),
        Form::Pkcs1 => pkcs1(der),
    }
}

enum Form {
    Pkcs8,
    Sec1,
    Pkcs1,
}

fn form(der: &[u8]) -> Result<Form, SoftwareKeyError> {
    let mut fields = whole(der)?;
    if fields.peek()? == Some(Tag::SEQUENCE) {
        // EncryptedPrivateKeyInfo begins with an AlgorithmIdentifier (RFC 5208 §6).
        return Err(SoftwareKeyError::Encrypted);
    }
    fields.integer()?;
    Ok(match fields.peek()? {
        Some(Tag::OCTET_STRING) => Form::Sec1,
        Some(Tag::INTEGER) => Form::Pkcs1,
        _ => Form::Pkcs8,
    })
}

/// ```text
/// PrivateKeyInfo ::= SEQUENCE {                           -- RFC 5208 §5
///     version              INTEGER { v1(0), v2(1) },
///     privateKeyAlgorithm  AlgorithmIdentifier,
///     privateKey           OCTET STRING,
///     attributes           [0] IMPLICIT SET OF Attribute OPTIONAL,
///     publicKey            [1] IMPLICIT BIT STRING OPTIONAL }  -- v2, RFC 5958 §2
/// ```
fn pkcs8(der: &[u8]) -> Result<SoftwareKey, SoftwareKeyError> {
    let mut fields = whole(der)?;
    let version = fields.small()?;
    if version > 1 {
        return Err(SoftwareKeyError::Version { version });
    }
    let algorithm = fields.algorithm()?;
    let inner = fields.expect(Tag::OCTET_STRING)?;
    fields.context(0)?;
    let public_key = if version == 1 { fields.context(1)? } else { None };
    fields.finish()?;

    let key = match algorithm.oid {
        oid::RSA_ENCRYPTION if algorithm.parameters_absent_or_null() => pkcs1(inner.content())?,
        oid::RSA_ENCRYPTION => return Err(SoftwareKeyError::Parameters),
        oid::EC_PUBLIC_KEY => {
            let parameters = algorithm.parameters.ok_or(SoftwareKeyError::CurveNotNamed)?;
            let mut reader = Reader::new(parameters, Rules::Der, &Limits::default());
            if reader.peek()? != Some(Tag::OID) {
                return Err(SoftwareKeyError::CurveNotNamed);
            }
            sec1(inner.content(), Some(reader.oid()?))?
        }
        algorithm => return Err(SoftwareKeyError::Algorithm { algorithm }),
    };
    if let Some(stated) = public_key {
        same_public_key(&key, stated.bits()?)?;
    }
    Ok(key)
}

/// ```text
/// ECPrivateKey ::= SEQUENCE {          -- RFC 5915 §3
///     version     INTEGER { v1(1) },
///     privateKey  OCTET STRING,        -- as long as the order
///     parameters  [0] ECParameters OPTIONAL,
///     publicKey   [1] BIT STRING OPTIONAL }
/// ```
fn sec1(der: &[u8], outer_curve: Option<ObjectIdentifier>) -> Result<SoftwareKey, SoftwareKeyError> {
    let mut fields = whole(der)?;
    let version = fields.small()?;
    if version != 1 {
        return Err(SoftwareKeyError::Version { version });
    }
    let number = fields.expect(Tag::OCTET_STRING)?.content();
    let inner_curve = match fields.context(0)? {
        Some(parameters) => {
            let mut reader = parameters.reader()?;
            if reader.peek()? != Some(Tag::OID) {
                return Err(SoftwareKeyError::CurveNotNamed);
            }
            let curve = reader.oid()?;
            reader.finish()?;
            Some(curve)
        }
        None => None,
    };
    let public_key = match fields.context(1)? {
        Some(field) => {
            let mut reader = field.reader()?;
            let bits = reader.bit_string()?;
            reader.finish()?;
            Some(bits)
        }
        None => None,
    };
    fields.finish()?;

    let curve = match (outer_curve, inner_curve) {
        (Some(outer), Some(inner)) if outer != inner => return Err(SoftwareKeyError::CurveMismatch),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(SoftwareKeyError::CurveNotNamed),
    };
    let out_of_range = SoftwareKeyError::OutOfRange;
    let secret = match curve {
        oid::PRIME256V1 => p256::SecretKey::from_bytes(&(*padded::<32>(number)?).into())
            .map(|key| Secret::P256((&key).into()))
            .map_err(|_| out_of_range)?,
        oid::SECP384R1 => p384::SecretKey::from_bytes(&(*padded::<48>(number)?).into())
            .map(|key| Secret::P384((&key).into()))
            .map_err(|_| out_of_range)?,
        oid::SM2_CURVE => aecm_sm::sm2::PrivateKey::from_bytes(&*padded::<32>(number)?)
            .map(Secret::Sm2)
            .map_err(|_| out_of_range)?,
        curve => return Err(SoftwareKeyError::Curve { curve }),
    };
    let key = SoftwareKey::new(secret)?;
    if let Some(stated) = public_key {
        same_public_key(&key, (0, stated))?;
    }
    Ok(key)
}

/// RSAPrivateKey of RFC 8017 §A.1.2 with two primes.
fn pkcs1(der: &[u8]) -> Result<SoftwareKey, SoftwareKeyError> {
    let mut fields = whole(der)?;
    let version = fields.small()?;
    if version != 0 {
        return Err(SoftwareKeyError::Version { version });
    }
    // Before anything is computed with it (THREATS A4).
    let bits = fields.integer()?.len().saturating_mul(8);
    if bits > MAX_RSA_BITS.saturating_add(8) {
        return Err(SoftwareKeyError::PublicKey(PublicKeyError::ModulusSize { bits }));
    }
    for _ in 0..7 {
        fields.integer()?;
    }
    fields.finish()?;
    let key = rsa::PrivateKey::from_pkcs1_der(der).map_err(|_| SoftwareKeyError::RsaInconsistent)?;
    SoftwareKey::new(Secret::Rsa(key))
}

/// The fields of the one SEQUENCE that `der` must be.
fn whole(der: &[u8]) -> Result<Reader<'_>, SoftwareKeyError> {
    let mut outer = Reader::new(der, Rules::Der, &Limits::default());
    let fields = outer.sequence()?;
    outer.finish()?;
    Ok(fields)
}

/// A number on exactly N octets; shorter ones, of writers that drop leading zeros, are padded.
fn padded<const N: usize>(number: &[u8]) -> Result<Zeroizing<[u8; N]>, SoftwareKeyError> {
    let zeros = N.checked_sub(number.len()).ok_or(SoftwareKeyError::OutOfRange)?;
    let mut octets = Zeroizing::new([0; N]);
    octets.iter_mut().skip(zeros).zip(number).for_each(|(to, from)| *to = *from);
    Ok(octets)
}

/// Whether the public key that a file states is that of its private key (THREATS K8).
fn same_public_key(key: &SoftwareKey, (unused, stated): (u8, &[u8])) -> Result<(), SoftwareKeyError> {
    let same = match key.public_key().sec1_point() {
        Some(point) => match (point.split_at_checked(point.len() / 2 + 1), stated) {
            // Compressed: X and the parity of Y.
            (Some((start, y)), [sign @ (2 | 3), x @ ..]) => {
                start.get(1..) == Some(x) && y.last().map(|last| 2 | (last & 1)) == Some(*sign)
            }
            _ => point == stated,
        },
        // RSA: the whole RSAPublicKey.
        None => super::write::rsa_public_key(key.public_key()).is_some_and(|own| own == stated),
    };
    if same && unused == 0 { Ok(()) } else { Err(SoftwareKeyError::PublicKeyMismatch) }
}
