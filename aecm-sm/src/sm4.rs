//! SM4, the block cipher of GB/T 32907 (GM/T 0002), in the modes that S/MIME uses.
//!
//! CBC protects nothing against change: content that comes out of [`cbc_decrypt`] is unauthenticated, and a
//! caller must not let anybody see whether it failed. [`gcm_open`] gives out only what the tag vouches for.

mod block;
mod chain;
mod choice;
mod circuit;
mod ctr;
mod gcm;
mod ghash;
mod portable;
mod rounds;
mod schedule;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use zeroize::Zeroizing;

pub use self::{
    block::Sm4,
    chain::{CbcDecryptor, CbcEncryptor, cbc_decrypt, cbc_encrypt},
    choice::Backend,
    ctr::Ctr,
    gcm::{Gcm, GcmOpening, GcmSealing, GcmVerifying},
};
pub use cbc::cipher;

use crate::Error;

/// Octets of an SM4 key.
pub const KEY_SIZE: usize = 16;

/// Octets of an SM4 block and of a CBC initialisation vector.
pub const BLOCK_SIZE: usize = 16;

/// Octets of a GCM nonce.
pub const GCM_NONCE_SIZE: usize = 12;

/// Octets of a GCM tag; shorter tags are not offered.
pub const GCM_TAG_SIZE: usize = 16;

/// Encrypts and authenticates with SM4-GCM (GB/T 36624, SP 800-38D; nonce 96 bit, tag 128 bit).
///
/// A `nonce` must never be used twice under one key. `aad` is authenticated and not encrypted. Returns the
/// ciphertext, as long as the plaintext, and the tag.
///
/// # Errors
///
/// [`Error::TooLong`] where `plaintext` or `aad` is beyond the limits of the mode.
pub fn gcm_seal(
    key: &[u8; KEY_SIZE],
    nonce: &[u8; GCM_NONCE_SIZE],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, [u8; GCM_TAG_SIZE]), Error> {
    let mut buffer = plaintext.to_vec();
    match Gcm::new(key).seal(nonce, aad, &mut buffer) {
        Ok(tag) => Ok((buffer, tag)),
        Err(error) => {
            // What is in the buffer is plaintext.
            drop(Zeroizing::new(buffer));
            Err(error)
        }
    }
}

/// Checks and decrypts SM4-GCM.
///
/// # Errors
///
/// [`Error::Decrypt`] for everything; no plaintext octet leaves before the tag has been found right.
pub fn gcm_open(
    key: &[u8; KEY_SIZE],
    nonce: &[u8; GCM_NONCE_SIZE],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; GCM_TAG_SIZE],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    Gcm::new(key).open(nonce, aad, &mut buffer, tag)?;
    Ok(buffer)
}

/// Adds the SM4-CTR key stream that starts at the counter block `iv` to `data`: encryption and decryption alike.
///
/// See [`Ctr`] for what an IV must be, and for data in pieces. Nothing is authenticated.
///
/// ```
/// use aecm_sm::sm4::ctr;
///
/// let mut data = *b"some octets";
/// ctr(&[0x42; 16], &[0; 16], &mut data);
/// assert_ne!(data, *b"some octets");
/// ctr(&[0x42; 16], &[0; 16], &mut data);
/// assert_eq!(data, *b"some octets");
/// ```
pub fn ctr(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE], data: &mut [u8]) {
    Ctr::new(key, iv).apply(data);
}
