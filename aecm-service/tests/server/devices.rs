//! The devices of a mailbox: who is listed, who may take what from whom, and what the mailbox is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aecm_acme::jws::{decode, encode};
use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_service::AcmeOptions;
use serde_json::{Value, json};

use crate::certificate::revoke_by_key;
use crate::client::{Client, Reply, csr, field, key, open, start, start_with};
use crate::relay::Device;
use crate::state::World;
use crate::transfer::Dial;

async fn revoke(client: &mut Client, certificate: &Certificate, reason: u64) -> Reply {
    let url = client.url("revokeCert");
    client.post(&url, &json!({ "certificate": encode(certificate.as_der()), "reason": reason })).await
}

/// How many notices with that text the mailbox got.
async fn notices(client: &Client, mailbox: &Mailbox, text: &str) -> usize {
    let mails = client.mails(mailbox).await;
    let notice = |raw: &[u8]| {
        field(raw, "Auto-Submitted").is_some_and(|value| value == "auto-generated")
            && String::from_utf8_lossy(raw).contains(text)
    };
    mails.iter().filter(|mail| notice(&mail.raw)).count()
}

async fn order_as(client: &mut Client, mailbox: &Mailbox, aecm: Value) -> Reply {
    let url = client.url("newOrder");
    let identifiers = json!([{ "type": "email", "value": mailbox.as_str() }]);
    client.post(&url, &json!({ "identifiers": identifiers, "profile": "sm2-sign-mv", "aecm": aecm })).await
}

/// Moves the service's time beyond the hour.
async fn dialled() -> (Arc<Dial>, aecm_service::Service) {
    let dial = Arc::new(Dial::default());
    let clock = dial.clone();
    let service = start_with(|options| options.clock = clock).await;
    (dial, service)
}

/// A new proof of the mailbox for an account that has one.
async fn prove_anew(client: &mut Client, mailbox: &Mailbox) {
    let order = client.order(mailbox, Some("sm2-sign-mv")).await;
    client.post(&order.authorization, &json!({ "status": "deactivated" })).await.expect(200);
    let order = client.order(mailbox, Some("sm2-sign-mv")).await;
    let token = client.token(mailbox, &order).await;
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    client.post(&url, &json!({ "token": token })).await.expect(200);
}

// A stranger who once read the mail does not end the encrypting key of its owner, nor throw out its devices.
#[tokio::test]
async fn another_s_certificate_is_revoked_with_a_fresh_proof_only() {
    let (dial, service) = dialled().await;
    let alice = open(&service, "alice@example.test");
    let mut owner = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let first = owner.encrypting(&shared).await;
    let mut other = Device::new(&service, &alice).await;
    dial.0.store(3_700, Ordering::SeqCst);
    let refused = revoke(&mut other.client, &first[0], 0).await.refused(403, "userActionRequired");
    assert!(refused.text().contains("new authorization"), "{}", refused.text());
    assert_eq!(refused.json()["instance"], other.client.url("newOrder"));
    revoke(&mut other.client, &owner.signing.certificate.clone(), 0).await.refused(403, "userActionRequired");
    // Its own signing certificate goes as before.
    revoke(&mut other.client, &other.signing.certificate.clone(), 0).await.expect(200);
    // With a fresh proof it goes, and the mailbox is told.
    prove_anew(&mut other.client, &alice).await;
    revoke(&mut other.client, &first[0], 0).await.expect(200);
    assert_eq!(notices(&other.client, &alice, "was revoked by another device").await, 1);
    // The account it was issued to needs none; one that holds the key, does.
    let again = owner.encrypting(&shared).await;
    let mut holder = Device::new(&service, &alice).await;
    // Signed by the key itself: it counts as a holder.
    let order = holder.client.order(&alice, None).await;
    let request = csr(&alice, Purpose::Encrypt, &shared).await;
    holder.client.finalize(&order, &request, None).await.expect(200);
    dial.0.store(2 * 3_700, Ordering::SeqCst);
    revoke(&mut holder.client, &again[0], 1).await.refused(403, "userActionRequired");
    prove_anew(&mut holder.client, &alice).await;
    revoke(&mut holder.client, &again[0], 0).await.expect(200);
    let last = owner.encrypting(&shared).await;
    revoke(&mut owner.client, &last[0], 0).await.expect(200);
}

