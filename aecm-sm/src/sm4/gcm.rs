//! Galois/counter mode (SP 800-38D), nonce 96 bit, tag 128 bit.

use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    BLOCK_SIZE, GCM_NONCE_SIZE, GCM_TAG_SIZE, KEY_SIZE, Sm4,
    ctr::Position,
    ghash::{HashKey, Sum},
};
use crate::Error;

/// Octets of the longest message: 2³²−2 blocks.
const LONGEST: u64 = (1 << 36) - 32;
/// Octets of the longest additional data.
const LONGEST_AAD: u64 = (1 << 61) - 1;

/// How much is encrypted before it is hashed, so that it is still in the first cache.
const CHUNK: usize = 8192;

/// SM4-GCM under one key, for any number of messages.
///
/// What depends on the key alone is computed once. For a message in one piece [`seal`](Self::seal) and
/// [`open`](Self::open) work in place; for one in pieces there are [`sealing`](Self::sealing) and
/// [`verifying`](Self::verifying). Wiped when dropped.
///
/// ```
/// use aecm_sm::sm4::Gcm;
///
/// # fn main() -> Result<(), aecm_sm::Error> {
/// let gcm = Gcm::new(&[0x42; 16]);
/// let mut data = *b"secret";
/// let tag = gcm.seal(&[1; 12], b"header", &mut data)?; // a nonce never twice under one key
/// gcm.open(&[1; 12], b"header", &mut data, &tag)?;
/// assert_eq!(data, *b"secret");
/// assert!(gcm.open(&[1; 12], b"Header", &mut data, &tag).is_err());
/// assert_eq!(data, *b"secret"); // left as it was
/// # Ok(())
/// # }
/// ```
pub struct Gcm {
    cipher: Sm4,
    hash: HashKey,
}

impl ZeroizeOnDrop for Gcm {}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gcm { .. }")
    }
}

impl Gcm {
    /// Under `key`.
    #[must_use]
    pub fn new(key: &[u8; KEY_SIZE]) -> Self {
        Self::with(<Sm4 as cbc::cipher::KeyInit>::new(key.into()))
    }

    /// Over a cipher that is there.
    #[must_use]
    pub fn with(cipher: Sm4) -> Self {
        let mut h = cipher.encrypting().one(&[0; BLOCK_SIZE]);
        let hash = HashKey::new(&h, cipher.backend());
        h.zeroize();
        Self { cipher, hash }
    }

    /// Encrypts `data` in place; returns the tag over it and `aad`.
    ///
    /// A `nonce` must never be used twice under one key.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] where `data` is beyond 2³⁶−32 octets or `aad` beyond 2⁶¹−1; `data` is as it was.
    pub fn seal(
        &self,
        nonce: &[u8; GCM_NONCE_SIZE],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; GCM_TAG_SIZE], Error> {
        within(data.len(), LONGEST)?;
        let mut sealing = self.sealing(nonce, aad)?;
        sealing.update(data)?;
        Ok(sealing.finish())
    }

    /// Decrypts `data` in place, after the tag over it and `aad` has been found right, in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] for everything; `data` is as it was.
    pub fn open(
        &self,
        nonce: &[u8; GCM_NONCE_SIZE],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; GCM_TAG_SIZE],
    ) -> Result<(), Error> {
        let mut verifying = self.verifying(nonce, aad)?;
        verifying.update(data)?;
        verifying.finish(tag)?.update(data)
    }

    /// Begins a message in pieces. A `nonce` must never be used twice under one key.
    ///
    /// ```
    /// use aecm_sm::sm4::Gcm;
    ///
    /// # fn main() -> Result<(), aecm_sm::Error> {
    /// let gcm = Gcm::new(&[0x42; 16]);
    /// let mut sealing = gcm.sealing(&[1; 12], b"header")?;
    /// let mut pieces = [*b"first ", *b"second"];
    /// for piece in &mut pieces {
    ///     sealing.update(piece)?;
    /// }
    /// let tag = sealing.finish();
    ///
    /// // To open it the pieces are read twice: nothing is decrypted before the tag has been found right.
    /// let mut verifying = gcm.verifying(&[1; 12], b"header")?;
    /// for piece in &pieces {
    ///     verifying.update(piece)?;
    /// }
    /// let mut opening = verifying.finish(&tag)?;
    /// for piece in &mut pieces {
    ///     opening.update(piece)?;
    /// }
    /// assert_eq!(pieces, [*b"first ", *b"second"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] where `aad` is beyond 2⁶¹−1 octets.
    pub fn sealing(&self, nonce: &[u8; GCM_NONCE_SIZE], aad: &[u8]) -> Result<GcmSealing<'_>, Error> {
        Ok(GcmSealing { pass: Pass::new(self, nonce, aad)?, position: stream(nonce) })
    }

    /// Begins to check a message in pieces.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] where `aad` is beyond the limit.
    pub fn verifying(&self, nonce: &[u8; GCM_NONCE_SIZE], aad: &[u8]) -> Result<GcmVerifying<'_>, Error> {
        let pass = Pass::new(self, nonce, aad).map_err(|_| Error::Decrypt)?;
        Ok(GcmVerifying { pass, position: stream(nonce) })
    }
}

