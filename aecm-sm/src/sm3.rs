//! SM3, the hash function of GB/T 32905 (GM/T 0004), and HMAC over it (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

pub use ::sm3::Sm3;
pub use digest::Digest;

/// Octets of an SM3 hash value.
pub const OUTPUT_SIZE: usize = 32;

/// Octets that one step of SM3 takes in; HMAC pads its key to this size.
pub const BLOCK_SIZE: usize = 64;

/// The SM3 hash of `data`.
///
/// Use [`Sm3`] with [`Digest`] where the data comes in pieces.
#[must_use]
pub fn hash(data: &[u8]) -> [u8; OUTPUT_SIZE] {
    Sm3::digest(data).into()
}

/// HMAC-SM3 (RFC 2104, OID 1.2.156.10197.1.401.2) of `data` under a `key` of any length.
///
/// To check a value that was received, compare in constant time, for instance with `subtle`.
#[must_use]
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; OUTPUT_SIZE] {
    hmac_parts(key, &[data])
}

/// HMAC-SM3 of the concatenation of `parts`.
pub(crate) fn hmac_parts(key: &[u8], parts: &[&[u8]]) -> [u8; OUTPUT_SIZE] {
    // RFC 2104 §2: a longer key is hashed, a shorter one padded with zeros. Done here so that the
    // construction cannot fail.
    let mut block = Zeroizing::new([0_u8; BLOCK_SIZE]);
    let mut hashed = if key.len() > BLOCK_SIZE { hash(key) } else { [0; OUTPUT_SIZE] };
    let short = if key.len() > BLOCK_SIZE { hashed.as_slice() } else { key };
    for (to, from) in block.iter_mut().zip(short) {
        *to = *from;
    }
    hashed.zeroize();
    let mut mac = Hmac::<Sm3>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
