//! Content encryption: the fixed list of ciphers that CMS content may use here (THREATS E2).
//!
//! | cipher | OID | parameters | standard |
//! |---|---|---|---|
//! | AES-GCM | 2.16.840.1.101.3.4.1.{6,46} | GCMParameters | RFC 5084 |
//! | AES-CBC | 2.16.840.1.101.3.4.1.{2,22,42} | IV | RFC 3565 |
//! | SM4-GCM | 1.2.156.10197.1.104.8 | GCMParameters, by analogy | GB/T 17964 |
//! | SM4-CBC | 1.2.156.10197.1.104.2 | IV | GM/T 0010, GB/T 35275 |
//!
//! [`open`](ContentCipher::open) has one failure, [`OpenError`], whatever went wrong.

use core::fmt;

use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::write;
use aecm_sm::sm4;
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U13, U14, U15, U16};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{AesGcm, Nonce, Tag, TagSize};
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyIvInit,
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

/// Octets of a block of AES and SM4, and of a CBC initialisation vector.
pub const BLOCK_SIZE: usize = 16;

/// Octets of a GCM nonce; others are not read.
pub const GCM_NONCE_SIZE: usize = 12;

/// Octets of the GCM tag that is written.
pub const GCM_TAG_SIZE: usize = 16;

/// Octets of the shortest GCM tag that can be read at all (RFC 5084 §3.2: 12 to 16).
pub const GCM_TAG_SIZE_MIN: usize = 12;

/// A content-encryption algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ContentCipher {
    /// AES-128 in GCM.
    Aes128Gcm,
    /// AES-256 in GCM: the default for classic recipients who can read it.
    Aes256Gcm,
    /// AES-128 in CBC: authenticates nothing.
    Aes128Cbc,
    /// AES-192 in CBC: read only.
    Aes192Cbc,
    /// AES-256 in CBC: authenticates nothing.
    Aes256Cbc,
    /// SM4 in GCM.
    Sm4Gcm,
    /// SM4 in CBC: authenticates nothing.
    Sm4Cbc,
}

/// Encrypted content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The ciphertext: as long as the content for GCM, padded to blocks for CBC.
    pub ciphertext: Vec<u8>,
    /// The tag of 16 octets for GCM, empty for CBC.
    pub tag: Vec<u8>,
}

impl ContentCipher {
    /// Every cipher of the list.
    pub const ALL: [Self; 7] = [
        Self::Aes128Gcm,
        Self::Aes256Gcm,
        Self::Aes128Cbc,
        Self::Aes192Cbc,
        Self::Aes256Cbc,
        Self::Sm4Gcm,
        Self::Sm4Cbc,
    ];

