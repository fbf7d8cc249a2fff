//! The derivation of PKCS#12.

use alloc::vec;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{PasswordError, pbkdf2};
use crate::digest::DigestAlgorithm;
use crate::limits::Limits;

/// What the derived octets are for: the diversifier of RFC 7292 §B.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs12Purpose {
    /// A key for encryption, 1.
    Encryption,
    /// An initialisation vector, 2.
    InitialisationVector,
    /// A key for the MAC, 3.
    Mac,
}

/// A password in the form that [`pkcs12_derive`] takes: BMPString with two zero octets behind (RFC 7292 §B.1).
/// Characters beyond the first plane become surrogate pairs.
#[must_use]
pub fn bmp_password(password: &str) -> Zeroizing<Vec<u8>> {
    // A UTF-16 unit needs at least one octet of UTF-8: enough room, so that nothing is moved and left behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(password.len() * 2 + 2));
    for unit in password.encode_utf16() {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    octets.extend_from_slice(&[0, 0]);
    octets
}

/// `length` octets from a password (RFC 7292 §B.2). `password` is what [`bmp_password`] gives, or nothing at all
/// where a file was made without password.
///
/// # Errors
/// [`PasswordError::Iterations`] for none or more than [`Limits::pbkdf2_iterations`]; [`PasswordError::SaltLength`]
/// for more than 1024 octets of salt; [`PasswordError::KeyLength`] for more than 1024 octets of key.
pub fn pkcs12_derive(
    digest: DigestAlgorithm,
    password: &[u8],
    salt: &[u8],
    purpose: Pkcs12Purpose,
    iterations: u64,
    length: usize,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let iterations = pbkdf2::iterations(iterations, limits)?;
    if salt.len() > super::MAX_SALT {
        return Err(PasswordError::SaltLength { octets: salt.len() });
    }
    if length > pbkdf2::MAX_KEY {
        let stated = u64::try_from(length).unwrap_or(u64::MAX);
        return Err(PasswordError::KeyLength { stated, needed: pbkdf2::MAX_KEY });
    }
    // The names u and v are those of the standard: sizes of a digest and of the block it takes in.
    let v = match digest {
        DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => 128,
        DigestAlgorithm::Sha1 | DigestAlgorithm::Sha256 | DigestAlgorithm::Sm3 => 64,
    };
    let diversifier = vec![
        match purpose {
            Pkcs12Purpose::Encryption => 1,
            Pkcs12Purpose::InitialisationVector => 2,
            Pkcs12Purpose::Mac => 3,
        };
        v
    ];
    let filled = |octets: &[u8]| octets.len().div_ceil(v) * v;
    let mut input = Zeroizing::new(Vec::with_capacity(filled(salt) + filled(password)));
    for part in [salt, password] {
        input.extend(part.iter().cycle().take(filled(part)));
    }
    let mut derived = Zeroizing::new(Vec::with_capacity(length + digest.output_size()));
    loop {
        let mut hasher = digest.hasher();
        hasher.update(&diversifier);
        hasher.update(&input);
        let mut a = Zeroizing::new(hasher.finish());
        for _ in 1..iterations {
            *a = digest.digest(&a);
        }
        derived.extend_from_slice(&a);
        if derived.len() >= length {
            derived.truncate(length);
            return Ok(derived);
        }
        for block in input.chunks_exact_mut(v) {
            add(block, &a);
        }
    }
}

/// `block` + `a` repeated to its length + 1, modulo its size.
fn add(block: &mut [u8], a: &[u8]) {
    let mut carry = 1;
    let repeated: Zeroizing<Vec<u8>> = Zeroizing::new(a.iter().copied().cycle().take(block.len()).collect());
    for (octet, other) in block.iter_mut().zip(repeated.iter()).rev() {
        let [high, low] = (u16::from(*octet) + u16::from(*other) + carry).to_be_bytes();
        *octet = low;
        carry = u16::from(high);
    }
}
