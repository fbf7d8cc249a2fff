use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::time::Time;

fn parse(message: &[u8]) -> Result<(Headers<'_>, &[u8]), HeaderError> {
    Headers::parse(message, &Limits::default())
}

#[test]
fn octets_are_kept() {
    let message = b"From: a@b.example\r\nSUBJECT:  folded\r\n\tvalue \r\nX-Empty:\r\n\r\nbody\r\n\r\nmore";
    let (headers, body) = parse(message).unwrap();
    assert_eq!(body, b"body\r\n\r\nmore");
    assert_eq!(headers.len(), 3);
    assert!(!headers.bare_lf() && !headers.is_empty());
    let subject = headers.single("subject").unwrap().unwrap();
    assert_eq!(subject.name, "SUBJECT");
    assert_eq!(subject.raw, b"SUBJECT:  folded\r\n\tvalue \r\n");
    assert_eq!(subject.value_raw, b"  folded\r\n\tvalue ");
    assert_eq!(unfold(subject.value_raw), "folded\tvalue");
    let all: Vec<u8> = headers.iter().flat_map(|field| field.raw).copied().collect();
    assert_eq!([&all[..], b"\r\n"].concat(), headers.bytes());
    assert_eq!([headers.bytes(), body].concat(), message);
    assert_eq!(headers.single("x-empty").unwrap().unwrap().value_raw, b"");
    assert_eq!(headers.single("to"), Ok(None));
}

#[test]
fn line_ends() {
    let (headers, body) = parse(b"A: 1\nB: 2\r\n c\n\nbody\n").unwrap();
    assert!(headers.bare_lf());
    assert_eq!(headers.single("b").unwrap().unwrap().value_raw, b" 2\r\n c");
    assert_eq!(body, b"body\n");
    let (headers, body) = parse(b"\r\nA: 1").unwrap();
    assert!(headers.is_empty());
    assert_eq!(body, b"A: 1");
    for (message, fields) in [(&b""[..], 0), (b"A: 1", 1), (b"A: 1\r\n", 1), (b"A: 1\r\n b", 1)] {
        let (headers, body) = parse(message).unwrap();
        assert_eq!((headers.len(), body, headers.bytes()), (fields, &b""[..], message));
    }
}

#[test]
fn what_is_no_header_is_refused() {
    for (message, wanted) in [
        (&b" A: 1\r\n\r\n"[..], HeaderError::NotAField { offset: 0 }),
        (b"A: 1\r\nno colon\r\n\r\n", HeaderError::NotAField { offset: 6 }),
        (b"From alice Mon Nov 23\r\nA: 1\r\n\r\n", HeaderError::NotAField { offset: 0 }),
        (b": 1\r\n\r\n", HeaderError::NotAField { offset: 0 }),
        (b"A : 1\r\n\r\n", HeaderError::NotAField { offset: 0 }),
        (b"A\tB: 1\r\n\r\n", HeaderError::NotAField { offset: 0 }),
        (b"\xc3\xa9: 1\r\n\r\n", HeaderError::NotAField { offset: 0 }),
        (b"A: 1\rB: 2\r\n\r\n", HeaderError::ControlCharacter { offset: 4 }),
        (b"A: 1\r\r\n\r\n", HeaderError::ControlCharacter { offset: 4 }),
        (b"A: 1\r", HeaderError::ControlCharacter { offset: 4 }),
        (b"A: 1\0\r\n\r\n", HeaderError::ControlCharacter { offset: 4 }),
    ] {
        assert_eq!(parse(message).unwrap_err(), wanted, "{:?}", message.escape_ascii().to_string());
    }
}

#[test]
fn duplicates_are_seen_m1() {
    let (headers, _) = parse(b"From: a@b.example\r\nfrom: c@d.example\r\n\r\n").unwrap();
    assert_eq!(headers.single("From"), Err(HeaderError::Duplicate { name: "From".to_string() }));
    assert_eq!(headers.get_all("FROM").count(), 2);
}

