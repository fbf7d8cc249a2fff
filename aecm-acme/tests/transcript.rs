//! A recorded exchange of two programs that are not ours (acme4j and acme2certifier): its requests verify with
//! our server side, its answers parse with our client side, and the token joins to the digest they used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use aecm_acme::csr::CertificateRequest;
use aecm_acme::jws::{self, Jwk, KeyReference, Unverified};
use aecm_acme::token::{TokenJoin, TokenPart1, TokenPart2};
use aecm_acme::wire::{
    self, Account, AccountStatus, Authorization, ChallengeType, Directory, Finalize, NewAccount, NewOrder,
    Order, OrderStatus,
};
use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::signature::Sm2Id;
use serde_json::Value;

const BASE: &str = "https://localhost:2443";

struct Exchange {
    path: String,
    request: Vec<u8>,
    response: Vec<u8>,
}

fn transcript() -> Vec<Exchange> {
    let text = include_str!("vectors/acme/t-acme4j-a2c.jsonl");
    let text_of = |value: &Value| value.as_str().unwrap().as_bytes().to_vec();
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let path = value["path"].as_str().unwrap().to_owned();
        Exchange { path, request: text_of(&value["request"]), response: text_of(&value["response"]) }
    };
    text.lines().map(line).collect()
}

/// The payload of a request, verified with `key`, or with its own key when it is a newAccount.
fn payload(exchange: &Exchange, key: Option<&PublicKey>) -> (PublicKey, Vec<u8>) {
    let jws = Unverified::parse(&exchange.request, &Limits::default()).unwrap();
    assert_eq!(jws.header().url, format!("{BASE}{}", exchange.path));
    assert!(jws.header().nonce.is_some());
    match key {
        None => {
            let (key, payload) = jws.verify_own().unwrap();
            (key, payload.to_vec())
        }
        Some(key) => {
            assert!(matches!(&jws.header().key, KeyReference::Kid(kid) if kid.starts_with(BASE)));
            (key.clone(), jws.verify(key).unwrap().to_vec())
        }
    }
}

#[test]
fn the_whole_transcript_replays() {
    let limits = Limits::default();
    let all = transcript();
    let find = |part: &str| all.iter().find(|exchange| exchange.path.contains(part)).unwrap();
    let parse_error = "the recorded answer parses";

    let directory: Directory = wire::parse(&find("/directory").response, &limits).expect(parse_error);
    assert_eq!(directory.new_order, format!("{BASE}/acme/neworders"));
    assert!(directory.meta.aecm.is_none() && directory.meta.profiles.is_empty());

    let registration = find("/newaccount");
    let (key, asked) = payload(registration, None);
    let asked: NewAccount = serde_json::from_slice(&asked).unwrap();
    assert_eq!(asked.terms_of_service_agreed, Some(true));
    let account: Account = wire::parse(&registration.response, &limits).expect(parse_error);
    assert_eq!(account.status, AccountStatus::Valid);

    let mailbox: Mailbox = "bob@example.test".parse().unwrap();
    let opened = find("/neworders");
    let asked: NewOrder = serde_json::from_slice(&payload(opened, Some(&key)).1).unwrap();
    assert!(asked.identifiers[0].names(&mailbox));
    let order: Order = wire::parse(&opened.response, &limits).expect(parse_error);
    assert_eq!(order.status, OrderStatus::Pending);

    let read = find("/authz/");
    assert!(payload(read, Some(&key)).1.is_empty(), "POST-as-GET");
    let authorization: Authorization = wire::parse(&read.response, &limits).expect(parse_error);
    let challenge = &authorization.challenges[0];
    assert_eq!(challenge.kind, ChallengeType::EmailReply00);

    // token-part1 of `vectors/mail/acme2certifier-challenge.eml`, the digest of `vectors/mail/acme4j-reply.eml`.
    let mail = include_str!("vectors/mail/acme2certifier-challenge.eml");
    let part1 = mail.lines().find_map(|line| line.strip_prefix("Subject: ACME: ")).unwrap().trim();
    let part1 = TokenPart1::parse(part1).unwrap();
    let part2 = TokenPart2::parse(challenge.token.as_deref().unwrap()).unwrap();
    let reply = include_str!("vectors/mail/acme4j-reply.eml");
    let mut lines = reply.lines().skip_while(|line| *line != "-----BEGIN ACME RESPONSE-----");
    let digest = lines.nth(1).unwrap();
    let thumbprint = Jwk::from_public_key(&key).unwrap().thumbprint();
    for join in TokenJoin::ALL {
        let token = part1.join(&part2, join).unwrap();
        assert_eq!(token.key_authorization_digest(&thumbprint), digest, "{}", join.word());
    }

    let finalize = find("/finalize");
    let asked: Finalize = serde_json::from_slice(&payload(finalize, Some(&key)).1).unwrap();
    let csr = CertificateRequest::parse(&jws::decode(&asked.csr).unwrap(), &limits).unwrap();
    csr.verify(Sm2Id::Default).unwrap();
    assert_eq!(csr.mailboxes(), core::slice::from_ref(&mailbox));
    let order: Order = wire::parse(&finalize.response, &limits).expect(parse_error);
    assert_eq!(order.status, OrderStatus::Valid);

    let chain = Certificate::all_from_pem(core::str::from_utf8(&find("/cert/").response).unwrap()).unwrap();
    assert_eq!(chain[0].public_key(), Some(csr.public_key()));
    assert_eq!(chain[0].san_mailboxes(), core::slice::from_ref(&mailbox));
}

// N12: not one octet of a recorded request can change.
#[test]
fn a_changed_request_does_not_verify() {
    let all = transcript();
    let registration = all.iter().find(|exchange| exchange.path.contains("/newaccount")).unwrap();
    let (key, _) = payload(registration, None);
    let finalize = all.iter().find(|exchange| exchange.path.contains("/finalize")).unwrap();
    let value: Value = serde_json::from_slice(&finalize.request).unwrap();
    for member in ["protected", "payload", "signature"] {
        let text = value[member].as_str().unwrap();
        for place in (0..text.len()).step_by(41) {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let mut request = value.clone();
            request[member] = Value::String(String::from_utf8(changed).unwrap());
            let body = serde_json::to_vec(&request).unwrap();
            let verified = Unverified::parse(&body, &Limits::default()).and_then(|jws| jws.verify(&key));
            assert!(verified.is_err(), "{member} {place}");
        }
    }
}
