//! SM3, the hash function of GB/T 32905 (GM/T 0004), and HMAC over it (RFC 2104).

use alloc::{vec, vec::Vec};
use hmac::{Hmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

pub use ::sm3::Sm3;
pub use digest::Digest;

use crate::Error;

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
    HmacKey::new(key).of(&[data])
}

/// HMAC-SM3 under one key, for several messages: the key is hashed once.
pub(crate) struct HmacKey(Hmac<Sm3>);

impl HmacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        // RFC 2104 §2: a longer key is hashed, a shorter one padded with zeros. Done here so that the
        // construction cannot fail.
        let mut block = Zeroizing::new([0_u8; BLOCK_SIZE]);
        let mut hashed = if key.len() > BLOCK_SIZE { hash(key) } else { [0; OUTPUT_SIZE] };
        let short = if key.len() > BLOCK_SIZE { hashed.as_slice() } else { key };
        for (to, from) in block.iter_mut().zip(short) {
            *to = *from;
        }
        hashed.zeroize();
        Self(Hmac::<Sm3>::new((&*block).into()))
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

/// KDF of GB/T 32918.4 §5.4.3: SM3(Z ‖ 1) ‖ SM3(Z ‖ 2) ‖ …, cut to `length` octets. Z is the concatenation of
/// `parts`.
///
/// # Errors
///
/// [`Error::TooLong`] from 2³²−1 blocks of 32 octets on, where the counter of 32 bits would wrap.
pub fn kdf(parts: &[&[u8]], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    check_kdf_length(length)?;
    let mut stream = Zeroizing::new(vec![0; length]);
    // What all blocks begin with is hashed once.
    let mut prefix = Sm3::new();
    for part in parts {
        prefix.update(part);
    }
    for (chunk, counter) in stream.chunks_mut(OUTPUT_SIZE).zip(1_u32..) {
        let block = Zeroizing::new(<[u8; OUTPUT_SIZE]>::from(
            prefix.clone().chain_update(counter.to_be_bytes()).finalize(),
        ));
        for (to, from) in chunk.iter_mut().zip(block.iter()) {
            *to = *from;
        }
    }
    Ok(stream)
}

pub(crate) fn check_kdf_length(octets: usize) -> Result<(), Error> {
    match u32::try_from(octets.div_ceil(OUTPUT_SIZE)) {
        Ok(blocks) if blocks < u32::MAX => Ok(()),
        _ => Err(Error::TooLong { octets }),
    }
}
