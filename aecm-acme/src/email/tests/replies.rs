//! The response mail of RFC 8823 §3.2, written and checked.

use super::*;
use crate::mail::ReplyMail;

const DIGEST: &str = "hkpTb038SDejJJh5_Oo1FtPT0tCXsGj5w3Q79wAQ4iY";

struct Served {
    ca: Mailbox,
    bob: Mailbox,
    token: TokenPart1,
}

impl Served {
    fn new() -> Self {
        let World { ca, bob } = World::new();
        Self { ca, bob, token: TokenPart1::parse(TOKEN).unwrap() }
    }

    fn expected(&self) -> ExpectedReply<'_> {
        ExpectedReply {
            mailbox: &self.bob,
            to: &self.ca,
            token_part1: &self.token,
            digest: DIGEST,
            sent: NOW.minus(Duration::from_secs(60)),
            now: NOW,
        }
    }

    fn reply(&self) -> ReplyMail {
        ReplyMail {
            from: self.bob.clone(),
            to: self.ca.clone(),
            subject: format!("ACME: {TOKEN}"),
            in_reply_to: Some("<1@ca.example.test>".to_owned()),
            digest: DIGEST.to_owned(),
        }
    }
}

fn options() -> SignOptions {
    let fields: Vec<&str> = RFC8823_FIELDS.into_iter().filter(|name| *name != "auto-submitted").collect();
    SignOptions::new("example.test", "own").oversigned_fields(&fields)
}

fn judge_reply(raw: &[u8], headers: SignedHeaders) -> Result<Reply, ReplyRefusal> {
    let served = Served::new();
    let (mail, expected) = (received(raw), served.expected());
    run(authenticate_reply(&mail, &expected, headers, &VerifyOptions::default(), &Zone::usual()))
}

fn reason(mail: &str) -> &'static str {
    let raw = sign(&options(), mail.as_bytes());
    judge_reply(&raw, SignedHeaders::Rfc8823).map_or_else(|refusal| refusal.word(), |_| "accepted")
}

fn good() -> String {
    String::from_utf8(Served::new().reply().compose(NOW, "<r@example.test>").unwrap()).unwrap()
}

fn with(from: &str, to: &str) -> String {
    let good = good();
    assert!(good.contains(from), "{from}");
    good.replacen(from, to, 1)
}

// acme4j's reply, signed by the mail rig over six fields.
#[test]
fn the_real_reply() {
    let raw = include_bytes!("../../../tests/vectors/mail/acme4j-reply.eml");
    let reply = judge_reply(raw, SignedHeaders::Relaxed).unwrap();
    assert_eq!(reply.message_id.as_deref(), Some("<2065718717.1.1795455790787@localhost>"));
    assert_eq!(judge_reply(raw, SignedHeaders::Rfc8823).unwrap_err().word(), "dkim-header-not-covered");
}

#[test]
fn what_we_write_is_accepted() {
    assert_eq!(reason(&good()), "accepted");
    assert!(good().contains("\r\nIn-Reply-To: <1@ca.example.test>\r\n"));
    assert!(good().lines().all(|line| line.len() <= 78));
    let split = format!("{}\r\n{}", &DIGEST[..20], &DIGEST[20..]);
    for (from, to) in [
        ("Subject: Re: ", "Subject: AW: "),
        ("Subject: Re: ", "Subject: =?UTF-8?Q?R=C3=A9p?= : "),
        ("Subject: Re: ", "Subject: 回复："),
        (TOKEN, "MZfj3Md0g5JsI2VSj7Og\r\n wINIx2NzBd9W"),
        (DIGEST, &split),
        ("-----BEGIN", "Dear CA,\r\n\r\n-----BEGIN"),
        ("RESPONSE-----\r\nhk", "RESPONSE-----  \r\n hk"),
        ("From: ", "From: Bob <bob@example.test>\r\nX-Was: "),
    ] {
        assert_eq!(reason(&with(from, to)), "accepted", "{from:?} -> {to:?}");
    }
    let long = ReplyMail { subject: format!("ACME: {}", "a ".repeat(100)), ..Served::new().reply() };
    let text = String::from_utf8(long.compose(NOW, "<r@example.test>").unwrap()).unwrap();
    assert!(text.lines().all(|line| line.len() <= 78));
    // An alternative, as people's mail programs write.
    let (header, body) = good()
        .split_once("MIME-Version")
        .map(|(header, rest)| (header.to_owned(), rest.split_once("\r\n\r\n").unwrap().1.to_owned()))
        .unwrap();
    let alternative = format!(
        "{header}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{body}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n"
    );
    assert_eq!(reason(&alternative), "accepted");
}

