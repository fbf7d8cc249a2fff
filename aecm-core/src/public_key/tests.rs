use alloc::vec::Vec;

use super::*;
use crate::oid;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use crate::tlv::write;
use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};
use SignatureAlgorithm::{Ecdsa, RsaPkcs1, RsaPss, RsaPssSalt, Sm2Sm3};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/openssl-keys/", $name)).as_slice()
    };
}

const MESSAGE: &[u8] = fixture!("message.bin");
const SIGNATURES: [(SignatureAlgorithm, &[u8], &[u8]); 10] = [
    (RsaPkcs1(Sha1), fixture!("rsa.pub"), fixture!("rsa-sha1.sig")),
    (RsaPkcs1(Sha256), fixture!("rsa.pub"), fixture!("rsa-sha256.sig")),
    (RsaPkcs1(Sha384), fixture!("rsa.pub"), fixture!("rsa-sha384.sig")),
    (RsaPkcs1(Sha512), fixture!("rsa.pub"), fixture!("rsa-sha512.sig")),
    (RsaPss(Sha256), fixture!("rsa.pub"), fixture!("pss-sha256.sig")),
    (RsaPss(Sha512), fixture!("rsa.pub"), fixture!("pss-sha512.sig")),
    (Ecdsa(Sha256), fixture!("p256.pub"), fixture!("p256-sha256.sig")),
    (Ecdsa(Sha384), fixture!("p256.pub"), fixture!("p256-sha384.sig")),
    (Ecdsa(Sha384), fixture!("p384.pub"), fixture!("p384-sha384.sig")),
    (Sm2Sm3, fixture!("sm2.pub"), fixture!("sm2.sig")),
];

fn key(spki: &[u8]) -> PublicKey {
    PublicKey::from_spki_der(spki).unwrap()
}

fn point_of(spki: &[u8]) -> Vec<u8> {
    key(spki).sec1_point().unwrap()
}

fn ec_spki(curve: &oid::ObjectIdentifier, point: &[u8]) -> Vec<u8> {
    write::sequence(&[
        &write::algorithm(&oid::EC_PUBLIC_KEY, Some(&write::oid(curve))),
        &write::bit_string(point),
    ])
}

fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    write::sequence(&[
        &write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
        &write::bit_string(&write::sequence(&[&write::integer_bytes(n), &write::integer_bytes(e)])),
    ])
}

#[test]
fn signatures_of_openssl_verify() {
    for (algorithm, spki, signature) in SIGNATURES {
        assert_eq!(key(spki).verify(algorithm, Sm2Id::Default, MESSAGE, signature), Ok(()), "{algorithm}");
    }
}

/// THREATS S8: each of these signatures under every algorithm and every key but its own.
#[test]
fn nothing_verifies_as_anything_else() {
    let keys = [fixture!("rsa.pub"), fixture!("p256.pub"), fixture!("p384.pub"), fixture!("sm2.pub")];
    let mut algorithms = alloc::vec![Sm2Sm3];
    for digest in DigestAlgorithm::ALL {
        algorithms.extend([RsaPkcs1(digest), RsaPss(digest), Ecdsa(digest)]);
    }
    for (own_algorithm, own_key, signature) in SIGNATURES {
        for spki in keys {
            for algorithm in &algorithms {
                let verified = key(spki).verify(*algorithm, Sm2Id::Default, MESSAGE, signature);
                let own = *algorithm == own_algorithm && spki == own_key;
                assert_eq!(verified.is_ok(), own, "{own_algorithm} as {algorithm}");
                if !algorithm.fits(key(spki).kind()) {
                    assert!(matches!(verified, Err(VerifyError::KeyMismatch { .. })), "{verified:?}");
                }
            }
        }
    }
}

#[test]
fn one_changed_bit_is_a_mismatch() {
    for (algorithm, spki, signature) in SIGNATURES {
        let mut message = MESSAGE.to_vec();
        message[7] ^= 1;
        let verified = key(spki).verify(algorithm, Sm2Id::Default, &message, signature);
        assert_eq!(verified, Err(VerifyError::Mismatch), "{algorithm}");
        let mut changed = signature.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(key(spki).verify(algorithm, Sm2Id::Default, MESSAGE, &changed).is_err(), "{algorithm}");
    }
}

