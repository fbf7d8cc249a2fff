//! Bad inputs, one table: what is asked, what it exits with, the reason, and that nothing is left behind.

use super::support::World;

type Row = (&'static str, u8, &'static str);

/// `$empty`, `$text`, `$cut.der`, `$zeros`, `$folder`, `$object`, `$cut.pem` and `$wrong.pem` are made by the test; `$out` must
/// never come to be. Exit status and reason are those of every run, with and without `--json`.
const ROWS: &[Row] = &[
    // No command, half a command, unknown options.
    ("", 2, "usage"),
    ("nonsense", 2, "usage"),
    ("verify", 2, "usage"),
    ("verify --nonsense", 2, "usage"),
    ("verify @msg.txt --trust", 2, "usage"),
    ("timestamp", 2, "usage"),
    ("timestamp nonsense", 2, "usage"),
    ("cert", 2, "usage"),
    ("cert verify", 2, "usage"),
    ("sign @msg.txt --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt", 2, "usage"),
    ("encrypt @msg.txt --out $out", 2, "usage"),
    // Files that are not there, are folders, are empty.
    ("verify $absent", 2, "file-unreadable"),
    ("verify $folder", 2, "file-unreadable"),
    ("verify $empty", 2, "malformed"),
    ("decrypt $absent", 2, "file-unreadable"),
    ("decrypt $empty", 2, "malformed"),
    ("open $absent", 2, "file-unreadable"),
    ("open $folder", 2, "file-unreadable"),
    ("open $empty", 2, "malformed"),
    ("inspect $absent", 2, "file-unreadable"),
    ("inspect $empty", 2, "malformed"),
    ("inspect $folder", 2, "file-unreadable"),
    ("csr $absent", 2, "file-unreadable"),
    ("csr $empty", 2, "malformed"),
    ("key $absent", 2, "file-unreadable"),
    ("key $empty", 2, "malformed"),
    ("cert verify $absent", 2, "file-unreadable"),
    ("cert verify $empty", 2, "wrong-kind"),
    ("timestamp verify $absent", 2, "file-unreadable"),
    ("timestamp verify $empty", 2, "malformed"),
    ("timestamp request --data $absent --out $out", 2, "file-unreadable"),
    ("sign $absent --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $out", 2, "file-unreadable"),
    ("encrypt $absent --to @keys/rsa-enc.crt --out $out", 2, "file-unreadable"),
    ("encrypt @msg.txt --to $absent --out $out", 2, "file-unreadable"),
    ("verify @signed/bc172-sm2.der --trust $absent", 2, "file-unreadable"),
    ("verify @signed/bc172-sm2.der --tsa-trust $absent", 2, "file-unreadable"),
    ("verify @signed/bc172-sm2.der --certs $absent", 2, "file-unreadable"),
    ("verify %detached.der --content $absent", 2, "file-unreadable"),
    ("cert verify @keys/rsa-sig.crt --crl $absent", 2, "file-unreadable"),
    ("cert verify @keys/rsa-sig.crt --ocsp $absent", 2, "file-unreadable"),
    // Cut off and rubbish.
    ("verify $cut.der", 2, "malformed"),
    ("verify $zeros", 2, "malformed"),
    ("verify $cut.pem", 2, "malformed"),
    ("decrypt $cut.der", 2, "malformed"),
    ("inspect $cut.der", 2, "malformed"),
    ("inspect $zeros", 2, "malformed"),
    ("csr $cut.der", 2, "malformed"),
    ("key $cut.der", 2, "malformed"),
    ("cert verify $cut.der", 2, "malformed"),
    ("timestamp verify $cut.der", 2, "malformed"),
    ("verify @signed/bc172-sm2.der --trust $text", 2, "wrong-kind"),
    ("verify @signed/bc172-sm2.der --trust $wrong.pem", 2, "malformed"),
    ("cert verify @keys/rsa-sig.crt --crl $text", 2, "wrong-kind"),
    ("cert verify @keys/rsa-sig.crt --crl $cut.der", 2, "malformed"),
    ("cert verify @keys/rsa-sig.crt --ocsp $cut.der", 2, "malformed"),
    ("cert verify @keys/rsa-sig.crt --ocsp @keys/rsa-sig.crt", 2, "wrong-kind"),
    ("timestamp verify @tsp/openssl30-rsa-sha256.tsr --request $text", 2, "malformed"),
    // Another kind of file.
    ("verify @keys/rsa-sig.crt", 2, "wrong-kind"),
    ("verify @keys/rsa-sig.key", 2, "wrong-kind"),
    ("verify @enveloped/openssl30-oaep-gcm.der", 2, "wrong-kind"),
    ("verify %cbc.eml --trust @keys/rsa-ca.crt", 2, "wrong-kind"),
    ("verify %cbc.eml --trust @keys/rsa-ca.crt --mail", 2, "wrong-kind"),
    ("verify @signed/bc172-sm2.der --mail", 2, "wrong-kind"),
    ("decrypt @signed/bc172-sm2.der", 2, "wrong-kind"),
    ("decrypt $mail", 2, "wrong-kind"),
    ("open @signed/bc172-sm2.der", 2, "wrong-kind"),
    ("open @keys/rsa-sig.crt", 2, "wrong-kind"),
    ("cert verify @keys/rsa-sig.key", 2, "wrong-kind"),
    ("csr @keys/rsa-sig.crt", 2, "malformed"),
    ("key @keys/rsa-sig.crt", 2, "malformed"),
    ("timestamp verify @keys/rsa-sig.crt", 2, "malformed"),
    ("timestamp verify @tsp/sha256.tsq", 2, "malformed"),
    ("encrypt @msg.txt --to @keys/rsa-enc.key --out $out", 2, "wrong-kind"),
    ("sign @msg.txt --key @keys/rsa-sig.crt --cert @keys/rsa-sig.crt --out $out", 2, "malformed"),
    ("sign @msg.txt --key @keys/rsa-sig.key --cert @keys/rsa-sig.key --out $out", 2, "wrong-kind"),
    // Options with values that are none.
    ("verify @signed/bc172-sm2.der --at yesterday", 2, "usage"),
    ("verify @signed/bc172-sm2.der --at 2026-02-30T00:00:00Z", 2, "usage"),
    ("verify @signed/bc172-sm2.der --policy strict", 2, "usage"),
    ("verify @signed/bc172-sm2.der --signers some", 2, "usage"),
    ("verify @signed/bc172-sm2.der --email nobody", 2, "usage"),
    ("verify @signed/bc172-sm2.der --limits speed=1", 2, "usage"),
    ("verify @signed/bc172-sm2.der --limits asn1_depth=many", 2, "usage"),
    ("cert verify @keys/rsa-sig.crt --policy-oid one.two", 2, "usage"),
    ("cert verify @keys/rsa-sig.crt --purpose fun", 2, "usage"),
    ("cert verify @keys/rsa-sig.crt --at gentime", 2, "usage"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --sm2-order c3c2c1", 2, "usage"),
    ("encrypt @msg.txt --to @keys/rsa-enc.crt --cipher des --out $out", 2, "usage"),
    ("encrypt @msg.txt --to @keys/rsa-enc.crt --cipher aes-192-cbc --out $out", 2, "usage"),
    ("encrypt @msg.txt --to @keys/rsa-enc.crt --transport carrier-pigeon --out $out", 2, "usage"),
    ("encrypt @msg.txt --to @keys/rsa-enc.crt --form pkcs7 --out $out", 2, "usage"),
    ("key @keys/rsa-sig.key --to jwk --out $out", 2, "usage"),
    ("timestamp verify @tsp/openssl30-rsa-sha256.tsr --data-sha256 abc", 2, "usage"),
    ("timestamp request --data @msg.txt --digest md5 --out $out", 2, "usage"),
    ("timestamp request --data @msg.txt --url ftp://tsa.example/ --out $out", 2, "usage"),
    ("timestamp request --data @msg.txt --tsa-policy x --out $out", 2, "usage"),
    // Options that do not go together.
    ("verify %opaque.eml --mail --email a@example.test", 2, "usage"),
    ("verify %opaque.eml --content @msg.txt", 2, "two-contents"),
    (
        "sign @msg.txt --mail --detached --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $out",
        2,
        "usage",
    ),
    ("sign @msg.txt --opaque --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $out", 2, "usage"),
    ("encrypt @msg.txt --mail --cms --to @keys/rsa-enc.crt --out $out", 2, "usage"),
    ("key @keys/rsa-sig.key --to der", 2, "usage"),
    ("key @keys/rsa-sig.key --password a --password-file $text", 2, "usage"),
    ("timestamp verify @tsp/openssl30-rsa-sha256.tsr --data @msg.txt --data-sha256 00", 2, "usage"),
    ("timestamp request --out $out", 2, "usage"),
    ("timestamp request @msg.txt --data @msg.txt --out $out", 2, "usage"),
    (
        "sign @msg.txt --timestamp https://tsa.example/ --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $out",
        2,
        "usage",
    ),
    // Keys and certificates that do not.
    (
        "decrypt @enveloped/openssl30-oaep-gcm.der --key @keys/rsa-enc.key --cert @keys/sm2-enc.crt",
        2,
        "key-mismatch",
    ),
    ("decrypt @enveloped/openssl30-oaep-gcm.der", 2, "no-matching-key"),
    ("key %ed25519.key", 2, "unsupported"),
    ("encrypt @msg.txt --to @keys/p256-sig.crt --out $out", 2, "usage-not-allowed"),
    ("encrypt @msg.txt --to @keys/rsa-ca.crt --out $out", 2, "not-a-leaf"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --secret-key 00", 2, "usage"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --secret-key-id 00", 2, "usage"),
    (
        "decrypt @enveloped/openssl30-oaep-gcm.der --secret-key 000102030405060708090a0b0c0d0e0f",
        2,
        "no-matching-key",
    ),
    (
        "decrypt @enveloped/openssl30-oaep-gcm.der --recipient-password a --recipient-password-file b",
        2,
        "usage",
    ),
    ("key %encrypted.key", 2, "password-missing"),
    ("key %encrypted.key --password wrong", 2, "wrong-password"),
    ("key %encrypted.key --password-file $absent", 2, "file-unreadable"),
    ("key %encrypted.key --password-file $zeros", 2, "wrong-password"),
    ("key @keys/rsa-sig.key --encrypt --out $out", 2, "password-missing"),
    ("key @keys/rsa-sig.key --encrypt", 2, "usage"),
    ("key @keys/rsa-sig.key --new-password x --out $out", 2, "usage"),
    // PKCS#12.
    ("p12", 2, "usage"),
    ("p12 $absent", 2, "file-unreadable"),
    ("p12 $empty", 2, "wrong-kind"),
    ("p12 $folder", 2, "file-unreadable"),
    ("p12 $text --password test", 2, "wrong-kind"),
    ("p12 $mail --password test", 2, "wrong-kind"),
    ("p12 @keys/rsa-sig.crt --password test", 2, "wrong-kind"),
    ("p12 %rsa-sig.p12", 2, "password-missing"),
    ("p12 %rsa-sig.p12 --password wrong", 2, "wrong-password"),
    ("p12 %rsa-sig.p12 --password ''", 2, "wrong-password"),
    ("p12 %rsa-sig.p12 --password a --password-file $text", 2, "usage"),
    ("p12 %rsa-sig.p12 --password test --to der --out $out", 2, "usage"),
    ("p12 %rsa-sig.p12 --password test --to p12 --out $out", 2, "usage"),
    ("p12 %rsa-sig.p12 --password test --to p12", 2, "usage"),
    ("p12 %rsa-sig.p12 --password test --encrypt --out $out", 2, "password-missing"),
    ("p12 %rsa-sig.p12 --password test --out $no/where", 2, "file-unwritable"),
    ("p12 %rsa-sig.p12 --password test --limits pbkdf2_iterations=100", 2, "limit-exceeded"),
    ("p12 %legacy-rc2.p12 --password test", 2, "unsupported"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --p12 %rsa-sig.p12 --password wrong", 2, "wrong-password"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --p12 %rsa-sig.p12 --password test", 2, "no-matching-key"),
    // Challenge mails.
    ("challenge-mail", 2, "usage"),
    ("challenge-mail $mail", 2, "usage"),
    ("challenge-mail $mail --challenge $object --dns", 2, "usage"),
    ("challenge-mail $absent --challenge $object --dns $object", 2, "file-unreadable"),
    ("challenge-mail $folder --challenge $object --dns $object", 2, "file-unreadable"),
    ("challenge-mail $mail --challenge $absent --dns $object", 2, "file-unreadable"),
    ("challenge-mail $mail --challenge $object --dns $absent", 2, "file-unreadable"),
    ("challenge-mail $mail --challenge $text --dns $object", 2, "malformed"),
    ("challenge-mail $mail --challenge $object --dns $text", 2, "malformed"),
    ("challenge-mail $mail --challenge $zeros --dns $object", 2, "malformed"),
    ("challenge-mail $mail --challenge $object --dns $object --signed-headers none", 2, "usage"),
    ("challenge-mail $mail --challenge $object --dns $object --limits message_bytes=1", 2, "too-large"),
    // An authority of one's own.
    ("timestamp serve", 2, "usage"),
    ("timestamp serve --key $absent --cert @keys/rsa-tsa.crt", 2, "file-unreadable"),
    ("timestamp serve --key @keys/rsa-tsa.key --cert @keys/rsa-tsa.crt --listen nowhere", 2, "usage"),
    ("timestamp serve --key @keys/rsa-tsa.key --cert @keys/rsa-sig.crt", 2, "key-mismatch"),
    // An authority that is not there.
    ("timestamp request --data @msg.txt --url http://127.0.0.1:1/ --out $out", 2, "timestamp-http"),
    (
        "sign @msg.txt --timestamp http://127.0.0.1:1/ --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $out",
        2,
        "timestamp-http",
    ),
    // Results that cannot be written.
    ("sign @msg.txt --key @keys/rsa-sig.key --cert @keys/rsa-sig.crt --out $no/where", 2, "file-unwritable"),
    ("encrypt @msg.txt --to @keys/rsa-enc.crt --out $folder", 2, "file-unwritable"),
    ("key @keys/rsa-sig.key --out $no/where", 2, "file-unwritable"),
    (
        "decrypt @enveloped/openssl30-oaep-gcm.der --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --out $text/below",
        2,
        "file-unwritable",
    ),
    ("timestamp request --data @msg.txt --out $no/where", 2, "file-unwritable"),
    // More than is worked on.
    ("verify @signed/bc172-sm2.der --limits message_bytes=10", 2, "too-large"),
    ("inspect @signed/bc172-sm2.der --limits message_bytes=10", 2, "too-large"),
    ("verify @signed/bc172-sm2.der --limits asn1_depth=2", 2, "limit-exceeded"),
    ("decrypt @enveloped/openssl30-oaep-gcm.der --limits recipient_infos=0", 2, "limit-exceeded"),
    ("open %opaque.eml --limits header_count=1", 2, "limit-exceeded"),
    (
        "open %gcm-signed.eml --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --limits crypto_layers=1",
        2,
        "limit-exceeded",
    ),
    ("timestamp verify @tsp/openssl30-rsa-sha256.tsr --limits tsa_answer_bytes=10", 2, "timestamp-too-large"),
];

fn prepared() -> World {
    let world = World::new();
    world.write("empty", "");
    world.write("text", "just words\n");
    world.write("zeros", [0; 100]);
    world.write("cut.der", &super::support::file("peers/signed/bc172-sm2.der")[..500]);
    let pem = super::support::file("openssl/attached.pem");
    world.write("cut.pem", &pem[..pem.len() / 2]);
    world.write("object", "{}");
    world.write("wrong.pem", "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n");
    world.write("mail", "From: a@example.test\r\nSubject: x\r\n\r\nhi\r\n");
    std::fs::create_dir(world.path("folder")).unwrap();
    world
}

#[test]
fn bad_inputs() {
    assert!(ROWS.len() >= 150, "{}", ROWS.len());
    let world = prepared();
    let before = world.names();
    for (line, status, reason) in ROWS {
        let ran = world.json(line);
        let context = format!("{line}: {}", ran.json);
        assert_eq!((ran.status, ran.reasons()), (*status, vec![*reason]), "{context}");
        let message = ran.json["message"].as_str().unwrap_or_else(|| panic!("no message: {context}"));
        assert!(!message.is_empty() && !message.contains("panicked"), "{context}");
        // A sentence, but for clap's usage text.
        assert!(*reason == "usage" || !message.contains('\n'), "{context}");
        let text = world.text(line);
        assert_eq!(text.status, *status, "{line}");
        assert!(text.stdout.is_empty(), "{line}: {}", text.out());
        assert!(text.stderr.contains("aecm: "), "{line}: {}", text.stderr);
        assert_eq!(world.names(), before, "{line} left something behind");
    }
}

/// A file that its owner took the right to read from; root reads it all the same.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = prepared();
    std::fs::set_permissions(world.path("text"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(world.path("text")).is_ok() {
        return;
    }
    world.json("verify $text").is(2, "error", &["file-unreadable"]);
}

/// A result never replaces a file in part, and never when there is none.
#[test]
fn an_old_result_stays_when_there_is_no_new_one() {
    let world = prepared();
    world.write("out", "old");
    let before = world.names();
    for line in [
        "decrypt $cut.der --out $out",
        "verify @signed/bc172-sm2.der --out $out",
        "sign @msg.txt --key @keys/rsa-enc.key --cert @keys/rsa-enc.crt --out $out",
        "encrypt @msg.txt --to @keys/rsa-sig.crt --out $out",
        "open $mail --trust $absent --out $out",
    ] {
        assert_ne!(world.json(line).status, 0, "{line}");
        assert_eq!((world.read("out"), world.names()), (b"old".to_vec(), before.clone()), "{line}");
    }
}

/// Every command stands in this table or in that of the commands with a vault, at least three times.
#[test]
fn every_command_is_asked_wrongly() {
    let with_vault = include_str!("../journey_cli/wrong.rs");
    let help = World::new().text("--help").out();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .filter(|command| *command != "help")
        .collect();
    assert_eq!(commands.len(), 20, "{commands:?}");
    for command in commands {
        let begins = |line: &str| line.split(' ').next() == Some(command);
        let here = ROWS.iter().filter(|(line, ..)| begins(line)).count();
        let there = with_vault.split('"').filter(|line| begins(line)).count();
        assert!(here + there >= 3, "{command}: {here} and {there}");
    }
}
