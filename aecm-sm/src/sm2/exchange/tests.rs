use alloc::vec::Vec;

use super::*;
use crate::sm2::{DEFAULT_ID, arithmetic::nonzero_scalar};

fn hex<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let digits: Vec<u8> =
        text.bytes().map(|c| u8::try_from(char::from(c).to_digit(16).unwrap()).unwrap()).collect();
    let octets: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    octets.try_into().unwrap()
}

// The example of GM/T 0003.5 (the key exchange on the recommended curve, default identifiers).
const D_A: &str = "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029";
const D_B: &str = "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5";
const R_A: &str = "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3";
const R_B: &str = "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6";

fn parties() -> (PrivateKey, PrivateKey) {
    (PrivateKey::from_bytes(&hex(D_A)).unwrap(), PrivateKey::from_bytes(&hex(D_B)).unwrap())
}

fn number(text: &str) -> Zeroizing<Scalar> {
    nonzero_scalar(&hex(text)).unwrap()
}

#[test]
fn the_standards_example() {
    let (a, b) = parties();
    let to_b = Peer { public_key: b.public_key(), id: DEFAULT_ID };
    let to_a = Peer { public_key: a.public_key(), id: DEFAULT_ID };
    let initiator = Initiator::with(&a, DEFAULT_ID, to_b, number(R_A));
    let (responder, answer) = Responder::with(&b, DEFAULT_ID, to_a, initiator.message(), 16, number(R_B));
    assert_eq!(answer.confirmation, hex("d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb"));
    let (key, confirmation) = initiator.finish(&answer.message, Some(&answer.confirmation), 16).unwrap();
    assert_eq!(key.as_slice(), hex::<16>("6c89347354de2484c60b4ab1fde4c6e5"));
    assert_eq!(confirmation, hex("18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88"));
    assert_eq!(responder.finish(&confirmation).unwrap(), key);
}

#[test]
fn whatever_differs_is_noticed() {
    let (a, b) = parties();
    let to_b = Peer { public_key: b.public_key(), id: DEFAULT_ID };
    let to_a = Peer { public_key: a.public_key(), id: DEFAULT_ID };
    let begin = |peer| Initiator::with(&a, DEFAULT_ID, peer, number(R_A));
    let answer = |peer, message: &[u8]| Responder::with(&b, DEFAULT_ID, peer, message, 16, number(R_B));

    // A confirmation with one bit off, on either side.
    let (responder, good) = answer(to_a, begin(to_b).message());
    let mut wrong = good.confirmation;
    wrong[31] ^= 1;
    assert_eq!(begin(to_b).finish(&good.message, Some(&wrong), 16).err(), Some(Error::KeyExchange));
    assert_eq!(responder.finish(&wrong).err(), Some(Error::KeyExchange));
    // Another identifier.
    let other = Peer { id: b"bob@example.com", ..to_b };
    let finished = begin(other).finish(&good.message, Some(&good.confirmation), 16);
    assert_eq!(finished.err(), Some(Error::KeyExchange));
    // Another long-term key.
    let other = Peer { public_key: a.public_key(), ..to_b };
    let finished = begin(other).finish(&good.message, Some(&good.confirmation), 16);
    assert_eq!(finished.err(), Some(Error::KeyExchange));
    // The first side's own point, sent back.
    let reflected = *begin(to_b).message();
    let finished = begin(to_b).finish(&reflected, Some(&good.confirmation), 16);
    assert_eq!(finished.err(), Some(Error::KeyExchange));
    // Not a point.
    let mut off = good.message;
    off[64] ^= 1;
    assert!(matches!(begin(to_b).finish(&off, None, 16), Err(Error::PublicKey { .. })));
    assert!(matches!(begin(to_b).finish(&[0], None, 16), Err(Error::PublicKey { .. })));
}

#[test]
fn keys_that_cancel_are_refused() {
    // The other side's long-term key is chosen as −[x̄]R: the sum is the point at infinity.
    let (a, b) = parties();
    let r = number(R_B);
    let own = Own::with(&b, DEFAULT_ID, r.clone()).unwrap();
    let d = Scalar::ZERO.minus(&shortened(&own.point.point().x()).times(&r));
    let evil = PrivateKey::from_bytes(&d.to_octets()).unwrap();
    let peer = Peer { public_key: evil.public_key(), id: DEFAULT_ID };
    let initiator = Initiator::with(&a, DEFAULT_ID, peer, number(R_A));
    assert_eq!(initiator.finish(&own.message, None, 16).err(), Some(Error::KeyExchange));
}
