//! RFC 8555 §7.4: the CSR and the token beside it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use aecm_acme::csr::Template;
use aecm_core::certificate::Certificate;
use aecm_core::embed::{OsRng, Rng, RngError};
use aecm_core::oid;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::Purpose;
use aecm_core::tlv::{Tag, write};
use aecm_service::AcmeOptions;
use serde_json::json;

use crate::client::{Client, csr, key, open, start, start_with};

// STANDARDS A2: the token is checked and kept before the CSR is looked at.
#[tokio::test]
async fn a_bad_csr_beside_a_good_token_leaves_the_order_ready() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let bob = "bob@example.test".parse().unwrap();
    let other = csr(&bob, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &other, Some(&token)).await.refused(400, "badCSR");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready");
    // The token has done its work: without it, and with a wrong one, the order is ready all the same.
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let done = client.finalize(&order, &good, Some(&"A".repeat(64))).await.expect(200);
    assert_eq!(done.json()["status"], "valid");
    assert_eq!(done.location(), order.url);
}

// …and a wrong token with a good CSR gives nothing.
#[tokio::test]
async fn a_good_csr_beside_a_wrong_token_issues_nothing() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &good, None).await.refused(403, "orderNotReady");
    client.finalize(&order, &good, Some(&"A".repeat(64))).await.refused(403, "incorrectResponse");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "pending");
    let found = service.certificate_directory().certificates(&alice).await.unwrap();
    assert!(found.is_empty());
}

// N11: an order is finalized once.
#[tokio::test]
async fn an_order_is_finalized_once() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &good, Some(&token)).await.expect(200);
    client.finalize(&order, &good, Some(&token)).await.refused(403, "orderNotReady");
    client.finalize(&order, &good, None).await.refused(403, "orderNotReady");
    assert_eq!(service.certificate_directory().certificates(&alice).await.unwrap().len(), 1);
}

#[tokio::test]
async fn requests_that_do_not_fit_are_bad_csrs() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let (sm2, p256) = (key(KeySpec::Sm2), key(KeySpec::P256));
    let good = csr(&alice, Purpose::Sign, &sm2).await;
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    let upper: aecm_core::mailbox::Mailbox = "ALICE@example.test".parse().unwrap();
    for (what, request) in [
        ("another mailbox", csr(&"bob@example.test".parse().unwrap(), Purpose::Sign, &sm2).await),
        ("another case of the local part", csr(&upper, Purpose::Sign, &sm2).await),
        ("a key of the other suite", csr(&alice, Purpose::Sign, &p256).await),
        ("another purpose", csr(&alice, Purpose::Encrypt, &sm2).await),
        ("a broken signature", broken),
        ("two mailboxes", two_mailboxes(&sm2).await),
        ("no mailbox", signed_request(&sm2, &write::sequence(&[]), &[]).await),
        (
            "another common name",
            signed_request(&sm2, &common_name("mallory"), &[alternative_name(&["alice@example.test"])]).await,
        ),
        ("trailing octets", [good.clone(), vec![0]].concat()),
        ("nothing", Vec::new()),
    ] {
        let refused = client.finalize(&order, &request, Some(&token)).await;
        assert_eq!(refused.problem(), (400, "badCSR".to_owned()), "{what}");
        assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready", "{what}");
    }
    for csr in [json!(7), json!("!"), json!(null)] {
        client.post(&order.finalize, &json!({ "csr": csr })).await.refused(400, "malformed");
    }
    client.post(&order.finalize, &json!({})).await.refused(400, "malformed");
    client.finalize(&order, &good, None).await.expect(200);
}

// RFC 8555 §11.1: an account key certifies nothing, whosever it is.
#[tokio::test]
async fn account_keys_are_not_certified() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let account = key(KeySpec::P256);
    let mut other = Client::registered(&service).await;
    let mut client = Client::new(&service).await;
    client.key = Arc::new(account.clone().into_signer(Arc::new(OsRng)));
    client.register().await.expect(201);
    let request = csr(&alice, Purpose::Sign, &account).await;
    for client in [&mut client, &mut other] {
        let order = client.order(&alice, Some("classic-sign-mv")).await;
        let token = client.token(&alice, &order).await;
        client.finalize(&order, &request, Some(&token)).await.refused(400, "badCSR");
    }
}

