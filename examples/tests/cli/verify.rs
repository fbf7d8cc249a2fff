//! `aecm verify`

use super::support::{CONTENT_SHA256, World, file, words};

const MEMBERS: &[&str] = &["signers", "time", "content_sha256", "form"];

#[test]
fn every_peers_signature_is_read() {
    let world = World::new();
    for (message, anchor, form) in [
        ("openssl40-sm2", "sm2-ca", "rfc5652"),
        ("bc172-sm2", "sm2-ca", "rfc5652"),
        ("gmsm-sm2-sigalg301.1", "sm2-ca", "rfc5652"),
        ("openssl30-rsa-pkcs1-ber", "rsa-ca", "rfc5652"),
        ("nss387-rsa", "rsa-ca", "rfc5652"),
    ] {
        let line =
            format!("verify @signed/{message}.der --trust @keys/{anchor}.crt --email alice@example.test");
        let ran = world.json(&line);
        ran.is(0, "valid", &[]).has(MEMBERS);
        assert_eq!((&ran.json["form"], &ran.json["content_sha256"]), (&form.into(), &CONTENT_SHA256.into()));
    }
}

#[test]
fn the_members_of_a_signer() {
    let ran =
        World::new().json("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt --email alice@example.test");
    let signer = &ran.json["signers"][0];
    assert_eq!(signer["subject"], "CN=alice sm2 sig,O=AECM peer test,C=CN");
    assert_eq!(words(&signer["emails"]), ["alice@example.test"]);
    assert_eq!(signer["serial"], "794796137775494e5f73e6f575edf35d79ec9b2f");
    // What OpenSSL prints with x509 -fingerprint -sha256.
    assert_eq!(signer["sha256"], "e6e19bfab6ddb7a3a0854be282d1a2f6c76d6b9603527de26eb6695ddf25dfca");
    assert_eq!(signer["algorithm"], "SM2 with SM3");
    assert!(signer["level"].is_null() && signer.get("level").is_some());
    let checks = signer["checks"].as_object().unwrap();
    let expected = [
        ("signature", "valid"),
        ("digest", "valid"),
        ("attributes", "valid"),
        ("chain", "valid"),
        ("usage", "valid"),
        ("identity", "valid"),
        ("revocation", "unknown"),
        ("time", "not-evaluated"),
        ("policy", "valid"),
    ];
    assert_eq!(checks.len(), expected.len());
    for (check, word) in expected {
        assert_eq!(checks[check], word, "{check}");
    }
    assert_eq!(ran.json["time"]["claimed"], "2026-11-23T17:08:18Z");
    assert!(ran.json["time"]["proven"].is_null() && ran.json["time"]["authority"].is_null());
}

#[test]
fn without_anchors_the_chain_is_not_evaluated() {
    let ran = World::new().json("verify @signed/bc172-sm2.der");
    ran.is(1, "invalid", &["no-anchors-given"]).has(MEMBERS);
    assert_eq!(ran.json["signers"][0]["checks"]["chain"], "not-evaluated");
    assert_eq!(ran.json["signers"][0]["checks"]["signature"], "valid");
}

#[test]
fn the_signer_is_bound_to_the_address_that_is_asked_for() {
    let world = World::new();
    let ran =
        world.json("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt --email mallory@example.test");
    ran.is(1, "identity-mismatch", &["from-does-not-match"]);
    assert_eq!(ran.json["signers"][0]["checks"]["identity"], "invalid");
    let ran = world.json("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt");
    assert_eq!(ran.json["signers"][0]["checks"]["identity"], "not-evaluated");
}

