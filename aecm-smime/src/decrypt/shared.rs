//! The content key under a key that both sides have (KEKRecipientInfo), or under a password (RFC 3211).
//!
//! A wrong key looks like everything else that fails: it gives a content key that nobody has (THREATS E1).

use aecm_core::ecdh::KeyWrap;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::password::{KeyDerivation, PasswordError, Pbkdf2Params};
use aecm_core::tlv::{AlgorithmId, Reader, Rules};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::cipher::{BLOCK_SIZE, ContentCipher, cbc_blocks};
use crate::decrypt::DecryptError;
use crate::error::{At, Error};

/// How a KEKRecipientInfo wraps; whether a key has the size for it.
pub(super) fn wrap_of(algorithm: &AlgorithmId<'_>) -> Result<KeyWrap, DecryptError> {
    KeyWrap::from_oid(&algorithm.oid)
        .filter(|_| algorithm.parameters_absent_or_null())
        .ok_or(DecryptError::Unsupported { what: "the key wrap", oid: Some(algorithm.oid) })
}

/// PWRI-KEK (RFC 3211 §2.3) with its cipher.
pub(super) struct PasswordWrap<'a> {
    derivation: Option<Pbkdf2Params>,
    cipher: ContentCipher,
    iv: [u8; BLOCK_SIZE],
    wrapped: &'a [u8],
}

impl<'a> PasswordWrap<'a> {
    /// Reads the two algorithms of a PasswordRecipientInfo, before any work is done.
    ///
    /// ```text
    /// PWRI-KEK: parameters KeyEncryptionAlgorithmIdentifier   -- a block cipher in CBC with its IV
    /// ```
    pub(super) fn read(
        derivation: Option<&AlgorithmId<'_>>,
        algorithm: &AlgorithmId<'_>,
        wrapped: &'a [u8],
        limits: &Limits,
    ) -> Result<Self, DecryptError> {
        if algorithm.oid != oid::PWRI_KEK {
            return Err(DecryptError::Unsupported {
                what: "the key encryption under a password",
                oid: Some(algorithm.oid),
            });
        }
        let what = "PWRI-KEK.parameters";
        let mut reader = Reader::new(algorithm.parameters.unwrap_or_default(), Rules::Ber, limits);
        let inner = reader.algorithm().at(what)?;
        reader.finish().at(what)?;
        let cipher = ContentCipher::from_oid(&inner.oid)
            .filter(|cipher| !cipher.is_authenticated())
            .ok_or(DecryptError::Unsupported { what: "the cipher of PWRI-KEK", oid: Some(inner.oid) })?;
        let mut reader = Reader::new(inner.parameters.unwrap_or_default(), Rules::Ber, limits);
        let iv = reader.octet_string().at(what)?;
        reader.finish().at(what)?;
        let iv = iv
            .as_ref()
            .try_into()
            .map_err(|_| Error::Structure { what: "PWRI-KEK.parameters (IV)", why: "it is not one block" })?;
        let derivation = derivation.map(|one| pbkdf2(one, limits)).transpose()?;
        Ok(Self { derivation, cipher, iv, wrapped })
    }

    /// Iterations that the password costs, for every output of the pseudo-random function that the key needs; none
    /// where no password is asked for.
    pub(super) fn work(&self) -> u64 {
        let cost = |one: &Pbkdf2Params| KeyDerivation::Pbkdf2(one.clone()).work(self.key_size());
        self.derivation.as_ref().map_or(0, cost)
    }

    /// Octets of the key-encryption key.
    pub(super) const fn key_size(&self) -> usize {
        self.cipher.key_size()
    }

    /// The key-encryption key of a password.
    pub(super) fn derive(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let derivation = self.derivation.as_ref().ok_or(DecryptError::NoMatchingKey)?;
        derivation.derive(password, self.key_size()).map_err(|error| parameters(&error))
    }

    /// The content key of `size` octets, and whether it is one: else it is a key that nobody has.
    pub(super) fn unwrap(&self, kek: &[u8], size: usize) -> (Zeroizing<Vec<u8>>, bool) {
        let mut chosen = substitute(kek, self.wrapped, size);
        let Some(block) = self.decrypted(kek) else { return (chosen, false) };
        // CEKBLOCK: count, three check octets, key, padding.
        let [count, check @ ..] = block.as_slice() else { return (chosen, false) };
        let Some((check, key)) = check.split_at_checked(3) else { return (chosen, false) };
        let (Some(first), Some(candidate)) = (key.get(..3), key.get(..size)) else { return (chosen, false) };
        let mut good: Choice = usize::from(*count).ct_eq(&size);
        for (check, octet) in check.iter().zip(first) {
            good &= check.ct_eq(&!octet);
        }
        for (to, from) in chosen.iter_mut().zip(candidate) {
            to.conditional_assign(from, good);
        }
        (chosen, bool::from(good))
    }

    /// RFC 3211 §2.3.2: the last block gives the IV of the outer pass, the whole then that of the inner one.
    fn decrypted(&self, kek: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if self.wrapped.len() < 2 * BLOCK_SIZE || !self.wrapped.len().is_multiple_of(BLOCK_SIZE) {
            return None;
        }
        let (blocks, _) = self.wrapped.as_chunks::<BLOCK_SIZE>();
        let [.., before, last] = blocks else { return None };
        let outer_iv = cbc_blocks(self.cipher, kek, before, last)?;
        let outer_iv: &[u8; BLOCK_SIZE] = outer_iv.as_slice().try_into().ok()?;
        let inner = cbc_blocks(self.cipher, kek, outer_iv, self.wrapped)?;
        cbc_blocks(self.cipher, kek, &self.iv, &inner)
    }
}

fn pbkdf2(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<Pbkdf2Params, DecryptError> {
    Pbkdf2Params::from_algorithm(algorithm, limits).map_err(|error| parameters(&error))
}

fn parameters(error: &PasswordError) -> DecryptError {
    let what = "PBKDF2-params";
    match *error {
        PasswordError::Malformed(source) => Error::Tlv { what, source }.into(),
        PasswordError::Algorithm { algorithm, .. } => {
            DecryptError::Unsupported { what: "the key derivation", oid: Some(algorithm) }
        }
        PasswordError::Iterations { limit, .. } => {
            DecryptError::Limit { what: ITERATIONS, limit: usize::try_from(limit).unwrap_or(usize::MAX) }
        }
        PasswordError::KeyLength { .. } => {
            Error::Structure { what, why: "the length of the key is not that of its cipher" }.into()
        }
        _ => Error::Structure { what, why: "they are not those of PBKDF2 within its bounds" }.into(),
    }
}

/// What there may be too many of.
pub(super) const ITERATIONS: &str = "PBKDF2 iterations";

/// A key of up to 32 octets that is a PRF of key and ciphertext.
pub(super) fn substitute(kek: &[u8], wrapped: &[u8], size: usize) -> Zeroizing<Vec<u8>> {
    let mut block = Zeroizing::new([0_u8; 64]);
    block.iter_mut().zip(kek).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    mac.update(b"AECM content key rejection v1");
    mac.update(wrapped);
    let output: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
    Zeroizing::new(output.iter().copied().take(size).collect())
}