#[test]
fn limits_at_and_beyond() {
    let limits = Limits { header_count: 3, ..Limits::default() };
    let fields = |count: usize| format!("{}\r\n", "A: 1\r\n".repeat(count));
    assert_eq!(Headers::parse(fields(3).as_bytes(), &limits).unwrap().0.len(), 3);
    assert_eq!(Headers::parse(fields(4).as_bytes(), &limits).unwrap_err(), HeaderError::TooMany { limit: 3 });
    let limits = Limits { header_bytes: 100, ..Limits::default() };
    let long = |octets: usize| format!("A: {}\r\n\r\nbody", "x".repeat(octets - 7));
    assert!(Headers::parse(long(100).as_bytes(), &limits).is_ok());
    let too_large = HeaderError::TooLarge { limit: 100 };
    assert_eq!(Headers::parse(long(101).as_bytes(), &limits).unwrap_err(), too_large);
    assert_eq!(Headers::parse(&[b'x'; 1 << 20], &limits).unwrap_err(), too_large);
}

#[test]
fn encoded_words() {
    for (value, wanted) in [
        ("plain", "plain"),
        (" =?utf-8?q?caf=C3=A9_au_lait?= ", "café au lait"),
        ("=?UTF-8?B?5Lit5paH?=", "中文"),
        ("=?utf-8?b?5Lit5paHYQ?=", "中文a"),
        ("=?us-ascii?Q?a?= =?us-ascii?Q?b?=", "ab"),
        ("=?us-ascii?Q?a?=\r\n =?us-ascii?Q?b?=", "ab"),
        ("=?us-ascii?Q?a?= b =?us-ascii?Q?c?=", "a b c"),
        ("x =?us-ascii?Q?a?= =?us-ascii?Q?b?= y", "x ab y"),
        ("=?utf-8*en?Q?colour?=", "colour"),
        ("=?US-ASCII*EN-us?q?_a_?=", " a "),
        // A character cut between two words, as many senders do.
        ("=?utf-8?b?5Lg=?= =?utf-8?b?rQ==?=", "中"),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        // What is not ours to decode stays as it is.
        ("=?iso-8859-1?q?caf=E9?=", "=?iso-8859-1?q?caf=E9?="),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?=ZZ?=", "=?utf-8?q?=ZZ?="),
        ("=?utf-8?q?=4?=", "=?utf-8?q?=4?="),
        ("=?utf-8?b?*?=", "=?utf-8?b?*?="),
        ("=?us-ascii?q?=E9?=", "=?us-ascii?q?=E9?="),
        ("a=?utf-8?q?b?=", "a=?utf-8?q?b?="),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-8?q?=FF?=", "\u{fffd}"),
        // Nothing that could start another header line or hide a character comes out.
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a\u{fffd}\u{fffd}Bcc: x"),
        ("=?utf-8?q?a=00b?=", "a\u{fffd}b"),
    ] {
        assert_eq!(decoded(value.as_bytes()), wanted, "{value:?}");
    }
    assert_eq!(decoded(b"\xff"), "\u{fffd}");
}

fn list(value: &str) -> Result<Vec<String>, HeaderError> {
    parse_address_list(value.as_bytes()).map(|list| list.iter().map(ToString::to_string).collect())
}

