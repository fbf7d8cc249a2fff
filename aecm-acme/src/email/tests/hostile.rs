//! Challenge mails that must be refused, each for its own reason. Unless it says otherwise, each is signed by
//! the CA's own key over the whole list of fields, so that nothing but the rule in question stands in the way.

use super::*;
use crate::dkim::KeyRecord;
use crate::dkim::tests::{SHORT, STRONG, sign_with};

// C2, C3, C4, A22: a genuine signature does not make a mail right.
#[test]
fn signed_mails_that_are_wrong() {
    let token = |text: &str| with(TOKEN, text);
    let cases: Vec<(&str, String)> = vec![
        // C3: the token.
        ("token-malformed", token("")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7Ogw")),
        ("token-malformed", token(&"a".repeat(172))),
        ("token-malformed", token(&"a".repeat(900))),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W.")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9+")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9/")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W===")),
        ("token-malformed", token("MZfj3Md0g5JsI2VS=j7OgwINIx2NzBd9W")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W (urgent!)")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W; rm -rf /")),
        ("token-malformed", token("../../../../../etc/passwd/../../..")),
        ("token-malformed", token("$(curl evil.test)aaaaaaaaaaaaaaaaa")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9\u{448}")),
        ("token-malformed", token("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9\u{200b}W")),
        ("token-malformed", token("=?UTF-8?Q?MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9=0D=0AW?=")),
        ("token-malformed", token("=?UTF-8?Q?MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9=00W?=")),
        ("token-malformed", token("=?UTF-8?Q?MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9=FFW?=")),
        ("token-malformed", token("=?ISO-8859-1?Q?MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W?=")),
        ("token-malformed", token("=?UTF-8?Q?MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W")),
        ("mail-malformed", with("ACME: ", "ACME:")),
        // Not a challenge at all.
        ("not-a-challenge", with("ACME: ", "Re: ACME: ")),
        ("not-a-challenge", with("ACME: ", "AW: ACME: ")),
        ("not-a-challenge", with("ACME: ", "Fwd: ACME: ")),
        ("not-a-challenge", with("ACME: ", "[list] ACME: ")),
        ("not-a-challenge", with("ACME: ", "acme: ")),
        ("not-a-challenge", with("ACME: ", "ACME : ")),
        ("not-a-challenge", with("ACME: ", "\u{410}CME: ")),
        ("not-a-challenge", with("ACME: ", "=?UTF-8?Q?Re:?= ACME: ")),
        ("not-a-challenge", with("ACME: ", "=?UTF-7?Q?ACME:?= ")),
        ("not-a-challenge", with("Subject: ", "X-Subject: ")),
        // C2: duplicates and gaps.
        ("header-count", with("Subject: ", "Subject: ACME: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nSubject: ")),
        ("header-count", with("Subject: ", "Subject: hello\r\nSUBJECT : ")),
        ("header-count", with("From: ", "From: acme@ca.example.test\r\nFrom: ")),
        ("header-count", with("From: ", "From: mallory@evil.test\r\nfrom: ")),
        ("header-count", with("To: ", "To: bob@example.test\r\nTo: ")),
        ("header-count", with("To: bob@example.test\r\n", "")),
        ("header-count", with("To: bob@example.test\r\n", "Cc: bob@example.test\r\n")),
        ("header-count", with("Date: ", "Date: Mon, 23 Nov 2026 17:43:06 +0000\r\nDate: ")),
        ("header-count", with("Date: ", "X-Date: ")),
        ("header-count", with("Auto-Submitted: ", "Auto-Submitted: no\r\nAuto-Submitted: ")),
        ("header-count", with("Message-ID: ", "Message-ID: <2@ca.example.test>\r\nMessage-ID: ")),
        ("header-count", with("To: ", "Reply-To: a@evil.test\r\nReply-To: b@evil.test\r\nTo: ")),
        ("header-count", with("To: ", "Sender: a@evil.test\r\nSender: b@evil.test\r\nTo: ")),
        ("mail-malformed", with("To: ", "Reply-To: a@evil.test, b@evil.test\r\nTo: ")),
        // C1: From is the challenge's.
        ("from-not-expected", with("acme@ca", "acme@mail.ca")),
        ("from-not-expected", with("acme@ca", "Acme@ca")),
        ("from-not-expected", with("acme@ca", "acme+1@ca")),
        (
            "from-not-expected",
            with("From: acme@ca.example.test", "From: acme@ca.example.test, mallory@evil.test"),
        ),
        (
            "from-not-expected",
            with("From: acme@ca.example.test", "From: \"acme@ca.example.test\" <mallory@evil.test>"),
        ),
        ("from-not-expected", with("From: acme@ca.example.test", "From: ca:acme@ca.example.test;")),
        (
            "from-not-expected",
            with("From: acme@ca.example.test", "From: acme@ca.example.test <mallory@evil.test>"),
        ),
        ("from-not-expected", with("From: acme@ca.example.test", "From: acme@ca.example.test\0")).clone(),
        ("from-not-expected", with("From: acme@ca.example.test", "From:")),
        // C4: To is the mailbox alone.
        ("to-not-expected", with("bob@", "carol@")),
        ("to-not-expected", with("bob@", "Bob@")),
        ("to-not-expected", with("bob@example.test", "bob@example.test, carol@example.test")),
        ("to-not-expected", with("bob@example.test", "carol@example.test, bob@example.test")),
        ("to-not-expected", with("bob@example.test", "bob@example.test, bob@example.test")),
        ("to-not-expected", with("bob@example.test", "undisclosed-recipients:;")),
        ("to-not-expected", with("bob@example.test", "g:bob@example.test;")),
        ("to-not-expected", with("bob@example.test", "bob@example.test.evil.test")),
        ("to-not-expected", with("bob@example.test", "carol@example.test (bob@example.test)")),
        ("to-not-expected", with("bob@example.test", "\"bob@example.test\"@evil.test")),
        // RFC 8823 §3.1 item 5.
        ("not-auto-generated", with("Auto-Submitted: ", "X-Auto: ")),
        ("not-auto-generated", with("auto-generated; type=acme", "no")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-replied; type=acme")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-generated type=acme")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-generated; type=vacation")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-generated; type=acme; type=other")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-generated; type=acme authz=x")),
        ("not-auto-generated", with("auto-generated; type=acme", "auto-generated; type=\"acme")),
        ("not-auto-generated", with("auto-generated; type=acme", "(auto-generated; type=acme)")),
        ("not-auto-generated", with("auto-generated; type=acme", "")),
        // C4: the time of the order (60 s ago, with five minutes for clocks).
        ("date-outside-order", with("17:43:06", "17:37:19")),
        ("date-outside-order", with("23 Nov 2026", "22 Nov 2026")),
        ("date-outside-order", with("17:43:06", "17:48:21")),
        ("date-outside-order", with("+0000", "-0100")),
        ("date-outside-order", with("Nov 2026", "Nov 2027")),
        ("mail-malformed", with("Mon, 23 Nov 2026 17:43:06 +0000", "yesterday")),
        ("mail-malformed", with("23 Nov", "31 Nov")),
        // A22: another authorization's hint.
        (
            "other-authorization",
            with("type=acme", &format!("type=acme; authz={}", authz_hint("https://other/"))),
        ),
        ("other-authorization", with("type=acme", "type=acme; authz=\"\"")),
    ];
    assert!(cases.len() >= 70);
    for (reason, mail) in cases {
        // A NUL never gets as far as a signature.
        let (reason, raw) = match mail.contains('\0') {
            true => ("mail-malformed", mail.clone().into_bytes()),
            false => (reason, signed(&mail)),
        };
        assert_eq!(word(judge(&raw)), reason, "{mail}");
    }
}

