//! Signatures, times, key records and answers of the DNS that must not pass.

use std::time::Duration;

use base64ct::Encoding;

use super::*;

fn signed() -> Vec<u8> {
    sign(&options(), PLAIN)
}

const NAME: &str = "own._domainkey.ca.example.test";

// C1: revoked and testing keys, and whatever else a record may say.
#[test]
fn key_records() {
    let mail = signed();
    let key = KeyRecord::text(STRONG.public_key());
    let key = key.strip_prefix("v=DKIM1; k=rsa; ").unwrap();
    let short = base64ct::Base64::encode_string(SHORT.public_key().spki_der());
    let record = |error| Err(Failure::KeyRecord(error));
    let strong = Ok(Pass { key_bits: 2048, weak_key: false });
    for (text, verdict) in [
        (format!("v=DKIM1; {key}"), strong.clone()),
        (key.to_owned(), strong.clone()),
        (format!("v=DKIM1; h=sha1 : sha256; s=other:email; t=s:x; n=note; g=*; {key};"), strong.clone()),
        (format!("v=DKIM1; s=*; {}", key.replace("p=MIIB", "p= MI\r\n IB ")), strong),
        ("v=DKIM1; p=".to_owned(), record(KeyRecordError::Revoked)),
        ("p=;".to_owned(), record(KeyRecordError::Revoked)),
        (format!("v=DKIM1; t=y; {key}"), Err(Failure::Testing)),
        (format!("v=DKIM1; t=s:y; {key}"), Err(Failure::Testing)),
        (format!("v=DKIM1; h=sha1; {key}"), record(KeyRecordError::HashNotAllowed)),
        (format!("v=DKIM1; h=; {key}"), record(KeyRecordError::HashNotAllowed)),
        (format!("v=DKIM1; s=tlsrpt; {key}"), record(KeyRecordError::ServiceNotAllowed)),
        (
            format!("v=DKIM1; k=ed25519; {key}"),
            record(KeyRecordError::KeyType { key_type: "ed25519".to_owned() }),
        ),
        (format!("v=DKIM2; {key}"), record(KeyRecordError::NotAKeyRecord)),
        (format!("{key}; v=DKIM1"), record(KeyRecordError::NotAKeyRecord)),
        (format!("v=DKIM1; {key}; {key}"), record(KeyRecordError::NotAKeyRecord)),
        ("v=DKIM1; k=rsa".to_owned(), record(KeyRecordError::NotAKeyRecord)),
        ("v=spf1 -all".to_owned(), record(KeyRecordError::NotAKeyRecord)),
        (String::new(), record(KeyRecordError::NotAKeyRecord)),
        ("v=DKIM1; p=AAAA".to_owned(), record(KeyRecordError::Key)),
        ("v=DKIM1; p=!".to_owned(), record(KeyRecordError::Key)),
        (format!("v=DKIM1; {}", key.replace("MIIB", "MIIC")), record(KeyRecordError::Key)),
        (format!("v=DKIM1; p={short}"), Err(Failure::Value)),
    ] {
        let mut zone = Zone::usual();
        zone.set(NAME, &text);
        assert_eq!(outcome(&mail, &zone), verdict, "{text}");
    }
}

// RFC 6376 §3.6.1 by the letter: `p=` is an RSAPublicKey.
#[test]
fn a_key_without_its_algorithm() {
    let spki = STRONG.public_key().spki_der();
    // Behind the identifier of the algorithm and the head of the BIT STRING.
    let at = 24;
    assert_eq!(&spki[at..at + 2], &[0x30, 0x82]);
    let mut zone = Zone::usual();
    zone.set(NAME, &format!("v=DKIM1; p={}", base64ct::Base64::encode_string(&spki[at..])));
    assert!(outcome(&signed(), &zone).is_ok());
}

