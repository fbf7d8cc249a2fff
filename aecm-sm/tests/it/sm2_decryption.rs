//! Ciphertexts: the forms, and everything that must not decrypt.

use aecm_sm::{
    Error,
    sm2::{CiphertextForm, PrivateKey, PublicKey},
    sm3,
};
use getrandom::SysRng;

use crate::support::{P, content, example_key, hex, hex32, integer, one_bit_off, plus, tlv};

/// The parts of a ciphertext.
#[derive(Clone)]
struct Parts {
    x: [u8; 32],
    y: [u8; 32],
    c3: Vec<u8>,
    c2: Vec<u8>,
}

impl Parts {
    fn of(der: &[u8]) -> Self {
        let mut rest = content(der);
        let mut next = || {
            let whole = rest;
            let (header, length) = match whole[1] {
                0x81 => (3, usize::from(whole[2])),
                0x82 => (4, usize::from(u16::from_be_bytes([whole[2], whole[3]]))),
                short => (2, usize::from(short)),
            };
            rest = &whole[header + length..];
            whole[header..header + length].to_vec()
        };
        let number = |octets: Vec<u8>| {
            let digits = if octets.len() == 33 { &octets[1..] } else { &octets[..] };
            let mut padded = [0; 32];
            padded[32 - digits.len()..].copy_from_slice(digits);
            padded
        };
        let (x, y) = (number(next()), number(next()));
        Self { x, y, c3: next(), c2: next() }
    }

    fn to(plaintext: &[u8], key: &PublicKey) -> Self {
        Self::of(&key.encrypt_der(plaintext, &mut SysRng).unwrap())
    }

    fn der(&self) -> Vec<u8> {
        let parts = [integer(&self.x), integer(&self.y), tlv(4, &self.c3), tlv(4, &self.c2)];
        tlv(0x30, &parts.concat())
    }

    fn c1c3c2(&self) -> Vec<u8> {
        [&self.x[..], &self.y, &self.c3, &self.c2].concat()
    }

    fn c1c2c3(&self) -> Vec<u8> {
        [&self.x[..], &self.y, &self.c2, &self.c3].concat()
    }
}

fn with_04(raw: &[u8]) -> Vec<u8> {
    [&[4], raw].concat()
}

fn malformed(octets: &[u8], form: CiphertextForm) {
    match example_key().decrypt(octets, form) {
        Err(Error::Ciphertext { .. }) => {}
        other => panic!("{octets:02x?} as {form:?} gave {other:?}"),
    }
}

fn refused(parts: &Parts) {
    let key = example_key();
    for (octets, form) in [
        (parts.der(), CiphertextForm::Der),
        (parts.c1c3c2(), CiphertextForm::C1C3C2),
        (with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2),
        (parts.c1c2c3(), CiphertextForm::C1C2C3),
        (with_04(&parts.c1c2c3()), CiphertextForm::C1C2C3),
    ] {
        assert_eq!(key.decrypt(&octets, form), Err(Error::Decrypt), "{form:?}");
    }
}

#[test]
fn all_forms_decrypt_at_all_lengths() {
    let key = example_key();
    for length in [1, 2, 16, 31, 32, 33, 63, 64, 65, 96, 127, 128, 200, 1000] {
        let plaintext: Vec<u8> = (0..=255).cycle().take(length).collect();
        let der = key.public_key().encrypt_der(&plaintext, &mut SysRng).unwrap();
        let parts = Parts::of(&der);
        assert_eq!(parts.der(), der, "what we write is minimal DER");
        assert_eq!(parts.c2.len(), length);
        for (octets, form) in [
            (der, CiphertextForm::Der),
            (parts.c1c3c2(), CiphertextForm::C1C3C2),
            (with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2),
            (parts.c1c2c3(), CiphertextForm::C1C2C3),
            (with_04(&parts.c1c2c3()), CiphertextForm::C1C2C3),
        ] {
            assert_eq!(*key.decrypt(&octets, form).unwrap(), plaintext, "{form:?}, {length}");
        }
    }
}