#[test]
fn detached_content_is_given() {
    let world = World::new();
    let line = "verify %detached.der --trust @keys/rsa-ca.crt";
    world.json(&format!("{line} --content @msg.txt")).is(0, "valid", &[]);
    world.json(line).is(2, "error", &["content-missing"]);
    world.write("other", "hello peer\r\n");
    world.json(&format!("{line} --content $other")).is(1, "invalid", &["digest-mismatch"]).has(MEMBERS);
    // The same content beside an attached signature does no harm; another does.
    let attached = "verify %attached.pem --trust @keys/rsa-ca.crt";
    world.json(&format!("{attached} --content @msg.txt")).is(0, "valid", &[]);
    world.json(&format!("{attached} --content $other")).is(2, "error", &["two-contents"]);
}

#[test]
fn mails_of_both_kinds() {
    let world = World::new();
    for (mail, anchor) in [
        ("@eml/openssl30-rsa-multipart.eml", "rsa-ca"),
        ("@eml/tongsuo85-sm2-multipart.eml", "sm2-ca"),
        ("%opaque.eml", "rsa-ca"),
    ] {
        for binding in ["--mail", "--email alice@example.test", ""] {
            let ran = world.json(&format!("verify {mail} --trust @keys/{anchor}.crt {binding}"));
            ran.is(0, "valid", &[]).has(MEMBERS);
            let identity = if binding.is_empty() { "not-evaluated" } else { "valid" };
            assert_eq!(ran.json["signers"][0]["checks"]["identity"], identity, "{mail} {binding}");
        }
        let mallory = String::from_utf8(file(&mail.replace('@', "peers/").replace('%', "openssl/")))
            .unwrap()
            .replace("From: alice@", "From: mallory@");
        world.write("mallory.eml", mallory);
        let line = format!("verify $mallory.eml --trust @keys/{anchor}.crt");
        world.json(&format!("{line} --mail")).is(1, "identity-mismatch", &["from-does-not-match"]);
        world.json(&line).is(0, "valid", &[]);
    }
}

#[test]
fn a_changed_mail_is_invalid_and_an_unsigned_one_not_signed() {
    let world = World::new();
    let mail = String::from_utf8(file("peers/eml/openssl30-rsa-multipart.eml")).unwrap();
    world.write("changed.eml", mail.replace("hello peer", "hello poor"));
    for binding in ["--mail", ""] {
        let ran = world.json(&format!("verify $changed.eml --trust @keys/rsa-ca.crt {binding}"));
        ran.is(1, "invalid", &["digest-mismatch"]);
        assert_eq!(ran.json["signers"][0]["checks"]["digest"], "invalid");
        // That of the content as it came, not of what was signed.
        let digest = ran.json["content_sha256"].as_str().unwrap_or_else(|| panic!("{binding}: {}", ran.json));
        assert!(digest.len() == 64 && digest != CONTENT_SHA256);
    }
    world.write("plain.eml", "From: a@example.test\r\nSubject: x\r\n\r\nhi\r\n");
    for binding in ["--mail", ""] {
        let ran = world.json(&format!("verify $plain.eml --trust @keys/rsa-ca.crt {binding}"));
        ran.is(1, "not-signed", &["not-signed"]).has(MEMBERS);
        assert_eq!(ran.json["signers"].as_array().unwrap().len(), 0);
        assert!(ran.json["content_sha256"].is_null() && ran.json["form"].is_null());
    }
    let inner = mail.split_once("\n\n").unwrap();
    let boundary = "Content-Type: multipart/mixed; boundary=outer";
    let partly = format!(
        "From: alice@example.test\nMIME-Version: 1.0\n{boundary}\n\n--outer\n{}\n\n{}\n--outer\n\nfooter\n--outer--\n",
        inner.0.lines().skip_while(|line| !line.starts_with("Content-Type")).collect::<Vec<_>>().join("\n"),
        inner.1
    );
    world.write("partly.eml", partly);
    let ran = world.json("verify $partly.eml --trust @keys/rsa-ca.crt");
    ran.is(1, "partial", &["not-signed", "partly-signed"]);
    assert_eq!(world.json("verify $partly.eml --trust @keys/rsa-ca.crt --mail").verdict(), "partial");
}

