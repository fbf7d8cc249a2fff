//! The challenge mail and the direct submission of its token (STANDARDS A1, A2, A22).

use aecm_acme::email::DkimAuthenticator;
use aecm_acme::mail::{ChallengeAuthenticator, ExpectedChallenge};
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::Purpose;
use aecm_service::{AcmeOptions, TokenSubmission};
use serde_json::json;

use crate::client::{Client, csr, field, key, open, start};

fn only(submissions: &[TokenSubmission]) -> AcmeOptions {
    let mut options = AcmeOptions::default();
    options.submissions = submissions.to_vec();
    options
}

// RFC 8823 §3.1, C1: signed by the domain it comes from, over the whole list of fields.
#[tokio::test]
async fn the_challenge_mail_is_authentic() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let challenge = client.challenge(&order, "email-token-00").await;
    let from: Mailbox = challenge["from"].as_str().unwrap().parse().unwrap();
    assert_eq!(from.domain(), "ca.example.test");
    let mails = client.mails(&alice).await;
    let mail = &mails[0];
    let signature = field(&mail.raw, "DKIM-Signature").unwrap();
    for wanted in [
        "d=ca.example.test",
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "subject",
        "date",
        "in-reply-to",
        "references",
        "message-id",
        "auto-submitted",
        "content-type",
        "content-transfer-encoding",
    ] {
        assert!(signature.to_ascii_lowercase().contains(wanted), "{wanted} in {signature}");
    }
    assert!(field(&mail.raw, "Auto-Submitted").unwrap().starts_with("auto-generated; type=acme"));

    let expected = ExpectedChallenge {
        mailbox: &alice,
        from: &from,
        challenge_url: challenge["url"].as_str().unwrap(),
        order_created: mail.received,
        now: mail.received,
    };
    let judge = DkimAuthenticator::new(service.txt_resolver());
    let read = judge.authenticate(mail, &expected).await.unwrap();
    assert!(read.authz_hint.is_some(), "A22: the mail says which authorization it belongs to");
    // The token as such is nowhere else: neither in the challenge nor in the order.
    let part1 = field(&mail.raw, "Subject").unwrap().replace("ACME: ", "");
    let seen = client.read(&order.authorization).await.expect(200).text().to_owned()
        + client.read(&order.url).await.expect(200).text();
    assert!(!seen.contains(part1.trim()));

    // One octet of the subject, one of the body.
    for (old, new) in [("Subject: ACME: ", "Subject: ACME: A"), ("\r\n\r\n", "\r\n\r\nX")] {
        let mut changed = mail.clone();
        changed.raw = String::from_utf8(mail.raw.clone()).unwrap().replacen(old, new, 1).into_bytes();
        assert!(judge.authenticate(&changed, &expected).await.is_err(), "{old:?}");
    }
}

// 128 bits and more in each half (RFC 8823 §3, THREATS C3), never twice.
#[tokio::test]
async fn tokens_are_long_and_differ() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let order = client.order(&alice, None).await;
        let token = client.token(&alice, &order).await;
        assert_eq!(token.len(), 64, "two halves of 192 bits");
        assert!(seen.insert(token[..32].to_owned()) && seen.insert(token[32..].to_owned()));
    }
}

#[tokio::test]
async fn a_challenge_response_makes_the_order_ready() {
    let service = start(only(&[TokenSubmission::ChallengeResponse])).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    let token = client.token(&alice, &order).await;
    let csr = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    // Beside the CSR it is not offered here.
    client.finalize(&order, &csr, Some(&token)).await.refused(403, "orderNotReady");
    // The reply is not, either.
    client.post(&url, &json!({})).await.refused(400, "malformed");
    client.post(&url, &json!({ "token": 7 })).await.refused(400, "malformed");

    let answered = client.post(&url, &json!({ "token": token })).await.expect(200);
    assert_eq!(answered.json()["status"], "valid");
    assert!(answered.json()["validated"].is_string());
    let up = format!("<{}>;rel=\"up\"", order.authorization);
    assert!(answered.links().contains(&up.as_str()), "RFC 8555 §7.5.1");
    let authorization = client.read(&order.authorization).await.expect(200).json();
    assert_eq!(authorization["status"], "valid");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready");
    client.finalize(&order, &csr, None).await.expect(200);
}

