use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::oid;
use crate::public_key::KeyKind;
use crate::tlv::write as der;

/// The octets of the PEM block that holds the key.
fn octets(text: &str) -> Vec<u8> {
    pem::private_key(text).unwrap().1.to_vec()
}

fn refused(der: &[u8]) -> SoftwareKeyError {
    SoftwareKey::from_pkcs8_der(der).unwrap_err()
}

/// The position of `part` in `whole`.
fn find(whole: &[u8], part: &[u8]) -> usize {
    whole.windows(part.len()).position(|window| window == part).unwrap()
}

fn ec_private_key(number: &[u8], curve: Option<&oid::ObjectIdentifier>, point: Option<&[u8]>) -> Vec<u8> {
    let curve = curve.map(|curve| der::explicit(0, &der::oid(curve))).unwrap_or_default();
    let point = point.map(|point| der::explicit(1, &der::bit_string(point))).unwrap_or_default();
    der::sequence(&[&der::small(1), &der::octet_string(number), &curve, &point])
}

fn pkcs8(version: u64, algorithm: &[u8], key: &[u8], rest: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::small(version), algorithm, &der::octet_string(key), rest])
}

fn ec(curve: &oid::ObjectIdentifier) -> Vec<u8> {
    der::algorithm(&oid::EC_PUBLIC_KEY, Some(&der::oid(curve)))
}

#[test]
fn every_form_of_openssl_gives_the_same_key() {
    let forms = [
        (pem!("rsa.key"), pem!("rsa-pkcs1.key"), fixture!("rsa.pub")),
        (pem!("p256.key"), pem!("p256-sec1.key"), fixture!("p256.pub")),
        (pem!("p384.key"), pem!("p384-sec1.key"), fixture!("p384.pub")),
        (pem!("sm2.key"), pem!("sm2-sec1.key"), fixture!("sm2.pub")),
    ];
    for (pkcs8, other, spki) in forms {
        for text in [pkcs8, other] {
            assert_eq!(key(text).public_key().spki_der(), spki);
            let der = octets(text);
            assert_eq!(SoftwareKey::from_pkcs8_der(&der).unwrap().public_key().spki_der(), spki);
        }
        // We write what OpenSSL writes.
        assert_eq!(*key(other).to_pkcs8_der(), octets(pkcs8));
    }
}

#[test]
fn generated_keys_survive_export_and_import() {
    for spec in [KeySpec::Rsa(2048), KeySpec::P256, KeySpec::P384, KeySpec::Sm2] {
        let made = SoftwareKey::generate(spec, &*rng()).unwrap();
        let read = SoftwareKey::from_pkcs8_der(&made.to_pkcs8_der()).unwrap();
        assert_eq!(made.public_key().spki_der(), read.public_key().spki_der());
        assert_eq!(made.to_pkcs8_der(), read.to_pkcs8_der());
        assert_eq!(made.public_key().suite(), spec.suite());
    }
}

#[test]
fn generation_takes_the_size_and_refuses_others() {
    let made = SoftwareKey::generate(KeySpec::Rsa(2056), &*rng()).unwrap();
    assert_eq!(made.public_key().kind(), KeyKind::Rsa { bits: 2056 });
    for bits in [0, 512, 1024, 2040, 2047, 2049, 8200, 16384, u32::MAX] {
        let made = SoftwareKey::generate(KeySpec::Rsa(bits), &*rng());
        assert!(matches!(made, Err(KeyError::Unsupported(_))), "{bits}: {made:?}");
    }
}

/// THREATS G10: a random source that fails is an error, and one that is stuck does not go on for ever.
#[test]
fn generation_without_randomness_fails() {
    for spec in [KeySpec::Rsa(2048), KeySpec::P256, KeySpec::P384, KeySpec::Sm2] {
        assert_eq!(SoftwareKey::generate(spec, &Broken).unwrap_err(), KeyError::Rng);
    }
    for spec in [KeySpec::P256, KeySpec::P384, KeySpec::Sm2] {
        for octet in [0, 0xff] {
            assert_eq!(SoftwareKey::generate(spec, &Stuck(octet)).unwrap_err(), KeyError::Rng);
        }
    }
}