#[tokio::test]
async fn weak_rsa_keys_are_not_certified() {
    // 1,024 bits cannot be generated here: the request comes from OpenSSL.
    let weak = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa1024.csr.der")).unwrap();
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("classic-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let refused = client.finalize(&order, &weak, Some(&token)).await.refused(400, "badCSR");
    assert!(refused.text().contains("1024") || refused.text().contains("short"), "{}", refused.text());
    let strong =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa2048.csr.der")).unwrap();
    client.finalize(&order, &strong, None).await.expect(200);
}

// RFC 8823 §3.3: without a profile the asked usage decides, and has to say one thing.
#[tokio::test]
async fn without_a_profile_the_request_decides() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    for purpose in Purpose::ALL {
        let sm2 = key(KeySpec::Sm2);
        let order = client.order(&alice, None).await;
        let token = match order.body["status"].as_str() {
            Some("pending") => Some(client.token(&alice, &order).await),
            _ => None,
        };
        let request = csr(&alice, purpose, &sm2).await;
        let issued = client.finalize(&order, &request, token.as_deref()).await.expect(200).json();
        let pem = client.read(issued["certificate"].as_str().unwrap()).await.expect(200);
        let leaf = Certificate::all_from_pem(pem.text()).unwrap().remove(0);
        let timestamping = leaf.extended_key_usage().unwrap().has(&oid::TIME_STAMPING);
        assert_eq!(timestamping, purpose == Purpose::Timestamp);
        assert_eq!(leaf.key_usage().unwrap().key_encipherment(), purpose == Purpose::Encrypt);
    }
    // Dual use, and no usage at all.
    let names = alternative_name(&["alice@example.test"]);
    let dual = extension(&oid::KEY_USAGE, &write::tlv(Tag::BIT_STRING, &[5, 0b1010_0000]));
    for extensions in [vec![names.clone(), dual], vec![names]] {
        let sm2 = key(KeySpec::Sm2);
        let order = client.order(&alice, None).await;
        let request = signed_request(&sm2, &write::sequence(&[]), &extensions).await;
        client.finalize(&order, &request, None).await.refused(400, "badCSR");
    }
}

// N10, N11: issuing takes its time, and the server says how long to wait.
#[tokio::test]
async fn a_processing_order_says_when_to_come_again() {
    let mut options = AcmeOptions::default();
    options.processing = Some(Duration::from_secs(1));
    let service = start(options).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let taken = client.finalize(&order, &good, Some(&token)).await.expect(200);
    assert_eq!(taken.json()["status"], "processing");
    assert_eq!(taken.header("retry-after"), Some("1"));
    assert!(taken.json()["certificate"].is_null());
    client.finalize(&order, &good, None).await.refused(403, "orderNotReady");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let done = client.read(&order.url).await.expect(200);
    assert_eq!(done.json()["status"], "valid");
    assert_eq!(done.header("retry-after"), None);
    client.read(done.json()["certificate"].as_str().unwrap()).await.expect(200);
}

async fn two_mailboxes(key: &SoftwareKey) -> Vec<u8> {
    let names = alternative_name(&["alice@example.test", "bob@example.test"]);
    signed_request(key, &write::sequence(&[]), &[names]).await
}

/// A request with any subject and extensions.
async fn signed_request(key: &SoftwareKey, subject: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
    let attribute = write::sequence(&[
        &write::oid(&oid::EXTENSION_REQUEST),
        &write::set_of(vec![write::sequence(&parts)]),
    ]);
    let info = write::sequence(&[
        &write::small(0),
        subject,
        key.public_key().spki_der(),
        &write::tlv(Tag::context(0), &attribute),
    ]);
    let signer = key.clone().into_signer(Arc::new(OsRng));
    let algorithm = aecm_core::key::Signer::algorithm(&signer);
    let signature = aecm_core::key::Signer::sign(&signer, algorithm, &info).await.unwrap();
    write::sequence(&[&info, &algorithm.identifier_der(), &write::bit_string(&signature)])
}

fn extension(id: &oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(id), &write::octet_string(value)])
}

fn alternative_name(addresses: &[&str]) -> Vec<u8> {
    let names: Vec<Vec<u8>> =
        addresses.iter().map(|name| write::tlv(Tag::context_primitive(1), name.as_bytes())).collect();
    let parts: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    extension(&oid::SUBJECT_ALT_NAME, &write::sequence(&parts))
}

fn common_name(name: &str) -> Vec<u8> {
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(name)]);
    write::sequence(&[&write::set_of(vec![attribute])])
}

// What the template of the client writes is what the server takes; kept together so that both move at once.
#[tokio::test]
async fn a_request_with_a_common_name_is_taken() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let signer = key(KeySpec::Sm2).into_signer(Arc::new(OsRng));
    let request = Template::new(&alice, Purpose::Sign).common_name(true).sign(&signer).await.unwrap();
    client.finalize(&order, &request, Some(&token)).await.expect(200);
}

/// Randomness that halts or fails once, at the next octets asked for: those of the serial number where it is set
/// just before finalize.
#[derive(Default)]
struct Gate {
    next: AtomicU8,
    open: Mutex<bool>,
    changed: Condvar,
}

const HALT: u8 = 1;
const FAIL: u8 = 2;

