//! What the server bears and how it says no: `rateLimited`, forgetting what is over, full rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aecm_core::embed::{Clock, Method, SystemClock};
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_service::AcmeOptions;
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::client::{Client, csr, key, open, start, start_with};

fn with_capacity(capacity: usize) -> AcmeOptions {
    let mut options = AcmeOptions::default();
    options.capacity = capacity;
    options
}

/// The present, and what is added to it.
#[derive(Default)]
struct Later(AtomicI64);

impl Clock for Later {
    fn now(&self) -> Time {
        Time::from_unix(SystemClock.now().unix() + self.0.load(Ordering::SeqCst))
    }
}

// A mailbox is not flooded by one account, and a stranger does not lock its owner out.
#[tokio::test]
async fn an_account_has_twenty_pending_authorizations_of_a_mailbox() {
    let service = start(AcmeOptions::default()).await;
    let mut mallory = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    for _ in 0..20 {
        mallory.order(&alice, None).await;
    }
    let refused = mallory.order_reply(&alice, None).await.refused(429, "rateLimited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}: until the first of them is over");
    assert_eq!(mallory.mails(&alice).await.len(), 20, "what was refused sent no mail");
    // The domain's case changes nothing; another mailbox is another matter.
    let same: Mailbox = "alice@EXAMPLE.test".parse().unwrap();
    mallory.order_reply(&same, None).await.refused(429, "rateLimited");
    mallory.order(&"bob@example.test".parse().unwrap(), None).await;
    let mut owner = Client::registered(&service).await;
    owner.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let clock = Arc::new(Later::default());
    let service = start_with(|options| {
        options.clock = clock.clone();
        options.acme.capacity = 3;
    })
    .await;
    let mut client = Client::registered(&service).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    client.issue(&bob, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let order = client.order(&alice, None).await;
    let challenge = client.challenge(&order, "email-token-00").await;
    let sender: Mailbox = challenge["from"].as_str().unwrap().parse().unwrap();
    client.order(&alice, None).await;
    client.order_reply(&alice, None).await.refused(429, "rateLimited");
    assert!(client.mails(&sender).await.is_empty(), "the sender's mailbox is open");

    clock.0.store(86_402, Ordering::SeqCst);
    // Invalid by now, and no longer listed (RFC 8555 §7.1.2.1); the finished one is.
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "invalid");
    let list = format!("{}/orders", client.kid);
    assert_eq!(client.read(&list).await.expect(200).json()["orders"].as_array().unwrap().len(), 1);
    client.order(&alice, None).await;
    client.read(&order.url).await.refused(404, "malformed");
    client.read(&order.authorization).await.refused(404, "malformed");
    let gone = service.mail_source().mails(&sender, Time::from_unix(0)).await;
    assert!(gone.is_err(), "the sender's mailbox went with its authorization");
    // A valid authorization and a finished order outlive the day.
    assert_eq!(client.order(&bob, None).await.body["status"], "ready");
}

#[tokio::test]
async fn a_full_server_refuses_and_serves_what_it_has() {
    let service = start(with_capacity(2)).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    Client::registered(&service).await;
    let mut third = Client::new(&service).await;
    let refused = third.register().await.refused(429, "rateLimited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    assert!(refused.header("replay-nonce").is_some());
    client.register().await.expect(200);

    // Orders, the certificates of which are made one by one.
    client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let last = client.order(&alice, Some("sm2-encrypt-mv")).await;
    client.order_reply(&alice, None).await.refused(429, "rateLimited");
    let request = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    client.finalize(&last, &request, None).await.expect(200);
    assert_eq!(service.certificate_directory().certificates(&alice).await.unwrap().len(), 2);
    assert_eq!(service.post_office().delivered(), 1);
}

// RFC 8555 §7.1.2.1: an order that came to nothing is not listed.
#[tokio::test]
async fn invalid_orders_are_not_listed() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let (failed, kept) = (client.order(&alice, None).await, client.order(&alice, None).await);
    client.post(&failed.authorization, &json!({ "status": "deactivated" })).await.expect(200);
    assert_eq!(client.read(&failed.url).await.expect(200).json()["status"], "invalid");
    let list = format!("{}/orders", client.kid);
    assert_eq!(client.read(&list).await.expect(200).json()["orders"], json!([kept.url]));
}

// All rooms taken by connections that say nothing: the server stops all the same.
#[tokio::test]
async fn a_crowded_server_stops_when_dropped() {
    let service = start(AcmeOptions::default()).await;
    let address = service.directory_url().split('/').nth(2).unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..260 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(service);
    // Well below the ten seconds after which a silent connection is closed anyway.
    for stream in &mut idle {
        let ended = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut [0])).await;
        assert!(matches!(ended, Ok(Ok(0) | Err(_))), "still open");
    }
}

