//! The MAC over the content of a file.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::password::{KeyDerivation, PasswordError, Pkcs12Purpose, Prf, bmp_password, pkcs12_derive};
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tlv, write};
use subtle::ConstantTimeEq;

use super::Pkcs12Error;
use super::read::Budget;

/// Octets of the shortest key that PBMAC1 may use (THREATS K1: shorter ones have been guessed).
const MIN_PBMAC1_KEY: usize = 20;

/// Octets of the longest one: a block of the largest hash. HMAC hashes longer ones, and each output of the
/// pseudo-random function costs all iterations anew (THREATS E6).
const MAX_PBMAC1_KEY: usize = 128;

/// Verifies MacData over `content`.
///
/// ```text
/// MacData ::= SEQUENCE {                         -- RFC 7292 §4
///     mac         DigestInfo,                    -- SEQUENCE { AlgorithmIdentifier, OCTET STRING }
///     macSalt     OCTET STRING,
///     iterations  INTEGER DEFAULT 1 }
/// ```
///
/// With PBMAC1 as the algorithm of the digest, salt and iterations are not used (RFC 9579 §4).
pub(super) fn verify(
    data: &Tlv<'_>,
    content: &[u8],
    password: &str,
    budget: &mut Budget,
    limits: &Limits,
) -> Result<(), Pkcs12Error> {
    let mut fields = data.reader()?;
    let mut info = fields.sequence()?;
    let algorithm = info.algorithm()?;
    let stated = info.octet_string()?;
    info.finish()?;
    let salt = fields.octet_string()?;
    let iterations = if fields.is_empty() { 1 } else { fields.small()? };
    fields.finish()?;
    if algorithm.oid == oid::PBMAC1 {
        return pbmac1(&algorithm, &stated, content, password, budget, limits);
    }
    let unknown = Pkcs12Error::Mac { algorithm: Some(algorithm.oid), why: "this digest is not known" };
    let digest = DigestAlgorithm::from_oid(&algorithm.oid).ok_or(unknown)?;
    let size = digest.output_size();
    if stated.len() != size {
        return Err(Pkcs12Error::Mac { algorithm: None, why: "it has another length than its digest" });
    }
    let check = |password: &[u8], budget: &mut Budget| -> Result<bool, Pkcs12Error> {
        budget.spend(iterations)?;
        let key = pkcs12_derive(digest, password, &salt, Pkcs12Purpose::Mac, iterations, size, limits)?;
        let own = prf(digest).map(|prf| prf.mac(&key, content));
        Ok(own.is_some_and(|own| bool::from(own.ct_eq(&stated))))
    };
    let mut verified = check(&bmp_password(password), budget)?;
    if !verified && password.is_empty() {
        verified = check(&[], budget)?;
    }
    if verified { Ok(()) } else { Err(Pkcs12Error::WrongPassword) }
}

/// ```text
/// PBMAC1-params ::= SEQUENCE {                   -- RFC 8018 §A.5
///     keyDerivationFunc  AlgorithmIdentifier,    -- with its keyLength (RFC 9579 §5)
///     messageAuthScheme  AlgorithmIdentifier }
/// ```
fn pbmac1(
    algorithm: &AlgorithmId<'_>,
    stated: &[u8],
    content: &[u8],
    password: &str,
    budget: &mut Budget,
    limits: &Limits,
) -> Result<(), Pkcs12Error> {
    let wrong = |why| Pkcs12Error::Mac { algorithm: Some(oid::PBMAC1), why };
    let octets = algorithm.parameters.ok_or(wrong("it has no parameters"))?;
    let mut outer = Reader::new(octets, Rules::Ber, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let derivation = KeyDerivation::from_algorithm(&fields.algorithm()?, limits)?;
    let scheme = fields.algorithm()?;
    fields.finish()?;
    let prf = Prf::from_oid(&scheme.oid)
        .filter(|_| scheme.parameters_absent_or_null())
        .ok_or(Pkcs12Error::Mac { algorithm: Some(scheme.oid), why: "this function is not known" })?;
    let KeyDerivation::Pbkdf2(parameters) = &derivation else {
        return Err(wrong("its key is not derived by PBKDF2"));
    };
    let length = parameters.key_length().ok_or(wrong("it does not state the length of its key"))?;
    if length < MIN_PBMAC1_KEY {
        return Err(wrong("its key is shorter than 20 octets"));
    }
    if length > MAX_PBMAC1_KEY {
        return Err(wrong("its key is longer than 128 octets"));
    }
    if stated.len() != prf.output_size() {
        return Err(wrong("it has another length than its function gives"));
    }
    budget.spend_on(&derivation, length)?;
    let key = derivation.derive(password.as_bytes(), length)?;
    if bool::from(prf.mac(&key, content).ct_eq(stated)) { Ok(()) } else { Err(Pkcs12Error::WrongPassword) }
}

/// MacData of RFC 7292 over `content`.
pub(super) fn make(
    digest: DigestAlgorithm,
    content: &[u8],
    password: &str,
    salt: &[u8],
    iterations: u32,
) -> Result<Vec<u8>, Pkcs12Error> {
    let count = u64::from(iterations);
    let mut limits = Limits::default();
    limits.pbkdf2_iterations = count;
    let size = digest.output_size();
    let key = pkcs12_derive(digest, &bmp_password(password), salt, Pkcs12Purpose::Mac, count, size, &limits)?;
    let unknown = PasswordError::Algorithm { role: "MAC", algorithm: digest.oid() };
    let mac = prf(digest).ok_or(unknown)?.mac(&key, content);
    let null = write::null();
    let info = write::sequence(&[
        // With NULL, as all writers have it.
        &write::algorithm(&digest.oid(), Some(&null)),
        &write::octet_string(&mac),
    ]);
    Ok(write::sequence(&[&info, &write::octet_string(salt), &write::small(count)]))
}

fn prf(digest: DigestAlgorithm) -> Option<Prf> {
    match digest {
        DigestAlgorithm::Sha1 => Some(Prf::HmacSha1),
        DigestAlgorithm::Sha256 => Some(Prf::HmacSha256),
        DigestAlgorithm::Sha384 => Some(Prf::HmacSha384),
        DigestAlgorithm::Sha512 => Some(Prf::HmacSha512),
        DigestAlgorithm::Sm3 => Some(Prf::HmacSm3),
        _ => None,
    }
}