// A device whose signing certificate another device revokes is removed: it proves the mailbox anew, renews and
// answers with no key of the mailbox, and no request of it waits.
#[tokio::test]
async fn a_removed_device_is_trusted_with_nothing_more() {
    let mut world = World::new(|_| {}).await;
    let alice = open(world.service(), "alice@example.test");
    let mut owner = Device::new(world.service(), &alice).await;
    let (shared, classic) = (key(KeySpec::Sm2), key(KeySpec::P256));
    let chain = owner.encrypting(&shared).await;
    owner.encrypting(&classic).await;
    let mut lost = Device::new(world.service(), &alice).await;
    // It holds one key by a transfer, and another asks for both.
    let text = lost.text();
    let request = lost.signed(&text).await;
    let url = lost.ask_cms(&request).await.expect(201).location();
    let answer = owner.answer(&[(&shared, &chain[..1])], lost.transport.public_key(), &request).await;
    owner.client.post(&url, &json!({ "response": encode(&answer) })).await.expect(200);
    lost.client.post(&url, &json!({ "status": "done" })).await.expect(200);
    let of_lost = lost.encrypting(&shared).await;
    let pending = lost.ask().await;
    let answered = lost.ask().await;
    owner.client.post(&answered, &json!({ "response": encode(&answer) })).await.expect(200);
    let mut third = Device::new(world.service(), &alice).await;
    let waits = third.ask().await;
    assert_eq!(lost.waiting().await.len(), 1);
    let authorization = lost.client.order(&alice, Some("sm2-sign-mv")).await.authorization;

    let stranger_open = open(world.service(), "bob@example.test");
    let bobs = lost.client.order(&stranger_open, Some("sm2-sign-mv")).await;
    let token = lost.client.token(&stranger_open, &bobs).await;
    let challenge = lost.client.challenge(&bobs, "email-token-00").await;
    let submit = json!({ "token": token });
    lost.client.post(challenge["url"].as_str().unwrap(), &submit).await.expect(200);

    revoke(&mut owner.client, &lost.signing.certificate.clone(), 0).await.expect(200);
    assert_eq!(notices(&owner.client, &alice, "was revoked by another device").await, 1);
    lost.client = world.again(&lost.client).await;
    owner.client = {
        let mut next = Client::new(world.service()).await;
        (next.key, next.kid) = (owner.client.key.clone(), owner.client.kid.clone());
        next
    };
    open(world.service(), "alice@example.test");
    assert_eq!(lost.client.read(&authorization).await.expect(200).json()["status"], "revoked");
    let order = lost.client.order(&alice, Some("sm2-sign-mv")).await;
    assert_eq!(order.body["status"], "pending", "the mailbox is to be proven anew");
    for url in [&pending, &answered] {
        let object = lost.client.read(url).await.expect(200).json();
        assert_eq!(object["status"], "refused");
        assert!(object.get("response").is_none());
    }
    assert!(lost.waiting().await.is_empty());
    lost.client.read(&waits).await.refused(404, "malformed");
    assert_eq!(lost.client.order_reply(&alice, Some("sm2-encrypt-mv")).await.status(), 409);
    // What it proved of another mailbox stands.
    assert_eq!(lost.client.read(&bobs.authorization).await.expect(200).json()["status"], "valid");
    // Nor does it make room for another key: the certificate in use was issued to it.
    let active = owner.client.order_reply(&alice, Some("sm2-encrypt-mv")).await.expect(201);
    assert_eq!(active.json()["status"], "ready", "the owner still holds the key");
    let replaces = aecm_identifier(&of_lost[0]);
    let url = lost.client.url("newOrder");
    let payload = json!({
        "identifiers": [{ "type": "email", "value": "alice@example.test" }],
        "profile": "sm2-encrypt-mv", "replaces": replaces,
    });
    lost.client.post(&url, &payload).await.refused(403, "unauthorized");
}

