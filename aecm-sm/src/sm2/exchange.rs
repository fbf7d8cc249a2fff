//! Key agreement of two parties with confirmation (GB/T 32918.3, GM/T 0003.3).

use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Error,
    sm3::{Digest, Sm3, kdf},
};

use super::{
    arithmetic::{Point, Scalar},
    nonce::random_scalar,
    private_key::PrivateKey,
    public_key::PublicKey,
};

/// Octets of a confirmation value, S1 to SB of the standard.
pub const CONFIRMATION_SIZE: usize = 32;

/// Who the other side is: its long-term public key and its identifier.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its long-term key, from its certificate.
    pub public_key: &'a PublicKey,
    /// Its identifier; [`DEFAULT_ID`](super::DEFAULT_ID) where nothing else was agreed.
    pub id: &'a [u8],
}

/// The side that speaks first, A of the standard, while it waits for the answer.
///
/// Both sides send a point of their own ([`message`](Self::message)), and come to the same key; each then knows
/// from the other's confirmation value that the other has it too. A point is used once: every method that ends the
/// exchange takes it away.
///
/// ```
/// use aecm_sm::sm2::{DEFAULT_ID, PrivateKey, exchange::{Initiator, Peer, Responder}};
/// # fn main() -> Result<(), aecm_sm::Error> {
/// # #[derive(Debug)] struct Os;
/// # impl rand_core::TryRng for Os {
/// #     type Error = core::convert::Infallible;
/// #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { let mut o = [0; 4]; getrandom::fill(&mut o).unwrap(); Ok(u32::from_le_bytes(o)) }
/// #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { let mut o = [0; 8]; getrandom::fill(&mut o).unwrap(); Ok(u64::from_le_bytes(o)) }
/// #     fn try_fill_bytes(&mut self, o: &mut [u8]) -> Result<(), Self::Error> { getrandom::fill(o).unwrap(); Ok(()) }
/// # }
/// # impl rand_core::TryCryptoRng for Os {}
/// # let mut rng = Os;
/// let (alice, bob) = (PrivateKey::generate(&mut rng)?, PrivateKey::generate(&mut rng)?);
/// let to_bob = Peer { public_key: bob.public_key(), id: DEFAULT_ID };
/// let to_alice = Peer { public_key: alice.public_key(), id: DEFAULT_ID };
///
/// let initiator = Initiator::new(&alice, DEFAULT_ID, to_bob, &mut rng)?;
/// let (responder, answer) =
///     Responder::answer(&bob, DEFAULT_ID, to_alice, initiator.message(), 16, &mut rng)?;
/// let (key, confirmation) = initiator.finish(&answer.message, Some(&answer.confirmation), 16)?;
/// assert_eq!(responder.finish(&confirmation)?, key);
/// # Ok(()) }
/// ```
pub struct Initiator<'a> {
    own: Own<'a>,
    peer: Peer<'a>,
}

/// What one side brings.
struct Own<'a> {
    key: &'a PrivateKey,
    id: &'a [u8],
    /// The secret number of this exchange and its point.
    r: Zeroizing<Scalar>,
    point: PublicKey,
    message: [u8; 65],
}

/// What the side that answers sends.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its point, `04‖X‖Y`.
    pub message: [u8; 65],
    /// Its confirmation value SB, by which the first side knows that both have the same key.
    pub confirmation: [u8; CONFIRMATION_SIZE],
}

/// The side that answers, B of the standard, while it waits for the confirmation.
pub struct Responder {
    key: Zeroizing<Vec<u8>>,
    expected: [u8; CONFIRMATION_SIZE],
}

impl<'a> Own<'a> {
    fn new<R: TryCryptoRng + ?Sized>(key: &'a PrivateKey, id: &'a [u8], rng: &mut R) -> Result<Self, Error> {
        Self::with(key, id, random_scalar(rng)?)
    }

    fn with(key: &'a PrivateKey, id: &'a [u8], r: Zeroizing<Scalar>) -> Result<Self, Error> {
        let point = PublicKey::from_point(*Point::generator_times(&r).ok_or(Error::Rng)?);
        let message = point.to_sec1_bytes();
        Ok(Self { key, id, r, point, message })
    }

    /// U or V of the standard: \[t\](P + \[x̄\]R) of the other side, with t = d + x̄·r of this one.
    fn shared(&self, peer: &Peer<'_>, other: &PublicKey) -> Result<Zeroizing<Point>, Error> {
        let own = shortened(&self.point.point().x());
        let t = Zeroizing::new(self.key.scalar().plus(&own.times(&self.r)));
        let theirs = shortened(&other.point().x());
        // Everything here is public: the points and the shortened x.
        let sum = peer.public_key.point().plus_times_vartime(&theirs, other.point());
        sum.and_then(|sum| sum.times(&t)).ok_or(Error::KeyExchange)
    }
}

impl<'a> Initiator<'a> {
    /// Begins an exchange with `peer`; `id` is the identifier of this side.
    ///
    /// # Errors
    ///
    /// [`Error::Rng`] where the generator fails.
    pub fn new<R: TryCryptoRng + ?Sized>(
        key: &'a PrivateKey,
        id: &'a [u8],
        peer: Peer<'a>,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Ok(Self { own: Own::new(key, id, rng)?, peer })
    }

    #[cfg(test)]
    pub(super) fn with(key: &'a PrivateKey, id: &'a [u8], peer: Peer<'a>, r: Zeroizing<Scalar>) -> Self {
        Self { own: Own::with(key, id, r).unwrap(), peer }
    }

