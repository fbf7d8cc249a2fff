//! `aecm decrypt`

use super::support::{CONTENT_SHA256, World, file};

const MEMBERS: &[&str] = &["recipient", "cipher", "authenticated", "content_sha256"];
const RSA: &str = "--key @keys/rsa-enc.key --cert @keys/rsa-enc.crt";
const SM2: &str = "--key @keys/sm2-enc.key --cert @keys/sm2-enc.crt";

#[test]
fn every_peers_envelope_is_opened() {
    let world = World::new();
    for (message, keys, cipher, tolerances) in [
        ("openssl30-oaep-gcm", RSA, "aes-256-gcm", &[][..]),
        ("bc172-sm2-aes256gcm-auth", SM2, "aes-256-gcm", &["sm2-raw-ciphertext", "sm2-order-c1c2c3"]),
    ] {
        let ran = world.json(&format!("decrypt @enveloped/{message}.der {keys} --out $content"));
        ran.is(0, "valid", &[]).has(MEMBERS);
        assert_eq!(
            (&ran.json["cipher"], &ran.json["authenticated"]),
            (&cipher.into(), &true.into()),
            "{message}"
        );
        assert!(tolerances.iter().all(|word| ran.tolerances().contains(word)), "{message}: {}", ran.json);
        assert_eq!(world.read("content"), file("peers/msg.txt"), "{message}");
    }
}

#[test]
fn cbc_is_unauthenticated_and_what_was_asked_for() {
    let world = World::new();
    for (message, keys, cipher) in [
        ("gmsm-sm2-sm4cbc", SM2, "sm4-cbc"),
        ("gmsm-sm2gm-sm4cbc", SM2, "sm4-cbc"),
        ("bc186-sm2-sm4cbc", SM2, "sm4-cbc"),
        ("nss387-rsa-ber", RSA, "aes-128-cbc"),
    ] {
        let ran = world.json(&format!("decrypt @enveloped/{message}.der {keys} --out $content"));
        ran.is(0, "unauthenticated", &["unauthenticated"]).has(MEMBERS);
        assert_eq!(ran.json["authenticated"], false);
        assert_eq!(ran.json["content_sha256"], CONTENT_SHA256, "{message}");
        assert_eq!(
            ran.json["cipher"].as_str().unwrap().split('-').next_back(),
            cipher.split('-').next_back()
        );
        assert_eq!(world.read("content"), file("peers/msg.txt"), "{message}");
    }
}

#[test]
fn the_recipient_is_named() {
    let ran = World::new().json(&format!("decrypt @enveloped/openssl30-oaep-gcm.der {RSA}"));
    let recipient = &ran.json["recipient"];
    assert_eq!(recipient["subject"], "CN=alice rsa enc,O=AECM peer test,C=CN");
    assert_eq!(recipient["emails"][0], "alice@example.test");
    assert!(recipient["serial"].is_string() && recipient["sha256"].is_string());
}

