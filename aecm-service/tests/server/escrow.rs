//! Keys that the service keeps: stored with consent, given out after a fresh proof, announced.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aecm_acme::jws::{decode, encode};
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, OsRng, SystemClock};
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::path::{Anchors, PathPurpose};
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::tlv::write;
use aecm_service::{AcmeOptions, EscrowOptions, Service, ServiceOptions};
use aecm_smime::cms::SignedData;
use aecm_smime::decrypt::{Recipient, decrypt};
use aecm_smime::verify::{Policy, Verdict, Verifier};
use serde_json::{Value, json};

use crate::client::{Client, Reply, field, key, open, start, start_with};
use crate::relay::{Device, cms, package, seal};
use crate::state::World;
use crate::transfer::Dial;

fn with_escrow(spec: KeySpec) -> AcmeOptions {
    let mut options = AcmeOptions::default();
    let mut escrow = EscrowOptions::default();
    escrow.key = spec;
    options.escrow = Some(escrow);
    options
}

struct Offer {
    url: String,
    certificate: Certificate,
    terms: String,
}

fn offer(client: &Client) -> Offer {
    let escrow = &client.directory["meta"]["aecm"]["escrow"];
    let word = |name: &str| escrow[name].as_str().unwrap().to_owned();
    let certificate = Certificate::from_der(&decode(&word("certificate")).unwrap()).unwrap();
    Offer { url: word("url"), certificate, terms: word("terms") }
}

impl Device {
    fn consent(&self) -> Value {
        let terms = offer(&self.client).terms;
        json!({ "terms": terms, "sha256": null, "agreedAt": SystemClock.now().to_string() })
    }

    async fn packed(&self, keys: &[(&SoftwareKey, &[Certificate])]) -> Vec<u8> {
        let to = offer(&self.client).certificate;
        let sealed = seal(&package(keys), to.public_key().unwrap());
        cms(&sealed, oid::AUTH_ENVELOPED_DATA, &self.signing, None).await
    }

    async fn store_cms(&mut self, cms: &[u8], consent: Value) -> Reply {
        let url = offer(&self.client).url;
        let identifier = json!({ "type": "email", "value": self.mailbox.as_str() });
        let payload = json!({ "identifier": identifier, "package": encode(cms), "consent": consent });
        self.client.post(&url, &payload).await
    }

    async fn store(&mut self, keys: &[(&SoftwareKey, &[Certificate])]) -> Reply {
        let cms = self.packed(keys).await;
        let consent = self.consent();
        self.store_cms(&cms, consent).await
    }

    async fn recover(&mut self) -> (Vec<u8>, Reply) {
        let mut text = self.text();
        text["source"] = json!("escrow");
        let request = self.signed(&text).await;
        let reply = self.ask_cms(&request).await;
        (request, reply)
    }
}

#[track_caller]
fn nothing(reply: &Reply) {
    assert_eq!(
        (reply.status(), reply.json()["type"].clone()),
        (404, json!("urn:aecm:error:nothingEscrowed"))
    );
}

