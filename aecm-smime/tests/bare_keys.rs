//! Opening with a key alone, without the certificate by which the message names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::path::Anchors;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_smime::decrypt::{
    BareKey, Content, DecryptError, DecryptOptions, Decrypted, OpenedBy, decrypt_with,
};
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, pkcs7_mime};
use aecm_smime::open::{Layer, OpenOptions, open};
use aecm_smime::verify::Policy;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

fn software(name: &str) -> SoftwareKey {
    SoftwareKey::from_pem(&String::from_utf8(read(&format!("keys/{name}.key"))).unwrap()).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&String::from_utf8(read(&format!("keys/{name}.crt"))).unwrap()).unwrap()
}

fn bare(key: SoftwareKey) -> BareKey {
    BareKey::new(Arc::new(key.into_decryptor(Arc::new(OsRng))))
}

fn keyed(name: &str) -> BareKey {
    bare(software(name))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn decrypted(message: &[u8], keys: &[BareKey]) -> Result<Decrypted, DecryptError> {
    let mut options = DecryptOptions::default();
    options.bare_keys = keys.to_vec();
    run(decrypt_with(message, &[], &options))
}

fn octets(opened: Decrypted) -> Vec<u8> {
    match opened.content {
        Content::Authenticated(octets) => octets.to_vec(),
        Content::Unauthenticated(content) => content.into_unauthenticated().to_vec(),
    }
}

/// Every way by which other programs encrypt to a key: by issuer and serial number, by identifier, to RSA, SM2, ECC.
#[test]
fn what_others_wrote_opens_with_the_key_alone() {
    for (name, key) in [
        ("enveloped/openssl30-oaep-gcm.der", "rsa-enc"),
        ("enveloped/openssl30-rsa-keyid-aes192.der", "rsa-enc"),
        ("enveloped/nss387-rsa-ber.der", "rsa-enc"),
        ("enveloped/gmsm-sm2-sm4cbc.der", "sm2-enc"),
        ("enveloped/gmsm-sm2gm-sm4cbc.der", "sm2-enc"),
        ("enveloped/bc172-sm2-aes256gcm-auth.der", "sm2-enc"),
        ("kinds/openssl30-ecdh-keyid-ber.der", "p256-agr"),
        ("kinds/openssl30-ecdh-p384.der", "p384-agr"),
    ] {
        // The message chooses among keys of all kinds.
        let all = ["rsa-enc", "sm2-enc", "p256-agr", "p384-agr"].map(keyed);
        let opened = decrypted(&read(name), &all).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(opened.opened_by, OpenedBy::Key(software(key).public_key().clone()), "{name}");
        assert_eq!(opened.opened_by.word(), "key");
        assert_eq!(octets(opened), read("msg.txt"), "{name}");
    }
}

#[test]
fn a_key_of_another_kind_or_size_is_no_recipient() {
    let small = bare(SoftwareKey::generate(KeySpec::Rsa(3072), &OsRng).unwrap());
    for (name, keys) in [
        ("enveloped/openssl30-oaep-gcm.der", vec![keyed("sm2-enc"), keyed("p256-agr"), small]),
        ("enveloped/gmsm-sm2-sm4cbc.der", vec![keyed("rsa-enc"), keyed("p256-agr")]),
        ("kinds/openssl30-ecdh-p384.der", vec![keyed("p256-agr"), keyed("rsa-enc"), keyed("sm2-enc")]),
        ("enveloped/gmsm-sm2-sm4cbc.der", vec![]),
    ] {
        assert_eq!(decrypted(&read(name), &keys).unwrap_err(), DecryptError::NoMatchingKey, "{name}");
    }
}

/// The message says by its identifier that it is for another key.
#[test]
fn a_key_that_the_message_does_not_name_is_no_recipient() {
    let stranger = bare(SoftwareKey::generate(KeySpec::Rsa(2048), &OsRng).unwrap());
    let refused = decrypted(&read("enveloped/openssl30-rsa-keyid-aes192.der"), &[stranger]).unwrap_err();
    assert_eq!(refused, DecryptError::NoMatchingKey);
}

/// E1: issuer and serial number do not tell whose the message is, and what the key made of it is not told.
#[test]
fn e1_a_wrong_key_and_a_changed_message_look_the_same() {
    let message = read("enveloped/openssl30-oaep-gcm.der");
    let stranger = bare(SoftwareKey::generate(KeySpec::Rsa(2048), &OsRng).unwrap());
    assert_eq!(decrypted(&message, &[stranger]).unwrap_err(), DecryptError::Failed);
    let mut changed = message;
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(decrypted(&changed, &[keyed("rsa-enc")]).unwrap_err(), DecryptError::Failed);
}

/// To an SM2 and an RSA key.
fn to_two() -> Vec<u8> {
    Encryptor::new(ContentCipher::Aes256Gcm)
        .recipient(&certificate("sm2-enc"), Transport::Sm2)
        .recipient(&certificate("rsa-enc"), Transport::RsaOaepSha256)
        .encrypt(b"At five.", &OsRng)
        .unwrap()
}

/// E1: no more operations than are allowed, and that they ended is said.
#[test]
fn more_attempts_than_operations_are_a_limit() {
    let stranger = || bare(SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap());
    let mut options = DecryptOptions::default();
    options.bare_keys = vec![stranger(), stranger(), keyed("rsa-enc")];
    options.limits.private_key_operations = 3;
    let message = to_two();
    assert!(run(decrypt_with(&message, &[], &options)).is_ok());
    options.limits.private_key_operations = 2;
    let refused = run(decrypt_with(&message, &[], &options)).unwrap_err();
    assert_eq!(refused, DecryptError::Limit { what: "private-key operations", limit: 2 });
    options.bare_keys.truncate(2);
    assert_eq!(run(decrypt_with(&message, &[], &options)).unwrap_err(), DecryptError::Failed);
}

/// CBC takes one wrong key in 256 for the right one: then nothing is told to be the content.
#[test]
fn keys_of_which_none_is_named_are_ambiguous_in_cbc() {
    let keys = [bare(SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap()), keyed("sm2-enc")];
    for _ in 0..4_000 {
        let message = Encryptor::new(ContentCipher::Sm4Cbc)
            .recipient(&certificate("sm2-enc"), Transport::Sm2)
            .encrypt(b"At five.", &OsRng)
            .unwrap();
        match decrypted(&message, &keys) {
            Ok(opened) => assert_eq!(octets(opened), b"At five."),
            Err(error) => {
                assert_eq!(error, DecryptError::AmbiguousKey);
                // The right one alone, however often it is given.
                let opened = decrypted(&message, &[keyed("sm2-enc"), keyed("sm2-enc")]).unwrap();
                assert_eq!(octets(opened), b"At five.");
                return;
            }
        }
    }
    panic!("no wrong key passed");
}

#[test]
fn a_mail_opens_with_the_key_alone() {
    let cms = to_two();
    let entity = pkcs7_mime(CmsKind::AuthEnvelopedData, &cms).unwrap();
    let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &entity].concat();
    let (anchors, policy) = (Anchors::new(Vec::new()), Policy::modern());
    let keys = [keyed("rsa-enc")];
    let opened = run(open(&mail, &OpenOptions::new(&anchors, &policy).bare_keys(&keys))).unwrap();
    assert_eq!(opened.content.unwrap().as_slice(), b"At five.");
    let Some(Layer::Encrypted(layer)) = opened.layers.first() else { panic!("{:?}", opened.layers) };
    assert_eq!(layer.opened_by, OpenedBy::Key(software("rsa-enc").public_key().clone()));
    assert!(!format!("{keys:?}").contains("PRIVATE"));
}
