//! The page of the command, row by row: each with every option it names, its verdict, exit status and members.
//! The rows that need a service are in `journey_cli/rows.rs`, challenge mails in `challenge_mail.rs`.

use super::support::World;

struct Row {
    line: &'static str,
    status: u8,
    verdict: &'static str,
    members: &'static str,
}

const fn row(line: &'static str, status: u8, verdict: &'static str, members: &'static str) -> Row {
    Row { line, status, verdict, members }
}

const VERIFY: &str = "signers time content_sha256 form";
const DECRYPT: &str = "recipient cipher authenticated content_sha256";
const OPEN: &str = "layers protected_headers";
const SIGN: &str = "algorithm form time";
const ENCRYPT: &str = "recipients cipher";
const STAMP: &str = "gen_time policy serial signer trust";
const CERT: &str = "chain level valid_policies lint";
const CSR: &str = "subject emails key usage";
const KEYS: &str = "keys certificates";

const ROWS: &[Row] = &[
    // inspect FILE
    row("inspect @signed/bc172-sm2.der", 0, "valid", "kind tree"),
    row("inspect %opaque.eml", 0, "valid", "kind tree"),
    row("inspect @p12/openssl30-sm2.p12", 0, "valid", "kind tree"),
    row("inspect $text", 2, "error", "message"),
    // verify FILE [--content F] [--email ADDR] [--mail]
    row("verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt", 0, "valid", VERIFY),
    row("verify %detached.der --content @msg.txt --trust @keys/rsa-ca.crt", 0, "valid", VERIFY),
    row("verify %opaque.eml --email alice@example.test --trust @keys/rsa-ca.crt", 0, "valid", VERIFY),
    row("verify %opaque.eml --mail --trust @keys/rsa-ca.crt", 0, "valid", VERIFY),
    row("verify %opaque.eml --email m@example.test --trust @keys/rsa-ca.crt", 1, "identity-mismatch", VERIFY),
    row("verify %opaque.eml", 1, "invalid", VERIFY),
    row("verify ^signed/openssl30-rsa1024.der --trust @keys/rsa-ca.crt", 1, "policy", VERIFY),
    row("verify $plain.eml --trust @keys/rsa-ca.crt", 1, "not-signed", VERIFY),
    row("verify @signed/bc172-sm2.der --limits asn1_depth=2", 2, "limit", "message"),
    // decrypt FILE (--key F [--cert F] | --p12 F --password P | --recipient-password P | --secret-key HEX …)
    row("decrypt $e.p7m --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --out $o", 0, "valid", DECRYPT),
    row("decrypt $e.p7m --key @keys/rsa-enc.key", 0, "valid", DECRYPT),
    row("decrypt $e.p7m --p12 $enc.p12 --password test", 0, "valid", DECRYPT),
    row("decrypt %password.der --recipient-password secret", 0, "unauthenticated", DECRYPT),
    row(
        "decrypt %shared-key.der --secret-key 000102030405060708090a0b0c0d0e0f --secret-key-id c0fefe",
        0,
        "unauthenticated",
        DECRYPT,
    ),
    row(
        "decrypt %encrypted-data.der --secret-key 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        0,
        "unauthenticated",
        DECRYPT,
    ),
    row("decrypt %compressed.der", 0, "unauthenticated", DECRYPT),
    row("decrypt $tag.p7m --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt", 1, "invalid", "message"),
    row("decrypt $e.p7m --key @keys/sm2-enc.key --cert @keys/sm2-enc.crt", 2, "error", "message"),
    // open FILE --key F --cert F
    row(
        "open %gcm-signed.eml --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --trust @keys/rsa-ca.crt --out $o",
        0,
        "valid",
        OPEN,
    ),
    row("open %cbc.eml --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt", 1, "unauthenticated", OPEN),
    row(
        "open %cbc.eml --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --accept-unauthenticated --out $o",
        0,
        "unauthenticated",
        OPEN,
    ),
    // sign FILE --key F --cert F [--certs F] [--mail|--detached] [--form …] --out F
    row(
        "sign @msg.txt --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --certs @keys/rsa-ca.crt --out $s",
        0,
        "valid",
        SIGN,
    ),
    row("sign $plain.eml --mail --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $s", 0, "valid", SIGN),
    row(
        "sign @msg.txt --detached --key @keys/sm2-sig.key --cert @keys/sm2-sig.crt --out $s",
        0,
        "valid",
        SIGN,
    ),
    row(
        "sign @msg.txt --form rfc5652 --key @keys/sm2-sig.key --cert @keys/sm2-sig.crt --out $s",
        0,
        "valid",
        SIGN,
    ),
    row(
        "sign @msg.txt --form gbt35275 --key @keys/sm2-sig.key --cert @keys/sm2-sig.crt --out $s",
        0,
        "valid",
        SIGN,
    ),
    // encrypt FILE --to CERT… [--cipher …] [--transport …] [--form …] --out F
    row("encrypt @msg.txt --to @keys/rsa-enc.crt @keys/sm2-enc.crt --out $c", 0, "valid", ENCRYPT),
    row(
        "encrypt @msg.txt --cipher aes-256-gcm --transport oaep --to @keys/rsa-enc.crt --out $c",
        0,
        "valid",
        ENCRYPT,
    ),
    row(
        "encrypt @msg.txt --cipher aes-256-cbc --transport pkcs1 --to @keys/rsa-enc.crt --out $c",
        0,
        "valid",
        ENCRYPT,
    ),
    row(
        "encrypt @msg.txt --cipher sm4-gcm --form rfc5652 --to @keys/sm2-enc.crt --out $c",
        0,
        "valid",
        ENCRYPT,
    ),
    row(
        "encrypt @msg.txt --cipher sm4-cbc --form gbt35275 --to @keys/sm2-enc.crt --out $c",
        0,
        "valid",
        ENCRYPT,
    ),
    // timestamp request | verify FILE [--request F] [--data F | --data-sha256 HEX] --trust F
    row("timestamp request --data @msg.txt --out $q", 0, "valid", STAMP),
    row(
        "timestamp verify @tsp/openssl30-rsa-sha256.tsr --request @tsp/sha256.tsq --data @msg.txt --trust @keys/rsa-ca.crt",
        0,
        "valid",
        STAMP,
    ),
    row(
        "timestamp verify @tsp/openssl30-rsa-sha256.tsr --trust @keys/rsa-ca.crt \
         --data-sha256 db29d95a2f59dd0eec2722f8d1c7d663e713a6833f9eb1bda64c3887a7197902",
        0,
        "valid",
        STAMP,
    ),
    row("timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt", 1, "invalid", STAMP),
    // cert verify FILE [--email ADDR] [--purpose sign|encrypt|timestamp|any]
    row(
        "cert verify @keys/rsa-sig.crt --email alice@example.test --purpose sign --trust @keys/rsa-ca.crt",
        0,
        "valid",
        CERT,
    ),
    row("cert verify @keys/rsa-enc.crt --purpose encrypt --trust @keys/rsa-ca.crt", 0, "valid", CERT),
    row("cert verify @keys/rsa-tsa.crt --purpose timestamp --trust @keys/rsa-ca.crt", 0, "valid", CERT),
    row("cert verify @keys/rsa-tsa.crt --purpose any --trust @keys/rsa-ca.crt", 0, "valid", CERT),
    row("cert verify %old.crt --trust %old-ca.crt --at never", 1, "policy", CERT),
    row("cert verify @keys/rsa-sig.crt", 1, "invalid", CERT),
    // csr FILE
    row("csr @keys/sm2-sig.csr", 0, "valid", CSR),
    // p12 FILE --password P, key FILE --password P
    row("p12 @p12/openssl30-sm2.p12 --password test", 0, "valid", KEYS),
    row("p12 @p12/openssl30-sm2.p12 --password test --out $pem", 0, "valid", KEYS),
    row("key %encrypted.key --password test", 0, "valid", KEYS),
    row("key @keys/p256-sig.key --out $pem", 0, "valid", KEYS),
];

