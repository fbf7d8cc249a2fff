//! The pseudo-random functions: HMAC over the digests.

use alloc::vec::Vec;

use aecm_sm::sm3::Sm3;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::PasswordError;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::{AlgorithmId, write};

/// HMAC (RFC 2104) over one of the digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prf {
    /// HMAC-SHA-1: what PBKDF2 uses where nothing is named (RFC 8018 §A.2). Read only.
    HmacSha1,
    /// HMAC-SHA-224. Read only.
    HmacSha224,
    /// HMAC-SHA-256: the one we write.
    HmacSha256,
    /// HMAC-SHA-384.
    HmacSha384,
    /// HMAC-SHA-512.
    HmacSha512,
    /// HMAC-SM3 (GM/T 0091).
    HmacSm3,
}

impl Prf {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HmacSha1,
        Self::HmacSha224,
        Self::HmacSha256,
        Self::HmacSha384,
        Self::HmacSha512,
        Self::HmacSm3,
    ];

    /// The function of an object identifier. HMAC-SM3 goes by two: 1.2.156.10197.1.401.2 (GmSSL, gmsm) and
    /// 1.2.156.10197.1.401.3.1 (OpenSSL, Tongsuo).
    #[must_use]
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        if *oid == oid::HMAC_SM3_ANNEX {
            return Some(Self::HmacSm3);
        }
        Self::ALL.into_iter().find(|prf| prf.oid() == *oid)
    }

    /// The object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::HmacSha1 => oid::HMAC_SHA1,
            Self::HmacSha224 => oid::HMAC_SHA224,
            Self::HmacSha256 => oid::HMAC_SHA256,
            Self::HmacSha384 => oid::HMAC_SHA384,
            Self::HmacSha512 => oid::HMAC_SHA512,
            Self::HmacSm3 => oid::HMAC_SM3,
        }
    }

    /// Octets of a value.
    #[must_use]
    pub const fn output_size(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha224 => 28,
            Self::HmacSha256 | Self::HmacSm3 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    /// HMAC of `data` under a `key` of any length. Compare values in constant time.
    #[must_use]
    pub fn mac(self, key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::HmacSha1 => mac::<Hmac<Sha1>>(key, data),
            Self::HmacSha224 => mac::<Hmac<Sha224>>(key, data),
            Self::HmacSha256 => mac::<Hmac<Sha256>>(key, data),
            Self::HmacSha384 => mac::<Hmac<Sha384>>(key, data),
            Self::HmacSha512 => mac::<Hmac<Sha512>>(key, data),
            Self::HmacSm3 => mac::<Hmac<Sm3>>(key, data),
        }
    }

    pub(super) fn from_algorithm(algorithm: &AlgorithmId<'_>) -> Result<Self, PasswordError> {
        let prf = Self::from_oid(&algorithm.oid)
            .ok_or(PasswordError::Algorithm { role: "pseudo-random function", algorithm: algorithm.oid })?;
        if !algorithm.parameters_absent_or_null() {
            return Err(PasswordError::Parameters { what: "the pseudo-random function" });
        }
        Ok(prf)
    }

    /// With NULL, as RFC 8018 §B.1.2 asks; SM3 as GmSSL reads it, which is without.
    pub(super) fn algorithm_der(self) -> Vec<u8> {
        let null = write::null();
        write::algorithm(&self.oid(), (self != Self::HmacSm3).then_some(null.as_slice()))
    }
}

/// HMAC takes keys of any length, so there is always a value; an empty one would equal nothing.
fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Zeroizing::new(Vec::new()) };
    mac.update(data);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}
