//! Bodies of fuzz targets: any octets in, invariants asserted.

use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

use super::{SignedHeaders, read_challenge};
use crate::dkim::{Canonicalization, KeyRecord, MAX_SIGNATURES, Records, Signature, VerifyOptions};
use crate::email::PendingChallenge;
use crate::mail::{ExpectedChallenge, Mail};

/// A challenge mail from anyone: what is read holds the promises of its types, and nothing unsigned passes.
pub fn challenge_mail(data: &[u8]) {
    let now = Time::from_unix(1_795_455_800);
    let (Ok(from), Ok(mailbox)) =
        ("acme@ca.example.test".parse::<Mailbox>(), "bob@example.test".parse::<Mailbox>())
    else {
        return;
    };
    let expected = ExpectedChallenge {
        mailbox: &mailbox,
        from: &from,
        challenge_url: "https://ca.example.test/challenge/1",
        order_created: Time::from_unix(1_795_455_700),
        now,
    };
    if let Ok(read) = read_challenge(data, now, &expected, &Limits::default()) {
        let token = read.token_part1.expose().trim_end_matches('=');
        assert!((22..=171).contains(&token.len()));
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        assert!(read.subject.starts_with("ACME:"));
        assert!(!read.subject.contains(['\r', '\n', '\0']));
    }
    let mail = Mail { id: String::new(), received: now, raw: data.to_vec() };
    let options = VerifyOptions::default();
    match PendingChallenge::prepare(&mail, &expected, SignedHeaders::Relaxed, &options) {
        Err(refusal) => assert!(!refusal.word().is_empty()),
        Ok(pending) => {
            assert!(pending.dkim().names().len() <= MAX_SIGNATURES);
            // Without a key nothing is proven.
            assert!(pending.check(&Records::new()).is_err());
        }
    }
}

/// A DKIM-Signature field and a key record.
pub fn dkim_signature(data: &[u8]) {
    if let Ok(signature) = Signature::parse(data) {
        assert_eq!(signature.body_hash.len(), 32);
        assert!(signature.fields.iter().any(|field| field == "from"));
        assert!(signature.key_name().ends_with(&format!("._domainkey.{}", signature.domain)));
        assert!(signature.agent_domain.ends_with(&signature.domain));
    }
    if let Ok(record) = KeyRecord::parse(data) {
        let again = KeyRecord::parse(KeyRecord::text(&record.key).as_bytes());
        assert!(again.is_ok_and(|again| again.key == record.key));
    }
    // Canonical forms are canonical.
    for how in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let once = how.body(data).into_owned();
        assert_eq!(how.body(&once), once);
    }
}
