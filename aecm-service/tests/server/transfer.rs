//! Transfers of the encrypting keys between devices, the one encrypting key, and the events.

use std::time::Duration;

use aecm_acme::jws::{decode, encode};
use aecm_core::embed::{Clock, SystemClock};
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_service::AcmeOptions;
use serde_json::{Value, json};

use crate::client::{Client, csr, field, key, open, start};
use crate::relay::{Device, cms};
use crate::state::World;

async fn exists(client: &mut Client, mailbox: &aecm_core::mailbox::Mailbox, profile: &str) -> Value {
    let refused = client.order_reply(mailbox, Some(profile)).await;
    assert_eq!(refused.status(), 409, "{}", refused.text());
    let document = refused.json();
    assert_eq!(document["type"], "urn:aecm:error:encryptionKeyExists");
    assert_eq!(document["status"], 409);
    assert!(document["detail"].as_str().is_some_and(|text| text.contains("hand it over")));
    document
}

// K6, K7: a mailbox has one encrypting key in each suite; the second device is told which.
#[tokio::test]
async fn the_second_device_is_pointed_to_the_key_there_is() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut first = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = first.encrypting(&shared).await;
    let mut second = Device::new(&service, &alice).await;
    let document = exists(&mut second.client, &alice, "sm2-encrypt-mv").await;
    assert_eq!(document["instance"], second.aecm_url("newTransfer"));
    assert_eq!(document["certificate"], encode(chain[0].as_der()));
    assert_eq!(document["chain"], json!([encode(chain[1].as_der())]));
    // Another suite, another purpose, another mailbox have nothing to do with it.
    for profile in ["classic-encrypt-mv", "sm2-sign-mv", "sm2-timestamp-mv"] {
        second.client.order_reply(&alice, Some(profile)).await.expect(201);
    }
    let bob = open(&service, "bob@example.test");
    second.client.order_reply(&bob, Some("sm2-encrypt-mv")).await.expect(201);
    // The holder renews with the same key, and with no other.
    first.encrypting(&shared).await;
    let order = first.client.order(&alice, Some("sm2-encrypt-mv")).await;
    let other = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    assert_eq!(first.client.finalize(&order, &other, None).await.status(), 409);
    let same = csr(&alice, Purpose::Encrypt, &shared).await;
    first.client.finalize(&order, &same, None).await.expect(200);
    // Without a profile it shows at finalize.
    let order = second.client.order(&alice, None).await;
    let fresh = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    let refused = second.client.finalize(&order, &fresh, None).await;
    assert_eq!(refused.json()["type"], "urn:aecm:error:encryptionKeyExists");
    assert_eq!(second.client.read(&order.url).await.expect(200).json()["status"], "ready");
    // Whoever signs the request with the key has it.
    second.client.finalize(&order, &same, None).await.expect(200);
    second.client.order_reply(&alice, Some("sm2-encrypt-mv")).await.expect(201);
}

// Revoked or expired, the key makes room.
#[tokio::test]
async fn a_revoked_key_makes_room_for_another() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut first = Device::new(&service, &alice).await;
    let chain = first.encrypting(&key(KeySpec::Sm2)).await;
    let mut second = Device::new(&service, &alice).await;
    exists(&mut second.client, &alice, "sm2-encrypt-mv").await;
    let url = first.client.url("revokeCert");
    first.client.post(&url, &json!({ "certificate": encode(chain[0].as_der()) })).await.expect(200);
    second.encrypting(&key(KeySpec::Sm2)).await;
    exists(&mut first.client, &alice, "sm2-encrypt-mv").await;
}

// Two fresh devices that race end with one key.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_race_for_the_first_key_has_one_winner() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    for suite in [Suite::Sm2, Suite::Classic] {
        let mut racers = Vec::new();
        for _ in 0..6 {
            let mut device = Device::new(&service, &alice).await;
            let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
            // All orders are there before any key is.
            let profile = format!("{}-encrypt-mv", suite.word());
            let order = device.client.order(&alice, Some(&profile)).await;
            let request = csr(&alice, Purpose::Encrypt, &key(spec)).await;
            racers.push((device, order, request));
        }
        let running: Vec<_> = racers
            .into_iter()
            .map(|(mut device, order, request)| {
                tokio::spawn(async move { device.client.finalize(&order, &request, None).await.status() })
            })
            .collect();
        let mut statuses = Vec::new();
        for one in running {
            statuses.push(one.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409], "{suite}");
    }
}

