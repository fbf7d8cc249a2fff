//! Key files between us and OpenSSL's `pkcs12` and `pkcs8` commands and Java's keytool, both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::password::Encryption;
use aecm_core::software::SoftwareKey;
use aecm_interop::keys;
use aecm_interop::tools::Desk;
use aecm_store::p12::{Pkcs12, Pkcs12Error};

/// The names of the key folder that go into files, each with its CA.
const FAMILIES: [(&str, &str); 3] = [("rsa-enc", "rsa-ca"), ("p256-agr", "p256-ca"), ("sm2-enc", "sm2-ca")];

fn key(name: &str) -> SoftwareKey {
    let path = keys::path(&format!("{name}.key"));
    SoftwareKey::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A file of ours with the key, its certificate and the CA.
fn ours(name: &str, ca: &str, encryption: Encryption) -> Vec<u8> {
    Pkcs12::builder()
        .encryption(encryption)
        .key(&key(name), Some("Алиса 爱丽丝"), Some(&keys::certificate(name)))
        .certificate(&keys::certificate(ca), None)
        .to_der("sécret", &OsRng)
        .unwrap()
}

#[test]
fn openssl_reads_our_files() {
    for (name, ca) in FAMILIES {
        // 600 000 iterations once, as we write by default.
        let quick = Encryption::default().iterations(2048);
        let sm = Encryption::sm().iterations(2048);
        let first = if name == "p256-agr" { Encryption::default() } else { quick };
        for encryption in [first, sm] {
            let desk = Desk::new();
            desk.put("ours.p12", ours(name, ca, encryption));
            desk.openssl("pkcs12 -in ours.p12 -passin pass:sécret -nodes -out all.pem").expect_ok(name);
            let text = desk.text("all.pem");
            assert_eq!(SoftwareKey::from_pem(&text).unwrap().public_key(), key(name).public_key());
            let found = Certificate::all_from_pem(&text).unwrap();
            assert_eq!(found.len(), 2, "{name}");
            assert!(found.contains(&keys::certificate(name)) && found.contains(&keys::certificate(ca)));
            // The identifiers lead from the key to its certificate and not to the CA.
            desk.openssl("pkcs12 -in ours.p12 -passin pass:sécret -clcerts -nokeys -out leaf.pem")
                .expect_ok(name);
            assert_eq!(Certificate::from_pem(&desk.text("leaf.pem")).unwrap(), keys::certificate(name));
            desk.openssl("pkcs12 -in ours.p12 -passin pass:secret -nodes -out no.pem")
                .expect_refusal("password");
        }
    }
}

#[test]
fn we_read_the_files_of_openssl() {
    for (name, ca) in FAMILIES {
        for options in ["", "-keypbe sm4-cbc -certpbe sm4-cbc -macalg sm3", "-macalg sha512 -iter 50000"] {
            let desk = Desk::new();
            let (key_path, certificate, above) = (
                keys::path(&format!("{name}.key")),
                keys::path(&format!("{name}.crt")),
                keys::path(&format!("{ca}.crt")),
            );
            let line = format!(
                "pkcs12 -export -inkey {key_path} -in {certificate} -certfile {above} -name Алиса \
                 -passout pass:sécret -out theirs.p12 {options}"
            );
            desk.openssl(&line).expect_ok(&line);
            let octets = desk.get("theirs.p12");
            let found = Pkcs12::parse(&octets, "sécret", &Limits::default()).unwrap();
            let [bag] = found.keys() else { panic!("{line}: {} keys", found.keys().len()) };
            assert_eq!(bag.key().unwrap().public_key(), key(name).public_key());
            assert_eq!(bag.friendly_name.as_deref(), Some("Алиса"));
            assert_eq!(found.certificates().len(), 2);
            let wrong = Pkcs12::parse(&octets, "secret", &Limits::default()).unwrap_err();
            assert_eq!(wrong, Pkcs12Error::WrongPassword);
        }
    }
}

/// Java knows no SM2.
#[test]
fn keytool_reads_our_files_and_we_its() {
    for (name, ca) in [("rsa-enc", "rsa-ca"), ("p256-agr", "p256-ca")] {
        let desk = Desk::new();
        let octets = Pkcs12::builder()
            .encryption(Encryption::default().iterations(2048))
            .key(&key(name), Some("alice"), Some(&keys::certificate(name)))
            .certificate(&keys::certificate(ca), None)
            .to_der("secret", &OsRng)
            .unwrap();
        desk.put("ours.p12", &octets);
        let keytool = |line: &str| desk.run("keytool", &line.split_whitespace().collect::<Vec<_>>());
        let listed =
            keytool("-list -v -keystore ours.p12 -storepass secret").expect_ok("keytool -list").text();
        assert!(listed.contains("PrivateKeyEntry") && listed.contains("chain length: 2"), "{listed}");
        keytool("-list -keystore ours.p12 -storepass Secret").expect_refusal("another password");
        // Through Java's own writer and back.
        keytool(
            "-importkeystore -srckeystore ours.p12 -srcstorepass secret -destkeystore theirs.p12 \
             -deststoretype PKCS12 -deststorepass another",
        )
        .expect_ok("keytool -importkeystore");
        let found = Pkcs12::parse(&desk.get("theirs.p12"), "another", &Limits::default()).unwrap();
        assert_eq!(found.keys()[0].key().unwrap().public_key(), key(name).public_key());
        assert_eq!(found.keys()[0].friendly_name.as_deref(), Some("alice"));
        assert_eq!(found.certificates().len(), 2);
    }
}

#[test]
fn openssl_reads_our_encrypted_keys() {
    for (name, _) in FAMILIES {
        for encryption in [Encryption::default(), Encryption::sm()] {
            // As many as we write by default, once.
            let encryption = if name == "p256-agr" { encryption } else { encryption.iterations(2048) };
            let desk = Desk::new();
            let text = key(name).to_encrypted_pem("sécret".as_bytes(), encryption, &OsRng).unwrap();
            desk.put("ours.key", text);
            desk.openssl("pkcs8 -in ours.key -passin pass:sécret -out plain.pem").expect_ok(name);
            let back = SoftwareKey::from_pem(&desk.text("plain.pem")).unwrap();
            assert_eq!(back.public_key(), key(name).public_key());
            desk.openssl("pkcs8 -in ours.key -passin pass:secret -out no.pem").expect_refusal("password");
        }
    }
}
