//! `aecm encrypt`

use super::support::{World, file};

#[test]
fn ciphers_and_transports() {
    let world = World::new();
    for (reader, options, cipher, transport, authenticated) in [
        ("rsa-enc", "", "aes-256-gcm", "rsa-oaep-sha256", true),
        ("rsa-enc", "--cipher aes-256-cbc", "aes-256-cbc", "rsa-oaep-sha256", false),
        ("rsa-enc", "--cipher aes-128-gcm --transport pkcs1", "aes-128-gcm", "rsa-pkcs1", true),
        ("p256-agr", "", "aes-256-gcm", "ecdh", true),
        ("sm2-enc", "", "sm4-cbc", "sm2", false),
        ("sm2-enc", "--cipher sm4-gcm", "sm4-gcm", "sm2", true),
        ("sm2-enc", "--form gbt35275", "sm4-cbc", "sm2", false),
        ("sm2-enc", "--form gbt35275 --cipher sm4-cbc", "sm4-cbc", "sm2", false),
    ] {
        let ran = world.json(&format!("encrypt @msg.txt {options} --to @keys/{reader}.crt --out $c.p7m"));
        ran.is(0, "valid", &[]).has(&["recipients", "cipher", "cipher_why"]);
        assert_eq!(ran.json["cipher"], cipher, "{reader} {options}");
        let recipient = &ran.json["recipients"][0];
        assert_eq!(recipient["transport"], transport);
        assert_eq!(recipient["emails"][0], "alice@example.test");
        assert!(!recipient["why"].as_str().unwrap().is_empty());
        let keys = format!("--key @keys/{reader}.key --cert @keys/{reader}.crt");
        let ran = world.json(&format!("decrypt $c.p7m {keys} --out $content"));
        assert_eq!((ran.status, &ran.json["authenticated"]), (0, &authenticated.into()), "{options}");
        assert_eq!(world.read("content"), file("peers/msg.txt"));
    }
}

#[test]
fn several_readers_each_once() {
    let world = World::new();
    let ran = world.json(
        "encrypt @msg.txt --to @keys/rsa-enc.crt @keys/sm2-enc.crt --to @keys/rsa-enc.crt --out $c.p7m",
    );
    ran.is(0, "valid", &[]);
    assert_eq!(ran.json["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(ran.json["cipher"], "aes-256-gcm");
    for reader in ["rsa-enc", "sm2-enc"] {
        let line = format!("decrypt $c.p7m --key @keys/{reader}.key --cert @keys/{reader}.crt");
        world.json(&line).is(0, "valid", &[]);
    }
}

#[test]
fn mails_become_mails_and_files_become_cms() {
    let world = World::new();
    world.write("letter.eml", "From: a@example.test\nTo: b@example.test\nSubject: s3cret\n\nhi\n");
    let line = "encrypt $letter.eml --to @keys/rsa-enc.crt --out $c";
    world.json(line).is(0, "valid", &[]);
    let mail = String::from_utf8(world.read("c")).unwrap();
    assert!(mail.contains("smime-type=authEnveloped-data") && !mail.contains("s3cret"), "{mail}");
    world.json(&format!("{line} --cms")).is(0, "valid", &[]);
    assert_eq!(world.read("c")[0], 0x30);
    world.json("encrypt @msg.txt --mail --to @keys/rsa-enc.crt --out $c").is(0, "valid", &[]);
    assert!(world.read("c").starts_with(b"MIME-Version: 1.0\r\n"));
}

#[test]
fn certificates_have_to_fit() {
    let world = World::new();
    for (options, now, reason) in [
        ("--to @keys/rsa-sig.crt", "2026-12-01T00:00:00Z", "usage-not-allowed"),
        ("--to @keys/rsa-enc.crt", "2050-01-01T00:00:00Z", "expired"),
        ("--to @keys/rsa-enc.crt", "2020-01-01T00:00:00Z", "not-yet-valid"),
        ("--to @keys/rsa-enc.crt --form gbt35275", "2026-12-01T00:00:00Z", "form-not-possible"),
        (
            "--to @keys/sm2-enc.crt --form gbt35275 --cipher sm4-gcm",
            "2026-12-01T00:00:00Z",
            "form-not-possible",
        ),
    ] {
        let ran =
            World::at(now).json(&format!("encrypt @msg.txt {options} --out {}", world.path("x").display()));
        ran.is(2, "error", &[reason]);
    }
    assert_eq!(world.names(), [""; 0]);
}
