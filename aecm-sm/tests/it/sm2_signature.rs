//! Signatures: encodings, ranges, and everything that must not verify.

use aecm_sm::{
    Error,
    sm2::{DEFAULT_ID, PrivateKey, Signature},
    sm3,
};
use getrandom::SysRng;

use crate::support::{N, content, example_key, hex, hex32, integer, one_bit_off, plus, tlv};

const R: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3";
const S: &str = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
const MESSAGE: &[u8] = b"message digest";

fn joined(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    [r, s].concat().try_into().unwrap()
}

fn example() -> Signature {
    Signature::from_bytes(&joined(hex32(R), hex32(S))).unwrap()
}

fn refused(der: &[u8]) {
    match Signature::from_der(der) {
        Err(Error::SignatureEncoding { .. }) => {}
        other => panic!("{der:02x?} gave {other:?}"),
    }
}

#[test]
fn example_verifies_and_round_trips() {
    let signature = example();
    example_key().public_key().verify(DEFAULT_ID, MESSAGE, &signature).unwrap();
    let der = tlv(0x30, &[integer(&hex(R)), integer(&hex(S))].concat());
    assert_eq!(signature.to_der(), der);
    assert_eq!(Signature::from_der(&der).unwrap(), signature);
    assert_eq!(Signature::from_bytes(&signature.to_bytes()).unwrap(), signature);
}

#[test]
fn g6_r_and_s_are_in_1_to_n_minus_1() {
    let n = hex32(N);
    let good = hex32(R);
    for number in [plus([0; 32], 1), plus(n, -1)] {
        assert!(Signature::from_bytes(&joined(number, good)).is_ok());
        assert!(Signature::from_bytes(&joined(good, number)).is_ok());
        assert!(Signature::from_der(&tlv(0x30, &[integer(&number), integer(&good)].concat())).is_ok());
    }
    let range = Err(Error::SignatureEncoding { reason: "r or s is not in 1..=n-1" });
    for number in [[0; 32], n, plus(n, 1), [0xff; 32]] {
        for (r, s) in [(number, good), (good, number), (number, number)] {
            assert_eq!(Signature::from_bytes(&joined(r, s)), range);
            assert_eq!(Signature::from_der(&tlv(0x30, &[integer(&r), integer(&s)].concat())), range);
        }
    }
    // 2²⁵⁶ + r is no r either.
    let long = [&[1][..], &hex(R)].concat();
    refused(&tlv(0x30, &[integer(&long), integer(&hex(S))].concat()));
    refused(&tlv(0x30, &[integer(&hex(R)), integer(&long)].concat()));
}

#[test]
fn g6_r_plus_s_of_n_does_not_verify() {
    let mut s = [0_u8; 32];
    let mut borrow = 0_i16;
    for ((to, n), r) in s.iter_mut().zip(hex32(N)).zip(hex32(R)).rev() {
        let difference = i16::from(n) - i16::from(r) - borrow;
        *to = u8::try_from(difference.rem_euclid(256)).unwrap();
        borrow = i16::from(difference < 0);
    }
    let signature = Signature::from_bytes(&joined(hex32(R), s)).unwrap();
    assert_eq!(example_key().public_key().verify(DEFAULT_ID, MESSAGE, &signature), Err(Error::Signature));
    // t = 0 makes the point [s]G, so that this e would pass if t were not looked at: r = e + x([s]G).
    let sg = PrivateKey::from_bytes(&s).unwrap().public_key().to_sec1_bytes();
    let mut e = [0_u8; 32];
    let mut borrow = 0_i16;
    for ((to, r), x) in e.iter_mut().zip(hex32(R)).zip(sg[1..33].iter()).rev() {
        let difference = i16::from(r) - i16::from(*x) - borrow;
        *to = u8::try_from(difference.rem_euclid(256)).unwrap();
        borrow = i16::from(difference < 0);
    }
    if borrow == 1 {
        // Below zero: add n once.
        let mut carry = 0_u16;
        for (to, n) in e.iter_mut().zip(hex32(N)).rev() {
            carry += u16::from(*to) + u16::from(n);
            *to = u8::try_from(carry % 256).unwrap();
            carry /= 256;
        }
    }
    assert_eq!(example_key().public_key().verify_e(&e, &signature), Err(Error::Signature));
}