#[tokio::test]
async fn a_wrong_token_and_then_the_right_one() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    let right = client.token(&alice, &order).await;
    // The halves exchanged, one alone, one character off, nothing at all.
    let swapped = format!("{}{}", &right[32..], &right[..32]);
    let off = format!("{}{}", &right[..63], if right.ends_with('A') { "B" } else { "A" });
    for wrong in [swapped.as_str(), &right[..32], off.as_str(), ""] {
        client.post(&url, &json!({ "token": wrong })).await.refused(403, "incorrectResponse");
        assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "pending");
    }
    let answered = client.post(&url, &json!({ "token": right })).await.expect(200);
    assert_eq!(answered.json()["status"], "valid");
}

// STANDARDS A2: five wrong tokens kill the authorization, over both ways together.
#[tokio::test]
async fn five_wrong_tokens_end_the_authorization() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    let right = client.token(&alice, &order).await;
    let wrong = "A".repeat(64);
    let csr = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    for _ in 0..2 {
        client.post(&url, &json!({ "token": wrong })).await.refused(403, "incorrectResponse");
    }
    for _ in 0..3 {
        client.finalize(&order, &csr, Some(&wrong)).await.refused(403, "incorrectResponse");
    }
    let authorization = client.read(&order.authorization).await.expect(200).json();
    assert_eq!(authorization["status"], "invalid");
    assert_eq!(
        authorization["challenges"][0]["error"]["type"],
        "urn:ietf:params:acme:error:incorrectResponse"
    );
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "invalid");
    // Too late.
    client.finalize(&order, &csr, Some(&right)).await.refused(403, "unauthorized");
    client.post(&url, &json!({ "token": right })).await.refused(403, "unauthorized");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "invalid");
}

// A token belongs to its authorization.
#[tokio::test]
async fn another_authorization_s_token_is_wrong() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let first = client.order(&alice, None).await;
    let second = client.order(&alice, None).await;
    let (one, two) = (client.token(&alice, &first).await, client.token(&alice, &second).await);
    let csr = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let mixed = format!("{}{}", &one[..32], &two[32..]);
    for wrong in [&one, &mixed] {
        client.finalize(&second, &csr, Some(wrong)).await.refused(403, "incorrectResponse");
    }
    client.finalize(&second, &csr, Some(&two)).await.expect(200);
}

// RFC 8555 §7.1.4: all that can be fulfilled while it is pending; then the one that was validated or failed.
#[tokio::test]
async fn a_decided_authorization_lists_the_challenge_that_decided() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let kinds = async |client: &mut Client, order: &crate::client::Order| {
        let authorization = client.read(&order.authorization).await.expect(200).json();
        let list = authorization["challenges"].as_array().unwrap().clone();
        list.iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let order = client.order(&alice, None).await;
    assert_eq!(kinds(&mut client, &order).await, ["email-token-00", "email-reply-00"]);
    let url = client.challenge(&order, "email-reply-00").await["url"].as_str().unwrap().to_owned();
    let token = client.token(&alice, &order).await;
    client.post(&url, &json!({})).await.expect(200);
    assert_eq!(kinds(&mut client, &order).await, ["email-reply-00"], "announced");
    assert_eq!(client.read(&url).await.expect(200).json()["type"], "email-reply-00");
    // The client may change its mind.
    client.post(&url, &json!({ "token": token })).await.expect(200);
    assert_eq!(kinds(&mut client, &order).await, ["email-token-00"]);
    // What is decided is not opened again by another announcement.
    let again = client.post(&url, &json!({})).await.expect(200).json();
    assert_eq!(again["status"], "valid");
    assert_eq!(kinds(&mut client, &order).await, ["email-token-00"]);
}