// C1: mails that read well, and whose origin is not proven.
#[test]
fn mails_of_unknown_origin() {
    let world = World::new();
    let usual = usual_options(&world);
    let full: Vec<&str> = RFC8823_FIELDS.to_vec();
    let by = |domain: &str| SignOptions::new(domain, "own").oversigned_fields(&full);
    let without = |name: &str| {
        let fields: Vec<&str> = full.iter().copied().filter(|known| *known != name).collect();
        sign(&SignOptions::new("ca.example.test", "own").oversigned_fields(&fields), GOOD.as_bytes())
    };
    let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
    let good = text(sign(&usual, GOOD.as_bytes()));
    let tagged = |tags: &str| {
        let mut options = usual.clone();
        options.extra_tags = tags.to_owned();
        sign(&options, GOOD.as_bytes())
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("dkim-no-signature", GOOD.as_bytes().to_vec()),
        (
            "dkim-no-signature",
            format!("Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n{GOOD}")
                .into_bytes(),
        ),
        ("dkim-other-domain", sign(&by("evil.test"), GOOD.as_bytes())),
        ("dkim-other-domain", sign(&by("example.test"), GOOD.as_bytes())),
        ("dkim-other-domain", sign(&by("mail.ca.example.test"), GOOD.as_bytes())),
        (
            "dkim-no-key",
            sign(&SignOptions::new("ca.example.test", "gone").oversigned_fields(&full), GOOD.as_bytes()),
        ),
        ("dkim-signature-wrong", sign_with(&usual, GOOD.as_bytes(), SHORT.as_ref())),
        ("dkim-signature-wrong", good.replacen("MZfj", "MZfk", 1).into_bytes()),
        (
            "dkim-signature-wrong",
            good.replacen("acme@ca", "\"x\" <acme@ca", 1)
                .replacen("test\r\nTo", "test>\r\nTo", 1)
                .into_bytes(),
        ),
        ("dkim-signature-wrong", good.replacen("type=acme", "type=acme; x=y", 1).into_bytes()),
        ("dkim-signature-wrong", good.replacen("17:43:06", "17:43:07", 1).into_bytes()),
        ("dkim-signature-wrong", good.replacen("<1@", "<2@", 1).into_bytes()),
        // Oversigned: what was absent cannot be added.
        (
            "dkim-signature-wrong",
            good.replacen("To: ", "Reply-To: mallory@evil.test\r\nTo: ", 1).into_bytes(),
        ),
        ("dkim-signature-wrong", good.replacen("To: ", "Cc: mallory@evil.test\r\nTo: ", 1).into_bytes()),
        ("dkim-signature-wrong", good.replacen("To: ", "Sender: mallory@evil.test\r\nTo: ", 1).into_bytes()),
        ("dkim-signature-wrong", good.replacen("To: ", "Content-Type: text/html\r\nTo: ", 1).into_bytes()),
        ("dkim-signature-wrong", good.replacen("To: ", "List-Id: <x.evil.test>\r\nTo: ", 1).into_bytes()),
        ("dkim-body-changed", good.replacen("Hello.", "Hello!", 1).into_bytes()),
        ("dkim-body-changed", format!("{good}More.\r\n").into_bytes()),
        ("dkim-body-length", tagged(" l=0;")),
        ("dkim-body-length", tagged(" l=7;")),
        ("dkim-agent-outside-domain", tagged(" i=@example.test;")),
        ("dkim-signature-malformed", tagged(" s=x;")),
        ("dkim-query-unsupported", tagged(" q=x;")),
        (
            "dkim-expired",
            text(sign(&by("ca.example.test").expires(NOW.minus(Duration::from_secs(400))), GOOD.as_bytes()))
                .into_bytes(),
        ),
        (
            "dkim-signed-in-the-future",
            sign(&usual.clone().signed_at(NOW.plus(Duration::from_secs(400))), GOOD.as_bytes()),
        ),
        ("dkim-algorithm-unsupported", good.replacen("rsa-sha256", "rsa-sha1", 1).into_bytes()),
        ("dkim-algorithm-unsupported", good.replacen("rsa-sha256", "ed25519-sha256", 1).into_bytes()),
        ("dkim-version-unknown", good.replacen("v=1", "v=2", 1).into_bytes()),
        ("dkim-header-not-covered", without("auto-submitted")),
        ("dkim-header-not-covered", without("subject")),
        ("dkim-header-not-covered", without("to")),
        ("dkim-header-not-covered", without("date")),
        ("dkim-header-not-covered", without("sender")),
        ("dkim-header-not-covered", without("reply-to")),
        ("dkim-header-not-covered", without("content-transfer-encoding")),
        ("dkim-from-not-signed", good.replacen("h=from:from:", "h=x:x:", 1).into_bytes()),
        ("mail-malformed", [good.as_bytes(), b"bare\n"].concat()),
        ("mail-malformed", [b"From mallory\r\n", good.as_bytes()].concat()),
    ];
    assert!(cases.len() >= 35);
    for (reason, raw) in cases {
        assert_eq!(word(judge(&raw)), reason, "{}", String::from_utf8_lossy(&raw));
    }
}

