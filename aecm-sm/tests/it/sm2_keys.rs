//! Ranges and encodings of keys, Z, what a key shows of itself.

use aecm_sm::{
    Error,
    sm2::{DEFAULT_ID, MAX_ID_SIZE, PrivateKey, PublicKey},
};
use getrandom::SysRng;
use zeroize::ZeroizeOnDrop;

use crate::support::{D, N, P, X, Y, example_key, hex, hex32, plus};

fn refused(bytes: &[u8]) -> &'static str {
    match PublicKey::from_sec1_bytes(bytes) {
        Err(Error::PublicKey { reason }) => reason,
        other => panic!("{bytes:02x?} gave {other:?}"),
    }
}

fn sec1(tag: u8, x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[tag], x, y].concat()
}

#[test]
fn private_key_range_is_1_to_n_minus_2() {
    let n = hex32(N);
    let mut one = [0; 32];
    one[31] = 1;
    for good in [one, plus(n, -2), hex32(D)] {
        assert_eq!(*PrivateKey::from_bytes(&good).unwrap().to_bytes(), good);
    }
    for bad in [[0; 32], plus(n, -1), n, plus(n, 1), [0xff; 32]] {
        assert_eq!(PrivateKey::from_bytes(&bad).unwrap_err(), Error::PrivateKey, "{bad:02x?}");
    }
}

#[test]
fn the_extreme_private_keys_sign_and_decrypt() {
    let mut one = [0; 32];
    one[31] = 1;
    for d in [one, plus(hex32(N), -2)] {
        let key = PrivateKey::from_bytes(&d).unwrap();
        let signature = key.sign(DEFAULT_ID, b"m", &mut SysRng).unwrap();
        key.public_key().verify(DEFAULT_ID, b"m", &signature).unwrap();
        let ciphertext = key.public_key().encrypt_der(b"m", &mut SysRng).unwrap();
        assert_eq!(*key.decrypt(&ciphertext, aecm_sm::sm2::CiphertextForm::Der).unwrap(), b"m");
    }
}

#[test]
fn public_key_of_the_example() {
    assert_eq!(example_key().public_key().to_sec1_bytes().to_vec(), sec1(4, &hex(X), &hex(Y)));
}

#[test]
fn generated_keys_differ() {
    let (a, b) = (PrivateKey::generate(&mut SysRng).unwrap(), PrivateKey::generate(&mut SysRng).unwrap());
    assert_ne!(a.public_key(), b.public_key());
    assert_eq!(PrivateKey::from_bytes(&a.to_bytes()).unwrap().public_key(), a.public_key());
}

