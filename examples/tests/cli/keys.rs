//! `aecm key`

use super::support::{World, file};

pub(crate) fn der_of(pem: &str) -> Vec<u8> {
    use base64ct::Encoding as _;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64ct::Base64::decode_vec(&body).unwrap()
}

#[test]
fn every_form_is_read_and_none_is_printed() {
    let world = World::new();
    for (name, algorithm, bits, certificate) in [
        ("@keys/rsa-sig.key", "RSA", 2048, "@keys/rsa-sig.crt"),
        ("%pkcs1.key", "RSA", 2048, "@keys/rsa-sig.crt"),
        ("@keys/p256-sig.key", "P-256", 256, "@keys/p256-sig.crt"),
        ("%sec1.key", "P-256", 256, "@keys/p256-sig.crt"),
        ("@keys/sm2-sig.key", "SM2", 256, "@keys/sm2-sig.crt"),
        ("%sm2-sig.der", "SM2", 256, "@keys/sm2-sig.crt"),
        ("%sm2-pkcs8.der", "SM2", 256, "@keys/sm2-sig.crt"),
    ] {
        let ran = world.json(&format!("key {name} --cert {certificate}"));
        ran.is(0, "valid", &[]).has(&["keys", "certificates"]);
        let key = &ran.json["keys"][0];
        assert_eq!((&key["algorithm"], &key["bits"]), (&algorithm.into(), &bits.into()), "{name}");
        assert_eq!(key["matches"].as_str().unwrap().len(), 64, "{name}");
        let ran = world.json(&format!("key {name}"));
        assert!(ran.json["keys"][0]["matches"].is_null());
        assert!(ran.json["keys"][0].as_object().unwrap().contains_key("matches"));
    }
    let ran = world.json("key @keys/rsa-sig.key --cert @keys/sm2-sig.crt");
    assert!(ran.is(0, "valid", &["key-mismatch"]).json["keys"][0]["matches"].is_null());
}

/// K2: nothing of a key is printed, in any form.
#[test]
fn private_octets_are_never_printed() {
    let world = World::new();
    let der = file("openssl/sm2-sig.der");
    // The private number (RFC 5915), behind version and the head of its OCTET STRING.
    let place = der.windows(4).position(|window| window == [1, 1, 4, 32]).unwrap() + 4;
    let number: String = der[place..place + 32].iter().map(|octet| format!("{octet:02x}")).collect();
    for line in [
        "key %sm2-sig.der",
        "key %sm2-sig.der --json",
        "key %sm2-sig.der --out $k --json",
        "inspect %sm2-sig.der",
        "inspect %sm2-sig.der --json",
        "inspect @keys/sm2-sig.key --json",
    ] {
        let ran = world.text(line);
        assert_eq!(ran.status, 0, "{line}");
        let shown = format!("{}{}", ran.out(), ran.stderr).to_lowercase();
        assert!(!shown.contains(&number) && !shown.contains(&number[..16]), "{line}: {shown}");
    }
}

#[test]
fn keys_are_converted_for_their_owner_alone() {
    let world = World::new();
    for name in ["@keys/rsa-sig.key", "%pkcs1.key", "%sec1.key", "%sm2-sig.der"] {
        for to in ["pem", "der"] {
            world.json(&format!("key {name} --to {to} --out $k")).is(0, "valid", &[]);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(world.path("k")).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            let octets = world.read("k");
            assert_eq!(octets.starts_with(b"-----BEGIN PRIVATE KEY-----\n"), to == "pem");
            let again = world.json("key $k");
            assert_eq!(again.json["keys"], world.json(&format!("key {name}")).json["keys"]);
        }
    }
    // The same octets that OpenSSL writes.
    world.json("key @keys/sm2-sig.key --to der --out $k").is(0, "valid", &[]);
    assert_eq!(world.read("k"), file("openssl/sm2-pkcs8.der"));
}

#[test]
fn keys_under_passwords() {
    let world = World::new();
    world.write("password", "test\nnot this\n");
    world.write("wrong", "guess\n");
    for (name, algorithm) in [
        ("%encrypted.key", "P-256"),
        ("@p8/gmsm-sm2-smpbes.p8", "SM2"),
        ("@p8/gmssl33-sm2.p8", "SM2"),
        ("@p8/openssl40-sm2-sm4-hmacsm3.p8", "SM2"),
    ] {
        let ran = world.json(&format!("key {name} --password-file $password"));
        assert_eq!(ran.is(0, "valid", &[]).json["keys"][0]["algorithm"], algorithm, "{name}");
        world.json(&format!("key {name}")).is(2, "error", &["password-missing"]);
    }
    let sign = "sign @msg.txt --key %encrypted.key --cert @keys/p256-sig.crt --out $s.p7m";
    world.json(&format!("{sign} --password-file $password")).is(0, "valid", &[]);
    world.json(&format!("{sign} --password-file $wrong")).is(2, "error", &["wrong-password"]);
    for to in ["pem", "der"] {
        let line =
            format!("key @keys/sm2-sig.key --to {to} --encrypt --new-password-file $password --out $k");
        world.json(&line).is(0, "valid", &[]);
        assert_eq!(world.json("inspect $k").json["kind"], "encrypted-private-key");
        world.json("key $k --password test --to der --out $plain").is(0, "valid", &[]);
        assert_eq!(world.read("plain"), file("openssl/sm2-pkcs8.der"));
    }
    world.json("key %encrypted.key --password test --limits pbkdf2_iterations=10").is(
        2,
        "limit",
        &["limit-exceeded"],
    );
}

