//! `email-reply-00` (RFC 8823 §3.2): the reply mail over the mail system, DKIM-signed by its user's domain.

use aecm_acme::jws::encode;
use aecm_acme::mail::ReplyMail;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Clock;
use aecm_core::embed::SystemClock;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::Purpose;
use aecm_service::{AcmeOptions, Service};
use serde_json::{Value, json};

use crate::client::{Client, Order, csr, field, key, open, start};

struct Case {
    service: Service,
    client: Client,
    alice: Mailbox,
    order: Order,
    challenge: Value,
}

impl Case {
    async fn new() -> Self {
        let service = start(AcmeOptions::default()).await;
        let mut client = Client::registered(&service).await;
        let alice = open(&service, "alice@example.test");
        let order = client.order(&alice, None).await;
        let challenge = client.challenge(&order, "email-reply-00").await;
        Self { service, client, alice, order, challenge }
    }

    fn url(&self) -> String {
        self.challenge["url"].as_str().unwrap().to_owned()
    }

    /// base64url(SHA-256(token "." thumbprint)), by the letter of the RFC.
    async fn digest(&mut self) -> String {
        let token = self.client.token(&self.alice, &self.order).await;
        let authorization = format!("{token}.{}", self.client.thumbprint());
        encode(&DigestAlgorithm::Sha256.digest(authorization.as_bytes()))
    }

    async fn reply(&mut self, digest: &str) -> (Mailbox, Vec<u8>) {
        let mails = self.client.mails(&self.alice).await;
        let to: Mailbox = self.challenge["from"].as_str().unwrap().parse().unwrap();
        let reply = ReplyMail {
            from: self.alice.clone(),
            to: to.clone(),
            subject: field(&mails[0].raw, "Subject").unwrap(),
            in_reply_to: field(&mails[0].raw, "Message-ID"),
            digest: digest.to_owned(),
        };
        (to, reply.compose(SystemClock.now(), "<reply-1@example.test>").unwrap())
    }

    async fn status(&mut self) -> (String, String) {
        let word = |value: &Value| value["status"].as_str().unwrap().to_owned();
        let authorization = self.client.read(&self.order.authorization.clone()).await.expect(200).json();
        let challenges = authorization["challenges"].as_array().unwrap();
        let challenge = challenges.iter().find(|one| one["type"] == "email-reply-00").unwrap();
        (word(&authorization), word(challenge))
    }
}

#[tokio::test]
async fn a_genuine_reply_proves_the_mailbox() {
    let mut case = Case::new().await;
    let digest = case.digest().await;
    let (to, raw) = case.reply(&digest).await;
    // Announced before it arrives: processing, and asked to come again.
    let url = case.url();
    let announced = case.client.post(&url, &json!({})).await.expect(200);
    assert_eq!(
        (&announced.json()["type"], &announced.json()["status"]),
        (&json!("email-reply-00"), &json!("processing"))
    );
    let waiting = case.client.read(&case.order.authorization.clone()).await.expect(200);
    assert_eq!(waiting.header("retry-after"), Some("1"));

    case.service.mail_sender().send(&case.alice, &to, &raw).await.unwrap();
    assert_eq!(case.status().await, ("valid".to_owned(), "valid".to_owned()));
    let csr = csr(&case.alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    case.client.finalize(&case.order.clone(), &csr, None).await.expect(200);
}

// The mail alone is not the client's word: RFC 8555 §7.5.1 wants the response too.
#[tokio::test]
async fn an_unannounced_reply_does_nothing() {
    let mut case = Case::new().await;
    let digest = case.digest().await;
    let (to, raw) = case.reply(&digest).await;
    case.service.mail_sender().send(&case.alice, &to, &raw).await.unwrap();
    assert_eq!(case.status().await.0, "pending");
    let url = case.url();
    let announced = case.client.post(&url, &json!({})).await.expect(200);
    assert_eq!(announced.json()["status"], "valid");
}

// A reply that the mailbox's own domain signed and that is wrong is final.
#[tokio::test]
async fn a_genuine_reply_with_a_wrong_digest_is_final() {
    let mut case = Case::new().await;
    let wrong = encode(&DigestAlgorithm::Sha256.digest(b"something else"));
    let (to, raw) = case.reply(&wrong).await;
    case.service.mail_sender().send(&case.alice, &to, &raw).await.unwrap();
    let url = case.url();
    case.client.post(&url, &json!({})).await.expect(200);
    assert_eq!(case.status().await, ("invalid".to_owned(), "invalid".to_owned()));
    assert_eq!(case.client.read(&case.order.url.clone()).await.expect(200).json()["status"], "invalid");
}

// C1: what anybody could have sent proves nothing, and ends nothing either.
#[tokio::test]
async fn forged_replies_are_left_alone() {
    let mut case = Case::new().await;
    let right = case.digest().await;
    let wrong = encode(&DigestAlgorithm::Sha256.digest(b"something else"));
    let url = case.url();
    case.client.post(&url, &json!({})).await.expect(200);

    let pending = ("pending".to_owned(), "processing".to_owned());
    // Right and wrong digests without any signature; Mallory's provider does not sign in Alice's name.
    for digest in [&right, &wrong] {
        let (to, raw) = case.reply(digest).await;
        assert!(case.service.post_office().deliver(&to, &raw));
        assert_eq!(case.status().await, pending);
    }
    let mallory = open(&case.service, "mallory@evil.example");
    let (to, raw) = case.reply(&right).await;
    assert!(case.service.mail_sender().send(&mallory, &to, &raw).await.is_err());
    assert_eq!(case.status().await, pending);
    // Mallory in her own name, and mail that is no reply at all.
    let own = String::from_utf8(raw.clone()).unwrap().replace("alice@example.test", "mallory@evil.example");
    case.service.mail_sender().send(&mallory, &to, own.as_bytes()).await.unwrap();
    assert!(case.service.post_office().deliver(&to, b"Subject: Buy\r\n\r\nnow\r\n"));
    assert!(case.service.post_office().deliver(&to, b"\xff\xfe\x00"));
    assert_eq!(case.status().await, pending);

    // The genuine one still counts.
    case.service.mail_sender().send(&case.alice, &to, &raw).await.unwrap();
    assert_eq!(case.status().await.0, "valid");
}

// Signed and then changed on the way.
#[tokio::test]
async fn a_reply_changed_on_the_way_proves_nothing() {
    let mut case = Case::new().await;
    let wrong = encode(&DigestAlgorithm::Sha256.digest(b"something else"));
    let right = case.digest().await;
    let (to, raw) = case.reply(&wrong).await;
    // Signed by the provider with the wrong digest in it, then exchanged for the right one.
    let bob = open(&case.service, "bob@example.test");
    case.service.mail_sender().send(&case.alice, &bob, &raw).await.unwrap();
    let signed = case.client.mails(&bob).await.remove(0).raw;
    let changed = String::from_utf8(signed).unwrap().replace(&wrong, &right);
    assert!(case.service.post_office().deliver(&to, changed.as_bytes()));
    let url = case.url();
    case.client.post(&url, &json!({})).await.expect(200);
    assert_eq!(case.status().await.0, "pending");
}