#[tokio::test]
async fn keys_travel_from_one_device_to_another() {
    let mut world = World::new(|_| {}).await;
    let alice = open(world.service(), "alice@example.test");
    let mut first = Device::new(world.service(), &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = first.encrypting(&shared).await;
    let mut second = Device::new(world.service(), &alice).await;
    let request = second.signed(&second.text()).await;
    let asked = second.ask_cms(&request).await.expect(201);
    let url = asked.location();
    let object = asked.json();
    assert_eq!(object["status"], "pending");
    assert_eq!(object["identifier"], json!({ "type": "email", "value": "alice@example.test" }));
    assert_eq!((&object["device"], &object["url"]), (&json!("laptop-1"), &json!(url)));
    assert_eq!(object["request"], encode(&request));
    let fingerprint =
        aecm_core::digest::DigestAlgorithm::Sha256.digest(second.transport.public_key().spki_der());
    let hex: String = fingerprint.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(object["fingerprint"], hex);
    let created = Time::from_rfc3339(object["created"].as_str().unwrap()).unwrap();
    let expires = Time::from_rfc3339(object["expires"].as_str().unwrap()).unwrap();
    assert_eq!(expires.since(created), Duration::from_secs(7 * 86_400));
    // A lost answer: the same octets, the same transfer.
    assert_eq!(second.ask_cms(&request).await.expect(200).location(), url);

    first.client = world.again(&first.client).await;
    second.client = world.again(&second.client).await;
    first.client = {
        let mut next = Client::new(world.service()).await;
        (next.key, next.kid) = (first.client.key.clone(), first.client.kid.clone());
        next
    };
    let waiting = first.waiting().await;
    assert_eq!(waiting, std::slice::from_ref(&object));
    assert!(second.waiting().await.is_empty(), "its own request waits for others");
    let answer = first.answer(&[(&shared, &chain[..1])], second.transport.public_key(), &request).await;
    let answered = first.client.post(&url, &json!({ "response": encode(&answer) })).await.expect(200).json();
    assert_eq!(answered["status"], "answered");
    assert!(answered.get("response").is_none(), "only for whoever asked");
    // A lost answer again.
    first.client.post(&url, &json!({ "response": encode(&answer) })).await.expect(200);
    assert!(first.waiting().await.is_empty());

    second.client = world.again(&second.client).await;
    let fetched = second.client.read(&url).await.expect(200).json();
    assert_eq!(decode(fetched["response"].as_str().unwrap()).unwrap(), answer);
    exists(&mut second.client, &alice, "sm2-encrypt-mv").await;
    let done = second.client.post(&url, &json!({ "status": "done" })).await.expect(200).json();
    assert_eq!(done["status"], "done");
    assert!(done.get("response").is_none(), "forgotten");
    second.client = world.again(&second.client).await;
    second.client.post(&url, &json!({ "status": "done" })).await.expect(200);
    // The account counts as a holder now: it renews, and answers others.
    second.encrypting(&shared).await;
    open(world.service(), "alice@example.test");
    let mut third = Device::new(world.service(), &alice).await;
    third.ask().await;
    assert_eq!(second.waiting().await.len(), 1);

    let events = second.events().await;
    let expected = [
        ("device-added", "this"),
        ("transfer-requested", "this"),
        ("transfer-answered", "other"),
        ("transfer-done", "this"),
        ("device-added", "other"),
        ("transfer-requested", "other"),
    ];
    let events: Vec<_> = events.iter().map(|(kind, account)| (kind.as_str(), account.as_str())).collect();
    assert_eq!(events, expected);
}

#[tokio::test]
async fn requests_that_are_not_what_they_have_to_be_are_refused() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let good = device.text();
    let weak = encode(key(KeySpec::Rsa(2048)).public_key().spki_der());
    let ecc = encode(key(KeySpec::P256).public_key().spki_der());
    for (member, values) in [
        ("version", vec![json!(2), json!("1"), Value::Null]),
        ("kind", vec![json!("transfer"), Value::Null]),
        ("directory", vec![json!("https://elsewhere.test/acme/directory"), Value::Null]),
        ("mailbox", vec![json!("alice"), Value::Null]),
        ("device", vec![json!(""), json!("a\nb"), json!("x".repeat(129)), Value::Null]),
        ("transportKey", vec![json!("AA"), json!(weak), json!(ecc), json!("!"), Value::Null]),
        ("suites", vec![json!([]), json!(["sm9"]), json!("sm2"), json!(["sm2", "sm2", "sm2"]), Value::Null]),
        ("nonce", vec![json!("AA"), json!("!"), Value::Null]),
        ("created", vec![json!("yesterday"), Value::Null]),
        ("source", vec![json!("cloud"), Value::Null]),
    ] {
        for value in values {
            let mut text = good.clone();
            text[member] = value;
            let refused = device.ask_with(&text).await;
            assert_eq!(refused.problem(), (400, "malformed".to_owned()), "{member}: {}", text[member]);
        }
    }
    let now = SystemClock.now();
    for created in [now.minus(Duration::from_secs(660)), now.plus(Duration::from_secs(660))] {
        let mut text = good.clone();
        text["created"] = json!(created.to_string());
        device.ask_with(&text).await.refused(403, "unauthorized");
    }
    // Neither CMS nor base64url, no signer, another content type, another signer's octets.
    let url = device.aecm_url("newTransfer");
    for request in [json!("!"), json!(7), json!(encode(b"text")), Value::Null] {
        device.client.post(&url, &json!({ "request": request })).await.refused(400, "malformed");
    }
    let typed = cms(good.to_string().as_bytes(), aecm_core::oid::RECEIPT, &device.signing, None).await;
    let refused = device.ask_cms(&typed).await;
    assert!(matches!(refused.problem().0, 400 | 403), "{}", refused.text());
    let mut broken = device.signed(&good).await;
    let last = broken.len() - 1;
    broken[last] ^= 1;
    device.ask_cms(&broken).await.refused(403, "unauthorized");
    device.ask_cms(&broken[..last]).await.refused(400, "malformed");
    device.ask_cms(&[0x30; 70_000]).await.refused(413, "malformed");
    // The good one is good.
    device.ask_with(&good).await.expect(201);
}

