//! PBES2.

use alloc::vec::Vec;

use aecm_sm::sm4::Sm4;
use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser,
    KeyInit, KeyIvInit,
};
use des::TdesEde3;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

use super::{DEFAULT_ITERATIONS, KeyDerivation, PasswordError, Pbkdf2Params, Prf, parameters};
use crate::embed::Rng;
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::{AlgorithmId, Reader, Rules, write};

/// Octets of the salt that is written.
const SALT: usize = 16;

/// The ciphers of PBES2, all of them in CBC with the padding of RFC 8018 §6.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cipher {
    /// AES-128-CBC (RFC 8018 §B.2.5).
    Aes128Cbc,
    /// AES-192-CBC.
    Aes192Cbc,
    /// AES-256-CBC: the one we write.
    Aes256Cbc,
    /// SM4-CBC (GB/T 17964): the one for files in SM algorithms.
    Sm4Cbc,
    /// DES-EDE3-CBC (RFC 8018 §B.2.2): read only.
    DesEde3Cbc,
}

impl Cipher {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Aes128Cbc, Self::Aes192Cbc, Self::Aes256Cbc, Self::Sm4Cbc, Self::DesEde3Cbc];

    /// The cipher of an object identifier.
    #[must_use]
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == *oid)
    }

    /// The object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128Cbc => oid::AES128_CBC,
            Self::Aes192Cbc => oid::AES192_CBC,
            Self::Aes256Cbc => oid::AES256_CBC,
            Self::Sm4Cbc => oid::SM4_CBC,
            Self::DesEde3Cbc => oid::DES_EDE3_CBC,
        }
    }

    /// Octets of a key.
    #[must_use]
    pub const fn key_size(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Sm4Cbc => 16,
            Self::Aes192Cbc | Self::DesEde3Cbc => 24,
            Self::Aes256Cbc => 32,
        }
    }

    /// Octets of a block and of an initialisation vector.
    #[must_use]
    pub const fn block_size(self) -> usize {
        match self {
            Self::DesEde3Cbc => 8,
            _ => 16,
        }
    }

    fn open(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128Cbc => open::<Aes128>(key, iv, data),
            Self::Aes192Cbc => open::<Aes192>(key, iv, data),
            Self::Aes256Cbc => open::<Aes256>(key, iv, data),
            Self::Sm4Cbc => open::<Sm4>(key, iv, data),
            Self::DesEde3Cbc => open::<TdesEde3>(key, iv, data),
        }
    }

    fn seal(self, key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Aes128Cbc => seal::<Aes128>(key, iv, plain),
            Self::Aes192Cbc => seal::<Aes192>(key, iv, plain),
            Self::Aes256Cbc => seal::<Aes256>(key, iv, plain),
            Self::Sm4Cbc => seal::<Sm4>(key, iv, plain),
            Self::DesEde3Cbc => None,
        }
    }
}

/// How something is to be encrypted under a password.
///
/// By default AES-256-CBC, PBKDF2 with HMAC-SHA-256 and 600 000 iterations. [`Encryption::sm`] has SM4-CBC in the
/// place of AES and the same derivation, which OpenSSL reads; HMAC-SM3 has three dialects that no reader knows all
/// of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    cipher: Cipher,
    prf: Prf,
    iterations: u32,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { cipher: Cipher::Aes256Cbc, prf: Prf::HmacSha256, iterations: DEFAULT_ITERATIONS }
    }
}

impl Encryption {
    /// With SM4-CBC.
    #[must_use]
    pub fn sm() -> Self {
        Self { cipher: Cipher::Sm4Cbc, ..Self::default() }
    }

    /// With another pseudo-random function.
    #[must_use]
    pub const fn prf(self, prf: Prf) -> Self {
        Self { prf, ..self }
    }

    /// With that many iterations. Fewer than the default are for tests and for passwords that are random keys.
    #[must_use]
    pub const fn iterations(self, iterations: u32) -> Self {
        Self { iterations, ..self }
    }

    /// The cipher.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The iterations.
    #[must_use]
    pub const fn iteration_count(&self) -> u32 {
        self.iterations
    }
}

/// The scheme PBES2 with its parameters, within the limits.
///
/// ```text
/// PBES2-params ::= SEQUENCE {                        -- RFC 8018 §A.4
///     keyDerivationFunc  AlgorithmIdentifier,
///     encryptionScheme   AlgorithmIdentifier }       -- parameters: the initialisation vector
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pbes2 {
    derivation: KeyDerivation,
    cipher: Cipher,
    iv: Vec<u8>,
}

impl Pbes2 {
    /// With a fresh salt and initialisation vector.
    ///
    /// # Errors
    /// [`PasswordError::Rng`]; [`PasswordError::Iterations`] for none.
    pub fn generate(encryption: Encryption, rng: &dyn Rng) -> Result<Self, PasswordError> {
        let mut salt = alloc::vec![0; SALT];
        rng.fill(&mut salt)?;
        let mut iv = alloc::vec![0; encryption.cipher.block_size()];
        rng.fill(&mut iv)?;
        let derivation = Pbkdf2Params::new(salt, encryption.iterations, encryption.prf)?;
        Ok(Self { derivation: KeyDerivation::Pbkdf2(derivation), cipher: encryption.cipher, iv })
    }