impl Rng for Gate {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        match self.next.swap(0, Ordering::SeqCst) {
            // The worker's other tasks go on elsewhere meanwhile: one of them may be what opens the gate.
            HALT => tokio::task::block_in_place(|| {
                let open = self.open.lock().unwrap();
                let wait = Duration::from_secs(60);
                let (_open, late) = self.changed.wait_timeout_while(open, wait, |open| !*open).unwrap();
                assert!(!late.timed_out(), "nobody opened the gate");
            }),
            FAIL => return Err(RngError),
            _ => {}
        }
        OsRng.fill(buffer)
    }
}

// N11: who comes while the certificate is being signed finds the order taken; one is signed, not two.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_is_finalized_once_also_at_the_same_time() {
    let gate = Arc::new(Gate::default());
    let service = start_with(|options| options.rng = gate.clone()).await;
    let mut first = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = first.order(&alice, Some("sm2-sign-mv")).await;
    let token = first.token(&alice, &order).await;
    let mut second = Client::new(&service).await;
    (second.key, second.kid) = (first.key.clone(), first.kid.clone());
    second.read(&order.url).await.expect(200);
    let signing = key(KeySpec::Sm2);
    let good = csr(&alice, Purpose::Sign, &signing).await;

    gate.next.store(HALT, Ordering::SeqCst);
    let (url, wanted) = (order.clone(), good.clone());
    let running = tokio::spawn(async move { first.finalize(&url, &wanted, Some(&token)).await });
    while gate.next.load(Ordering::SeqCst) == HALT {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seen = second.read(&order.url).await.expect(200);
    assert_eq!((seen.json()["status"].as_str(), seen.header("retry-after")), (Some("processing"), Some("1")));
    let refused = second.finalize(&order, &good, None).await.refused(403, "orderNotReady");
    assert!(refused.text().contains("processing"), "{}", refused.text());
    // K8: the key is taken already while its certificate is being made.
    let other = second.order(&alice, Some("sm2-timestamp-mv")).await;
    let stamp = csr(&alice, Purpose::Timestamp, &signing).await;
    second.finalize(&other, &stamp, None).await.refused(400, "badPublicKey");

    *gate.open.lock().unwrap() = true;
    gate.changed.notify_all();
    assert_eq!(running.await.unwrap().expect(200).json()["status"], "valid");
    assert_eq!(second.read(&order.url).await.expect(200).json()["status"], "valid");
    assert_eq!(service.certificate_directory().certificates(&alice).await.unwrap().len(), 1);
}

// An error while signing is not the order's end.
#[tokio::test]
async fn an_order_that_could_not_be_signed_is_ready_again() {
    let gate = Arc::new(Gate::default());
    let service = start_with(|options| options.rng = gate.clone()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    // The nonce first: the client asks for none of its own between.
    client.nonce = Some(client.nonce().await);
    gate.next.store(FAIL, Ordering::SeqCst);
    client.finalize(&order, &good, Some(&token)).await.refused(500, "serverInternal");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready");
    client.finalize(&order, &good, None).await.expect(200);
}

// K8: one key, one purpose, one mailbox; the same again is a renewal.
#[tokio::test]
async fn k8_a_key_is_certified_for_one_purpose_and_one_mailbox() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let (alice, bob) = (open(&service, "alice@example.test"), open(&service, "bob@example.test"));
    let shared = key(KeySpec::Sm2);
    let chain = client.issue(&alice, aecm_core::suite::Suite::Sm2, Purpose::Sign, &shared).await;
    for (mailbox, purpose, profile) in [
        (&alice, Purpose::Encrypt, "sm2-encrypt-mv"),
        (&alice, Purpose::Timestamp, "sm2-timestamp-mv"),
        (&bob, Purpose::Sign, "sm2-sign-mv"),
    ] {
        let order = client.order(mailbox, Some(profile)).await;
        let pending = order.body["status"] == "pending";
        let token = if pending { Some(client.token(mailbox, &order).await) } else { None };
        let request = csr(mailbox, purpose, &shared).await;
        client.finalize(&order, &request, token.as_deref()).await.refused(400, "badPublicKey");
        let fresh = csr(mailbox, purpose, &key(KeySpec::Sm2)).await;
        client.finalize(&order, &fresh, None).await.expect(200);
    }
    client.issue(&alice, aecm_core::suite::Suite::Sm2, Purpose::Sign, &shared).await;
    // Not by another account, and not after the revocation, either.
    let url = client.url("revokeCert");
    let der = aecm_acme::jws::encode(chain[0].as_der());
    client.post(&url, &json!({ "certificate": der })).await.expect(200);
    let mut other = Client::registered(&service).await;
    let order = other.order(&bob, Some("sm2-encrypt-mv")).await;
    let token = other.token(&bob, &order).await;
    let request = csr(&bob, Purpose::Encrypt, &shared).await;
    other.finalize(&order, &request, Some(&token)).await.refused(400, "badPublicKey");
}
