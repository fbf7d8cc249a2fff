//! Cipher block chaining (SP 800-38A §6.2) with PKCS#7 padding (RFC 5652 §6.3).

use alloc::vec::Vec;
use cbc::cipher::KeyInit;
use core::{array, fmt, iter};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{BLOCK_SIZE, KEY_SIZE, Sm4};
use crate::Error;

/// Encrypts with SM4-CBC and PKCS#7 padding (RFC 5652 §6.3).
///
/// `iv` must be fresh and unpredictable for every message under the same key. The result is 1 to 16 octets
/// longer than `plaintext`, always a multiple of 16. For data in pieces there is [`CbcEncryptor`].
#[must_use]
pub fn cbc_encrypt(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE], plaintext: &[u8]) -> Vec<u8> {
    let padding = padding(plaintext.len());
    let mut buffer = Vec::with_capacity(plaintext.len().saturating_add(BLOCK_SIZE));
    buffer.extend_from_slice(plaintext);
    buffer.extend(iter::repeat_n(padding, usize::from(padding)));
    let (blocks, _) = buffer.as_chunks_mut::<BLOCK_SIZE>();
    Sm4::new(key.into()).encrypting().cbc_encrypt(iv, blocks);
    buffer
}

/// Decrypts SM4-CBC and takes the PKCS#7 padding away.
///
/// The padding is examined in constant time. The result is *not* authenticated. For data in pieces there is
/// [`CbcDecryptor`].
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

/// How many octets are added to so many: 1 to 16, each of which says that number.
const fn padding(octets: usize) -> u8 {
    // 16 divides 256: the lowest octet of the length decides.
    let [low, ..] = octets.to_le_bytes();
    16 - low % 16
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

/// A block that is not full yet.
struct Open {
    octets: [u8; BLOCK_SIZE],
    filled: usize,
}

impl Open {
    const fn new() -> Self {
        Self { octets: [0; BLOCK_SIZE], filled: 0 }
    }

    /// Takes what fits; gives back the rest.
    fn fill<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let (_, free) = self.octets.split_at_mut(self.filled);
        let (taken, rest) = data.split_at(free.len().min(data.len()));
        for (slot, octet) in free.iter_mut().zip(taken) {
            *slot = *octet;
        }
        self.filled += taken.len();
        rest
    }

    /// The block, if it is full.
    fn take(&mut self) -> Option<[u8; BLOCK_SIZE]> {
        (self.filled == BLOCK_SIZE).then(|| {
            self.filled = 0;
            self.octets
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

/// SM4-CBC with PKCS#7 padding for data in pieces of any size: the same octets as [`cbc_encrypt`].
///
/// Output is appended to a buffer of the caller's. Wiped when dropped.
///
/// ```
/// use aecm_sm::sm4::{CbcDecryptor, CbcEncryptor, cbc_encrypt};
///
/// let (key, iv) = ([0x42; 16], [0x24; 16]); // an IV is fresh and unpredictable for every message
/// let mut ciphertext = Vec::new();
/// let mut encryptor = CbcEncryptor::new(&key, &iv);
/// encryptor.update(b"in two ", &mut ciphertext);
/// encryptor.update(b"pieces, of unequal size", &mut ciphertext);
/// encryptor.finish(&mut ciphertext);
/// assert_eq!(ciphertext, cbc_encrypt(&key, &iv, b"in two pieces, of unequal size"));
///
/// let mut plaintext = Vec::new();
/// let mut decryptor = CbcDecryptor::new(&key, &iv);
/// for piece in ciphertext.chunks(7) {
///     decryptor.update(piece, &mut plaintext); // nothing vouches for it: see the module
/// }
/// decryptor.finish(&mut plaintext)?;
/// assert_eq!(plaintext, b"in two pieces, of unequal size");
/// # Ok::<(), aecm_sm::Error>(())
/// ```
pub struct CbcEncryptor {
    cipher: Sm4,
    chain: [u8; BLOCK_SIZE],
    open: Open,
}

impl CbcEncryptor {
    /// `iv` must be fresh and unpredictable for every message under the same key.
    #[must_use]
    pub fn new(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE]) -> Self {
        Self { cipher: Sm4::new(key.into()), chain: *iv, open: Open::new() }
    }

    /// Appends the blocks that `data` completes.
    pub fn update(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let rest = self.open.fill(data);
        let Some(first) = self.open.take() else { return };
        self.append(&first, out);
        let (blocks, rest) = rest.as_chunks::<BLOCK_SIZE>();
        self.append(blocks.as_flattened(), out);
        self.open.fill(rest);
    }

    /// Appends the last block, with the padding.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.open.fill(&[padding(self.open.filled); BLOCK_SIZE]);
        let block = Zeroizing::new(self.open.octets);
        self.append(block.as_slice(), out);
    }

    /// Whole blocks.
    fn append(&mut self, blocks: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(blocks);
        let (_, new) = out.split_at_mut(start);
        let (blocks, _) = new.as_chunks_mut::<BLOCK_SIZE>();
        self.cipher.encrypting().cbc_encrypt(&self.chain, blocks);
        if let Some(last) = blocks.last() {
            self.chain = *last;
        }
    }
}

/// The way back from [`CbcEncryptor`], and from [`cbc_encrypt`].
///
/// What comes out is *not* authenticated, and that the padding was wrong is known only at the end. Wiped when dropped.
pub struct CbcDecryptor {
    cipher: Sm4,
    chain: [u8; BLOCK_SIZE],
    open: Open,
}

impl CbcDecryptor {
    /// With the IV of the message.
    #[must_use]
    pub fn new(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE]) -> Self {
        Self { cipher: Sm4::new(key.into()), chain: *iv, open: Open::new() }
    }

    /// Appends the blocks that are known not to be the last.
    pub fn update(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) {
        let rest = self.open.fill(ciphertext);
        if rest.is_empty() {
            return;
        }
        let Some(first) = self.open.take() else { return };
        self.append(array::from_ref(&first), out);
        let (mut blocks, mut rest) = rest.as_chunks::<BLOCK_SIZE>();
        if rest.is_empty()
            && let Some((last, others)) = blocks.split_last()
        {
            (blocks, rest) = (others, last);
        }
        self.append(blocks, out);
        self.open.fill(rest);
    }

    /// Appends what is left when the padding is taken away, which is examined in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] for everything: an empty ciphertext, a length that is no multiple of 16, a bad padding.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let last = self.open.take().ok_or(Error::Decrypt)?;
        let mut block = Zeroizing::new(last);
        self.cipher.decrypting().cbc_decrypt(&self.chain, &[last], array::from_mut(&mut *block));
        let padding = padding_length(&block).ok_or(Error::Decrypt)?;
        let length = BLOCK_SIZE.saturating_sub(usize::from(padding));
        out.extend(block.iter().take(length));
        Ok(())
    }

    fn append(&mut self, ciphertext: &[[u8; BLOCK_SIZE]], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(ciphertext.as_flattened());
        let (_, new) = out.split_at_mut(start);
        let (blocks, _) = new.as_chunks_mut::<BLOCK_SIZE>();
        self.cipher.decrypting().cbc_decrypt(&self.chain, ciphertext, blocks);
        if let Some(last) = ciphertext.last() {
            self.chain = *last;
        }
    }
}

impl ZeroizeOnDrop for CbcEncryptor {}

impl ZeroizeOnDrop for CbcDecryptor {}

impl fmt::Debug for CbcEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CbcEncryptor { .. }")
    }
}

impl fmt::Debug for CbcDecryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CbcDecryptor { .. }")
    }
}
