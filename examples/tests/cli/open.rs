//! `aecm open`

use super::support::{World, file, words};

const MEMBERS: &[&str] = &["layers", "protected_headers"];
const RSA: &str = "--key @keys/rsa-enc.key --cert @keys/rsa-enc.crt";
const TRUST: &str = "--trust @keys/rsa-ca.crt";

#[test]
fn layers_come_from_the_outside_in() {
    let world = World::new();
    let ran = world.json(&format!("open %gcm-signed.eml {RSA} {TRUST} --out $inner"));
    // OpenSSL leaves no From inside what it encrypts; the outer one binds.
    ran.is(0, "valid", &[]).has(MEMBERS);
    let layers = ran.json["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    assert_eq!((&layers[0]["kind"], &layers[1]["kind"]), (&"encrypted".into(), &"signed".into()));
    for member in ["recipient", "cipher", "authenticated", "content_sha256", "verdict", "reasons"] {
        assert!(layers[0].get(member).is_some(), "{member}");
    }
    assert_eq!((&layers[0]["verdict"], layers[0]["reasons"].as_array().unwrap().len()), (&"valid".into(), 0));
    for layer in layers {
        assert_eq!(layer["content_sha256"].as_str().unwrap().len(), 64, "{layer}");
    }
    assert_ne!(layers[0]["content_sha256"], layers[1]["content_sha256"]);
    for member in ["signers", "time", "content_sha256", "form", "verdict"] {
        assert!(layers[1].get(member).is_some(), "{member}");
    }
    assert!(String::from_utf8(world.read("inner")).unwrap().ends_with("hello peer world\r\n"));
    assert!(ran.json["protected_headers"].is_null());
}

#[test]
fn cbc_needs_a_valid_signature_inside_or_to_be_asked_for() {
    let world = World::new();
    world.json(&format!("open %cbc-signed.eml {RSA} {TRUST} --out $a")).is(0, "valid", &[]);
    let line = format!("open %cbc.eml {RSA} {TRUST}");
    let ran = world.json(&format!("{line} --out $b"));
    assert_eq!((ran.status, ran.verdict()), (1, "unauthenticated"), "{}", ran.json);
    assert_eq!(world.names(), ["a"]);
    assert!(ran.json["content_sha256"].is_null());
    let layer = &ran.json["layers"][0];
    assert_eq!(
        (&layer["verdict"], &layer["reasons"][0]),
        (&"unauthenticated".into(), &"unauthenticated".into())
    );
    // The digest of what is held back would tell what it is.
    assert!(layer["content_sha256"].is_null(), "{layer}");
    let ran = world.json(&format!("{line} --accept-unauthenticated --out $b"));
    assert_eq!((ran.status, ran.verdict()), (0, "unauthenticated"), "{}", ran.json);
    assert_eq!(world.read("b"), file("peers/msg.txt"));
    // A signature that is not trusted vouches for nothing.
    let ran = world.json(&format!("open %cbc-signed.eml {RSA} --out $c"));
    assert_eq!((ran.status, ran.verdict()), (1, "unauthenticated"), "{}", ran.json);
    assert_eq!(world.names(), ["a", "b"]);
}

#[test]
fn what_we_write_has_protected_headers() {
    let world = World::new();
    world.write(
        "letter.eml",
        "From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: secret plan\r\n\r\nhi\r\n",
    );
    let sign = "sign $letter.eml --mail --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $signed.eml";
    world.json(sign).is(0, "valid", &[]);
    world.json("encrypt $signed.eml --to @keys/rsa-enc.crt --out $sent.eml").is(0, "valid", &[]);
    let sent = String::from_utf8(world.read("sent.eml")).unwrap();
    assert!(!sent.contains("secret plan") && sent.contains("Subject: [...]"), "{sent}");
    let ran = world.json(&format!("open $sent.eml {RSA} {TRUST} --out $inner"));
    ran.is(0, "valid", &[]);
    assert_eq!(ran.json["protected_headers"]["Subject"], "secret plan");
    assert_eq!(ran.json["header_protection"], "clear");
    assert_eq!(ran.json["from"], "alice@example.test");
    assert_eq!(ran.json["layers"].as_array().unwrap().len(), 2);
    let text = world.text(&format!("open $sent.eml {RSA} {TRUST}")).out();
    assert!(text.contains("Subject       secret plan"), "{text}");
    // The outer From is somebody else's now.
    world.write("moved.eml", sent.replace("From: Alice <alice@", "From: Mallory <mallory@"));
    let ran = world.json(&format!("open $moved.eml {RSA} {TRUST}"));
    ran.is(1, "identity-mismatch", &["outer-from-differs"]);
    let line = format!("open $moved.eml {RSA} {TRUST} --rewriter mallory@example.test");
    world.json(&line).is(0, "valid", &[]);
}

#[test]
fn keys_are_needed_and_anchors_too() {
    let world = World::new();
    world.json(&format!("open %gcm-signed.eml {TRUST}")).is(2, "error", &["no-matching-key"]);
    let ran = world.json(&format!("open %gcm-signed.eml {RSA}"));
    ran.is(1, "invalid", &["no-anchors-given"]);
    assert_eq!(words(&ran.json["layers"][1]["reasons"]), ["no-anchors-given"]);
}

#[test]
fn a_mail_that_nothing_protects() {
    let world = World::new();
    world.write("plain.eml", "From: a@example.test\r\nSubject: x\r\n\r\nhi\r\n");
    let ran = world.json("open $plain.eml --out $same");
    ran.is(1, "not-signed", &["not-signed"]).has(MEMBERS);
    assert_eq!(ran.json["layers"].as_array().unwrap().len(), 0);
    assert_eq!(world.read("same"), world.read("plain.eml"));
}

#[test]
fn sm2_from_end_to_end() {
    let world = World::new();
    world.write(
        "letter.eml",
        "From: alice@example.test\nTo: bob@example.test\nSubject: \u{4f60}\n\nhi\n".replace('\u{4f60}', "x"),
    );
    world
        .json("sign $letter.eml --mail --opaque --form gbt35275 --key @keys/sm2-sig.key --cert @keys/sm2-sig.crt --out $s.eml")
        .is(0, "valid", &[]);
    world.json("encrypt $s.eml --form gbt35275 --to @keys/sm2-enc.crt --out $e.eml").is(0, "valid", &[]);
    let ran =
        world.json("open $e.eml --key @keys/sm2-enc.key --cert @keys/sm2-enc.crt --trust @keys/sm2-ca.crt");
    ran.is(0, "valid", &[]);
    assert_eq!(
        (&ran.json["layers"][0]["form"], &ran.json["layers"][1]["form"]),
        (&"gbt35275".into(), &"gbt35275".into())
    );
    assert_eq!(ran.json["layers"][0]["cipher"], "sm4-cbc");
}

/// A key alone opens, too; whose it is, nobody said then.
#[test]
fn a_key_without_its_certificate_opens() {
    let world = World::new();
    let ran = world.json(&format!("open %gcm-signed.eml --key @keys/rsa-enc.key {TRUST}"));
    ran.is(0, "valid", &[]);
    assert!(ran.json["layers"][0]["recipient"].is_null(), "{}", ran.json);
    for key in ["sm2-enc", "p256-agr"] {
        let ran = world.json(&format!("open %gcm-signed.eml --key @keys/{key}.key {TRUST} --out $no"));
        ran.is(2, "error", &["no-matching-key"]);
    }
    assert_eq!(world.names(), [""; 0]);
}

/// More than is worked on is a limit, wherever it is met: in the header, in a layer, in what was compressed.
#[test]
fn what_is_too_much_is_a_limit() {
    let world = World::new();
    for line in [
        "open %gcm-signed.eml --limits header_bytes=10".to_owned(),
        format!("open %gcm-signed.eml {RSA} --limits recipient_infos=0"),
        format!("open %gcm-signed.eml {RSA} --limits signer_infos=0"),
        format!("open %gcm-signed.eml {RSA} --limits crypto_layers=1"),
        format!("open %gcm-signed.eml {RSA} --limits asn1_depth=3"),
        format!("open %cbc-signed.eml {RSA} --limits signer_infos=0"),
        "decrypt %bomb.der".to_owned(),
        "decrypt %compressed.der --limits decompressed_bytes=3".to_owned(),
        format!("decrypt %gcm-signed.eml {RSA} --limits recipient_infos=0"),
        "verify %opaque.eml --limits mime_depth=0,signer_infos=0".to_owned(),
    ] {
        let ran = world.json(&format!("{line} --out $no"));
        ran.is(2, "limit", &["limit-exceeded"]);
    }
    assert_eq!(world.names(), [""; 0]);
}
