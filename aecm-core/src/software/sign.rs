//! Signing with a key in memory.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::hazmat::RandomizedPrehashSigner;
use sha2::{Sha256, Sha384, Sha512};

use crate::digest::DigestAlgorithm;
use crate::embed::{RandCore, Rng};
use crate::key::{KeyError, Signer};
use crate::public_key::{KeyKind, PublicKey};
use crate::signature::SignatureAlgorithm;

use super::{Secret, SoftwareKey};

/// A key in memory that signs.
///
/// RSA operations are blinded; the nonces of ECDSA and SM2 are derived from key, message and fresh randomness
/// (RFC 6979 §3.6), so that a weak random source alone gives nothing away.
#[derive(Clone)]
pub struct SoftwareSigner {
    key: SoftwareKey,
    rng: Arc<dyn Rng>,
}

impl SoftwareSigner {
    pub(super) fn new(key: SoftwareKey, rng: Arc<dyn Rng>) -> Self {
        Self { key, rng }
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl Signer for SoftwareSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// RSA: PKCS#1 v1.5 with SHA-256; P-256 and P-384: ECDSA with SHA-256 and SHA-384; SM2 with SM3.
    fn algorithm(&self) -> SignatureAlgorithm {
        preferred(self.key.public_key())
    }

    /// Takes every algorithm that fits the key ([`SignatureAlgorithm::fits`]) except those with SHA-1.
    async fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        sign(&self.key, &*self.rng, algorithm, message)
    }
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareSigner").field("key", &self.key).finish_non_exhaustive()
    }
}

pub(super) fn preferred(key: &PublicKey) -> SignatureAlgorithm {
    match key.kind() {
        KeyKind::Rsa { .. } => SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
        KeyKind::P256 => SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
        KeyKind::P384 => SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384),
        KeyKind::Sm2 => SignatureAlgorithm::Sm2Sm3,
    }
}

pub(super) fn sign(
    key: &SoftwareKey,
    rng: &dyn Rng,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let unsupported = KeyError::Unsupported(algorithm.name());
    if !algorithm.fits(key.public_key().kind()) {
        return Err(unsupported);
    }
    if algorithm.digest().is_weak() {
        return Err(KeyError::Refused("signatures with a weak digest are verified, never made"));
    }
    let mut rng = RandCore(rng);
    let digest = || algorithm.digest().digest(message);
    match (algorithm, &*key.secret) {
        (SignatureAlgorithm::RsaPkcs1(hash), Secret::Rsa(secret)) => match hash {
            DigestAlgorithm::Sha256 => {
                secret.pkcs1v15_sign_prehash_with_rng::<Sha256, _>(&mut rng, &digest())
            }
            DigestAlgorithm::Sha384 => {
                secret.pkcs1v15_sign_prehash_with_rng::<Sha384, _>(&mut rng, &digest())
            }
            DigestAlgorithm::Sha512 => {
                secret.pkcs1v15_sign_prehash_with_rng::<Sha512, _>(&mut rng, &digest())
            }
            DigestAlgorithm::Sha1 | DigestAlgorithm::Sm3 => return Err(unsupported),
        }
        .map_err(|error| rsa_error(&error)),
        (SignatureAlgorithm::RsaPss(hash), Secret::Rsa(secret)) => match hash {
            DigestAlgorithm::Sha256 => secret.pss_sign_prehash_with_rng::<Sha256, _>(&mut rng, &digest()),
            DigestAlgorithm::Sha384 => secret.pss_sign_prehash_with_rng::<Sha384, _>(&mut rng, &digest()),
            DigestAlgorithm::Sha512 => secret.pss_sign_prehash_with_rng::<Sha512, _>(&mut rng, &digest()),
            DigestAlgorithm::Sha1 | DigestAlgorithm::Sm3 => return Err(unsupported),
        }
        .map_err(|error| rsa_error(&error)),
        (SignatureAlgorithm::Ecdsa(_), Secret::P256(secret)) => {
            let signature: Result<p256::ecdsa::Signature, _> =
                secret.sign_prehash_with_rng(&mut rng, &digest());
            signature.map(|signature| signature.to_der().as_bytes().to_vec()).map_err(|_| KeyError::Rng)
        }
        (SignatureAlgorithm::Ecdsa(_), Secret::P384(secret)) => {
            let signature: Result<p384::ecdsa::Signature, _> =
                secret.sign_prehash_with_rng(&mut rng, &digest());
            signature.map(|signature| signature.to_der().as_bytes().to_vec()).map_err(|_| KeyError::Rng)
        }
        (SignatureAlgorithm::Sm2Sm3, Secret::Sm2(secret)) => secret
            .sign(aecm_sm::sm2::DEFAULT_ID, message, &mut rng)
            .map(|signature| signature.to_der())
            .map_err(|_| KeyError::Rng),
        _ => Err(unsupported),
    }
}

/// What is left for a key that was checked: the random source, or a modulus too short for the digest.
fn rsa_error(error: &rsa::errors::Error) -> KeyError {
    match error {
        rsa::errors::Error::Rng => KeyError::Rng,
        _ => KeyError::Unsupported("a digest of that size with so short a modulus"),
    }
}