/// THREATS S11, S13: too short, too long, with octets in front or behind.
#[test]
fn signatures_of_another_size_are_refused() {
    for (algorithm, spki, signature) in SIGNATURES {
        let refuse = |changed: &[u8]| {
            let verified = key(spki).verify(algorithm, Sm2Id::Default, MESSAGE, changed);
            assert!(
                matches!(verified, Err(VerifyError::Length { .. } | VerifyError::Encoding)),
                "{algorithm}: {verified:?}"
            );
        };
        refuse(&[]);
        refuse(&signature[..signature.len() - 1]);
        refuse(&signature[1..]);
        refuse(&[signature, &[0]].concat());
        refuse(&[&[0], signature].concat());
        refuse(&[signature; 70].concat());
    }
}

/// THREATS S11: a signature whose first octet is zero keeps it.
#[test]
fn rsa_signatures_keep_their_leading_zero() {
    let verify = |signature: &[u8]| {
        key(fixture!("rsa.pub")).verify(
            RsaPkcs1(Sha256),
            Sm2Id::Default,
            fixture!("leading-zero.msg"),
            signature,
        )
    };
    let signature = fixture!("leading-zero.sig");
    assert_eq!(signature[0], 0);
    assert_eq!(verify(signature), Ok(()));
    assert_eq!(verify(&signature[1..]), Err(VerifyError::Length { octets: 255, expected: 256 }));
    assert_eq!(verify(&[&[0], signature].concat()), Err(VerifyError::Length { octets: 257, expected: 256 }));
}

/// RFC 8017 §5.2.2: the number is below the modulus.
#[test]
fn rsa_signatures_are_below_the_modulus() {
    let modulus = key(fixture!("rsa.pub")).rsa_parts().unwrap().0;
    for algorithm in [RsaPkcs1(Sha256), RsaPss(Sha256)] {
        let verify =
            |number: &[u8]| key(fixture!("rsa.pub")).verify(algorithm, Sm2Id::Default, MESSAGE, number);
        assert_eq!(verify(&modulus), Err(VerifyError::Encoding));
        assert_eq!(verify(&alloc::vec![0xff; modulus.len()]), Err(VerifyError::Encoding));
        assert_eq!(verify(&alloc::vec![0; modulus.len()]), Err(VerifyError::Mismatch));
    }
}

/// THREATS S10: garbage behind a short padding, exponent 3.
#[test]
fn forged_cube_roots_are_a_mismatch() {
    let (n, _) = key(fixture!("rsa.pub")).rsa_parts().unwrap();
    let weak = key(&rsa_spki(&n, &[3]));
    let verified = weak.verify(RsaPkcs1(Sha256), Sm2Id::Default, MESSAGE, fixture!("forged-e3.sig"));
    assert_eq!(verified, Err(VerifyError::Mismatch));
}

/// STANDARDS §4.3: PSS with another salt or another MGF1 hash.
#[test]
fn other_pss_parameters_are_a_mismatch() {
    for signature in [fixture!("pss-sha256-salt20.sig"), fixture!("pss-sha256-mgfsha1.sig")] {
        let verified = key(fixture!("rsa.pub")).verify(RsaPss(Sha256), Sm2Id::Default, MESSAGE, signature);
        assert_eq!(verified, Err(VerifyError::Mismatch));
    }
}

/// RFC 4055 §3.1: a salt of the length that is named, and of no other.
#[test]
fn a_pss_salt_has_the_length_that_is_named() {
    let signature = fixture!("pss-sha256-salt20.sig");
    for (length, verified) in [
        (20, Ok(())),
        (0, Err(VerifyError::Mismatch)),
        (19, Err(VerifyError::Mismatch)),
        (32, Err(VerifyError::Mismatch)),
        (222, Err(VerifyError::Mismatch)),
        (223, Err(VerifyError::Mismatch)),
        (u16::MAX, Err(VerifyError::Mismatch)),
    ] {
        let algorithm = RsaPssSalt(Sha256, length);
        let found = key(fixture!("rsa.pub")).verify(algorithm, Sm2Id::Default, MESSAGE, signature);
        assert_eq!(found, verified, "{length}");
    }
}

