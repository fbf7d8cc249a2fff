//! SM4, the block cipher of GB/T 32907 (GM/T 0002), in the modes that S/MIME uses.
//!
//! CBC protects nothing against change: content that comes out of [`cbc_decrypt`] is unauthenticated, and a
//! caller must not let anybody see whether it failed. [`gcm_open`] gives out only what the tag vouches for.

mod block;
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
use cbc::cipher::KeyInit;
use core::iter;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

pub use self::{
    block::Sm4,
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

/// Encrypts with SM4-CBC and PKCS#7 padding (RFC 5652 §6.3).
///
/// `iv` must be fresh and unpredictable for every message under the same key. The result is 1 to 16 octets
/// longer than `plaintext`, always a multiple of 16.
#[must_use]
pub fn cbc_encrypt(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE], plaintext: &[u8]) -> Vec<u8> {
    // 16 divides 256: the lowest octet of the length decides, and 1..=16 octets are added.
    let [.., low] = plaintext.len().to_be_bytes();
    let padding = 16 - low % 16;
    let mut buffer = Vec::with_capacity(plaintext.len().saturating_add(BLOCK_SIZE));
    buffer.extend_from_slice(plaintext);
    buffer.extend(iter::repeat_n(padding, usize::from(padding)));
    let (blocks, _) = buffer.as_chunks_mut::<BLOCK_SIZE>();
    Sm4::new(key.into()).encrypting().cbc_encrypt(iv, blocks);
    buffer
}

/// Decrypts SM4-CBC and takes the PKCS#7 padding away.
///
/// The padding is examined in constant time. The result is *not* authenticated.
///
/// # Errors
///
/// [`Error::Decrypt`] for everything: an empty ciphertext, a length that is no multiple of 16, a bad padding.
pub fn cbc_decrypt(
    key: &[u8; KEY_SIZE],
    iv: &[u8; BLOCK_SIZE],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_SIZE) {
        return Err(Error::Decrypt);
    }
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let (blocks, _) = buffer.as_chunks_mut::<BLOCK_SIZE>();
    let (ciphertext, _) = ciphertext.as_chunks::<BLOCK_SIZE>();
    Sm4::new(key.into()).decrypting().cbc_decrypt(iv, ciphertext, blocks);
    let padding = blocks.last().and_then(padding_length).ok_or(Error::Decrypt)?;
    let length = buffer.len().saturating_sub(usize::from(padding));
    buffer.truncate(length);
    Ok(buffer)
}

/// The number of padding octets of the last block, or nothing where the padding is wrong.
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