/// The parts for a chosen k and the point \[k\]P, written from the standard and not from the crate's code.
fn parts_with_nonce(plaintext: &[u8], k: &[u8; 32], shared: &PublicKey) -> (Parts, Vec<u8>) {
    let c1 = PrivateKey::from_bytes(k).unwrap().public_key().to_sec1_bytes();
    let shared = shared.to_sec1_bytes();
    let (x2, y2) = shared[1..].split_at(32);
    let stream: Vec<u8> = (1_u32..)
        .flat_map(|counter| sm3::hash(&[x2, y2, &counter.to_be_bytes()].concat()))
        .take(plaintext.len())
        .collect();
    let parts = Parts {
        x: c1[1..33].try_into().unwrap(),
        y: c1[33..].try_into().unwrap(),
        c3: sm3::hash(&[x2, plaintext, y2].concat()).to_vec(),
        c2: plaintext.iter().zip(&stream).map(|(m, t)| m ^ t).collect(),
    };
    (parts, stream)
}

#[test]
fn g7_a_key_stream_of_zeros_is_refused() {
    // With d = 1 the shared point is C1 itself, and the test needs no arithmetic of its own.
    let key = PrivateKey::from_bytes(&plus([0; 32], 1)).unwrap();
    let crafted = |wanted: bool| {
        (1..20_000_u32)
            .map(|number| {
                let k = sm3::hash(&number.to_be_bytes());
                let shared = PrivateKey::from_bytes(&k).unwrap().public_key().clone();
                parts_with_nonce(b"M", &k, &shared)
            })
            .find(|(_, stream)| (stream[..] == [0]) == wanted)
            .unwrap()
            .0
    };
    // The same construction with any other key stream decrypts: only the zero is the difference.
    let good = crafted(false);
    assert_eq!(*key.decrypt(&good.der(), CiphertextForm::Der).unwrap(), b"M");
    let zero = crafted(true);
    assert_eq!(zero.c2, b"M", "the plaintext shows");
    assert_eq!(key.decrypt(&zero.der(), CiphertextForm::Der), Err(Error::Decrypt));
    assert_eq!(key.decrypt(&zero.c1c3c2(), CiphertextForm::C1C3C2), Err(Error::Decrypt));
    assert_eq!(key.decrypt(&with_04(&zero.c1c2c3()), CiphertextForm::C1C2C3), Err(Error::Decrypt));
}

#[test]
fn g8_x_that_begins_with_04_is_read_with_and_without_prefix() {
    let key = PrivateKey::from_bytes(&plus([0; 32], 1)).unwrap();
    let parts = (1..20_000_u32)
        .find_map(|number| {
            let k = sm3::hash(&number.to_be_bytes());
            let shared = PrivateKey::from_bytes(&k).unwrap().public_key().clone();
            let (parts, _) = parts_with_nonce(b"content key", &k, &shared);
            (parts.x[0] == 4).then_some(parts)
        })
        .unwrap();
    for (octets, form) in [
        (parts.c1c3c2(), CiphertextForm::C1C3C2),
        (with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2),
        (parts.c1c2c3(), CiphertextForm::C1C2C3),
        (with_04(&parts.c1c2c3()), CiphertextForm::C1C2C3),
    ] {
        assert_eq!(*key.decrypt(&octets, form).unwrap(), b"content key");
    }
}

#[test]
fn coordinates_with_leading_zeros_are_written_short_and_read_back() {
    let key = example_key();
    let der = (0..20_000)
        .map(|_| key.public_key().encrypt_der(b"m", &mut SysRng).unwrap())
        .find(|der| Parts::of(der).x[0] == 0)
        .unwrap();
    assert!(der[3] <= 32 && (der[4] != 0 || der[5] >= 0x80), "not minimal: {der:02x?}");
    assert_eq!(Parts::of(&der).der(), der);
    assert_eq!(*key.decrypt(&der, CiphertextForm::Der).unwrap(), b"m");
}

#[test]
fn any_bit_off_in_c2_or_c3_is_refused() {
    let parts = Parts::to(b"sixteen octets..", example_key().public_key());
    for c3 in one_bit_off(&parts.c3) {
        refused(&Parts { c3, ..parts.clone() });
    }
    for c2 in one_bit_off(&parts.c2) {
        refused(&Parts { c2, ..parts.clone() });
    }
    refused(&Parts { c3: vec![0; 32], ..parts.clone() });
    refused(&Parts { c2: vec![0; 16], ..parts });
}