    /// RA, what the other side has to get: `04‖X‖Y`.
    #[must_use]
    pub const fn message(&self) -> &[u8; 65] {
        &self.own.message
    }

    /// The key of `length` octets and the confirmation value SA for the other side, from its point and its
    /// confirmation. Without one (`None`), the key is unconfirmed: whether the other side has the same shows only
    /// when it is used.
    ///
    /// # Errors
    ///
    /// [`Error::PublicKey`] where the message is not a point of the curve; [`Error::KeyExchange`] where the
    /// confirmation is wrong or the keys do not work together; [`Error::IdTooLong`], [`Error::TooLong`].
    pub fn finish(
        self,
        message: &[u8],
        confirmation: Option<&[u8; CONFIRMATION_SIZE]>,
        length: usize,
    ) -> Result<(Zeroizing<Vec<u8>>, [u8; CONFIRMATION_SIZE]), Error> {
        let other = PublicKey::from_sec1_bytes(message)?;
        let shared = self.own.shared(&self.peer, &other)?;
        let agreed = Agreed {
            shared,
            z_a: self.own.key.public_key().z(self.own.id)?,
            z_b: self.peer.public_key.z(self.peer.id)?,
            r_a: self.own.point,
            r_b: other,
        };
        let (from_b, from_a) = agreed.confirmations();
        if confirmation.is_some_and(|given| !bool::from(given.ct_eq(&from_b))) {
            return Err(Error::KeyExchange);
        }
        Ok((agreed.key(length)?, from_a))
    }
}

impl Responder {
    /// Answers the first side's point with this side's: the key of `length` octets is made here, and given out by
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// As [`Initiator::finish`], and [`Error::Rng`] where the generator fails.
    pub fn answer<R: TryCryptoRng + ?Sized>(
        key: &PrivateKey,
        id: &[u8],
        peer: Peer<'_>,
        message: &[u8],
        length: usize,
        rng: &mut R,
    ) -> Result<(Self, Answer), Error> {
        Self::answer_with(&Own::new(key, id, rng)?, peer, message, length)
    }

    fn answer_with(
        own: &Own<'_>,
        peer: Peer<'_>,
        message: &[u8],
        length: usize,
    ) -> Result<(Self, Answer), Error> {
        let other = PublicKey::from_sec1_bytes(message)?;
        let shared = own.shared(&peer, &other)?;
        let agreed = Agreed {
            shared,
            z_a: peer.public_key.z(peer.id)?,
            z_b: own.key.public_key().z(own.id)?,
            r_a: other,
            r_b: own.point.clone(),
        };
        let (confirmation, expected) = agreed.confirmations();
        Ok((Self { key: agreed.key(length)?, expected }, Answer { message: own.message, confirmation }))
    }

    #[cfg(test)]
    pub(super) fn with(
        key: &PrivateKey,
        id: &[u8],
        peer: Peer<'_>,
        message: &[u8],
        length: usize,
        r: Zeroizing<Scalar>,
    ) -> (Self, Answer) {
        Self::answer_with(&Own::with(key, id, r).unwrap(), peer, message, length).unwrap()
    }

    /// The key, once the first side has shown that it has it too.
    ///
    /// # Errors
    ///
    /// [`Error::KeyExchange`] where the confirmation SA is wrong.
    pub fn finish(self, confirmation: &[u8; CONFIRMATION_SIZE]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if bool::from(confirmation.ct_eq(&self.expected)) { Ok(self.key) } else { Err(Error::KeyExchange) }
    }

    /// The key without the other side's confirmation, for protocols that leave that out: whether the other side has
    /// the same shows only when it is used.
    #[must_use]
    pub fn finish_unconfirmed(self) -> Zeroizing<Vec<u8>> {
        self.key
    }
}

/// What both sides know at the end.
struct Agreed {
    shared: Zeroizing<Point>,
    z_a: [u8; 32],
    z_b: [u8; 32],
    r_a: PublicKey,
    r_b: PublicKey,
}

impl Agreed {
    /// KDF(xU‖yU‖ZA‖ZB, klen).
    fn key(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (x, y) = (Zeroizing::new(self.shared.x()), Zeroizing::new(self.shared.y()));
        kdf(&[&*x, &*y, &self.z_a, &self.z_b], length)
    }

    /// SB and SA: SM3(02 or 03 ‖ yU ‖ SM3(xU ‖ ZA ‖ ZB ‖ x1 ‖ y1 ‖ x2 ‖ y2)).
    fn confirmations(&self) -> ([u8; CONFIRMATION_SIZE], [u8; CONFIRMATION_SIZE]) {
        let (x, y) = (Zeroizing::new(self.shared.x()), Zeroizing::new(self.shared.y()));
        let mut hash = Sm3::new().chain_update(*x).chain_update(self.z_a).chain_update(self.z_b);
        for point in [self.r_a.point(), self.r_b.point()] {
            hash.update(point.x());
            hash.update(point.y());
        }
        let inner = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
        let of =
            |tag: u8| Sm3::new().chain_update([tag]).chain_update(*y).chain_update(*inner).finalize().into();
        (of(2), of(3))
    }
}

/// x̄ = 2¹²⁷ + (x mod 2¹²⁷).
fn shortened(x: &[u8; 32]) -> Scalar {
    let mut short = [0; 32];
    let (_, low) = x.split_at(16);
    let (_, to) = short.split_at_mut(16);
    to.copy_from_slice(low);
    if let Some(top) = to.first_mut() {
        *top |= 0x80;
    }
    Scalar::reduced(&short)
}

impl fmt::Debug for Initiator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder { .. }")
    }
}

#[cfg(test)]
mod tests;
