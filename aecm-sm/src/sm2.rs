//! SM2, the elliptic curve algorithms of GB/T 32918 (GM/T 0003) on the recommended curve of part 5:
//! signatures (part 2), key exchange (part 3) and public-key encryption (part 4), in the encodings of GB/T 35276 (GM/T 0009).
//!
//! Every identifier is given in octets by the caller; [`DEFAULT_ID`] is what certificates, requests and CMS use.
//! Nothing is tried twice with another identifier or another order of a ciphertext's parts.

mod arithmetic;
mod batch;
mod encryption;
pub mod exchange;
mod nonce;
mod private_key;
mod public_key;
mod signature;
#[cfg(test)]
mod tests;

pub use self::{
    batch::{SignedHash, verify_many},
    encryption::CiphertextForm,
    private_key::PrivateKey,
    public_key::PublicKey,
    signature::Signature,
};

/// The identifier of everything for which no other one was agreed (GM/T 0009 §10): 16 ASCII digits.
pub const DEFAULT_ID: &[u8] = b"1234567812345678";

/// The longest identifier, in octets: ENTL counts its bits in 16 bits.
pub const MAX_ID_SIZE: usize = 8191;
