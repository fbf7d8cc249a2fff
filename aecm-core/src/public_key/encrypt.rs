//! Encryption of content keys to the holder of a public key.

use alloc::vec::Vec;

use sha2::{Sha256, Sha384, Sha512};

use crate::digest::DigestAlgorithm;
use crate::embed::{RandCore, Rng};

use super::{EncryptError, Numbers, PublicKey};

impl PublicKey {
    /// RSAES-OAEP (RFC 8017 §7.1) with `digest` for label and MGF1 and an empty label. SHA-1, the default of the
    /// standard, is read elsewhere and not written here.
    ///
    /// # Errors
    /// [`EncryptError::Unsupported`] for other kinds of key and for SHA-1 and SM3; [`EncryptError::TooLong`]
    /// above the modulus size less two digests and two octets; [`EncryptError::Empty`]; [`EncryptError::Rng`].
    pub fn encrypt_rsa_oaep(
        &self,
        digest: DigestAlgorithm,
        key: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, EncryptError> {
        let recipient = self.rsa_recipient("RSAES-OAEP", key)?;
        let rng = &mut RandCore(rng);
        match digest {
            DigestAlgorithm::Sha256 => recipient.oaep_encrypt_with_rng::<Sha256, _>(rng, key),
            DigestAlgorithm::Sha384 => recipient.oaep_encrypt_with_rng::<Sha384, _>(rng, key),
            DigestAlgorithm::Sha512 => recipient.oaep_encrypt_with_rng::<Sha512, _>(rng, key),
            DigestAlgorithm::Sha1 => return Err(self.unsupported("RSAES-OAEP with SHA-1")),
            DigestAlgorithm::Sm3 => return Err(self.unsupported("RSAES-OAEP with SM3")),
        }
        .map_err(|error| rsa_error(&error, key))
    }

    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2), for readers that know nothing better (THREATS E1).
    ///
    /// # Errors
    /// [`EncryptError::Unsupported`] for other kinds of key; [`EncryptError::TooLong`] above the modulus size
    /// less 11 octets; [`EncryptError::Empty`]; [`EncryptError::Rng`].
    pub fn encrypt_rsa_pkcs1(&self, key: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, EncryptError> {
        self.rsa_recipient("RSAES-PKCS1-v1_5", key)?
            .pkcs1v15_encrypt_with_rng(&mut RandCore(rng), key)
            .map_err(|error| rsa_error(&error, key))
    }

    /// SM2 encryption (GB/T 32918.4) in the DER form of GB/T 35276 §7.2.
    ///
    /// # Errors
    /// [`EncryptError::Unsupported`] for other kinds of key; [`EncryptError::TooLong`];
    /// [`EncryptError::Empty`]; [`EncryptError::Rng`].
    pub fn encrypt_sm2_der(&self, key: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, EncryptError> {
        let Numbers::Sm2(recipient) = self.numbers() else {
            return Err(self.unsupported("SM2 encryption"));
        };
        recipient.encrypt_der(key, &mut RandCore(rng)).map_err(|error| match error {
            aecm_sm::Error::EmptyPlaintext => EncryptError::Empty,
            aecm_sm::Error::TooLong { octets } => EncryptError::TooLong { octets },
            _ => EncryptError::Rng,
        })
    }

    fn rsa_recipient(&self, what: &'static str, key: &[u8]) -> Result<&rsa::PublicKey, EncryptError> {
        match self.numbers() {
            Numbers::Rsa(_) if key.is_empty() => Err(EncryptError::Empty),
            Numbers::Rsa(recipient) => Ok(recipient),
            _ => Err(self.unsupported(what)),
        }
    }

    fn unsupported(&self, what: &'static str) -> EncryptError {
        EncryptError::Unsupported { what, key: self.kind() }
    }
}

/// The numbers of the key were checked when it was read: what is left is the length and the random source.
fn rsa_error(error: &rsa::errors::Error, key: &[u8]) -> EncryptError {
    match error {
        rsa::errors::Error::MessageTooLong => EncryptError::TooLong { octets: key.len() },
        _ => EncryptError::Rng,
    }
}