fn aecm_identifier(leaf: &Certificate) -> String {
    format!("{}.{}", encode(leaf.authority_key_identifier().unwrap()), encode(leaf.serial()))
}

// An account that proved the mailbox long ago and has no certificate is on no list: it throws nobody out, and goes
// with the next device that is.
#[tokio::test]
async fn an_account_that_nobody_sees_is_removed_with_a_device() {
    let (dial, service) = dialled().await;
    let alice = open(&service, "alice@example.test");
    let mut owner = Device::new(&service, &alice).await;
    let encrypting = owner.encrypting(&key(KeySpec::Sm2)).await;
    let mut unseen = Client::registered(&service).await;
    prove_anew(&mut unseen, &alice).await;
    let mut lost = Device::new(&service, &alice).await;
    let mut third = Device::new(&service, &alice).await;
    dial.0.store(3_700, Ordering::SeqCst);
    for certificate in [&owner.signing.certificate, &lost.signing.certificate, &encrypting[0]] {
        revoke(&mut unseen, certificate, 0).await.refused(403, "userActionRequired");
    }
    assert_eq!(unseen.order(&alice, Some("sm2-sign-mv")).await.body["status"], "ready");
    prove_anew(&mut owner.client, &alice).await;
    // An encrypting one removes no device.
    let of_third = third.client.issue(&alice, Suite::Classic, Purpose::Encrypt, &key(KeySpec::P256)).await;
    revoke(&mut owner.client, &of_third[0], 0).await.expect(200);
    assert_eq!(unseen.order(&alice, Some("sm2-sign-mv")).await.body["status"], "ready");
    revoke(&mut owner.client, &lost.signing.certificate.clone(), 0).await.expect(200);
    for (client, status) in [
        (&mut unseen, "pending"),
        (&mut lost.client, "pending"),
        (&mut third.client, "ready"),
        (&mut owner.client, "ready"),
    ] {
        assert_eq!(client.order(&alice, Some("sm2-sign-mv")).await.body["status"], status);
    }
    // The device comes back as a new one.
    assert_eq!(notices(&owner.client, &alice, "first certificate").await, 2);
    dial.0.store(3_800, Ordering::SeqCst);
    prove_anew(&mut lost.client, &alice).await;
    let back = lost.client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    assert_eq!(notices(&owner.client, &alice, "first certificate").await, 3);
    let kinds: Vec<String> = owner.events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.last().map(String::as_str), Some("device-added"), "{kinds:?}");
    let listed = devices(&mut owner.client).await;
    let added = back[0].not_before().to_string();
    assert!(listed.iter().any(|device| device["added"] == added), "{listed:?}");
    // Renewing makes no new device.
    lost.client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    assert_eq!(notices(&owner.client, &alice, "first certificate").await, 3);
}

// A device may be listed with no signing certificate: with its last certificate it is removed.
#[tokio::test]
async fn a_device_goes_with_its_last_certificate() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut owner = Device::new(&service, &alice).await;
    let mut stamper = Client::registered(&service).await;
    let first = stamper.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    let second = stamper.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    for (certificate, status) in [(&first[0], "ready"), (&second[0], "pending")] {
        revoke(&mut owner.client, certificate, 0).await.expect(200);
        assert_eq!(stamper.order(&alice, Some("sm2-timestamp-mv")).await.body["status"], status);
    }
}