/// The counter blocks: the nonce, then 32 bits from 1 on (SP 800-38D §7.1), of which the first covers the tag.
fn first_counter(nonce: &[u8; GCM_NONCE_SIZE]) -> u128 {
    nonce.iter().fold(0, |sum, octet| sum << 8 | u128::from(*octet)) << 32 | 1
}

/// Within the limits the 32 bits never wrap.
fn stream(nonce: &[u8; GCM_NONCE_SIZE]) -> Position {
    Position::new(first_counter(nonce).wrapping_add(1))
}

fn within(octets: usize, limit: u64) -> Result<u64, Error> {
    u64::try_from(octets).ok().filter(|length| *length <= limit).ok_or(Error::TooLong { octets })
}

/// What goes into the tag.
struct Pass<'a> {
    gcm: &'a Gcm,
    sum: Sum<'a>,
    cover: u128,
    aad: u64,
    data: u64,
}

impl<'a> Pass<'a> {
    fn new(gcm: &'a Gcm, nonce: &[u8; GCM_NONCE_SIZE], aad: &[u8]) -> Result<Self, Error> {
        let length = within(aad.len(), LONGEST_AAD)?;
        let mut sum = gcm.hash.start();
        sum.update(aad);
        sum.finish_block();
        Ok(Self { gcm, sum, cover: first_counter(nonce), aad: length, data: 0 })
    }

    /// Counts before anything is done.
    fn count(&mut self, octets: usize) -> Result<(), Error> {
        let more = within(octets, LONGEST)?;
        let sum = self.data.checked_add(more).filter(|sum| *sum <= LONGEST);
        self.data = sum.ok_or(Error::TooLong { octets })?;
        Ok(())
    }

    fn finish(self) -> [u8; GCM_TAG_SIZE] {
        let mut tag = self.sum.finish(self.aad, self.data);
        let cover = self.gcm.cipher.encrypting().one(&self.cover.to_be_bytes());
        for (to, from) in tag.iter_mut().zip(cover) {
            *to ^= from;
        }
        tag
    }
}

/// A message that is being encrypted; from [`Gcm::sealing`].
pub struct GcmSealing<'a> {
    pass: Pass<'a>,
    position: Position,
}

impl GcmSealing<'_> {
    /// Encrypts the next piece in place.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] where all pieces together are beyond 2³⁶−32 octets; this one is as it was.
    pub fn update(&mut self, data: &mut [u8]) -> Result<(), Error> {
        self.pass.count(data.len())?;
        for chunk in data.chunks_mut(CHUNK) {
            self.position.apply(self.pass.gcm.cipher.encrypting(), chunk);
            self.pass.sum.update(chunk);
        }
        Ok(())
    }

    /// The tag.
    #[must_use]
    pub fn finish(self) -> [u8; GCM_TAG_SIZE] {
        self.pass.finish()
    }
}

/// A message that is being checked; from [`Gcm::verifying`].
pub struct GcmVerifying<'a> {
    pass: Pass<'a>,
    position: Position,
}

impl<'a> GcmVerifying<'a> {
    /// The next piece of the ciphertext.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] where all pieces together are beyond the limit.
    pub fn update(&mut self, ciphertext: &[u8]) -> Result<(), Error> {
        self.pass.count(ciphertext.len()).map_err(|_| Error::Decrypt)?;
        self.pass.sum.update(ciphertext);
        Ok(())
    }

    /// Compares the tag in constant time; if it is right, the same ciphertext can be decrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] where the tag is wrong.
    pub fn finish(self, tag: &[u8; GCM_TAG_SIZE]) -> Result<GcmOpening<'a>, Error> {
        let Self { pass, position } = self;
        let (gcm, left) = (pass.gcm, pass.data);
        let mut expected = pass.finish();
        let right = bool::from(expected.ct_eq(tag));
        expected.zeroize();
        if right { Ok(GcmOpening { gcm, position, left }) } else { Err(Error::Decrypt) }
    }
}

/// A message whose tag was right; from [`GcmVerifying::finish`].
pub struct GcmOpening<'a> {
    gcm: &'a Gcm,
    position: Position,
    left: u64,
}

impl GcmOpening<'_> {
    /// Decrypts the next piece in place. The caller gives the octets that were checked: this pass does not hash them
    /// again.
    ///
    /// # Errors
    ///
    /// [`Error::Decrypt`] for more octets than were checked; this piece is as it was.
    pub fn update(&mut self, data: &mut [u8]) -> Result<(), Error> {
        let more = within(data.len(), LONGEST).map_err(|_| Error::Decrypt)?;
        self.left = self.left.checked_sub(more).ok_or(Error::Decrypt)?;
        self.position.apply(self.gcm.cipher.encrypting(), data);
        Ok(())
    }
}

impl fmt::Debug for GcmSealing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcmSealing { .. }")
    }
}

impl fmt::Debug for GcmVerifying<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcmVerifying { .. }")
    }
}

impl fmt::Debug for GcmOpening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcmOpening { .. }")
    }
}