    /// The object identifier of the algorithm.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128Gcm => oid::AES128_GCM,
            Self::Aes256Gcm => oid::AES256_GCM,
            Self::Aes128Cbc => oid::AES128_CBC,
            Self::Aes192Cbc => oid::AES192_CBC,
            Self::Aes256Cbc => oid::AES256_CBC,
            Self::Sm4Gcm => oid::SM4_GCM,
            Self::Sm4Cbc => oid::SM4_CBC,
        }
    }

    /// The inverse of [`ContentCipher::oid`].
    #[must_use]
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == *oid)
    }

    /// The stable word: `aes-256-gcm`, `sm4-cbc`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "aes-128-gcm",
            Self::Aes256Gcm => "aes-256-gcm",
            Self::Aes128Cbc => "aes-128-cbc",
            Self::Aes192Cbc => "aes-192-cbc",
            Self::Aes256Cbc => "aes-256-cbc",
            Self::Sm4Gcm => "sm4-gcm",
            Self::Sm4Cbc => "sm4-cbc",
        }
    }

    /// The inverse of [`ContentCipher::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.word() == word)
    }

    /// Octets of the content-encryption key.
    #[must_use]
    pub const fn key_size(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc | Self::Sm4Gcm | Self::Sm4Cbc => 16,
            Self::Aes192Cbc => 24,
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
        }
    }

    /// Octets of the nonce (GCM, 12) or of the initialisation vector (CBC, 16).
    #[must_use]
    pub const fn nonce_size(self) -> usize {
        if self.is_authenticated() { GCM_NONCE_SIZE } else { BLOCK_SIZE }
    }

    /// Whether the cipher detects a change of the content. CBC does not.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm | Self::Sm4Gcm)
    }

    /// The ContentEncryptionAlgorithmIdentifier in DER, for a nonce or IV of [`ContentCipher::nonce_size`].
    ///
    /// ```text
    /// GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen INTEGER DEFAULT 12 }   -- 16 is written
    /// CBC parameters ::= OCTET STRING (SIZE (16))
    /// ```
    #[must_use]
    pub fn identifier_der(self, nonce: &[u8]) -> Vec<u8> {
        let nonce = write::octet_string(nonce);
        let parameters =
            if self.is_authenticated() { write::sequence(&[&nonce, &write::small(16)]) } else { nonce };
        write::algorithm(&self.oid(), Some(&parameters))
    }

    /// Encrypts `content`.
    ///
    /// `nonce` must be fresh for every message under one key, and unpredictable for CBC. `aad` is authenticated
    /// with GCM and must be empty for CBC.
    ///
    /// # Errors
    /// [`SealError`] for a key or nonce of the wrong size, for `aad` with CBC, and for content beyond the mode.
    pub fn seal(self, key: &[u8], nonce: &[u8], aad: &[u8], content: &[u8]) -> Result<Sealed, SealError> {
        if key.len() != self.key_size() {
            return Err(SealError::KeySize { expected: self.key_size(), found: key.len() });
        }
        if nonce.len() != self.nonce_size() {
            return Err(SealError::NonceSize { expected: self.nonce_size(), found: nonce.len() });
        }
        if !self.is_authenticated() && !aad.is_empty() {
            return Err(SealError::NoAuthentication);
        }
        let sealed = match self {
            Self::Aes128Gcm => gcm_seal::<AesGcm<Aes128, U12>>(key, nonce, aad, content),
            Self::Aes256Gcm => gcm_seal::<AesGcm<Aes256, U12>>(key, nonce, aad, content),
            Self::Sm4Gcm => sm4_gcm_seal(key, nonce, aad, content),
            Self::Aes128Cbc => cbc_seal::<Aes128>(key, nonce, content),
            Self::Aes192Cbc => cbc_seal::<Aes192>(key, nonce, content),
            Self::Aes256Cbc => cbc_seal::<Aes256>(key, nonce, content),
            Self::Sm4Cbc => match (key.try_into(), nonce.try_into()) {
                (Ok(key), Ok(iv)) => {
                    Some(Sealed { ciphertext: sm4::cbc_encrypt(key, iv, content), tag: Vec::new() })
                }
                _ => None,
            },
        };
        sealed.ok_or(SealError::TooLong { octets: content.len() })
    }

    /// Decrypts, and checks the tag (GCM) or takes the padding away in constant time (CBC).
    ///
    /// No octet of GCM content leaves before the tag was found right. What comes out of CBC is **not**
    /// authenticated.
    ///
    /// # Errors
    /// [`OpenError`], one value for every failure: sizes, tag, padding.
    pub fn open(
        self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if key.len() != self.key_size() || nonce.len() != self.nonce_size() {
            return Err(OpenError);
        }
        if !(self.is_authenticated() || aad.is_empty() && tag.is_empty()) {
            return Err(OpenError);
        }
        let opened = match self {
            Self::Aes128Gcm => gcm_open::<Aes128>(key, nonce, aad, ciphertext, tag),
            Self::Aes256Gcm => gcm_open::<Aes256>(key, nonce, aad, ciphertext, tag),
            Self::Sm4Gcm => match (key.try_into(), nonce.try_into(), tag.try_into()) {
                (Ok(key), Ok(nonce), Ok(tag)) => sm4::gcm_open(key, nonce, aad, ciphertext, tag).ok(),
                _ => gcm_open::<sm4::Sm4>(key, nonce, aad, ciphertext, tag),
            },
            Self::Aes128Cbc => cbc_open::<Aes128>(key, nonce, ciphertext),
            Self::Aes192Cbc => cbc_open::<Aes192>(key, nonce, ciphertext),
            Self::Aes256Cbc => cbc_open::<Aes256>(key, nonce, ciphertext),
            Self::Sm4Cbc => match (key.try_into(), nonce.try_into()) {
                (Ok(key), Ok(iv)) => sm4::cbc_decrypt(key, iv, ciphertext).ok(),
                _ => None,
            },
        };
        opened.ok_or(OpenError)
    }
}

