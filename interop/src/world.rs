//! Our own service and client, with every request kept for a peer to look at.

use std::sync::{Arc, Mutex};

use aecm::{Aecm, Consent, Mailbox, Trust};
use aecm_acme::email::DkimAuthenticator;
use aecm_acme::hyper::HyperHttp;
use aecm_core::certificate::Certificate;
use aecm_core::embed::{Http, HttpError, HttpRequest, HttpResponse, Method, OsRng};
use aecm_service::ca::Anchors;
use aecm_service::{Service, ServiceOptions};
use aecm_store::MemoryStore;

/// The mailbox of the exchanges.
pub const ALICE: &str = "alice@example.test";

/// One request with its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: HttpRequest,
    /// What came back.
    pub response: HttpResponse,
}

impl Exchange {
    /// The last part of the path that is a word: `new-order`, `finalize`, …
    pub fn resource(&self) -> &str {
        let mut parts = self.request.url.rsplit('/');
        parts
            .find(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            })
            .unwrap_or("")
    }
}

/// An HTTP client that keeps what it carries.
pub struct Recorder {
    inner: HyperHttp,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Recorder {
    /// Over TLS under that CA.
    pub fn new(tls_ca_pem: &str) -> Self {
        Self { inner: HyperHttp::new(tls_ca_pem).expect("a TLS CA"), exchanges: Mutex::default() }
    }

    /// The POST requests so far.
    pub fn posts(&self) -> Vec<Exchange> {
        let all = self.exchanges.lock().expect("nobody panicked");
        all.iter().filter(|exchange| exchange.request.method == Method::Post).cloned().collect()
    }
}

#[async_trait::async_trait]
impl Http for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.inner.send(request.clone()).await?;
        self.exchanges
            .lock()
            .expect("nobody panicked")
            .push(Exchange { request, response: response.clone() });
        Ok(response)
    }
}

/// The service, and Alice's mailbox at it.
pub struct World {
    /// The service.
    pub service: Service,
    /// What Alice's client sends.
    pub http: Arc<Recorder>,
    /// Her mailbox, without certificates yet.
    pub alice: Mailbox,
}

impl World {
    /// Starts the service on a free port.
    pub async fn start() -> Self {
        let service = Service::start(ServiceOptions::default()).await.expect("the service starts");
        service.post_office().open(&ALICE.parse().expect("an address"));
        let http = Arc::new(Recorder::new(&service.tls_ca_pem()));
        let roots = service.anchors();
        let both =
            |anchors: &Anchors| -> Vec<Certificate> { vec![anchors.classic.clone(), anchors.sm2.clone()] };
        let trust = Trust::new(both(&roots.smime), both(&roots.tsa), both(&roots.mailbox_timestamp));
        let alice = Aecm::builder(service.directory_url())
            .store(Arc::new(MemoryStore::new(Arc::new(OsRng))))
            .mail(service.mail_source())
            .sender(service.mail_sender())
            .authenticator(Arc::new(DkimAuthenticator::new(service.txt_resolver())))
            .http(Arc::clone(&http) as _)
            .trust(trust)
            .consent(Consent::agreed())
            .build()
            .expect("all parts are there")
            .mailbox(ALICE)
            .expect("an address");
        Self { service, http, alice }
    }
}