/// THREATS G6, S13: what only BER allows, and numbers out of range.
#[test]
fn ecdsa_and_sm2_signatures_are_strict_der() {
    let half = 32;
    for (algorithm, spki) in [(Ecdsa(Sha256), fixture!("p256.pub")), (Sm2Sm3, fixture!("sm2.pub"))] {
        let refuse = |octets: &[u8]| {
            let verified = key(spki).verify(algorithm, Sm2Id::Default, MESSAGE, octets);
            assert_eq!(verified, Err(VerifyError::Encoding), "{algorithm} {octets:02x?}");
        };
        let one = write::small(1);
        let raw = |content: &[u8]| [&[2, u8::try_from(content.len()).unwrap()], content].concat();
        refuse(&write::sequence(&[&write::small(0), &one]));
        refuse(&write::sequence(&[&one, &write::small(0)]));
        refuse(&write::sequence(&[&one]));
        refuse(&write::sequence(&[&one, &one, &one]));
        refuse(&write::sequence(&[&raw(&[0, 1]), &one]));
        refuse(&write::sequence(&[&one, &raw(&[0xff])]));
        refuse(&write::sequence(&[&one, &write::octet_string(&[1])]));
        refuse(&write::sequence(&[&write::integer_bytes(&[0xff; 32]), &one]));
        refuse(&[&[0x31][..], &write::sequence(&[&one, &one])[1..]].concat());
        refuse(&[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]);
        refuse(&[0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0]);
        refuse(&alloc::vec![1; 2 * half]);
    }
}

/// THREATS G4: identifiers are told apart and never tried in turn.
#[test]
fn sm2_identifiers_are_by_agreement() {
    let key = key(fixture!("sm2.pub"));
    let made = [
        (Sm2Id::Default, fixture!("sm2.sig")),
        (Sm2Id::Other(b""), fixture!("sm2-emptyid.sig")),
        (Sm2Id::Other(b"alice@example.test"), fixture!("sm2-aliceid.sig")),
        // THREATS G5: no Z only where it is asked for.
        (Sm2Id::RawDigestNoZ, fixture!("sm2-noz.sig")),
    ];
    for (id, signature) in made {
        for (other, _) in made {
            let verified = key.verify(Sm2Sm3, other, MESSAGE, signature);
            let expected = if other == id { Ok(()) } else { Err(VerifyError::Mismatch) };
            assert_eq!(verified, expected, "made with {id:?}, read with {other:?}");
        }
    }
    assert_eq!(key.verify(Sm2Sm3, Sm2Id::Other(b"1234567812345678"), MESSAGE, fixture!("sm2.sig")), Ok(()));
    let long = alloc::vec![b'a'; 8192];
    let verified = key.verify(Sm2Sm3, Sm2Id::Other(&long), MESSAGE, fixture!("sm2.sig"));
    assert_eq!(verified, Err(VerifyError::IdTooLong { octets: 8192 }));
}

/// THREATS G5: an SM2 signature as two numbers side by side, as some libraries write it.
#[test]
fn raw_sm2_signatures_are_refused() {
    let raw = aecm_sm::sm2::Signature::from_der(fixture!("sm2.sig")).unwrap().to_bytes();
    let verified = key(fixture!("sm2.pub")).verify(Sm2Sm3, Sm2Id::Default, MESSAGE, &raw);
    assert_eq!(verified, Err(VerifyError::Encoding));
}

#[test]
fn keys_of_every_kind_are_read_and_keep_their_octets() {
    let kinds = [
        (fixture!("rsa.pub"), KeyKind::Rsa { bits: 2048 }, Suite::Classic),
        (fixture!("p256.pub"), KeyKind::P256, Suite::Classic),
        (fixture!("p384.pub"), KeyKind::P384, Suite::Classic),
        (fixture!("sm2.pub"), KeyKind::Sm2, Suite::Sm2),
    ];
    for (spki, kind, suite) in kinds {
        let key = key(spki);
        assert_eq!((key.kind(), key.suite(), key.spki_der()), (kind, suite, spki));
        assert_eq!(key.rsa_parts().is_some(), matches!(kind, KeyKind::Rsa { .. }));
        assert_eq!(key.sec1_point().is_none(), matches!(kind, KeyKind::Rsa { .. }));
        // Method 1 of RFC 5280 §4.2.1.2: over the BIT STRING without its tag, length and unused bits.
        let bits = match key.rsa_parts() {
            Some((n, e)) => write::sequence(&[&write::integer_bytes(&n), &write::integer_bytes(&e)]),
            None => key.sec1_point().unwrap(),
        };
        assert_eq!(key.key_identifier().as_slice(), Sha1.digest(&bits));
    }
}

