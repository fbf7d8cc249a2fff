//! The command lines that the quickstart prints, run as they stand; and its SM2 mails before Bouncy Castle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use aecm_interop::tools::{Answer, Desk, prepared};

/// Runs the quickstart in a folder of its own and copies what it left to where the peers look.
fn quickstart() -> (Desk, Vec<String>) {
    let desk = Desk::new();
    let said = desk.run(&prepared("AECM_QUICKSTART"), &["--keys"]).expect_ok("the quickstart").text();
    let folder = desk.path().join("target/quickstart");
    for file in std::fs::read_dir(&folder).expect("the quickstart leaves its files") {
        let file = file.unwrap();
        std::fs::copy(file.path(), desk.path().join(file.file_name())).unwrap();
    }
    let lines = said.lines().filter(|line| line.starts_with("  openssl ")).map(|line| line.trim().to_owned());
    (desk, lines.collect())
}

fn openssl(desk: &Desk, line: &str) -> Answer {
    desk.openssl(line.strip_prefix("openssl ").expect("an openssl line"))
}

#[test]
fn every_printed_line_succeeds_and_means_something() {
    let (desk, lines) = quickstart();
    let kinds: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(kinds, BTreeSet::from(["cms", "ts", "verify"]), "{lines:#?}");
    assert!(lines.len() >= 14, "{lines:#?}");
    for wanted in ["cms -decrypt -inform DER -in 2-sm2-cbc.p7m", "cms -decrypt -inform DER -in 4-rsa.p7m"] {
        assert!(lines.iter().any(|line| line.contains(wanted)), "{wanted}: {lines:#?}");
    }
    for line in &lines {
        openssl(&desk, line).expect_ok(line);
    }

    bouncy_castle_verifies_the_sm2_mails(&desk);

    // Each line again after its message, or the anchor it starts from, was exchanged.
    let mut refused = 0;
    for line in &lines {
        let words: Vec<&str> = line.split(' ').collect();
        let after =
            |option: &str| words.iter().position(|word| *word == option).map(|place| words[place + 1]);
        let (exchanged, with) = if line.contains("cms -decrypt") {
            let recipient = after("-recip").unwrap();
            (
                recipient,
                if recipient.contains("sm2") { "bob-classic-encrypt.crt" } else { "bob-sm2-encrypt.crt" },
            )
        } else {
            (after("-CAfile").or(after("-trusted")).unwrap(), "carol-classic-sign.crt")
        };
        let kept = desk.get(exchanged);
        desk.put(exchanged, desk.get(with));
        openssl(&desk, line).expect_refusal(line);
        desk.put(exchanged, kept);
        refused += 1;
    }
    assert_eq!(refused, lines.len());

    // OpenSSL 3.0 has another SM2 identifier by default, and does not hand the given one up a chain.
    let identifier = "-vfyopt distid:1234567812345678 ";
    let sm2: Vec<&String> = lines.iter().filter(|line| line.contains(identifier)).collect();
    assert!(sm2.len() >= 5, "{lines:#?}");
    for line in sm2 {
        openssl(&desk, &line.replace(identifier, "")).expect_refusal("without identifier");
    }
    if desk.openssl("version").text().starts_with("OpenSSL 3.") {
        let whole = "-CAfile root-smime-sm2.crt -untrusted issuer-sm2-sign.crt alice-sm2-sign.crt";
        desk.openssl(&format!("verify {identifier} {whole}")).expect_refusal("a whole chain at once");
    }
}

/// The signed part of a multipart/signed mail, octet for octet (RFC 8551 §3.4.3).
fn signed_part(mail: &str) -> String {
    let boundary = mail.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    mail.split(&format!("\r\n--{boundary}\r\n")).nth(1).unwrap().to_owned()
}

fn bouncy_castle_verifies_the_sm2_mails(desk: &Desk) {
    // What OpenSSL decrypted, verified by Bouncy Castle: an SM2 mail opened without us.
    desk.put("entity", signed_part(&desk.text("2-sm2-cbc.opened.eml")));
    let line = "verify issuer-sm2-sign.crt 2-sm2-cbc.p7s entity";
    let said = desk.bouncy_castle(line).expect_ok(line).text();
    assert!(said.ends_with("OK\n"), "{said}");

    let entity = signed_part(&desk.text("7-sm2-signed.eml"));
    desk.put("entity", &entity);
    // It verifies the leaf with the certificate it is given, which is the issuer's.
    let line = "verify issuer-sm2-sign.crt 7-sm2-signed.p7s entity";
    let said = desk.bouncy_castle(line).expect_ok(line).text();
    assert!(said.ends_with("OK\n") && said.contains("1.2.156.10197.1.501"), "{said}");
    desk.put("other", entity.replace("Alice", "Mallo"));
    let said = desk.bouncy_castle("verify issuer-sm2-sign.crt 7-sm2-signed.p7s other");
    assert!(!said.text().ends_with("OK\n"), "{}", said.text());

    // The token over its signature value: SM3 imprint, SM2 signature.
    let line = "tsv issuer-tsa-sm2.crt - 7-sm2-signed.tsr";
    let said = desk.bouncy_castle(line).expect_ok(line).text();
    assert!(said.starts_with("OK ") && said.contains("imprint 1.2.156.10197.1.401"), "{said}");
    let imprint = desk.openssl("dgst -sm3 -binary 7-sm2-signed.signature").expect_ok("SM3").out;
    let token = desk.get("7-sm2-signed.tsr");
    assert!(token.windows(imprint.len()).any(|window| window == imprint), "the token is over that signature");
    desk.bouncy_castle("tsv issuer-sm2-sign.crt - 7-sm2-signed.tsr").expect_refusal("another issuer");
}