#[test]
fn line_ends_that_a_transport_changed_are_forgiven_and_named() {
    let world = World::new();
    let mail = file("peers/eml/openssl30-rsa-multipart.eml");
    let bare: Vec<u8> = mail.iter().copied().filter(|octet| *octet != b'\r').collect();
    world.write("bare.eml", bare);
    for binding in ["--mail", ""] {
        let ran = world.json(&format!("verify $bare.eml --trust @keys/rsa-ca.crt {binding}"));
        assert_eq!(ran.is(0, "valid", &[]).tolerances(), ["bare-line-feed"]);
    }
}

#[test]
fn times() {
    let world = World::new();
    let line = "verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt";
    world.json(&format!("{line} --at 2047-01-01T00:00:00Z")).is(1, "invalid", &["expired"]);
    world.json(&format!("{line} --at 2020-01-01T00:00:00Z")).is(1, "invalid", &["not-yet-valid"]);
    world.json(&format!("{line} --at never")).is(0, "valid", &[]);
    World::at("2047-01-01T00:00:00Z").json(line).is(1, "invalid", &["expired"]);
    // There is no timestamp to judge at.
    world.json(&format!("{line} --at gentime")).is(1, "invalid", &["no-timestamp"]);
}

#[test]
fn policies() {
    let world = World::new();
    let line = "verify %old-sha1.der --trust %old-ca.crt --at never";
    let ran = world.json(line);
    assert_eq!((ran.status, ran.reasons().contains(&"weak-digest")), (1, true), "{}", ran.json);
    assert_eq!(ran.json["signers"][0]["checks"]["policy"], "invalid");
    let ran = world.json(&format!("{line} --policy legacy"));
    let tolerances = ran.is(0, "valid", &[]).tolerances();
    assert!(tolerances.contains(&"weak-digest") && tolerances.contains(&"weak-key"), "{tolerances:?}");
}

#[test]
fn revocation_and_certificate_policies() {
    let world = World::new();
    for line in [
        "verify %attached.pem --trust @keys/rsa-ca.crt",
        "verify @eml/openssl30-rsa-multipart.eml --trust @keys/rsa-ca.crt",
        "verify @eml/openssl30-rsa-multipart.eml --mail --trust @keys/rsa-ca.crt",
    ] {
        for (evidence, status, check) in [
            ("", 0, "unknown"),
            ("--crl %good.crl", 0, "good"),
            ("--ocsp %ocsp-good.der", 0, "good"),
            ("--crl %revoked.crl", 1, "revoked"),
            ("--ocsp %ocsp-revoked.der", 1, "revoked"),
            ("--crl %good.crl --crl %revoked.crl", 1, "revoked"),
        ] {
            let ran = world.json(&format!("{line} {evidence}"));
            assert_eq!(ran.status, status, "{line} {evidence}: {}", ran.json);
            assert_eq!(ran.json["signers"][0]["checks"]["revocation"], check, "{line} {evidence}");
            assert_eq!(ran.reasons().contains(&"revoked"), check == "revoked", "{}", ran.json);
        }
        let ran = world.json(&format!("{line} --policy-oid 1.2.3.4 --explicit-policy"));
        ran.is(1, "invalid", &["no-valid-policy"]);
        assert_eq!(ran.json["signers"][0]["checks"]["chain"], "invalid");
    }
}

#[test]
fn sm2_readings() {
    let world = World::new();
    let line = "verify @signed/openssl40-sm2-noattr-rawdigest.der --trust @keys/sm2-ca.crt";
    world.json(line).is(1, "invalid", &["sm2-raw-digest"]);
    let ran = world.json(&format!("{line} --sm2-raw-digest"));
    assert!(ran.is(0, "valid", &[]).tolerances().contains(&"sm2-raw-digest"));
    // An identifier that was not needed changes nothing; the empty one can be named.
    for id in ["alice", "''"] {
        let usual = format!("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt --sm2-id {id}");
        world.json(&usual).is(0, "valid", &[]);
    }
}

