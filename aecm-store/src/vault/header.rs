//! The header of a vault: how the password becomes a key, and the data key wrapped under it.
//!
//! Its octets are described in docs/vault-format.md.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::seal::{DataKey, KEY, NONCE, TAG};
use crate::error::StoreError;

/// The format version this library writes.
pub(super) const VERSION: u16 = 1;
/// The length of the header, in octets.
pub(super) const LENGTH: usize = CHECKED + 32;

const MAGIC: &[u8; 8] = b"AECM-VLT";
const ARGON2ID_13: u8 = 1;
const AES_256_GCM: u8 = 1;
const SALT: usize = 32;
const ID: usize = 16;
/// Where the nonce begins: all before it is authenticated when the data key is unwrapped.
const CLEAR: usize = 8 + 2 + 1 + 1 + 4 + 4 + 4 + ID + SALT;
/// Where the checksum begins.
const CHECKED: usize = CLEAR + NONCE + KEY + TAG;
const WHERE: &str = "vault.header";

/// How much work a guess at the password costs (Argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Parameters {
    /// Memory in KiB, 8 × `lanes` to 1 048 576 (1 GiB).
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 64.
    pub passes: u32,
    /// Lanes, 1 to 16. They are computed one after the other here.
    pub lanes: u32,
}

/// 64 MiB, 3 passes, 1 lane: the memory and passes of the second recommendation of RFC 9106 §4, well above
/// the floor of 19 MiB and 2 passes that is widely advised. A vault is opened once per start of a program,
/// so about a fifth of a second is no burden; and one lane instead of four, because we compute lanes one
/// after the other and more of them would only help who guesses in parallel.
impl Default for Argon2Parameters {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl Argon2Parameters {
    /// Refuses, before any work is done, what would take too much of it (THREATS E6) or is no Argon2.
    pub(super) fn check(self) -> Result<(), StoreError> {
        let refuse = |what, value, limit| Err(StoreError::Parameters { what, value, limit });
        match self {
            Self { lanes: 0, .. } => refuse("Argon2 lanes", 0, 1),
            Self { lanes: value @ 17.., .. } => refuse("Argon2 lanes", value, 16),
            Self { passes: 0, .. } => refuse("Argon2 passes", 0, 1),
            Self { passes: value @ 65.., .. } => refuse("Argon2 passes", value, 64),
            Self { memory_kib: value @ 1_048_577.., .. } => refuse("Argon2 memory in KiB", value, 1_048_576),
            Self { memory_kib: value, lanes, .. } if value < 8 * lanes => {
                refuse("Argon2 memory in KiB", value, 8 * lanes)
            }
            // Together no more than 64 passes over 256 MiB, or 16 over 1 GiB: some ten seconds.
            Self { memory_kib, passes: value, .. } if u64::from(memory_kib) * u64::from(value) > 16 << 20 => {
                refuse("Argon2 passes for that memory", value, (16 << 20) / memory_kib)
            }
            Self { .. } => Ok(()),
        }
    }

    fn derive(self, password: &[u8], salt: &[u8; SALT]) -> Result<DataKey, StoreError> {
        self.check()?;
        let limit = StoreError::Parameters {
            what: "Argon2 memory in KiB (this machine has not that much free)",
            value: self.memory_kib,
            limit: 0,
        };
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY)).map_err(|_| limit.clone())?;
        let mut blocks: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
        blocks.try_reserve_exact(params.block_count()).map_err(|_| limit)?;
        blocks.resize(params.block_count(), Block::default());
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, salt, key.as_mut_slice(), blocks.as_mut_slice())
            .map_err(|_| StoreError::TooLarge { what: "the password", limit: MAX_PASSWORD })?;
        Ok(DataKey::new(key))
    }
}

/// The longest password, in octets; longer ones are a file given by mistake.
pub(super) const MAX_PASSWORD: usize = 1 << 20;

/// A header as read, its checksum and parameters verified.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    octets: [u8; LENGTH],
    parameters: Argon2Parameters,
    salt: [u8; SALT],
    id: [u8; ID],
}

