//! PKCS#12 files: those of others, ours, and what is refused.

mod hostile;
mod pbmac1;
mod store;

use aecm_core::embed::OsRng;
use aecm_core::oid;
use aecm_core::password::{Encryption, PasswordError};
use aecm_core::software::KeySpec;
use aecm_core::tlv::{Tag, write};

use super::*;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/p12/", $name)).as_slice()
    };
}
use vector;

fn limits() -> Limits {
    Limits::default()
}

fn read(octets: &[u8], password: &str) -> Result<Pkcs12, Pkcs12Error> {
    Pkcs12::parse(octets, password, &limits())
}

/// The reason why a file is not read.
fn refused(octets: &[u8], password: &str) -> Pkcs12Error {
    read(octets, password).expect_err("a file that should be refused")
}

fn quick() -> Encryption {
    Encryption::default().iterations(3)
}

#[test]
fn files_of_others() {
    // Name, octets, password, keys, certificates, friendly name of the first key.
    let files = [
        ("openssl-default", vector!("openssl-default.p12"), "test", 1, 2, Some("alice")),
        ("openssl-sm4-sm3", vector!("openssl-sm4-sm3.p12"), "test", 1, 2, Some("爱丽丝")),
        ("openssl-aes-sha512", vector!("openssl-aes-sha512.p12"), "test", 1, 1, None),
        ("openssl-sha384", vector!("openssl-sha384.p12"), "test", 1, 1, None),
        ("openssl-sha1", vector!("openssl-sha1.p12"), "test", 1, 1, None),
        ("openssl-plain", vector!("openssl-plain.p12"), "test", 1, 1, None),
        ("openssl-empty-password", vector!("openssl-empty-password.p12"), "", 1, 1, None),
        ("openssl-utf8-password", vector!("openssl-utf8-password.p12"), "пароль😀", 1, 1, None),
        ("openssl-no-key", vector!("openssl-no-key.p12"), "test", 0, 1, None),
        ("openssl30-sm2", vector!("openssl30-sm2.p12"), "test", 1, 2, Some("alice")),
        ("keytool", vector!("keytool.p12"), "testtest", 1, 2, Some("alice")),
        ("bc172-ber", vector!("bc172-ber.p12"), "test", 1, 2, Some("alice")),
        ("rfc9579-a1", vector!("rfc9579-a1.p12"), "1234", 1, 1, None),
    ];
    for (name, octets, password, keys, certificates, friendly) in files {
        let found = read(octets, password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((found.keys().len(), found.certificates().len()), (keys, certificates), "{name}");
        for bag in found.keys() {
            let key = bag.key().unwrap();
            let own = found.certificates_of(&key);
            assert_eq!(own.len(), 1, "{name}");
            // Every writer but Bouncy Castle's builder, which was not told to, says it by the identifier too.
            let marked = found.certificates().iter().find(|other| other.local_key_id == bag.local_key_id);
            assert_eq!(&marked.unwrap().certificate, own[0], "{name}");
            assert_eq!(bag.friendly_name.as_deref(), friendly, "{name}");
            assert!(!format!("{bag:?}").contains("pkcs8"));
        }
        for wrong in ["Test", "", "test ", "12345"] {
            if wrong != password {
                assert_eq!(refused(octets, wrong), Pkcs12Error::WrongPassword, "{name}, {wrong:?}");
            }
        }
    }
}

#[test]
fn what_is_not_given_out_is_named() {
    let found = read(vector!("keytool.p12"), "testtest").unwrap();
    assert_eq!(found.skipped(), [Skipped::Bag(oid::SECRET_BAG)]);
}

/// THREATS K1: without MAC nothing is read, unless it is asked for.
#[test]
fn k1_a_mac_is_needed() {
    let octets = vector!("openssl-nomac.p12");
    assert_eq!(refused(octets, "test"), Pkcs12Error::NoMac);
    let found = Pkcs12::parse_unauthenticated(octets, "test", &limits()).unwrap();
    assert_eq!(found.certificates_of(&found.keys()[0].key().unwrap()).len(), 1);
    let wrong = Pkcs12::parse_unauthenticated(octets, "Test", &limits()).unwrap_err();
    assert_eq!(wrong, Pkcs12Error::Password(PasswordError::WrongPassword));
    // Where there is one it has to verify all the same.
    let other = Pkcs12::parse_unauthenticated(vector!("openssl-default.p12"), "Test", &limits()).unwrap_err();
    assert_eq!(other, Pkcs12Error::WrongPassword);
}

#[test]
fn schemes_of_1996_are_refused_by_name() {
    for (octets, password, name) in [
        (vector!("openssl-legacy.p12"), "test", "pbeWithSHAAnd40BitRC2-CBC"),
        (vector!("openssl-3des.p12"), "test", "pbeWithSHAAnd3-KeyTripleDES-CBC"),
        (vector!("bc186-rsa.p12"), "test", "pbeWithSHAAnd3-KeyTripleDES-CBC"),
        // Its MAC is over no password at all; what it says is not that the password is wrong.
        (vector!("pyca-no-password.p12"), "", "pbeWithSHAAnd40BitRC2-CBC"),
    ] {
        let error = refused(octets, password);
        assert!(
            matches!(
                error,
                Pkcs12Error::Password(PasswordError::Algorithm { role: "encryption scheme", .. })
            ),
            "{error}"
        );
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(refused(octets, "x"), Pkcs12Error::WrongPassword);
    }
}

fn keys() -> Vec<SoftwareKey> {
    [KeySpec::P256, KeySpec::Sm2, KeySpec::P384]
        .map(|spec| SoftwareKey::generate(spec, &OsRng).unwrap())
        .into()
}

/// A certificate of the vectors, for tests that need any.
fn certificate() -> Certificate {
    read(vector!("openssl-no-key.p12"), "test").unwrap().certificates()[0].certificate.clone()
}

#[test]
fn what_is_written_is_read() {
    let crl = write::sequence(&[&write::small(1)]);
    for encryption in [quick(), Encryption::sm().iterations(3)] {
        for password in ["secret", "", "密码🔑"] {
            let keys = keys();
            let certificate = certificate();
            let mut builder = Pkcs12::builder().encryption(encryption).crl(&crl);
            for key in &keys {
                builder = builder.key(key, Some("名前 😀"), None);
            }
            let octets = builder
                .certificate(&certificate, Some("ca"))
                .certificate(&certificate, None)
                .to_der(password, &OsRng)
                .unwrap();
            let found = read(&octets, password).unwrap();
            let back: Vec<_> = found.keys().iter().map(|bag| bag.key().unwrap().to_pkcs8_der()).collect();
            assert_eq!(back, keys.iter().map(SoftwareKey::to_pkcs8_der).collect::<Vec<_>>());
            assert!(found.keys().iter().all(|bag| bag.friendly_name.as_deref() == Some("名前 😀")));
            assert_eq!(found.certificates().len(), 1, "once");
            assert_eq!(found.certificates()[0].friendly_name.as_deref(), Some("ca"));
            assert_eq!(found.crls(), std::slice::from_ref(&crl));
            assert_eq!(refused(&octets, "other"), Pkcs12Error::WrongPassword);
            let again = builder_of(&keys[0]).to_der(password, &OsRng).unwrap();
            assert_ne!(builder_of(&keys[0]).to_der(password, &OsRng).unwrap(), again, "salts are fresh");
        }
    }
}

fn builder_of(key: &SoftwareKey) -> Pkcs12Builder {
    Pkcs12::builder().encryption(quick()).key(key, None, None)
}

/// The key and its certificate carry the same identifier, also where the certificate was there before.
#[test]
fn a_key_points_to_its_certificate() {
    let found = read(vector!("openssl-default.p12"), "test").unwrap();
    let key = found.keys()[0].key().unwrap();
    let own = found.certificates_of(&key)[0].clone();
    let octets = Pkcs12::builder()
        .encryption(quick())
        .certificate(&own, None)
        .key(&key, Some("alice"), Some(&own))
        .certificate(&own, None)
        .to_der("p", &OsRng)
        .unwrap();
    let back = read(&octets, "p").unwrap();
    assert_eq!(back.certificates().len(), 1);
    assert_eq!(back.certificates()[0].local_key_id, back.keys()[0].local_key_id);
    // As OpenSSL has it: SHA-1 of the certificate.
    assert_eq!(back.keys()[0].local_key_id, found.keys()[0].local_key_id);
}

#[test]
fn writing_needs_randomness_and_iterations() {
    struct Broken;
    impl aecm_core::embed::Rng for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), aecm_core::embed::RngError> {
            Err(aecm_core::embed::RngError)
        }
    }
    let key = &keys()[0];
    let failed = builder_of(key).to_der("", &Broken);
    assert_eq!(failed, Err(Pkcs12Error::Password(PasswordError::Rng)));
    let failed = builder_of(key).encryption(quick().iterations(0)).to_der("", &OsRng);
    assert!(matches!(failed, Err(Pkcs12Error::Password(PasswordError::Iterations { count: 0, .. }))));
    // A file of nothing is a file.
    let empty = Pkcs12::builder().encryption(quick()).to_der("", &OsRng).unwrap();
    assert!(read(&empty, "").unwrap().keys().is_empty());
}

/// A PFX around those safes (each a whole ContentInfo), with a MAC of ours.
fn pfx(safes: &[u8], password: &str) -> Vec<u8> {
    let mac = mac::make(aecm_core::digest::DigestAlgorithm::Sha256, safes, password, &[7; 16], 1).unwrap();
    write::sequence(&[&write::small(3), &data(safes), &mac])
}

fn data(octets: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(&oid::DATA), &write::explicit(0, &write::octet_string(octets))])
}

/// A PFX with one plain safe of those bags.
fn plain(bags: &[u8], password: &str) -> Vec<u8> {
    pfx(&write::tlv(Tag::SEQUENCE, &data(&write::tlv(Tag::SEQUENCE, bags))), password)
}

fn bag(kind: &ObjectIdentifier, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(kind), &write::explicit(0, value), attributes])
}