impl fmt::Display for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The key has the wrong size.
    KeySize {
        /// Octets the cipher takes.
        expected: usize,
        /// Octets that were given.
        found: usize,
    },
    /// The nonce or initialisation vector has the wrong size.
    NonceSize {
        /// Octets the cipher takes.
        expected: usize,
        /// Octets that were given.
        found: usize,
    },
    /// Additional data was given to a cipher that authenticates nothing.
    NoAuthentication,
    /// The content is longer than the mode can take.
    TooLong {
        /// Its length.
        octets: usize,
    },
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeySize { expected, found } => {
                write!(f, "the content-encryption key has {found} octets; the cipher takes {expected}")
            }
            Self::NonceSize { expected, found } => {
                write!(f, "the nonce has {found} octets; the cipher takes {expected}")
            }
            Self::NoAuthentication => {
                f.write_str("CBC cannot authenticate additional data; use a GCM cipher")
            }
            Self::TooLong { octets } => write!(f, "content of {octets} octets is too long for this cipher"),
        }
    }
}

impl core::error::Error for SealError {}

/// The content did not decrypt. There is nothing more to know (THREATS E1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the content did not decrypt")
    }
}

impl core::error::Error for OpenError {}

fn gcm_seal<C>(key: &[u8], nonce: &[u8], aad: &[u8], content: &[u8]) -> Option<Sealed>
where
    C: KeyInit + AeadInOut<NonceSize = U12, TagSize = U16>,
{
    let cipher = C::new_from_slice(key).ok()?;
    let nonce: &Nonce<U12> = nonce.try_into().ok()?;
    let mut buffer = Zeroizing::new(content.to_vec());
    let tag = cipher.encrypt_inout_detached(nonce, aad, buffer.as_mut_slice().into()).ok()?;
    Some(Sealed { ciphertext: core::mem::take(&mut *buffer), tag: tag.to_vec() })
}

fn sm4_gcm_seal(key: &[u8], nonce: &[u8], aad: &[u8], content: &[u8]) -> Option<Sealed> {
    let (ciphertext, tag) = sm4::gcm_seal(key.try_into().ok()?, nonce.try_into().ok()?, aad, content).ok()?;
    Some(Sealed { ciphertext, tag: tag.to_vec() })
}

