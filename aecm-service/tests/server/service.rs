//! The process: where it listens, what it bears, what it prints.

use std::net::SocketAddr;

use aecm_core::embed::Method;
use aecm_service::{AcmeOptions, Error, Service, ServiceOptions};
use serde_json::json;

use crate::client::{Client, field, open, start};

#[tokio::test]
async fn it_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0", "[2001:db8::1]:0"] {
        let mut options = ServiceOptions::default();
        options.listen = address.parse::<SocketAddr>().unwrap();
        let refused = Service::start(options).await.unwrap_err();
        assert!(matches!(refused, Error::NotLoopback { .. }), "{address}");
        assert!(refused.to_string().contains("loopback"));
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_says_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = ServiceOptions::default();
    options.listen = taken.local_addr().unwrap();
    assert!(matches!(Service::start(options).await, Err(Error::Listen { .. })));
}

#[tokio::test]
async fn it_stops_when_dropped() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let url = service.directory_url();
    drop(service);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(client.try_raw(&url, Vec::new()).await.is_err());
}

// N4 from the other side: a body has an end.
#[tokio::test]
async fn bodies_have_a_limit() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let url = client.url("newOrder");
    let answer = client.raw(Method::Post, &url, Some("application/jose+json"), vec![b'a'; 300 * 1024]).await;
    answer.refused(413, "malformed");
    // The largest that is read is refused for what it is, and the server goes on.
    client
        .raw(Method::Post, &url, Some("application/jose+json"), vec![b'a'; 256 * 1024])
        .await
        .refused(400, "malformed");
    let account = client.kid.clone();
    client.read(&account).await.expect(200);
}

#[tokio::test]
async fn mail_for_nobody_and_keys_of_nobody() {
    let service = start(AcmeOptions::default()).await;
    let nobody = "nobody@example.test".parse().unwrap();
    assert!(!service.post_office().deliver(&nobody, b"Subject: x\r\n\r\n"));
    let alice = open(&service, "alice@example.test");
    assert!(service.mail_sender().send(&nobody, &alice, b"Subject: x\r\n\r\n").await.is_err());
    assert!(service.mail_source().mails(&nobody, aecm_core::time::Time::from_unix(0)).await.is_err());
    let resolver = service.txt_resolver();
    assert!(resolver.txt("aecm._domainkey.example.test").await.is_ok());
    assert!(resolver.txt("AECM._domainkey.CA.example.test.").await.is_ok());
    for name in ["aecm._domainkey.elsewhere.test", "other._domainkey.example.test", "example.test", ""] {
        assert!(resolver.txt(name).await.is_err(), "{name}");
    }
}

// What is signed for a domain is what its user wrote: From is the sender, and the CA's domain is nobody's.
#[tokio::test]
async fn mail_is_signed_for_its_author_only() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mallory = open(&service, "mallory@example.test");
    let ca = open(&service, "acme+x@ca.example.test");
    let sender = service.mail_sender();
    for from in [
        "From: alice@example.test\r\n",
        "From: Mallory <alice@example.test>\r\n",
        "From: \"mallory@example.test\" <alice@example.test>\r\n",
        "From: mallory@example.test, alice@example.test\r\n",
        "From: mallory@example.test\r\nFrom: alice@example.test\r\n",
        "From: Mallory@example.test\r\n",
        "From: acme+x@ca.example.test\r\n",
        "From: all:mallory@example.test;\r\n",
        "From:\r\n",
        "",
    ] {
        let mail = format!("{from}Subject: x\r\n\r\nx\r\n");
        assert!(sender.send(&mallory, &alice, mail.as_bytes()).await.is_err(), "{from:?}");
    }
    let mail = b"From: acme+x@ca.example.test\r\nSubject: ACME: x\r\n\r\nx\r\n";
    assert!(sender.send(&ca, &alice, mail).await.is_err());
    assert_eq!(service.post_office().delivered(), 0);
    let mail = b"From: Mallory <mallory@EXAMPLE.test>\r\nSubject: x\r\n\r\nx\r\n";
    sender.send(&mallory, &alice, mail).await.unwrap();
    assert_eq!(service.post_office().delivered(), 1);
}

// N9, K2: nothing that is printed holds a token or a key.
#[tokio::test]
async fn n9_nothing_printed_holds_a_token() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let token = client.token(&alice, &order).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    let wrong = "Z".repeat(64);
    let refused = client.post(&url, &json!({ "token": wrong })).await.refused(403, "incorrectResponse");
    assert!(!refused.text().contains(&wrong), "a wrong token is not repeated, either");
    let part1 = field(&client.mails(&alice).await[0].raw, "Subject").unwrap().replace("ACME: ", "");
    let printed = format!("{service:?} {:#?} {:?}", service, service.post_office());
    for secret in [token.as_str(), part1.trim(), "PRIVATE", "SigningKey"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
