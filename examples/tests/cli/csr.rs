//! `aecm csr`

use super::support::{World, file, words};

const MEMBERS: &[&str] = &["subject", "emails", "key", "usage"];

#[test]
fn ordinary_requests_are_read() {
    let world = World::new();
    let ran = world.json("csr %csr-dns.pem");
    ran.is(0, "valid", &[]).has(MEMBERS);
    assert_eq!(ran.json["subject"], "CN=www.example.org,O=Example,C=CN");
    assert_eq!(words(&ran.json["emails"]), ["alice@example.test"]);
    assert_eq!(
        words(&ran.json["other_names"]),
        ["DNS:www.example.org", "URI:https://example.org/", "IP:192.0.2.1"]
    );
    assert_eq!((&ran.json["key"]["algorithm"], &ran.json["key"]["bits"]), (&"P-256".into(), &256.into()));
    for (name, algorithm, bits) in [
        ("rsa-sig", "RSA", 2048),
        ("p256-sig", "P-256", 256),
        ("sm2-sig", "SM2", 256),
        ("sm2-enc", "SM2", 256),
    ] {
        let ran = world.json(&format!("csr @keys/{name}.csr"));
        ran.is(0, "valid", &[]);
        assert_eq!(
            (&ran.json["key"]["algorithm"], &ran.json["key"]["bits"]),
            (&algorithm.into(), &bits.into())
        );
    }
}

#[test]
fn a_request_that_its_key_did_not_sign() {
    let world = World::new();
    let text = String::from_utf8(file("peers/keys/sm2-sig.csr")).unwrap();
    let der = super::keys::der_of(&text);
    let mut changed = der.clone();
    let place = changed.windows(5).position(|window| window == b"alice").unwrap();
    changed[place] = b'm';
    world.write("changed.der", changed);
    world.json("csr $changed.der").is(1, "invalid", &["signature-mismatch"]).has(MEMBERS);
    world.write("same.der", der);
    world.json("csr $same.der").is(0, "valid", &[]);
}

#[test]
fn an_unknown_key_is_unsupported() {
    World::new().json("csr %csr-ed25519.pem").is(2, "error", &["unsupported"]);
}