#[test]
fn any_bit_off_in_c1_is_malformed_or_refused() {
    let key = example_key();
    let der = key.public_key().encrypt_der(b"m", &mut SysRng).unwrap();
    let parts = Parts::of(&der);
    for raw in one_bit_off(&parts.c1c3c2()[..64]) {
        let raw = [&raw[..], &parts.c3, &parts.c2].concat();
        malformed(&raw, CiphertextForm::C1C3C2);
    }
    // Another point of the curve: the negative, and the one of another ciphertext.
    let other = Parts::to(b"m", key.public_key());
    refused(&Parts { x: other.x, y: other.y, ..parts.clone() });
    let sec1 = [&[2 + (parts.y[31] & 1 ^ 1)], &parts.x[..]].concat();
    let negative = PublicKey::from_sec1_bytes(&sec1).unwrap().to_sec1_bytes();
    refused(&Parts { y: negative[33..].try_into().unwrap(), ..parts });
}

#[test]
fn another_key_and_another_order_are_refused() {
    let key = example_key();
    let other = PrivateKey::generate(&mut SysRng).unwrap();
    refused(&Parts::to(b"m", other.public_key()));
    let parts = Parts::to(b"sixteen octets..", key.public_key());
    assert_eq!(key.decrypt(&parts.c1c3c2(), CiphertextForm::C1C2C3), Err(Error::Decrypt));
    assert_eq!(key.decrypt(&parts.c1c2c3(), CiphertextForm::C1C3C2), Err(Error::Decrypt));
    malformed(&parts.c1c3c2(), CiphertextForm::Der);
    malformed(&parts.der(), CiphertextForm::C1C3C2);
    malformed(&parts.der(), CiphertextForm::C1C2C3);
}

#[test]
fn g2_an_invalid_c1_is_malformed_in_every_form() {
    let parts = Parts::to(b"m", example_key().public_key());
    let p = hex32(P);
    let largest = plus(p, -1);
    for (x, y) in [
        ([0; 32], [0; 32]),
        (parts.x, [0; 32]),
        (parts.x, plus(parts.y, 1)),
        (parts.y, parts.x),
        (p, parts.y),
        (parts.x, p),
        ([0xff; 32], [0xff; 32]),
        (largest, largest),
    ] {
        let bad = Parts { x, y, ..parts.clone() };
        malformed(&bad.der(), CiphertextForm::Der);
        for raw in [bad.c1c3c2(), with_04(&bad.c1c3c2())] {
            malformed(&raw, CiphertextForm::C1C3C2);
        }
        for raw in [bad.c1c2c3(), with_04(&bad.c1c2c3())] {
            malformed(&raw, CiphertextForm::C1C2C3);
        }
    }
    // Compressed and hybrid points, and infinity as one octet.
    for tag in [0, 2, 3, 6, 7] {
        malformed(&[&[tag], &parts.x[..], &parts.y, &parts.c3, &parts.c2].concat(), CiphertextForm::C1C3C2);
        malformed(&[&[tag], &parts.x[..], &parts.c3, &parts.c2].concat(), CiphertextForm::C1C3C2);
        malformed(&[&[tag], &parts.c3[..], &parts.c2].concat(), CiphertextForm::C1C3C2);
    }
}

#[test]
fn truncated_and_extended_ciphertexts_never_decrypt() {
    let key = example_key();
    let parts = Parts::to(b"content encryption key", key.public_key());
    for (whole, form) in [
        (parts.der(), CiphertextForm::Der),
        (parts.c1c3c2(), CiphertextForm::C1C3C2),
        (with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2),
        (with_04(&parts.c1c2c3()), CiphertextForm::C1C2C3),
    ] {
        assert!(key.decrypt(&whole, form).is_ok());
        for length in 0..whole.len() {
            let error = key.decrypt(&whole[..length], form).unwrap_err();
            assert!(matches!(error, Error::Decrypt | Error::Ciphertext { .. }), "{length}: {error}");
        }
        assert!(key.decrypt(&[&whole[..], &[0]].concat(), form).is_err());
    }
    for form in [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3] {
        malformed(&[], form);
        malformed(&[4], form);
    }
}

#[test]
fn an_empty_plaintext_has_no_ciphertext() {
    let key = example_key();
    assert_eq!(key.public_key().encrypt_der(b"", &mut SysRng), Err(Error::EmptyPlaintext));
    let (parts, _) = parts_with_nonce(b"", &hex32(crate::support::D), key.public_key());
    malformed(&parts.der(), CiphertextForm::Der);
    malformed(&parts.c1c3c2(), CiphertextForm::C1C3C2);
    malformed(&with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2);
    malformed(&parts.c1c2c3(), CiphertextForm::C1C2C3);
}