#[test]
fn answers_of_the_dns() {
    let mail = signed();
    let name = NAME.to_owned();
    let mut zone = Zone::usual();
    let strong = KeyRecord::text(STRONG.public_key()).into_bytes();
    let other = KeyRecord::text(SHORT.public_key()).into_bytes();
    let spf = b"v=spf1 -all".to_vec();
    for (answer, verdict) in [
        (Ok(vec![spf.clone(), strong.clone()]), Ok(())),
        (Ok(vec![strong.clone(), other]), Err(Failure::KeyRecord(KeyRecordError::Ambiguous))),
        (Ok(vec![strong.clone(), strong]), Err(Failure::KeyRecord(KeyRecordError::Ambiguous))),
        (Ok(vec![b"p=".to_vec(), b"p=!".to_vec()]), Err(Failure::KeyRecord(KeyRecordError::Ambiguous))),
        (Ok(vec![]), Err(Failure::KeyRecord(KeyRecordError::NotAKeyRecord))),
        (Ok(vec![spf]), Err(Failure::KeyRecord(KeyRecordError::NotAKeyRecord))),
        (Err(TxtError::NoRecords), Err(Failure::NoKey { name: name.clone() })),
        (
            Err(TxtError::Temporary("timeout".to_owned())),
            Err(Failure::Resolver {
                name: name.clone(),
                detail: "the resolver gave no answer: timeout".to_owned(),
            }),
        ),
    ] {
        zone.set_all(NAME, answer);
        let found = outcome(&mail, &zone).map(|_| ());
        assert_eq!(found, verdict);
        assert_eq!(
            found.is_err_and(|failure| failure.is_temporary()),
            matches!(verdict, Err(Failure::Resolver { .. }))
        );
    }
    let pending = prepare(&mail, NOW, &VerifyOptions::default()).unwrap();
    assert_eq!(pending.names(), [NAME]);
    let unasked = pending.check(&Records::new());
    assert!(matches!(unasked.signatures[0].outcome, Err(Failure::Resolver { .. })));
    assert!(!format!("{pending:?}").contains("dinner"));
}

#[test]
fn times() {
    let zone = Zone::usual();
    let after = |seconds| NOW.plus(Duration::from_secs(seconds));
    let before = |seconds| NOW.minus(Duration::from_secs(seconds));
    for (signed_at, expires, verdict) in [
        (before(10), after(10), Ok(())),
        (after(300), after(400), Ok(())),
        (after(301), after(400), Err(Failure::SignedInTheFuture)),
        (before(900), before(300), Ok(())),
        (before(900), before(301), Err(Failure::Expired)),
    ] {
        let mail = sign(&options().signed_at(signed_at).expires(expires), PLAIN);
        assert_eq!(outcome(&mail, &zone).map(|_| ()), verdict);
    }
    let mail = sign(&options().signed_at(NOW).expires(NOW), PLAIN);
    let invalid = Failure::Signature(SignatureError::Invalid { tag: "x" });
    assert_eq!(outcome(&mail, &zone), Err(invalid));
}

#[test]
fn agents() {
    let mut zone = Zone::usual();
    let signed_for = |agent: &str| {
        let mut options = options();
        options.extra_tags = format!(" i={agent};");
        sign(&options, PLAIN)
    };
    assert!(outcome(&signed_for("joe@ca.example.test"), &zone).is_ok());
    assert!(outcome(&signed_for("@sub.ca.example.test"), &zone).is_ok());
    let outside = Failure::Signature(SignatureError::AgentOutsideDomain);
    assert_eq!(outcome(&signed_for("@example.test"), &zone), Err(outside.clone()));
    assert_eq!(outcome(&signed_for("@evil.test"), &zone), Err(outside));
    let text = KeyRecord::text(STRONG.public_key()).replace("k=rsa", "t=s");
    zone.set(NAME, &text);
    assert!(outcome(&signed_for("joe@ca.example.test"), &zone).is_ok());
    assert_eq!(outcome(&signed_for("@sub.ca.example.test"), &zone), Err(Failure::AgentDomain));
}

// C2: `l=` passes only where it is the whole body.
#[test]
fn stated_body_lengths() {
    let zone = Zone::usual();
    // Relaxed, PLAIN's body is "Hi.\r\n\r\n We lost the game.\r\nJoe.\r\n".
    for (length, verdict) in [
        (33, Ok(())),
        (32, Err(Failure::BodyLength)),
        (34, Err(Failure::BodyLength)),
        (0, Err(Failure::BodyLength)),
    ] {
        let mut options = options();
        options.extra_tags = format!(" l={length};");
        assert_eq!(outcome(&sign(&options, PLAIN), &zone).map(|_| ()), verdict, "{length}");
    }
}

#[test]
fn odd_tags() {
    let zone = Zone::usual();
    for (tags, passes) in [
        (" z=From:x|To:y; unknown=1;", true),
        (" q=dns/txt:http/x;", true),
        (" q=http/x;", false),
        (" v=1;", false),
        (" d=evil.test;", false),
    ] {
        let mut options = options();
        options.extra_tags = tags.to_owned();
        assert_eq!(outcome(&sign(&options, PLAIN), &zone).is_ok(), passes, "{tags}");
    }
}