impl Header {
    /// The random name of the vault, which every record is bound to.
    pub(super) const fn id(&self) -> &[u8; ID] {
        &self.id
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.octets
    }

    pub(super) const fn parameters(&self) -> Argon2Parameters {
        self.parameters
    }

    /// A header that wraps `data_key` under `password`.
    pub(super) fn new(
        id: [u8; ID],
        data_key: &DataKey,
        password: &[u8],
        parameters: Argon2Parameters,
        rng: &dyn Rng,
    ) -> Result<Self, StoreError> {
        check_password(password)?;
        let mut salt = [0; SALT];
        rng.fill(&mut salt)?;
        let mut octets = Vec::with_capacity(LENGTH);
        octets.extend_from_slice(MAGIC);
        octets.extend_from_slice(&VERSION.to_be_bytes());
        octets.extend_from_slice(&[ARGON2ID_13, AES_256_GCM]);
        for value in [parameters.memory_kib, parameters.passes, parameters.lanes] {
            octets.extend_from_slice(&value.to_be_bytes());
        }
        octets.extend_from_slice(&id);
        octets.extend_from_slice(&salt);
        let wrapped = parameters.derive(password, &salt)?.seal(&octets, data_key.expose(), rng)?;
        octets.extend_from_slice(&wrapped);
        octets.extend_from_slice(&DigestAlgorithm::Sha256.digest(&octets));
        Self::parse(&octets)
    }

    /// Reads a header: its form, checksum and parameters, without the password and without any work.
    pub(crate) fn parse(input: &[u8]) -> Result<Self, StoreError> {
        let corrupt = |why| StoreError::corrupt(WHERE, why);
        let mut rest = input;
        if take(&mut rest) != Some(*MAGIC) {
            return Err(corrupt("it does not begin as the header of a vault"));
        }
        let short = || corrupt("it is cut off");
        let version = u16::from_be_bytes(take(&mut rest).ok_or_else(short)?);
        if version > VERSION {
            return Err(StoreError::Version { found: version, known: VERSION });
        }
        let octets: [u8; LENGTH] =
            input.try_into().map_err(|_| corrupt("it has another length than 164 octets"))?;
        let (checked, checksum) = octets.split_at(CHECKED);
        if DigestAlgorithm::Sha256.digest(checked) != checksum {
            return Err(corrupt("its checksum is wrong"));
        }
        let [kdf, aead] = take(&mut rest).ok_or_else(short)?;
        if version == 0 || kdf != ARGON2ID_13 || aead != AES_256_GCM {
            return Err(corrupt("it names an algorithm that version 1 does not have"));
        }
        let mut number = || take(&mut rest).map(u32::from_be_bytes).ok_or_else(short);
        let parameters = Argon2Parameters { memory_kib: number()?, passes: number()?, lanes: number()? };
        parameters.check()?;
        let id = take(&mut rest).ok_or_else(short)?;
        let salt = take(&mut rest).ok_or_else(short)?;
        Ok(Self { octets, parameters, salt, id })
    }

    /// Unwraps the data key.
    ///
    /// The checksum was verified in [`Header::parse`], so what fails here is the password, or someone wrote a
    /// header of their own, which is no better.
    pub(super) fn unwrap(&self, password: &[u8]) -> Result<DataKey, StoreError> {
        check_password(password)?;
        let (checked, _) = self.octets.split_at(CHECKED);
        let (clear, wrapped) = checked.split_at(CLEAR);
        let opened = self
            .parameters
            .derive(password, &self.salt)?
            .open(clear, wrapped)
            .ok_or(StoreError::WrongPassword)?;
        let mut key = Zeroizing::new([0; KEY]);
        if opened.len() != KEY {
            return Err(StoreError::corrupt(WHERE, "the wrapped key has another length than 32 octets"));
        }
        key.copy_from_slice(&opened);
        Ok(DataKey::new(key))
    }
}

fn check_password(password: &[u8]) -> Result<(), StoreError> {
    if password.len() > MAX_PASSWORD {
        return Err(StoreError::TooLarge { what: "the password", limit: MAX_PASSWORD });
    }
    Ok(())
}

/// The next `N` octets.
pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

#[cfg(test)]
mod tests;