/// What the device finds in the answer: the package, read by the reader of CMS that has nothing of the service.
async fn opened(service: &Service, device: &Device, request: &[u8], response: &[u8]) -> Vec<u8> {
    let roots = service.anchors().smime.clone();
    let anchors = Anchors::new(vec![roots.classic, roots.sm2]);
    let policy = Policy::modern();
    let report = Verifier::new(&anchors, &policy)
        .at(SystemClock.now())
        .purpose(PathPurpose::Any)
        .content_type(oid::AUTH_ENVELOPED_DATA)
        .verify(response, None)
        .unwrap();
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
    let signer = report.signers[0].certificate.clone().unwrap();
    let escrow = offer(&device.client).certificate;
    assert_eq!(
        (signer.issuer_der(), signer.subject_der()),
        (escrow.issuer_der(), escrow.subject_der()),
        "the twin of the escrow's certificate"
    );
    assert_eq!(signer.policy_oids(), [oid::AECM_ESCROW_POLICY]);
    assert!(!signer.has_san_mailbox());
    assert!(
        signer.key_usage().unwrap().digital_signature() && escrow.key_usage().unwrap().key_encipherment()
    );
    let limits = Limits::default();
    let parsed = SignedData::parse(response, &limits).unwrap();
    let bound = parsed.signers()[0].attribute(&oid::AECM_TRANSFER).unwrap().single().unwrap().to_vec();
    assert_eq!(bound, write::octet_string(&DigestAlgorithm::Sha256.digest(request)));
    let whole = write::sequence(&[
        &write::oid(&oid::AUTH_ENVELOPED_DATA),
        &write::explicit(0, &report.content.unwrap()),
    ]);
    // The reader looks keys up by certificate; the transport key has none, so it gets one of its name.
    let certificate = stand_in(device).await;
    let key = Arc::new(device.transport.clone().into_decryptor(Arc::new(OsRng)));
    let content = decrypt(&whole, &[Recipient { certificate, key }], &limits).await.unwrap();
    assert_eq!(content.content_type, oid::ASYMMETRIC_KEY_PACKAGE);
    match content.content {
        aecm_smime::decrypt::Content::Authenticated(octets) => octets.to_vec(),
        other @ aecm_smime::decrypt::Content::Unauthenticated(_) => panic!("{}", other.is_authenticated()),
    }
}

/// A certificate for the transport key whose subject key identifier is the key's.
async fn stand_in(device: &Device) -> Certificate {
    let rng: Arc<dyn aecm_core::embed::Rng> = Arc::new(OsRng);
    let now = SystemClock.now();
    let authority = aecm_service::ca::Authority::root("Stand-in", KeySpec::Sm2, &rng, now).await.unwrap();
    let template = aecm_service::ca::Template::mailbox(
        &device.mailbox,
        aecm_core::suite::Suite::Sm2,
        aecm_core::suite::Purpose::Encrypt,
        device.transport.public_key(),
    );
    authority.issue(&template, device.transport.public_key(), &OsRng, now).await.unwrap()
}

#[tokio::test]
async fn keys_come_back_from_the_escrow() {
    for spec in [KeySpec::Sm2, KeySpec::Rsa(3072)] {
        let mut world = World::new(move |options| options.acme = with_escrow(spec)).await;
        let alice = open(world.service(), "alice@example.test");
        let mut first = Device::new(world.service(), &alice).await;
        let (sm2, classic) = (key(KeySpec::Sm2), key(KeySpec::P256));
        let (sm2_chain, classic_chain) = (first.encrypting(&sm2).await, first.encrypting(&classic).await);
        let keys: [(&SoftwareKey, &[Certificate]); 2] =
            [(&sm2, &sm2_chain[..1]), (&classic, &classic_chain[..1])];
        first.store(&keys).await.expect(204);
        assert_eq!(first.events().await, [("escrow-stored".to_owned(), "this".to_owned())]);
        // Never clear in the folder, and not as it came, either.
        for entry in std::fs::read_dir(&world.scratch.0).unwrap() {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            for secret in [&sm2, &classic] {
                let octets = secret.to_pkcs8_der();
                let at = octets.windows(2).position(|pair| pair == [0x04, 0x20]).unwrap() + 2;
                let scalar = &octets[at..at + 32];
                assert!(!content.windows(32).any(|window| window == scalar));
                // In base64url at each place it may begin at.
                for shift in 0..3 {
                    let text = encode(&scalar[shift..shift + 27]);
                    assert!(!content.windows(text.len()).any(|window| window == text.as_bytes()));
                }
            }
        }

        first.client = world.again(&first.client).await;
        open(world.service(), "alice@example.test");
        let mut second = Device::new(world.service(), &alice).await;
        let (request, reply) = second.recover().await;
        let object = reply.expect(201).json();
        assert_eq!(object["status"], "answered");
        let response = decode(object["response"].as_str().unwrap()).unwrap();
        let found = opened(world.service(), &second, &request, &response).await;
        assert_eq!(found, package(&keys), "the whole history, as it was stored");
        let url = object["url"].as_str().unwrap().to_owned();
        second.client.post(&url, &json!({ "status": "done" })).await.expect(200);
        second.encrypting(&sm2).await;
        let kinds: Vec<String> = second.events().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["escrow-stored", "device-added", "escrow-recovered", "transfer-done"]);
        let mails = second.client.mails(&alice).await;
        let told = mails.iter().any(|mail| {
            field(&mail.raw, "Auto-Submitted").unwrap() == "auto-generated"
                && String::from_utf8_lossy(&mail.raw).contains("recovered from safe keeping")
        });
        assert!(told, "a recovery is told to the mailbox");
        // Only the suites asked for.
        let mut third = Device::new(world.service(), &alice).await;
        let mut text = third.text();
        (text["source"], text["suites"]) = (json!("escrow"), json!(["classic"]));
        let request = third.signed(&text).await;
        let object = third.ask_cms(&request).await.expect(201).json();
        let response = decode(object["response"].as_str().unwrap()).unwrap();
        let found = opened(world.service(), &third, &request, &response).await;
        assert_eq!(found, package(&keys[1..]));
        // Withdrawn.
        let offer = offer(&second.client);
        let delete =
            json!({ "identifier": { "type": "email", "value": "alice@example.test" }, "delete": true });
        let sealed = {
            let journal = std::fs::read_to_string(world.scratch.0.join("journal-0")).unwrap();
            let at = journal.find("\"package\":\"").unwrap() + 11;
            journal[at..].split('"').next().unwrap().to_owned()
        };
        second.client.post(&offer.url, &delete).await.expect(204);
        for entry in std::fs::read_dir(&world.scratch.0).unwrap() {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !content.windows(64).any(|window| window == &sealed.as_bytes()[..64]),
                "in the folder still"
            );
        }
        let (kind, account) = second.events().await.pop().unwrap();
        assert_eq!((kind.as_str(), account.as_str()), ("escrow-withdrawn", "this"));
        let mails = second.client.mails(&alice).await;
        assert!(mails.iter().any(|mail| String::from_utf8_lossy(&mail.raw).contains("forgotten there")));
        second.client = world.again(&second.client).await;
        nothing(&second.client.post(&offer.url, &delete).await);
        open(world.service(), "alice@example.test");
        let (_, reply) = Device::new(world.service(), &alice).await.recover().await;
        nothing(&reply);
    }
}

