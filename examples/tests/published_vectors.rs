//! The published vectors of docs/vectors: made again octet for octet, and each judged as the manifest says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub)]

#[path = "../examples/vectors/make.rs"]
mod make;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_acme::csr::{CertificateRequest, CsrError};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::path::Anchors;
use aecm_core::signature::Sm2Id;
use aecm_core::time::Time;
use aecm_smime::decrypt::{Content, DecryptError, Recipient, decrypt};
use aecm_smime::open::{OpenError, OpenOptions, open};
use aecm_smime::verify::{Policy, Reason, SignedReport, TimestampTrust, Verdict, Verifier};
use aecm_smime::{Error, Tolerance};
use aecm_timestamp::{Request, TimestampPolicy, verify_response};
use make::{CONTENT, Case, Check, JUDGED_AT, MAILBOX, Set, keys};

/// What judging gave, in the words of the manifest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    verdict: String,
    reasons: Vec<String>,
    tolerances: Vec<String>,
    proven: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vectors")
}

fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

fn at(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

fn anchors(names: &[&str]) -> Anchors {
    Anchors::new(names.iter().map(|name| keys::certificate(name).unwrap()).collect())
}

fn timestamp_policy() -> TimestampPolicy {
    TimestampPolicy::new(anchors(&["rsa-ca", "sm2-ca"])).at(at(JUDGED_AT))
}

/// One byte-exact vector for each form: nothing that is written may change without being noticed.
#[tokio::test]
async fn the_program_makes_the_published_octets() {
    let made = make::all().await.unwrap();
    let mut published = BTreeMap::new();
    walk(&folder(), &folder(), &mut published);
    for by_hand in ["README.md", ".gitattributes"] {
        assert!(published.remove(by_hand).is_some(), "{by_hand}");
    }
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&published), names(&made.files));
    for (name, octets) in &made.files {
        assert!(published[name] == *octets, "{name} is not what was published; see docs/vectors/README.md");
    }
    assert!(published.values().map(Vec::len).sum::<usize>() < 200_000);
}