/// THREATS K8: the public key in the file is that of another key.
#[test]
fn a_public_key_of_another_key_is_refused() {
    for text in [pem!("p256.key"), pem!("sm2.key"), pem!("p384.key"), pem!("p256-sec1.key")] {
        let own = key(text);
        let mut changed = octets(text);
        let at = find(&changed, &own.public_key().sec1_point().unwrap());
        let other = SoftwareKey::generate(kind_of(&own), &*rng()).unwrap().public_key().sec1_point().unwrap();
        changed[at..at + other.len()].copy_from_slice(&other);
        assert_eq!(refused(&changed), SoftwareKeyError::PublicKeyMismatch);
    }
}

fn kind_of(key: &SoftwareKey) -> KeySpec {
    match key.public_key().kind() {
        KeyKind::P256 => KeySpec::P256,
        KeyKind::P384 => KeySpec::P384,
        _ => KeySpec::Sm2,
    }
}

/// RFC 5958: version 1 with the public key beside it, uncompressed or compressed, checked like the inner one.
#[test]
fn version_two_is_read_with_its_public_key() {
    let own = key(pem!("p256.key"));
    let point = own.public_key().sec1_point().unwrap();
    let compressed = [&[2 | (point[64] & 1)], &point[1..33]].concat();
    let number = octets(pem!("p256.key"))[36..68].to_vec();
    let inner = ec_private_key(&number, None, None);
    let stated = |point: &[u8]| der::tlv(crate::tlv::Tag::context_primitive(1), &[&[0], point].concat());
    for point in [&point, &compressed] {
        let read = SoftwareKey::from_pkcs8_der(&pkcs8(1, &ec(&oid::PRIME256V1), &inner, &stated(point)));
        assert_eq!(read.unwrap().public_key(), own.public_key());
    }
    let mut other = compressed.clone();
    other[0] ^= 1;
    let mismatch = pkcs8(1, &ec(&oid::PRIME256V1), &inner, &stated(&other));
    assert_eq!(refused(&mismatch), SoftwareKeyError::PublicKeyMismatch);
    // Version 0 has no such field.
    let slack = pkcs8(0, &ec(&oid::PRIME256V1), &inner, &stated(&point));
    assert!(matches!(refused(&slack), SoftwareKeyError::Malformed(_)));
}

#[test]
fn numbers_that_do_not_fit_their_curve_are_refused() {
    let order_of_p256 = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let sm2_order_less_one = [
        0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72,
        0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
    ];
    for curve in [oid::PRIME256V1, oid::SECP384R1, oid::SM2_CURVE] {
        for number in [&[][..], &[0; 32], &[0xff; 48], &[1; 49], &[0xff; 64]] {
            let der = pkcs8(0, &ec(&curve), &ec_private_key(number, None, None), &[]);
            assert_eq!(refused(&der), SoftwareKeyError::OutOfRange, "{curve} {number:02x?}");
        }
    }
    let order = pkcs8(0, &ec(&oid::PRIME256V1), &ec_private_key(&order_of_p256, None, None), &[]);
    assert_eq!(refused(&order), SoftwareKeyError::OutOfRange);
    // 1/(1+d) does not exist.
    let last = pkcs8(0, &ec(&oid::SM2_CURVE), &ec_private_key(&sm2_order_less_one, None, None), &[]);
    assert_eq!(refused(&last), SoftwareKeyError::OutOfRange);
    // Writers that drop leading zeros.
    let short =
        SoftwareKey::from_pkcs8_der(&pkcs8(0, &ec(&oid::SM2_CURVE), &ec_private_key(&[9], None, None), &[]));
    let mut nine = [0; 32];
    nine[31] = 9;
    let long =
        SoftwareKey::from_pkcs8_der(&pkcs8(0, &ec(&oid::SM2_CURVE), &ec_private_key(&nine, None, None), &[]));
    assert_eq!(short.unwrap().public_key(), long.unwrap().public_key());
}