#[test]
fn equal_keys_in_other_encodings_are_equal() {
    let compressed = key(fixture!("p256-compressed.pub"));
    assert_eq!(compressed, key(fixture!("p256.pub")));
    assert_ne!(compressed.spki_der(), key(fixture!("p256.pub")).spki_der());
    assert_eq!(compressed.sec1_point(), key(fixture!("p256.pub")).sec1_point());
    assert_ne!(key(fixture!("p256.pub")), key(fixture!("sm2.pub")));
    assert_ne!(key(fixture!("p256.pub")), key(fixture!("p384.pub")));
}

/// STANDARDS §3.2: the SM2 identifier where the algorithm should stand.
#[test]
fn sm2_keys_of_old_authorities_are_read() {
    let point = write::bit_string(&point_of(fixture!("sm2.pub")));
    let curve = write::oid(&oid::SM2_CURVE);
    for parameters in [None, Some(write::null()), Some(curve)] {
        let spki = write::sequence(&[&write::algorithm(&oid::SM2_CURVE, parameters.as_deref()), &point]);
        assert_eq!(key(&spki), key(fixture!("sm2.pub")));
    }
    let other = write::oid(&oid::PRIME256V1);
    let spki = write::sequence(&[&write::algorithm(&oid::SM2_CURVE, Some(&other)), &point]);
    assert_eq!(
        PublicKey::from_spki_der(&spki).unwrap_err(),
        PublicKeyError::Parameters { algorithm: oid::SM2_CURVE }
    );
}

/// THREATS E4: points off the curve, on another curve, at infinity, in hybrid form.
#[test]
fn points_that_are_not_on_the_curve_are_refused() {
    let (p256, p384, sm2) =
        (point_of(fixture!("p256.pub")), point_of(fixture!("p384.pub")), point_of(fixture!("sm2.pub")));
    let mut off = p256.clone();
    off[64] ^= 1;
    let hybrid = [&[6 | (p256[64] & 1)], &p256[1..]].concat();
    let beyond = [&[4][..], &[0xff; 64]].concat();
    let short = p256[..64].to_vec();
    let long = [p256.as_slice(), &[0]].concat();
    let wrong = [
        (oid::PRIME256V1, off),
        (oid::PRIME256V1, sm2.clone()),
        (oid::SM2_CURVE, p256.clone()),
        (oid::SECP384R1, p256.clone()),
        (oid::PRIME256V1, p384),
        (oid::PRIME256V1, alloc::vec![0]),
        (oid::SM2_CURVE, alloc::vec![0]),
        (oid::PRIME256V1, Vec::new()),
        (oid::PRIME256V1, hybrid),
        (oid::PRIME256V1, beyond.clone()),
        (oid::SM2_CURVE, beyond),
        (oid::PRIME256V1, short),
        (oid::PRIME256V1, long),
        (oid::PRIME256V1, [&[5][..], &p256[1..33]].concat()),
    ];
    for (curve, point) in wrong {
        let read = PublicKey::from_spki_der(&ec_spki(&curve, &point));
        assert!(matches!(read, Err(PublicKeyError::Point { .. })), "{curve} {point:02x?}: {read:?}");
    }
}

/// THREATS E4: named curves only.
#[test]
fn other_curves_and_algorithms_are_refused() {
    let refused = |spki: &[u8]| PublicKey::from_spki_der(spki).unwrap_err();
    assert_eq!(refused(fixture!("explicit.pub")), PublicKeyError::ExplicitCurve);
    assert_eq!(refused(fixture!("p521.pub")), PublicKeyError::Curve { curve: oid::SECP521R1 });
    let point = write::bit_string(&point_of(fixture!("p256.pub")));
    for parameters in [None, Some(write::null())] {
        let spki = write::sequence(&[&write::algorithm(&oid::EC_PUBLIC_KEY, parameters.as_deref()), &point]);
        assert_eq!(refused(&spki), PublicKeyError::Parameters { algorithm: oid::EC_PUBLIC_KEY });
    }
    for algorithm in [oid::ED25519, oid::RSASSA_PSS] {
        let spki = write::sequence(&[&write::algorithm(&algorithm, None), &point]);
        assert_eq!(refused(&spki), PublicKeyError::Algorithm { algorithm });
    }
    let curve = write::oid(&oid::PRIME256V1);
    let spki = write::sequence(&[&write::algorithm(&oid::RSA_ENCRYPTION, Some(&curve)), &point]);
    assert_eq!(refused(&spki), PublicKeyError::Parameters { algorithm: oid::RSA_ENCRYPTION });
}

