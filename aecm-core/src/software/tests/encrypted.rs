//! Keys under a password.

use super::*;
use crate::limits::Limits;
use crate::password::{Encryption, PasswordError};

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/password/", $name))
    };
}

fn read(text: &str, password: &[u8]) -> Result<SoftwareKey, SoftwareKeyError> {
    SoftwareKey::from_pem_with_password(text, password, &Limits::default())
}

/// The three ways in which PBKDF2 with HMAC-SM3 is named, of three writers.
#[test]
fn files_of_others() {
    let sm2 = key(text!("sm2.pem"));
    assert_eq!(read(text!("sm2-sm4.pem"), b"test").unwrap().public_key(), sm2.public_key());
    for file in [text!("gmssl33-sm2.p8"), text!("openssl40-sm2-sm4-hmacsm3.p8"), text!("gmsm-sm2-smpbes.p8")]
    {
        assert_eq!(read(file, b"test").unwrap().algorithm(), "SM2");
        assert_eq!(
            read(file, b"Test").unwrap_err(),
            SoftwareKeyError::Password(PasswordError::WrongPassword)
        );
        assert_eq!(SoftwareKey::from_pem(file).unwrap_err(), SoftwareKeyError::Encrypted);
    }
    // GmSSL's own public key of that file.
    let spki = "3059301306072a8648ce3d020106082a811ccf5501822d03420004996e528a07478eae00119f99\
                3a621862e3446fd41653d9f615cd95326a47817d9fa41e1e24ade0f125e804296d01b2130c40ae\
                0b71ae93afecc3e67d795226e3";
    let found = read(text!("gmssl33-sm2.p8"), b"test").unwrap();
    let found: alloc::string::String =
        found.public_key().spki_der().iter().map(|octet| std::format!("{octet:02x}")).collect();
    assert_eq!(found, spki);
}

#[test]
fn the_password_of_a_plain_key_is_not_looked_at() {
    assert_eq!(read(pem!("p256.key"), b"any").unwrap().public_key(), key(pem!("p256.key")).public_key());
}

#[test]
fn dek_info_is_refused_with_a_way_out() {
    for result in [read(text!("dek-info.pem"), b"test"), SoftwareKey::from_pem(text!("dek-info.pem"))] {
        let error = result.unwrap_err();
        assert_eq!(error, SoftwareKeyError::LegacyEncryption);
        assert!(std::format!("{error}").contains("openssl pkcs8 -topk8"));
    }
}

#[test]
fn every_kind_goes_out_and_comes_back() {
    let words = [("RSA", 2048), ("P-256", 256), ("P-384", 384), ("SM2", 256)];
    for (key, (algorithm, bits)) in keys().into_iter().zip(words) {
        assert_eq!((key.algorithm(), key.bits()), (algorithm, bits));
        for encryption in [Encryption::default(), Encryption::sm()] {
            let encryption = encryption.iterations(20);
            let text = key.to_encrypted_pem(b"secret", encryption, &*rng()).unwrap();
            assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
            assert!(text.lines().all(|line| line.len() <= 64));
            assert_eq!(read(&text, b"secret").unwrap().to_pkcs8_der(), key.to_pkcs8_der());
            assert_eq!(
                read(&text, b"Secret").unwrap_err(),
                SoftwareKeyError::Password(PasswordError::WrongPassword)
            );
            let der = key.to_encrypted_der(b"secret", encryption, &*rng()).unwrap();
            let back = SoftwareKey::from_encrypted_der(&der, b"secret", &Limits::default()).unwrap();
            assert_eq!(back.public_key(), key.public_key());
            assert_eq!(SoftwareKey::from_pkcs8_der(&der).unwrap_err(), SoftwareKeyError::Encrypted);
        }
        let text = key.to_pkcs8_pem();
        assert_eq!(SoftwareKey::from_pem(&text).unwrap().public_key(), key.public_key());
    }
    let broken = keys()[1].to_encrypted_der(b"", Encryption::default(), &Broken);
    assert_eq!(broken, Err(PasswordError::Rng));
}

/// What decrypts is read like any other file: not a key encrypted once more, nor a key with trailing octets.
#[test]
fn what_decrypts_is_checked() {
    let key = key(pem!("p256.key"));
    let quick = Encryption::default().iterations(1);
    let seal = |plain: &[u8]| crate::password::encrypt(plain, b"p", quick, &*rng()).unwrap();
    let open = |der: &[u8]| SoftwareKey::from_encrypted_der(der, b"p", &Limits::default());
    let once = seal(&key.to_pkcs8_der());
    assert!(open(&once).is_ok());
    assert_eq!(open(&seal(&once)).unwrap_err(), SoftwareKeyError::Encrypted);
    let mut longer = key.to_pkcs8_der().to_vec();
    longer.push(0);
    let wrong = SoftwareKeyError::Password(PasswordError::WrongPassword);
    assert_eq!(open(&seal(&longer)).unwrap_err(), wrong);
    assert_eq!(open(&seal(b"")).unwrap_err(), wrong);
    assert!(matches!(open(&seal(b"\x30\x00")), Err(SoftwareKeyError::Malformed(_))));
}
