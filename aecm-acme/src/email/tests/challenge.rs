//! Challenge mails that are right: ours, dkimpy's, acme2certifier's, and every form a Subject may have.

use base64ct::Encoding;

use super::*;

// RFC 8823 §3.1: "acme2certifier with a mail rig" signs six fields; STANDARDS A21 names them as the least.
#[test]
fn the_real_mail_needs_the_relaxed_list() {
    let raw = include_bytes!("../../../tests/vectors/mail/acme2certifier-challenge.eml");
    let refused = judge(raw).unwrap_err();
    assert_eq!(refused.word(), "dkim-header-not-covered");
    for name in
        ["sender", "reply-to", "cc", "in-reply-to", "references", "content-type", "content-transfer-encoding"]
    {
        assert!(refused.to_string().contains(name), "{name}");
    }
    let read = judge_with(raw, SignedHeaders::Relaxed, &Zone::usual()).unwrap();
    assert_eq!(read.token_part1.expose(), TOKEN);
    assert_eq!(read.message_id.as_deref(), Some("<179545578653.14919.11671572275752888790@ca.example.test>"));
    assert_eq!(read.authz_hint, None);
    assert_eq!(read.reply_to.as_str(), "acme@ca.example.test");
    assert_eq!(read.subject, format!("ACME: {TOKEN}"));
}

// An encoded Subject in two words as acme4j's fixtures have it, signed by dkimpy with the whole list.
#[test]
fn the_mail_of_dkimpy() {
    let raw = include_bytes!("../../../tests/vectors/mail/dkimpy/challenge-oversigned.eml");
    let world = World::new();
    let time = Time::from_rfc3339("2026-11-23T20:00:00Z").unwrap();
    let expected = ExpectedChallenge {
        order_created: Time::from_rfc3339("2026-11-23T08:00:00Z").unwrap(),
        now: time,
        ..world.expected()
    };
    let mail = Mail { received: time, ..received(raw) };
    let read = run(DkimAuthenticator::new(Arc::new(Zone::usual())).authenticate(&mail, &expected)).unwrap();
    assert_eq!(read.token_part1.expose(), "LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6vBdyZ1TG3sME=");
}

#[test]
fn what_we_compose_and_sign_is_accepted() {
    let world = World::new();
    let reply_to: Mailbox = "answers@ca.example.test".parse().unwrap();
    // 16, 20, 24, 32 octets, padded, and the longest.
    for octets in [16, 20, 24, 32, 128] {
        let padded = base64ct::Base64Url::encode_string(&vec![0x5a; octets]);
        for text in [padded.trim_end_matches('='), padded.as_str()] {
            let token_part1 = TokenPart1::parse(text).unwrap();
            let draft = ChallengeDraft {
                from: &world.ca,
                to: &world.bob,
                token_part1: &token_part1,
                challenge_url: Some(URL),
                date: NOW,
                message_id: "<x@ca.example.test>",
                reply_to: Some(&reply_to),
                text: None,
            };
            let mail = draft.compose().unwrap();
            assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 79), "{octets}");
            let raw =
                run(usual_options(&world).sign_mail(&mail, crate::dkim::tests::STRONG.as_ref())).unwrap();
            let read = judge(&raw).unwrap();
            assert_eq!(read.token_part1.expose(), text);
            assert_eq!(read.authz_hint, Some(authz_hint(URL)));
            assert_eq!(read.reply_to, reply_to);
            assert_eq!(read.message_id.as_deref(), Some("<x@ca.example.test>"));
            // As a Maildir keeps it.
            let unix: Vec<u8> = raw.iter().copied().filter(|byte| *byte != b'\r').collect();
            assert_eq!(judge(&unix).unwrap().token_part1.expose(), text);
        }
    }
}

// RFC 8823 §3.1 item 1: folding, white space in the token, encoded-words.
#[test]
fn subjects_that_say_the_same() {
    for subject in [
        "ACME: MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W",
        "ACME:\tMZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W  ",
        "ACME:\r\n MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W",
        "\r\n ACME: MZfj3Md0g5JsI2VSj7Og\r\n\twINIx2NzBd9W",
        "ACME: MZfj 3Md0 g5Js I2VS j7Og\r\n wINI x2Nz Bd9W",
        "=?UTF-8?Q?ACME:_MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W?=",
        "=?utf-8?q?ACME:_MZfj3Md0=675JsI2VSj7Og?=\r\n =?utf-8?q?wINIx2NzBd9W?=",
        "=?US-ASCII*en?Q?ACME=3A=20MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W?=",
        "=?UTF-8?B?QUNNRTogTVpmajNNZDBnNUpzSTJWU2o3T2d3SU5JeDJOekJkOVc=?=",
        "ACME: =?UTF-8?Q?MZfj3Md0g5JsI2VSj7Og?= wINIx2NzBd9W",
    ] {
        let mail = with(&format!("ACME: {TOKEN}"), subject);
        assert_eq!(judge(&signed(&mail)).unwrap().token_part1.expose(), TOKEN, "{subject:?}");
    }
}

