//! What is logged, down to TRACE: who asked what and what became of it, and no secret (THREATS N9).

use std::io::Write;
use std::sync::{Arc, Mutex};

use aecm_acme::jws::encode;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use serde_json::json;

use crate::client::{Client, field, key, open, start_with};
use crate::relay::Device;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn n9_the_log_tells_what_was_done_and_no_secret() {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);

    let mac_key = "bWFjLWtleS1vZi0yNC1vY3RldHMtISE";
    let service = start_with(|options| {
        let subject = aecm_service::ExternalSubject::individual("Aiko", "Ito");
        let customer = aecm_service::ExternalAccount::new(mac_key, subject).unwrap();
        options.acme.external_accounts.insert("customer".to_owned(), customer);
    })
    .await;
    let alice = open(&service, "alice@example.test");
    let mut client = Client::registered(&service).await;
    let nonce = client.nonce().await;
    client.nonce = Some(nonce.clone());
    let order = client.order(&alice, None).await;
    let token = client.token(&alice, &order).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    client.post(&url, &json!({ "token": "B".repeat(64) })).await.refused(403, "incorrectResponse");
    client.post(&url, &json!({ "token": token })).await.expect(200);
    let shared = key(KeySpec::Sm2);
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Encrypt, &shared).await;
    let mut device = Device::new(&service, &alice).await;
    let text = device.text();
    device.ask_with(&text).await.expect(201);
    let revoke = json!({ "certificate": encode(chain[0].as_der()), "reason": 4 });
    let revoke_url = client.url("revokeCert");
    client.post(&revoke_url, &revoke).await.expect(200);

    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    for wanted in [
        "DEBUG",
        "INFO",
        "answered",
        "issued",
        "revoked",
        "method=POST",
        "path=/acme/new-order",
        "status=201",
        "incorrectResponse",
        "sm2-encrypt-mv",
    ] {
        assert!(log.contains(wanted), "{wanted} in {log}");
    }
    let mails = client.mails(&alice).await;
    let part1 = field(&mails[0].raw, "Subject").unwrap().replace("ACME: ", "");
    let body = String::from_utf8(mails[0].raw.clone()).unwrap();
    let line = body.lines().last().unwrap();
    let pkcs8 = encode(&shared.to_pkcs8_der()[20..50]);
    let x = client.jwk()["x"].as_str().unwrap().to_owned();
    let wrong = "B".repeat(64);
    let payload = encode(revoke.to_string().as_bytes());
    for (what, secret) in [
        ("token", token.as_str()),
        ("token-part1", part1.trim()),
        ("token-part2", &token[token.len() - 32..]),
        ("a wrong token", &wrong),
        ("nonce", &nonce),
        ("JWS payload", &payload[..40]),
        ("account key", &x),
        ("private key", &pkcs8[..30]),
        ("MAC key", mac_key),
        ("mail", line),
        ("transport key", text["transportKey"].as_str().unwrap()),
        ("request nonce", text["nonce"].as_str().unwrap()),
        ("PEM", "BEGIN"),
    ] {
        assert!(secret.len() > 4 && !log.contains(secret), "{what} in {log}");
    }
}
