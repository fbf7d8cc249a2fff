//! Verification: the table's lines to the primitives.

use alloc::vec::Vec;

use aecm_sm::sm2;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::Pss;
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::digest::DigestAlgorithm;
use crate::signature::{SignatureAlgorithm, Sm2Id};

use super::{Numbers, PublicKey, VerifyError};

/// Two INTEGERs of at most 33 octets in a SEQUENCE.
const MAX_DER_256: usize = 72;
/// Two INTEGERs of at most 49 octets in a SEQUENCE.
const MAX_DER_384: usize = 104;

impl PublicKey {
    /// Verifies `signature` over `message`.
    ///
    /// RSA signatures are exactly as long as the modulus and the whole padded block is compared (THREATS S10, S11);
    /// ECDSA and SM2 signatures are strict DER (S13). `sm2_id` matters to SM2 keys only. Whether the algorithm
    /// is strong enough is not asked here (S9).
    ///
    /// # Errors
    /// [`VerifyError`]; everything but [`VerifyError::Mismatch`] is found before the key is used.
    ///
    /// ```
    /// # use aecm_core::{digest::DigestAlgorithm, public_key::{PublicKey, VerifyError}, signature::{SignatureAlgorithm, Sm2Id}};
    /// # fn check(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
    /// key.verify(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256), Sm2Id::Default, message, signature)
    /// # }
    /// ```
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        sm2_id: Sm2Id<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match (algorithm, self.numbers()) {
            (SignatureAlgorithm::Sm2Sm3, Numbers::Sm2(key)) => verify_sm2(key, sm2_id, message, signature),
            _ => self.verify_hash(algorithm, &|| algorithm.digest().digest(message), signature),
        }
    }

    /// As [`PublicKey::verify`], for a message whose digest was made before: one that several keys signed is hashed
    /// once. For SM2 the digest is SM3 of the message without Z, which is no standard signature
    /// ([`Sm2Id::RawDigestNoZ`]).
    ///
    /// # Errors
    /// As [`PublicKey::verify`]; [`VerifyError::Mismatch`] for a digest of another size.
    pub fn verify_prehash(
        &self,
        algorithm: SignatureAlgorithm,
        hash: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if hash.len() != algorithm.digest().output_size() {
            return Err(VerifyError::Mismatch);
        }
        match (algorithm, self.numbers()) {
            (SignatureAlgorithm::Sm2Sm3, Numbers::Sm2(key)) => {
                check_der_size(signature, MAX_DER_256)?;
                let signature = sm2::Signature::from_der(signature).map_err(|_| VerifyError::Encoding)?;
                let e = hash.try_into().map_err(|_| VerifyError::Mismatch)?;
                key.verify_e(e, &signature).map_err(|_| VerifyError::Mismatch)
            }
            _ => self.verify_hash(algorithm, &|| hash.to_vec(), signature),
        }
    }

    /// RSA and ECDSA. The message is hashed only where the signature may be one.
    fn verify_hash(
        &self,
        algorithm: SignatureAlgorithm,
        hash: &dyn Fn() -> Vec<u8>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let mismatch = VerifyError::KeyMismatch { algorithm, key: self.kind() };
        if !algorithm.fits(self.kind()) {
            return Err(mismatch);
        }
        match (algorithm, self.numbers()) {
            (SignatureAlgorithm::RsaPkcs1(digest), Numbers::Rsa(key)) => {
                check_rsa_size(key, signature)?;
                let hash = hash();
                match digest {
                    DigestAlgorithm::Sha1 => key.pkcs1v15_verify_prehash::<Sha1>(&hash, signature),
                    DigestAlgorithm::Sha256 => key.pkcs1v15_verify_prehash::<Sha256>(&hash, signature),
                    DigestAlgorithm::Sha384 => key.pkcs1v15_verify_prehash::<Sha384>(&hash, signature),
                    DigestAlgorithm::Sha512 => key.pkcs1v15_verify_prehash::<Sha512>(&hash, signature),
                    DigestAlgorithm::Sm3 => return Err(mismatch),
                }
                .map_err(|_| VerifyError::Mismatch)
            }
            (SignatureAlgorithm::RsaPss(digest), Numbers::Rsa(key)) => {
                check_rsa_size(key, signature)?;
                let hash = hash();
                match digest {
                    DigestAlgorithm::Sha1 => key.pss_verify_prehash::<Sha1>(&hash, signature),
                    DigestAlgorithm::Sha256 => key.pss_verify_prehash::<Sha256>(&hash, signature),
                    DigestAlgorithm::Sha384 => key.pss_verify_prehash::<Sha384>(&hash, signature),
                    DigestAlgorithm::Sha512 => key.pss_verify_prehash::<Sha512>(&hash, signature),
                    DigestAlgorithm::Sm3 => return Err(mismatch),
                }
                .map_err(|_| VerifyError::Mismatch)
            }
            (SignatureAlgorithm::RsaPssSalt(digest, salt), Numbers::Rsa(key)) => {
                check_rsa_size(key, signature)?;
                let (hash, salt) = (hash(), usize::from(salt));
                match digest {
                    DigestAlgorithm::Sha1 => key.verify(Pss::<Sha1>::new_with_salt(salt), &hash, signature),
                    DigestAlgorithm::Sha256 => {
                        key.verify(Pss::<Sha256>::new_with_salt(salt), &hash, signature)
                    }
                    DigestAlgorithm::Sha384 => {
                        key.verify(Pss::<Sha384>::new_with_salt(salt), &hash, signature)
                    }
                    DigestAlgorithm::Sha512 => {
                        key.verify(Pss::<Sha512>::new_with_salt(salt), &hash, signature)
                    }
                    DigestAlgorithm::Sm3 => return Err(mismatch),
                }
                .map_err(|_| VerifyError::Mismatch)
            }
            (SignatureAlgorithm::Ecdsa(_), Numbers::P256(key)) => {
                check_der_size(signature, MAX_DER_256)?;
                let signature =
                    p256::ecdsa::Signature::from_der(signature).map_err(|_| VerifyError::Encoding)?;
                p256::ecdsa::VerifyingKey::from(key)
                    .verify_prehash(&as_number::<32>(hash()), &signature)
                    .map_err(|_| VerifyError::Mismatch)
            }
            (SignatureAlgorithm::Ecdsa(_), Numbers::P384(key)) => {
                check_der_size(signature, MAX_DER_384)?;
                let signature =
                    p384::ecdsa::Signature::from_der(signature).map_err(|_| VerifyError::Encoding)?;
                p384::ecdsa::VerifyingKey::from(key)
                    .verify_prehash(&as_number::<48>(hash()), &signature)
                    .map_err(|_| VerifyError::Mismatch)
            }
            _ => Err(mismatch),
        }
    }
}