#[tokio::test]
async fn a_service_without_escrow_has_none() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    assert!(device.client.directory["meta"]["aecm"]["escrow"].is_null());
    let base = device.client.url("newOrder").replace("new-order", "");
    device.client.post(&format!("{base}escrow"), &json!({})).await.refused(404, "malformed");
    device.client.get(&format!("{base}escrow-terms")).await.refused(404, "malformed");
    let (_, reply) = device.recover().await;
    nothing(&reply);
}

// A30: never without consent to these terms.
#[tokio::test]
async fn nothing_is_kept_without_consent() {
    let service = start(with_escrow(KeySpec::Sm2)).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    let packed = device.packed(&[(&shared, &chain[..1])]).await;
    let good = device.consent();
    let terms = device.client.get(good["terms"].as_str().unwrap()).await.expect(200);
    let digest: String =
        DigestAlgorithm::Sha256.digest(&terms.0.body).iter().map(|octet| format!("{octet:02x}")).collect();
    for (member, value) in [
        ("terms", json!("https://elsewhere.test/terms")),
        ("terms", Value::Null),
        ("sha256", json!("00")),
        ("sha256", json!(7)),
        ("sha256", json!(digest.to_uppercase())),
    ] {
        let mut consent = good.clone();
        consent[member] = value;
        let refused = device.store_cms(&packed, consent).await.refused(403, "userActionRequired");
        assert_eq!(refused.json()["instance"], good["terms"], "{member}");
    }
    for consent in [Value::Null, json!(true), json!({})] {
        device.store_cms(&packed, consent).await.refused(403, "userActionRequired");
    }
    let future = SystemClock.now().plus(std::time::Duration::from_secs(3_600)).to_string();
    for agreed in [json!("now"), Value::Null, json!(future)] {
        let mut consent = good.clone();
        consent["agreedAt"] = agreed;
        device.store_cms(&packed, consent).await.refused(400, "malformed");
    }
    let (_, reply) = device.recover().await;
    nothing(&reply);
    let mut named = good;
    named["sha256"] = json!(digest);
    device.store_cms(&packed, named).await.expect(204);
}

