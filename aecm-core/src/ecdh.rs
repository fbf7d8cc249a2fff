//! Content keys for elliptic-curve keys: one-pass ECDH, the KDF of ANSI X9.63 and AES key wrap (RFC 5753 §3.1).
//!
//! | scheme | shared secret | key-encryption key | content key |
//! |---|---|---|---|
//! | dhSinglePass-stdDH-*-kdf | x of \[d\]Q (SEC 1 §6.1) | X9.63 KDF (SEC 1 §3.6.1) | AES key wrap (RFC 3394) |

use alloc::vec;
use alloc::vec::Vec;

use aes_kw::{AesKw, KeyInit};
use p256::ecdh::diffie_hellman as diffie_hellman_256;
use p256::elliptic_curve::sec1::ToSec1Point;
use p384::ecdh::diffie_hellman as diffie_hellman_384;
use zeroize::Zeroizing;

use crate::digest::DigestAlgorithm;
use crate::embed::Rng;
use crate::oid::{self, ObjectIdentifier};
use crate::public_key::{EncryptError, Numbers, PublicKey};
use crate::software::draw;

/// A key wrap algorithm (RFC 3394, RFC 3565 §2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyWrap {
    /// id-aes128-wrap.
    Aes128,
    /// id-aes192-wrap.
    Aes192,
    /// id-aes256-wrap.
    Aes256,
}

impl KeyWrap {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aes128, Self::Aes192, Self::Aes256];

    /// The object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128 => oid::AES128_WRAP,
            Self::Aes192 => oid::AES192_WRAP,
            Self::Aes256 => oid::AES256_WRAP,
        }
    }

    /// The inverse of [`KeyWrap::oid`].
    #[must_use]
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|wrap| wrap.oid() == *oid)
    }

    /// Octets of the key-encryption key: 16, 24 or 32.
    #[must_use]
    pub const fn key_size(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Wraps a key of 16 or more octets, a multiple of 8 (RFC 3394 §2.2.1): eight octets longer. `None` for other
    /// sizes of either key.
    ///
    /// ```
    /// use aecm_core::ecdh::KeyWrap;
    ///
    /// let wrapped = KeyWrap::Aes128.wrap(&[1; 16], &[2; 32]).unwrap();
    /// assert_eq!(KeyWrap::Aes128.unwrap(&[1; 16], &wrapped).unwrap().as_slice(), [2; 32]);
    /// assert!(KeyWrap::Aes128.unwrap(&[9; 16], &wrapped).is_none());
    /// ```
    #[must_use]
    pub fn wrap(self, kek: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        if key.len() < 16 || !key.len().is_multiple_of(8) {
            return None;
        }
        let mut wrapped = vec![0; key.len() + 8];
        match self {
            Self::Aes128 => {
                AesKw::<aes::Aes128>::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped).ok()?
            }
            Self::Aes192 => {
                AesKw::<aes::Aes192>::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped).ok()?
            }
            Self::Aes256 => {
                AesKw::<aes::Aes256>::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped).ok()?
            }
        };
        Some(wrapped)
    }

    /// Unwraps (RFC 3394 §2.2.2). `None` where the check fails or a size is wrong: do not let anybody see which
    /// (THREATS E1).
    #[must_use]
    pub fn unwrap(self, kek: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let size = wrapped.len().checked_sub(8).filter(|size| *size >= 16 && size.is_multiple_of(8))?;
        let mut key = Zeroizing::new(vec![0; size]);
        match self {
            Self::Aes128 => {
                AesKw::<aes::Aes128>::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key).ok()?
            }
            Self::Aes192 => {
                AesKw::<aes::Aes192>::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key).ok()?
            }
            Self::Aes256 => {
                AesKw::<aes::Aes256>::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key).ok()?
            }
        };
        Some(key)
    }
}

/// The hash of the KDF of a key agreement scheme (RFC 5753 §7.1.4), and nothing for other identifiers. The
/// cofactor of P-256 and P-384 is 1, so that the schemes with and without it are the same.
#[must_use]
pub fn kdf_of(scheme: &ObjectIdentifier) -> Option<DigestAlgorithm> {
    match *scheme {
        oid::DH_STD_SHA1_KDF | oid::DH_COFACTOR_SHA1_KDF => Some(DigestAlgorithm::Sha1),
        oid::DH_STD_SHA256_KDF | oid::DH_COFACTOR_SHA256_KDF => Some(DigestAlgorithm::Sha256),
        oid::DH_STD_SHA384_KDF | oid::DH_COFACTOR_SHA384_KDF => Some(DigestAlgorithm::Sha384),
        oid::DH_STD_SHA512_KDF | oid::DH_COFACTOR_SHA512_KDF => Some(DigestAlgorithm::Sha512),
        _ => None,
    }
}

/// What a sender of a content key sends: see [`PublicKey::encrypt_ecdh`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EcdhCiphertext {
    /// The ephemeral public key, `04‖X‖Y`.
    pub originator: Vec<u8>,
    /// The wrapped content key.
    pub wrapped: Vec<u8>,
}

