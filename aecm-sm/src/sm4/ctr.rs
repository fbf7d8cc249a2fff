//! Counter mode (SP 800-38A §6.5).

use cbc::cipher::{
    InOutBuf, Iv, IvSizeUser, Key, KeyIvInit, KeySizeUser, StreamCipher, StreamCipherError, consts::U16,
};
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{BLOCK_SIZE, KEY_SIZE, Sm4, rounds::Rounds};

/// Where a key stream is.
pub(super) struct Position {
    /// The next counter block.
    next: u128,
    /// The block of the key stream that is being used up.
    block: [u8; 16],
    /// How many octets of it are left.
    left: usize,
}

impl Drop for Position {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl Position {
    pub(super) const fn new(first: u128) -> Self {
        Self { next: first, block: [0; 16], left: 0 }
    }

    pub(super) fn apply(&mut self, rounds: &Rounds, data: &mut [u8]) {
        let (now, mut data) = data.split_at_mut(self.left.min(data.len()));
        self.take(now);
        // The backend counts in 32 bits; above them counts this loop.
        while data.len() >= 16 {
            let [nonce @ .., w, x, y, z] = self.next.to_be_bytes();
            let counter = u32::from_be_bytes([w, x, y, z]);
            let until_carry = usize::try_from(!counter).unwrap_or(usize::MAX).saturating_add(1);
            let (whole, rest) = data.split_at_mut((data.len() / 16).min(until_carry).saturating_mul(16));
            rounds.ctr(&nonce, counter, whole);
            #[expect(clippy::as_conversions, reason = "there is no From for usize; it always fits")]
            let blocks = (whole.len() / 16) as u128;
            self.next = self.next.wrapping_add(blocks);
            data = rest;
        }
        if !data.is_empty() {
            self.block = rounds.one(&self.next.to_be_bytes());
            self.next = self.next.wrapping_add(1);
            self.left = 16;
            self.take(data);
        }
    }

    /// Octets of the block that is there; not more than are left.
    fn take(&mut self, data: &mut [u8]) {
        for (to, from) in data.iter_mut().zip(self.block.iter().skip(16 - self.left)) {
            *to ^= from;
        }
        self.left = self.left.saturating_sub(data.len());
    }
}

/// SM4-CTR: encryption and decryption alike, in pieces of any size.
///
/// The counter has 128 bits and starts at the IV, as in OpenSSL and GmSSL. The same counter block must never be used
/// twice under one key, so that an IV must be at least as many blocks away from every other as the message is long.
/// Nothing is authenticated. Also a [`StreamCipher`] of the `cipher` crate. Wiped when dropped.
///
/// ```
/// use aecm_sm::sm4::Ctr;
///
/// let (key, iv) = ([0x42; 16], [0x24; 16]);
/// let mut data = *b"in two pieces";
/// let mut encryptor = Ctr::new(&key, &iv);
/// let (first, second) = data.split_at_mut(5);
/// encryptor.apply(first);
/// encryptor.apply(second);
/// assert_ne!(data, *b"in two pieces");
///
/// Ctr::new(&key, &iv).apply(&mut data);
/// assert_eq!(data, *b"in two pieces");
/// ```
pub struct Ctr {
    cipher: Sm4,
    position: Position,
}

impl Ctr {
    /// At the first octet of the key stream.
    #[must_use]
    pub fn new(key: &[u8; KEY_SIZE], iv: &[u8; BLOCK_SIZE]) -> Self {
        Self::with(<Sm4 as cbc::cipher::KeyInit>::new(key.into()), iv)
    }

    /// Over a cipher that is there.
    #[must_use]
    pub fn with(cipher: Sm4, iv: &[u8; BLOCK_SIZE]) -> Self {
        Self { cipher, position: Position::new(u128::from_be_bytes(*iv)) }
    }

    /// Adds the next octets of the key stream to `data`.
    pub fn apply(&mut self, data: &mut [u8]) {
        self.position.apply(self.cipher.encrypting(), data);
    }
}

impl fmt::Debug for Ctr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ctr { .. }")
    }
}

impl ZeroizeOnDrop for Ctr {}

impl KeySizeUser for Ctr {
    type KeySize = U16;
}

impl IvSizeUser for Ctr {
    type IvSize = U16;
}

impl KeyIvInit for Ctr {
    fn new(key: &Key<Self>, iv: &Iv<Self>) -> Self {
        Self::new(&key.0, &iv.0)
    }
}

impl StreamCipher for Ctr {
    fn check_remaining(&self, _: usize) -> Result<(), StreamCipherError> {
        // 2¹³² octets.
        Ok(())
    }

    fn unchecked_apply_keystream_inout(&mut self, buf: InOutBuf<'_, '_, u8>) {
        self.apply(buf.into_out_with_copied_in());
    }

    fn unchecked_write_keystream(&mut self, buf: &mut [u8]) {
        buf.fill(0);
        self.apply(buf);
    }
}