#[tokio::test]
async fn requests_of_others_are_refused() {
    let service = start(AcmeOptions::default()).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    let mut device = Device::new(&service, &alice).await;
    let mut other = Device::new(&service, &alice).await;
    let stranger = Device::new(&service, &bob).await;
    let good = device.text();
    let request = device.signed(&good).await;
    // Replayed by another account: the signer's certificate is not its own.
    other.ask_cms(&request).await.refused(403, "unauthorized");
    // By another mailbox's certificate, for a mailbox that is not the certificate's.
    let by_bob = cms(good.to_string().as_bytes(), aecm_core::oid::DATA, &stranger.signing, None).await;
    device.ask_cms(&by_bob).await.refused(403, "unauthorized");
    let mut text = device.text();
    text["mailbox"] = json!("bob@example.test");
    device.ask_with(&text).await.refused(403, "unauthorized");
    // Under roots that are not ours.
    let foreign = start(AcmeOptions::default()).await;
    let there = Device::new(&foreign, &open(&foreign, "alice@example.test")).await;
    let signed = cms(good.to_string().as_bytes(), aecm_core::oid::DATA, &there.signing, None).await;
    device.ask_cms(&signed).await.refused(403, "unauthorized");
    // By a certificate for another purpose.
    let stamping = key(KeySpec::Sm2);
    let mut chain = device.client.issue(&alice, Suite::Sm2, Purpose::Timestamp, &stamping).await;
    let signer = std::sync::Arc::new(stamping.into_signer(std::sync::Arc::new(aecm_core::embed::OsRng)));
    let mut stamper = device.signing.clone();
    (stamper.certificate, stamper.chain, stamper.signer) = (chain.remove(0), chain, signer);
    // Our composer refuses to sign mail with it; where another does not, the server does.
    let message = aecm_smime::sign::SignedMessage::new(b"{}");
    let refused = aecm_smime::sign::sign(message, &[&stamper]).await;
    assert!(refused.is_err());
    // Revoked.
    let url = device.client.url("revokeCert");
    let revoke = json!({ "certificate": encode(device.signing.certificate.as_der()) });
    device.client.post(&url, &revoke).await.expect(200);
    device.ask_cms(&request).await.refused(403, "unauthorized");
}

// A valid authorization is wanted too: the certificate alone may be older than the proof.
#[tokio::test]
async fn without_an_authorization_nothing_is_asked() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let order = device.client.order(&alice, Some("sm2-sign-mv")).await;
    let gone = json!({ "status": "deactivated" });
    device.client.post(&order.authorization, &gone).await.expect(200);
    let text = device.text();
    let refused = device.ask_with(&text).await.refused(403, "unauthorized");
    assert!(refused.text().contains("authorization"));
}