#[test]
fn what_the_server_refuses() {
    let twice =
        format!("{}-----BEGIN ACME RESPONSE-----\r\n{DIGEST}\r\n-----END ACME RESPONSE-----\r\n", good());
    for (word, mail) in [
        ("not-a-reply", with("Subject: Re: ", "Subject: ")),
        ("not-a-reply", with("Subject: Re: ", "Subject: Hello ")),
        ("not-a-reply", with("Subject: Re: ACME: ", "Subject: Re: ACME:")),
        ("not-a-reply", with("Subject: Re: ", &format!("Subject: {}: ", "x".repeat(70)))),
        ("not-a-reply", with("Subject: ", "X-Subject: ")),
        ("header-count", with("Subject: ", "Subject: x\r\nSubject: ")),
        ("header-count", with("From: ", "From: mallory@evil.test\r\nFrom: ")),
        ("header-count", with("To: ", "To: x@evil.test\r\nTo: ")),
        ("header-count", with("Date: ", "X-Date: ")),
        ("other-token", with("MZfj3", "MZfj4")),
        ("not-a-reply", with(TOKEN, "")),
        ("other-token", with(TOKEN, &format!("{TOKEN}="))),
        ("from-not-expected", with("From: bob@", "From: mallory@")),
        ("from-not-expected", with("From: bob@example.test", "From: bob@example.test, x@example.test")),
        ("to-not-expected", with("To: acme@", "To: other@")),
        ("to-not-expected", with("To: acme@ca.example.test", "To: acme@ca.example.test, x@example.test")),
        ("date-outside-order", with("17:43:20", "16:43:20")),
        ("date-outside-order", with("17:43:20", "18:43:20")),
        ("date-outside-order", with("Date: Mon, ", "Date: x")),
        ("mailing-list", with("To: ", "List-Id: <x.example.test>\r\nTo: ")),
        ("no-text", with("text/plain", "text/html")),
        ("no-acme-response", with("-----BEGIN ACME", "-----BEGIN PGP")),
        ("no-acme-response", with("-----END ACME RESPONSE-----", "")),
        ("no-acme-response", with("-----END ACME RESPONSE-----", "-----END OTHER RESPONSE-----")),
        ("no-acme-response", with("-----BEGIN", "> -----BEGIN")),
        ("no-acme-response", twice),
        ("digest-wrong", with("hkpTb", "hkpTc")),
        ("digest-wrong", with(DIGEST, "")),
        ("digest-wrong", with(DIGEST, &DIGEST[1..])),
        ("digest-wrong", with(DIGEST, &format!("{DIGEST}="))),
        ("digest-wrong", with(DIGEST, &format!("{DIGEST}{DIGEST}"))),
    ] {
        assert_eq!(reason(&mail), word, "{mail}");
    }
}

#[test]
fn replies_of_unknown_origin() {
    let mail = good();
    let of = |raw: &[u8]| judge_reply(raw, SignedHeaders::Rfc8823).unwrap_err().word();
    assert_eq!(of(mail.as_bytes()), "dkim-no-signature");
    assert_eq!(of(&sign(&SignOptions::new("evil.test", "own"), mail.as_bytes())), "dkim-other-domain");
    assert_eq!(
        of(&sign(&SignOptions::new("example.test", "own").fields(&RELAXED_FIELDS), mail.as_bytes())),
        "dkim-header-not-covered"
    );
    let signed = String::from_utf8(sign(&options(), mail.as_bytes())).unwrap();
    assert_eq!(of(signed.replacen("To: ", "Cc: x@evil.test\r\nTo: ", 1).as_bytes()), "dkim-signature-wrong");
    assert_eq!(of(format!("{signed}x\r\n").as_bytes()), "dkim-body-changed");
    assert_eq!(of(&[signed.as_bytes(), b"\n"].concat()), "mixed-line-ends");
    let served = Served::new();
    let pending = PendingReply::prepare(
        &received(signed.as_bytes()),
        &served.expected(),
        SignedHeaders::Rfc8823,
        &VerifyOptions::default(),
    )
    .unwrap();
    // No query leaves for a stranger's signature on top.
    let strange = sign(&SignOptions::new("evil.test", "own"), signed.as_bytes());
    let options = VerifyOptions::default();
    let other =
        PendingReply::prepare(&received(&strange), &served.expected(), SignedHeaders::Rfc8823, &options)
            .unwrap();
    assert_eq!(other.dkim().names(), pending.dkim().names());
    let refused = pending.check(&crate::dkim::Records::new()).unwrap_err();
    assert!(refused.is_temporary());
    assert!(!format!("{pending:?}").contains(DIGEST));
}

#[test]
fn what_is_not_written() {
    let served = Served::new();
    let id = "<r@example.test>";
    for (reply, error) in [
        (ReplyMail { subject: "ACME: x\r\nBcc: y".to_owned(), ..served.reply() }, ComposeError::Subject),
        (ReplyMail { subject: "ACME: ä".to_owned(), ..served.reply() }, ComposeError::Subject),
        (ReplyMail { digest: String::new(), ..served.reply() }, ComposeError::Digest),
        (ReplyMail { digest: "a\r\n".to_owned(), ..served.reply() }, ComposeError::Digest),
        (
            ReplyMail { in_reply_to: Some("<a@b>\r\nBcc: y".to_owned()), ..served.reply() },
            ComposeError::MessageId,
        ),
    ] {
        assert_eq!(reply.compose(NOW, id), Err(error));
    }
    assert_eq!(served.reply().compose(NOW, "r@example.test"), Err(ComposeError::MessageId));
}