#[test]
fn without_out_and_json_the_content_goes_to_stdout_alone() {
    let ran = World::new().text(&format!("decrypt @enveloped/openssl30-oaep-gcm.der {RSA}"));
    assert_eq!((ran.status, ran.stdout), (0, file("peers/msg.txt")));
    assert!(ran.stderr.starts_with("valid: decrypted"), "{}", ran.stderr);
    let ran = World::new().text(&format!("decrypt @enveloped/openssl30-oaep-gcm.der {RSA} --quiet"));
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_failed_decryption_says_one_thing_and_writes_nothing() {
    let world = World::new();
    let mut changed = file("peers/enveloped/openssl30-oaep-gcm.der");
    let last = changed.len() - 1;
    changed[last] ^= 1;
    world.write("tag.der", &changed);
    changed[last] ^= 1;
    changed[last - 40] ^= 1;
    world.write("ciphertext.der", &changed);
    for name in ["tag.der", "ciphertext.der"] {
        let ran = world.json(&format!("decrypt ${name} {RSA} --out $content"));
        ran.is(1, "invalid", &["decrypt-failed"]);
        let text = world.text(&format!("decrypt ${name} {RSA} --out $content"));
        assert_eq!(text.status, 1);
    }
    assert_eq!(world.names(), ["ciphertext.der", "tag.der"]);
}

#[test]
fn a_key_that_is_not_named_matches_nothing() {
    let world = World::new();
    for keys in [SM2, "--key @keys/rsa-sig.key --cert @keys/rsa-sig.crt", ""] {
        let ran = world.json(&format!("decrypt @enveloped/openssl30-oaep-gcm.der {keys} --out $content"));
        ran.is(2, "error", &["no-matching-key"]);
    }
    assert_eq!(world.names(), [""; 0]);
    let ran = world.json(&format!("decrypt @enveloped/openssl30-oaep-gcm.der {SM2} {RSA}"));
    ran.is(0, "valid", &[]);
}

#[test]
fn the_certificate_may_stand_in_the_file_of_the_key() {
    let world = World::new();
    let both = [file("peers/keys/rsa-enc.key"), file("peers/keys/rsa-enc.crt")].concat();
    world.write("both.pem", both);
    world.json("decrypt @enveloped/openssl30-oaep-gcm.der --key $both.pem").is(0, "valid", &[]);
}

#[test]
fn a_key_without_certificate_stands_for_whoever_is_named() {
    let world = World::new();
    for (message, key, verdict) in [
        ("openssl30-oaep-gcm", "rsa-enc", "valid"),
        ("gmsm-sm2-sm4cbc", "sm2-enc", "unauthenticated"),
        ("nss387-rsa-ber", "rsa-enc", "unauthenticated"),
    ] {
        let ran = world.json(&format!("decrypt @enveloped/{message}.der --key @keys/{key}.key"));
        assert_eq!((ran.status, ran.verdict()), (0, verdict), "{message}: {}", ran.json);
        assert_eq!(ran.json["content_sha256"], CONTENT_SHA256);
        // Whose key it is nobody said.
        assert!(ran.json.get("recipient").is_some_and(serde_json::Value::is_null), "{}", ran.json);
        let text = world.text(&format!("decrypt @enveloped/{message}.der --key @keys/{key}.key --out $c"));
        assert!(text.out().contains("not known: the key came without its certificate"), "{}", text.out());
    }
    // Another key of that kind, and one of another kind.
    let line = "decrypt @enveloped/openssl30-oaep-gcm.der --key";
    world.json(&format!("{line} @keys/rsa-sig.key")).is(1, "invalid", &["decrypt-failed"]);
    world.json(&format!("{line} @keys/sm2-enc.key")).is(2, "error", &["no-matching-key"]);
}

#[test]
fn a_mail_is_decrypted_one_layer() {
    let world = World::new();
    let ran = world.json(&format!("decrypt %gcm-signed.eml {RSA} --out $inner"));
    ran.is(0, "valid", &[]);
    assert!(String::from_utf8(world.read("inner")).unwrap().contains("pkcs7-mime"));
}

#[test]
fn the_order_of_sm2_ciphertexts_can_be_told() {
    let world = World::new();
    let line = format!("decrypt @enveloped/bc172-sm2-aes256gcm-auth.der {SM2}");
    let ran = world.json(&format!("{line} --sm2-order c1c2c3"));
    assert!(ran.is(0, "valid", &[]).tolerances().contains(&"sm2-order-c1c2c3"));
    for wrong in ["c1c3c2", "der"] {
        world.json(&format!("{line} --sm2-order {wrong}")).is(1, "invalid", &["decrypt-failed"]);
    }
}

const KEY16: &str = "000102030405060708090a0b0c0d0e0f";
const KEY32: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn secrets_instead_of_keys() {
    let world = World::new();
    world.write("password", "secret\n");
    for (message, secret, kind) in [
        ("encrypted-data", format!("--secret-key {KEY32}"), "secret-key"),
        ("shared-key", format!("--secret-key {KEY16} --secret-key-id c0fefe"), "secret-key"),
        ("shared-key", format!("--secret-key {KEY16}"), "secret-key"),
        ("password", "--recipient-password secret".to_owned(), "password"),
        ("password", "--recipient-password-file $password".to_owned(), "password"),
    ] {
        let ran = world.json(&format!("decrypt %{message}.der {secret} --out $content"));
        ran.is(0, "unauthenticated", &["unauthenticated"]).has(MEMBERS);
        assert_eq!(ran.json["recipient"]["kind"], kind, "{message}");
        assert_eq!(world.read("content"), file("peers/msg.txt"), "{message}");
    }
    let wrong = "f".repeat(32);
    for line in [
        format!("decrypt %encrypted-data.der --secret-key {wrong}{wrong}"),
        format!("decrypt %shared-key.der --secret-key {wrong}"),
        "decrypt %password.der --recipient-password guess".to_owned(),
    ] {
        world.json(&format!("{line} --out $x")).is(1, "invalid", &["decrypt-failed"]);
    }
    for line in [
        format!("decrypt %shared-key.der --secret-key {KEY16} --secret-key-id 00"),
        format!("decrypt %password.der --secret-key {KEY16}"),
        "decrypt %encrypted-data.der --recipient-password secret".to_owned(),
    ] {
        world.json(&line).is(2, "error", &["no-matching-key"]);
    }
    assert!(!world.names().contains(&"x".to_owned()));
}

#[test]
fn compressed_content_needs_no_key_and_is_bounded() {
    let world = World::new();
    let ran = world.json("decrypt %compressed.der --out $content");
    ran.is(0, "unauthenticated", &["unauthenticated"]).has(MEMBERS);
    assert!(ran.json["recipient"].is_null() && ran.json["cipher"].is_null());
    assert_eq!(world.read("content"), file("peers/msg.txt"));
    world.json("decrypt %bomb.der --out $x").is(2, "limit", &["limit-exceeded"]);
    assert_eq!(world.names(), ["content"]);
}

#[test]
fn keys_that_agree() {
    let world = World::new();
    let agr = "--key @keys/p256-agr.key --cert @keys/p256-agr.crt";
    let ran = world.json(&format!("decrypt @enveloped/openssl30-ecdh-cbc.der {agr}"));
    assert_eq!(ran.is(0, "unauthenticated", &["unauthenticated"]).json["content_sha256"], CONTENT_SHA256);
    let ran = world.json("decrypt @enveloped/openssl30-ecdh-cbc.der --key @keys/p256-agr.key");
    ran.is(0, "unauthenticated", &["unauthenticated"]);
}
