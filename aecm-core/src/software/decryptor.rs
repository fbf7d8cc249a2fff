//! Unwrapping content keys with a key in memory, without telling what went wrong (THREATS E1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::ecdh;
use crate::embed::{RandCore, Rng};
use crate::key::{Decryptor, KeyError, RecipientParameters};
use crate::public_key::PublicKey;
use crate::signature::SignatureAlgorithm;

use super::{Secret, SoftwareKey, oaep, possession, sign};

/// The longest content key that is unwrapped, in octets: more than any cipher or MAC of CMS has.
const MAX_KEY_LENGTH: usize = 128;

const REJECTION_LABEL: &[u8] = b"AECM content key rejection secret v1";

/// A key in memory that opens what was encrypted to it.
///
/// It has no way to sign a message; [`Decryptor::prove_possession`] signs certification requests of its own key.
#[derive(Clone)]
pub struct SoftwareDecryptor {
    key: SoftwareKey,
    rng: Arc<dyn Rng>,
    /// HMAC-SHA-256 of a label under the PKCS#8 octets: the same wherever the same key is, and of no use for
    /// anything else.
    rejection: Zeroizing<[u8; 32]>,
}

impl SoftwareDecryptor {
    pub(super) fn new(key: SoftwareKey, rng: Arc<dyn Rng>) -> Self {
        let rejection = hmac(&key.to_pkcs8_der(), &[REJECTION_LABEL]);
        Self { key, rng, rejection }
    }

    /// The plaintext, or nothing where padding, length or C3 are wrong.
    ///
    /// PKCS#1 v1.5 has implicit rejection in the layer below: bad padding gives a plaintext of a length that
    /// depends on key and ciphertext, and whose length the caller's comparison replaces like any other.
    fn open(
        &self,
        parameters: &RecipientParameters<'_>,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match (parameters, &*self.key.secret) {
            (RecipientParameters::RsaOaep { digest, mgf_digest, label }, Secret::Rsa(key)) => {
                rsa_opened(oaep::decrypt(key, &*self.rng, (*digest, *mgf_digest), label, ciphertext)?)
            }
            (RecipientParameters::RsaPkcs1, Secret::Rsa(key)) => {
                rsa_opened(key.pkcs1v15_decrypt_with_rng(&mut RandCore(&*self.rng), ciphertext))
            }
            (RecipientParameters::Sm2 { form }, Secret::Sm2(key)) => {
                Ok(key.decrypt(ciphertext, *form).unwrap_or_default())
            }
            (RecipientParameters::RsaOaep { .. } | RecipientParameters::RsaPkcs1, _) => {
                Err(KeyError::Unsupported("RSA key transport"))
            }
            (RecipientParameters::Sm2 { .. }, _) => Err(KeyError::Unsupported("SM2 decryption")),
            (RecipientParameters::Ecdh { originator, kdf, wrap, shared_info }, secret) => {
                let shared = match secret {
                    Secret::P256(key) => ecdh::secret_256(key, originator),
                    Secret::P384(key) => ecdh::secret_384(key, originator),
                    Secret::Rsa(_) | Secret::Sm2(_) => return Err(KeyError::Unsupported("ECDH")),
                };
                // What is no point of the curve goes on with a secret that nobody has (THREATS E4).
                let shared = shared.unwrap_or_else(|| self.substitute(originator, 32));
                let kek = ecdh::x963(*kdf, &shared, shared_info, wrap.key_size());
                Ok(wrap.unwrap(&kek, ciphertext).unwrap_or_default())
            }
        }
    }

    /// PRF(rejection secret, ciphertext) in counter mode; the length is part of the input.
    fn substitute(&self, ciphertext: &[u8], key_length: u8) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(vec![0; usize::from(key_length)]);
        for (block, counter) in octets.chunks_mut(32).zip(0_u8..) {
            let output = hmac(&*self.rejection, &[&[counter, key_length], ciphertext]);
            block.iter_mut().zip(output.iter()).for_each(|(to, from)| *to = *from);
        }
        octets
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl Decryptor for SoftwareDecryptor {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// `key_length` is from 1 to 128 octets.
    async fn unwrap_key(
        &self,
        parameters: &RecipientParameters<'_>,
        ciphertext: &[u8],
        key_length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let length = u8::try_from(key_length)
            .ok()
            .filter(|_| (1..=MAX_KEY_LENGTH).contains(&key_length))
            .ok_or(KeyError::Unsupported("content keys of other than 1 to 128 octets"))?;
        // Made in every case, before anything is known.
        let mut chosen = self.substitute(ciphertext, length);
        let opened = self.open(parameters, ciphertext)?;

        let mut candidate = Zeroizing::new(vec![0; key_length]);
        candidate.iter_mut().zip(opened.iter()).for_each(|(to, from)| *to = *from);
        let fits: Choice = opened.len().ct_eq(&key_length);
        for (chosen, candidate) in chosen.iter_mut().zip(candidate.iter()) {
            chosen.conditional_assign(candidate, fits);
        }
        Ok(chosen)
    }

    fn proof_algorithm(&self) -> SignatureAlgorithm {
        sign::preferred(self.key.public_key())
    }

    async fn prove_possession(&self, certification_request_info: &[u8]) -> Result<Vec<u8>, KeyError> {
        possession::check(certification_request_info, self.key.public_key())?;
        sign::sign(&self.key, &*self.rng, self.proof_algorithm(), certification_request_info)
    }
}

impl fmt::Debug for SoftwareDecryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareDecryptor").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Only a failing random source is an error; everything else is an empty plaintext, which no key length fits.
fn rsa_opened(opened: Result<Vec<u8>, rsa::errors::Error>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match opened {
        Err(rsa::errors::Error::Rng) => Err(KeyError::Rng),
        opened => Ok(Zeroizing::new(opened.unwrap_or_default())),
    }
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // A key of one block never fails; longer keys are hashed first, shorter ones padded (RFC 2104 §2).
    let mut block = Zeroizing::new([0; 64]);
    let hashed: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(key).into());
    let key = if key.len() > block.len() { hashed.as_slice() } else { key };
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}