#[test]
fn address_lists() {
    for (value, wanted) in [
        (" alice@example.org", &["alice@example.org"][..]),
        ("Alice <alice@example.org>", &["alice@example.org"]),
        ("<alice@example.org>", &["alice@example.org"]),
        (
            "\"Smith, Alice\" <alice@example.org>, Bob <bob@example.org>",
            &["alice@example.org", "bob@example.org"],
        ),
        ("Alice B. Smith <alice@example.org>", &["alice@example.org"]),
        ("alice (home (of) \\) alice) @ (x) example . org (y)", &["alice@example.org"]),
        ("\"al ice\"@example.org", &["\"al ice\"@example.org"]),
        ("\"alice\" . b@example.org", &["alice.b@example.org"]),
        ("a@b.example,, ,c@d.example,", &["a@b.example", "c@d.example"]),
        ("Team: a@b.example, C <c@d.example>;, e@f.example", &["a@b.example", "c@d.example", "e@f.example"]),
        ("undisclosed-recipients:;", &[]),
        ("", &[]),
        ("=?utf-8?q?x=40y=2Eexample?= <a@b.example>", &["a@b.example"]),
        ("\"a@b.example\" <c@d.example>", &["c@d.example"]),
        ("用户 <用户@例子.example>", &["用户@例子.example"]),
        ("Alice\r\n <alice@example.org>,\r\n\tbob@example.org", &["alice@example.org", "bob@example.org"]),
    ] {
        assert_eq!(list(value).unwrap(), wanted, "{value:?}");
    }
}

