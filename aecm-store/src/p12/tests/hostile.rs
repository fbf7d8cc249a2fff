//! Damage, excess and confusion (THREATS E6, K1).

use super::*;

/// A small file with a key, a certificate and a CRL, quick to read.
fn small() -> (Vec<u8>, Vec<Zeroizing<Vec<u8>>>) {
    let key = &keys()[0];
    let octets =
        builder_of(key).certificate(&certificate(), None).crl(&[0x30, 0]).to_der("p", &OsRng).unwrap();
    (octets, vec![key.to_pkcs8_der()])
}

#[test]
fn every_cut_and_every_change_is_noticed() {
    let mut limits = limits();
    // Lest a changed count cost minutes.
    limits.pbkdf2_iterations = 100;
    let (octets, keys) = small();
    for end in 0..octets.len() {
        assert!(Pkcs12::parse(&octets[..end], "p", &limits).is_err(), "cut at {end}");
    }
    let mut trailing = octets.clone();
    trailing.push(0);
    assert!(Pkcs12::parse(&trailing, "p", &limits).is_err());
    for at in 0..octets.len() {
        for bit in [0, 3, 7] {
            let mut changed = octets.clone();
            changed[at] ^= 1 << bit;
            if let Ok(found) = Pkcs12::parse(&changed, "p", &limits) {
                let found: Vec<_> = found.keys().iter().map(|bag| bag.pkcs8.clone()).collect();
                assert_eq!(found, keys, "a change at {at} gave another key");
            }
        }
    }
    // Without the MAC, too, there is no panic.
    for at in 0..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 0x41;
        let _ = Pkcs12::parse_unauthenticated(&changed, "p", &limits);
    }
}

/// MacData with those fields over nothing.
fn with_mac(digest: &ObjectIdentifier, stated: usize, salt: usize, iterations: Option<u64>) -> Vec<u8> {
    let info = write::sequence(&[&write::algorithm(digest, None), &write::octet_string(&vec![0; stated])]);
    let count = iterations.map_or_else(Vec::new, write::small);
    let mac = write::sequence(&[&info, &write::octet_string(&vec![1; salt]), &count]);
    write::sequence(&[&write::small(3), &data(b"\x30\x00"), &mac])
}

#[test]
fn e6_iterations_are_bounded() {
    let limit = 10_000_000;
    for count in [0, limit + 1, 1 << 31, u64::MAX] {
        assert_eq!(
            refused(&with_mac(&oid::SHA256, 32, 8, Some(count)), "p"),
            Pkcs12Error::Password(PasswordError::Iterations { count, limit })
        );
    }
    assert!(matches!(
        refused(&with_mac(&oid::SHA256, 32, 1025, Some(1)), "p"),
        Pkcs12Error::Password(PasswordError::SaltLength { octets: 1025 })
    ));
    // A count that is left out is 1 (RFC 7292 §4).
    assert_eq!(refused(&with_mac(&oid::SHA256, 32, 8, None), "p"), Pkcs12Error::WrongPassword);
    // Each derivation counts.
    let mut limits = limits();
    limits.pbkdf2_iterations = 10;
    let keys = keys();
    let octets = |count: usize| {
        let mut builder = Pkcs12::builder().encryption(quick().iterations(9));
        for key in keys.iter().cycle().take(count) {
            builder = builder.key(key, None, None);
        }
        builder.to_der("p", &OsRng).unwrap()
    };
    assert!(Pkcs12::parse(&octets(3), "p", &limits).is_ok());
    let work = Pkcs12::parse(&octets(4), "p", &limits).unwrap_err();
    assert_eq!(work, Pkcs12Error::Work { limit: 40 });
}

#[test]
fn k1_macs_of_other_kinds_are_refused() {
    let kind = |digest, stated| refused(&with_mac(digest, stated, 8, Some(1)), "p");
    assert!(matches!(kind(&oid::MD5, 16), Pkcs12Error::Mac { algorithm: Some(oid::MD5), .. }));
    assert!(matches!(kind(&oid::HMAC_SHA256, 32), Pkcs12Error::Mac { .. }));
    for length in [0, 1, 20, 31, 33] {
        assert!(matches!(kind(&oid::SHA256, length), Pkcs12Error::Mac { algorithm: None, .. }));
    }
}

