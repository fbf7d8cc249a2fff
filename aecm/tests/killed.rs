//! K6, N6, N11: a process over a vault on disk that is killed (SIGKILL) at every output of the ACME machine while it
//! obtains six certificates. A new process goes on with what is on disk and comes to the same end: six
//! certificates, one account, no key lost, none certified twice.
//!
//! Every output has two points: its state is stored and nothing is done yet; it was carried out and nothing of that
//! is stored yet. A run takes every fifth of them. All of them, in some minutes:
//!
//! ```text
//! AECM_KILL_POINTS=all cargo test -p aecm --test killed
//! ```
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aecm::acme::dkim::StaticTxt;
use aecm::acme::email::DkimAuthenticator;
use aecm::acme::hyper::HyperHttp;
use aecm::acme::mail::maildir::MaildirSource;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse, OsRng};
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::time::Time;
use aecm::store::{EntryState, KeyStore, Vault, VaultOptions};
use aecm::{Aecm, ClassicKeys, Consent, Mailbox, Plan};
use aecm_service::{MailDelivery, Service, ServiceOptions};

const PASSWORD: &[u8] = b"a password of the test";
const FOLDER: &str = "AECM_KILLED_FOLDER";
const AT: &str = "AECM_KILL_AT";
/// Every so many points where not all are asked for.
const STRIDE: usize = 5;

fn plan() -> Plan {
    Plan::dual().classic_keys(ClassicKeys::Ecc)
}

/// Kills this process at a point, so that nothing of it runs on: no destructor, no flush.
fn kill() -> ! {
    let own = std::process::id().to_string();
    let _status = Command::new("kill").args(["-KILL", &own]).status();
    // Only where there is no such command.
    std::process::abort();
}

/// Counts the points of `aecm_acme::output` and ends the process at one of them.
struct Killer {
    at: usize,
    points: Arc<AtomicUsize>,
}

impl tracing::Subscriber for Killer {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "aecm_acme::output"
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        if self.points.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            kill();
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Notes every answer in a file at once, whatever becomes of the process.
struct Noted {
    inner: HyperHttp,
    log: PathBuf,
}

#[async_trait::async_trait]
impl Http for Noted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        use std::io::Write as _;
        let url = request.url.clone();
        let answer = self.inner.send(request).await?;
        let mut log = fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        writeln!(log, "{} {url}", answer.status).unwrap();
        Ok(answer)
    }
}