#[test]
fn at_most_eight_signatures_are_looked_at() {
    let zone = Zone::usual();
    let good = signed();
    for (bad, passes) in [(7, true), (8, false)] {
        let mut mail = b"DKIM-Signature: v=1; a=rsa-sha256; b=AAAA\r\n".repeat(bad);
        mail.extend_from_slice(&good);
        let report = report(&mail, &zone);
        assert_eq!(report.signatures.len(), MAX_SIGNATURES);
        assert_eq!(report.ignored, bad - 7);
        assert_eq!(report.passing(|_| true).is_some(), passes);
    }
}

#[test]
fn the_first_passing_signature_that_is_wanted() {
    let zone = Zone::usual();
    let mail = sign(&options(), &sign(&SignOptions::new("evil.test", "own"), PLAIN));
    let report = report(&mail, &zone);
    let of = |domain: &str| report.passing(|signature| signature.domain == domain).is_some();
    assert!(of("ca.example.test") && of("evil.test") && !of("example.test"));
    assert_eq!(prepare(&mail, NOW, &VerifyOptions::default()).unwrap().names().len(), 2);
}

#[test]
fn short_keys_pass_or_not_by_policy() {
    let mut zone = Zone::usual();
    zone.set(NAME, &KeyRecord::text(SHORT.public_key()));
    let mail = sign_with(&options(), PLAIN, SHORT.as_ref());
    assert_eq!(outcome(&mail, &zone), Ok(Pass { key_bits: 1024, weak_key: true }));
    let strict = VerifyOptions { minimum_key_bits: 2048, ..VerifyOptions::default() };
    let report = run(verify(&mail, NOW, &strict, &zone)).unwrap();
    assert_eq!(report.signatures[0].outcome, Err(Failure::ShortKey { bits: 1024 }));
}

#[test]
fn mails_that_are_not_signed_or_not_mails() {
    let zone = Zone::usual();
    assert!(report(PLAIN, &zone).signatures.is_empty());
    assert!(report(b"", &zone).signatures.is_empty());
    let mixed = [signed().as_slice(), b"a\n"].concat();
    let refused = prepare(&mixed, NOW, &VerifyOptions::default());
    assert!(matches!(refused, Err(MessageError::MixedLineEnds)));
    assert!(prepare(b"nonsense\r\n\r\n", NOW, &VerifyOptions::default()).is_err());
}

// RFC 6376 §5.4: a DKIM-Signature does not cover itself, others it may.
#[test]
fn signatures_cover_other_signatures_but_not_themselves() {
    let zone = Zone::usual();
    let inner = sign(&SignOptions::new("evil.test", "own"), PLAIN);
    let outer = sign(&options().fields(&["from", "dkim-signature"]), &inner);
    assert!(report(&outer, &zone).passing(|signature| signature.domain == "ca.example.test").is_some());
    let text = String::from_utf8(outer).unwrap().replacen("d=evil.test", "d=evil.tesT", 1);
    assert!(
        report(text.as_bytes(), &zone).passing(|signature| signature.domain == "ca.example.test").is_none()
    );
}

#[test]
fn what_is_not_signed() {
    let sign = |options: SignOptions, mail: &[u8]| run(options.sign(mail, STRONG.as_ref())).unwrap_err();
    let unix: Vec<u8> = PLAIN.iter().copied().filter(|byte| *byte != b'\r').collect();
    assert_eq!(sign(options(), &unix), SignError::BareLf);
    assert_eq!(sign(options(), b"A: b\r\n\r\nc\n"), SignError::Message(MessageError::MixedLineEnds));
    assert_eq!(sign(options(), b"A\r\n"), SignError::Message(MessageError::Header { field: 0 }));
    assert_eq!(sign(SignOptions::new("com", "own"), PLAIN), SignError::Name { tag: "d" });
    assert_eq!(sign(SignOptions::new("a.test; l=0", "own"), PLAIN), SignError::Name { tag: "d" });
    assert_eq!(sign(SignOptions::new("a.test", "o wn"), PLAIN), SignError::Name { tag: "s" });
    assert_eq!(sign(options().fields(&["to"]), PLAIN), SignError::Fields);
    assert_eq!(sign(options().fields(&["from", "t o"]), PLAIN), SignError::Fields);
    assert_eq!(sign(options().oversigned_fields(&["from", "x;l"]), PLAIN), SignError::Fields);
    assert_eq!(run(options().sign(PLAIN, SHORT.as_ref())).unwrap_err(), SignError::Key);
}

#[test]
fn long_lists_of_fields_are_folded() {
    let names: Vec<String> = (0..200).map(|number| format!("x-field-{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("from");
    let mail = sign(&options().fields(&names), PLAIN);
    assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() < 998));
    assert!(outcome(&mail, &Zone::usual()).is_ok());
}