#[tokio::test]
async fn packages_that_are_not_what_they_have_to_be_are_refused() {
    let service = start(with_escrow(KeySpec::Sm2)).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    let mut device = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    let mut stranger = Device::new(&service, &bob).await;
    let bobs = key(KeySpec::Sm2);
    let bobs_chain = stranger.encrypting(&bobs).await;
    let consent = device.consent();
    let to = offer(&device.client).certificate;
    let to = to.public_key().unwrap();
    let sign_it = async |content: &[u8], device: &Device| {
        cms(content, oid::AUTH_ENVELOPED_DATA, &device.signing, None).await
    };
    let good = package(&[(&shared, &chain[..1])]);

    // Keys of others, of nobody, with another's certificate, twice, none.
    let alien = key(KeySpec::Sm2);
    for (keys, expected) in [
        (package(&[(&bobs, &bobs_chain[..1])]), 403),
        (package(&[(&shared, &chain[..1]), (&bobs, &bobs_chain[..1])]), 403),
        (package(&[(&alien, &chain[..1])]), 400),
        (package(&[(&alien, &[])]), 400),
        (package(&[(&shared, &chain[..1]), (&shared, &chain[..1])]), 400),
        (package(&[]), 400),
        (b"no package".to_vec(), 400),
    ] {
        let signed = sign_it(&seal(&keys, to), &device).await;
        let refused = device.store_cms(&signed, consent.clone()).await;
        assert_eq!(refused.status(), expected, "{}", refused.text());
    }
    // To another key; changed on the way; no envelope.
    let mut broken = seal(&good, to);
    let last = broken.len() - 1;
    broken[last] ^= 1;
    for content in [seal(&good, alien.public_key()), broken, good.clone(), Vec::new()] {
        let signed = sign_it(&content, &device).await;
        let refused = device.store_cms(&signed, consent.clone()).await;
        assert_eq!(refused.problem(), (400, "malformed".to_owned()), "{}", refused.text());
    }
    // By another's signature, of another type, too large, with another identifier.
    let by_bob = sign_it(&seal(&good, to), &stranger).await;
    device.store_cms(&by_bob, consent.clone()).await.refused(403, "unauthorized");
    let typed = cms(&seal(&good, to), oid::DATA, &device.signing, None).await;
    assert!(matches!(device.store_cms(&typed, consent.clone()).await.status(), 400 | 403));
    device.store_cms(&vec![0x30; 256 * 1024 + 1], consent.clone()).await.refused(413, "malformed");
    let right = sign_it(&seal(&good, to), &device).await;
    let url = offer(&device.client).url;
    for (identifier, status, kind) in [
        (json!({ "type": "email", "value": "bob@example.test" }), 403, "unauthorized"),
        (json!({ "type": "dns", "value": "example.test" }), 400, "unsupportedIdentifier"),
        (json!({ "type": "email", "value": "alice" }), 400, "rejectedIdentifier"),
        (Value::Null, 400, "unsupportedIdentifier"),
    ] {
        let payload = json!({ "identifier": identifier, "package": encode(&right), "consent": consent });
        device.client.post(&url, &payload).await.refused(status, kind);
    }
    let identifier = json!({ "type": "email", "value": "alice@example.test" });
    for payload in [
        json!({ "identifier": identifier }),
        json!({ "identifier": identifier, "delete": "yes" }),
        json!({ "identifier": identifier, "delete": true, "package": encode(&right) }),
    ] {
        device.client.post(&url, &payload).await.refused(400, "malformed");
    }
    let delete = json!({ "identifier": identifier, "delete": true });
    stranger.client.post(&url, &delete).await.refused(403, "unauthorized");
    device.store_cms(&right, consent).await.expect(204);
}

