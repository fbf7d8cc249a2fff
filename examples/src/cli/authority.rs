//! Asking a timestamp authority over HTTP.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aecm_acme::hyper::{HyperHttp, TokioSleep};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpError, HttpRequest, HttpResponse};
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::path::Anchors;
use aecm_core::time::Time;
use aecm_smime::verify::{TimestampTrust, TokenFinding, TokenVerifier as _};
use aecm_timestamp::{
    Error, HttpSource, TimestampPolicy, TimestampSource, Unverified, Verifier, parse_response,
    verify_response,
};
use clap::Args;

use super::command::timestamp::Told;
use super::{Failure, Io, certificates, input};

/// Which authority, and whom to believe about it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Timestamp")]
pub(super) struct AuthorityArgs {
    /// Certificates to trust about time; without one the stamp is taken unseen and the result says so
    #[arg(long, value_name = "F")]
    tsa_trust: Vec<PathBuf>,
    /// Certificates of CAs to trust for the https connection
    #[arg(long, value_name = "F")]
    tls_ca: Option<PathBuf>,
}

/// An authority to ask.
pub(super) struct Authority {
    source: HttpSource,
    answer: Arc<Recorder>,
    trusted: bool,
    policy: Arc<TimestampPolicy>,
}

impl AuthorityArgs {
    /// The authority at `url`.
    pub(super) fn at(&self, url: &str, limits: &Limits, io: &mut Io) -> Result<Authority, Failure> {
        let anchors = certificates::read_all(&self.tsa_trust, limits, io)?;
        let trusted = !anchors.is_empty();
        let http = match &self.tls_ca {
            Some(path) => {
                let roots = input::read_text(path, limits, io)?;
                HyperHttp::new(&roots).map_err(|error| Failure::error("malformed", error.to_string()))?
            }
            None if url.starts_with("http://") => plain()?,
            None => {
                let why =
                    "an authority over https needs --tls-ca: the certificates of the CAs to trust for it";
                return Err(Failure::error("usage", why));
            }
        };
        let mut policy = TimestampPolicy::new(Anchors::new(anchors));
        policy.limits = limits.clone();
        let answer = Arc::new(Recorder { http, last: Mutex::default() });
        let http: Arc<dyn Http> = answer.clone();
        let policy = Arc::new(policy);
        let source = HttpSource::new(url, http, Arc::clone(&io.rng), Arc::clone(&policy))
            .with_deadline(Arc::new(TokioSleep), HttpSource::DEADLINE);
        Ok(Authority { source, answer, trusted, policy })
    }
}

impl Authority {
    /// Whether a stamp that comes is one of an authority that is trusted.
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Asks for stamps under this policy of the authority and no other.
    pub(super) fn with_tsa_policy(mut self, policy: ObjectIdentifier) -> Self {
        self.source = self.source.with_tsa_policy(policy);
        self
    }

    /// Asks for a stamp; what was asked, what was answered, and what the token in it says. Everything but trust is
    /// verified in any case; trust is, where there are anchors.
    pub(super) async fn ask(
        &self,
        digest: DigestAlgorithm,
        imprint: &[u8],
        now: Time,
    ) -> Result<(Unverified, Told), Error> {
        let asked = self.source.exchange(digest, imprint).await?;
        let verifier = Verifier::new(Arc::clone(&self.policy));
        let told = match verify_response(&asked.request, &asked.response, &self.policy, now) {
            Ok(token) => Told::of(&token),
            Err(Error::Token { word: "no-tsa-anchor", .. }) if !self.trusted => {
                Told::claimed(&verifier.claims(&asked.response)?)
            }
            Err(error) => return Err(error),
        };
        Ok((asked, told))
    }

    /// What the last stamp proves about `data`: when, who says so, on what ground.
    pub(super) fn proven(&self, data: &[u8]) -> Option<(Time, String, TimestampTrust)> {
        let answer = self.answer.last.lock().unwrap_or_else(PoisonError::into_inner);
        let token = parse_response(&answer, &self.policy.limits).ok()?.token?;
        match Verifier::new(Arc::clone(&self.policy)).verify_token(token, data) {
            TokenFinding::Proven { time, authority, trust, .. } => Some((time, authority, trust)),
            _ => None,
        }
    }
}

#[async_trait::async_trait]
impl TimestampSource for Authority {
    /// Everything but trust is verified in any case; trust is, where there are anchors.
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        match self.source.stamp(digest, imprint, now).await {
            Err(Error::Token { word: "no-tsa-anchor", .. }) if !self.trusted => {
                let answer = self.answer.last.lock().unwrap_or_else(PoisonError::into_inner);
                let token = parse_response(&answer, &self.policy.limits)?.token.map(<[u8]>::to_vec);
                token.ok_or(Error::StatusAndTokenDisagree)
            }
            other => other,
        }
    }
}

/// Keeps the last answer.
struct Recorder {
    http: HyperHttp,
    last: Mutex<Vec<u8>>,
}

#[async_trait::async_trait]
impl Http for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.http.send(request).await?;
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&response.body);
        Ok(response)
    }
}

/// A client that trusts no TLS server: for plain HTTP, where what comes back is verified by itself.
fn plain() -> Result<HyperHttp, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::error("system", format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(HyperHttp::with_config(config))
}