#[tokio::test]
async fn every_vector_is_judged_as_the_manifest_says() {
    let set = make::all().await.unwrap();
    let mut wrong = Vec::new();
    for case in &set.cases {
        let found = judge(&set, case).await;
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let expected = Found {
            verdict: case.expect.to_owned(),
            reasons: owned(case.reasons),
            tolerances: owned(case.tolerances),
            proven: case.proven.map(str::to_owned),
        };
        if found != expected {
            wrong.push(format!(
                "{} ({})\n  expected {expected:?}\n  found    {found:?}",
                case.file, case.shows
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.cases.len(), wrong.join("\n"));
}

/// Every file is judged at least once, the broken ones come from good ones, and there are more broken than good.
#[tokio::test]
async fn the_manifest_is_whole() {
    let set = make::all().await.unwrap();
    let judged: BTreeSet<&str> = set.cases.iter().map(|case| case.file.as_str()).collect();
    for name in set.files.keys() {
        let beside =
            ["keys/", "token/", "content.txt", "manifest.json"].iter().any(|one| name.starts_with(one));
        assert!(
            beside || name.ends_with(".tsq") || judged.contains(name.as_str()),
            "{name} is judged nowhere"
        );
    }
    for case in &set.cases {
        assert!(set.files.contains_key(&case.file), "{}", case.file);
        if let Some(from) = case.derived_from {
            assert!(set.files[from] != set.files[&case.file], "{} is unchanged", case.file);
        }
        assert!(
            !case.file.starts_with("broken/") || case.derived_from.is_some(),
            "{} comes from nowhere",
            case.file
        );
    }
    let refused =
        set.cases.iter().filter(|case| !["valid", "opens", "granted"].contains(&case.expect)).count();
    assert!(refused * 2 > set.cases.len(), "{refused} of {}", set.cases.len());
    let text = std::str::from_utf8(&set.files["manifest.json"]).unwrap();
    assert_eq!(text.matches("\"shows\"").count(), set.cases.len());
}

/// Every vector cut short: never a panic, never a verdict on what is left.
#[tokio::test]
async fn cut_vectors_are_refused() {
    let set = make::all().await.unwrap();
    for case in set.cases.iter().filter(|case| !matches!(case.check, Check::Mail { .. })) {
        let octets = &set.files[&case.file];
        for length in [0, 1, octets.len() / 3, octets.len() - 1] {
            let mut cut = Set { files: set.files.clone(), ..Set::default() };
            cut.files.insert(case.file.clone(), octets[..length].to_vec());
            let found = judge(&cut, case).await;
            assert!(
                ["error", "refused"].contains(&found.verdict.as_str()),
                "{} {length} {found:?}",
                case.file
            );
        }
    }
}

/// A1: the digests, computed from the text of the file without the code that made it.
#[tokio::test]
async fn token_digests_are_sha256_of_the_text() {
    let set = make::all().await.unwrap();
    let text = std::str::from_utf8(&set.files["token/joins.json"]).unwrap();
    // The vector that acme4j publishes.
    assert!(text.contains("AjXW0h9_4YMP6Sv-9tKQNUrapI0us7ayBn0nCGOkUsk"));
    let value = |line: &str, name: &str| {
        let rest = line.split_once(&format!("\"{name}\": \"")).unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (mut head, mut digests) = ((String::new(), String::new(), String::new()), 0);
    for line in text.lines() {
        if line.contains("\"part1\"") {
            head = (value(line, "part1"), value(line, "part2"), value(line, "thumbprint"));
        } else if line.contains("keyAuthorizationDigest") {
            let token = value(line, "token");
            let bare = head.0.trim_end_matches('=');
            if line.contains("text-unpadded") {
                assert_eq!(token, format!("{bare}{}", head.1));
            } else if line.contains("text-as-received") {
                assert_eq!(token, format!("{}{}", head.0, head.1));
            } else {
                assert!(line.contains("bytes-reencoded"));
                // Where part 1 is a multiple of three octets, the texts join without a seam.
                assert_eq!(token == format!("{bare}{}", head.1), bare.len() % 4 == 0);
            }
            let digest = DigestAlgorithm::Sha256.digest(format!("{token}.{}", head.2).as_bytes());
            assert_eq!(unbase64url(&value(line, "keyAuthorizationDigest")), digest);
            digests += 1;
        }
    }
    assert_eq!(digests, 8 * 3);
}

fn unbase64url(text: &str) -> Vec<u8> {
    let digit = |octet: u8| match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits: Vec<u8> =
        text.bytes().flat_map(|octet| (0..6).rev().map(move |place| digit(octet) >> place & 1)).collect();
    bits.chunks_exact(8).map(|octet| octet.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

async fn judge(set: &Set, case: &Case) -> Found {
    let octets = &set.files[&case.file];
    match &case.check {
        Check::Signed { content, mailbox } => {
            let (anchors, policy) = (anchors(&["rsa-ca", "p256-ca", "sm2-ca"]), Policy::modern());
            let verifier =
                Verifier::new(&anchors, &policy).at(at(JUDGED_AT)).email(&mailbox.parse().unwrap());
            match verifier.verify(octets, content.map(|name| set.files[name].as_slice())) {
                Ok(report) => signed(&report),
                Err(error) => refused("error", cms_word(&error)),
            }
        }
        Check::Enveloped { key } => enveloped(octets, key).await,
        Check::Mail { keys } => mail(octets, keys).await,
        Check::Timestamp { request, at: now } => {
            let request = Request::from_der(&set.files[*request], &Limits::default()).unwrap();
            match verify_response(&request, octets, &timestamp_policy(), at(now)) {
                Ok(token) => {
                    assert_eq!(token.trust, TimestampTrust::Tsa);
                    let proven = Some(token.info.gen_time.to_string());
                    Found { verdict: "granted".to_owned(), proven, ..Found::default() }
                }
                Err(error) => refused("refused", error.word()),
            }
        }
        Check::Csr { purpose } => {
            let read = CertificateRequest::parse(octets, &Limits::default())
                .and_then(|request| request.verify(Sm2Id::Default).map(|()| request));
            match read {
                Ok(request) => {
                    assert_eq!(request.mailboxes(), [MAILBOX.parse().unwrap()]);
                    assert_eq!(request.purpose().unwrap().word(), *purpose);
                    Found { verdict: "valid".to_owned(), ..Found::default() }
                }
                Err(CsrError::Signature) => refused("refused", "signature"),
                Err(CsrError::Malformed(_)) => refused("refused", "malformed"),
                Err(other) => panic!("{}: {other}", case.file),
            }
        }
    }
}

fn refused(verdict: &str, reason: &str) -> Found {
    Found { verdict: verdict.to_owned(), reasons: vec![reason.to_owned()], ..Found::default() }
}

fn words(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.word().to_owned()).collect()
}

fn forgiven(tolerances: &[Tolerance]) -> Vec<String> {
    tolerances.iter().map(|tolerance| tolerance.word().to_owned()).collect()
}

fn signed(report: &SignedReport) -> Found {
    if let Some(content) = &report.content {
        let vouched = report.verdict == Verdict::Valid || report.verdict == Verdict::IdentityMismatch;
        assert!(!vouched || content == CONTENT);
    }
    Found {
        verdict: report.verdict.word().to_owned(),
        reasons: words(&report.all_reasons()),
        tolerances: forgiven(&report.tolerances),
        proven: None,
    }
}

fn recipient(name: &str) -> Recipient {
    let key = keys::key(name).unwrap().into_decryptor(Arc::new(OsRng));
    Recipient { certificate: keys::certificate(name).unwrap(), key: Arc::new(key) }
}

async fn enveloped(octets: &[u8], key: &str) -> Found {
    let recipient = recipient(key);
    match decrypt(octets, &[recipient], &Limits::default()).await {
        Ok(opened) => {
            let tolerances = forgiven(&opened.tolerances);
            match opened.content {
                Content::Authenticated(content) => {
                    assert_eq!(content.as_slice(), CONTENT);
                    Found { verdict: "opens".to_owned(), tolerances, ..Found::default() }
                }
                Content::Unauthenticated(content) => {
                    let same = content.as_unauthenticated() == CONTENT;
                    let reasons = if same { vec![] } else { vec!["content-differs".to_owned()] };
                    Found { verdict: "unauthenticated".to_owned(), reasons, tolerances, proven: None }
                }
            }
        }
        Err(error) => refused("refused", decrypt_word(&error)),
    }
}

async fn mail(octets: &[u8], names: &[&str]) -> Found {
    let (anchors, policy) = (anchors(&["rsa-ca", "p256-ca", "sm2-ca"]), Policy::modern());
    let timestamps = aecm_timestamp::Verifier::new(timestamp_policy());
    let recipients: Vec<_> = names.iter().map(|name| recipient(name)).collect();
    let options =
        OpenOptions::new(&anchors, &policy).at(at(JUDGED_AT)).timestamps(&timestamps).keys(&recipients);
    match open(octets, &options).await {
        Ok(opened) => {
            if opened.verdict == Verdict::Valid {
                assert!(opened.content.unwrap().ends_with(b"\r\n\r\nTea at five?\r\n"));
                assert_eq!(opened.protected_headers.unwrap().get("subject"), Some("Tea"));
            }
            Found {
                verdict: opened.verdict.word().to_owned(),
                reasons: words(&opened.reasons),
                tolerances: forgiven(&opened.tolerances),
                proven: opened.sent_at.proven.map(|time| time.to_string()),
            }
        }
        Err(OpenError::Decrypt(error)) => refused("error", decrypt_word(&error)),
        Err(OpenError::Cms(error)) => refused("error", cms_word(&error)),
        Err(other) => panic!("{other}"),
    }
}

fn cms_word(error: &Error) -> &'static str {
    match error {
        Error::Tlv { .. } => "malformed",
        Error::Structure { .. } => "structure",
        other => panic!("{other}"),
    }
}

fn decrypt_word(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::Failed => "failed",
        DecryptError::NoMatchingKey => "no-matching-key",
        DecryptError::Unsupported { .. } => "unsupported",
        DecryptError::ShortTag { .. } => "short-tag",
        DecryptError::Malformed(error) => cms_word(error),
        other => panic!("{other}"),
    }
}