#[test]
fn sizes_are_bounded() {
    let cert = bag(&oid::SECRET_BAG, &write::null(), &[]);
    let many = |count: usize| plain(&cert.repeat(count), "p");
    // The safe itself counts.
    assert_eq!(read(&many(MAX_BAGS - 1), "p").unwrap().skipped().len(), MAX_BAGS - 1);
    assert_eq!(refused(&many(MAX_BAGS), "p"), Pkcs12Error::TooManyBags { limit: MAX_BAGS });
    let safes = data(b"\x30\x00").repeat(MAX_BAGS + 1);
    assert_eq!(
        refused(&pfx(&write::tlv(Tag::SEQUENCE, &safes), "p"), "p"),
        Pkcs12Error::TooManyBags { limit: MAX_BAGS }
    );
    let nested = |depth: usize| {
        let mut inner = cert.clone();
        for _ in 0..depth {
            inner = bag(&oid::SAFE_CONTENTS_BAG, &write::tlv(Tag::SEQUENCE, &inner), &[]);
        }
        plain(&inner, "p")
    };
    assert_eq!(read(&nested(MAX_DEPTH), "p").unwrap().skipped(), [Skipped::Bag(oid::SECRET_BAG)]);
    assert_eq!(refused(&nested(MAX_DEPTH + 1), "p"), Pkcs12Error::Depth { limit: MAX_DEPTH });
    assert!(matches!(refused(&nested(300), "p"), Pkcs12Error::Depth { .. } | Pkcs12Error::Malformed(_)));
    let huge = write::tlv(Tag::SEQUENCE, &vec![0; MAX_OCTETS]);
    assert_eq!(refused(&huge, "p"), Pkcs12Error::TooLarge { limit: MAX_OCTETS });
}

/// THREATS K1: values of other types than their names promise (CVE-2024-0727, CVE-2025-69421, CVE-2026-22795).
#[test]
fn k1_types_are_not_confused() {
    let malformed = |octets: &[u8]| {
        let error = refused(octets, "p");
        assert!(matches!(error, Pkcs12Error::Malformed(_)), "{error}");
    };
    let absent = write::sequence(&[&write::oid(&oid::DATA)]);
    // Content that is not there, in the file and in a safe.
    malformed(&write::sequence(&[&write::small(3), &absent]));
    malformed(&pfx(&write::tlv(Tag::SEQUENCE, &absent), "p"));
    let encrypted = |inner: &[u8]| {
        let info = write::sequence(&[&write::oid(&oid::ENCRYPTED_DATA), &write::explicit(0, inner)]);
        pfx(&write::tlv(Tag::SEQUENCE, &info), "p")
    };
    malformed(&encrypted(&write::null()));
    malformed(&encrypted(&write::sequence(&[&write::small(0)])));
    let scheme = write::algorithm(&oid::PBES2, None);
    let without = write::sequence(&[&write::oid(&oid::DATA), &scheme]);
    malformed(&encrypted(&write::sequence(&[&write::small(0), &without])));
    malformed(&pfx(&write::null(), "p"));
    malformed(&pfx(&write::tlv(Tag::SEQUENCE, &data(&write::null())), "p"));
    for kind in [oid::KEY_BAG, oid::SHROUDED_KEY_BAG, oid::CERT_BAG, oid::CRL_BAG, oid::SAFE_CONTENTS_BAG] {
        for value in [write::null(), write::octet_string(b"x"), write::small(1)] {
            malformed(&plain(&bag(&kind, &value, &[]), "p"));
        }
    }
    let typed = |value: &[u8]| {
        let inner = write::sequence(&[&write::oid(&oid::X509_CERTIFICATE), &write::explicit(0, value)]);
        plain(&bag(&oid::CERT_BAG, &inner, &[]), "p")
    };
    malformed(&typed(&write::null()));
    malformed(&typed(&write::bit_string(b"x")));
    // Octets that are no certificate do not keep anybody from the rest.
    let found = read(&typed(&write::octet_string(b"\x30\x00")), "p").unwrap();
    assert!(matches!(found.skipped(), [Skipped::Certificate(_)]));
    let sdsi = write::sequence(&[&write::oid(&oid::DATA), &write::explicit(0, &write::null())]);
    let found = read(&plain(&bag(&oid::CERT_BAG, &sdsi, &[]), "p"), "p").unwrap();
    assert_eq!(found.skipped(), [Skipped::Type(oid::DATA)]);
}

#[test]
fn attributes_of_any_type_are_borne() {
    let pkcs8 = keys()[0].to_pkcs8_der();
    let attribute = |oid: &ObjectIdentifier, values: &[Vec<u8>]| {
        write::sequence(&[&write::oid(oid), &write::tlv(Tag::SET, &values.concat())])
    };
    let with = |attributes: &[Vec<u8>]| {
        let set = write::tlv(Tag::SET, &attributes.concat());
        read(&plain(&bag(&oid::KEY_BAG, &pkcs8, &set), "p"), "p")
    };
    let bmp = |octets: &[u8]| write::tlv(Tag::BMP_STRING, octets);
    for odd in [write::small(1), write::null(), bmp(&[0xd8, 0]), bmp(&[0]), write::sequence(&[])] {
        let found = with(&[attribute(&oid::FRIENDLY_NAME, &[odd])]).unwrap();
        assert_eq!(found.keys()[0].friendly_name, None);
    }
    let none = [attribute(&oid::FRIENDLY_NAME, &[]), attribute(&oid::LOCAL_KEY_ID, &[])];
    assert_eq!(with(&none).unwrap().keys()[0].local_key_id, None);
    let twice = [
        attribute(&oid::FRIENDLY_NAME, &[bmp(&[0, b'a'])]),
        attribute(&oid::FRIENDLY_NAME, &[bmp(&[0, b'b'])]),
    ];
    assert_eq!(with(&twice).unwrap().keys()[0].friendly_name.as_deref(), Some("a"));
}