#[test]
fn curves_are_named_once_and_known() {
    let number = [9; 32];
    let conflict = ec_private_key(&number, Some(&oid::SM2_CURVE), None);
    assert_eq!(refused(&pkcs8(0, &ec(&oid::PRIME256V1), &conflict, &[])), SoftwareKeyError::CurveMismatch);
    assert_eq!(refused(&ec_private_key(&number, None, None)), SoftwareKeyError::CurveNotNamed);
    let absent = der::algorithm(&oid::EC_PUBLIC_KEY, None);
    let inner = ec_private_key(&number, None, None);
    assert_eq!(refused(&pkcs8(0, &absent, &inner, &[])), SoftwareKeyError::CurveNotNamed);
    let null = der::algorithm(&oid::EC_PUBLIC_KEY, Some(&der::null()));
    assert_eq!(refused(&pkcs8(0, &null, &inner, &[])), SoftwareKeyError::CurveNotNamed);
    let p521 = SoftwareKey::from_pem(pem!("p521.key")).unwrap_err();
    assert_eq!(p521, SoftwareKeyError::Curve { curve: oid::SECP521R1 });
    let explicit = SoftwareKey::from_pem(pem!("explicit.key")).unwrap_err();
    assert_eq!(explicit, SoftwareKeyError::CurveNotNamed);
    // A P-256 number under the name of SM2: the public key tells.
    let point = key(pem!("p256.key")).public_key().sec1_point().unwrap();
    let number = octets(pem!("p256.key"))[36..68].to_vec();
    let swapped = pkcs8(0, &ec(&oid::SM2_CURVE), &ec_private_key(&number, None, Some(&point)), &[]);
    assert_eq!(refused(&swapped), SoftwareKeyError::PublicKeyMismatch);
}

#[test]
fn other_algorithms_and_versions_are_refused() {
    let inner = ec_private_key(&[9; 32], None, None);
    let ed25519 = der::algorithm(&oid::ED25519, None);
    assert_eq!(
        refused(&pkcs8(0, &ed25519, &inner, &[])),
        SoftwareKeyError::Algorithm { algorithm: oid::ED25519 }
    );
    assert_eq!(
        refused(&pkcs8(2, &ec(&oid::SM2_CURVE), &inner, &[])),
        SoftwareKeyError::Version { version: 2 }
    );
    let rsa = der::algorithm(&oid::RSA_ENCRYPTION, Some(&der::oid(&oid::SM2_CURVE)));
    assert_eq!(refused(&pkcs8(0, &rsa, &octets(pem!("rsa-pkcs1.key")), &[])), SoftwareKeyError::Parameters);
    let mut version = octets(pem!("sm2-sec1.key"));
    version[4] = 2;
    assert_eq!(refused(&version), SoftwareKeyError::Version { version: 2 });
    let mut several_primes = octets(pem!("rsa-pkcs1.key"));
    several_primes[6] = 1;
    assert_eq!(refused(&several_primes), SoftwareKeyError::Version { version: 1 });
}

/// THREATS K8, A4: an RSA key whose numbers do not belong together.
#[test]
fn inconsistent_rsa_keys_are_refused() {
    let good = octets(pem!("rsa-pkcs1.key"));
    let (n, _) = key(pem!("rsa.key")).public_key().rsa_parts().unwrap();
    let modulus = find(&good, &n);
    let exponent = find(&good, &[2, 3, 1, 0, 1]);
    for at in [modulus + 200, exponent + 2, exponent + 4, exponent + 100, exponent + 300, exponent + 430] {
        let mut changed = good.clone();
        changed[at] ^= 2;
        assert!(SoftwareKey::from_pkcs8_der(&changed).is_err(), "octet {at}");
    }
    let huge = der::integer_bytes(&[0xff; 2048]);
    let huge =
        der::sequence(&[&der::small(0), &huge, &der::small(3), &huge, &huge, &huge, &huge, &huge, &huge]);
    let error = refused(&huge);
    assert!(matches!(error, SoftwareKeyError::PublicKey(_)), "{error:?}");
}