#[tokio::test]
async fn requests_wait_in_small_numbers() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut holder = Device::new(&service, &alice).await;
    holder.encrypting(&key(KeySpec::Sm2)).await;
    let mut device = Device::new(&service, &alice).await;
    let mut urls = Vec::new();
    for _ in 0..5 {
        urls.push(device.ask().await);
    }
    let text = device.text();
    let refused = device.ask_with(&text).await.refused(429, "rateLimited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((600_000..=604_800).contains(&wait), "{wait}");
    holder.client.post(&urls[0], &json!({ "status": "refused" })).await.expect(200);
    assert_eq!(device.client.read(&urls[0]).await.expect(200).json()["status"], "refused");
    device.ask().await;
}

// Who asks last stands first, and many who ask make no answer that nobody can take.
#[tokio::test]
async fn the_list_of_waiting_requests_is_short_and_the_newest_stand_first() {
    let dial = std::sync::Arc::new(Dial::default());
    let clock = dial.clone();
    let service = crate::client::start_with(|options| options.clock = clock).await;
    let alice = open(&service, "alice@example.test");
    let mut holder = Device::new(&service, &alice).await;
    holder.encrypting(&key(KeySpec::Sm2)).await;
    let mut newest = Vec::new();
    for round in 0..5_i64 {
        let mut device = Device::new(&service, &alice).await;
        for request in 0..5_i64 {
            let moved = 20 * (5 * round + request);
            dial.0.store(moved, std::sync::atomic::Ordering::SeqCst);
            let mut text = device.text();
            text["created"] = json!(dial.now().to_string());
            newest.insert(0, device.ask_with(&text).await.expect(201).location());
        }
    }
    let waiting = holder.client.read(&holder.aecm_url("transfers")).await.expect(200);
    assert!(waiting.0.body.len() <= 256 * 1024);
    let listed = waiting.json()["transfers"].as_array().unwrap().clone();
    let urls: Vec<String> = listed.iter().map(|one| one["url"].as_str().unwrap().to_owned()).collect();
    // Of five devices four requests each, however late one of them asked.
    let expected: Vec<&String> =
        newest.iter().enumerate().filter(|(at, _)| at % 5 != 4).map(|(_, url)| url).collect();
    assert_eq!(urls.iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn only_who_may_answers_and_only_once() {
    let service = start(AcmeOptions::default()).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    let mut holder = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = holder.encrypting(&shared).await;
    let mut empty = Device::new(&service, &alice).await;
    let mut stranger = Device::new(&service, &bob).await;
    stranger.encrypting(&key(KeySpec::Sm2)).await;
    let mut device = Device::new(&service, &alice).await;
    let text = device.text();
    let request = device.signed(&text).await;
    let url = device.ask_cms(&request).await.expect(201).location();
    let answer = holder.answer(&[(&shared, &chain[..1])], device.transport.public_key(), &request).await;
    let response = json!({ "response": encode(&answer) });
    for other in [&mut empty, &mut stranger] {
        assert!(other.waiting().await.is_empty());
        other.client.read(&url).await.refused(404, "malformed");
        other.client.post(&url, &response).await.refused(404, "malformed");
        other.client.post(&url, &json!({ "status": "refused" })).await.refused(404, "malformed");
        other.client.post(&url, &json!({ "status": "done" })).await.refused(404, "malformed");
    }
    device.client.post(&url, &response).await.refused(403, "unauthorized");
    device.client.post(&url, &json!({ "status": "refused" })).await.refused(403, "unauthorized");
    device.client.post(&url, &json!({ "status": "done" })).await.refused(409, "malformed");
    for bad in [
        json!({}),
        json!({ "status": "answered" }),
        json!({ "response": "!" }),
        json!({ "response": encode(b"no CMS") }),
        json!({ "response": encode(&answer), "status": "refused" }),
    ] {
        holder.client.post(&url, &bad).await.refused(400, "malformed");
    }
    let large = encode(&vec![0x30; 256 * 1024 + 1]);
    holder.client.post(&url, &json!({ "response": large })).await.refused(413, "malformed");
    let huge = vec![b'a'; 513 * 1024];
    holder.client.send(&url, huge).await.refused(413, "malformed");

    holder.client.post(&url, &response).await.expect(200);
    let second = holder.answer(&[(&shared, &chain[..1])], device.transport.public_key(), b"").await;
    holder.client.post(&url, &json!({ "response": encode(&second) })).await.refused(409, "malformed");
    holder.client.post(&url, &json!({ "status": "refused" })).await.refused(409, "malformed");
    holder.client.post(&url, &json!({ "status": "done" })).await.refused(403, "unauthorized");
    device.client.post(&url, &json!({ "status": "done" })).await.expect(200);
    holder.client.post(&url, &response).await.refused(409, "malformed");
}

// A CMS of exactly the limit goes through all layers.
#[tokio::test]
async fn a_package_may_have_256_kib() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut holder = Device::new(&service, &alice).await;
    holder.encrypting(&key(KeySpec::Sm2)).await;
    let mut device = Device::new(&service, &alice).await;
    let url = device.ask().await;
    let overhead = cms(&vec![0; 200_000], aecm_core::oid::AUTH_ENVELOPED_DATA, &holder.signing, None).await;
    let room = 256 * 1024 - (overhead.len() - 200_000);
    for (octets, status) in [(room + 8, 413), (room - 8, 200)] {
        let answer = cms(&vec![0; octets], aecm_core::oid::AUTH_ENVELOPED_DATA, &holder.signing, None).await;
        let reply = holder.client.post(&url, &json!({ "response": encode(&answer) })).await;
        assert_eq!(reply.status(), status, "{}", answer.len());
    }
}

/// The system's time, moved.
#[derive(Default)]
pub struct Dial(pub std::sync::atomic::AtomicI64);

impl Clock for Dial {
    fn now(&self) -> Time {
        let moved = self.0.load(std::sync::atomic::Ordering::SeqCst);
        Time::from_unix(SystemClock.now().unix() + moved)
    }
}

#[tokio::test]
async fn requests_and_answers_expire() {
    let dial = std::sync::Arc::new(Dial::default());
    let clock = dial.clone();
    let service = crate::client::start_with(|options| options.clock = clock).await;
    let alice = open(&service, "alice@example.test");
    let mut holder = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = holder.encrypting(&shared).await;
    let mut device = Device::new(&service, &alice).await;
    let (pending, answered) = (device.ask().await, device.ask().await);
    let answer = holder.answer(&[(&shared, &chain[..1])], device.transport.public_key(), b"").await;
    let response = json!({ "response": encode(&answer) });
    holder.client.post(&answered, &response).await.expect(200);
    dial.0.store(7 * 86_400 + 60, std::sync::atomic::Ordering::SeqCst);
    assert!(holder.waiting().await.is_empty());
    for url in [&pending, &answered] {
        let object = device.client.read(url).await.expect(200).json();
        assert_eq!(object["status"], "expired");
        assert!(object.get("response").is_none());
        holder.client.post(url, &response).await.refused(409, "malformed");
        device.client.post(url, &json!({ "status": "done" })).await.refused(409, "malformed");
    }
    dial.0.store(15 * 86_400, std::sync::atomic::Ordering::SeqCst);
    let text = {
        let mut text = device.text();
        text["created"] = json!(dial.now().to_string());
        text
    };
    device.ask_with(&text).await.expect(201);
    device.client.read(&pending).await.refused(404, "malformed");
}

// A rekey: only by who ordered the active key's certificate, naming it; announced.
#[tokio::test]
async fn a_rekey_is_asked_for_and_announced() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut first = Device::new(&service, &alice).await;
    let old = key(KeySpec::Sm2);
    let chain = first.encrypting(&old).await;
    let identifier = |leaf: &aecm_core::certificate::Certificate| {
        format!("{}.{}", encode(leaf.authority_key_identifier().unwrap()), encode(leaf.serial()))
    };
    let replaces = identifier(&chain[0]);
    let url = first.client.url("newOrder");
    let order = |replaces: &str, mailbox: &str| {
        json!({ "identifiers": [{ "type": "email", "value": mailbox }],
            "profile": "sm2-encrypt-mv", "replaces": replaces })
    };
    let mut second = Device::new(&service, &alice).await;
    second.client.post(&url, &order(&replaces, "alice@example.test")).await.refused(403, "unauthorized");
    for wrong in ["", "a.b", "x".repeat(300).as_str(), replaces.trim_end_matches(|c| c != '.')] {
        first.client.post(&url, &order(wrong, "alice@example.test")).await.refused(400, "malformed");
    }
    first.client.post(&url, &order(&replaces, "bob@example.test")).await.refused(400, "malformed");

    let reply = first.client.post(&url, &order(&replaces, "alice@example.test")).await.expect(201);
    assert_eq!(reply.json()["replaces"], replaces);
    let finalize = reply.json()["finalize"].as_str().unwrap().to_owned();
    let request = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    let before = service.post_office().delivered();
    first.client.post(&finalize, &json!({ "csr": encode(&request) })).await.expect(200);
    assert_eq!(service.post_office().delivered(), before + 1, "a notice");
    first.client.post(&url, &order(&replaces, "alice@example.test")).await.refused(409, "alreadyReplaced");
    let events = second.events().await;
    assert_eq!(events.last().unwrap(), &("rekeyed".to_owned(), "other".to_owned()));
    // The old key is nobody's any more, its holder's neither.
    let order = first.client.order(&alice, Some("sm2-encrypt-mv")).await;
    let again = csr(&alice, Purpose::Encrypt, &old).await;
    assert_eq!(first.client.finalize(&order, &again, None).await.status(), 409);
    let shown = first.client.get(&format!("{}alice%40example.test", first.aecm_url("certificates"))).await;
    let listed = shown.expect(200).json()["certificates"].to_string();
    assert!(!listed.contains(&encode(chain[0].as_der())));
}