/// GCM with a tag of 12 to 16 octets; the caller's policy decides which of them it takes.
fn gcm_open<B>(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>>
where
    B: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
{
    match tag.len() {
        16 => gcm_open_sized::<B, U16>(key, nonce, aad, ciphertext, tag),
        15 => gcm_open_sized::<B, U15>(key, nonce, aad, ciphertext, tag),
        14 => gcm_open_sized::<B, U14>(key, nonce, aad, ciphertext, tag),
        13 => gcm_open_sized::<B, U13>(key, nonce, aad, ciphertext, tag),
        12 => gcm_open_sized::<B, U12>(key, nonce, aad, ciphertext, tag),
        _ => None,
    }
}

fn gcm_open_sized<B, T>(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>>
where
    B: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
    T: ArraySize + TagSize,
{
    let cipher = AesGcm::<B, U12, T>::new_from_slice(key).ok()?;
    let nonce: &Nonce<U12> = nonce.try_into().ok()?;
    let tag: &Tag<T> = tag.try_into().ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    cipher.decrypt_inout_detached(nonce, aad, buffer.as_mut_slice().into(), tag).ok()?;
    Some(buffer)
}

fn cbc_seal<B>(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Sealed>
where
    B: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
{
    let mut encryptor = cbc::Encryptor::<B>::new_from_slices(key, iv).ok()?;
    let padding = BLOCK_SIZE.checked_sub(content.len() % BLOCK_SIZE)?;
    let length = content.len().checked_add(padding)?;
    let mut buffer = Vec::with_capacity(length);
    buffer.extend_from_slice(content);
    buffer.resize(length, u8::try_from(padding).ok()?);
    let (blocks, _) = buffer.as_chunks_mut::<BLOCK_SIZE>();
    for block in blocks {
        encryptor.encrypt_block(block.into());
    }
    Some(Sealed { ciphertext: buffer, tag: Vec::new() })
}

fn cbc_open<B>(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    B: BlockSizeUser<BlockSize = U16> + BlockCipherDecrypt + KeyInit,
{
    let mut buffer = cbc_decrypt::<B>(key, iv, ciphertext)?;
    let padding = buffer.last_chunk::<BLOCK_SIZE>().and_then(padding_length)?;
    let length = buffer.len().checked_sub(usize::from(padding))?;
    buffer.truncate(length);
    Some(buffer)
}

fn cbc_decrypt<B>(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    B: BlockSizeUser<BlockSize = U16> + BlockCipherDecrypt + KeyInit,
{
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_SIZE) {
        return None;
    }
    let mut decryptor = cbc::Decryptor::<B>::new_from_slices(key, iv).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let (blocks, _) = buffer.as_chunks_mut::<BLOCK_SIZE>();
    for block in blocks.iter_mut() {
        decryptor.decrypt_block(block.into());
    }
    Some(buffer)
}

/// CBC without padding: whole blocks in, as many out. `None` where a size is wrong.
pub(crate) fn cbc_blocks(
    cipher: ContentCipher,
    key: &[u8],
    iv: &[u8; BLOCK_SIZE],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    match cipher {
        ContentCipher::Aes128Cbc => cbc_decrypt::<Aes128>(key, iv, ciphertext),
        ContentCipher::Aes192Cbc => cbc_decrypt::<Aes192>(key, iv, ciphertext),
        ContentCipher::Aes256Cbc => cbc_decrypt::<Aes256>(key, iv, ciphertext),
        ContentCipher::Sm4Cbc => cbc_decrypt::<sm4::Sm4>(key, iv, ciphertext),
        ContentCipher::Aes128Gcm | ContentCipher::Aes256Gcm | ContentCipher::Sm4Gcm => None,
    }
}

/// The number of padding octets (RFC 5652 §6.3) of the last block, or nothing where the padding is wrong.
///
/// Reads all sixteen octets whatever they say; only the answer leaves.
fn padding_length(block: &[u8; BLOCK_SIZE]) -> Option<u8> {
    let [.., length] = *block;
    let mut good = length.ct_gt(&0) & length.ct_lt(&17);
    for (octet, from_end) in block.iter().rev().zip(0_u8..) {
        let padded = from_end.ct_lt(&length);
        good &= Choice::conditional_select(&Choice::from(1), &octet.ct_eq(&length), padded);
    }
    bool::from(good).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(cipher: ContentCipher) -> Vec<u8> {
        (0..).take(cipher.key_size()).collect()
    }

    fn nonce(cipher: ContentCipher) -> Vec<u8> {
        (100..).take(cipher.nonce_size()).collect()
    }

    #[test]
    fn what_is_sealed_opens() {
        for cipher in ContentCipher::ALL {
            for length in [0, 1, 15, 16, 17, 1000] {
                let content = vec![0x5A; length];
                let sealed = cipher.seal(&key(cipher), &nonce(cipher), b"", &content).unwrap();
                let opened =
                    cipher.open(&key(cipher), &nonce(cipher), b"", &sealed.ciphertext, &sealed.tag).unwrap();
                assert_eq!(*opened, content, "{cipher}");
                assert_eq!(sealed.tag.len(), if cipher.is_authenticated() { 16 } else { 0 });
            }
        }
    }

    #[test]
    fn words_and_oids_are_inverse() {
        for cipher in ContentCipher::ALL {
            assert_eq!(ContentCipher::from_word(cipher.word()), Some(cipher));
            assert_eq!(ContentCipher::from_oid(&cipher.oid()), Some(cipher));
        }
        assert_eq!(ContentCipher::from_word("des-ede3-cbc"), None);
        assert_eq!(ContentCipher::from_oid(&oid::SHA256), None);
    }

    /// SP 800-38D test case 4 (AES-128) and NIST CAVS for a truncated tag: the leading octets of the whole one.
    #[test]
    fn gcm_matches_the_published_case() {
        let key = hex("feffe9928665731c6d6a8f9467308308");
        let nonce = hex("cafebabefacedbaddecaf888");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let content = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = ContentCipher::Aes128Gcm.seal(&key, &nonce, &aad, &content).unwrap();
        assert_eq!(sealed.tag, hex("5bc94fbc3221a5db94fae95ae7121a47"));
        for length in 12..=16 {
            let tag = &sealed.tag[..length];
            let opened = ContentCipher::Aes128Gcm.open(&key, &nonce, &aad, &sealed.ciphertext, tag).unwrap();
            assert_eq!(*opened, content);
        }
        for length in 0..12 {
            let tag = &sealed.tag[..length];
            let refused = ContentCipher::Aes128Gcm.open(&key, &nonce, &aad, &sealed.ciphertext, tag);
            assert_eq!(refused, Err(OpenError), "E2: a tag of {length} octets");
        }
    }

    /// SP 800-38A F.2.1 and F.2.5, first block.
    #[test]
    fn cbc_matches_the_published_case() {
        let iv = hex("000102030405060708090a0b0c0d0e0f");
        let block = hex("6bc1bee22e409f96e93d7e117393172a");
        for (cipher, key, expected) in [
            (
                ContentCipher::Aes128Cbc,
                "2b7e151628aed2a6abf7158809cf4f3c",
                "7649abac8119b246cee98e9b12e9197d",
            ),
            (
                ContentCipher::Aes192Cbc,
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "4f021db243bc633d7178183a9fa071e8",
            ),
            (
                ContentCipher::Aes256Cbc,
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
            ),
        ] {
            let sealed = cipher.seal(&hex(key), &iv, b"", &block).unwrap();
            assert_eq!(sealed.ciphertext[..16], hex(expected)[..]);
        }
    }

    #[test]
    fn every_changed_bit_of_gcm_is_refused() {
        for cipher in ContentCipher::ALL.into_iter().filter(|cipher| cipher.is_authenticated()) {
            let sealed = cipher.seal(&key(cipher), &nonce(cipher), b"aad", b"content").unwrap();
            for bit in 0..sealed.ciphertext.len() * 8 {
                let mut changed = sealed.ciphertext.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let refused = cipher.open(&key(cipher), &nonce(cipher), b"aad", &changed, &sealed.tag);
                assert_eq!(refused, Err(OpenError));
            }
            let refused = cipher.open(&key(cipher), &nonce(cipher), b"", &sealed.ciphertext, &sealed.tag);
            assert_eq!(refused, Err(OpenError), "other additional data");
        }
    }

    #[test]
    fn wrong_sizes_are_refused() {
        let cipher = ContentCipher::Aes256Cbc;
        assert!(matches!(cipher.seal(&[0; 16], &[0; 16], b"", b""), Err(SealError::KeySize { .. })));
        assert!(matches!(cipher.seal(&[0; 32], &[0; 12], b"", b""), Err(SealError::NonceSize { .. })));
        assert_eq!(cipher.seal(&[0; 32], &[0; 16], b"a", b""), Err(SealError::NoAuthentication));
        assert_eq!(cipher.open(&[0; 32], &[0; 16], b"", b"", b""), Err(OpenError), "no block at all");
        assert_eq!(cipher.open(&[0; 32], &[0; 16], b"", &[0; 15], b""), Err(OpenError));
        assert_eq!(cipher.open(&[0; 32], &[0; 16], b"", &[0; 16], &[0; 16]), Err(OpenError), "a tag for CBC");
    }

    #[test]
    fn bad_padding_is_refused() {
        assert_eq!(padding_length(&[16; 16]), Some(16));
        assert_eq!(padding_length(&[0; 16]), None);
        assert_eq!(padding_length(&[17; 16]), None);
        let mut block = [9_u8; 16];
        assert_eq!(padding_length(&block), Some(9));
        block[7] = 8;
        assert_eq!(padding_length(&block), None);
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