// A device that was removed does not end the shared key by its own old certificate; the key itself does.
#[tokio::test]
async fn a_removed_device_does_not_revoke_the_shared_key() {
    let (dial, service) = dialled().await;
    let alice = open(&service, "alice@example.test");
    let mut owner = Device::new(&service, &alice).await;
    let shared = key(KeySpec::P256);
    let of_owner = owner.encrypting(&shared).await;
    let mut lost = Device::new(&service, &alice).await;
    let order = lost.client.order(&alice, None).await;
    let request = csr(&alice, Purpose::Encrypt, &shared).await;
    let issued = lost.client.finalize(&order, &request, None).await.expect(200).json();
    let pem = lost.client.read(issued["certificate"].as_str().unwrap()).await.expect(200);
    let of_lost = Certificate::all_from_pem(pem.text()).unwrap().remove(0);
    revoke(&mut owner.client, &lost.signing.certificate.clone(), 0).await.expect(200);
    let told = notices(&owner.client, &alice, "was revoked by another device").await;
    for reason in [0, 1] {
        revoke(&mut lost.client, &of_lost, reason).await.refused(403, "userActionRequired");
    }
    // Nor does one whose proof is over.
    dial.0.store(31 * 86_400, Ordering::SeqCst);
    let mut other = Device::new(&service, &alice).await;
    let request = csr(&alice, Purpose::Encrypt, &shared).await;
    let order = other.client.order(&alice, None).await;
    other.client.finalize(&order, &request, None).await.expect(200);
    revoke(&mut owner.client, &of_owner[0], 1).await.refused(403, "userActionRequired");
    assert_eq!(notices(&owner.client, &alice, "was revoked by another device").await, told);
    // Whoever has the key says it for all its certificates, and the mailbox hears of it.
    let url = lost.client.url("revokeCert");
    revoke_by_key(&mut lost.client, &url, &of_lost, &shared, 1).await.expect(200);
    prove_anew(&mut owner.client, &alice).await;
    revoke(&mut owner.client, &of_owner[0], 1).await.refused(400, "alreadyRevoked");
    assert_eq!(notices(&owner.client, &alice, "was revoked by another device").await, told + 1);
}

// Many certificates of one device hide neither the other devices nor the keys to encrypt to.
#[tokio::test]
async fn lists_are_bounded_by_device() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut quiet = Device::new(&service, &alice).await;
    let encrypting = quiet.encrypting(&key(KeySpec::Sm2)).await;
    let mut busy = Device::new(&service, &alice).await;
    let mut newest = Vec::new();
    for _ in 0..17 {
        newest.push(busy.client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await.remove(0));
    }
    let listed = devices(&mut quiet.client).await;
    let counts: Vec<usize> =
        listed.iter().map(|device| device["certificates"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [2, 16], "each device is there");
    assert_eq!(listed[1]["certificates"][0], encode(newest[16].as_der()));
    let url = quiet.client.directory["meta"]["aecm"]["certificates"].as_str().unwrap().to_owned();
    let public = quiet.client.get(&format!("{url}alice%40example.test")).await.expect(200).json();
    let leaves: Vec<Value> =
        public["certificates"].as_array().unwrap().iter().map(|chain| chain[0].clone()).collect();
    let mut expected = vec![encode(encrypting[0].as_der()), encode(newest[16].as_der())];
    expected.push(encode(quiet.signing.certificate.as_der()));
    expected.extend(newest[13..16].iter().rev().map(|leaf| encode(leaf.as_der())));
    assert_eq!(leaves, expected, "the newest of each device first");
}

// Its own account revoking its own signing certificate loses nothing.
#[tokio::test]
async fn revoking_the_own_signing_certificate_removes_nobody() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    device.encrypting(&key(KeySpec::Sm2)).await;
    revoke(&mut device.client, &device.signing.certificate.clone(), 1).await.expect(200);
    assert_eq!(device.client.order(&alice, Some("sm2-encrypt-mv")).await.body["status"], "ready");
    assert_eq!(notices(&device.client, &alice, "revoked").await, 0);
}

// Another key is another key, whether the one before it was in use, revoked or over.
#[tokio::test]
async fn another_key_is_always_announced() {
    for over in [false, true] {
        let (dial, service) = dialled().await;
        let alice = open(&service, "alice@example.test");
        let mut first = Device::new(&service, &alice).await;
        let shared = key(KeySpec::Sm2);
        let chain = first.encrypting(&shared).await;
        first.encrypting(&shared).await;
        assert_eq!(notices(&first.client, &alice, "new encryption key").await, 0, "the same key again");
        if over {
            dial.0.store(366 * 86_400, Ordering::SeqCst);
        } else {
            revoke(&mut first.client, &chain[0], 1).await.expect(200);
        }
        let mut second = Device::new(&service, &alice).await;
        second.encrypting(&key(KeySpec::Sm2)).await;
        assert_eq!(notices(&second.client, &alice, "new encryption key").await, 1, "over: {over}");
        let kinds: Vec<String> = second.events().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds.iter().filter(|kind| *kind == "rekeyed").count(), 1, "{kinds:?}");
        // The other suite's first key is nobody's successor.
        second.encrypting(&key(KeySpec::P256)).await;
        assert_eq!(notices(&second.client, &alice, "new encryption key").await, 1);
    }
}