// The proof of the mailbox has to be fresh: an account taken over later gets no keys.
#[tokio::test]
async fn recovery_wants_a_fresh_proof() {
    let dial = Arc::new(Dial::default());
    let clock = dial.clone();
    let service = start_with(move |options: &mut ServiceOptions| {
        options.clock = clock;
        options.acme = with_escrow(KeySpec::Sm2);
    })
    .await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    device.store(&[(&shared, &chain[..1])]).await.expect(204);
    let ask = async |device: &mut Device, dial: &Dial| {
        let mut text = device.text();
        (text["source"], text["created"]) = (json!("escrow"), json!(dial.now().to_string()));
        device.ask_with(&text).await
    };
    dial.0.store(3_500, Ordering::SeqCst);
    ask(&mut device, &dial).await.expect(201);
    dial.0.store(3_700, Ordering::SeqCst);
    let refused = ask(&mut device, &dial).await.refused(403, "userActionRequired");
    assert!(refused.text().contains("new authorization"));
    // The old one deactivated, a new one proven.
    let order = device.client.order(&alice, Some("sm2-sign-mv")).await;
    let gone = json!({ "status": "deactivated" });
    device.client.post(&order.authorization, &gone).await.expect(200);
    let order = device.client.order(&alice, Some("sm2-sign-mv")).await;
    let token = device.client.token(&alice, &order).await;
    let url = device.client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    device.client.post(&url, &json!({ "token": token })).await.expect(200);
    ask(&mut device, &dial).await.expect(201);
}

// What is in the directory is a certificate that leads to the S/MIME root and encrypts.
#[tokio::test]
async fn the_escrow_s_certificate_is_under_the_mail_root() {
    for (spec, suite) in [(KeySpec::Sm2, "sm2"), (KeySpec::Rsa(3072), "classic")] {
        let service = start(with_escrow(spec)).await;
        let client = Client::new(&service).await;
        let escrow = client.directory["meta"]["aecm"]["escrow"].clone();
        let leaf = offer(&client).certificate;
        let above = Certificate::from_der(&decode(escrow["chain"][0].as_str().unwrap()).unwrap()).unwrap();
        leaf.verify_signature_by(above.public_key().unwrap(), aecm_core::signature::Sm2Id::Default).unwrap();
        let roots = service.anchors().smime.clone();
        let root = if suite == "sm2" { roots.sm2 } else { roots.classic };
        assert_eq!(above.issuer_der(), root.subject_der());
        assert!(!leaf.has_san_mailbox());
        assert_eq!(leaf.policy_oids(), [oid::AECM_ESCROW_POLICY], "it says what it is for");
    }
}

// Killed after the withdrawal was written and before the folder was written anew: the next start does that.
#[tokio::test]
async fn a_withdrawal_cut_short_is_finished_at_the_next_start() {
    let mut world = World::new(|options| options.acme = with_escrow(KeySpec::Sm2)).await;
    let alice = open(world.service(), "alice@example.test");
    let mut device = Device::new(world.service(), &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    device.store(&[(&shared, &chain[..1])]).await.expect(204);
    drop(world.service.take());
    let path = world.scratch.0.join("journal-0");
    let journal = std::fs::read_to_string(&path).unwrap();
    let at = journal.find("\"package\":\"").unwrap() + 11;
    let sealed = journal[at..].split('"').next().unwrap().to_owned();
    // The line that the process wrote last.
    let last = journal.lines().last().unwrap().split(' ').next().unwrap();
    let row = r#"[["escrow","alice@example.test",null]]"#;
    let digest: String = DigestAlgorithm::Sha256
        .digest(format!("{last}{row}").as_bytes())
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    std::fs::write(&path, format!("{journal}{digest} {row}\n")).unwrap();
    device.client = world.again(&device.client).await;
    for entry in std::fs::read_dir(&world.scratch.0).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!content.windows(64).any(|window| window == &sealed.as_bytes()[..64]), "in the folder still");
    }
    let (_, reply) = device.recover().await;
    nothing(&reply);
}

async fn given(service: &Service, device: &mut Device) -> Vec<u8> {
    let (request, reply) = device.recover().await;
    let object = reply.expect(201).json();
    let url = object["url"].as_str().unwrap().to_owned();
    let response = decode(object["response"].as_str().unwrap()).unwrap();
    let found = opened(service, device, &request, &response).await;
    device.client.post(&url, &json!({ "status": "done" })).await.expect(200);
    found
}