#[test]
fn g6_only_strict_der_is_read() {
    let (r, s) = (hex(R), hex(S));
    let body = [integer(&r), integer(&s)].concat();
    let good = tlv(0x30, &body);
    assert!(Signature::from_der(&good).is_ok());

    // Every truncation, and octets behind the end, inside and outside.
    for length in 0..good.len() {
        refused(&good[..length]);
    }
    refused(&[&good[..], &[0]].concat());
    refused(&[&good[..], &good[..]].concat());
    refused(&tlv(0x30, &[&body[..], &[5, 0]].concat()));
    refused(&tlv(0x30, &[&body[..], &integer(&s)].concat()));
    // Too few, and none.
    refused(&tlv(0x30, &integer(&r)));
    refused(&tlv(0x30, &[]));
    refused(&[]);
    // Padded INTEGERs.
    let padded = |number: &[u8]| tlv(2, &[&[0, 0], number].concat());
    refused(&tlv(0x30, &[padded(&r), integer(&s)].concat()));
    refused(&tlv(0x30, &[integer(&r), padded(&s)].concat()));
    refused(&tlv(0x30, &[tlv(2, &[0, 1]), integer(&s)].concat()));
    // Negative INTEGERs: the high bit without a leading zero.
    refused(&tlv(0x30, &[tlv(2, &r), integer(&s)].concat()));
    refused(&tlv(0x30, &[integer(&r), tlv(2, &s)].concat()));
    // An INTEGER without octets.
    refused(&tlv(0x30, &[tlv(2, &[]), integer(&s)].concat()));
    // BER lengths: long form where the short one fits, leading zeros, indefinite.
    let length = u8::try_from(body.len()).unwrap();
    refused(&[&[0x30, 0x81, length], &body[..]].concat());
    refused(&[&[0x30, 0x82, 0, length], &body[..]].concat());
    refused(&[&[0x30, 0x80], &body[..], &[0, 0]].concat());
    refused(&tlv(0x30, &[&[2, 0x81, 33, 0], &r[..], &integer(&s)].concat()));
    // Lengths that promise more than there is.
    refused(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]);
    refused(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    // Wrong tags.
    refused(&tlv(0x31, &body));
    refused(&tlv(0x04, &body));
    refused(&tlv(0x30, &[tlv(4, content(&integer(&r))), integer(&s)].concat()));
    refused(&tlv(0x30, &[tlv(0x82, content(&integer(&r))), integer(&s)].concat()));
    // r‖s is no DER, and is not guessed.
    refused(&[r, s].concat());
}

#[test]
fn swapped_numbers_do_not_verify() {
    let swapped = Signature::from_bytes(&joined(hex32(S), hex32(R))).unwrap();
    assert_eq!(example_key().public_key().verify(DEFAULT_ID, MESSAGE, &swapped), Err(Error::Signature));
}

#[test]
fn g6_ecdsa_malleability_is_none_of_sm2() {
    // (r, n−s) is the second ECDSA signature; here it must fail.
    let n = hex32(N);
    let mut s = [0_u8; 32];
    let mut borrow = 0_i16;
    for ((to, n), old) in s.iter_mut().zip(n).zip(hex32(S)).rev() {
        let difference = i16::from(n) - i16::from(old) - borrow;
        *to = u8::try_from(difference.rem_euclid(256)).unwrap();
        borrow = i16::from(difference < 0);
    }
    let signature = Signature::from_bytes(&joined(hex32(R), s)).unwrap();
    assert_eq!(example_key().public_key().verify(DEFAULT_ID, MESSAGE, &signature), Err(Error::Signature));
}

#[test]
fn any_bit_off_does_not_verify() {
    let key = example_key();
    let bytes = example().to_bytes();
    for changed in one_bit_off(&bytes) {
        if let Ok(signature) = Signature::from_bytes(&changed.try_into().unwrap()) {
            assert_eq!(key.public_key().verify(DEFAULT_ID, MESSAGE, &signature), Err(Error::Signature));
        }
    }
    for message in one_bit_off(MESSAGE) {
        assert_eq!(key.public_key().verify(DEFAULT_ID, &message, &example()), Err(Error::Signature));
    }
}

#[test]
fn g4_another_identifier_does_not_verify() {
    let key = example_key();
    for id in [&b""[..], b"1234567812345679", b"123456781234567", b"12345678123456781", b"alice@example.test"]
    {
        assert_eq!(key.public_key().verify(id, MESSAGE, &example()), Err(Error::Signature));
        let signature = key.sign(id, MESSAGE, &mut SysRng).unwrap();
        key.public_key().verify(id, MESSAGE, &signature).unwrap();
        assert_eq!(key.public_key().verify(DEFAULT_ID, MESSAGE, &signature), Err(Error::Signature));
    }
}

#[test]
fn g5_other_hashes_than_sm3_of_z_and_message_do_not_verify() {
    let key = example_key();
    let e = key.public_key().e(DEFAULT_ID, MESSAGE).unwrap();
    key.public_key().verify_e(&e, &example()).unwrap();
    let wrong = [
        ("without Z", sm3::hash(MESSAGE)),
        ("hashed twice", sm3::hash(&e)),
        ("Z with the hash of the message", {
            let z = key.public_key().z(DEFAULT_ID).unwrap();
            sm3::hash(&[z, sm3::hash(MESSAGE)].concat())
        }),
        ("Z alone", key.public_key().z(DEFAULT_ID).unwrap()),
    ];
    for (what, e) in wrong {
        assert_eq!(key.public_key().verify_e(&e, &example()), Err(Error::Signature), "{what}");
        // And such a signature does not pass for a proper one.
        let signature = key.sign_e(&e, &mut SysRng).unwrap();
        key.public_key().verify_e(&e, &signature).unwrap();
        assert_eq!(key.public_key().verify(DEFAULT_ID, MESSAGE, &signature), Err(Error::Signature), "{what}");
    }
}

#[test]
fn another_key_does_not_verify() {
    let other = PrivateKey::generate(&mut SysRng).unwrap();
    assert_eq!(other.public_key().verify(DEFAULT_ID, MESSAGE, &example()), Err(Error::Signature));
}

#[test]
fn signing_over_any_e_works() {
    let key = example_key();
    let n = hex32(N);
    for e in [[0; 32], plus([0; 32], 1), plus(n, -1), n, plus(n, 1), [0xff; 32]] {
        let signature = key.sign_e(&e, &mut SysRng).unwrap();
        key.public_key().verify_e(&e, &signature).unwrap();
    }
}

#[test]
fn two_signatures_over_one_message_differ() {
    let key = example_key();
    let sign = || key.sign(DEFAULT_ID, MESSAGE, &mut SysRng).unwrap();
    assert_ne!(sign(), sign());
}
