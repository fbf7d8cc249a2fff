//! From passwords to keys, and what is encrypted under them: PBKDF2, PBES2 (RFC 8018), scrypt (RFC 7914), the
//! derivation of PKCS#12 (RFC 7292 Appendix B).
//!
//! What a file asks for is held against [`Limits`] before any work is done (THREATS E6).
//! Passwords are octets: of a text, take its UTF-8 (RFC 8018 §2).
//!
//! ```
//! use aecm_core::embed::{Rng, RngError};
//! use aecm_core::limits::Limits;
//! use aecm_core::password::{self, Encryption};
//!
//! # struct OsRng;
//! # impl Rng for OsRng {
//! #     fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
//! #         getrandom::fill(buffer).map_err(|_| RngError)
//! #     }
//! # }
//! let file = password::encrypt(b"a private key", b"secret", Encryption::default().iterations(1000), &OsRng)?;
//! assert_eq!(*password::decrypt(&file, b"secret", &Limits::default())?, *b"a private key");
//! assert!(password::decrypt(&file, b"guess", &Limits::default()).is_err());
//! # Ok::<(), password::PasswordError>(())
//! ```

mod error;
mod pbes2;
mod pbkdf2;
mod pkcs12;
mod prf;
mod scrypt;

#[cfg(test)]
mod tests;

pub use self::error::PasswordError;
pub use self::pbes2::{Cipher, Encryption, Pbes2};
pub use self::pbkdf2::{DEFAULT_ITERATIONS, Pbkdf2Params};
pub use self::pkcs12::{Pkcs12Purpose, bmp_password, pkcs12_derive};
pub use self::prf::Prf;
pub use self::scrypt::ScryptParams;

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::embed::Rng;
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{AlgorithmId, Reader, Rules, Tag, write};

/// Octets of the shortest salt that is read in a file (THREATS E6).
pub const MIN_SALT: usize = 8;
/// Octets of the longest salt that is read in a file (THREATS E6).
pub const MAX_SALT: usize = 1024;

/// How a key is derived from a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDerivation {
    /// PBKDF2 (RFC 8018 §5.2).
    Pbkdf2(Pbkdf2Params),
    /// scrypt (RFC 7914).
    Scrypt(ScryptParams),
}

impl KeyDerivation {
    /// Reads a keyDerivationFunc (RFC 8018 §6.2, RFC 7914 §7).
    ///
    /// # Errors
    /// [`PasswordError`] for other functions, and for parameters beyond `limits`.
    pub fn from_algorithm(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<Self, PasswordError> {
        if algorithm.oid == oid::SCRYPT {
            ScryptParams::from_algorithm(algorithm, limits).map(Self::Scrypt)
        } else {
            Pbkdf2Params::from_algorithm(algorithm, limits).map(Self::Pbkdf2)
        }
    }

    /// What a key of `length` octets costs, in iterations of PBKDF2: its count for every output of the pseudo-random
    /// function that the key needs, or what scrypt takes instead.
    #[must_use]
    pub fn work(&self, length: usize) -> u64 {
        match self {
            Self::Pbkdf2(parameters) => {
                let blocks = length.div_ceil(parameters.prf().output_size()).max(1);
                u64::from(parameters.iterations()).saturating_mul(u64::try_from(blocks).unwrap_or(u64::MAX))
            }
            Self::Scrypt(parameters) => parameters.work(),
        }
    }

    /// The key of `length` octets.
    ///
    /// # Errors
    /// [`PasswordError::KeyLength`] when the parameters state another length, and for more than 1024 octets.
    pub fn derive(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        match self {
            Self::Pbkdf2(parameters) => parameters.derive(password, length),
            Self::Scrypt(parameters) => parameters.derive(password, length),
        }
    }
}

/// Decrypts an EncryptedPrivateKeyInfo in DER, whatever it holds.
///
/// ```text
/// EncryptedPrivateKeyInfo ::= SEQUENCE {      -- RFC 5958 §3
///     encryptionAlgorithm  AlgorithmIdentifier,
///     encryptedData        OCTET STRING }
/// ```
///
/// # Errors
/// [`PasswordError`]; a wrong password and damage of what is encrypted look the same.
pub fn decrypt(der: &[u8], password: &[u8], limits: &Limits) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let mut outer = Reader::new(der, Rules::Der, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let scheme = Pbes2::from_algorithm(&fields.algorithm()?, limits)?;
    let data = fields.expect(Tag::OCTET_STRING)?;
    fields.finish()?;
    scheme.decrypt(password, data.content())
}

/// Encrypts `plain` as EncryptedPrivateKeyInfo in DER, with a fresh salt and initialisation vector.
///
/// # Errors
/// [`PasswordError::Rng`]; [`PasswordError::Iterations`] for none at all.
pub fn encrypt(
    plain: &[u8],
    password: &[u8],
    encryption: Encryption,
    rng: &dyn Rng,
) -> Result<Vec<u8>, PasswordError> {
    let scheme = Pbes2::generate(encryption, rng)?;
    let data = scheme.encrypt(password, plain)?;
    Ok(write::sequence(&[&scheme.algorithm_der(), &write::octet_string(&data)]))
}

/// The fields of the parameters of `algorithm`, which must be a SEQUENCE.
fn parameters<'a>(
    algorithm: &AlgorithmId<'a>,
    what: &'static str,
    limits: &Limits,
) -> Result<Reader<'a>, PasswordError> {
    let octets = algorithm.parameters.ok_or(PasswordError::Parameters { what })?;
    // BER: the schemes stand in PKCS#12 files too, whose writers use it.
    let mut outer = Reader::new(octets, Rules::Ber, limits);
    let fields = outer.sequence()?;
    outer.finish()?;
    Ok(fields)
}

fn check_salt(salt: &[u8]) -> Result<(), PasswordError> {
    if (MIN_SALT..=MAX_SALT).contains(&salt.len()) {
        Ok(())
    } else {
        Err(PasswordError::SaltLength { octets: salt.len() })
    }
}
