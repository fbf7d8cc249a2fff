//! The state folder: the service goes on after it was dropped at any step, and refuses what is damaged.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Rng, RngError, TxtResolver as _};
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_service::{Error, Service, ServiceOptions, StateError};
use serde_json::json;

use crate::client::{Client, csr, key, open};

/// A folder that goes when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("state-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A service on a port and a folder of its own, started again at will.
pub struct World {
    pub scratch: Scratch,
    port: u16,
    pub service: Option<Service>,
    change: Box<dyn Fn(&mut ServiceOptions)>,
}

impl World {
    pub async fn new(change: impl Fn(&mut ServiceOptions) + 'static) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut world = Self { scratch: Scratch::new(), port, service: None, change: Box::new(change) };
        world.restart().await;
        world
    }

    pub fn options(&self) -> ServiceOptions {
        let mut options = ServiceOptions::default();
        options.classic_tsa = KeySpec::P256;
        options.listen.set_port(self.port);
        options.state = Some(self.scratch.0.clone());
        (self.change)(&mut options);
        options
    }

    /// Drops the service as it stands and starts from the folder.
    pub async fn restart(&mut self) {
        drop(self.service.take());
        for _ in 0..100 {
            match Service::start(self.options()).await {
                Ok(service) => return self.service = Some(service),
                // The old one's listener is closed by a task of its own.
                Err(Error::Listen { .. }) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the port did not become free");
    }

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// The same account at the service that was started again.
    pub async fn again(&mut self, client: &Client) -> Client {
        self.restart().await;
        let mut next = Client::new(self.service()).await;
        (next.key, next.kid) = (client.key.clone(), client.kid.clone());
        next
    }
}

#[tokio::test]
async fn a_flow_survives_a_restart_after_each_step() {
    let mut world = World::new(|_| {}).await;
    let before = world.service().ready();
    let mut client = Client::registered(world.service()).await;
    client = world.again(&client).await;
    assert_eq!(client.register().await.expect(200).location(), client.kid, "the account is known");
    assert_eq!(world.service().ready(), before, "the same roots, URLs, TLS identity and DKIM key");

    let alice = open(world.service(), "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    let token = client.token(&alice, &order).await;
    client = world.again(&client).await;
    assert_eq!(client.read(&order.url).await.expect(200).json(), order.body);
    // Wrong tokens are counted over restarts (STANDARDS A2).
    let url = client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        let wrong = json!({ "token": "A".repeat(64) });
        client.post(&url, &wrong).await.refused(403, "incorrectResponse");
        client = world.again(&client).await;
    }
    client.post(&url, &json!({ "token": token })).await.expect(200);
    client = world.again(&client).await;
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready");
    let signing = key(KeySpec::Sm2);
    let request = csr(&alice, Purpose::Sign, &signing).await;
    let issued = client.finalize(&order, &request, None).await.expect(200).json();
    client = world.again(&client).await;
    assert_eq!(client.read(&order.url).await.expect(200).json(), issued);
    let chain = client.read(issued["certificate"].as_str().unwrap()).await.expect(200);
    let chain = Certificate::all_from_pem(chain.text()).unwrap();
    let root = world.service().anchors().smime.sm2.clone();
    chain[1].verify_signature_by(root.public_key().unwrap(), aecm_core::signature::Sm2Id::Default).unwrap();
    // The proof of the mailbox lasts: no second mail.
    let next = client.order(&alice, Some("sm2-encrypt-mv")).await;
    assert_eq!(next.body["status"], "ready");
    client = world.again(&client).await;
    let encrypting = csr(&alice, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    client.finalize(&next, &encrypting, None).await.expect(200);
    // K8, and the shared encrypting key.
    client = world.again(&client).await;
    let stamp = client.order(&alice, Some("sm2-timestamp-mv")).await;
    let shared = csr(&alice, Purpose::Timestamp, &signing).await;
    client.finalize(&stamp, &shared, None).await.refused(400, "badPublicKey");
    let mut other = Client::registered(world.service()).await;
    assert_eq!(other.order_reply(&alice, Some("sm2-encrypt-mv")).await.status(), 409);

    let revoke = json!({ "certificate": aecm_acme::jws::encode(chain[0].as_der()), "reason": 4 });
    let url = client.url("revokeCert");
    client.post(&url, &revoke).await.expect(200);
    client = world.again(&client).await;
    client.post(&url, &revoke).await.refused(400, "alreadyRevoked");
    client.post(&client.kid.clone(), &json!({ "status": "deactivated" })).await.expect(200);
    client = world.again(&client).await;
    client.read(&order.url).await.refused(401, "unauthorized");
}

// A nonce of before the restart is answered with badNonce and a fresh one (RFC 8555 §6.5).
#[tokio::test]
async fn nonces_end_with_the_process() {
    let mut world = World::new(|_| {}).await;
    let mut client = Client::registered(world.service()).await;
    let nonce = client.nonce().await;
    client = world.again(&client).await;
    client.nonce = Some(nonce);
    let account = client.kid.clone();
    let refused = client.read(&account).await;
    assert_eq!(refused.problem(), (400, "badNonce".to_owned()));
    client.read(&account).await.expect(200);
}

/// Gives the same octets at every start.
struct Same(AtomicU64);

impl Rng for Same {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        for part in buffer.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            let octets = DigestAlgorithm::Sha256.digest(&number.to_be_bytes());
            part.copy_from_slice(&octets[..part.len()]);
        }
        Ok(())
    }
}

// Even a random source that repeats itself gives no serial number, id or account twice.
#[tokio::test]
async fn serial_numbers_are_unique_over_restarts() {
    let mut world = World::new(|options| options.rng = Arc::new(Same(AtomicU64::new(0)))).await;
    let mut client = Client::registered(world.service()).await;
    let mut serials = std::collections::BTreeSet::new();
    let mut accounts = std::collections::BTreeSet::from([client.kid.clone()]);
    for round in 0..4 {
        world.restart().await;
        let mut fresh = Client::registered(world.service()).await;
        assert!(accounts.insert(fresh.kid.clone()), "round {round}");
        let mailbox = open(world.service(), &format!("a{round}@example.test"));
        for purpose in Purpose::ALL {
            let chain = fresh.issue(&mailbox, Suite::Sm2, purpose, &key(KeySpec::Sm2)).await;
            assert!(serials.insert(chain[0].serial().to_vec()), "round {round}");
        }
        client = fresh;
    }
    assert_eq!(serials.len(), 12);
    drop(client);
}

#[tokio::test]
async fn another_port_changes_the_urls_and_nothing_else() {
    let mut world = World::new(|_| {}).await;
    let client = Client::registered(world.service()).await;
    let alice = open(world.service(), "alice@example.test");
    drop(world.service.take());
    world.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.restart().await;
    let mut next = Client::new(world.service()).await;
    next.key = client.key.clone();
    let found = next.register().await.expect(200).location();
    assert_eq!(found.rsplit('/').next(), client.kid.rsplit('/').next());
    assert!(found.contains(&format!(":{}/", world.port)));
    open(world.service(), "alice@example.test");
    let order = next.order(&alice, None).await;
    assert!(order.url.contains(&format!(":{}/", world.port)));
}

// With a base URL nothing that a client or a certificate names changes with the port.
#[tokio::test]
async fn a_base_url_outlives_the_port() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("https://localhost:{port}");
    let fixed = base.clone();
    let mut world = World::new(move |options| options.base_url = Some(fixed.clone())).await;
    let listens = format!("https://127.0.0.1:{}/", world.port);
    assert_eq!(world.service().directory_url(), format!("{base}/acme/directory"));
    let ready = world.service().ready();
    assert_eq!(ready["tsa"]["sm2"], format!("{base}/tsa/sm2"));
    // At the port it listens on, every URL in an answer is that of the base.
    let mut at = ready.clone();
    at["directory"] = json!(format!("{listens}acme/directory"));
    let client = Client::remote(&at).await;
    assert!(!client.directory.to_string().contains(&listens));
    assert_eq!(client.directory["newOrder"], format!("{base}/acme/new-order"));
    // Started where the base says, the clients of before find everything.
    drop(world.service.take());
    world.port = port;
    world.restart().await;
    assert_eq!(world.service().ready()["directory"], ready["directory"]);
    let mut client = Client::registered(world.service()).await;
    let alice = open(world.service(), "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    assert!(order.url.starts_with(&base) && client.kid.starts_with(&base));
    client = world.again(&client).await;
    client.read(&order.url).await.expect(200);
    let mut options = world.options();
    options.base_url = Some("http://ca.example.test".to_owned());
    let refused = Service::start(options).await.unwrap_err();
    assert!(matches!(refused, Error::BaseUrl { .. }), "{refused}");
}

// Clients know URLs: the port of the folder is taken again, or the start fails and says what to do.
#[tokio::test]
async fn the_port_of_the_folder_is_kept() {
    let mut world = World::new(|options| options.listen.set_port(0)).await;
    let directory = world.service().directory_url();
    let client = Client::registered(world.service()).await;
    let mut client = world.again(&client).await;
    assert_eq!(world.service().directory_url(), directory);
    client.read(&client.kid.clone()).await.expect(200);
    drop(world.service.take());
    let port: u16 = directory.split(['/', ':']).nth(4).unwrap().parse().unwrap();
    let taken = loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(taken) => break taken,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    let refused = Service::start(world.options()).await.unwrap_err();
    assert!(matches!(&refused, Error::KeptPort { address, .. } if address.port() == port), "{refused}");
    assert!(refused.to_string().contains("--listen"), "{refused}");
    // Another port that is asked for is kept from then on.
    let mut options = world.options();
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    options.listen.set_port(other);
    let moved = Service::start(options).await.unwrap().directory_url();
    assert!(moved.contains(&format!(":{other}/")));
    drop(taken);
    world.restart().await;
    assert_eq!(world.service().directory_url(), moved);
    drop(world.service.take());
    std::fs::write(world.scratch.0.join("port"), "aecm-service port 1 00\n1").unwrap();
    let refused = Service::start(world.options()).await.unwrap_err();
    assert!(refused.to_string().contains("port"), "{refused}");
}

#[tokio::test]
async fn a_folder_is_for_one_service() {
    let world = World::new(|_| {}).await;
    let mut options = world.options();
    options.listen.set_port(0);
    let refused = Service::start(options).await.unwrap_err();
    assert!(matches!(refused, Error::State(StateError::Locked { .. })), "{refused}");
    assert!(refused.to_string().contains("another process"));
}

#[tokio::test]
async fn a_damaged_folder_is_an_error_that_names_the_file() {
    let mut world = World::new(|_| {}).await;
    let _client = Client::registered(world.service()).await;
    drop(world.service.take());
    for (name, old, new, later) in [
        ("identity", "\"branches\"", "\"brunches\"", false),
        ("identity", "identity 1 ", "identity 9 ", true),
        ("journal-0", "\"account\"", "\"acoount\"", false),
        ("journal-0", "journal 1 ", "journal 9 ", true),
    ] {
        let path = world.scratch.0.join(name);
        let whole = std::fs::read_to_string(&path).unwrap();
        assert!(whole.contains(old), "{name}: {old}");
        std::fs::write(&path, whole.replacen(old, new, 1)).unwrap();
        let mut options = world.options();
        options.listen.set_port(0);
        let refused = Service::start(options).await.unwrap_err();
        let at = match &refused {
            Error::State(StateError::Damaged { path, .. }) if !later => path,
            Error::State(StateError::Newer { path, version: 9, .. }) if later => path,
            other => panic!("{other}"),
        };
        assert!(at.ends_with(name) && refused.to_string().contains(name), "{refused}");
        std::fs::write(&path, whole).unwrap();
    }
    world.restart().await;
}

// K2: the owner's files, and nothing private in the journal but what the protocol needs.
#[cfg(unix)]
#[tokio::test]
async fn k3_nobody_else_reads_the_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(|_| {}).await;
    let _client = Client::registered(world.service()).await;
    for entry in std::fs::read_dir(&world.scratch.0).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

// The reply mail's address is open again after a restart.
#[tokio::test]
async fn a_reply_is_taken_after_a_restart() {
    let mut world = World::new(|_| {}).await;
    let mut client = Client::registered(world.service()).await;
    let alice = open(world.service(), "alice@example.test");
    let order = client.order(&alice, None).await;
    let challenge = client.challenge(&order, "email-reply-00").await;
    client = world.again(&client).await;
    let to = challenge["from"].as_str().unwrap().parse().unwrap();
    assert!(world.service().post_office().deliver(&to, b"Subject: x\r\n\r\n"));
    let name = "aecm._domainkey.ca.example.test";
    assert!(world.service().post_office().txt(name).await.is_ok());
    drop(client);
}
