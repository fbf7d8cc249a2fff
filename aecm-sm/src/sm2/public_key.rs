//! The public key: its encoding, the identity hash Z, verification, encryption.

use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;

use crate::{
    Error,
    hex::Hex,
    sm3::{Digest, Sm3},
};

use super::{
    arithmetic::{A_B_GX_GY, Claim, Point, Scalar},
    encryption,
    signature::Signature,
};

/// An SM2 public key: a point of the curve, never the one at infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: Point,
}

impl PublicKey {
    pub(super) fn from_point(point: Point) -> Self {
        Self { point }
    }

    pub(super) const fn point(&self) -> &Point {
        &self.point
    }

    /// Reads `04‖X‖Y` (65 octets, the form of SM2PublicKey in GB/T 35276 §7.1) or the compressed `02‖X`, `03‖X`
    /// (33 octets).
    ///
    /// # Errors
    ///
    /// [`Error::PublicKey`] for any other first octet (00 is the point at infinity, 06 and 07 the hybrid form)
    /// or length, a coordinate that is not below p, and a point that is not on the curve.
    pub fn from_sec1_bytes(bytes: &[u8]) -> Result<Self, Error> {
        const LENGTH: Error = Error::PublicKey { reason: "wrong length for its first octet" };
        const CURVE: Error = Error::PublicKey { reason: "not a point of the curve" };
        let (tag, rest) = bytes.split_first().ok_or(Error::PublicKey { reason: "empty" })?;
        let point = match tag {
            0x02 | 0x03 => {
                let x = rest.try_into().map_err(|_| LENGTH)?;
                Point::from_x(x, *tag == 0x03).ok_or(CURVE)?
            }
            0x04 => {
                let (x, y) = rest.split_at_checked(32).ok_or(LENGTH)?;
                let (x, y) = (x.try_into().map_err(|_| LENGTH)?, y.try_into().map_err(|_| LENGTH)?);
                Point::from_coordinates(x, y).ok_or(CURVE)?
            }
            0x00 => return Err(Error::PublicKey { reason: "the point at infinity" }),
            _ => return Err(Error::PublicKey { reason: "first octet is none of 02, 03, 04" }),
        };
        Ok(Self { point })
    }

    /// `04‖X‖Y`.
    #[must_use]
    pub fn to_sec1_bytes(&self) -> [u8; 65] {
        let mut bytes = [4; 65];
        let (_, coordinates) = bytes.split_at_mut(1);
        let (x, y) = coordinates.split_at_mut(32);
        x.copy_from_slice(&self.point.x());
        y.copy_from_slice(&self.point.y());
        bytes
    }

    /// Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), the hash that binds a signature to a key and an
    /// identifier (GB/T 32918.2 §5.5).
    ///
    /// # Errors
    ///
    /// [`Error::IdTooLong`] above [`MAX_ID_SIZE`](super::MAX_ID_SIZE).
    pub fn z(&self, id: &[u8]) -> Result<[u8; 32], Error> {
        // The bits must fit 16 bits: a length that wrapped round would give the Z of another identifier.
        let entl =
            u16::try_from(id.len().saturating_mul(8)).map_err(|_| Error::IdTooLong { octets: id.len() })?;
        let mut hash = Sm3::new().chain_update(entl.to_be_bytes()).chain_update(id);
        for constant in &A_B_GX_GY {
            hash.update(constant);
        }
        Ok(hash.chain_update(self.point.x()).chain_update(self.point.y()).finalize().into())
    }

    /// e = SM3(Z ‖ M), the number that is signed. Where the message comes in pieces, hash [`z`](Self::z) and
    /// the pieces with [`Sm3`] and use [`verify_e`](Self::verify_e) or
    /// [`PrivateKey::sign_e`](super::PrivateKey::sign_e).
    ///
    /// # Errors
    ///
    /// [`Error::IdTooLong`] above [`MAX_ID_SIZE`](super::MAX_ID_SIZE).
    pub fn e(&self, id: &[u8], message: &[u8]) -> Result<[u8; 32], Error> {
        Ok(Sm3::new().chain_update(self.z(id)?).chain_update(message).finalize().into())
    }

    /// Verifies a signature over `message` by the holder of this key under the identifier `id`
    /// (GB/T 32918.2 §7.1).
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] where it does not match; [`Error::IdTooLong`].
    pub fn verify(&self, id: &[u8], message: &[u8], signature: &Signature) -> Result<(), Error> {
        self.verify_e(&self.e(id, message)?, signature)
    }

    /// Verifies a signature over e = SM3(Z ‖ M).
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] where it does not match.
    pub fn verify_e(&self, e: &[u8; 32], signature: &Signature) -> Result<(), Error> {
        let claim = self.claim(e, signature).ok_or(Error::Signature)?;
        if Point::sum_has_x(&claim.s, &claim.t, &claim.point, &claim.x) {
            Ok(())
        } else {
            Err(Error::Signature)
        }
    }

    /// What a signature claims of the curve; nothing where it cannot be right.
    pub(super) fn claim(&self, e: &[u8; 32], signature: &Signature) -> Option<Claim> {
        // Steps B1 and B2, the ranges of r and s, hold for every `Signature`.
        let (r, s) = (Scalar::reduced(signature.r()), Scalar::reduced(signature.s()));
        let t = r.plus(&s);
        // r = e + x, asked the other way round.
        let x = r.minus(&Scalar::reduced(e));
        (!t.is_zero()).then_some(Claim { s, t, point: self.point, x })
    }

    /// Encrypts to the holder of this key (GB/T 32918.4 §6.1) in the DER form of GB/T 35276 §7.2. Meant for
    /// keys of symmetric ciphers; the plaintext may be of any length except 0.
    ///
    /// ```text
    /// SM2Cipher ::= SEQUENCE {
    ///     xCoordinate  INTEGER,
    ///     yCoordinate  INTEGER,
    ///     hash         OCTET STRING (SIZE(32)),
    ///     cipherText   OCTET STRING }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPlaintext`], [`Error::TooLong`], [`Error::Rng`].
    pub fn encrypt_der<R: TryCryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, Error> {
        encryption::seal(&self.point, plaintext, rng)?.to_der()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&Hex(&self.to_sec1_bytes())).finish()
    }
}