fn prepared() -> World {
    let world = World::new();
    world.write("text", "just words\n");
    world.write("plain.eml", "From: alice@example.test\r\nSubject: x\r\n\r\nhi\r\n");
    world.json("encrypt @msg.txt --to @keys/rsa-enc.crt --out $e.p7m").is(0, "valid", &[]);
    let mut changed = world.read("e.p7m");
    *changed.last_mut().unwrap() ^= 1;
    world.write("tag.p7m", changed);
    world.write("enc.p12", super::support::file("openssl/rsa-enc.p12"));
    world
}

#[test]
fn every_row_does_what_it_says() {
    let world = prepared();
    for Row { line, status, verdict, members } in ROWS {
        let ran = world.json(line);
        assert_eq!((ran.status, ran.verdict()), (*status, *verdict), "{line}: {}", ran.json);
        ran.has(&members.split(' ').collect::<Vec<_>>());
        // Every verdict but those two has its own exit status.
        let expected = match ran.verdict() {
            "valid" | "accept" => 0,
            "unauthenticated" => ran.status,
            "limit" | "error" => 2,
            _ => 1,
        };
        assert_eq!(ran.status, expected, "{line}");
        assert!(ran.status == 0 || !ran.reasons().is_empty(), "{line}: {}", ran.json);
        // The same without --json, the verdict first; an error goes to stderr alone.
        let text = world.text(line);
        assert_eq!(text.status, *status, "{line}");
        if *status == 2 {
            assert!(text.stdout.is_empty() && text.stderr.starts_with("aecm: "), "{line}: {}", text.stderr);
        }
    }
}

