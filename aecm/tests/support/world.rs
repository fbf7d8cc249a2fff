//! A service, clients of it, a clock that can be moved, and everything that watches or cuts what they do.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aecm::acme::email::DkimAuthenticator;
use aecm::acme::hyper::HyperHttp;
use aecm::core::certificate::Certificate;
use aecm::core::embed::{
    Clock, Http, HttpError, HttpRequest, HttpResponse, Method, OsRng, Sleep, SystemClock,
};
use aecm::core::software::KeySpec;
use aecm::core::suite::Suite;
use aecm::core::time::Time;
use aecm::store::{KeyStore, MemoryStore};
use aecm::timestamp::{HttpSource, TimestampPolicy};
use aecm::{Aecm, AecmBuilder, ClassicKeys, Consent, Mailbox, Plan, Trust};
use aecm_service::ca::Anchors;
use aecm_service::{Service, ServiceOptions};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// All tests share one runtime: the shared world's connections live on it.
pub fn run<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// The system's time and what was added to it. Sleeping is quick and moves it.
#[derive(Default)]
pub struct Dial(AtomicI64);

impl Dial {
    pub fn forward(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_secs()).unwrap(), Ordering::SeqCst);
    }

    pub fn backward(&self, duration: Duration) {
        self.0.fetch_sub(i64::try_from(duration.as_secs()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Dial {
    fn now(&self) -> Time {
        Time::from_unix(SystemClock.now().unix() + self.0.load(Ordering::SeqCst))
    }
}

#[async_trait::async_trait]
impl Sleep for Dial {
    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(45) {
            // A time limit, not a pause.
            tokio::time::sleep(Duration::from_secs(30)).await;
        } else {
            tokio::time::sleep(duration / 50).await;
        }
        self.forward(duration + Duration::from_millis(999));
    }
}

/// An HTTP client that notes every exchange.
pub struct Watch {
    inner: HyperHttp,
    pub seen: Mutex<Vec<(String, u16)>>,
}

impl Watch {
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// How many answers a resource gave with that status.
    pub fn answers(&self, part: &str, status: u16) -> usize {
        self.seen.lock().unwrap().iter().filter(|(url, of)| url.contains(part) && *of == status).count()
    }

    pub fn refusals(&self) -> Vec<(String, u16)> {
        self.seen.lock().unwrap().iter().filter(|(_, status)| *status >= 400).cloned().collect()
    }
}

#[async_trait::async_trait]
impl Http for Watch {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        let answer = self.inner.send(request).await?;
        self.seen.lock().unwrap().push((url, answer.status));
        Ok(answer)
    }
}

/// Nobody answers.
pub struct Offline;

#[async_trait::async_trait]
impl Http for Offline {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError::Connection { url: request.url, detail: "offline".to_owned() })
    }
}

/// Somebody takes the request and never answers.
pub struct Silent;

#[async_trait::async_trait]
impl Http for Silent {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        core::future::pending().await
    }
}

pub struct World {
    pub service: Service,
    pub dial: Arc<Dial>,
    pub trust: Trust,
    number: AtomicU32,
}

fn both(anchors: &Anchors) -> Vec<Certificate> {
    vec![anchors.classic.clone(), anchors.sm2.clone()]
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ServiceOptions)) -> Self {
        let dial = Arc::new(Dial::default());
        let mut options = ServiceOptions::default();
        options.classic_tsa = KeySpec::P256;
        options.clock = dial.clone();
        change(&mut options);
        let service = Service::start(options).await.unwrap();
        let roots = service.anchors();
        let trust = Trust::new(both(&roots.smime), both(&roots.tsa), both(&roots.mailbox_timestamp));
        Self { service, dial, trust, number: AtomicU32::new(0) }
    }

    pub fn http(&self) -> Arc<Watch> {
        let inner = HyperHttp::new(&self.service.tls_ca_pem()).unwrap();
        Arc::new(Watch { inner, seen: Mutex::default() })
    }

    /// An address that nobody has had, opened.
    pub fn address(&self, name: &str) -> aecm::core::mailbox::Mailbox {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        let mailbox = format!("{name}.{number}@example.test").parse().unwrap();
        self.service.post_office().open(&mailbox);
        mailbox
    }

    pub fn authority(&self, suite: Suite, http: Arc<dyn Http>) -> Arc<HttpSource> {
        let policy = Arc::new(TimestampPolicy::new(self.trust.tsa.clone()));
        Arc::new(HttpSource::new(self.service.tsa_url(suite), http, Arc::new(OsRng), policy))
    }

    /// Everything joined; what differs is set over it.
    pub fn builder(&self, http: Arc<dyn Http>, store: Arc<dyn KeyStore>) -> AecmBuilder {
        let mut builder = Aecm::builder(self.service.directory_url())
            .store(store)
            .mail(self.service.mail_source())
            .sender(self.service.mail_sender())
            .authenticator(Arc::new(DkimAuthenticator::new(self.service.txt_resolver())))
            .http(http.clone())
            .directory(self.service.certificate_directory())
            .trust(self.trust.clone())
            .consent(Consent::agreed())
            .clock(self.dial.clone())
            .sleep(self.dial.clone());
        for suite in Suite::ALL {
            builder = builder.authority(suite, self.authority(suite, http.clone()));
        }
        builder
    }

    /// Somebody with the certificates of a plan.
    pub async fn person(&self, name: &str, plan: Plan) -> Mailbox {
        let address = self.address(name);
        let aecm = self.builder(self.http(), memory()).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert!(mailbox.provision(plan).await.unwrap().is_complete());
        mailbox
    }
}

pub fn memory() -> Arc<dyn KeyStore> {
    Arc::new(MemoryStore::new(Arc::new(OsRng)))
}

/// People of one shared world whose clock nobody moves.
pub struct Family {
    pub world: World,
    pub alice: Mailbox,
    pub bob: Mailbox,
    pub carol: Mailbox,
    pub dave: Mailbox,
}

static FAMILY: LazyLock<Family> = LazyLock::new(|| {
    run(async {
        let world = World::new().await;
        let dual = || Plan::dual().classic_keys(ClassicKeys::Ecc);
        let classic = Plan::classic().classic_keys(ClassicKeys::Ecc);
        let (alice, bob, carol, dave) = tokio::join!(
            world.person("alice", dual()),
            world.person("bob", dual()),
            world.person("carol", classic),
            world.person("dave", Plan::sm2()),
        );
        Family { world, alice, bob, carol, dave }
    })
});

/// Not to be called within [`run`].
pub fn family() -> &'static Family {
    &FAMILY
}

/// Is a request one that opens an order?
pub fn opens_order(request: &HttpRequest) -> bool {
    request.method == Method::Post && request.url.ends_with("/new-order")
}

pub fn address(mailbox: &Mailbox) -> String {
    mailbox.address().to_string()
}

/// A small mail with an attachment.
pub fn letter(from: &str, to: &str) -> Vec<u8> {
    format!(
        "From: Sender <{from}>\r\nTo: {to}\r\nSubject: The contract\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n\
         Message-ID: <letter-1@example.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Dear reader,\r\nthe seal is red.\r\n--b1\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"seal.bin\"\r\n\r\n\
         AAECAwQFBgcICQ==\r\n--b1--\r\n"
    )
    .into_bytes()
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