#[tokio::test]
async fn the_mailbox_is_told_of_another_device() {
    for (notices, expected) in [(true, 1), (false, 0)] {
        let mut options = AcmeOptions::default();
        options.notices = notices;
        let service = start(options).await;
        let alice = open(&service, "alice@example.test");
        let mut first = Device::new(&service, &alice).await;
        first.encrypting(&key(KeySpec::Sm2)).await;
        let mut second = Device::new(&service, &alice).await;
        second.client.issue(&alice, Suite::Classic, Purpose::Sign, &key(KeySpec::P256)).await;
        let mails = first.client.mails(&alice).await;
        let notices: Vec<_> =
            mails.iter().filter(|mail| !field(&mail.raw, "Subject").unwrap().starts_with("ACME:")).collect();
        assert_eq!(notices.len(), expected);
        for notice in notices {
            assert_eq!(field(&notice.raw, "Auto-Submitted").unwrap(), "auto-generated");
            assert_eq!(field(&notice.raw, "From").unwrap(), "notices@ca.example.test");
            let report = aecm_acme::dkim::verify(
                &notice.raw,
                SystemClock.now(),
                &aecm_acme::dkim::VerifyOptions::default(),
                service.txt_resolver().as_ref(),
            )
            .await
            .unwrap();
            assert!(report.passing(|signature| signature.domain == "ca.example.test").is_some());
        }
        // The event is there in any case, once for each device.
        assert_eq!(first.events().await, [("device-added".to_owned(), "other".to_owned())]);
        assert_eq!(second.events().await, [("device-added".to_owned(), "this".to_owned())]);
    }
}

