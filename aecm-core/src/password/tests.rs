//! Derivations and schemes against RFC 6070, RFC 7914 and files of OpenSSL, GmSSL and gmsm.

use alloc::string::{String, ToString as _};
use std::format;

use super::*;
use crate::digest::DigestAlgorithm;
use crate::embed::RngError;

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/password/", $name)).as_slice()
    };
}

struct OsRng;

impl Rng for OsRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        getrandom::fill(buffer).map_err(|_| RngError)
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn limits() -> Limits {
    Limits::default()
}

fn pbkdf2(prf: Prf, password: &[u8], salt: &[u8], iterations: u32, length: usize) -> String {
    hex(&Pbkdf2Params::new(salt.to_vec(), iterations, prf).unwrap().derive(password, length).unwrap())
}

#[test]
fn rfc_6070() {
    let sha1 = |password: &[u8], salt: &[u8], iterations, length| {
        pbkdf2(Prf::HmacSha1, password, salt, iterations, length)
    };
    assert_eq!(sha1(b"password", b"salt", 1, 20), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
    assert_eq!(sha1(b"password", b"salt", 2, 20), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    assert_eq!(sha1(b"password", b"salt", 4096, 20), "4b007901b765489abead49d926f721d065a429c1");
    assert_eq!(
        sha1(b"passwordPASSWORDpassword", b"saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 25),
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"
    );
    assert_eq!(sha1(b"pass\0word", b"sa\0lt", 4096, 16), "56fa6aa75548099dcc37d7f03425e0c3");
}

/// RFC 7914 §11 and §12; the fourth vector of §12 takes a gigabyte.
#[test]
fn rfc_7914() {
    assert_eq!(
        pbkdf2(Prf::HmacSha256, b"passwd", b"salt", 1, 64),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
         49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
    );
    let scrypt = |password: &[u8], salt: &[u8], cost, block_size, parallel| {
        let parameters =
            ScryptParams::new(salt.to_vec(), cost, block_size, parallel, None, &limits()).unwrap();
        hex(&parameters.derive(password, 64).unwrap())
    };
    assert_eq!(
        scrypt(b"", b"", 16, 1, 1),
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
         fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
    );
    assert_eq!(
        scrypt(b"password", b"NaCl", 1024, 8, 16),
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
         2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    );
}

#[test]
fn openssl_derives_the_same() {
    let password = bmp_password("smeg");
    let mut count = 0;
    for line in core::str::from_utf8(file!("derivations.txt")).unwrap().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let wanted = words[2].to_lowercase();
        let found = match words[0] {
            "PBKDF2" => {
                let prf = match words[1] {
                    "SHA1" => Prf::HmacSha1,
                    "SHA224" => Prf::HmacSha224,
                    "SHA256" => Prf::HmacSha256,
                    "SHA384" => Prf::HmacSha384,
                    "SHA512" => Prf::HmacSha512,
                    "SM3" => Prf::HmacSm3,
                    other => panic!("{other}"),
                };
                pbkdf2(prf, b"password", b"saltSALTsaltSALT", 3, 40)
            }
            name => {
                let purpose = match name {
                    "PKCS12-1" => Pkcs12Purpose::Encryption,
                    "PKCS12-2" => Pkcs12Purpose::InitialisationVector,
                    "PKCS12-3" => Pkcs12Purpose::Mac,
                    other => panic!("{other}"),
                };
                let digest = DigestAlgorithm::ALL
                    .into_iter()
                    .find(|digest| digest.name().replace('-', "") == words[1])
                    .unwrap();
                let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
                hex(&pkcs12_derive(digest, &password, &salt, purpose, 3, 150, &limits()).unwrap())
            }
        };
        assert_eq!(found, wanted, "{} {}", words[0], words[1]);
        count += 1;
    }
    assert_eq!(count, 21);
}

#[test]
fn passwords_as_bmp_strings() {
    assert_eq!(*bmp_password("smeg"), [0, 0x73, 0, 0x6d, 0, 0x65, 0, 0x67, 0, 0]);
    assert_eq!(*bmp_password(""), [0, 0]);
    assert_eq!(*bmp_password("é😀"), [0, 0xe9, 0xd8, 0x3d, 0xde, 0, 0, 0]);
}

#[test]
fn files_of_openssl() {
    let plain = file!("p256.der");
    for (name, octets) in [
        ("default", file!("default.der")),
        ("aes-128-cbc", file!("aes-128-cbc.der")),
        ("aes-192-cbc", file!("aes-192-cbc.der")),
        ("aes-256-cbc", file!("aes-256-cbc.der")),
        ("des3", file!("des3.der")),
        ("sm4-cbc", file!("sm4-cbc.der")),
        ("sha1", file!("sha1.der")),
        ("sha224", file!("sha224.der")),
        ("sha384", file!("sha384.der")),
        ("sha512", file!("sha512.der")),
        ("scrypt", file!("scrypt.der")),
        ("100000 iterations", file!("iterations-100000.der")),
    ] {
        assert_eq!(*decrypt(octets, b"test", &limits()).expect(name), *plain, "{name}");
        if name != "100000 iterations" {
            for wrong in [&b""[..], b"Test", b"test "] {
                // One guess in 256 passes the padding; what comes out is no key then.
                let result = decrypt(octets, wrong, &limits());
                assert!(
                    result
                        .as_ref()
                        .map_or_else(|error| *error == PasswordError::WrongPassword, |out| **out != *plain),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(*decrypt(file!("empty-password.der"), b"", &limits()).unwrap(), *plain);
    assert_eq!(*decrypt(file!("utf8-password.der"), "пароль😀".as_bytes(), &limits()).unwrap(), *plain);
}

#[test]
fn schemes_of_the_past_are_refused_by_name() {
    for (octets, name) in [
        (file!("pbe-sha1-3des.der"), "pbeWithSHAAnd3-KeyTripleDES-CBC"),
        (file!("pbe-md5-des.der"), "pbeWithMD5AndDES-CBC"),
    ] {
        let error = decrypt(octets, b"test", &limits()).unwrap_err();
        assert!(matches!(error, PasswordError::Algorithm { role: "encryption scheme", .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn what_is_encrypted_decrypts() {
    let plain = file!("p256.der");
    for encryption in [
        Encryption::default(),
        Encryption::sm(),
        Encryption::sm().prf(Prf::HmacSm3),
        Encryption::default().prf(Prf::HmacSha512),
        Encryption::default().prf(Prf::HmacSha1),
    ] {
        let file = encrypt(plain, b"secret", encryption.iterations(10), &OsRng).unwrap();
        assert_eq!(*decrypt(&file, b"secret", &limits()).unwrap(), *plain);
        for length in 0..40 {
            let file = encrypt(&plain[..length], b"", encryption.iterations(1), &OsRng).unwrap();
            assert_eq!(*decrypt(&file, b"", &limits()).unwrap(), plain[..length]);
        }
        let other = encrypt(plain, b"secret", encryption.iterations(10), &OsRng).unwrap();
        assert_ne!(file, other, "salt and vector are fresh");
    }
    assert_eq!(Encryption::default().iteration_count(), 600_000);
    let none = encrypt(plain, b"", Encryption::default().iterations(0), &OsRng);
    assert!(matches!(none, Err(PasswordError::Iterations { count: 0, .. })));
    struct Broken;
    impl Rng for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
            Err(RngError)
        }
    }
    assert_eq!(encrypt(plain, b"", Encryption::default(), &Broken), Err(PasswordError::Rng));
}

/// EncryptedPrivateKeyInfo with that derivation and cipher.
fn made(scheme: &oid::ObjectIdentifier, derivation: &[u8], cipher: &[u8], data: &[u8]) -> Vec<u8> {
    let parameters = write::sequence(&[derivation, cipher]);
    write::sequence(&[&write::algorithm(scheme, Some(&parameters)), &write::octet_string(data)])
}

fn derivation(salt: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let parameters = write::sequence(&[&write::octet_string(salt), &rest.concat()]);
    write::algorithm(&oid::PBKDF2, Some(&parameters))
}

fn cipher(oid: &oid::ObjectIdentifier, iv: usize) -> Vec<u8> {
    write::algorithm(oid, Some(&write::octet_string(&alloc::vec![0; iv])))
}

fn refused(octets: &[u8]) -> PasswordError {
    decrypt(octets, b"test", &limits()).unwrap_err()
}

/// THREATS E6: what asks for too much is refused before the work; these return at once.
#[test]
fn e6_work_is_bounded() {
    let aes = cipher(&oid::AES256_CBC, 16);
    let with =
        |rest: &[&[u8]], salt: &[u8]| refused(&made(&oid::PBES2, &derivation(salt, rest), &aes, &[0; 16]));
    let salt = [1; 16];
    let limit = 10_000_000;
    for count in [0, limit + 1, 1 << 31, u64::from(u32::MAX) + 1, u64::MAX] {
        assert_eq!(with(&[&write::small(count)], &salt), PasswordError::Iterations { count, limit });
    }
    let huge = write::integer_bytes(&[0x7f; 100]);
    assert!(matches!(with(&[&huge], &salt), PasswordError::Malformed(_)));
    for length in [0, 7, 1025, 1 << 20] {
        let found = with(&[&write::small(1)], &alloc::vec![1; length]);
        assert_eq!(found, PasswordError::SaltLength { octets: length });
    }
    for (stated, needed) in [(16, 32), (33, 32), (0, 1024), (1025, 1024), (u64::MAX, 1024)] {
        let found = with(&[&write::small(1), &write::small(stated)], &salt);
        assert_eq!(found, PasswordError::KeyLength { stated, needed });
    }
    // 8 and 1024 octets of salt and a stated length that fits are fine: then the padding is wrong.
    for length in [8, 1024] {
        let found = with(&[&write::small(1), &write::small(32)], &alloc::vec![1; length]);
        assert_eq!(found, PasswordError::WrongPassword);
    }
    let scrypt = |cost: u64, block_size: u64, parallel: u64| {
        let parameters = write::sequence(&[
            &write::octet_string(&salt),
            &write::small(cost),
            &write::small(block_size),
            &write::small(parallel),
        ]);
        refused(&made(&oid::PBES2, &write::algorithm(&oid::SCRYPT, Some(&parameters)), &aes, &[0; 16]))
    };
    for (cost, block_size, parallel) in
        [(1 << 20, 8, 1), (1 << 63, 8, 1), (2, u64::MAX, 1), (2, 8, 1 << 40), (2, 8, 17), (2, 1 << 20, 1)]
    {
        let found = scrypt(cost, block_size, parallel);
        assert!(matches!(found, PasswordError::Memory { limit: 134_217_728, .. }), "{found}");
    }
    // Memory within its limit, and the time of ten million iterations and more.
    let count = (1 << 16) * 15 * 16;
    assert_eq!(scrypt(1 << 16, 15, 16), PasswordError::Iterations { count, limit });
    for (cost, block_size, parallel) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (16, 0, 1), (16, 8, 0)] {
        assert_eq!(scrypt(cost, block_size, parallel), PasswordError::Parameters { what: "scrypt" });
    }
    let digest = DigestAlgorithm::Sha256;
    let derive = |salt: &[u8], iterations, length| {
        pkcs12_derive(digest, b"", salt, Pkcs12Purpose::Mac, iterations, length, &limits()).unwrap_err()
    };
    assert_eq!(derive(&salt, limit + 1, 20), PasswordError::Iterations { count: limit + 1, limit });
    assert_eq!(derive(&salt, 0, 20), PasswordError::Iterations { count: 0, limit });
    assert_eq!(derive(&[0; 1025], 1, 20), PasswordError::SaltLength { octets: 1025 });
    assert_eq!(derive(&salt, 1, 1025), PasswordError::KeyLength { stated: 1025, needed: 1024 });
}

#[test]
fn what_is_not_of_the_form_is_refused() {
    let good = derivation(&[1; 16], &[&write::small(1)]);
    let aes = cipher(&oid::AES256_CBC, 16);
    let unknown = oid::ObjectIdentifier::new_unwrap("1.2.3.4");
    let is = |octets: &[u8], role| {
        let error = refused(octets);
        assert!(matches!(error, PasswordError::Algorithm { role: found, .. } if found == role), "{error}");
    };
    is(&made(&unknown, &good, &aes, &[0; 16]), "encryption scheme");
    is(&made(&oid::PBES2, &write::algorithm(&unknown, None), &aes, &[0; 16]), "key derivation");
    is(&made(&oid::PBES2, &good, &cipher(&oid::RC2_CBC, 8), &[0; 16]), "cipher");
    is(&made(&oid::PBES2, &good, &cipher(&oid::AES256_GCM, 16), &[0; 16]), "cipher");
    let prf = derivation(&[1; 16], &[&write::small(1), &write::algorithm(&oid::SHA256, None)]);
    is(&made(&oid::PBES2, &prf, &aes, &[0; 16]), "pseudo-random function");
    let odd = write::algorithm(&oid::HMAC_SHA256, Some(&write::small(1)));
    let prf = derivation(&[1; 16], &[&write::small(1), &odd]);
    assert!(matches!(refused(&made(&oid::PBES2, &prf, &aes, &[0; 16])), PasswordError::Parameters { .. }));
    for iv in [0, 8, 15, 17] {
        let octets = made(&oid::PBES2, &good, &cipher(&oid::AES256_CBC, iv), &[0; 16]);
        assert_eq!(refused(&octets), PasswordError::Parameters { what: "the cipher" });
    }
    // A salt from elsewhere is none.
    let elsewhere = write::sequence(&[&write::algorithm(&unknown, None), &write::small(1)]);
    let elsewhere = write::algorithm(&oid::PBKDF2, Some(&elsewhere));
    assert!(matches!(refused(&made(&oid::PBES2, &elsewhere, &aes, &[0; 16])), PasswordError::Malformed(_)));
    for length in [0, 1, 15, 17] {
        let octets = made(&oid::PBES2, &good, &aes, &alloc::vec![0; length]);
        assert_eq!(refused(&octets), PasswordError::WrongPassword);
    }
    assert!(matches!(
        refused(&made(&oid::PBES2, &write::algorithm(&oid::PBKDF2, None), &aes, &[0; 16])),
        PasswordError::Parameters { .. }
    ));
}

/// Cut and changed anywhere: never the key, never a panic.
#[test]
fn damage_is_an_error() {
    let plain = file!("p256.der");
    for octets in [file!("default.der"), file!("sm4-cbc.der"), file!("des3.der")] {
        for end in 0..octets.len() {
            assert!(decrypt(&octets[..end], b"test", &limits()).is_err());
        }
        let mut same = 0;
        // A lower limit, lest a changed count cost minutes.
        let mut limits = limits();
        limits.pbkdf2_iterations = 3000;
        for at in 0..octets.len() {
            let mut changed = octets.to_vec();
            changed[at] ^= 0x10;
            same += usize::from(decrypt(&changed, b"test", &limits).is_ok_and(|out| *out == *plain));
        }
        assert_eq!(same, 0);
    }
}