/// THREATS A4: checked before anything is computed.
#[test]
fn rsa_numbers_out_of_range_are_refused() {
    let refused = |n: &[u8], e: &[u8]| PublicKey::from_spki_der(&rsa_spki(n, e)).unwrap_err();
    let (n, e) = key(fixture!("rsa.pub")).rsa_parts().unwrap();
    assert_eq!(key(&rsa_spki(&n, &e)), key(fixture!("rsa.pub")));
    assert_eq!(PublicKey::from_spki_der(fixture!("rsa-e1.pub")).unwrap_err(), PublicKeyError::Exponent);
    let small = PublicKey::from_spki_der(fixture!("rsa512.pub")).unwrap_err();
    assert_eq!(small, PublicKeyError::ModulusSize { bits: 512 });
    for e in [&[0][..], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 1], &n] {
        assert_eq!(refused(&n, e), PublicKeyError::Exponent, "{e:02x?}");
    }
    for e in [&[3][..], &[1, 0xff, 0xff, 0xff, 0xff]] {
        assert!(PublicKey::from_spki_der(&rsa_spki(&n, e)).is_ok(), "{e:02x?}");
    }
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(refused(&even, &e), PublicKeyError::EvenModulus);
    for (octets, bits) in [(127, 1016), (1025, 8200), (2048, 16384)] {
        assert_eq!(refused(&alloc::vec![0xff; octets], &e), PublicKeyError::ModulusSize { bits });
    }
    // One bit below and above the limits.
    assert_eq!(
        refused(&[&[0x7f][..], &[0xff; 127]].concat(), &e),
        PublicKeyError::ModulusSize { bits: 1023 }
    );
    assert_eq!(refused(&[&[1][..], &[0xff; 1024]].concat(), &e), PublicKeyError::ModulusSize { bits: 8193 });
    let negative = write::sequence(&[
        &write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
        &write::bit_string(&write::sequence(&[&[2, 1, 0x80], &write::integer_bytes(&e)])),
    ]);
    assert_eq!(PublicKey::from_spki_der(&negative).unwrap_err(), PublicKeyError::NegativeNumber);
}

/// THREATS S13: whole input, DER, no slack.
#[test]
fn malformed_spki_is_refused() {
    for spki in [fixture!("rsa.pub"), fixture!("p256.pub"), fixture!("sm2.pub")] {
        for cut in 0..spki.len() {
            assert!(PublicKey::from_spki_der(&spki[..cut]).is_err(), "cut at {cut}");
        }
        let trailing = PublicKey::from_spki_der(&[spki, &[0]].concat());
        assert!(matches!(trailing, Err(PublicKeyError::Malformed(_))), "{trailing:?}");
    }
    let spki = fixture!("p256.pub");
    let long_length = [&[0x30, 0x81], &spki[1..]].concat();
    assert!(matches!(PublicKey::from_spki_der(&long_length), Err(PublicKeyError::Malformed(_))));
    let mut unused_bits = spki.to_vec();
    unused_bits[25] = 1;
    assert!(PublicKey::from_spki_der(&unused_bits).is_err());
    let (n, e) = key(fixture!("rsa.pub")).rsa_parts().unwrap();
    let inner =
        [&write::sequence(&[&write::integer_bytes(&n), &write::integer_bytes(&e)])[..], &[5, 0]].concat();
    let slack = write::sequence(&[
        &write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
        &write::bit_string(&inner),
    ]);
    assert!(matches!(PublicKey::from_spki_der(&slack), Err(PublicKeyError::Malformed(_))));
}

#[test]
fn an_sm3_digest_never_reaches_ecdsa_or_rsa() {
    for algorithm in [RsaPkcs1(Sm3), RsaPss(Sm3), Ecdsa(Sm3)] {
        for (_, spki, signature) in SIGNATURES {
            let verified = key(spki).verify(algorithm, Sm2Id::Default, MESSAGE, signature);
            assert!(matches!(verified, Err(VerifyError::KeyMismatch { .. })));
        }
    }
}
