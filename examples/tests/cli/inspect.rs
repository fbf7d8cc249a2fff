//! `aecm inspect`

use serde_json::Value;

use super::support::World;

#[test]
fn every_kind_is_told() {
    let world = World::new();
    for (name, kind) in [
        ("@signed/bc172-sm2.der", "signed-data"),
        ("@signed/openssl30-rsa-pkcs1-ber.der", "signed-data"),
        ("%attached.pem", "signed-data"),
        ("@enveloped/gmsm-sm2-sm4cbc.der", "enveloped-data"),
        ("@enveloped/gmsm-sm2gm-sm4cbc.der", "enveloped-data"),
        ("@enveloped/openssl30-ecdh-cbc.der", "enveloped-data"),
        ("@enveloped/openssl30-oaep-gcm.der", "auth-enveloped-data"),
        ("@keys/rsa-sig.crt", "certificate"),
        ("@keys/rsa-sig.key", "private-key"),
        ("@keys/sm2-sig.csr", "csr"),
        ("%csr-ed25519.pem", "csr"),
        ("%sec1.key", "private-key"),
        ("%pkcs1.key", "private-key"),
        ("%ed25519.key", "private-key"),
        ("%encrypted.key", "encrypted-private-key"),
        ("@p8/gmsm-sm2-smpbes.p8", "encrypted-private-key"),
        ("@p12/openssl30-sm2.p12", "pkcs12"),
        ("@p12/bc186-rsa.p12", "pkcs12"),
        ("@tsp/sha256.tsq", "timestamp-request"),
        ("@tsp/openssl30-rsa-sha256.tsr", "timestamp-response"),
        ("@tsp/openssl30-rejection-status.tsr", "timestamp-response"),
        ("%good.crl", "crl"),
        ("%ocsp-good.der", "ocsp-response"),
        ("@eml/openssl30-rsa-multipart.eml", "mail"),
        ("%cbc.eml", "mail"),
        ("%certs-only.der", "signed-data"),
        ("%encrypted-data.der", "encrypted-data"),
        ("%compressed.der", "compressed-data"),
        ("%password.der", "enveloped-data"),
    ] {
        let ran = world.json(&format!("inspect {name}"));
        ran.is(0, "valid", &[]).has(&["kind", "tree"]);
        assert_eq!(ran.json["kind"], kind, "{name}");
        assert!(!ran.json["tree"].as_array().unwrap().is_empty(), "{name}");
        let text = world.text(&format!("inspect {name}"));
        assert_eq!(text.status, 0);
        assert!(text.out().starts_with(&format!("valid: {kind}")), "{name}");
    }
}

fn any(node: &Value, holds: &dyn Fn(&Value) -> bool) -> bool {
    holds(node) || node["children"].as_array().is_some_and(|all| all.iter().any(|child| any(child, holds)))
}

#[test]
fn identifiers_are_named_and_sizes_told() {
    let ran = World::new().json("inspect @signed/bc172-sm2.der");
    let tree = &ran.json["tree"][0];
    for name in ["id-signedData", "id-data", "SM2-with-SM3", "SM3", "messageDigest"] {
        assert!(any(tree, &|node| node["name"] == name), "{name}");
    }
    assert!(any(tree, &|node| node["oid"] == "1.2.156.10197.1.501"));
    assert!(any(tree, &|node| node["type"] == "SignerInfo"));
    assert_eq!(tree["type"], "id-signedData");
    assert_eq!(tree["size"], 997);
    // What is no CMS is shown by its tags.
    let ran = World::new().json("inspect @keys/sm2-sig.crt");
    assert_eq!(ran.json["tree"][0]["type"], "SEQUENCE");
    assert!(any(&ran.json["tree"][0], &|node| node["name"] == "keyUsage"));
}

#[test]
fn a_mail_is_shown_with_what_is_inside() {
    let ran = World::new().json("inspect @eml/openssl30-rsa-multipart.eml");
    let tree = &ran.json["tree"][0];
    assert!(any(tree, &|node| node["type"] == "text/plain"));
    assert!(any(tree, &|node| node["name"] == "id-signedData"));
}

#[test]
fn more_than_is_shown_is_said() {
    let world = World::new();
    let mut der = vec![0x30, 0x83, 0x01, 0x86, 0xa0];
    der.extend([5, 0].repeat(50_000));
    world.write("wide.der", der);
    let ran = world.json("inspect $wide.der");
    assert_eq!(ran.is(0, "valid", &[]).json["truncated"], true);
}

/// Lines with colons are no mail.
#[test]
fn plain_text_is_not_taken_for_mail() {
    let world = World::new();
    for text in [
        "root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n",
        "key: value\nother: value\n",
        "https://example.test/\n",
    ] {
        world.write("text", text);
        for line in ["inspect $text", "verify $text", "open $text", "decrypt $text"] {
            world.json(line).is(2, "error", &["malformed"]);
        }
    }
}
