//! `aecm sign`

use super::support::{World, file};

const RSA: &str = "--key @keys/rsa-sig.key --cert @keys/rsa-sig.crt";
const SM2: &str = "--key @keys/sm2-sig.key --cert @keys/sm2-sig.crt";

#[test]
fn attached_and_detached() {
    let world = World::new();
    let ran = world.json(&format!("sign @msg.txt {RSA} --out $a.p7m"));
    ran.is(0, "valid", &[]).has(&["algorithm", "form", "time"]);
    assert_eq!(ran.json["algorithm"], "RSA PKCS#1 v1.5 with SHA-256");
    assert_eq!(ran.json["form"], "rfc5652");
    assert_eq!(ran.json["time"]["claimed"], "2026-12-01T00:00:00Z");
    assert!(ran.json["time"]["proven"].is_null());
    world.json("verify $a.p7m --trust @keys/rsa-ca.crt --out $content").is(0, "valid", &[]);
    assert_eq!(world.read("content"), file("peers/msg.txt"));
    world.json(&format!("sign @msg.txt --detached {SM2} --out $d.p7s")).is(0, "valid", &[]);
    world.json("verify $d.p7s --trust @keys/sm2-ca.crt").is(2, "error", &["content-missing"]);
    world.json("verify $d.p7s --content @msg.txt --trust @keys/sm2-ca.crt").is(0, "valid", &[]);
}

#[test]
fn the_two_forms() {
    let world = World::new();
    let ran = world.json(&format!("sign @msg.txt --form gbt35275 {SM2} --out $g.p7m"));
    assert_eq!(ran.is(0, "valid", &[]).json["form"], "gbt35275");
    let ran = world.json("verify $g.p7m --trust @keys/sm2-ca.crt");
    assert_eq!(ran.is(0, "valid", &[]).json["form"], "gbt35275");
    world.json(&format!("sign @msg.txt --form gbt35275 {RSA} --out $x")).is(
        2,
        "error",
        &["form-not-possible"],
    );
}

#[test]
fn mails_and_what_becomes_one() {
    let world = World::new();
    world.write("letter.eml", "From: alice@example.test\nTo: b@example.test\nSubject: s\n\nhi\n");
    world.json(&format!("sign $letter.eml --mail {RSA} --out $clear.eml")).is(0, "valid", &[]);
    let clear = String::from_utf8(world.read("clear.eml")).unwrap();
    assert!(clear.contains("multipart/signed") && clear.contains("Subject: s\r\n"), "{clear}");
    world.json("verify $clear.eml --mail --trust @keys/rsa-ca.crt").is(0, "valid", &[]);
    world.json(&format!("sign $letter.eml --mail --opaque {RSA} --out $opaque.eml")).is(0, "valid", &[]);
    assert!(String::from_utf8(world.read("opaque.eml")).unwrap().contains("application/pkcs7-mime"));
    world.json("verify $opaque.eml --mail --trust @keys/rsa-ca.crt").is(0, "valid", &[]);
    // An entity and a file without a header become the same kind of thing, from nobody.
    world.write("file.bin", [0u8, 159, 146, 150].repeat(100));
    for name in ["@msg.txt", "$file.bin"] {
        world.json(&format!("sign {name} --mail {RSA} --out $entity.eml")).is(0, "valid", &[]);
        world.json("verify $entity.eml --trust @keys/rsa-ca.crt").is(0, "valid", &[]);
    }
}

#[test]
fn chains_travel_along() {
    let world = World::new();
    let line = format!("sign @msg.txt {RSA} --certs @keys/rsa-ca.crt --out $a.p7m");
    world.json(&line).is(0, "valid", &[]);
    let with = world.read("a.p7m").len();
    world.json(&format!("sign @msg.txt {RSA} --out $a.p7m")).is(0, "valid", &[]);
    assert!(with > world.read("a.p7m").len() + 500);
}

#[test]
fn certificates_have_to_fit() {
    let world = World::new();
    for (keys, now, reason) in [
        ("--key @keys/rsa-sig.key --cert @keys/sm2-sig.crt", "2026-12-01T00:00:00Z", "key-mismatch"),
        ("--key @keys/rsa-sig.key", "2026-12-01T00:00:00Z", "key-mismatch"),
        ("--key @keys/rsa-enc.key --cert @keys/rsa-enc.crt", "2026-12-01T00:00:00Z", "usage-not-allowed"),
        (RSA, "2050-01-01T00:00:00Z", "expired"),
        (RSA, "2020-01-01T00:00:00Z", "not-yet-valid"),
        ("--cert @keys/rsa-sig.crt", "2026-12-01T00:00:00Z", "usage"),
    ] {
        let ran = World::at(now).json(&format!("sign @msg.txt {keys} --out {}", world.path("x").display()));
        ran.is(2, "error", &[reason]);
    }
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn to_standard_output() {
    let ran = World::new().text(&format!("sign @msg.txt {RSA} --out -"));
    assert_eq!((ran.status, ran.stdout[0]), (0, 0x30));
    World::new().json(&format!("sign @msg.txt {RSA} --out -")).is(2, "error", &["usage"]);
}