    /// Reads an AlgorithmIdentifier: PBES2, or the GM scheme of the same parameters (1.2.156.10197.6.1.4.1.5.2, and
    /// 6.4.1.5.2 as gmsm writes it).
    ///
    /// # Errors
    /// [`PasswordError::Algorithm`], which names the schemes of PKCS#5 v1.5 and PKCS#12 that are not read any more;
    /// what [`KeyDerivation::from_algorithm`] refuses.
    pub fn from_algorithm(algorithm: &AlgorithmId<'_>, limits: &Limits) -> Result<Self, PasswordError> {
        if !matches!(algorithm.oid, oid::PBES2 | oid::GM_PBES | oid::GM_PBES_GMSM) {
            return Err(PasswordError::Algorithm { role: "encryption scheme", algorithm: algorithm.oid });
        }
        let mut fields = parameters(algorithm, "PBES2", limits)?;
        let derivation = fields.algorithm()?;
        let scheme = fields.algorithm()?;
        fields.finish()?;
        let cipher = Cipher::from_oid(&scheme.oid)
            .ok_or(PasswordError::Algorithm { role: "cipher", algorithm: scheme.oid })?;
        let wrong = PasswordError::Parameters { what: "the cipher" };
        let mut outer = Reader::new(scheme.parameters.ok_or(wrong)?, Rules::Ber, limits);
        let iv = outer.octet_string()?.into_owned();
        outer.finish()?;
        if iv.len() != cipher.block_size() {
            return Err(wrong);
        }
        Ok(Self { derivation: KeyDerivation::from_algorithm(&derivation, limits)?, cipher, iv })
    }

    /// The cipher.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// How the key is derived.
    #[must_use]
    pub const fn derivation(&self) -> &KeyDerivation {
        &self.derivation
    }

    /// Decrypts. The padding is all that tells a wrong password; one in 256 passes it.
    ///
    /// # Errors
    /// [`PasswordError::WrongPassword`]; [`PasswordError::KeyLength`].
    pub fn decrypt(&self, password: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        // Before the work of the derivation.
        if data.is_empty() || !data.len().is_multiple_of(self.cipher.block_size()) {
            return Err(PasswordError::WrongPassword);
        }
        let key = self.derivation.derive(password, self.cipher.key_size())?;
        self.cipher.open(&key, &self.iv, data).ok_or(PasswordError::WrongPassword)
    }

    /// Encrypts. A scheme is for one use.
    ///
    /// # Errors
    /// [`PasswordError::Algorithm`] for a cipher that is only read.
    pub fn encrypt(&self, password: &[u8], plain: &[u8]) -> Result<Vec<u8>, PasswordError> {
        let key = self.derivation.derive(password, self.cipher.key_size())?;
        self.cipher
            .seal(&key, &self.iv, plain)
            .ok_or(PasswordError::Algorithm { role: "cipher", algorithm: self.cipher.oid() })
    }

    /// The AlgorithmIdentifier; empty for scrypt, which is never written.
    pub fn algorithm_der(&self) -> Vec<u8> {
        let KeyDerivation::Pbkdf2(derivation) = &self.derivation else { return Vec::new() };
        let cipher = write::algorithm(&self.cipher.oid(), Some(&write::octet_string(&self.iv)));
        let parameters = write::sequence(&[&derivation.algorithm_der(None), &cipher]);
        write::algorithm(&oid::PBES2, Some(&parameters))
    }
}

fn seal<B>(key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>>
where
    B: BlockSizeUser + BlockCipherEncrypt + KeyInit,
{
    let mut encryptor = cbc::Encryptor::<B>::new_from_slices(key, iv).ok()?;
    let size = B::block_size();
    let padding = size.checked_sub(plain.len() % size)?;
    let length = plain.len().checked_add(padding)?;
    // Room for all at once, so that no copy of the plain octets stays behind.
    let mut buffer = Vec::with_capacity(length);
    buffer.extend_from_slice(plain);
    buffer.resize(length, u8::try_from(padding).ok()?);
    for block in buffer.chunks_exact_mut(size) {
        encryptor.encrypt_block(<&mut Array<u8, _>>::try_from(block).ok()?);
    }
    Some(buffer)
}

fn open<B>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    B: BlockSizeUser + BlockCipherDecrypt + KeyInit,
{
    let size = B::block_size();
    if data.is_empty() || !data.len().is_multiple_of(size) {
        return None;
    }
    let mut decryptor = cbc::Decryptor::<B>::new_from_slices(key, iv).ok()?;
    let mut buffer = Zeroizing::new(data.to_vec());
    for block in buffer.chunks_exact_mut(size) {
        decryptor.decrypt_block(<&mut Array<u8, _>>::try_from(block).ok()?);
    }
    let padding = padding_length(buffer.rchunks(size).next()?)?;
    let length = buffer.len().checked_sub(usize::from(padding))?;
    buffer.truncate(length);
    Some(buffer)
}

/// The number of padding octets of the last block (RFC 8018 §6.1.1), or nothing where the padding is wrong.
/// Reads all of it whatever it says.
fn padding_length(block: &[u8]) -> Option<u8> {
    let length = *block.last()?;
    let size = u8::try_from(block.len()).ok()?;
    let mut good = length.ct_gt(&0) & !length.ct_gt(&size);
    for (octet, from_end) in block.iter().rev().zip(0_u8..) {
        let padded = from_end.ct_lt(&length);
        good &= Choice::conditional_select(&Choice::from(1), &octet.ct_eq(&length), padded);
    }
    bool::from(good).then_some(length)
}