#[tokio::test]
async fn events_are_for_those_who_have_certificates_and_have_an_end() {
    let service = start(AcmeOptions::default()).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    let mut holder = Device::new(&service, &alice).await;
    holder.encrypting(&key(KeySpec::Sm2)).await;
    let mut stranger = Device::new(&service, &bob).await;
    let mut device = Device::new(&service, &alice).await;
    for _ in 0..105 {
        let url = device.ask().await;
        let answer = holder.answer(&[], device.transport.public_key(), b"").await;
        holder.client.post(&url, &json!({ "response": encode(&answer) })).await.expect(200);
    }
    let events = holder.events().await;
    let count = |wanted: &str| events.iter().filter(|(kind, _)| kind == wanted).count();
    assert_eq!(events.last().unwrap().0, "transfer-answered", "newest last");
    assert_eq!((count("device-added"), count("transfer-requested"), count("transfer-answered")), (1, 1, 105));
    assert!(stranger.events().await.is_empty());
    let mut newcomer = Client::registered(&service).await;
    let url = device.aecm_url("events");
    let none = newcomer.read(&url).await.expect(200).json();
    assert_eq!(none["events"], json!([]));
    newcomer.post(&url, &json!({})).await.refused(400, "malformed");
    let revoke = json!({ "certificate": encode(device.signing.certificate.as_der()), "reason": 1 });
    let url = device.client.url("revokeCert");
    device.client.post(&url, &revoke).await.expect(200);
    assert_eq!(holder.events().await.last().unwrap(), &("revoked".to_owned(), "other".to_owned()));
}