#[test]
fn pkcs12_files() {
    let world = World::new();
    world.write("password", "test\n");
    for (name, algorithm, bits) in [("@p12/openssl30-sm2.p12", "SM2", 256), ("%rsa-sig.p12", "RSA", 2048)] {
        let ran = world.json(&format!("p12 {name} --password test"));
        ran.is(0, "valid", &[]).has(&["keys", "certificates"]);
        let key = &ran.json["keys"][0];
        assert_eq!((&key["algorithm"], &key["bits"]), (&algorithm.into(), &bits.into()), "{name}");
        assert_eq!(key["matches"], ran.json["certificates"][0]["sha256"], "{name}");
        world.json(&format!("p12 {name} --password guess")).is(2, "error", &["wrong-password"]);
        world.json(&format!("p12 {name}")).is(2, "error", &["password-missing"]);
        // Into PEM, which the other commands read, and which is its owner's alone.
        world.json(&format!("p12 {name} --password-file $password --out $all.pem")).is(0, "valid", &[]);
        let again = world.json("key $all.pem");
        assert_eq!(again.json["keys"][0]["matches"], key["matches"]);
    }
    let line = "p12 @p12/openssl30-sm2.p12 --password test --to p12 --out $new.p12";
    world.json(line).is(2, "error", &["usage"]);
    world.json(&format!("{line} --encrypt --new-password other")).is(0, "valid", &[]);
    world.json("p12 $new.p12 --password test").is(2, "error", &["wrong-password"]);
    let ran = world.json("p12 $new.p12 --password other");
    assert_eq!(ran.is(0, "valid", &[]).json["keys"][0]["algorithm"], "SM2");
    let limited = "p12 %rsa-sig.p12 --password test --limits pbkdf2_iterations=10";
    world.json(limited).is(2, "limit", &["limit-exceeded"]);
    // The schemes of 1996.
    world.json("p12 @p12/bc186-rsa.p12 --password test").is(2, "error", &["unsupported"]);
}

#[test]
fn pkcs12_files_stand_for_key_and_certificate() {
    let world = World::new();
    let p12 = "--p12 @p12/openssl30-sm2.p12 --password test";
    let ran = world.json(&format!("sign @msg.txt {p12} --out $s.p7m"));
    if ran.status == 0 {
        world.json("verify $s.p7m --trust @keys/sm2-ca.crt").is(0, "valid", &[]);
    } else {
        // The key of the file is one for encryption.
        ran.is(2, "error", &["usage-not-allowed"]);
        world.json(&format!("decrypt @enveloped/gmsm-sm2-sm4cbc.der {p12}")).is(
            0,
            "unauthenticated",
            &["unauthenticated"],
        );
    }
    world.json("sign @msg.txt --p12 @p12/openssl30-sm2.p12 --password guess --out $x").is(
        2,
        "error",
        &["wrong-password"],
    );
    world.json("decrypt @enveloped/gmsm-sm2-sm4cbc.der --p12 @msg.txt --password a").is(
        2,
        "error",
        &["wrong-kind"],
    );
}

/// The option that is named is the one that would help.
#[test]
fn the_password_of_what_is_written_has_its_own_option() {
    let world = World::new();
    let ran = world.json("key @keys/rsa-sig.key --encrypt --out $k");
    let message = ran.is(2, "error", &["password-missing"]).json["message"].as_str().unwrap();
    assert!(message.contains("--new-password-file"), "{message}");
    let ran = world.json("key %encrypted.key");
    let message = ran.is(2, "error", &["password-missing"]).json["message"].as_str().unwrap();
    assert!(message.contains("give --password-file"), "{message}");
}

/// Files encrypted with 3DES and RC2 are told apart from wrong passwords and from rubbish, and how to get new ones.
#[test]
fn encryption_of_old_is_said_to_be_that() {
    let world = World::new();
    for (line, part) in [
        ("p12 %legacy-rc2.p12 --password test", "RC2"),
        ("p12 @p12/bc186-rsa.p12 --password test", "TripleDES"),
        ("decrypt @enveloped/openssl30-oaep-gcm.der --p12 %legacy-rc2.p12 --password test --out $x", "RC2"),
        ("sign @msg.txt --p12 %legacy-rc2.p12 --password test --out $x", "RC2"),
        ("key %legacy-3des.key --password test", "TripleDES"),
        ("key %legacy-pem.key --password test", ""),
    ] {
        let ran = world.json(line);
        let message = ran.is(2, "error", &["unsupported"]).json["message"].as_str().unwrap();
        assert!(message.contains(part) && message.contains("anew"), "{line}: {message}");
    }
    world.json("p12 %legacy-rc2.p12 --password wrong").is(2, "error", &["wrong-password"]);
    assert_eq!(world.names(), [""; 0]);
}