// RFC 5280 §5.3.1: a key that others have is certified for nothing and nobody any more.
#[tokio::test]
async fn a_compromised_key_is_never_certified_again() {
    let mut world = World::new(|_| {}).await;
    let alice = open(world.service(), "alice@example.test");
    let mut client = Client::registered(world.service()).await;
    for (spec, suite) in [(KeySpec::Sm2, Suite::Sm2), (KeySpec::P256, Suite::Classic)] {
        for purpose in Purpose::ALL {
            let compromised = key(spec);
            let older = client.issue(&alice, suite, purpose, &compromised).await;
            let chain = client.issue(&alice, suite, purpose, &compromised).await;
            revoke(&mut client, &chain[0], 1).await.expect(200);
            // All certificates of the key go with it.
            revoke(&mut client, &older[0], 0).await.refused(400, "alreadyRevoked");
            let profile = format!("{}-{}-mv", suite.word(), purpose.word());
            let order = client.order(&alice, Some(&profile)).await;
            let request = csr(&alice, purpose, &compromised).await;
            let refused = client.finalize(&order, &request, None).await.refused(400, "badPublicKey");
            assert!(refused.text().contains("keyCompromise"), "{}", refused.text());
            // The order is not lost with it.
            let request = csr(&alice, purpose, &key(spec)).await;
            client.finalize(&order, &request, None).await.expect(200);
        }
    }
    // Over a restart, and for another account; other reasons leave the key alone.
    let (compromised, superseded) = (key(KeySpec::Sm2), key(KeySpec::Sm2));
    for (key, reason) in [(&compromised, 1), (&superseded, 4)] {
        let chain = client.issue(&alice, Suite::Sm2, Purpose::Sign, key).await;
        revoke(&mut client, &chain[0], reason).await.expect(200);
    }
    drop(world.again(&client).await);
    open(world.service(), "alice@example.test");
    let mut other = Client::registered(world.service()).await;
    let order = other.order(&alice, Some("sm2-sign-mv")).await;
    let token = other.token(&alice, &order).await;
    let request = csr(&alice, Purpose::Sign, &compromised).await;
    other.finalize(&order, &request, Some(&token)).await.refused(400, "badPublicKey");
    let request = csr(&alice, Purpose::Sign, &superseded).await;
    other.finalize(&order, &request, None).await.expect(200);
}

async fn devices(client: &mut Client) -> Vec<Value> {
    let url = client.directory["meta"]["aecm"]["devices"].as_str().unwrap().to_owned();
    client.read(&url).await.expect(200).json()["devices"].as_array().unwrap().clone()
}