/// A mailbox over what is in the folder.
async fn mailbox(folder: &Path) -> Mailbox {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let inner = HyperHttp::new(&read("tls.pem")).unwrap();
    let http: Arc<dyn Http> = Arc::new(Noted { inner, log: folder.join("log") });
    let found = aecm::discover(&read("directory"), http.clone()).await.unwrap();
    let vault = Vault::open(folder.join("vault"), PASSWORD, Arc::new(OsRng)).unwrap();
    let store: Arc<dyn KeyStore> = Arc::new(vault);
    let records = StaticTxt::from_json(read("dkim.json").as_bytes()).unwrap();
    let aecm = Aecm::builder(read("directory"))
        .store(store)
        .mail(Arc::new(MaildirSource::new(read("maildir"))))
        .authenticator(Arc::new(DkimAuthenticator::new(Arc::new(records))))
        .http(http)
        .trust(found.trust.unwrap())
        .consent(Consent::agreed())
        .build()
        .unwrap();
    aecm.mailbox(read("address").as_str()).unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What runs in the process that is killed, and in the one after it; nothing where nobody asked for it.
#[test]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let at = std::env::var(AT).unwrap().parse().unwrap();
    let points = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::set_global_default(Killer { at, points: Arc::clone(&points) }).unwrap();
    block_on(async {
        let report = mailbox(&folder).await.provision(plan()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
    });
    fs::write(folder.join("points"), points.load(Ordering::SeqCst).to_string()).unwrap();
}

/// The other process; killed at that point, or never with 0.
fn process(folder: &Path, at: usize) -> ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(AT, at.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap()
}

struct Stage {
    service: Service,
    root: PathBuf,
}

impl Stage {
    async fn new() -> Self {
        let root = std::env::temp_dir().join(format!("aecm-killed-{}", std::process::id()));
        let _old = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let mut options = ServiceOptions::default();
        options.classic_tsa = aecm::core::software::KeySpec::P256;
        options.mail = vec![MailDelivery::Memory, MailDelivery::Maildir(root.join("maildir"))];
        Self { service: Service::start(options).await.unwrap(), root }
    }

    /// What a process of a fresh mailbox finds.
    fn case(&self, number: usize) -> (PathBuf, Address) {
        let folder = self.root.join(number.to_string());
        fs::create_dir_all(&folder).unwrap();
        let address: Address = format!("killed.{number}@example.test").parse().unwrap();
        self.service.post_office().open(&address);
        let dkim = serde_json::to_string(&self.service.post_office().dkim_records()).unwrap();
        let maildir = self.root.join("maildir");
        for (name, text) in [
            ("tls.pem", self.service.tls_ca_pem()),
            ("directory", self.service.directory_url()),
            ("dkim.json", dkim),
            ("maildir", maildir.to_str().unwrap().to_owned()),
            ("address", address.to_string()),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        Vault::create(folder.join("vault"), PASSWORD, Arc::new(OsRng), VaultOptions::weak()).unwrap();
        (folder, address)
    }

    /// Asked of the vault and of the service.
    async fn check(&self, folder: &Path, address: &Address, what: &str) {
        // Every account with certificates of the mailbox, and all of these.
        let listed = mailbox(folder).await.devices().await.unwrap();
        assert_eq!(listed.len(), 1, "{what}: one account: {listed:?}");
        assert!(listed[0].this && listed[0].account.is_some(), "{what}: {listed:?}");
        assert_eq!(listed[0].certificates.len(), 4, "{what}: {listed:?}");

        let vault = Vault::open(folder.join("vault"), PASSWORD, Arc::new(OsRng)).unwrap();
        let entries = vault.entries(address).await.unwrap();
        assert_eq!(entries.len(), 6, "{what}: no key lost, none made twice: {entries:?}");
        for entry in &entries {
            assert_eq!(entry.state, EntryState::Active, "{what}: {}", entry.slot);
            assert!(entry.certificate.is_some() && entry.former.is_empty(), "{what}: {}", entry.slot);
        }
        let found = self.service.certificate_directory().certificates(address).await.unwrap();
        assert_eq!(found.len(), 6, "{what}: no order was finalized twice");
        for entry in &entries {
            let certificate = entry.certificate.as_ref();
            assert!(found.iter().any(|one| Some(&one.certificate) == certificate), "{what}: {}", entry.slot);
        }
        let mails = self.service.mail_source().mails(address, Time::from_unix(0)).await.unwrap();
        assert!(mails.len() <= 2, "{what}: {} mails", mails.len());
        let log = fs::read_to_string(folder.join("log")).unwrap();
        let accounts = log.lines().filter(|line| line.starts_with("201 ") && line.ends_with("/new-account"));
        assert!(accounts.count() <= 1, "{what}: one account: {log}");
        let refusals = log.lines().filter(|line| line.starts_with('4') || line.starts_with('5')).count();
        assert_eq!(refusals, 0, "{what}: {log}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _left = fs::remove_dir_all(&self.root);
        }
    }
}

#[test]
fn killed_at_the_outputs_of_the_machine() {
    use std::os::unix::process::ExitStatusExt as _;
    if std::env::var_os(FOLDER).is_some() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let stage = runtime.block_on(Stage::new());
    // A run that nobody ends: how many points there are.
    let (folder, address) = stage.case(0);
    assert!(process(&folder, 0).success());
    runtime.block_on(stage.check(&folder, &address, "not killed"));
    let points: usize = fs::read_to_string(folder.join("points")).unwrap().parse().unwrap();
    assert!(points >= 100, "{points} points");
    let all = std::env::var_os("AECM_KILL_POINTS").is_some_and(|which| which == "all");
    let wanted: Vec<usize> = (1..=points).step_by(if all { 1 } else { STRIDE }).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(at) = wanted.get(next.fetch_add(1, Ordering::SeqCst)).copied() {
                    let what = format!("killed at point {at} of {points}");
                    let (folder, address) = stage.case(at);
                    let ended = process(&folder, at);
                    assert!(matches!(ended.signal(), Some(9 | 6)), "{what}: {ended}");
                    assert!(process(&folder, 0).success(), "{what}: the next process goes on");
                    runtime.block_on(stage.check(&folder, &address, &what));
                    fs::remove_dir_all(folder).unwrap();
                }
            });
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}
