//! PBKDF2.

use alloc::vec;
use alloc::vec::Vec;

use aecm_sm::sm3::Sm3;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{PasswordError, Prf, check_salt, parameters};
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{AlgorithmId, Tag, write};

/// The iterations that we write: what OWASP asks of PBKDF2-HMAC-SHA-256.
pub const DEFAULT_ITERATIONS: u32 = 600_000;

/// Octets of the longest key that is derived.
pub(super) const MAX_KEY: usize = 1024;

/// The parameters of PBKDF2, within the limits.
///
/// ```text
/// PBKDF2-params ::= SEQUENCE {                       -- RFC 8018 §A.2
///     salt            CHOICE { specified    OCTET STRING,
///                              otherSource  AlgorithmIdentifier },   -- not read: none is defined
///     iterationCount  INTEGER (1..MAX),
///     keyLength       INTEGER (1..MAX) OPTIONAL,
///     prf             AlgorithmIdentifier DEFAULT hmacWithSHA1 }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pbkdf2Params {
    salt: Vec<u8>,
    iterations: u32,
    key_length: Option<usize>,
    prf: Prf,
}

impl Pbkdf2Params {
    /// With a salt of the caller's choice, which should be random, of 16 octets.
    ///
    /// # Errors
    /// [`PasswordError::Iterations`] for none.
    pub fn new(salt: Vec<u8>, iterations: u32, prf: Prf) -> Result<Self, PasswordError> {
        if iterations == 0 {
            return Err(PasswordError::Iterations { count: 0, limit: u64::from(u32::MAX) });
        }
        Ok(Self { salt, iterations, key_length: None, prf })
    }

    /// Reads an AlgorithmIdentifier: PBKDF2, or the GM function of the same parameters (1.2.156.10197.6.1.4.1.5.1,
    /// and 6.4.1.5.1 as gmsm writes it), whose default is HMAC-SM3.
    ///
    /// # Errors
    /// [`PasswordError`] for another algorithm, for more iterations than [`Limits::pbkdf2_iterations`], a salt
    /// outside 8 to 1024 octets, an unknown pseudo-random function.
    pub fn from_algorithm(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<Self, PasswordError> {
        let default = match algorithm.oid {
            oid::PBKDF2 => Prf::HmacSha1,
            oid::GM_PBKDF | oid::GM_PBKDF_GMSM => Prf::HmacSm3,
            algorithm => return Err(PasswordError::Algorithm { role: "key derivation", algorithm }),
        };
        let mut fields = parameters(algorithm, "PBKDF2", limits)?;
        let salt = fields.octet_string()?.into_owned();
        check_salt(&salt)?;
        let iterations = iterations(fields.small()?, limits)?;
        let key_length = fields.optional(Tag::INTEGER)?.map(|value| value.small()).transpose()?;
        let key_length = key_length
            .map(|stated| {
                usize::try_from(stated)
                    .ok()
                    .filter(|length| (1..=MAX_KEY).contains(length))
                    .ok_or(PasswordError::KeyLength { stated, needed: MAX_KEY })
            })
            .transpose()?;
        let prf = if fields.is_empty() { default } else { Prf::from_algorithm(&fields.algorithm()?)? };
        fields.finish()?;
        Ok(Self { salt, iterations, key_length, prf })
    }

    /// The iteration count.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// The length of the key that the file states, in octets.
    #[must_use]
    pub const fn key_length(&self) -> Option<usize> {
        self.key_length
    }

    /// The pseudo-random function.
    #[must_use]
    pub const fn prf(&self) -> Prf {
        self.prf
    }

    /// The key of `length` octets. Takes about half a microsecond an iteration for every 32 octets.
    ///
    /// # Errors
    /// [`PasswordError::KeyLength`] when the parameters state another length, and outside 1 to 1024 octets.
    pub fn derive(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let stated = self.key_length.unwrap_or(length);
        if stated != length || !(1..=MAX_KEY).contains(&length) {
            let stated = u64::try_from(stated).unwrap_or(u64::MAX);
            return Err(PasswordError::KeyLength { stated, needed: length });
        }
        let mut key = Zeroizing::new(vec![0; length]);
        let (salt, rounds) = (self.salt.as_slice(), self.iterations);
        match self.prf {
            Prf::HmacSha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
            Prf::HmacSha224 => pbkdf2_hmac::<Sha224>(password, salt, rounds, &mut key),
            Prf::HmacSha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
            Prf::HmacSha384 => pbkdf2_hmac::<Sha384>(password, salt, rounds, &mut key),
            Prf::HmacSha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut key),
            Prf::HmacSm3 => pbkdf2_hmac::<Sm3>(password, salt, rounds, &mut key),
        }
        Ok(key)
    }

    /// The AlgorithmIdentifier. A key length is written where `key_length` gives one, in octets.
    #[must_use]
    pub fn algorithm_der(&self, key_length: Option<usize>) -> Vec<u8> {
        let length =
            key_length.and_then(|length| u64::try_from(length).ok()).map_or_else(Vec::new, write::small);
        // DER: a default is not written (X.690 §11.5).
        let prf = if self.prf == Prf::HmacSha1 { Vec::new() } else { self.prf.algorithm_der() };
        let parameters = write::sequence(&[
            &write::octet_string(&self.salt),
            &write::small(u64::from(self.iterations)),
            &length,
            &prf,
        ]);
        write::algorithm(&oid::PBKDF2, Some(&parameters))
    }
}

/// A count that is within the limits and of this type.
pub(super) fn iterations(count: u64, limits: &Limits) -> Result<u32, PasswordError> {
    let limit = limits.pbkdf2_iterations;
    u32::try_from(count)
        .ok()
        .filter(|iterations| *iterations > 0 && count <= limit)
        .ok_or(PasswordError::Iterations { count, limit })
}