#[test]
fn both_encodings_of_a_point_are_read() {
    for _ in 0..8 {
        let key = PrivateKey::generate(&mut SysRng).unwrap().public_key().clone();
        let bytes = key.to_sec1_bytes();
        assert_eq!(PublicKey::from_sec1_bytes(&bytes).unwrap(), key);
        let parity = 2 + (bytes[64] & 1);
        assert_eq!(PublicKey::from_sec1_bytes(&sec1(parity, &bytes[1..33], &[])).unwrap(), key);
        let other = PublicKey::from_sec1_bytes(&sec1(parity ^ 1, &bytes[1..33], &[])).unwrap();
        assert_ne!(other, key);
        assert_eq!(other.to_sec1_bytes()[..33], bytes[..33]);
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    let (x, y) = (hex32(X), hex32(Y));
    assert_eq!(refused(&sec1(4, &x, &plus(y, 1))), "not a point of the curve");
    assert_eq!(refused(&sec1(4, &plus(x, 1), &y)), "not a point of the curve");
    assert_eq!(refused(&sec1(4, &y, &x)), "not a point of the curve");
    assert_eq!(refused(&[&[4][..], &[0; 64]].concat()), "not a point of the curve");
    // P-256's base point is on another curve.
    let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    assert_eq!(refused(&sec1(4, &hex(x), &hex(y))), "not a point of the curve");
}

#[test]
fn some_x_have_no_point() {
    let without = (0..32_u8)
        .filter(|x| {
            let bytes = sec1(2, &[&[0; 31][..], &[*x]].concat(), &[]);
            PublicKey::from_sec1_bytes(&bytes).is_err()
        })
        .count();
    assert!((4..28).contains(&without), "{without} of 32 have none; about half should");
}

#[test]
fn the_point_at_infinity_is_refused() {
    assert_eq!(refused(&[0]), "the point at infinity");
    assert_eq!(refused(&[0; 33]), "the point at infinity");
    assert_eq!(refused(&[0; 65]), "the point at infinity");
}

#[test]
fn coordinates_from_p_on_are_refused() {
    // A point with a small x: x + p names the same number modulo p, in octets that nobody may write.
    let p = hex32(P);
    let (small, point) = (1..64_i16)
        .find_map(|small| {
            let x = plus([0; 32], small);
            PublicKey::from_sec1_bytes(&sec1(2, &x, &[])).ok().map(|point| (small, point.to_sec1_bytes()))
        })
        .unwrap();
    let (x, y) = point[1..].split_at(32);
    assert!(PublicKey::from_sec1_bytes(&sec1(4, x, y)).is_ok());
    assert_eq!(refused(&sec1(4, &plus(p, small), y)), "not a point of the curve");
    assert_eq!(refused(&sec1(2, &plus(p, small), &[])), "not a point of the curve");
    assert_eq!(refused(&sec1(3, &plus(p, small), &[])), "not a point of the curve");
    for bad in [p, plus(p, 1), [0xff; 32]] {
        assert_eq!(refused(&sec1(4, &bad, y)), "not a point of the curve");
        assert_eq!(refused(&sec1(4, x, &bad)), "not a point of the curve");
    }
}

#[test]
fn other_forms_and_lengths_are_refused() {
    let (x, y) = (hex(X), hex(Y));
    assert_eq!(refused(&[]), "empty");
    for tag in [0x01, 0x05, 0x06, 0x07, 0x30, 0xff] {
        assert_eq!(refused(&sec1(tag, &x, &y)), "first octet is none of 02, 03, 04");
        assert_eq!(refused(&sec1(tag, &x, &[])), "first octet is none of 02, 03, 04");
    }
    let whole = sec1(4, &x, &y);
    for length in 1..whole.len() {
        assert_eq!(refused(&whole[..length]), "wrong length for its first octet");
    }
    assert_eq!(refused(&[&whole[..], &[0]].concat()), "wrong length for its first octet");
    assert_eq!(refused(&sec1(2, &x, &[0])), "wrong length for its first octet");
    assert_eq!(refused(&sec1(3, &x[1..], &[])), "wrong length for its first octet");
    // Without the leading 04 it is not guessed.
    assert!(PublicKey::from_sec1_bytes(&whole[1..]).is_err());
}

#[test]
fn z_of_the_example() {
    let key = example_key();
    let z = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3";
    assert_eq!(key.public_key().z(DEFAULT_ID).unwrap(), hex32(z));
    let z = "f2a1724ed3d6767e22fcd19bfb33cd8af34f59ad7fdc8747cce6acacd414f1f9";
    assert_eq!(key.public_key().z(b"").unwrap(), hex32(z));
    let e = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640";
    assert_eq!(key.public_key().e(DEFAULT_ID, b"message digest").unwrap(), hex32(e));
}

#[test]
fn identifiers_are_octets_of_any_kind_up_to_8191() {
    let key = example_key();
    for id in [&[][..], &[0], &[0xff; 3], &[0x80; MAX_ID_SIZE]] {
        let signature = key.sign(id, b"m", &mut SysRng).unwrap();
        key.public_key().verify(id, b"m", &signature).unwrap();
    }
    let signature = key.sign(DEFAULT_ID, b"m", &mut SysRng).unwrap();
    // 8192 octets are 65536 bits: a length that wraps to 0 would be the Z of another identifier.
    for octets in [MAX_ID_SIZE + 1, 8193, 70_000] {
        let id = vec![b'1'; octets];
        let error = Error::IdTooLong { octets };
        assert_eq!(key.public_key().z(&id), Err(error));
        assert_eq!(key.public_key().e(&id, b"m"), Err(error));
        assert_eq!(key.sign(&id, b"m", &mut SysRng), Err(error));
        assert_eq!(key.public_key().verify(&id, b"m", &signature), Err(error));
    }
}

#[test]
fn debug_shows_no_private_octets() {
    let key = example_key();
    for shown in [format!("{key:?}"), format!("{key:#?}"), format!("{:?}", Some(key.clone()))] {
        let shown = shown.to_lowercase();
        assert!(shown.contains(X), "{shown}");
        for part in [&D[..8], &D[24..32], &D[56..]] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("57, 69") && !shown.contains("scalar"), "{shown}");
    }
}

#[test]
fn private_keys_wipe_themselves_and_do_not_copy() {
    fn wiped<T: ZeroizeOnDrop>() {}
    wiped::<PrivateKey>();

    // Compiles only while exactly one of the two implementations fits.
    trait AmbiguousIfCopy<A> {
        fn holds() {}
    }
    struct Copied;
    impl<T> AmbiguousIfCopy<()> for T {}
    impl<T: Copy> AmbiguousIfCopy<Copied> for T {}
    <PrivateKey as AmbiguousIfCopy<_>>::holds();
}