#[tokio::test]
async fn devices_are_listed_with_their_names_and_certificates() {
    let mut world = World::new(|_| {}).await;
    let (alice, bob) =
        (open(world.service(), "alice@example.test"), open(world.service(), "bob@example.test"));
    let mut first = Client::registered(world.service()).await;
    assert_eq!(devices(&mut first).await, Vec::<Value>::new());
    let reply = order_as(&mut first, &alice, json!({ "device": "Laptop 1", "other": [] })).await.expect(201);
    let order = crate::client::Order {
        url: reply.location(),
        finalize: reply.json()["finalize"].as_str().unwrap().to_owned(),
        authorization: reply.json()["authorizations"][0].as_str().unwrap().to_owned(),
        body: reply.json(),
    };
    let token = first.token(&alice, &order).await;
    let request = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let issued = first.finalize(&order, &request, Some(&token)).await.expect(200).json();
    let pem = first.read(issued["certificate"].as_str().unwrap()).await.expect(200);
    let leaf = Certificate::all_from_pem(pem.text()).unwrap().remove(0);
    // Orders that name no device are the same one's.
    let encrypting = first.issue(&alice, Suite::Sm2, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    let stamping = first.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    // Another mailbox's devices are nobody's business.
    Client::registered(world.service())
        .await
        .issue(&bob, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2))
        .await;

    let mut second = Device::new(world.service(), &alice).await;
    let listed = devices(&mut second.client).await;
    assert_eq!(listed.len(), 2);
    let (own, other) = (&listed[0], &listed[1]);
    assert_eq!((&own["account"], &own["device"]), (&json!("this"), &Value::Null));
    assert_eq!((&other["account"], &other["device"]), (&json!("other"), &json!("Laptop 1")));
    assert_eq!(other["mailbox"], "alice@example.test");
    assert_eq!(
        other["certificates"],
        json!([encode(stamping[0].as_der()), encode(encrypting[0].as_der()), encode(leaf.as_der())]),
        "all purposes, the newest first"
    );
    assert_eq!(other["added"], leaf.not_before().to_string());
    let id = other["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_hexdigit()), "{id}");
    assert!(!first.kid.contains(id) && own["id"] != other["id"]);
    // The event and the notice name it, too.
    let mut third = Client::registered(world.service()).await;
    let reply = order_as(&mut third, &alice, json!({ "device": "Phone <2>" })).await.expect(201);
    let authorization = reply.json()["authorizations"][0].as_str().unwrap().to_owned();
    let order = crate::client::Order {
        url: reply.location(),
        finalize: reply.json()["finalize"].as_str().unwrap().to_owned(),
        authorization,
        body: reply.json(),
    };
    let token = third.token(&alice, &order).await;
    let request = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    third.finalize(&order, &request, Some(&token)).await.expect(200);
    let url = first.directory["meta"]["aecm"]["events"].as_str().unwrap().to_owned();
    let events = first.read(&url).await.expect(200).json()["events"].clone();
    let named: Vec<_> = events.as_array().unwrap().iter().map(|event| event["device"].clone()).collect();
    assert_eq!(named, [Value::Null, json!("Phone <2>")]);
    assert_eq!(notices(&third, &alice, "It calls itself: Phone <2>").await, 1);

    // The same after a restart; what is revoked is listed no more.
    let third_again = world.again(&third).await;
    let mut first = {
        let mut next = Client::new(world.service()).await;
        (next.key, next.kid) = (first.key.clone(), first.kid.clone());
        next
    };
    let listed = devices(&mut first).await;
    let at = |name: Value| listed.iter().position(|device| device["device"] == name).unwrap();
    assert_eq!((listed.len(), at(json!("Laptop 1"))), (3, 0), "its own first");
    assert_eq!(listed[0]["id"], id);
    let phone = &listed[at(json!("Phone <2>"))];
    let leaf = Certificate::from_der(&decode(phone["certificates"][0].as_str().unwrap()).unwrap()).unwrap();
    revoke(&mut first, &leaf, 0).await.expect(200);
    assert_eq!(devices(&mut first).await.len(), 2);
    let mut third = third_again;
    third.nonce = None;
    assert!(devices(&mut third).await.is_empty(), "who has nothing sees nothing");
    let url = third.directory["meta"]["aecm"]["devices"].as_str().unwrap().to_owned();
    third.post(&url, &json!({})).await.refused(400, "malformed");
}

#[tokio::test]
async fn names_of_devices_are_short_and_printable() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    for aecm in [
        json!({ "device": "" }),
        json!({ "device": "x".repeat(65) }),
        json!({ "device": "a\nb" }),
        json!({ "device": "Büro" }),
        json!({ "device": 7 }),
        json!({ "device": null }),
        json!("laptop"),
        json!([]),
        Value::Null,
    ] {
        order_as(&mut client, &alice, aecm).await.refused(400, "malformed");
    }
    for aecm in [json!({}), json!({ "device": "x".repeat(64) }), json!({ "device": "a" })] {
        order_as(&mut client, &alice, aecm).await.expect(201);
    }
}
