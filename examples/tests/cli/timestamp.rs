//! `aecm timestamp`

use super::support::{World, file};

const MEMBERS: &[&str] = &["gen_time", "policy", "serial", "signer", "trust"];
const RSA: &str = "timestamp verify @tsp/openssl30-rsa-sha256.tsr --trust @keys/rsa-ca.crt";

#[test]
fn peers_answers_hold() {
    let world = World::new();
    let ran = world.json(&format!("{RSA} --request @tsp/sha256.tsq --data @msg.txt"));
    ran.is(0, "valid", &[]).has(MEMBERS);
    assert_eq!(ran.json["gen_time"], "2026-11-23T17:12:50Z");
    assert_eq!((&ran.json["policy"], &ran.json["serial"]), (&"1.2.3.4.1".into(), &"01".into()));
    assert_eq!(ran.json["signer"]["subject"], "CN=alice rsa tsa,O=AECM peer test,C=CN");
    assert_eq!(ran.json["signer"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(ran.json["trust"], "tsa");
    let line = "timestamp verify @tsp/bc186-sm2-sm3.tsr --request @tsp/sm3.tsq --trust @keys/sm2-ca.crt";
    assert_eq!(world.json(line).is(0, "valid", &[]).json["trust"], "tsa");
}

#[test]
fn what_it_has_to_be_about() {
    let world = World::new();
    world.json(&format!("{RSA} --data @msg.txt")).is(0, "valid", &[]);
    let sha256 = super::support::CONTENT_SHA256;
    world.json(&format!("{RSA} --data-sha256 {sha256}")).is(0, "valid", &[]);
    world.json(RSA).is(0, "valid", &["imprint-not-compared"]);
    let other = "00".repeat(32);
    let mismatch = &["timestamp-imprint-mismatch"];
    world.json(&format!("{RSA} --data-sha256 {other}")).is(1, "invalid", mismatch).has(MEMBERS);
    world.json(&format!("{RSA} --data @keys/rsa-ca.crt")).is(1, "invalid", mismatch);
    world.json(&format!("{RSA} --request @tsp/sm3.tsq")).is(1, "invalid", mismatch);
    let sm3 = "timestamp verify @tsp/bc186-sm2-sm3.tsr --trust @keys/sm2-ca.crt";
    world.json(&format!("{sm3} --data-sha256 {sha256}")).is(1, "invalid", mismatch);
    // The same imprint, another nonce: an answer to another request.
    let digest = format!("timestamp request --data-sha256 {sha256} --out $q.tsq");
    world.json(&digest).is(0, "valid", &[]);
    let ran = world.json(&format!("{RSA} --request $q.tsq"));
    assert_eq!((ran.status, ran.verdict()), (1, "invalid"));
    assert!(ran.reasons()[0].starts_with("timestamp-"), "{}", ran.json);
}

#[test]
fn whom_to_trust_and_when() {
    let world = World::new();
    let ran = world.json("timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt");
    ran.is(1, "invalid", &["no-anchors-given"]).has(MEMBERS);
    // What it says is shown, and that nobody vouches for it.
    let ran = ran.json.clone();
    assert_eq!((&ran["gen_time"], &ran["policy"]), (&"2026-11-23T17:12:50Z".into(), &"1.2.3.4.1".into()));
    assert_eq!(ran["signer"]["subject"], "CN=alice rsa tsa,O=AECM peer test,C=CN");
    assert!(ran["serial"] == "01" && ran["trust"].is_null(), "{ran}");
    let text = world.text("timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt").out();
    assert!(text.contains("it says; nobody who is trusted here vouches for it"), "{text}");
    // A refusal says nothing at all.
    let ran = world.json("timestamp verify @tsp/openssl30-rejection-status.tsr --trust @keys/rsa-ca.crt");
    assert!(
        ran.status == 1 && ran.json["gen_time"].is_null() && ran.json["signer"].is_null(),
        "{}",
        ran.json
    );
    let line = "timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt --trust @keys/sm2-ca.crt";
    world.json(line).is(1, "invalid", &["timestamp-no-path-to-anchor"]);
    let line = format!("{RSA} --data @msg.txt");
    world.json(&format!("{line} --at 2047-01-01T00:00:00Z")).is(1, "invalid", &["expired"]);
    World::at("2047-01-01T00:00:00Z").json(&line).is(1, "invalid", &["expired"]);
    World::at("2047-01-01T00:00:00Z").json(&format!("{line} --at gentime")).is(0, "valid", &[]);
    world.json(&format!("{line} --at never")).is(0, "valid", &[]);
    // Another CA's list says nothing, and that is said.
    world.write("other.crl", include_str!("../../../aecm-core/tests/vectors/revocation/p256-ca.crl"));
    world.json(&format!("{line} --crl $other.crl")).is(0, "valid", &["revocation-unknown"]);
    for (evidence, status, reasons) in
        [("--crl %good.crl", 0, &[][..]), ("--policy-oid 9.9 --explicit-policy", 2, &["usage"])]
    {
        let ran = world.json(&format!("{line} {evidence}"));
        assert_eq!((ran.status, ran.reasons()), (status, reasons.to_vec()), "{evidence}: {}", ran.json);
    }
    world.json(&format!("{line} --policy-oid 1.9.9 --explicit-policy")).is(
        1,
        "invalid",
        &["no-valid-policy"],
    );
    world.json(&format!("{line} --at 2026-11-23T12:00:00Z")).is(1, "invalid", &["timestamp-in-the-future"]);
}

#[test]
fn refusals_and_bare_tokens() {
    let world = World::new();
    let line = "timestamp verify @tsp/openssl30-rejection-status.tsr --trust @keys/rsa-ca.crt";
    world.json(line).is(1, "invalid", &["timestamp-rejected"]).has(MEMBERS);
    // The token of an answer, by itself: status is SEQUENCE { INTEGER 0 }.
    let answer = file("peers/tsp/openssl30-rsa-sha256.tsr");
    let place = answer.windows(5).position(|window| window == [0x30, 3, 2, 1, 0]).unwrap() + 5;
    world.write("bare.tst", &answer[place..]);
    world.json("timestamp verify $bare.tst --data @msg.txt --trust @keys/rsa-ca.crt --out $same").is(
        0,
        "valid",
        &[],
    );
    assert_eq!(world.read("same"), &answer[place..]);
    // grantedWithMods.
    let mut modified = answer;
    modified[place - 1] = 1;
    world.write("modified.tsr", modified);
    let line = "timestamp verify $modified.tsr --data @msg.txt --trust @keys/rsa-ca.crt";
    world.json(line).is(0, "valid", &["timestamp-granted-with-mods"]);
}

#[test]
fn requests() {
    let world = World::new();
    for options in [
        "--data @msg.txt",
        "@msg.txt --digest sm3",
        "--data @msg.txt --tsa-policy 1.2.3.4.1 --no-certificates",
        "--data-sha256 db29d95a2f59dd0eec2722f8d1c7d663e713a6833f9eb1bda64c3887a7197902",
    ] {
        let ran = world.json(&format!("timestamp request {options} --out $q"));
        ran.is(0, "valid", &[]).has(MEMBERS).has(&["imprint", "nonce"]);
        assert_eq!(world.json("inspect $q").json["kind"], "timestamp-request");
    }
}

/// A small authority, a stamp fetched from it, a signature stamped by it.
#[test]
fn an_authority_of_our_own() {
    let world = World::new();
    let ready = world.path("ready");
    let serve = "timestamp serve --key @keys/rsa-tsa.key --cert @keys/rsa-tsa.crt --certs @keys/rsa-ca.crt \
                 --tsa-policy 1.2.3.4 --answers 6";
    let served = World::new();
    let line = format!("{serve} --ready {}", ready.display());
    let authority = std::thread::spawn(move || served.json(&line).status);
    let url = loop {
        match std::fs::read_to_string(&ready) {
            Ok(text) => {
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                break json["url"].as_str().unwrap().to_owned();
            }
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    let ran = world.json(&format!(
        "timestamp request --data @msg.txt --url {url} --tsa-trust @keys/rsa-ca.crt --out $t.tst"
    ));
    ran.is(0, "valid", &[]);
    assert_eq!((&ran.json["gen_time"], &ran.json["trust"]), (&"2026-12-01T00:00:00Z".into(), &"tsa".into()));
    assert_eq!(ran.json["nonce"].as_str().unwrap().len(), 16, "{}", ran.json);
    let line = "timestamp verify $t.tst --data @msg.txt --trust @keys/rsa-ca.crt";
    assert_eq!(world.json(line).is(0, "valid", &[]).json["policy"], "1.2.3.4");
    // The whole answer (RFC 3161 §2.4.2): a SEQUENCE whose status is the INTEGER granted.
    assert_eq!(world.json("inspect $t.tst").json["kind"], "timestamp-response");
    let ran = world.json(&format!("timestamp request --data @msg.txt --url {url} --out $u.tst"));
    ran.is(0, "valid", &["no-tsa-anchor"]);
    assert_eq!(ran.json["gen_time"], "2026-12-01T00:00:00Z");
    assert!(ran.json["trust"].is_null() && ran.json["nonce"].is_string(), "{}", ran.json);
    let wrong = format!("timestamp request --data @msg.txt --url {url} --tsa-policy 9.9 --out $x");
    assert_eq!(world.json(&wrong).status, 2);
    let wrong = format!("timestamp request --data @msg.txt --url {url} --tsa-policy 1.9.9 --out $x");
    world.json(&wrong).is(2, "error", &["timestamp-rejected"]);

    let sign = format!("sign @msg.txt --key @keys/sm2-sig.key --cert @keys/sm2-sig.crt --timestamp {url}");
    let ran = world.json(&format!("{sign} --tsa-trust @keys/rsa-ca.crt --out $s.p7m"));
    ran.is(0, "valid", &[]);
    assert_eq!(ran.json["time"]["proven"], "2026-12-01T00:00:00Z");
    assert!(ran.json["time"]["authority"].as_str().unwrap().contains("rsa tsa"));
    let verify = "verify $s.p7m --trust @keys/sm2-ca.crt";
    let ran = world.json(&format!("{verify} --tsa-trust @keys/rsa-ca.crt"));
    assert_eq!(ran.is(0, "valid", &[]).json["time"]["proven"], "2026-12-01T00:00:00Z");
    assert_eq!(ran.json["signers"][0]["checks"]["time"], "valid");
    // Without anchors nothing is proven, and it is said; the signature holds all the same.
    let ran = world.json(verify);
    assert!(ran.is(0, "valid", &["no-tsa-anchor"]).json["time"]["proven"].is_null());
    // Years later the stamp shows that the signer's certificate was valid when it signed.
    let late = format!("{verify} --tsa-trust @keys/rsa-ca.crt --at 2047-01-01T00:00:00Z");
    world.json(&late).is(0, "valid", &[]);
    world.json(&format!("{verify} --tsa-trust @keys/rsa-ca.crt --at gentime")).is(0, "valid", &[]);
    world.json(&format!("{sign} --out $w.p7m")).is(0, "valid", &["no-tsa-anchor"]);
    let wrong = format!("{sign} --tsa-trust @keys/sm2-ca.crt --out $x");
    world.json(&wrong).is(2, "error", &["timestamp-no-path-to-anchor"]);
    assert!(!world.names().contains(&"x".to_owned()));
    assert_eq!(authority.join().unwrap(), 0);
}

#[test]
fn an_authority_wants_a_key_for_timestamps_and_loopback() {
    let world = World::new();
    let rsa = "--key @keys/rsa-sig.key --cert @keys/rsa-sig.crt";
    world.json(&format!("timestamp serve {rsa}")).is(2, "error", &["timestamp-sign"]);
    let tsa = "--key @keys/rsa-tsa.key --cert @keys/rsa-tsa.crt";
    world.json(&format!("timestamp serve {tsa} --listen 0.0.0.0:0")).is(2, "error", &["usage"]);
    world.json("timestamp serve").is(2, "error", &["usage"]);
}