#[test]
fn several_signers() {
    let world = World::new();
    let key = |name: &str| format!("--key @keys/{name}.key --cert @keys/{name}.crt");
    let line = format!("sign @msg.txt {} {} --out $two.p7m", key("rsa-sig"), key("sm2-sig"));
    let ran = world.json(&line);
    assert_eq!(ran.json["signers"].as_array().unwrap().len(), 2);
    let both = "verify $two.p7m --trust @keys/rsa-ca.crt --trust @keys/sm2-ca.crt";
    let rsa = "verify $two.p7m --trust @keys/rsa-ca.crt --email alice@example.test";
    assert_eq!(world.json(both).is(0, "valid", &[]).json["signers"].as_array().unwrap().len(), 2);
    for (rule, status) in [("any", 0), ("all", 1), ("suite:rsa", 0), ("suite:sm2", 1)] {
        assert_eq!(world.json(&format!("{rsa} --signers {rule}")).status, status, "{rule}");
        assert_eq!(world.json(&format!("{both} --signers {rule}")).status, 0, "{rule}");
    }
    let ran = world.json("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt --signers suite:rsa");
    ran.is(1, "policy", &["suite-missing"]);
}

#[test]
fn out_gets_the_content_of_a_valid_message_only() {
    let world = World::new();
    world.json("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt --out $content").is(0, "valid", &[]);
    assert_eq!(world.read("content"), file("peers/msg.txt"));
    world.json("verify @signed/bc172-sm2.der --out $other").is(1, "invalid", &["no-anchors-given"]);
    assert_eq!(world.names(), ["content"]);
}

#[test]
fn standard_input_and_certificates_from_elsewhere() {
    let mut world = World::new();
    world.stdin = file("peers/signed/bc172-sm2.der");
    world.json("verify - --trust @keys/sm2-ca.crt").is(0, "valid", &[]);
    // A message without its signer's certificate.
    let line = "sign @msg.txt --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $m.p7m";
    world.json(line).is(0, "valid", &[]);
    world.json("verify $m.p7m --trust @keys/rsa-ca.crt --certs @keys/rsa-sig.crt").is(0, "valid", &[]);
}

#[test]
fn limits_are_kept() {
    let world = World::new();
    let line = "verify @signed/openssl30-rsa-pkcs1-ber.der --trust @keys/rsa-ca.crt";
    world.json(&format!("{line} --limits message_bytes=100")).is(2, "limit", &["too-large"]);
    world.json(&format!("{line} --limits signer_infos=0")).is(2, "limit", &["limit-exceeded"]);
    world.json(&format!("{line} --limits asn1_depth=3")).is(2, "limit", &["limit-exceeded"]);
}

#[test]
fn the_text_says_the_verdict_first_then_why_then_what_to_do() {
    let text = World::new()
        .text("verify @signed/bc172-sm2.der --email m@example.test --trust @keys/sm2-ca.crt")
        .out();
    assert!(text.starts_with("identity-mismatch: "), "{text}");
    let why = text.find("\nWhy\n  from-does-not-match: the certificate does not name").unwrap();
    assert!(text[why..].contains("\n    show both mailboxes\n"), "{text}");
    assert!(text.contains("  subject       CN=alice sm2 sig,"), "{text}");
}

