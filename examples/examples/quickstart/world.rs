//! The service, and what its clients need to reach and to trust it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aecm::Trust;
use aecm::acme::hyper::HyperHttp;
use aecm::core::certificate::Certificate;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse, OsRng};
use aecm::core::suite::Suite;
use aecm::timestamp::{HttpSource, TimestampPolicy};
use aecm_service::ca::Anchors;
use aecm_service::{Service, ServiceOptions};

use crate::Outcome;

/// The service and the client's way to it.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) http: Arc<Counting>,
    pub(crate) trust: Trust,
    pub(crate) authorities: Vec<(Suite, Arc<HttpSource>)>,
}

/// An HTTP client that counts.
pub(crate) struct Counting {
    inner: HyperHttp,
    requests: AtomicUsize,
}

impl Counting {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl Http for Counting {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.inner.send(request).await
    }
}

fn both(anchors: &Anchors) -> Vec<Certificate> {
    vec![anchors.classic.clone(), anchors.sm2.clone()]
}

impl World {
    pub(crate) async fn start() -> Outcome<Self> {
        let service = Service::start(ServiceOptions::default()).await?;
        let inner = HyperHttp::new(&service.tls_ca_pem())?;
        let http = Arc::new(Counting { inner, requests: AtomicUsize::new(0) });
        let roots = service.anchors();
        let trust = Trust::new(both(&roots.smime), both(&roots.tsa), both(&roots.mailbox_timestamp));
        let policy = Arc::new(TimestampPolicy::new(trust.tsa.clone()));
        let authority = |suite| {
            let url = service.tsa_url(suite);
            (suite, Arc::new(HttpSource::new(url, http.clone(), Arc::new(OsRng), Arc::clone(&policy))))
        };
        let authorities = Suite::ALL.map(authority).to_vec();
        Ok(Self { service, http, trust, authorities })
    }
}
