//! PBMAC1 (RFC 9579), and what it must not be talked into (THREATS K1).

use aecm_core::password::{Pbkdf2Params, Prf};

use super::*;

fn algorithm(derivation: &[u8], scheme: &[u8]) -> Vec<u8> {
    write::algorithm(&oid::PBMAC1, Some(&write::sequence(&[derivation, scheme])))
}

/// A file without anything in it, with that MAC.
fn with(algorithm: &[u8], mac: &[u8]) -> Vec<u8> {
    let info = write::sequence(&[algorithm, &write::octet_string(mac)]);
    // Salt and iterations are there and not used.
    let mac = write::sequence(&[&info, &write::octet_string(b"NOT USED"), &write::small(1)]);
    write::sequence(&[&write::small(3), &data(CONTENT), &mac])
}

/// An AuthenticatedSafe of nothing.
const CONTENT: &[u8] = b"\x30\x00";

/// A correct MAC but for what the arguments say.
fn made(prf: Prf, scheme: Prf, length: usize, stated: Option<usize>) -> Vec<u8> {
    let parameters = Pbkdf2Params::new(vec![9; 16], 5, prf).unwrap();
    let key = parameters.derive("p".as_bytes(), length).unwrap();
    let scheme_der = write::algorithm(&scheme.oid(), Some(&write::null()));
    with(&algorithm(&parameters.algorithm_der(stated), &scheme_der), &scheme.mac(&key, CONTENT))
}

#[test]
fn every_function_is_read() {
    for prf in Prf::ALL {
        for scheme in Prf::ALL {
            for length in [20, scheme.output_size(), 64] {
                let octets = made(prf, scheme, length, Some(length));
                read(&octets, "p").unwrap_or_else(|error| panic!("{prf:?} {scheme:?}: {error}"));
                assert_eq!(refused(&octets, "q"), Pkcs12Error::WrongPassword);
            }
        }
    }
}

/// CVE-2026-34181 and its kind: a key of one octet is guessed at the 128th try.
#[test]
fn k1_short_keys_and_short_macs_are_refused() {
    for length in [1, 2, 19] {
        let octets = made(Prf::HmacSha256, Prf::HmacSha256, length, Some(length));
        assert!(matches!(refused(&octets, "p"), Pkcs12Error::Mac { .. }), "{length}");
    }
    let parameters = Pbkdf2Params::new(vec![9; 16], 5, Prf::HmacSha256).unwrap();
    let scheme = write::algorithm(&oid::HMAC_SHA256, None);
    let algorithm = algorithm(&parameters.algorithm_der(Some(32)), &scheme);
    let key = parameters.derive(b"p", 32).unwrap();
    let mac = Prf::HmacSha256.mac(&key, CONTENT);
    assert!(read(&with(&algorithm, &mac), "p").is_ok());
    for length in [0, 1, 16, 31] {
        assert!(matches!(refused(&with(&algorithm, &mac[..length]), "p"), Pkcs12Error::Mac { .. }));
    }
    let longer = [mac.as_slice(), &[0]].concat();
    assert!(matches!(refused(&with(&algorithm, &longer), "p"), Pkcs12Error::Mac { .. }));
}

/// E6: long keys cost their iterations several times over, and the cost is counted.
#[test]
fn e6_long_keys_are_bounded_and_charged() {
    assert!(read(&made(Prf::HmacSha1, Prf::HmacSha256, 128, Some(128)), "p").is_ok());
    for length in [129, 1024] {
        let octets = made(Prf::HmacSha1, Prf::HmacSha256, length, Some(length));
        let why = "its key is longer than 128 octets";
        assert_eq!(refused(&octets, "p"), Pkcs12Error::Mac { algorithm: Some(oid::PBMAC1), why });
    }
    // Five iterations for each of 7 outputs of SHA-1; a file may cost four times what a derivation may.
    let octets = made(Prf::HmacSha1, Prf::HmacSha256, 128, Some(128));
    let mut limits = limits();
    limits.pbkdf2_iterations = 9;
    assert!(Pkcs12::parse(&octets, "p", &limits).is_ok());
    limits.pbkdf2_iterations = 8;
    assert_eq!(Pkcs12::parse(&octets, "p", &limits).unwrap_err(), Pkcs12Error::Work { limit: 32 });
}

/// RFC 9579 Appendix A.4 to A.6: iterations, salt and key length are those of PBKDF2, and the length is needed.
#[test]
fn the_invalid_vectors() {
    let good = vector!("rfc9579-a1.p12");
    let derivation = b"\x04\x08\x6f\x47\x3c\x38\xb0\x2e\x31\x73\x02\x02\x08\x00\x02\x01\x20";
    let at = good.windows(derivation.len()).position(|window| window == derivation).unwrap();
    for (offset, value) in [(13, 1), (2, 0), (16, 0x1f), (16, 0x21)] {
        let mut changed = good.to_vec();
        changed[at + offset] = value;
        assert_eq!(refused(&changed, "1234"), Pkcs12Error::WrongPassword, "{offset}");
    }
    let missing = made(Prf::HmacSha256, Prf::HmacSha256, 32, None);
    assert_eq!(
        refused(&missing, "p"),
        Pkcs12Error::Mac { algorithm: Some(oid::PBMAC1), why: "it does not state the length of its key" }
    );
}

#[test]
fn other_functions_are_refused() {
    let parameters = Pbkdf2Params::new(vec![9; 16], 5, Prf::HmacSha256).unwrap().algorithm_der(Some(32));
    let scheme = write::algorithm(&oid::SHA256, None);
    let unknown = refused(&with(&algorithm(&parameters, &scheme), &[0; 32]), "p");
    assert!(matches!(unknown, Pkcs12Error::Mac { algorithm: Some(oid::SHA256), .. }), "{unknown}");
    let bare = refused(&with(&write::algorithm(&oid::PBMAC1, None), &[0; 32]), "p");
    assert!(matches!(bare, Pkcs12Error::Mac { .. }), "{bare}");
    let scrypt = write::sequence(&[
        &write::octet_string(&[1; 16]),
        &write::small(16),
        &write::small(8),
        &write::small(1),
        &write::small(32),
    ]);
    let scrypt = write::algorithm(&oid::SCRYPT, Some(&scrypt));
    let scheme = write::algorithm(&oid::HMAC_SHA256, None);
    let refused = refused(&with(&algorithm(&scrypt, &scheme), &[0; 32]), "p");
    assert!(matches!(refused, Pkcs12Error::Mac { .. }), "{refused}");
}
