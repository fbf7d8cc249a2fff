//! Bodies of the targets of aecm-acme that stand beside those of the crate: any octets in, invariants asserted.

use std::sync::OnceLock;

use aecm_acme::csr::CertificateRequest;
use aecm_acme::dkim::{Records, VerifyOptions};
use aecm_acme::email::{AuthenticationResultsAuthenticator, ExpectedReply, PendingReply, SignedHeaders};
use aecm_acme::jws::{Jwk, Unverified};
use aecm_acme::mail::{ExpectedChallenge, Mail};
use aecm_acme::token::TokenPart1;
use aecm_acme::wire::{self, Account, Authorization, Challenge, Directory, Order, Problem};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::signature::Sm2Id;
use aecm_core::time::Time;

fn limits() -> &'static Limits {
    static LIMITS: OnceLock<Limits> = OnceLock::new();
    LIMITS.get_or_init(Limits::default)
}

/// Any octets as each of the JSON objects: what is read is written, and reads back the same.
pub fn json(data: &[u8]) {
    macro_rules! round {
        ($($type:ty)*) => {$(
            if let Ok(object) = wire::parse::<$type>(data, limits()) {
                let text = serde_json::to_vec(&object).expect("an object is written");
                // Members that come in another form (dates) may grow over the limit; nothing else may fail.
                if text.len() <= limits().acme_json_bytes {
                    let again = wire::parse::<$type>(&text, limits());
                    assert!(again.is_ok_and(|again| again == object), "it does not read back");
                }
            }
        )*};
    }
    round!(Directory Order Authorization Challenge Account Problem);
}

/// Any octets as a JWS: without its key nothing is verified, with a key of its own choosing only what that key
/// signed.
pub fn jws(data: &[u8]) {
    let Ok(jws) = Unverified::parse(data, limits()) else { return };
    if let Ok((key, _)) = jws.verify_own() {
        let jwk = Jwk::from_public_key(&key).expect("a key that came as JWK is one");
        assert_eq!(jwk.thumbprint().len(), 43);
    }
}

/// Any octets as a CSR: its octets are kept, everything it says can be asked, and its signature be looked at.
pub fn csr(data: &[u8]) {
    let Ok(request) = CertificateRequest::parse(data, limits()) else { return };
    assert_eq!(request.as_der(), data, "the octets were not kept");
    let _ = (request.common_name(), request.mailboxes(), request.purpose(), request.extended_key_usage());
    let _ = request.verify(Sm2Id::Default);
}

/// A mail from anyone to a CA that waits for a reply, and to a client whose server vouches for mail.
pub fn reply_mail(data: &[u8]) {
    let now = Time::from_unix(1_795_455_800);
    let mail = Mail { id: String::new(), received: now, raw: data.to_vec() };
    let mailbox: Mailbox = "bob@example.test".parse().expect("a mailbox");
    let to: Mailbox = "acme@ca.example.test".parse().expect("a mailbox");
    let token = TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W").expect("a token");
    let sent = Time::from_unix(1_795_455_700);
    let digest = "hkpTb038SDejJJh5_Oo1FtPT0tCXsGj5w3Q79wAQ4iY";
    let expected = ExpectedReply { mailbox: &mailbox, to: &to, token_part1: &token, digest, sent, now };
    let options = VerifyOptions::default();
    match PendingReply::prepare(&mail, &expected, SignedHeaders::Relaxed, &options) {
        Err(refusal) => assert!(!refusal.word().is_empty()),
        // Without a key nothing is proven.
        Ok(pending) => assert!(pending.check(&Records::new()).is_err(), "proven without a key"),
    }
    let expected = ExpectedChallenge {
        mailbox: &mailbox,
        from: &to,
        challenge_url: "https://ca.example.test/challenge/1",
        order_created: sent,
        now,
    };
    let server = AuthenticationResultsAuthenticator::new("mx.example.test");
    match server.check(&mail, &expected) {
        Err(refusal) => assert!(!refusal.word().is_empty()),
        Ok(challenge) => assert!(challenge.subject.starts_with("ACME:"), "{}", challenge.subject),
    }
}