#[test]
fn truncated_and_trailing_octets_are_refused() {
    for text in
        [pem!("p256.key"), pem!("sm2.key"), pem!("sm2-sec1.key"), pem!("rsa.key"), pem!("rsa-pkcs1.key")]
    {
        let good = octets(text);
        for cut in (0..good.len()).step_by(7) {
            assert!(matches!(refused(&good[..cut]), SoftwareKeyError::Malformed(_)), "cut at {cut}");
        }
        let trailing = refused(&[good.as_slice(), &[0]].concat());
        assert!(matches!(trailing, SoftwareKeyError::Malformed(_)), "{trailing:?}");
    }
    let slack = [&ec_private_key(&[9; 32], None, None)[..], &[5, 0]].concat();
    let slack = refused(&pkcs8(0, &ec(&oid::SM2_CURVE), &slack, &[]));
    assert!(matches!(slack, SoftwareKeyError::Malformed(_)), "{slack:?}");
}

#[test]
fn encrypted_keys_say_so() {
    let error = SoftwareKey::from_pem(pem!("encrypted-pkcs8.key")).unwrap_err();
    assert_eq!(error, SoftwareKeyError::Encrypted);
    assert!(format!("{error}").contains("password"));
    let error = SoftwareKey::from_pem(pem!("encrypted-sec1.key")).unwrap_err();
    assert_eq!(error, SoftwareKeyError::LegacyEncryption);
    let body: String = pem!("encrypted-pkcs8.key").lines().filter(|line| !line.starts_with('-')).collect();
    let der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
    assert_eq!(refused(&der), SoftwareKeyError::Encrypted);
}

#[test]
fn pem_text_around_the_key_is_passed_over_and_two_keys_are_not() {
    let certificate = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys/sm2-sig.crt"));
    let bundle = format!("Bag Attributes: none\r\n{certificate}\n{}\n{certificate}", pem!("sm2.key"));
    assert_eq!(key(&bundle).public_key(), key(pem!("sm2.key")).public_key());
    assert_eq!(key(&pem!("p256.key").replace('\n', "\r\n")).public_key(), key(pem!("p256.key")).public_key());

    let refused = |text: &str| SoftwareKey::from_pem(text).unwrap_err();
    assert_eq!(
        refused(&format!("{}{}", pem!("sm2.key"), pem!("p256.key"))),
        SoftwareKeyError::SeveralPrivateKeys
    );
    assert_eq!(refused(certificate), SoftwareKeyError::NoPrivateKey);
    assert_eq!(refused(""), SoftwareKeyError::NoPrivateKey);
    let unended = refused("text\n-----BEGIN PRIVATE KEY-----\nMIGH\n");
    assert_eq!(unended, SoftwareKeyError::Pem { line: 2, why: "this block has no END line" });
    let mixed = refused("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END CERTIFICATE-----\n");
    assert!(matches!(mixed, SoftwareKeyError::Pem { line: 3, .. }), "{mixed:?}");
    let nested =
        refused("-----BEGIN PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    assert!(matches!(nested, SoftwareKeyError::Pem { line: 2, .. }), "{nested:?}");
    let garbage = refused("-----BEGIN PRIVATE KEY-----\nM!GH\n-----END PRIVATE KEY-----\n");
    assert!(matches!(garbage, SoftwareKeyError::Pem { line: 1, .. }), "{garbage:?}");
    // A label that promises another form.
    let mislabelled = pem!("p256.key").replace("PRIVATE KEY", "RSA PRIVATE KEY");
    assert_eq!(refused(&mislabelled), SoftwareKeyError::Parameters);
}

/// THREATS K2: no octet of the private number in any Debug output or error.
#[test]
fn debug_shows_public_things_only() {
    for key in keys() {
        let key_id = key.public_key().key_identifier();
        let id: String = key_id.iter().map(|octet| format!("{octet:02x}")).collect();
        let texts = [
            format!("{key:?}"),
            format!("{:?}", key.clone().into_signer(rng())),
            format!("{:?}", key.clone().into_decryptor(rng())),
        ];
        for text in texts {
            assert!(text.contains(&id), "{text}");
            assert!(text.len() < 160, "{text}");
        }
    }
}
