//! The default HTTP client: hyper over rustls with the ring provider, on tokio (feature `hyper`).
//!
//! TLS names are always checked and there is no switch to turn that off (THREATS N13). No redirect is followed,
//! no proxy and no system trust store is read, and no process-wide default is set.

use core::time::Duration;
use std::sync::Arc;

use aecm_core::embed::{Http, HttpError, HttpRequest, HttpResponse, Method, Sleep};
use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The longest a request may take, from connecting to the last octet (THREATS N4).
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// The longest a connection may take to come about, TLS not counted.
const CONNECT_TIME: Duration = Duration::from_secs(20);
/// Header fields of an answer (N4).
const MAX_HEADERS: usize = 64;

/// Sends requests over HTTP/1.1 and TLS 1.2 or 1.3.
#[derive(Clone, Debug)]
pub struct HyperHttp {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    time: Duration,
}

/// Why a client could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HyperError {
    /// The root certificates are not PEM, or there are none.
    Roots {
        /// What is wrong.
        detail: String,
    },
    /// rustls refuses the configuration.
    Tls {
        /// What it says.
        detail: String,
    },
}

impl core::fmt::Display for HyperError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Roots { detail } => write!(f, "the TLS root certificates cannot be used: {detail}"),
            Self::Tls { detail } => write!(f, "TLS cannot be set up: {detail}"),
        }
    }
}

impl core::error::Error for HyperError {}

impl HyperHttp {
    /// A client that trusts the CA certificates in `roots_pem` and no others.
    ///
    /// # Errors
    /// [`HyperError`] when there is no usable certificate in it.
    pub fn new(roots_pem: &str) -> Result<Self, HyperError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(roots_pem.as_bytes()) {
            let certificate = certificate.map_err(|error| HyperError::Roots { detail: error.to_string() })?;
            roots.add(certificate).map_err(|error| HyperError::Roots { detail: error.to_string() })?;
        }
        if roots.is_empty() {
            return Err(HyperError::Roots { detail: "there is no certificate".to_owned() });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| HyperError::Tls { detail: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::with_config(tls))
    }

    /// A client with the embedder's own TLS configuration.
    #[must_use]
    pub fn with_config(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).http1_max_headers(MAX_HEADERS).build(connector);
        Self { client, time: REQUEST_TIME }
    }

    /// Sets the longest a request may take; 60 seconds by default.
    #[must_use]
    pub const fn request_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let HttpRequest { method, url, headers, body, max_body } = request;
        let broken = |detail: String| HttpError::Connection { url: url.clone(), detail };
        let unusable = |why| HttpError::Url { url: url.clone(), why };
        let uri: hyper::Uri = url.parse().map_err(|_| unusable("it is not a URI"))?;
        let method = match method {
            Method::Get => hyper::Method::GET,
            Method::Head => hyper::Method::HEAD,
            Method::Post => hyper::Method::POST,
        };
        let mut request = hyper::Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let agent = concat!("aecm/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(hyper::header::USER_AGENT, HeaderValue::from_static(agent));
        for (name, value) in headers {
            let name: HeaderName = name.parse().map_err(|_| unusable("a header name is malformed"))?;
            let value: HeaderValue = value.parse().map_err(|_| unusable("a header value is malformed"))?;
            request.headers_mut().append(name, value);
        }
        let response = self.client.request(request).await.map_err(|error| broken(chain(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, max_body).collect().await.map_err(|error| {
            if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                HttpError::TooLarge { url: url.clone(), limit: max_body }
            } else {
                broken(error.to_string())
            }
        })?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Ok(HttpResponse {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: body.to_bytes().to_vec(),
        })
    }
}

#[async_trait]
impl Http for HyperHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        match tokio::time::timeout(self.time, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::Timeout { url }),
        }
    }
}

/// An error and what caused it: hyper keeps the useful part below.
fn chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Sleeps on tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

#[async_trait]
impl Sleep for TokioSleep {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