// RFC 8555 §6.7: a problem document whatever is wrong, also on the way to the resource.
#[tokio::test]
async fn every_refusal_below_acme_is_a_problem_document() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let base = client.directory_url.strip_suffix("/acme/directory").unwrap().to_owned();
    for path in ["/acme", "/acme/", "/acme/nothing", "/acme/order/x/y/z"] {
        let jose = Some("application/jose+json");
        client.raw(Method::Post, &format!("{base}{path}"), jose, Vec::new()).await.refused(404, "malformed");
    }
    let large = vec![b'a'; 300 * 1024];
    let url = client.url("newOrder");
    let refused = client.raw(Method::Post, &url, Some("application/jose+json"), large.clone()).await;
    assert!(refused.header("replay-nonce").is_some());
    refused.refused(413, "malformed");
    let query = Some("application/timestamp-query");
    let stamp = client.raw(Method::Post, &format!("{base}/tsa/classic"), query, large).await;
    assert_eq!((stamp.status(), stamp.text()), (413, ""));
}

fn with_own_limit(per_account: usize) -> AcmeOptions {
    let mut options = AcmeOptions::default();
    options.per_account = per_account;
    options
}

// One account's excess is its own; another account goes on.
#[tokio::test]
async fn an_account_has_a_share() {
    let service = start(with_own_limit(3)).await;
    let mut client = Client::registered(&service).await;
    let mailboxes: Vec<Mailbox> =
        (0..4).map(|number| open(&service, &format!("a{number}@example.test"))).collect();
    for mailbox in &mailboxes[..3] {
        client.order(mailbox, None).await;
    }
    let refused = client.order_reply(&mailboxes[3], None).await.refused(429, "rateLimited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    assert!(client.mails(&mailboxes[3]).await.is_empty(), "what was refused sent no mail");
    let mut other = Client::registered(&service).await;
    for purpose in Purpose::ALL {
        other.issue(&mailboxes[3], Suite::Sm2, purpose, &key(KeySpec::Sm2)).await;
    }
    // Three certificates stand: the next is refused where it would be issued, and the order is kept.
    let order = other.order(&mailboxes[3], Some("sm2-sign-mv")).await;
    let request = csr(&mailboxes[3], Purpose::Sign, &key(KeySpec::Sm2)).await;
    let refused = other.finalize(&order, &request, None).await.refused(429, "rateLimited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 364 * 86_400);
    assert_eq!(other.read(&order.url).await.expect(200).json()["status"], "ready");
}

// What is over makes room, what stands does not.
#[tokio::test]
async fn a_full_server_forgets_what_is_over() {
    let clock = Arc::new(Later::default());
    let service = start_with(|options| {
        options.clock = clock.clone();
        options.acme.capacity = 3;
    })
    .await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    // Accounts: two that nothing hangs on.
    let idle = Client::registered(&service).await;
    clock.0.store(10, Ordering::SeqCst);
    let later = Client::registered(&service).await;
    client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    Client::new(&service).await.register().await.refused(429, "rateLimited");
    clock.0.store(3_700, Ordering::SeqCst);
    Client::registered(&service).await;
    for (mut one, known) in [(idle, false), (later, true)] {
        let url = one.url("newAccount");
        let status = one.post_jwk(&url, &json!({ "onlyReturnExisting": true })).await.status();
        assert_eq!(status, if known { 200 } else { 400 });
    }
    client.read(&client.kid.clone()).await.expect(200);
    // Finished orders go after their day, orders and authorizations that came to nothing at once.
    for suite in [Suite::Sm2, Suite::Classic] {
        let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
        client.issue(&alice, suite, Purpose::Timestamp, &key(spec)).await;
    }
    client.order_reply(&alice, None).await.refused(429, "rateLimited");
    clock.0.store(86_400 + 3_700, Ordering::SeqCst);
    let order = client.order(&alice, Some("sm2-encrypt-mv")).await;
    // Three certificates stand.
    let request = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &request, None).await.refused(429, "rateLimited");
    clock.0.store(366 * 86_400, Ordering::SeqCst);
    let order = client.order(&alice, Some("sm2-encrypt-mv")).await;
    let token = client.token(&alice, &order).await;
    client.finalize(&order, &request, Some(&token)).await.expect(200);
    assert_eq!(service.certificate_directory().certificates(&alice).await.unwrap().len(), 3);
    for _ in 0..5 {
        let order = client.order(&"bob@example.test".parse().unwrap(), None).await;
        client.post(&order.authorization, &json!({ "status": "deactivated" })).await.expect(200);
    }
}

// A key that others have is refused for as long as the service lives, also when its certificate is forgotten.
#[tokio::test]
async fn a_compromised_key_outlives_its_certificate() {
    let clock = Arc::new(Later::default());
    let service = start_with(|options| {
        options.clock = clock.clone();
        options.acme.capacity = 1;
    })
    .await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let compromised = key(KeySpec::Sm2);
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Sign, &compromised).await;
    let revoke = json!({ "certificate": aecm_acme::jws::encode(chain[0].as_der()), "reason": 1 });
    client.post(&client.url("revokeCert"), &revoke).await.expect(200);
    clock.0.store(366 * 86_400, Ordering::SeqCst);
    client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.post(&client.url("revokeCert"), &revoke).await.refused(404, "malformed");
    clock.0.fetch_add(86_500, Ordering::SeqCst);
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let request = csr(&alice, Purpose::Sign, &compromised).await;
    client.finalize(&order, &request, None).await.refused(400, "badPublicKey");
}
