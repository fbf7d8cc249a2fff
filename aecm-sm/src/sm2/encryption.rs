//! Public-key encryption: the three wire forms, the key derivation, both directions.

use alloc::{borrow::Cow, vec::Vec};
use der::{
    Decode, Encode, Sequence,
    asn1::{OctetStringRef, UintRef},
};
use rand_core::TryCryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    Error,
    sm3::{Digest, Sm3, check_kdf_length, kdf},
};

use super::{
    arithmetic::{Point, Scalar},
    nonce::random_scalar,
    signature::pad,
};

/// How many k an encryption may try. A plaintext of one octet wants another one with a chance of 1/256, so
/// that a working generator never gets here.
const MAX_TRIES: usize = 64;

const C3_SIZE: usize = 32;

/// How the three parts of an SM2 ciphertext are arranged. The parts do not say it themselves, and nothing is
/// guessed: whoever knows the message format knows the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CiphertextForm {
    /// SM2Cipher of GB/T 35276 §7.2 in strict DER: the form of CMS.
    Der,
    /// The octets C1‖C3‖C2 of GB/T 32918.4-2016; C1 is X‖Y with or without a leading 04.
    C1C3C2,
    /// The octets C1‖C2‖C3 of the older order; C1 is X‖Y with or without a leading 04.
    C1C2C3,
}

/// The parts of a ciphertext; C1 is on the curve, C2 is not empty.
pub(super) struct Ciphertext<'a> {
    c1: Point,
    c2: Cow<'a, [u8]>,
    c3: [u8; C3_SIZE],
}

/// The DER form; the reader refuses BER lengths, padded or negative INTEGERs and trailing octets.
#[derive(Sequence)]
struct Sm2Cipher<'a> {
    x: UintRef<'a>,
    y: UintRef<'a>,
    hash: &'a OctetStringRef,
    cipher_text: &'a OctetStringRef,
}

const CURVE: Error = Error::Ciphertext { reason: "C1 is not a point of the curve" };
const SHORT: Error = Error::Ciphertext { reason: "shorter than C1, C3 and one octet" };
const DER: Error = Error::Ciphertext { reason: "not one DER SM2Cipher" };

impl<'a> Ciphertext<'a> {
    pub(super) fn parse(octets: &'a [u8], form: CiphertextForm) -> Result<Self, Error> {
        match form {
            CiphertextForm::Der => Self::from_der(octets),
            CiphertextForm::C1C2C3 | CiphertextForm::C1C3C2 => match octets {
                // X itself may begin with 04. Of the two readings at most one is on the curve (but for a
                // chance of 2⁻²⁵⁶), and which one is no secret.
                [4, rest @ ..] => Self::from_raw(rest, form).or_else(|_| Self::from_raw(octets, form)),
                _ => Self::from_raw(octets, form),
            },
        }
    }

    fn from_der(octets: &'a [u8]) -> Result<Self, Error> {
        let cipher = Sm2Cipher::from_der(octets).map_err(|_| DER)?;
        let x = pad(cipher.x.as_bytes()).ok_or(CURVE)?;
        let y = pad(cipher.y.as_bytes()).ok_or(CURVE)?;
        let c3 = cipher
            .hash
            .as_bytes()
            .try_into()
            .map_err(|_| Error::Ciphertext { reason: "HASH is not of 32 octets" })?;
        Self::new(&x, &y, cipher.cipher_text.as_bytes(), c3)
    }

    /// `octets` without a leading 04.
    fn from_raw(octets: &'a [u8], form: CiphertextForm) -> Result<Self, Error> {
        let (x, rest) = octets.split_first_chunk().ok_or(SHORT)?;
        let (y, rest) = rest.split_first_chunk().ok_or(SHORT)?;
        let (c3, c2) = match form {
            CiphertextForm::C1C2C3 => rest.split_last_chunk().map(|(c2, c3)| (c3, c2)),
            _ => rest.split_first_chunk(),
        }
        .ok_or(SHORT)?;
        Self::new(x, y, c2, *c3)
    }

