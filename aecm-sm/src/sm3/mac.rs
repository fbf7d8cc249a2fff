//! HMAC-SM3.

use hmac::{Hmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

use super::{BLOCK_SIZE, OUTPUT_SIZE, Sm3, hash};

/// HMAC-SM3 of data that comes in pieces, with the traits of the `digest` crate.
///
/// [`KeyInit::new_from_slice`] takes a key of any length, [`Mac::update`] the pieces; [`Mac::verify_slice`] compares
/// with a value that was received, in constant time.
///
/// ```
/// use aecm_sm::sm3::HmacSm3;
/// use digest::{KeyInit, Mac};
///
/// let mut mac = HmacSm3::new_from_slice(b"key").expect("takes keys of any length");
/// mac.update(b"da");
/// mac.update(b"ta");
/// assert!(mac.clone().verify_slice(&aecm_sm::sm3::hmac(b"key", b"data")).is_ok());
/// assert!(mac.verify_slice(&aecm_sm::sm3::hmac(b"kex", b"data")).is_err());
/// ```
pub type HmacSm3 = Hmac<Sm3>;

/// HMAC-SM3 (RFC 2104, OID 1.2.156.10197.1.401.2) of `data` under a `key` of any length.
///
/// To check a value that was received, compare in constant time: [`HmacSm3`] does.
#[must_use]
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; OUTPUT_SIZE] {
    HmacKey::new(key).of(&[data])
}

/// The key as a block: a longer one is hashed, a shorter one padded with zeros (RFC 2104 §2).
pub(super) fn key_block(key: &[u8]) -> Zeroizing<[u8; BLOCK_SIZE]> {
    let mut block = Zeroizing::new([0_u8; BLOCK_SIZE]);
    let mut hashed = if key.len() > BLOCK_SIZE { hash(key) } else { [0; OUTPUT_SIZE] };
    let short = if key.len() > BLOCK_SIZE { hashed.as_slice() } else { key };
    for (to, from) in block.iter_mut().zip(short) {
        *to = *from;
    }
    hashed.zeroize();
    block
}

/// HMAC-SM3 under one key, for several messages: the key is hashed once.
pub(crate) struct HmacKey(HmacSm3);

impl HmacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        // The block is made here so that the construction cannot fail.
        Self(HmacSm3::new((&*key_block(key)).into()))
    }

    /// Of the concatenation of `parts`.
    pub(crate) fn of(&self, parts: &[&[u8]]) -> [u8; OUTPUT_SIZE] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}
