//! `aecm challenge-mail`: each rule of RFC 8823 §3.1 broken alone, what is absent not checked, and a real mail of
//! acme2certifier (THREATS C1 to C6).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_acme::dkim::SignOptions;
use aecm_acme::email::{ChallengeDraft, authz_hint, challenge_sign_options};
use aecm_acme::token::TokenPart1;
use aecm_core::embed::OsRng;
use aecm_core::key::Signer as _;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;
use aecm_examples::cli::{Io, Sink, run};
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../aecm-acme/tests/vectors/mail");
const TOKEN: &str = "MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W";
const URL: &str = "https://ca.example.test/acme/challenge/1";
const DATE: &str = "2026-11-23T17:43:06Z";

fn now() -> Time {
    Time::from_rfc3339(DATE).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn mailbox(address: &str) -> Mailbox {
    address.parse().unwrap()
}

struct Desk {
    folder: tempfile::TempDir,
    key: aecm_core::software::SoftwareSigner,
}

impl Desk {
    fn new() -> Self {
        let pem = std::fs::read_to_string(format!("{VECTORS}/test-key-2048.pem")).unwrap();
        let key = SoftwareKey::from_pem(&pem).unwrap().into_signer(Arc::new(OsRng));
        Self { folder: tempfile::tempdir().unwrap(), key }
    }

    fn record(&self) -> String {
        format!("v=DKIM1; k=rsa; p={}", Base64::encode_string(self.key.public_key().spki_der()))
    }

    fn dns(&self) -> Value {
        json!({ "own._domainkey.ca.example.test": self.record() })
    }

    /// The right mail, before it is signed.
    fn draft(&self) -> String {
        let (from, to) = (mailbox("acme@ca.example.test"), mailbox("bob@example.test"));
        let draft = ChallengeDraft {
            from: &from,
            to: &to,
            token_part1: &TokenPart1::parse(TOKEN).unwrap(),
            challenge_url: Some(URL),
            date: now(),
            message_id: "<1@ca.example.test>",
            reply_to: None,
            text: None,
        };
        String::from_utf8(draft.compose().unwrap()).unwrap()
    }

    fn sign_with(&self, options: SignOptions, mail: &str) -> Vec<u8> {
        runtime().block_on(options.sign_mail(mail.as_bytes(), &self.key)).unwrap()
    }

    fn signed(&self, mail: &str) -> Vec<u8> {
        self.sign_with(challenge_sign_options(&mailbox("acme@ca.example.test"), "own", now()), mail)
    }

    /// The right mail with one piece replaced, which is there; then signed.
    fn altered(&self, from: &str, to: &str) -> Vec<u8> {
        let draft = self.draft();
        assert!(draft.contains(from), "{from} is not in {draft}");
        self.signed(&draft.replacen(from, to, 1))
    }

    fn file(&self, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    fn judge(&self, mail: &[u8], challenge: &Value, dns: &Value, more: &[&str]) -> (u8, Value) {
        self.judge_text(mail, &challenge.to_string(), &dns.to_string(), more)
    }

    fn judge_text(&self, mail: &[u8], challenge: &str, dns: &str, more: &[&str]) -> (u8, Value) {
        let mail = self.file("mail.eml", mail);
        let (challenge, dns) = (self.file("C.json", challenge), self.file("D.json", dns));
        judge_files(&mail, &challenge, &dns, more)
    }
}

fn judge_files(mail: &Path, challenge: &Path, dns: &Path, more: &[&str]) -> (u8, Value) {
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let mut words = vec!["aecm".to_owned(), "challenge-mail".to_owned(), mail.display().to_string()];
    words.extend(["--challenge".to_owned(), challenge.display().to_string()]);
    words.extend(["--dns".to_owned(), dns.display().to_string(), "--json".to_owned()]);
    words.extend(more.iter().map(|word| (*word).to_owned()));
    let status = run(words, &mut Io::captured(Vec::new(), &stdout, &stderr));
    let text = stdout.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    (status, serde_json::from_str(&text).unwrap())
}

/// Everything that can be compared.
fn whole() -> Value {
    json!({
        "identifier": { "type": "email", "value": "bob@example.test" },
        "challenge": {
            "type": "email-reply-00", "url": URL, "from": "acme@ca.example.test",
            "token": "DGyRejmCefe7v4NfDGDKfA", "status": "pending",
        },
        "mailbox": "bob@example.test",
        "order_created": "2026-11-23T17:42:06Z",
        "now": "2026-11-23T17:44:06Z",
    })
}

#[track_caller]
fn accepted((status, page): (u8, Value)) {
    assert_eq!((status, &page["verdict"]), (0, &json!("accept")), "{page}");
    assert_eq!(page["reasons"], json!([]), "{page}");
    assert_eq!(page["token_part1"], TOKEN, "{page}");
}

#[track_caller]
fn rejected((status, page): (u8, Value), reason: &str) {
    assert_eq!((status, &page["verdict"]), (1, &json!("reject")), "{page}");
    assert_eq!(page["reasons"], json!([reason]), "{page}");
    assert!(page.get("token_part1").is_none(), "{page}");
    assert!(!page.to_string().contains(TOKEN), "{page}");
}

#[track_caller]
fn wrong((status, page): (u8, Value), reason: &str) {
    assert_eq!((status, &page["verdict"]), (2, &json!("error")), "{page}");
    assert_eq!(page["reasons"], json!([reason]), "{page}");
    assert!(page.get("token_part1").is_none(), "{page}");
    assert!(page["message"].as_str().unwrap().len() > 10, "{page}");
}

#[test]
fn a_genuine_mail_is_accepted() {
    let desk = Desk::new();
    let (status, page) = desk.judge(&desk.signed(&desk.draft()), &whole(), &desk.dns(), &[]);
    assert_eq!(page["authz"], authz_hint(URL));
    assert_eq!(page["message_id"], "<1@ca.example.test>");
    assert_eq!(page["reply_to"], "acme@ca.example.test");
    accepted((status, page));
}

#[test]
fn a_mail_that_breaks_one_rule_is_rejected_for_that_rule() {
    let desk = Desk::new();
    for (from, to, reason) in [
        ("Subject: ACME:", "Subject: Re: ACME:", "not-a-challenge"),
        ("Subject: ACME:", "Subject: Hello", "not-a-challenge"),
        ("Subject: ACME: ", "Subject: ACME:", "mail-malformed"),
        (TOKEN, "short", "token-malformed"),
        (TOKEN, "MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W!!", "token-malformed"),
        (TOKEN, "", "token-malformed"),
        ("From: acme@", "From: eve@", "from-not-expected"),
        ("From: acme@ca.example.test", "From: acme@ca.example.test, eve@x.test", "from-not-expected"),
        ("To: bob@", "To: carol@", "to-not-expected"),
        ("To: bob@example.test", "To: bob@example.test, carol@example.test", "to-not-expected"),
        ("To: bob", "To: Bob", "to-not-expected"),
        ("To: ", "To: dan@example.test\r\nTo: ", "header-count"),
        ("From: ", "From: acme@ca.example.test\r\nFrom: ", "header-count"),
        ("Subject: ", "Subject: ACME: MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9X\r\nSubject: ", "header-count"),
        ("Date: ", "X-Date: ", "header-count"),
        ("Date: ", "Date: not a ", "mail-malformed"),
        ("2026 17:43:06", "2026 17:00:00", "date-outside-order"),
        ("2026 17:43:06", "2026 17:59:00", "date-outside-order"),
        ("Auto-Submitted: auto-generated", "Auto-Submitted: no", "not-auto-generated"),
        ("Auto-Submitted:", "X-Auto:", "not-auto-generated"),
        ("type=acme", "type=news", "not-auto-generated"),
        (&authz_hint(URL), &authz_hint("https://ca.example.test/acme/challenge/2"), "other-authorization"),
    ] {
        let (status, page) = desk.judge(&desk.altered(from, to), &whole(), &desk.dns(), &[]);
        assert_eq!(page["reasons"], json!([reason]), "{from} → {to}: {page}");
        rejected((status, page), reason);
    }
}

#[test]
fn an_unproven_sender_is_rejected() {
    let desk = Desk::new();
    let (draft, dns) = (desk.draft(), desk.dns());
    let signed = desk.signed(&draft);
    rejected(desk.judge(draft.as_bytes(), &whole(), &dns, &[]), "dkim-no-signature");
    let after = |from: &str, to: &str| {
        let text = String::from_utf8(signed.clone()).unwrap();
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    };
    rejected(
        desk.judge(&after("2026 17:43:06", "2026 17:43:07"), &whole(), &dns, &[]),
        "dkim-signature-wrong",
    );
    rejected(desk.judge(&[&signed[..], b"More.\r\n"].concat(), &whole(), &dns, &[]), "dkim-body-changed");

    let options = SignOptions::new("evil.test", "own").oversigned_fields(&aecm_acme::email::RFC8823_FIELDS);
    let mut records = dns.clone();
    records["own._domainkey.evil.test"] = desk.record().into();
    let mail = desk.sign_with(options.signed_at(now()), &draft);
    rejected(desk.judge(&mail, &whole(), &records, &[]), "dkim-other-domain");

    let relaxed = SignOptions::new("ca.example.test", "own").fields(&aecm_acme::email::RELAXED_FIELDS);
    let mail = desk.sign_with(relaxed.signed_at(now()), &draft);
    rejected(desk.judge(&mail, &whole(), &dns, &[]), "dkim-header-not-covered");
    accepted(desk.judge(&mail, &whole(), &dns, &["--signed-headers", "relaxed"]));
}

#[test]
fn the_dns_decides() {
    let desk = Desk::new();
    let mail = desk.signed(&desk.draft());
    let name = "own._domainkey.ca.example.test";
    let (record, other) = (desk.record(), "v=DKIM1; p=");
    let half = record.split_at(200);
    for (dns, reason) in [
        (json!({}), "dkim-no-key"),
        (json!({ name: [] }), "dkim-no-key"),
        (json!({ "other._domainkey.ca.example.test": record }), "dkim-no-key"),
        (json!({ name: other }), "dkim-key-revoked"),
        (json!({ name: "v=DKIM1; p=AAAA" }), "dkim-key-malformed"),
        (json!({ name: [record, record] }), "dkim-key-ambiguous"),
        (json!({ name: format!("{record}; t=y") }), "dkim-testing"),
    ] {
        rejected(desk.judge(&mail, &whole(), &dns, &[]), reason);
    }
    for dns in [
        json!({ name: [record] }),
        json!({ name: [[half.0, half.1]] }),
        json!({ "OWN._domainkey.CA.example.test.": record }),
    ] {
        accepted(desk.judge(&mail, &whole(), &dns, &[]));
    }
}

#[test]
fn what_is_absent_is_not_checked() {
    let desk = Desk::new();
    let (dns, signed) = (desk.dns(), desk.signed(&desk.draft()));
    accepted(desk.judge(&signed, &json!({}), &dns, &[]));
    let without = |member: &str| {
        let mut page = whole();
        let (object, member) = match member.split_once('.') {
            Some((object, member)) => (&mut page[object], member),
            None => (&mut page, member),
        };
        object.as_object_mut().unwrap().remove(member).expect(member);
        page
    };
    let hint = desk.altered(&authz_hint(URL), &authz_hint("https://ca.example.test/2"));
    let sender = desk.altered("From: acme@", "From: other@");
    let recipient = desk.altered("To: bob@", "To: carol@");
    let early = desk.altered("2026 17:43:06", "2026 07:43:06");
    let late = desk.altered("2026 17:43:06", "2026 19:43:06");
    // Each page checks all but one thing; the mail that breaks just that is accepted by it and by no other.
    for (mail, reason, page) in [
        (&hint, "other-authorization", without("challenge.url")),
        (&sender, "from-not-expected", without("challenge.from")),
        (&early, "date-outside-order", without("order_created")),
        (&late, "date-outside-order", without("now")),
    ] {
        rejected(desk.judge(mail, &whole(), &dns, &[]), reason);
        accepted(desk.judge(mail, &page, &dns, &[]));
    }
    let mut nobody = without("mailbox");
    rejected(desk.judge(&recipient, &nobody, &dns, &[]), "to-not-expected");
    rejected(desk.judge(&recipient, &without("identifier"), &dns, &[]), "to-not-expected");
    nobody.as_object_mut().unwrap().remove("identifier");
    accepted(desk.judge(&recipient, &nobody, &dns, &[]));
    // Whoever is named twice has to be the same.
    let mut odd = whole();
    odd["mailbox"] = "carol@example.test".into();
    rejected(desk.judge(&recipient, &odd, &dns, &[]), "to-not-expected");
    // Without From in the challenge the signature still has to be of the mail's own From.
    let foreign = desk.altered("From: acme@ca.example.test", "From: acme@elsewhere.test");
    rejected(desk.judge(&foreign, &without("challenge.from"), &dns, &[]), "dkim-other-domain");
}

#[test]
fn an_expired_or_future_signature_is_told_only_with_the_time() {
    let desk = Desk::new();
    let usual = || challenge_sign_options(&mailbox("acme@ca.example.test"), "own", now());
    let soon = now().plus(std::time::Duration::from_secs(1));
    let expiring = desk.sign_with(usual().expires(soon), &desk.draft());
    let mut page = whole();
    page["now"] = "2026-11-23T18:43:06Z".into();
    rejected(desk.judge(&expiring, &page, &desk.dns(), &[]), "dkim-expired");
    page.as_object_mut().unwrap().remove("now");
    accepted(desk.judge(&expiring, &page, &desk.dns(), &[]));
    let later = now().plus(std::time::Duration::from_secs(7_200));
    let future = desk.sign_with(usual().signed_at(later), &desk.draft());
    rejected(desk.judge(&future, &whole(), &desk.dns(), &[]), "dkim-signed-in-the-future");
    accepted(desk.judge(&future, &page, &desk.dns(), &[]));
}

/// Made by acme2certifier 0.46.3 and signed by dkimpy: six header fields are covered, RFC 8823 §3.1 wants thirteen.
#[test]
fn a_real_mail_of_acme2certifier_needs_the_relaxed_set() {
    let desk = Desk::new();
    let mail = std::fs::read(format!("{VECTORS}/acme2certifier-challenge.eml")).unwrap();
    let zone = std::fs::read_to_string(format!("{VECTORS}/dkim-dns.txt")).unwrap();
    let dns = json!({ "sel._domainkey.ca.example.test": zone.split('"').nth(1).unwrap() });
    let page = json!({
        "identifier": { "type": "email", "value": "bob@example.test" },
        "challenge": { "type": "email-reply-00", "from": "acme@ca.example.test" },
        "order_created": "2026-11-23T17:43:00Z", "now": "2026-11-23T17:45:00Z",
    });
    rejected(desk.judge(&mail, &page, &dns, &[]), "dkim-header-not-covered");
    accepted(desk.judge(&mail, &page, &dns, &["--signed-headers", "relaxed"]));
    // The reply to it is no challenge.
    let reply = std::fs::read(format!("{VECTORS}/acme4j-reply.eml")).unwrap();
    rejected(desk.judge(&reply, &page, &dns, &[]), "not-a-challenge");
}

#[test]
fn files_that_cannot_be_read_are_errors() {
    let desk = Desk::new();
    let mail = desk.signed(&desk.draft());
    let (page, dns) = (whole().to_string(), desk.dns().to_string());
    for (challenge, dns) in [
        ("", dns.as_str()),
        ("{", &dns),
        ("[]", &dns),
        (r#"{"now":"soon"}"#, &dns),
        (r#"{"mailbox":"bob"}"#, &dns),
        (r#"{"identifier":{"type":"dns","value":"example.test"}}"#, &dns),
        (r#"{"challenge":{"type":"http-01"}}"#, &dns),
        (&page, ""),
        (&page, "null"),
        (&page, r#"{"a":7}"#),
        (&page, r#"{"a":"b","a":"c"}"#),
    ] {
        wrong(desk.judge_text(&mail, challenge, dns, &[]), "malformed");
    }
    let (mail, page) = (desk.file("m", &mail), desk.file("c", &page));
    let absent = desk.folder.path().join("absent");
    wrong(judge_files(&absent, &page, &page, &[]), "malformed");
    wrong(judge_files(&mail, &absent, &page, &[]), "file-unreadable");
    wrong(judge_files(&mail, &page, &absent, &[]), "file-unreadable");
    wrong(judge_files(desk.folder.path(), &page, &desk.file("d", &dns), &[]), "file-unreadable");
    let (status, answer) =
        judge_files(&mail, &page, &desk.file("d", &dns), &["--limits", "message_bytes=100"]);
    assert_eq!((status, &answer["verdict"]), (2, &json!("limit")), "{answer}");
}