/// A hash that is shorter than the curve's order is a smaller number (FIPS 186-5 §6.4.2), which the primitives take
/// with leading zeros only.
fn as_number<const SIZE: usize>(hash: Vec<u8>) -> Vec<u8> {
    match SIZE.checked_sub(hash.len()) {
        None | Some(0) => hash,
        Some(missing) => [alloc::vec![0; missing], hash].concat(),
    }
}

fn verify_sm2(
    key: &sm2::PublicKey,
    id: Sm2Id<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerifyError> {
    check_der_size(signature, MAX_DER_256)?;
    let signature = sm2::Signature::from_der(signature).map_err(|_| VerifyError::Encoding)?;
    let e = match id {
        Sm2Id::Default => key.e(sm2::DEFAULT_ID, message),
        Sm2Id::Other(id) => key.e(id, message),
        Sm2Id::RawDigestNoZ => Ok(aecm_sm::sm3::hash(message)),
    };
    let e = e.map_err(|error| match error {
        aecm_sm::Error::IdTooLong { octets } => VerifyError::IdTooLong { octets },
        _ => VerifyError::Mismatch,
    })?;
    key.verify_e(&e, &signature).map_err(|_| VerifyError::Mismatch)
}

/// As long as the modulus and, as a number, below it (RFC 8017 §8.1.2, §8.2.2, §5.2.2).
fn check_rsa_size(key: &rsa::PublicKey, signature: &[u8]) -> Result<(), VerifyError> {
    let expected = key.size();
    if signature.len() != expected {
        return Err(VerifyError::Length { octets: signature.len(), expected });
    }
    if signature >= super::strip(&key.n().to_be_bytes()).as_slice() {
        return Err(VerifyError::Encoding);
    }
    Ok(())
}

fn check_der_size(signature: &[u8], expected: usize) -> Result<(), VerifyError> {
    if signature.len() > expected {
        return Err(VerifyError::Length { octets: signature.len(), expected });
    }
    Ok(())
}