    fn new(x: &[u8; 32], y: &[u8; 32], c2: &'a [u8], c3: [u8; C3_SIZE]) -> Result<Self, Error> {
        if c2.is_empty() {
            return Err(Error::Ciphertext { reason: "C2 is empty" });
        }
        check_kdf_length(c2.len())?;
        Ok(Self { c1: Point::from_coordinates(x, y).ok_or(CURVE)?, c2: Cow::Borrowed(c2), c3 })
    }

    pub(super) fn to_der(&self) -> Result<Vec<u8>, Error> {
        let too_long = |_| Error::TooLong { octets: self.c2.len() };
        let (x, y) = (self.c1.x(), self.c1.y());
        Sm2Cipher {
            x: UintRef::new(&x).map_err(too_long)?,
            y: UintRef::new(&y).map_err(too_long)?,
            hash: OctetStringRef::new(&self.c3).map_err(too_long)?,
            cipher_text: OctetStringRef::new(&self.c2).map_err(too_long)?,
        }
        .to_der()
        .map_err(too_long)
    }
}

/// Steps A1 to A8 of GB/T 32918.4 §6.1.
pub(super) fn seal<R: TryCryptoRng + ?Sized>(
    recipient: &Point,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<Ciphertext<'static>, Error> {
    if plaintext.is_empty() {
        return Err(Error::EmptyPlaintext);
    }
    check_kdf_length(plaintext.len())?;
    for _ in 0..MAX_TRIES {
        if let Some(ciphertext) = seal_with_nonce(recipient, plaintext, &*random_scalar(rng)?) {
            return Ok(ciphertext);
        }
    }
    Err(Error::Rng)
}

/// Steps A2 to A8 with a given k; nothing where the standard asks for another k.
pub(super) fn seal_with_nonce(
    recipient: &Point,
    plaintext: &[u8],
    k: &Scalar,
) -> Option<Ciphertext<'static>> {
    let (c1, shared) = recipient.both_times(k)?;
    let shared = Shared::new(&shared);
    let mut stream = shared.key_stream(plaintext.len()).ok()?;
    if bool::from(all_zero(&stream)) {
        return None;
    }
    xor(&mut stream, plaintext);
    // From here on the buffer holds ciphertext and may leave.
    let c2 = core::mem::take(&mut *stream);
    Some(Ciphertext { c1: *c1, c2: Cow::Owned(c2), c3: shared.check_value(plaintext) })
}

/// Steps B2 to B7 of GB/T 32918.4 §7.1; B1, the check of C1, was done by parsing.
pub(super) fn open(d: &Scalar, ciphertext: &Ciphertext<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let shared = Shared::new(&*ciphertext.c1.times(d).ok_or(Error::Decrypt)?);
    let mut buffer = shared.key_stream(ciphertext.c2.len())?;
    let no_stream = all_zero(&buffer);
    xor(&mut buffer, &ciphertext.c2);
    let expected = Zeroizing::new(shared.check_value(&buffer));
    // One decision, after all the work; the buffer is wiped where it is not handed out.
    let good = expected.ct_eq(&ciphertext.c3) & !no_stream;
    if bool::from(good) { Ok(buffer) } else { Err(Error::Decrypt) }
}

/// The coordinates (x2, y2) of the point both sides know.
struct Shared {
    x: Zeroizing<[u8; 32]>,
    y: Zeroizing<[u8; 32]>,
}

impl Shared {
    fn new(point: &Point) -> Self {
        Self { x: Zeroizing::new(point.x()), y: Zeroizing::new(point.y()) }
    }

    /// KDF(x2‖y2, klen) of GB/T 32918.4 §5.4.3.
    fn key_stream(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        kdf(&[&*self.x, &*self.y], length)
    }

    /// C3 = SM3(x2‖M‖y2).
    fn check_value(&self, plaintext: &[u8]) -> [u8; C3_SIZE] {
        Sm3::new()
            .chain_update(self.x.as_slice())
            .chain_update(plaintext)
            .chain_update(self.y.as_slice())
            .finalize()
            .into()
    }
}

fn all_zero(octets: &[u8]) -> Choice {
    octets.iter().fold(0_u8, |sum, octet| sum | octet).ct_eq(&0)
}

fn xor(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to ^= from;
    }
}