/// The members below the first level.
#[test]
fn members_of_members() {
    let world = prepared();
    let has = |line: &str, place: &str, members: &str| {
        let ran = world.json(line);
        let found = ran.json.pointer(place).unwrap_or_else(|| panic!("{line}: no {place}: {}", ran.json));
        for member in members.split(' ') {
            assert!(found.get(member).is_some(), "{line}: {place} has no {member}: {found}");
        }
    };
    let verify = "verify @signed/bc172-sm2.der --trust @keys/sm2-ca.crt";
    has(verify, "/signers/0", "subject emails serial sha256 algorithm level checks");
    has(
        verify,
        "/signers/0/checks",
        "signature digest attributes chain usage identity revocation time policy",
    );
    has(verify, "/time", "claimed proven authority");
    let open =
        "open %gcm-signed.eml --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --trust @keys/rsa-ca.crt";
    has(open, "/layers/0", "kind recipient cipher authenticated content_sha256");
    has(open, "/layers/1", "kind signers time content_sha256 form");
    has("encrypt @msg.txt --to @keys/rsa-enc.crt --out $c", "/recipients/0", "why");
    let stamp = "timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt --trust @keys/rsa-ca.crt";
    has(stamp, "/signer", "subject sha256");
    has("key @keys/p256-sig.key", "/keys/0", "algorithm bits matches");
    has("p12 @p12/openssl30-sm2.p12 --password test", "/keys/0", "algorithm bits matches");
    has("p12 @p12/openssl30-sm2.p12 --password test", "/certificates/0", "subject serial sha256");
}

/// Every option of the verifying commands, on each of them.
#[test]
fn the_options_of_the_verifying_commands() {
    let world = prepared();
    let commands = [
        "verify %attached.pem --trust @keys/rsa-ca.crt --tsa-trust @keys/sm2-ca.crt",
        "verify @eml/openssl30-rsa-multipart.eml --mail --trust @keys/rsa-ca.crt --tsa-trust @keys/sm2-ca.crt",
        "open @eml/openssl30-rsa-multipart.eml --trust @keys/rsa-ca.crt --tsa-trust @keys/sm2-ca.crt",
        "cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt --tsa-trust @keys/sm2-ca.crt",
        "timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt --trust @keys/rsa-ca.crt",
    ];
    for command in commands {
        for option in [
            "",
            "--trust @keys/sm2-ca.crt",
            "--certs @keys/rsa-ca.crt --certs @keys/sm2-ca.crt",
            "--crl %good.crl --crl %good.crl",
            "--at 2026-12-02T00:00:00Z",
            "--at never",
            "--policy modern",
            "--policy legacy",
            "--signers any",
            "--signers all",
            "--signers suite:rsa",
            "--sm2-id alice",
            "--sm2-id ''",
            "--sm2-raw-digest",
            "--sm2-order c1c3c2",
            "--policy-oid 1.2.3 2.3.4",
            "--inhibit-mapping --inhibit-any",
            "--limits asn1_depth=32,certificates=10",
        ] {
            let ran = world.json(&format!("{command} {option}"));
            assert_eq!((ran.status, ran.verdict()), (0, "valid"), "{command} {option}: {}", ran.json);
        }
        let ran = world.json(&format!("{command} --explicit-policy --policy-oid 1.2.3"));
        assert_eq!((ran.status, ran.verdict()), (1, "invalid"), "{command}: {}", ran.json);
    }
}