impl PublicKey {
    /// Wraps `key` for the holder of a P-256 or P-384 key, with a fresh ephemeral key (RFC 5753 §3.1.1).
    /// `shared_info` is ECC-CMS-SharedInfo in DER.
    ///
    /// # Errors
    /// [`EncryptError::Unsupported`] for other kinds of key; [`EncryptError::TooLong`] for a content key that is
    /// not 16 octets or more, in eights; [`EncryptError::Rng`].
    pub fn encrypt_ecdh(
        &self,
        kdf: DigestAlgorithm,
        wrap: KeyWrap,
        shared_info: &[u8],
        key: &[u8],
        rng: &dyn Rng,
    ) -> Result<EcdhCiphertext, EncryptError> {
        let (originator, secret) = match self.numbers() {
            Numbers::P256(recipient) => {
                let own = draw::<32, _>(rng, |octets| p256::SecretKey::from_slice(octets).ok())
                    .map_err(|_| EncryptError::Rng)?;
                let secret = diffie_hellman_256(own.to_nonzero_scalar(), recipient.as_affine());
                let point = own.public_key().to_sec1_point(false).as_bytes().to_vec();
                (point, Zeroizing::new(secret.raw_secret_bytes().to_vec()))
            }
            Numbers::P384(recipient) => {
                let own = draw::<48, _>(rng, |octets| p384::SecretKey::from_slice(octets).ok())
                    .map_err(|_| EncryptError::Rng)?;
                let secret = diffie_hellman_384(own.to_nonzero_scalar(), recipient.as_affine());
                let point = own.public_key().to_sec1_point(false).as_bytes().to_vec();
                (point, Zeroizing::new(secret.raw_secret_bytes().to_vec()))
            }
            Numbers::Rsa(_) | Numbers::Sm2(_) => {
                return Err(EncryptError::Unsupported { what: "ECDH key agreement", key: self.kind() });
            }
        };
        let kek = x963(kdf, &secret, shared_info, wrap.key_size());
        let wrapped = wrap.wrap(&kek, key).ok_or(EncryptError::TooLong { octets: key.len() })?;
        Ok(EcdhCiphertext { originator, wrapped })
    }
}

/// The shared secret of a P-256 key and a point, or nothing where that is no point of the curve.
pub(crate) fn secret_256(own: &p256::ecdsa::SigningKey, point: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let point = p256::PublicKey::from_sec1_bytes(point).ok()?;
    let secret = diffie_hellman_256(own.as_nonzero_scalar(), point.as_affine());
    Some(Zeroizing::new(secret.raw_secret_bytes().to_vec()))
}

/// The shared secret of a P-384 key and a point, or nothing where that is no point of the curve.
pub(crate) fn secret_384(own: &p384::ecdsa::SigningKey, point: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let point = p384::PublicKey::from_sec1_bytes(point).ok()?;
    let secret = diffie_hellman_384(own.as_nonzero_scalar(), point.as_affine());
    Some(Zeroizing::new(secret.raw_secret_bytes().to_vec()))
}

/// The KDF of ANSI X9.63 (SEC 1 §3.6.1), up to 64 octets.
pub(crate) fn x963(
    digest: DigestAlgorithm,
    secret: &[u8],
    shared_info: &[u8],
    size: usize,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(size + digest.output_size()));
    for counter in 1_u32..=64 {
        if key.len() >= size {
            break;
        }
        let mut hasher = digest.hasher();
        hasher.update(secret);
        hasher.update(&counter.to_be_bytes());
        hasher.update(shared_info);
        key.extend_from_slice(&Zeroizing::new(hasher.finish()));
    }
    key.truncate(size);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 3394 §4.1, §4.2, §4.6.
    #[test]
    fn published_key_wraps() {
        let kek = hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        let data = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        for (wrap, octets, wrapped) in [
            (KeyWrap::Aes128, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
            (KeyWrap::Aes192, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
            (
                KeyWrap::Aes256,
                32,
                "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
            ),
        ] {
            let kek = &kek[..wrap.key_size()];
            assert_eq!(wrap.wrap(kek, &data[..octets]).unwrap(), hex(wrapped));
            assert_eq!(*wrap.unwrap(kek, &hex(wrapped)).unwrap(), data[..octets]);
            for bit in 0..wrapped.len() * 4 {
                let mut changed = hex(wrapped);
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(wrap.unwrap(kek, &changed).is_none(), "{wrap:?} bit {bit}");
            }
            assert!(wrap.unwrap(&kek[1..], &hex(wrapped)).is_none(), "short key");
            for length in 0..hex(wrapped).len() {
                assert!(wrap.unwrap(kek, &hex(wrapped)[..length]).is_none(), "cut to {length}");
            }
        }
        for length in [0, 8, 15, 17] {
            assert!(KeyWrap::Aes128.wrap(&[0; 16], &vec![1; length]).is_none());
        }
    }

    /// NIST CAVS 12.0, ANSI X9.63-2001 KDF, SHA-256, 192 bits of Z, no SharedInfo, 128 bits.
    #[test]
    fn published_kdf() {
        let secret = hex("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08");
        assert_eq!(*x963(DigestAlgorithm::Sha256, &secret, b"", 16), hex("443024c3dae66b95e6f5670601558f71"));
    }

    #[test]
    fn schemes_and_wraps_are_told_apart() {
        assert_eq!(kdf_of(&oid::DH_STD_SHA384_KDF), Some(DigestAlgorithm::Sha384));
        assert_eq!(kdf_of(&oid::AES128_WRAP), None);
        for wrap in KeyWrap::ALL {
            assert_eq!(KeyWrap::from_oid(&wrap.oid()), Some(wrap));
        }
        assert_eq!(KeyWrap::from_oid(&oid::AES128_CBC), None);
    }
}