#[test]
fn protection_by_public_keys_is_refused() {
    for kind in [oid::SIGNED_DATA, oid::ENVELOPED_DATA] {
        let info = write::sequence(&[&write::oid(&kind), &write::explicit(0, &write::null())]);
        let outer = write::sequence(&[&write::small(3), &info]);
        assert_eq!(refused(&outer, "p"), Pkcs12Error::Content { content_type: kind });
        let inner = pfx(&write::tlv(Tag::SEQUENCE, &info), "p");
        assert_eq!(refused(&inner, "p"), Pkcs12Error::Content { content_type: kind });
    }
    for version in [0, 1, 2, 4, u64::MAX] {
        let octets = write::sequence(&[&write::small(version), &data(b"\x30\x00")]);
        assert_eq!(refused(&octets, "p"), Pkcs12Error::Version { version });
    }
}

/// As NSS and Java write: indefinite lengths, strings in pieces.
#[test]
fn ber_is_read() {
    fn indefinite(head: u8, parts: &[&[u8]]) -> Vec<u8> {
        [&[head, 0x80], parts.concat().as_slice(), &[0, 0]].concat()
    }
    fn pieces(head: u8, octets: &[u8]) -> Vec<u8> {
        let pieces: Vec<Vec<u8>> = octets.chunks(11).map(write::octet_string).collect();
        indefinite(head, &[&pieces.concat()])
    }
    let key = &keys()[1];
    let shrouded = aecm_core::password::encrypt(&key.to_pkcs8_der(), b"p", quick(), &OsRng).unwrap();
    let keys_safe = indefinite(0x30, &[&bag(&oid::SHROUDED_KEY_BAG, &shrouded, &[])]);
    let scheme = aecm_core::password::Pbes2::generate(quick(), &OsRng).unwrap();
    let inner = write::sequence(&[
        &write::oid(&oid::X509_CERTIFICATE),
        &write::explicit(0, &pieces(0x24, certificate().as_der())),
    ]);
    let certificates = scheme.encrypt(b"p", &indefinite(0x30, &[&bag(&oid::CERT_BAG, &inner, &[])])).unwrap();
    let encrypted =
        indefinite(0x30, &[&write::oid(&oid::DATA), &scheme.algorithm_der(), &pieces(0xa0, &certificates)]);
    let encrypted = indefinite(0x30, &[&write::small(0), &encrypted]);
    let encrypted = indefinite(0x30, &[&write::oid(&oid::ENCRYPTED_DATA), &indefinite(0xa0, &[&encrypted])]);
    let plain = indefinite(0x30, &[&write::oid(&oid::DATA), &indefinite(0xa0, &[&pieces(0x24, &keys_safe)])]);
    let safes = indefinite(0x30, &[&encrypted, &plain]);
    let mac = mac::make(aecm_core::digest::DigestAlgorithm::Sha1, &safes, "p", &[7; 8], 2).unwrap();
    let info = indefinite(0x30, &[&write::oid(&oid::DATA), &indefinite(0xa0, &[&pieces(0x24, &safes)])]);
    let octets = indefinite(0x30, &[&write::small(3), &info, &mac]);
    let found = read(&octets, "p").unwrap();
    assert_eq!(found.keys()[0].key().unwrap().public_key(), key.public_key());
    assert_eq!(found.certificates()[0].certificate, certificate());
}

/// A shrouded key under another password than the MAC; and one that decrypts to what is no key.
#[test]
fn what_a_shroud_hides_is_looked_at() {
    let shroud = |plain: &[u8], password: &[u8]| {
        let value = aecm_core::password::encrypt(plain, password, quick(), &OsRng).unwrap();
        self::plain(&bag(&oid::SHROUDED_KEY_BAG, &value, &[]), "p")
    };
    let wrong = Pkcs12Error::Password(PasswordError::WrongPassword);
    assert_eq!(refused(&shroud(b"no key", b"p"), "p"), wrong);
    let empty = read(&shroud(b"\x30\x00", b"p"), "p").unwrap();
    assert!(empty.keys()[0].key().is_err());
    let other = refused(&shroud(&keys()[0].to_pkcs8_der(), b"q"), "p");
    assert_eq!(other, wrong);
}
