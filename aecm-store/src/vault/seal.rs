//! AES-256-GCM with random nonces: the one way in which a vault makes octets confidential and authentic.

use core::fmt;

use aecm_core::embed::Rng;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::records::Octets;

/// The length of a key, in octets.
pub(super) const KEY: usize = 32;
/// The length of a nonce, in octets.
pub(super) const NONCE: usize = 12;
/// The length of a tag, in octets.
pub(super) const TAG: usize = 16;

/// A key of AES-256-GCM (NIST SP 800-38D).
///
/// Nonces are 96 random bits (§8.2.2), which carry 2^32 records under one key (§8.3): a vault written once a
/// second reaches that after 136 years.
pub(super) struct DataKey(Zeroizing<[u8; KEY]>);

impl DataKey {
    pub(super) const fn new(key: Zeroizing<[u8; KEY]>) -> Self {
        Self(key)
    }

    pub(super) fn random(rng: &dyn Rng) -> Result<Self, StoreError> {
        let mut key = Zeroizing::new([0; KEY]);
        rng.fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// The octets, to be wrapped.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Nonce, ciphertext and tag of `plain`, bound to `context`.
    pub(super) fn seal(&self, context: &[u8], plain: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce)?;
        let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len() + TAG));
        sealed.extend_from_slice(plain);
        self.cipher()?
            .encrypt_in_place(&Nonce::from(nonce), context, &mut *sealed)
            .map_err(|_| StoreError::TooLarge { what: "a record", limit: crate::records::MAX_RECORD })?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// What [`DataKey::seal`] sealed under the same context; `None` for anything else.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Octets> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.cipher().ok()?.decrypt_in_place(&Nonce::from(*nonce), context, &mut *plain).ok()?;
        Some(plain)
    }

    /// 16 octets that stand for `text` and tell nothing of it to who has not the key: the first of
    /// HMAC-SHA-256 (RFC 2104). They name files; nothing else is derived from the key in this way.
    pub(super) fn alias(&self, text: &str) -> Option<[u8; 16]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(b"AECM vault: name of a file\0");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().first_chunk().copied()
    }

    fn cipher(&self) -> Result<Aes256Gcm, StoreError> {
        Aes256Gcm::new_from_slice(self.0.as_slice()).map_err(|_| {
            StoreError::corrupt("vault.header", "the wrapped key has another length than 32 octets")
        })
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use aecm_core::embed::OsRng;

    use super::*;

    #[test]
    fn only_the_same_key_context_and_octets_open() {
        let key = DataKey::random(&OsRng).unwrap();
        let sealed = key.seal(b"context", b"plain", &OsRng).unwrap();
        assert_eq!(sealed.len(), NONCE + 5 + TAG);
        assert_eq!(key.open(b"context", &sealed).unwrap().as_slice(), b"plain");
        assert!(key.open(b"Context", &sealed).is_none());
        assert!(key.open(b"", &sealed).is_none());
        assert!(DataKey::random(&OsRng).unwrap().open(b"context", &sealed).is_none());
        for end in 0..sealed.len() {
            assert!(key.open(b"context", &sealed[..end]).is_none());
        }
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"context", &flipped).is_none());
        }
    }

    #[test]
    fn an_alias_depends_on_key_and_text() {
        let key = DataKey::random(&OsRng).unwrap();
        let alias = key.alias("provision/alice@example.test").unwrap();
        assert_eq!(key.alias("provision/alice@example.test"), Some(alias));
        assert_ne!(key.alias("provision/bob@example.test"), Some(alias));
        assert_ne!(DataKey::random(&OsRng).unwrap().alias("provision/alice@example.test"), Some(alias));
    }

    #[test]
    fn the_same_octets_seal_differently_each_time() {
        let key = DataKey::random(&OsRng).unwrap();
        assert_ne!(key.seal(b"", b"plain", &OsRng).unwrap(), key.seal(b"", b"plain", &OsRng).unwrap());
    }

    /// A published vector of AES-256-GCM (test case 15 of the GCM specification of McGrew and Viega), so that the
    /// files can be read by any other implementation of it.
    #[test]
    fn it_is_aes_256_gcm() {
        struct Fixed(Vec<u8>);
        impl Rng for Fixed {
            fn fill(&self, buffer: &mut [u8]) -> Result<(), aecm_core::embed::RngError> {
                buffer.copy_from_slice(&self.0);
                Ok(())
            }
        }
        let unhex = |text: &str| -> Vec<u8> {
            (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
        };
        let key: [u8; KEY] =
            unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
        let plain = unhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        );
        let sealed = DataKey::new(Zeroizing::new(key))
            .seal(b"", &plain, &Fixed(unhex("cafebabefacedbaddecaf888")))
            .unwrap();
        assert_eq!(
            sealed[NONCE..],
            unhex(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c"
            )
        );
    }
}
