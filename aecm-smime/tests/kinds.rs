//! Envelopes for shared keys, passwords and ECDH, EncryptedData: those of OpenSSL and Bouncy Castle, and broken ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::software::SoftwareKey;
use aecm_core::tlv::{Tag, write};
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::{Enveloped, RecipientInfo};
use aecm_smime::decrypt::{
    Content, DecryptError, DecryptOptions, Decrypted, OpenedBy, Password, Recipient, SecretKey, decrypt_with,
};
use aecm_smime::encrypt::{EncryptError, Encryptor, Transport};
use aecm_smime::{Error, Tolerance};

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(read(name)).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&text(&format!("keys/{name}.crt"))).unwrap()
}

fn recipient(name: &str) -> Recipient {
    let key = SoftwareKey::from_pem(&text(&format!("keys/{name}.key"))).unwrap();
    Recipient { certificate: certificate(name), key: Arc::new(key.into_decryptor(Arc::new(OsRng))) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn open(octets: &[u8], keys: &[Recipient], options: &DecryptOptions) -> Result<Decrypted, DecryptError> {
    run(decrypt_with(octets, keys, options))
}

/// The keys of the vectors: 00 01 02 …
fn secret(octets: u8) -> SecretKey {
    SecretKey::new(&(0..octets).collect::<Vec<u8>>())
}

fn with_secrets(keys: Vec<SecretKey>) -> DecryptOptions {
    let mut options = DecryptOptions::default();
    options.secret_keys = keys;
    options
}

fn with_passwords(passwords: &[&str]) -> DecryptOptions {
    let mut options = DecryptOptions::default();
    options.passwords = passwords.iter().map(|password| Password::new(password.as_bytes())).collect();
    options
}

fn octets(content: Content) -> Vec<u8> {
    match content {
        Content::Authenticated(octets) => octets.to_vec(),
        Content::Unauthenticated(content) => content.into_unauthenticated().to_vec(),
    }
}

fn expect(name: &str, keys: &[Recipient], options: &DecryptOptions) -> Decrypted {
    let opened = open(&read(&format!("kinds/{name}")), keys, options)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(opened.content.is_authenticated(), opened.cipher.is_authenticated(), "{name}");
    assert_eq!(octets(opened.content.clone()), read("msg.txt"), "{name}");
    opened
}

fn fails(octets: &[u8], keys: &[Recipient], options: &DecryptOptions) -> DecryptError {
    open(octets, keys, options).unwrap_err()
}

// ----- ECDH ---------------------------------------------------------------------------------------------------

#[test]
fn ecdh_of_openssl_and_bouncy_castle() {
    let keys = [recipient("rsa-enc"), recipient("p256-agr"), recipient("p384-agr")];
    let options = DecryptOptions::default();
    for digest in ["sha1", "sha256", "sha384", "sha512"] {
        for wrap in ["aes128", "aes256"] {
            let opened = expect(&format!("openssl30-ecdh-{digest}-{wrap}-wrap.der"), &keys, &options);
            assert_eq!(opened.opened_by, OpenedBy::Certificate(certificate("p256-agr")));
            assert_eq!(opened.tolerances, []);
        }
    }
    for name in
        ["../enveloped/openssl30-ecdh-cbc.der", "bc172-ecdh-ukm.der", "openssl30-ecdh-cofactor-gcm.der"]
    {
        expect(name, &keys, &options);
    }
    let by_id = expect("openssl30-ecdh-keyid-ber.der", &keys, &options);
    assert_eq!(by_id.tolerances, [Tolerance::BerEncoding]);
    let p384 = expect("openssl30-ecdh-p384.der", &keys, &options);
    assert_eq!(p384.opened_by.certificate(), Some(&certificate("p384-agr")));
}

#[test]
fn ecdh_for_another_key() {
    let message = read("kinds/openssl30-ecdh-sha256-aes256-wrap.der");
    let options = DecryptOptions::default();
    let none = DecryptError::NoMatchingKey;
    assert_eq!(fails(&message, &[recipient("rsa-enc"), recipient("p384-agr")], &options), none);
    assert_eq!(fails(&message, &[], &options), none);
    // The certificate of one key and another key: every failure is the same.
    let stranger = Recipient { certificate: certificate("p256-agr"), ..recipient("p256-sig") };
    assert_eq!(fails(&message, &[stranger], &options), DecryptError::Failed);
    // A key that cannot agree at all.
    let rsa = Recipient { certificate: certificate("p256-agr"), ..recipient("rsa-enc") };
    assert!(matches!(fails(&message, &[rsa], &options), DecryptError::Unsupported { .. }));
    let p384 = Recipient { certificate: certificate("p256-agr"), ..recipient("p384-agr") };
    assert_eq!(fails(&message, &[p384], &options), DecryptError::Failed, "E4: no point of that curve");
}

/// E1: whatever is changed, the error is one of what anybody can see, or the one of every failed decryption.
#[test]
fn no_flipped_bit_opens_ecdh_under_a_tag() {
    let message = read("kinds/openssl30-ecdh-cofactor-gcm.der");
    let (keys, options) = ([recipient("p256-agr")], DecryptOptions::default());
    let mut failed = 0;
    for bit in 0..message.len() * 8 {
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match open(&flipped, &keys, &options) {
            Ok(opened) => assert_eq!(octets(opened.content), read("msg.txt"), "bit {bit}"),
            Err(DecryptError::Failed) => failed += 1,
            Err(DecryptError::Key(error)) => panic!("bit {bit}: {error}"),
            Err(_) => {}
        }
    }
    assert!(failed > 700, "only {failed} reached the key");
}

#[test]
fn what_we_write_for_ecdh_is_read() {
    for (name, scheme) in [("p256-agr", oid::DH_STD_SHA256_KDF), ("p384-agr", oid::DH_STD_SHA384_KDF)] {
        for cipher in ContentCipher::ALL.into_iter().filter(|cipher| *cipher != ContentCipher::Aes192Cbc) {
            let rsa = certificate("rsa-enc");
            let encryptor = Encryptor::new(cipher).recipient(&certificate(name), Transport::Ecdh);
            let message = encryptor.recipient(&rsa, Transport::RsaPkcs1).encrypt(b"content", &OsRng).unwrap();
            for key in [name, "rsa-enc"] {
                let opened = open(&message, &[recipient(key)], &DecryptOptions::default()).unwrap();
                assert_eq!((octets(opened.content), opened.tolerances), (b"content".to_vec(), vec![]));
            }
            let read = Enveloped::parse(&message, &Limits::default()).unwrap();
            let agreement = read.recipients().iter().find_map(|info| match info {
                RecipientInfo::KeyAgreement(agreement) => Some(agreement),
                _ => None,
            });
            let agreement = agreement.unwrap();
            assert_eq!((agreement.algorithm.oid, agreement.keys.len()), (scheme, 1));
            assert!(agreement.ukm.is_none());
            // RFC 5652 §6.1, RFC 5083 §2.1; found behind the outer headers.
            let version = if cipher.is_authenticated() { [2, 1, 0] } else { [2, 1, 2] };
            assert!(message[..40].windows(3).any(|window| window == version), "{cipher}");
        }
    }
    // Every message has a key of its own.
    let once = || {
        let encryptor = Encryptor::new(ContentCipher::Aes256Gcm);
        encryptor.recipient(&certificate("p256-agr"), Transport::Ecdh).encrypt(b"x", &OsRng).unwrap()
    };
    assert_ne!(once(), once());
    let wrong = Encryptor::new(ContentCipher::Aes256Gcm).recipient(&certificate("p256-agr"), Transport::Sm2);
    let error = wrong.encrypt(b"x", &OsRng).unwrap_err();
    assert_eq!(error, EncryptError::TransportMismatch { index: 0, transport: Transport::Sm2 });
    let rsa = Encryptor::new(ContentCipher::Aes256Gcm).recipient(&certificate("rsa-enc"), Transport::Ecdh);
    assert!(matches!(rsa.encrypt(b"x", &OsRng), Err(EncryptError::TransportMismatch { .. })));
    let gbt = Encryptor::new(ContentCipher::Sm4Cbc).form(aecm_smime::cms::Form::Gbt35275);
    let gbt = gbt.recipient(&certificate("p256-agr"), Transport::Ecdh).encrypt(b"x", &OsRng);
    assert!(matches!(gbt, Err(EncryptError::Form { .. })));
}

// ----- shared keys --------------------------------------------------------------------------------------------

#[test]
fn shared_keys_of_openssl_and_bouncy_castle() {
    for (name, octets, id) in [
        ("openssl30-kek128-gcm.der", 16, &[0xc0, 0xff, 0xee, 0x01][..]),
        ("openssl30-kek192-cbc.der", 24, &[0xc0, 0xff, 0xee, 0x02]),
        ("openssl30-kek256-cbc.der", 32, &[0xc0, 0xff, 0xee]),
        ("bc172-kek-date.der", 16, b"a key"),
    ] {
        let by = OpenedBy::SecretKey { id: Some(id.to_vec()) };
        assert_eq!(expect(name, &[], &with_secrets(vec![secret(octets)])).opened_by, by, "no identifier");
        let named = secret(octets).with_id(id);
        assert_eq!(expect(name, &[], &with_secrets(vec![named.clone()])).opened_by, by);
        let both = with_secrets(vec![SecretKey::new(&vec![9; usize::from(octets)]), named]);
        expect(name, &[], &both);

        let message = read(&format!("kinds/{name}"));
        let fails = |keys| fails(&message, &[], &with_secrets(keys));
        let wrong = SecretKey::new(&vec![9; usize::from(octets)]);
        assert_eq!(fails(vec![wrong.clone()]), DecryptError::Failed);
        assert_eq!(fails(vec![wrong.with_id(id)]), DecryptError::Failed);
        assert_eq!(fails(vec![secret(octets).with_id(b"another")]), DecryptError::NoMatchingKey);
        assert_eq!(fails(vec![secret(octets - 1)]), DecryptError::NoMatchingKey, "another size");
        assert_eq!(fails(vec![]), DecryptError::NoMatchingKey);
    }
}

#[test]
fn no_wrong_shared_key_ever_opens_cbc() {
    // Of 600 wrong keys two or three would find right padding.
    let message = read("kinds/openssl30-kek256-cbc.der");
    for number in 0..600_u16 {
        let mut key = [7; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        let options = with_secrets(vec![SecretKey::new(&key)]);
        assert_eq!(fails(&message, &[], &options), DecryptError::Failed, "{number}");
    }
}

#[test]
fn encrypted_data_of_openssl() {
    for (name, octets, cipher) in [
        ("openssl30-encrypted-aes256cbc.der", 32, ContentCipher::Aes256Cbc),
        ("openssl30-encrypted-sm4cbc.der", 16, ContentCipher::Sm4Cbc),
    ] {
        let opened = expect(name, &[], &with_secrets(vec![secret(8), secret(octets).with_id(b"any")]));
        assert_eq!(
            (opened.cipher, opened.opened_by),
            (cipher, OpenedBy::SecretKey { id: Some(b"any".to_vec()) })
        );
        assert_eq!((opened.content_type, opened.tolerances), (oid::DATA, vec![]));
        let message = read(&format!("kinds/{name}"));
        assert_eq!(fails(&message, &[], &with_secrets(vec![secret(8)])), DecryptError::NoMatchingKey);
        assert_eq!(
            fails(&message, &[recipient("rsa-enc")], &with_passwords(&["test"])),
            DecryptError::NoMatchingKey
        );
        for end in 0..message.len() {
            let error = fails(&message[..end], &[], &with_secrets(vec![secret(octets)]));
            assert!(matches!(error, DecryptError::Malformed(_)), "cut at {end}: {error}");
        }
    }
}

fn encrypted_data(version: u64, cipher: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let content = write::sequence(&[
        &write::oid(&oid::DATA),
        cipher,
        &write::tlv(Tag::context_primitive(0), ciphertext),
    ]);
    let data = write::sequence(&[&write::small(version), &content]);
    write::sequence(&[&write::oid(&oid::ENCRYPTED_DATA), &write::explicit(0, &data)])
}

#[test]
fn encrypted_data_that_is_wrong() {
    let options = with_secrets(vec![secret(32)]);
    let cipher = ContentCipher::Aes256Cbc;
    let sealed = cipher.seal(&(0..32).collect::<Vec<u8>>(), &[1; 16], b"", b"content").unwrap();
    let good = encrypted_data(0, &cipher.identifier_der(&[1; 16]), &sealed.ciphertext);
    assert_eq!(octets(open(&good, &[], &options).unwrap().content), b"content");
    let version = encrypted_data(3, &cipher.identifier_der(&[1; 16]), &sealed.ciphertext);
    assert!(matches!(fails(&version, &[], &options), DecryptError::Malformed(Error::Structure { .. })));
    let iv = encrypted_data(0, &cipher.identifier_der(&[1; 15]), &sealed.ciphertext);
    assert!(matches!(fails(&iv, &[], &options), DecryptError::Malformed(_)));
    let pbes2 = encrypted_data(0, &write::algorithm(&oid::PBES2, Some(&write::null())), &sealed.ciphertext);
    assert!(matches!(fails(&pbes2, &[], &options), DecryptError::Unsupported { .. }));
    for length in [0, 1, 15, 17] {
        let cut = encrypted_data(0, &cipher.identifier_der(&[1; 16]), &vec![7; length]);
        assert_eq!(fails(&cut, &[], &options), DecryptError::Failed, "{length} octets");
    }
    let mut limits = with_secrets(vec![secret(32)]);
    limits.limits.message_bytes = good.len() - 1;
    assert!(matches!(fails(&good, &[], &limits), DecryptError::Limit { .. }));
}

// ----- passwords ----------------------------------------------------------------------------------------------

#[test]
fn passwords_of_openssl_and_bouncy_castle() {
    let names = ["sha1", "sha224", "sha256", "sha384", "sha512"].map(|prf| format!("bc172-pwri-{prf}.der"));
    let names =
        names.into_iter().chain(["openssl30-pwri-aes256.der".into(), "openssl30-pwri-sm4.der".into()]);
    for name in names {
        assert_eq!(expect(&name, &[], &with_passwords(&["guess", "test"])).opened_by, OpenedBy::Password);
        let message = read(&format!("kinds/{name}"));
        for wrong in ["", "Test", "test ", "tes"] {
            assert_eq!(
                fails(&message, &[], &with_passwords(&[wrong])),
                DecryptError::Failed,
                "{name} {wrong}"
            );
        }
        assert_eq!(fails(&message, &[], &DecryptOptions::default()), DecryptError::NoMatchingKey);
        assert_eq!(
            fails(&message, &[recipient("rsa-enc")], &with_secrets(vec![secret(32)])),
            DecryptError::NoMatchingKey
        );
    }
}

/// E6: iterations are bounded, one by one and together, before any is computed.
#[test]
fn iterations_are_bounded() {
    let message = read("kinds/openssl30-pwri-aes256.der");
    let mut options = with_passwords(&["test"]);
    // The key of AES-256 needs two outputs of HMAC-SHA-1.
    options.limits.pbkdf2_iterations = 2 * 2_048;
    assert!(open(&message, &[], &options).is_ok());
    options.limits.pbkdf2_iterations = 2 * 2_048 - 1;
    let error = fails(&message, &[], &options);
    assert_eq!(error, DecryptError::Limit { what: "PBKDF2 iterations", limit: 4_095 });
    options.limits.pbkdf2_iterations = 2_047;
    let error = fails(&message, &[], &options);
    assert_eq!(error, DecryptError::Limit { what: "PBKDF2 iterations", limit: 2_047 });
    // Four attempts cost four times as much.
    let mut options = with_passwords(&["a", "b", "c", "test"]);
    options.limits.pbkdf2_iterations = 4 * 2 * 2_048;
    assert!(open(&message, &[], &options).is_ok());
    options.limits.pbkdf2_iterations = 4 * 2 * 2_048 - 1;
    assert_eq!(
        fails(&message, &[], &options),
        DecryptError::Limit { what: "PBKDF2 iterations", limit: 4_095 }
    );
    let mut options = with_passwords(&["a", "b", "test"]);
    options.limits.private_key_operations = 2;
    assert_eq!(fails(&message, &[], &options), DecryptError::Failed, "at most so many attempts");
}

/// The padding of CBC lets one wrong key in 256 pass: then it is not known which content is the right one.
#[test]
fn two_keys_that_fit_encrypted_data_are_ambiguous() {
    let message = read("kinds/openssl30-encrypted-aes256cbc.der");
    let right = secret(32).with_id(b"right");
    let opens = |keys: Vec<SecretKey>| open(&message, &[], &with_secrets(keys));
    let other = (0_u32..20_000)
        .map(|number| SecretKey::new(&[&[7; 28], number.to_be_bytes().as_slice()].concat()))
        .find(|key| opens(vec![key.clone()]).is_ok())
        .unwrap();
    assert_eq!(opens(vec![right.clone(), other.clone()]).unwrap_err(), DecryptError::AmbiguousKey);
    assert_eq!(opens(vec![other, right.clone()]).unwrap_err(), DecryptError::AmbiguousKey);
    // The same key twice is one, and it is said which it was.
    let opened = opens(vec![right.clone(), right]).unwrap();
    assert_eq!(opened.opened_by, OpenedBy::SecretKey { id: Some(b"right".to_vec()) });
}

/// E6: user keying material goes into a hash, and is bounded like a salt.
#[test]
fn user_keying_material_is_bounded() {
    let message = |octets: usize| {
        let point = write::tlv(Tag::BIT_STRING, &[0; 66]);
        let key = write::tlv(Tag::context(1), &[write::algorithm(&oid::EC_PUBLIC_KEY, None), point].concat());
        let rid = write::sequence(&[&write::sequence(&[]), &write::small(1)]);
        let fields = [
            write::small(3),
            write::explicit(0, &key),
            write::explicit(1, &write::octet_string(&vec![1; octets])),
            write::algorithm(&oid::AES128_WRAP, None),
            write::sequence(&[&write::sequence(&[&rid, &write::octet_string(&[0; 24])])]),
        ];
        let infos = write::set_of(vec![write::tlv(Tag::context(1), &fields.concat())]);
        let content = write::sequence(&[
            &write::oid(&oid::DATA),
            &ContentCipher::Aes128Cbc.identifier_der(&[1; 16]),
            &write::tlv(Tag::context_primitive(0), &[0; 16]),
        ]);
        let data = write::sequence(&[&write::small(2), &infos, &content]);
        write::sequence(&[&write::oid(&oid::ENVELOPED_DATA), &write::explicit(0, &data)])
    };
    let options = DecryptOptions::default();
    assert_eq!(fails(&message(1_024), &[], &options), DecryptError::NoMatchingKey);
    let limit = DecryptError::Limit { what: "octets of user keying material", limit: 1_024 };
    assert_eq!(fails(&message(1_025), &[], &options), limit);
}

#[test]
fn every_changed_octet_of_a_wrapped_key_fails_alike() {
    let message = read("kinds/openssl30-pwri-aes256.der");
    let read = Enveloped::parse(&message, &Limits::default()).unwrap();
    let [RecipientInfo::Password { encrypted_key, .. }] = read.recipients() else { panic!() };
    let at = message.windows(encrypted_key.len()).position(|window| window == &**encrypted_key).unwrap();
    for place in at..at + encrypted_key.len() {
        let mut changed = message.clone();
        changed[place] ^= 0x40;
        match open(&changed, &[], &with_passwords(&["test"])) {
            Err(error) => assert_eq!(error, DecryptError::Failed, "octet {place}"),
            // The padding of the wrap is not looked at: nothing depends on it.
            Ok(opened) => assert_eq!(octets(opened.content), self::read("msg.txt")),
        }
    }
}

fn pwri(derivation: Option<Vec<u8>>, algorithm: &[u8], wrapped: &[u8]) -> Vec<u8> {
    let derivation = derivation.map(|one| write::tlv(Tag::context(0), &one[2..])).unwrap_or_default();
    let fields = [write::small(0), derivation, algorithm.to_vec(), write::octet_string(wrapped)].concat();
    let infos = write::set_of(vec![write::tlv(Tag::context(3), &fields)]);
    let cipher = ContentCipher::Aes128Cbc;
    let sealed = cipher.seal(&[5; 16], &[1; 16], b"", b"content").unwrap();
    let content = write::sequence(&[
        &write::oid(&oid::DATA),
        &cipher.identifier_der(&[1; 16]),
        &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
    ]);
    let data = write::sequence(&[&write::small(3), &infos, &content]);
    write::sequence(&[&write::oid(&oid::ENVELOPED_DATA), &write::explicit(0, &data)])
}

fn pbkdf2(salt: &[u8], iterations: u64) -> Vec<u8> {
    let parameters = write::sequence(&[&write::octet_string(salt), &write::small(iterations)]);
    write::algorithm(&oid::PBKDF2, Some(&parameters))
}

#[test]
fn password_recipients_that_are_wrong() {
    let options = with_passwords(&["test"]);
    let kek = write::algorithm(&oid::PWRI_KEK, Some(&ContentCipher::Aes128Cbc.identifier_der(&[0; 16])));
    let salt = [3; 16];
    // Lengths that cannot be a wrapped key fail like a wrong password.
    for length in [0, 8, 16, 24, 33, 48, 320] {
        let message = pwri(Some(pbkdf2(&salt, 1)), &kek, &vec![1; length]);
        assert_eq!(fails(&message, &[], &options), DecryptError::Failed, "{length}");
    }
    let wrapped = [1; 32];
    for (message, what) in [
        (pwri(Some(pbkdf2(&salt, 0)), &kek, &wrapped), "no iterations"),
        (pwri(Some(pbkdf2(&[1; 7], 1)), &kek, &wrapped), "short salt"),
        (pwri(Some(pbkdf2(&salt, 10_000_001)), &kek, &wrapped), "too many iterations"),
        (pwri(Some(write::algorithm(&oid::SHA256, None)), &kek, &wrapped), "no derivation"),
        (pwri(Some(pbkdf2(&salt, 1)), &write::algorithm(&oid::PWRI_KEK, None), &wrapped), "no cipher"),
        (
            pwri(
                Some(pbkdf2(&salt, 1)),
                &write::algorithm(&oid::PWRI_KEK, Some(&ContentCipher::Aes128Gcm.identifier_der(&[0; 12]))),
                &wrapped,
            ),
            "GCM",
        ),
        (pwri(Some(pbkdf2(&salt, 1)), &write::algorithm(&oid::AES128_WRAP, None), &wrapped), "another wrap"),
    ] {
        let error = fails(&message, &[], &options);
        assert!(!matches!(error, DecryptError::Failed | DecryptError::NoMatchingKey), "{what}: {error}");
    }
    // Without a derivation both sides have the key-encryption key.
    let shared = pwri(None, &kek, &wrapped);
    assert_eq!(fails(&shared, &[], &options), DecryptError::NoMatchingKey, "no password opens it");
    assert_eq!(fails(&shared, &[], &with_secrets(vec![secret(16)])), DecryptError::Failed);
}

#[test]
fn one_message_four_ways() {
    let name = "openssl30-four-kinds.der";
    let none = DecryptOptions::default();
    for key in ["rsa-enc", "p256-agr"] {
        let opened = expect(name, &[recipient(key)], &none);
        assert_eq!(opened.opened_by.word(), "certificate");
    }
    assert_eq!(expect(name, &[], &with_secrets(vec![secret(32)])).opened_by.word(), "secret-key");
    assert_eq!(expect(name, &[], &with_passwords(&["test"])).opened_by.word(), "password");
    // A wrong secret is no obstacle to the right one.
    let mut both = with_passwords(&["guess"]);
    both.secret_keys = vec![SecretKey::new(&[9; 32])];
    expect(name, &[recipient("p256-agr")], &both);
    assert_eq!(fails(&read(&format!("kinds/{name}")), &[], &both), DecryptError::Failed);
}

#[test]
fn secrets_are_not_printed() {
    let mut options = with_passwords(&["swordfish"]);
    options.secret_keys = vec![SecretKey::new(b"0123456789abcdef").with_id(b"id")];
    let printed = format!("{options:?}");
    assert!(!printed.contains("swordfish") && !printed.contains("48, 49, 50"), "{printed}");
}