#[test]
fn keys_that_prove_nothing() {
    let raw = signed(GOOD);
    let key = KeyRecord::text(STRONG.public_key());
    for (reason, record) in [
        ("dkim-testing", key.replace("k=rsa", "t=y")),
        ("dkim-key-revoked", "v=DKIM1; p=".to_owned()),
        ("dkim-key-type-unsupported", key.replace("k=rsa", "k=ed25519")),
        ("dkim-key-not-for-this", key.replace("k=rsa", "h=sha1")),
        ("dkim-key-not-for-this", key.replace("k=rsa", "s=other")),
        ("dkim-key-malformed", "p=AAAA".to_owned()),
        ("dkim-no-key", "v=spf1 -all".to_owned()),
    ] {
        let mut zone = Zone::usual();
        zone.set("own._domainkey.ca.example.test", &record);
        assert_eq!(word(judge_with(&raw, SignedHeaders::Relaxed, &zone)), reason, "{record}");
    }
    let mut zone = Zone::usual();
    let temporary = Err(aecm_core::embed::TxtError::Temporary("timeout".to_owned()));
    zone.set_all("own._domainkey.ca.example.test", temporary);
    let refused = judge_with(&raw, SignedHeaders::Rfc8823, &zone).unwrap_err();
    assert!(refused.is_temporary());
    assert_eq!(refused.word(), "temporarily-unknown");
}

