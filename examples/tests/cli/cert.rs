//! `aecm cert verify`

use super::support::{World, words};

const MEMBERS: &[&str] = &["chain", "level", "valid_policies", "lint"];

#[test]
fn a_chain_that_holds() {
    let ran = World::new().json(
        "cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt --purpose sign --email alice@example.test",
    );
    ran.is(0, "valid", &[]).has(MEMBERS);
    let chain = ran.json["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[0]["subject"], "CN=alice rsa sig,O=AECM peer test,C=CN");
    assert_eq!(chain[1]["subject"], "CN=rsa test CA,O=AECM peer test,C=CN");
    assert!(ran.json["level"].is_null());
}

#[test]
fn what_does_not_hold() {
    let world = World::new();
    for (options, verdict, reasons) in [
        ("@keys/rsa-sig.crt", "invalid", &["no-anchors-given"][..]),
        ("@keys/rsa-sig.crt --trust @keys/sm2-ca.crt", "invalid", &["no-path-to-anchor"]),
        (
            "@keys/rsa-sig.crt --trust @keys/rsa-ca.crt --email m@example.test",
            "identity-mismatch",
            &["from-does-not-match"],
        ),
        ("@keys/rsa-sig.crt --trust @keys/rsa-ca.crt --purpose encrypt", "invalid", &["usage-not-allowed"]),
        ("@keys/rsa-sig.crt --trust @keys/rsa-ca.crt --purpose timestamp", "invalid", &["usage-not-allowed"]),
        ("@keys/rsa-sig.crt --trust @keys/rsa-ca.crt --at 2047-01-01T00:00:00Z", "invalid", &["expired"]),
        ("@keys/rsa-ca.crt --trust @keys/rsa-ca.crt", "invalid", &["not-a-leaf"]),
        ("@keys/rsa-sig.crt --trust @keys/rsa-ca.crt --explicit-policy", "invalid", &["no-valid-policy"]),
        ("%old.crt --trust %old-ca.crt --at never", "policy", &["weak-digest", "weak-key"]),
    ] {
        world.json(&format!("cert verify {options}")).is(1, verdict, reasons).has(MEMBERS);
    }
    for options in
        ["@keys/rsa-enc.crt --purpose encrypt", "@keys/rsa-tsa.crt --purpose timestamp", "@keys/rsa-tsa.crt"]
    {
        world.json(&format!("cert verify {options} --trust @keys/rsa-ca.crt")).is(0, "valid", &[]);
    }
    world.json("cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt --at never").is(0, "valid", &[]);
    let ran = world.json("cert verify %old.crt --trust %old-ca.crt --at never --policy legacy");
    let mut tolerances = ran.is(0, "valid", &[]).tolerances();
    tolerances.sort_unstable();
    assert_eq!(tolerances, ["weak-digest", "weak-key"]);
}

#[test]
fn levels_and_policies() {
    let world = World::new();
    for level in ["mv", "iv", "ov", "sv"] {
        let ran = world
            .json(&format!("cert verify %level-{level}.crt --trust @keys/p256-ca.crt --explicit-policy"));
        assert_eq!(ran.is(0, "valid", &[]).json["level"], level);
        assert_eq!(words(&ran.json["valid_policies"]).len(), 1);
        assert_eq!(ran.json["certificate"]["level"], level);
    }
    let line = "cert verify %level-mv.crt --trust @keys/p256-ca.crt";
    let ran = world.json(&format!("{line} --policy-oid 2.23.140.1.5.1.3 --explicit-policy"));
    assert_eq!(words(&ran.is(0, "valid", &[]).json["valid_policies"]), ["2.23.140.1.5.1.3"]);
    let ran = world.json(&format!("{line} --policy-oid 1.2.3.4 --explicit-policy"));
    ran.is(1, "invalid", &["no-valid-policy"]);
    world.json(&format!("{line} --policy-oid 1.2.3.4 --inhibit-any --inhibit-mapping")).is(0, "valid", &[]);
}

#[test]
fn revocation() {
    let world = World::new();
    let line = "cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt";
    for (evidence, check) in [("", "unknown"), ("--crl %good.crl", "good"), ("--ocsp %ocsp-good.der", "good")]
    {
        let ran = world.json(&format!("{line} {evidence}"));
        assert_eq!(ran.is(0, "valid", &[]).json["checks"]["revocation"], check, "{evidence}");
    }
    for evidence in
        ["--crl %revoked.crl", "--ocsp %ocsp-revoked.der", "--crl %good.crl --ocsp %ocsp-revoked.der"]
    {
        let ran = world.json(&format!("{line} {evidence}"));
        assert_eq!(ran.is(1, "invalid", &["revoked"]).json["checks"]["revocation"], "revoked", "{evidence}");
    }
    // A list of another CA says nothing.
    let ran = world.json("cert verify @keys/p256-sig.crt --trust @keys/p256-ca.crt --crl %revoked.crl");
    assert_eq!(ran.is(0, "valid", &["revocation-unknown"]).json["checks"]["revocation"], "unknown");
}

#[test]
fn intermediates_follow_in_the_file_or_come_with_certs() {
    let world = World::new();
    let chain =
        [super::support::file("peers/keys/rsa-sig.crt"), super::support::file("peers/keys/rsa-ca.crt")]
            .concat();
    world.write("chain.pem", chain);
    world.json("cert verify $chain.pem --trust @keys/rsa-ca.crt").is(0, "valid", &[]);
    world.json("cert verify %certs-only.der --trust @keys/rsa-ca.crt --certs $chain.pem").has(MEMBERS);
}

#[test]
fn what_is_unusual() {
    let world = World::new();
    let ran = world.json("cert verify %odd.crt");
    let lint = words(&ran.json["lint"]);
    for word in [
        "lint-serial-short",
        "lint-rsa-short",
        "lint-weak-signature",
        "lint-self-signed",
        "lint-key-usage-not-critical",
        "lint-mailbox-in-subject-only",
        "lint-validity-long",
        "lint-no-email-protection",
        "lint-extended-key-usage-mixed",
        "lint-dual-use",
        "lint-no-policy",
        "lint-no-revocation-address",
        "lint-no-subject-key-identifier",
    ] {
        assert!(lint.contains(&word), "{word}: {lint:?}");
    }
    let ran = world.json("cert verify %level-mv.crt --trust @keys/p256-ca.crt");
    assert_eq!(words(&ran.json["lint"]), [""; 0]);
    let ran = world.json("cert verify @keys/rsa-tsa.crt --trust @keys/rsa-ca.crt");
    assert!(!words(&ran.json["lint"]).contains(&"lint-no-mailbox"));
    let text = world.text("cert verify %odd.crt").out();
    assert!(
        text.contains("\nUnusual\n  lint-serial-short: the serial number has fewer than 64 bits"),
        "{text}"
    );
}