// A device that knows less than is kept takes nothing away: what is kept grows.
#[tokio::test]
async fn packages_are_united() {
    let service = start(with_escrow(KeySpec::Sm2)).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let (old, new, classic) = (key(KeySpec::Sm2), key(KeySpec::Sm2), key(KeySpec::P256));
    let old_chain = device.encrypting(&old).await;
    device.store(&[(&old, &old_chain[..1])]).await.expect(204);
    let url = device.client.url("revokeCert");
    device.client.post(&url, &json!({ "certificate": encode(old_chain[0].as_der()) })).await.expect(200);
    let new_chain = device.encrypting(&new).await;
    let classic_chain = device.encrypting(&classic).await;
    // A fresh device that was never given the old key.
    device.store(&[(&classic, &classic_chain[..1]), (&new, &new_chain[..1])]).await.expect(204);
    let all: [(&SoftwareKey, &[Certificate]); 3] =
        [(&old, &old_chain[..1]), (&new, &new_chain[..1]), (&classic, &classic_chain[..1])];
    assert_eq!(given(&service, &mut device).await, package(&all), "the oldest first");
    // The same key with another certificate goes by both; the octets again change nothing.
    let renewed = device.encrypting(&new).await;
    device.store(&[(&new, &renewed[..1])]).await.expect(204);
    let both = [new_chain[0].clone(), renewed[0].clone()];
    let all: [(&SoftwareKey, &[Certificate]); 3] =
        [(&old, &old_chain[..1]), (&new, &both), (&classic, &classic_chain[..1])];
    assert_eq!(given(&service, &mut device).await, package(&all));
    device.store(&[(&new, &new_chain[..1])]).await.expect(204);
    assert_eq!(given(&service, &mut device).await, package(&all));
    // A package that is refused takes nothing away, either.
    let alien = key(KeySpec::Sm2);
    assert_eq!(device.store(&[(&alien, &new_chain[..1])]).await.status(), 400);
    assert_eq!(given(&service, &mut device).await, package(&all));
}

// What others certified, and what was certified for other things, is not kept nor given out.
#[tokio::test]
async fn only_certificates_issued_here_are_kept() {
    let service = start(with_escrow(KeySpec::Sm2)).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    let transport = core::mem::replace(&mut device.transport, shared.clone());
    let foreign = stand_in(&device).await;
    device.transport = transport;
    device.store(&[(&shared, core::slice::from_ref(&foreign))]).await.refused(403, "unauthorized");
    device.store(&[(&shared, &[foreign.clone(), chain[0].clone()])]).await.expect(204);
    let kept: [(&SoftwareKey, &[Certificate]); 1] = [(&shared, &chain[..1])];
    assert_eq!(given(&service, &mut device).await, package(&kept));
    // Nor with what is kept already.
    device.store(&[(&shared, &[chain[0].clone(), foreign])]).await.expect(204);
    assert_eq!(given(&service, &mut device).await, package(&kept));
}

// Whoever took over an account long ago does not throw the keys away.
#[tokio::test]
async fn withdrawal_wants_a_fresh_proof() {
    let dial = Arc::new(Dial::default());
    let clock = dial.clone();
    let service = start_with(move |options: &mut ServiceOptions| {
        options.clock = clock;
        options.acme = with_escrow(KeySpec::Sm2);
    })
    .await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    let shared = key(KeySpec::Sm2);
    let chain = device.encrypting(&shared).await;
    device.store(&[(&shared, &chain[..1])]).await.expect(204);
    let url = offer(&device.client).url;
    let delete = json!({ "identifier": { "type": "email", "value": "alice@example.test" }, "delete": true });
    dial.0.store(3_700, Ordering::SeqCst);
    let refused = device.client.post(&url, &delete).await.refused(403, "userActionRequired");
    assert!(refused.text().contains("new authorization"));
    dial.0.store(0, Ordering::SeqCst);
    given(&service, &mut device).await;
    device.client.post(&url, &delete).await.expect(204);
    nothing(&device.client.post(&url, &delete).await);
}