#[test]
fn what_is_no_address_list_is_refused_m1() {
    for value in [
        "alice",
        "alice@",
        "@example.org",
        "Alice alice@example.org",
        "alice@example.org bob@example.org",
        "alice@example.org <bob@example.org>",
        "<alice@example.org> bob@example.org",
        "<alice@example.org",
        "alice@example.org>",
        "<>",
        "<alice>",
        "<@relay.example:alice@example.org>",
        "alice@[192.0.2.1]",
        "alice@\"example.org\"",
        "alice@example..org",
        "alice@b@example.org",
        "a b@example.org",
        "a..b@example.org",
        "Team: a@b.example",
        "Team: a@b.example; c@d.example",
        "Team: Sub: a@b.example;;",
        ": a@b.example;",
        "a@b.example;",
        "\"unfinished <a@b.example>",
        "(unfinished a@b.example",
        "(unfinished \\",
        "a@b.example)",
        "a\u{202e}b@example.org",
        "\"a\u{200b}b\"@example.org",
        "\"a\tb\"@example.org",
        "a@b.example\u{fffd}",
    ] {
        assert!(list(value).is_err(), "{value:?} {:?}", list(value));
    }
    assert!(parse_address_list(b"a\xff@b.example").is_err());
    let comments = |depth: usize| format!("{}{}a@b.example", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(list(&comments(16)).unwrap(), ["a@b.example"]);
    assert_eq!(list(&comments(17)), Err(HeaderError::CommentDepth));
    assert_eq!(list(&comments(60_000)), Err(HeaderError::CommentDepth));
}

#[test]
fn display_names_and_groups() {
    let value = b"=?utf-8?q?Caf=C3=A9?= \"B. (x)\" <a@b.example>, Team One: c@d.example;";
    let addresses = parse_addresses(value).unwrap();
    assert_eq!(addresses[0].display_name, "Café B. (x)");
    assert_eq!((addresses[0].group.as_deref(), addresses[1].group.as_deref()), (None, Some("Team One")));
    assert_eq!(addresses[1].display_name, "");
}

#[test]
fn one_mailbox_and_no_other_m1() {
    let one = |value: &str| parse_single_address(value.as_bytes());
    assert_eq!(one("A <a@b.example>").unwrap().mailbox.as_str(), "a@b.example");
    for value in ["", "a@b.example, c@d.example", "Team: a@b.example;", "Team:;"] {
        assert_eq!(one(value), Err(HeaderError::NotOneMailbox), "{value:?}");
    }
    assert!(matches!(one("a@b@c.example"), Err(HeaderError::Syntax { .. })));
}

#[test]
fn dates() {
    let wanted = Time::from_rfc3339("2026-11-23T08:09:10Z");
    for value in [
        "Mon, 23 Nov 2026 08:09:10 +0000",
        " 23 Nov 2026 08:09:10 -0000",
        "Mon, 23 Nov 2026 16:09:10 +0800 (CST)",
        "mon,23 NOV 2026 03:09:10 EST",
        "23 Nov 26 08:09:10 GMT",
        "23 Nov 126 08:09:10 UT",
        "Mon (day), 23 (d) Nov (m) 2026 (y) 08 : 09 : 10 Z",
        "Mon,\r\n 23 Nov 2026 08:09:10 +0000",
        // The name of the day is not compared.
        "Tue, 23 Nov 2026 08:09:10 +0000",
    ] {
        assert_eq!(parse_date(value.as_bytes()), wanted, "{value}");
    }
    assert_eq!(parse_date(b"1 Jan 2026 00:00 +0000"), Time::from_rfc3339("2026-01-01T00:00:00Z"));
    assert_eq!(parse_date(b"31 Dec 2026 23:59:60 +0000"), Time::from_rfc3339("2026-12-31T23:59:59Z"));
    assert_eq!(parse_date(b"1 Jan 70 00:00:00 +0000"), Some(Time::from_unix(0)));
    for value in [
        "",
        "Mon",
        "Mon 23 Nov 2026 08:09:10 +0000",
        "Foo, 23 Nov 2026 08:09:10 +0000",
        "31 Feb 2026 08:09:10 +0000",
        "0 Nov 2026 08:09:10 +0000",
        "123 Nov 2026 08:09:10 +0000",
        "23 Nov 2026 24:09:10 +0000",
        "23 Nov 2026 08:60:10 +0000",
        "23 Nov 2026 08:09:61 +0000",
        "23 Nov 2026 08:09:10",
        "23 Nov 2026 08:09:10 +000",
        "23 Nov 2026 08:09:10 +2400",
        "23 Nov 2026 08:09:10 +0060",
        "23 Nov 2026 08:09:10 J",
        "23 Nov 2026 08:09:10 ABC",
        "23 Nov 2026 08:09:10 +0000 x",
        "23 Nov 1 08:09:10 +0000",
        "23 Nov 1899 08:09:10 +0000",
        "23 Nov 20261 08:09:10 +0000",
        "23 Noviembre 2026 08:09:10 +0000",
        "2026-11-23T08:09:10Z",
    ] {
        assert_eq!(parse_date(value.as_bytes()), None, "{value}");
    }
    let comments = format!("{} 23 Nov 2026 08:09:10 +0000", "(".repeat(60_000));
    assert_eq!(parse_date(comments.as_bytes()), None);
}

#[test]
fn content_types() {
    let read = content_type(
        b" Multipart/SIGNED (c); Protocol=\"application/pkcs7-signature\" ;\r\n boundary=\"a;b\\\"c\" ; micalg=sha-256;",
    )
    .unwrap();
    assert_eq!((read.essence.as_str(), read.type_()), ("multipart/signed", "multipart"));
    assert_eq!(read.param("protocol"), Some("application/pkcs7-signature"));
    assert_eq!(read.param("boundary"), Some("a;b\"c"));
    assert_eq!((read.param("micalg"), read.param("charset")), (Some("sha-256"), None));
    assert_eq!(content_type(b"text/plain; x=----=_Part/1?").unwrap().param("x"), Some("----=_Part/1?"));
    assert_eq!(content_type(b"text/plain; x=\"\"").unwrap().params, vec![("x".to_string(), String::new())]);
    let disposition = content_disposition(b"Attachment; filename=smime.p7m").unwrap();
    assert_eq!(
        (disposition.essence.as_str(), disposition.param("filename")),
        ("attachment", Some("smime.p7m"))
    );
    for value in [
        "",
        "text",
        "text/",
        "/plain",
        "text/plain charset=utf-8",
        "text/plain; charset",
        "text/plain; =utf-8",
        "text/plain; charset=",
        "text/plain; charset=a b",
        "text/plain; charset=\"a",
        "text/plain; charset=\"a\"b",
        "text/plain; name=a(b",
        "text/plain, text/html",
        "text/pl ain",
    ] {
        assert!(content_type(value.as_bytes()).is_err(), "{value}");
    }
    assert_eq!(
        content_type(b"multipart/mixed; boundary=a; BOUNDARY=b"),
        Err(HeaderError::DuplicateParameter { name: "boundary".to_string() })
    );
}