#[test]
fn other_harmless_differences() {
    let hint = authz_hint(URL);
    for (from, to) in [
        ("From: acme@", "From: \"The CA\" <acme@"),
        ("acme@ca.example.test\r\nTo", "acme@CA.Example.TEST (robot)\r\nTo"),
        ("bob@example.test", "Bob <bob@EXAMPLE.test>"),
        ("To: ", "Cc: carol@example.test\r\nTo: "),
        ("; type=acme", ""),
        ("; type=acme", "; x=y; TYPE=\"ACME\" (comment);"),
        ("auto-generated", "(c) AUTO-Generated"),
        ("; type=acme", &format!(";\r\n type=acme; authz={hint}")),
        ("Message-ID: <1@ca.example.test>\r\n", ""),
        ("Hello.", "<img src=http://evil.test>"),
        ("+0000", "+0100 (CET)"),
        ("17:43:06", "17:38:30"),
    ] {
        let mail = with(from, to).replace("<acme@ca.example.test\r\n", "<acme@ca.example.test>\r\n");
        let mail = if to == "+0100 (CET)" { mail.replace("17:43:06", "18:43:06") } else { mail };
        assert_eq!(word(judge(&signed(&mail))), "accepted", "{from:?} -> {to:?}");
    }
}

// Fields in front of and between the signed ones, as a mail system on the way adds them.
#[test]
fn added_and_reordered_fields() {
    let raw = signed(GOOD);
    let text = String::from_utf8(raw).unwrap();
    let travelled = format!("Return-Path: <>\r\nReceived: from a by b; x\r\nReceived: y\r\n{text}");
    assert_eq!(word(judge(travelled.as_bytes())), "accepted");
    let (signature, rest) = text.split_at(text.find("From: ").unwrap());
    let (header, body) = rest.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = header.lines().collect();
    lines.reverse();
    let reordered = format!("{}\r\n{signature}\r\n{body}", lines.join("\r\n"));
    assert_eq!(word(judge(reordered.as_bytes())), "accepted");
}

#[test]
fn a_reply_to_that_is_not_signed_is_not_believed() {
    let mail = with("To: ", "Reply-To: mallory@evil.test\r\nTo: ");
    let raw = sign(&SignOptions::new("ca.example.test", "own").fields(&RELAXED_FIELDS), mail.as_bytes());
    let read = judge_with(&raw, SignedHeaders::Relaxed, &Zone::usual()).unwrap();
    assert_eq!(read.reply_to.as_str(), "acme@ca.example.test");
    assert_eq!(judge(&signed(&mail)).unwrap().reply_to.as_str(), "mallory@evil.test");
}

// N9: neither the token nor the Subject reaches a log.
#[test]
fn nothing_secret_is_shown() {
    let world = World::new();
    let mail = received(&signed(GOOD));
    let pending = PendingChallenge::prepare(
        &mail,
        &world.expected(),
        SignedHeaders::Rfc8823,
        &VerifyOptions::default(),
    )
    .unwrap();
    assert!(!format!("{pending:?}").contains(&TOKEN[..8]));
    assert!(!format!("{:?}", judge(&mail.raw).unwrap()).contains(&TOKEN[..8]));
    let to_sign = usual_options(&world).prepare(GOOD.as_bytes()).unwrap();
    assert!(!format!("{to_sign:?}").contains(&TOKEN[..8]));
    for mail in [with(TOKEN, "MZfj3Md0*secret*"), with("type=acme", "type=other")] {
        assert!(!judge(&signed(&mail)).unwrap_err().to_string().contains("MZfj"));
    }
}

#[test]
fn what_is_not_composed() {
    let world = World::new();
    let token_part1 = TokenPart1::parse(TOKEN).unwrap();
    let draft = |message_id: &str, text: &str| {
        ChallengeDraft {
            from: &world.ca,
            to: &world.bob,
            token_part1: &token_part1,
            challenge_url: None,
            date: NOW,
            message_id,
            reply_to: None,
            text: Some(text),
        }
        .compose()
    };
    for id in ["", "x", "<>", "<x>", "<x@>", "<@x>", "<a b@c>", "<a@b>\r\nTo: x", "<a@b><c@d>", "<ä@b>"] {
        assert_eq!(draft(id, ""), Err(ComposeError::MessageId), "{id:?}");
    }
    for text in ["ä", "a\0", "a\rb", &"x".repeat(999)] {
        assert_eq!(draft("<a@b>", text), Err(ComposeError::Text));
    }
    assert!(draft("<a@b>", &"x".repeat(998)).unwrap().ends_with(b"x\r\n"));
}

#[test]
fn dates_are_written_in_utc() {
    for (time, text) in [
        ("1970-01-01T00:00:00Z", "Thu, 1 Jan 1970 00:00:00 +0000"),
        ("2026-11-23T17:43:06Z", "Mon, 23 Nov 2026 17:43:06 +0000"),
        ("2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 +0000"),
        ("1969-12-31T12:00:00Z", "Wed, 31 Dec 1969 12:00:00 +0000"),
    ] {
        let time = Time::from_rfc3339(time).unwrap();
        assert_eq!(compose::date_time(time), text);
        assert_eq!(aecm_core::header::parse_date(text.as_bytes()), Some(time));
    }
}

#[test]
fn fuzz_bodies_hold_on_the_vectors() {
    let raw = include_bytes!("../../../tests/vectors/mail/acme2certifier-challenge.eml").as_slice();
    let end = raw.windows(7).position(|window| window == b"Authent").unwrap();
    for at in 0..raw.len() {
        let mut changed = raw.to_vec();
        changed[at] = b" \r\n:=;\0\xff"[at % 8];
        fuzzing::challenge_mail(&changed);
        fuzzing::challenge_mail(&raw[..at]);
        fuzzing::dkim_signature(&changed[..end]);
    }
    fuzzing::dkim_signature(include_bytes!("../../../tests/vectors/mail/dkimpy/dns.txt"));
    fuzzing::dkim_signature(crate::dkim::KeyRecord::text(crate::dkim::tests::STRONG.public_key()).as_bytes());
}
