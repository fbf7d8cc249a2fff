//! docs/verdicts.md names every word of the reports, and no other: section by section, against the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aecm_smime::Tolerance;
use aecm_smime::verify::{CheckResult, Reason, RevocationCheck, TimestampTrust, Verdict};

type Words = BTreeSet<String>;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first column of the table of one section. Every row has its three columns, and a meaning.
fn documented(section: &str) -> Words {
    let page = read("docs/verdicts.md");
    let heading = format!("\n## {section}\n");
    let (_, rest) = page.split_once(&heading).unwrap_or_else(|| panic!("no section {section}"));
    let text = rest.split("\n## ").next().unwrap();
    let mut words = Words::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        assert!(!cells[1].is_empty(), "{row}");
        let word = cells[0].trim_matches('`').to_owned();
        assert!(words.insert(word), "named twice in {section}: {row}");
    }
    assert!(!words.is_empty(), "{section} names nothing");
    words
}

fn is_word(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}

/// The string literals of some source text that are words.
fn literals(source: &str) -> Words {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.flat_map(|line| [line, "\n"]).collect();
    let code = code.split("#[cfg(test)]").next().unwrap();
    // Between the first quotation mark and the second stands a literal, and so on.
    code.split('"').skip(1).step_by(2).filter(|text| is_word(text)).map(str::to_owned).collect()
}

/// The words of `fn word` of a type, from its source file.
fn words_of(file: &str, type_name: &str) -> Words {
    let source = read(file);
    let found = source.split(&format!("\nimpl {type_name} {{\n")).skip(1).find_map(|block| {
        let block = block.split("\n}\n").next().unwrap();
        let (_, body) = block.split_once("fn word(")?;
        Some(literals(body.split("\n    }\n").next().unwrap()))
    });
    let words = found.unwrap_or_else(|| panic!("no fn word of {type_name} in {file}"));
    assert!(!words.is_empty(), "{type_name}");
    words
}

fn owned<'a>(words: impl IntoIterator<Item = &'a str>) -> Words {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn choices() {
    assert_eq!(documented("Choice of protection"), words_of("aecm-smime/src/choose/reason.rs", "Reason"));
}

#[test]
fn summaries_and_checks() {
    const REPORT: &str = "aecm-smime/src/verify/report.rs";
    assert_eq!(documented("Verdict"), words_of(REPORT, "Verdict"));
    assert_eq!(documented("Check"), words_of(REPORT, "CheckResult"));
    assert_eq!(documented("Revocation"), words_of(REPORT, "RevocationCheck"));
    assert_eq!(documented("Ground of a time"), words_of("aecm-smime/src/verify/time.rs", "TimestampTrust"));
    // What was read out of the source is what the code says.
    assert!(documented("Verdict").contains(Verdict::IdentityMismatch.word()));
    assert!(documented("Check").contains(CheckResult::NotEvaluated.word()));
    assert!(documented("Revocation").contains(RevocationCheck::Unknown.word()));
    assert!(documented("Ground of a time").contains(TimestampTrust::MailboxBoundTsu.word()));
}

#[test]
fn reasons_and_tolerances() {
    assert_eq!(documented("Reason"), owned(Reason::ALL.iter().map(Reason::word)));
    assert_eq!(documented("Tolerance"), owned(Tolerance::ALL.iter().map(|tolerance| tolerance.word())));
    assert_eq!(documented("Chain"), words_of("aecm-core/src/path/failure.rs", "PathReason"));
}

#[test]
fn timestamps() {
    let mut words = Words::new();
    for file in [
        "aecm-smime/src/verify/stamps.rs",
        "aecm-timestamp/src/verify.rs",
        "aecm-timestamp/src/verify/token.rs",
        "aecm-timestamp/src/verify/signer.rs",
    ] {
        let stamps = |word: &String| word.starts_with("timestamp-") || word == "no-tsa-anchor";
        words.extend(literals(&read(file)).into_iter().filter(stamps));
    }
    assert_eq!(documented("Timestamp token"), words);
    assert_eq!(documented("Getting a timestamp"), words_of("aecm-timestamp/src/error.rs", "Error"));
}

#[test]
fn mails_of_acme() {
    const REFUSAL: &str = "aecm-acme/src/email/refusal.rs";
    let challenge = &words_of(REFUSAL, "ChallengeRefusal") | &words_of(REFUSAL, "Unproven");
    assert_eq!(documented("Challenge mail"), challenge);
    let dkim = [
        words_of("aecm-acme/src/dkim/report.rs", "Failure"),
        words_of("aecm-acme/src/dkim/signature.rs", "SignatureError"),
        words_of("aecm-acme/src/dkim/key_record.rs", "KeyRecordError"),
    ];
    assert_eq!(documented("DKIM"), dkim.into_iter().flatten().collect());
    let reply = words_of("aecm-acme/src/email/reply.rs", "ReplyRefusal");
    let message = words_of("aecm-acme/src/dkim/fields.rs", "MessageError");
    assert_eq!(documented("Reply mail"), &reply | &message);
}

/// The test itself notices a word that is missing and one that is left over.
#[test]
fn words_are_found_in_source() {
    let source =
        "// \"in-a-comment\"\nmatch self { A => \"one-word\", B => \"Two words\", C { .. } => \"three\" }\n";
    assert_eq!(literals(source), owned(["one-word", "three"]));
    assert!(!is_word("Two words") && !is_word("") && is_word("sm2-raw-digest"));
    assert_ne!(documented("Verdict"), documented("Check"));
}
