//! SM3, the hash function of GB/T 32905 (GM/T 0004), HMAC over it (RFC 2104), and keys from secrets and passwords.

mod choice;
pub(crate) mod compress;
mod hasher;
mod kdf;
mod mac;
mod many;
#[cfg(test)]
mod tests;

pub use self::{
    choice::Form,
    hasher::{Sm3, Sm3Core},
    kdf::{kdf, pbkdf2},
    mac::{HmacSm3, hmac},
    many::hash_many,
};
pub(crate) use self::{kdf::check_kdf_length, mac::HmacKey};
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