/// The options of the verifying commands are the same for all of them; a signature has no order of parts.
#[test]
fn the_order_of_ciphertexts_is_taken_by_every_verifying_command() {
    let world = World::new();
    for order in ["c1c3c2", "c1c2c3", "der"] {
        for line in [
            "verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt",
            "verify @eml/tongsuo85-sm2-multipart.eml --mail --trust @keys/sm2-ca.crt",
            "cert verify @keys/sm2-sig.crt --trust @keys/sm2-ca.crt",
            "timestamp verify @tsp/bc186-sm2-sm3.tsr --data @msg.txt --trust @keys/sm2-ca.crt",
            "open @eml/tongsuo85-sm2-multipart.eml --trust @keys/sm2-ca.crt",
        ] {
            world.json(&format!("{line} --sm2-order {order}")).is(0, "valid", &[]);
        }
    }
    world.json("verify @signed/bc172-sm2.der --sm2-order c2c1c3").is(2, "error", &["usage"]);
    world.json("cert verify @keys/sm2-sig.crt --sm2-order").is(2, "error", &["usage"]);
}

/// What would decide more is named: in words, and as addresses where the certificate has some.
#[test]
fn what_a_reason_advises_can_be_done_here() {
    let world = World::new();
    let text = world.text("verify %old-sha1.der --trust %old-ca.crt --at never").out();
    assert!(text.contains("look again under `--policy legacy`"), "{text}");
    let text = world.text("verify @signed/openssl40-sm2-noattr-rawdigest.der --trust @keys/sm2-ca.crt").out();
    assert!(text.contains("`--sm2-raw-digest` allows it"), "{text}");
    let told = world.text("verify @signed/openssl30-rsa-pkcs1-ber.der --limits signer_infos=0").stderr;
    assert!(told.contains("--limits sets another bound"), "{told}");
    for line in [
        "verify %opaque.eml --limits header_bytes=1",
        "cert verify @keys/rsa-sig.crt --crl %good.crl --limits crl_bytes=3",
    ] {
        let ran = world.json(line);
        ran.is(2, "limit", &["limit-exceeded"]);
        let message = ran.json["message"].as_str().unwrap();
        assert!(!message.contains("Limits") && !message.contains("::"), "{message}");
    }
    world.json("cert verify @keys/rsa-sig.crt --ocsp %ocsp-good.der --limits crl_bytes=3").is(
        2,
        "limit",
        &["limit-exceeded"],
    );
}

/// Weak keys and digests are the policy's to refuse: the mathematics hold.
#[test]
fn what_only_the_policy_refuses_is_policy() {
    let world = World::new();
    for (message, reason) in [
        ("openssl30-rsa-sha1", "weak-digest"),
        ("openssl30-p256-sha1", "weak-digest"),
        ("openssl30-rsa1024", "weak-key"),
        ("openssl30-sha1-certificate", "weak-digest"),
    ] {
        let line = format!("verify ^signed/{message}.der --trust @keys/rsa-ca.crt --trust @keys/p256-ca.crt");
        let ran = world.json(&line);
        ran.is(1, "policy", &[reason]).has(MEMBERS);
        let checks = &ran.json["signers"][0]["checks"];
        for (check, word) in
            [("signature", "valid"), ("digest", "valid"), ("chain", "valid"), ("policy", "invalid")]
        {
            assert_eq!(checks[check], word, "{message}: {checks}");
        }
        let ran = world.json(&format!("{line} --policy legacy"));
        assert_eq!(ran.is(0, "valid", &[]).tolerances(), [reason], "{message}");
    }
    for (message, tolerances) in
        [("openssl30-rsa-pss", &[][..]), ("openssl30-rsa-pss-longest-salt", &["pss-salt-length"])]
    {
        let ran = world.json(&format!("verify ^signed/{message}.der --trust @keys/rsa-ca.crt"));
        ran.is(0, "valid", &[]);
        let named: Vec<&str> = ran.tolerances().into_iter().filter(|word| word.starts_with("pss")).collect();
        assert_eq!(named, tolerances, "{message}: {}", ran.json);
    }
    world.json("verify ^signed/openssl30-rsa-pss-mask-sha1.der --trust @keys/rsa-ca.crt").is(
        1,
        "invalid",
        &["unsupported-signature-algorithm"],
    );
}
