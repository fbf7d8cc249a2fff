//! scrypt.

use alloc::vec;
use alloc::vec::Vec;

use scrypt::{Params, scrypt};
use zeroize::Zeroizing;

use super::pbkdf2::MAX_KEY;
use super::{PasswordError, check_salt, parameters};
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{AlgorithmId, Tag};

/// The parallelisation that is computed at most: it multiplies the time, not the memory.
const MAX_PARALLEL: u64 = 16;

/// The parameters of scrypt, within the limits. Read, never written.
///
/// ```text
/// scrypt-params ::= SEQUENCE {                       -- RFC 7914 §7.1
///     salt                      OCTET STRING,
///     costParameter             INTEGER (1..MAX),    -- a power of two
///     blockSize                 INTEGER (1..MAX),
///     parallelizationParameter  INTEGER (1..MAX),
///     keyLength                 INTEGER (1..MAX) OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScryptParams {
    salt: Vec<u8>,
    log_cost: u8,
    block_size: u32,
    parallel: u32,
    work: u64,
    key_length: Option<u64>,
}

impl ScryptParams {
    /// Reads an AlgorithmIdentifier.
    ///
    /// # Errors
    /// [`PasswordError`] for another algorithm, for numbers that are none of scrypt, for more memory than
    /// [`Limits::scrypt_memory`], more work than [`Limits::pbkdf2_iterations`], a parallelisation above 16, a salt outside 8 to 1024 octets.
    pub fn from_algorithm(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<Self, PasswordError> {
        if algorithm.oid != oid::SCRYPT {
            return Err(PasswordError::Algorithm { role: "key derivation", algorithm: algorithm.oid });
        }
        let mut fields = parameters(algorithm, "scrypt", limits)?;
        let salt = fields.octet_string()?.into_owned();
        check_salt(&salt)?;
        let (cost, block_size, parallel) = (fields.small()?, fields.small()?, fields.small()?);
        let key_length = fields.optional(Tag::INTEGER)?.map(|value| value.small()).transpose()?;
        fields.finish()?;
        Self::new(salt, cost, block_size, parallel, key_length, limits)
    }

    pub(super) fn new(
        salt: Vec<u8>,
        cost: u64,
        block_size: u64,
        parallel: u64,
        key_length: Option<u64>,
        limits: &Limits,
    ) -> Result<Self, PasswordError> {
        let wrong = PasswordError::Parameters { what: "scrypt" };
        if !cost.is_power_of_two() || cost < 2 || block_size == 0 || parallel == 0 {
            return Err(wrong);
        }
        // 128·r octets for each of N elements, and as much for each of p blocks.
        let octets = cost.saturating_add(parallel).saturating_mul(block_size).saturating_mul(128);
        let limit = u64::try_from(limits.scrypt_memory).unwrap_or(u64::MAX);
        if octets > limit || parallel > MAX_PARALLEL {
            return Err(PasswordError::Memory { octets, limit });
        }
        // The time grows with N·r·p, each of them about what an iteration of PBKDF2 takes.
        let work = cost.saturating_mul(block_size).saturating_mul(parallel);
        if work > limits.pbkdf2_iterations {
            return Err(PasswordError::Iterations { count: work, limit: limits.pbkdf2_iterations });
        }
        Ok(Self {
            salt,
            log_cost: u8::try_from(cost.trailing_zeros()).map_err(|_| wrong)?,
            block_size: u32::try_from(block_size).map_err(|_| wrong)?,
            parallel: u32::try_from(parallel).map_err(|_| wrong)?,
            work,
            key_length,
        })
    }

    /// What a key costs, in iterations of PBKDF2 that take about as long: N·r·p.
    #[must_use]
    pub const fn work(&self) -> u64 {
        self.work
    }

    /// The key of `length` octets.
    ///
    /// # Errors
    /// [`PasswordError::KeyLength`] when the parameters state another length, and outside 1 to 1024 octets.
    pub fn derive(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let stated = self.key_length.unwrap_or(wanted);
        if stated != wanted || !(1..=MAX_KEY).contains(&length) {
            return Err(PasswordError::KeyLength { stated, needed: length });
        }
        let wrong = PasswordError::Parameters { what: "scrypt" };
        let parameters = Params::new(self.log_cost, self.block_size, self.parallel).map_err(|_| wrong)?;
        let mut key = Zeroizing::new(vec![0; length]);
        scrypt(password, &self.salt, &parameters, &mut key).map_err(|_| wrong)?;
        Ok(key)
    }
}