// A mail with a good and several bad signatures is as good as its good one; the reason is the nearest miss.
#[test]
fn several_signatures() {
    let world = World::new();
    let evil = SignOptions::new("evil.test", "own");
    let few = SignOptions::new("ca.example.test", "own").fields(&["from"]);
    let once = signed(GOOD);
    assert_eq!(word(judge(&sign(&evil, &once))), "accepted");
    assert_eq!(word(judge(&sign(&few, &once))), "accepted");
    let broken = String::from_utf8(sign(&usual_options(&world), &once)).unwrap().replacen("t=1", "t=0", 1);
    assert_eq!(word(judge(broken.as_bytes())), "accepted");
    assert_eq!(word(judge(&sign(&few, &sign(&evil, GOOD.as_bytes())))), "dkim-header-not-covered");
}

/// A zone that notes what was asked.
struct Asked(Zone, std::sync::Mutex<Vec<String>>);

#[async_trait::async_trait]
impl aecm_core::embed::TxtResolver for Asked {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, aecm_core::embed::TxtError> {
        self.1.lock().unwrap().push(name.to_owned());
        self.0.txt(name).await
    }
}

// C6: a stranger's signature leads to no query at a name of the stranger's choice.
#[test]
fn only_the_domain_in_from_is_looked_up() {
    let world = World::new();
    let own = String::from_utf8(signed(GOOD)).unwrap();
    let stranger = |domain: &str, mail: &str| {
        String::from_utf8(sign(&SignOptions::new(domain, "own"), mail.as_bytes())).unwrap()
    };
    let both = stranger("evil.test", &stranger("mail.ca.example.test", &own));
    for (mail, verdict, names) in [
        (both.as_str(), "accepted", vec!["own._domainkey.ca.example.test"]),
        (&stranger("evil.test", GOOD), "dkim-other-domain", vec![]),
    ] {
        let zone = Arc::new(Asked(Zone::usual(), std::sync::Mutex::default()));
        let authenticator = DkimAuthenticator::new(zone.clone());
        let judged = run(authenticator.authenticate(&received(mail.as_bytes()), &world.expected()));
        assert_eq!(word(judged), verdict);
        assert_eq!(*zone.1.lock().unwrap(), names);
    }
}