#[test]
fn only_strict_der_is_read() {
    // Small coordinates are not needed: the INTEGERs here are the ones of a true ciphertext.
    let parts = Parts::to(b"m", example_key().public_key());
    let (x, y) = (integer(&parts.x), integer(&parts.y));
    let (c3, c2) = (tlv(4, &parts.c3), tlv(4, &parts.c2));
    let body = [&x[..], &y, &c3, &c2].concat();
    let sequence = |parts: &[&[u8]]| tlv(0x30, &parts.concat());
    assert!(example_key().decrypt(&sequence(&[&body]), CiphertextForm::Der).is_ok());

    let bad = [
        // Trailing octets, inside and outside.
        [&sequence(&[&body])[..], &[0]].concat(),
        sequence(&[&body, &[5, 0]]),
        // Padded and negative INTEGERs.
        sequence(&[&tlv(2, &[&[0, 0][..], &parts.x].concat()), &y, &c3, &c2]),
        sequence(&[&x, &tlv(2, &[&[0, 0][..], &parts.y].concat()), &c3, &c2]),
        sequence(&[&tlv(2, &[0xff; 32]), &y, &c3, &c2]),
        // 2²⁵⁶ + x.
        sequence(&[&tlv(2, &[&[1][..], &parts.x].concat()), &y, &c3, &c2]),
        // Swapped parts.
        sequence(&[&x, &y, &c2, &c3]),
        sequence(&[&c3, &c2, &x, &y]),
        // A HASH of another length.
        sequence(&[&x, &y, &tlv(4, &parts.c3[..31]), &c2]),
        sequence(&[&x, &y, &tlv(4, &[&parts.c3[..], &[0]].concat()), &c2]),
        sequence(&[&x, &y, &tlv(4, &[]), &c2]),
        // Missing parts.
        sequence(&[&x, &y, &c3]),
        sequence(&[&x, &y]),
        sequence(&[]),
        // A constructed OCTET STRING and BIT STRING in its place.
        sequence(&[&x, &y, &c3, &tlv(0x24, &c2)]),
        sequence(&[&x, &y, &c3, &tlv(3, &parts.c2)]),
        // BER lengths.
        [&[0x30, 0x81, u8::try_from(body.len()).unwrap()], &body[..]].concat(),
        [&[0x30, 0x80], &body[..], &[0, 0]].concat(),
        sequence(&[&x, &y, &c3, &[4, 0x81, 1], &parts.c2]),
        [0x30, 0x84, 0xff, 0xff, 0xff, 0xff].to_vec(),
        // Other tags.
        tlv(0x31, &body),
        tlv(0x04, &body),
    ];
    for octets in bad {
        malformed(&octets, CiphertextForm::Der);
    }
}

#[test]
fn failures_that_depend_on_the_key_are_one() {
    // A wrong key, a wrong C3, a wrong C2, a key stream of zeros: the same value, the same words.
    let error = example_key()
        .decrypt(
            &Parts::to(b"m", PrivateKey::generate(&mut SysRng).unwrap().public_key()).der(),
            CiphertextForm::Der,
        )
        .unwrap_err();
    assert_eq!(error, Error::Decrypt);
    assert_eq!(error.to_string(), "decryption failed");
    assert_eq!(format!("{error:?}"), "Decrypt");
}

#[test]
fn example_of_gb_t_32918_5() {
    let parts = Parts {
        x: hex32("04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"),
        y: hex32("e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"),
        c3: hex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"),
        c2: hex("21886ca989ca9c7d58087307ca93092d651efa"),
    };
    let key = example_key();
    // X of the standard's own example begins with 04.
    for (octets, form) in [
        (parts.der(), CiphertextForm::Der),
        (parts.c1c3c2(), CiphertextForm::C1C3C2),
        (with_04(&parts.c1c3c2()), CiphertextForm::C1C3C2),
        (parts.c1c2c3(), CiphertextForm::C1C2C3),
        (with_04(&parts.c1c2c3()), CiphertextForm::C1C2C3),
    ] {
        assert_eq!(*key.decrypt(&octets, form).unwrap(), b"encryption standard");
    }
}
