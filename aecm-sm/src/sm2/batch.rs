//! The verification of many signatures at a time.

use alloc::vec::Vec;

use crate::Error;

use super::{arithmetic::Point, public_key::PublicKey, signature::Signature};

/// One signature to verify with others: by whom, over what.
#[derive(Clone, Copy, Debug)]
pub struct SignedHash<'a> {
    /// The key of the one who is said to have signed.
    pub public_key: &'a PublicKey,
    /// e = SM3(Z ‖ M); see [`PublicKey::e`].
    pub e: [u8; 32],
    /// The signature.
    pub signature: &'a Signature,
}

/// Verifies many signatures at a time, as a gateway does with its inbox: one result for each, in their order, the same
/// as [`PublicKey::verify_e`] gives alone.
///
/// Each is computed for itself (an SM2 signature carries r and not the point, so that no sum of several can be checked at
/// once), eight together where the CPU has AVX-512 IFMA. What is public decides how long it takes.
///
/// ```
/// use aecm_sm::sm2::{DEFAULT_ID, PrivateKey, SignedHash, verify_many};
/// # fn main() -> Result<(), aecm_sm::Error> {
/// # let mut rng = getrandom::SysRng;
/// let key = PrivateKey::generate(&mut rng)?;
/// let signature = key.sign(DEFAULT_ID, b"a mail", &mut rng)?;
/// let public_key = key.public_key();
/// let inbox = [b"a mail", b"b mail"].map(|mail| public_key.e(DEFAULT_ID, mail).map(|e| SignedHash {
///     public_key,
///     e,
///     signature: &signature,
/// }));
/// let inbox = inbox.into_iter().collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(verify_many(&inbox), [Ok(()), Err(aecm_sm::Error::Signature)]);
/// # Ok(()) }
/// ```
#[must_use]
pub fn verify_many(signatures: &[SignedHash<'_>]) -> Vec<Result<(), Error>> {
    let mut claims = Vec::with_capacity(signatures.len());
    // What cannot be right has no claim.
    let possible: Vec<bool> = signatures
        .iter()
        .map(|signed| match signed.public_key.claim(&signed.e, signed.signature) {
            Some(claim) => {
                claims.push(claim);
                true
            }
            None => false,
        })
        .collect();
    let mut answers = Point::sums_have_x(&claims).into_iter();
    possible
        .into_iter()
        .map(|possible| if possible && answers.next() == Some(true) { Ok(()) } else { Err(Error::Signature) })
        .collect()
}