// Nobody's order: the same mail for another mailbox, CA, or later.
#[test]
fn the_right_mail_for_another_challenge() {
    let world = World::new();
    let raw = signed(GOOD);
    let zone: Arc<Zone> = Arc::new(Zone::usual());
    let other: Mailbox = "carol@example.test".parse().unwrap();
    let judge = |expected: ExpectedChallenge<'_>, received_at: Time| {
        let mail = Mail { received: received_at, ..received(&raw) };
        word(run(DkimAuthenticator::new(zone.clone()).authenticate(&mail, &expected)))
    };
    let expected = world.expected();
    assert_eq!(judge(expected, NOW), "accepted");
    assert_eq!(judge(ExpectedChallenge { mailbox: &other, ..expected }, NOW), "to-not-expected");
    assert_eq!(judge(ExpectedChallenge { from: &other, ..expected }, NOW), "from-not-expected");
    let later = NOW.plus(Duration::from_secs(3_600));
    assert_eq!(
        judge(ExpectedChallenge { order_created: later, now: later, ..expected }, later),
        "date-outside-order"
    );
    // A Date can be written as one likes; when the mail arrived cannot.
    assert_eq!(judge(expected, NOW.minus(Duration::from_secs(3_600))), "date-outside-order");
}

#[test]
fn limits() {
    let world = World::new();
    let raw = signed(GOOD);
    let mut options = VerifyOptions::default();
    options.limits.message_bytes = raw.len();
    let judge = |options: &VerifyOptions| {
        PendingChallenge::prepare(&received(&raw), &world.expected(), SignedHeaders::Rfc8823, options)
            .map(|_| ())
    };
    assert!(judge(&options).is_ok());
    options.limits.message_bytes -= 1;
    assert_eq!(judge(&options).unwrap_err().word(), "mail-malformed");
    assert!(read_challenge(&raw, NOW, &world.expected(), &Limits::default()).is_ok());
}

// THREATS §11 and C1: mutated genuine mails; whatever is accepted says what the genuine one said.
#[test]
fn mutated_challenge_mails() {
    let world = World::new();
    let raw = signed(GOOD);
    let zone = Zone::usual();
    let genuine = PendingChallenge::prepare(
        &received(&raw),
        &world.expected(),
        SignedHeaders::Rfc8823,
        &VerifyOptions::default(),
    )
    .unwrap();
    let records = run(genuine.dkim().look_up(&zone));
    let (mut seed, mut accepted) = (0x2545_f491_4f6c_dd1d_u64, 0);
    let mut below = |limit: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % limit
    };
    for _ in 0..10_000 {
        let mut mail = raw.clone();
        for _ in 0..=below(2) {
            let at = below(mail.len());
            match below(5) {
                0 => mail[at] ^= 1 << below(8),
                1 => drop(mail.remove(at)),
                2 => mail.insert(at, b" \t\r\n:A"[below(6)]),
                3 => drop(mail.splice(
                    at..at,
                    b"\r\nSubject: ACME: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".iter().copied(),
                )),
                _ => drop(mail.splice(at..at, b"\r\n ".iter().copied())),
            }
        }
        let judged = PendingChallenge::prepare(
            &received(&mail),
            &world.expected(),
            SignedHeaders::Rfc8823,
            &VerifyOptions::default(),
        );
        if let Ok(read) = judged.and_then(|pending| pending.check(&records)) {
            accepted += 1;
            assert_eq!(read.token_part1.expose(), TOKEN);
            assert_eq!((read.reply_to.as_str(), read.authz_hint), ("acme@ca.example.test", None));
            assert_eq!(read.message_id.as_deref(), Some("<1@ca.example.test>"));
        }
    }
    // Added white space and bits of field names' case are harmless.
    assert!((10..5_000).contains(&accepted), "{accepted}");
}
