//! An authority over HTTP (RFC 3161 §3.4).

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpRequest, Method, Rng, Sleep};
use aecm_core::oid::ObjectIdentifier;
use aecm_core::time::Time;
use aecm_smime::verify::TimestampTrust;

use super::TimestampSource;
use crate::error::Error;
use crate::request::Request;
use crate::verify::{TimestampPolicy, Token, verify_response};

/// An authority that is asked over HTTP. Plain `http:` is enough: what comes back is verified before it is given
/// on, against the roots of `policy` (THREATS T9).
#[derive(Clone)]
pub struct HttpSource {
    url: String,
    http: Arc<dyn Http>,
    rng: Arc<dyn Rng>,
    policy: Arc<TimestampPolicy>,
    deadline: Option<(Arc<dyn Sleep>, Duration)>,
    tsa_policy: Option<ObjectIdentifier>,
}

/// What was asked, what was answered, and the token in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The request, with its nonce.
    pub request: Request,
    /// The answer as received: a TimeStampResp.
    pub response: Vec<u8>,
    /// The token, verified.
    pub token: Token,
}

/// What was asked and what was answered; **nothing of it is verified**.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unverified {
    /// The request, with its nonce.
    pub request: Request,
    /// What came back with status 200 as a timestamp answer.
    pub response: Vec<u8>,
}

impl HttpSource {
    /// A deadline that fits a person who waits for a mail to be sent: 10 seconds (THREATS T9).
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// The authority at `url`. Without [`HttpSource::with_deadline`] it is `http` that has to give up some time.
    #[must_use]
    pub fn new(
        url: impl Into<String>,
        http: Arc<dyn Http>,
        rng: Arc<dyn Rng>,
        policy: Arc<TimestampPolicy>,
    ) -> Self {
        Self { url: url.into(), http, rng, policy, deadline: None, tsa_policy: None }
    }

    /// Gives up after `duration`, for example [`HttpSource::DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, sleep: Arc<dyn Sleep>, duration: Duration) -> Self {
        self.deadline = Some((sleep, duration));
        self
    }

    /// Asks for stamps under this policy of the authority and no other.
    #[must_use]
    pub const fn with_tsa_policy(mut self, policy: ObjectIdentifier) -> Self {
        self.tsa_policy = Some(policy);
        self
    }

    /// The authority's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks for a stamp on `imprint`, a value of `digest`, and gives the whole exchange: the request with its nonce,
    /// the answer as received (a TimeStampResp, which other programs verify together with the request), and the
    /// token in it, which was verified. `now` is the present time.
    ///
    /// # Errors
    /// [`Error`] when no stamp was to be had, a mailbox's own one included.
    ///
    /// # Cancel safety
    /// Dropping the future loses a stamp that the authority may have made; ask again.
    pub async fn ask(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Exchange, Error> {
        let exchange = self.exchange(digest, imprint).await?;
        let token = verify_response(&exchange.request, &exchange.response, &self.policy, now)?;
        if token.trust == TimestampTrust::SelfAsserted {
            return Err(Error::Token {
                word: "timestamp-self-asserted",
                detail: format!("{} answered with a mailbox's own timestamp, which proves nothing", self.url),
            });
        }
        let Unverified { request, response } = exchange;
        Ok(Exchange { request, response, token })
    }

    /// As [`HttpSource::ask`], without looking at the answer: for whoever keeps it and verifies it elsewhere, such as
    /// with [`Verifier::claims`](crate::Verifier::claims) and [`verify_response`].
    ///
    /// # Errors
    /// [`Error`] when there was no answer, or none of the type, size and status that one has.
    ///
    /// # Cancel safety
    /// As [`HttpSource::ask`].
    pub async fn exchange(&self, digest: DigestAlgorithm, imprint: &[u8]) -> Result<Unverified, Error> {
        let mut nonce = [0; 8];
        self.rng.fill(&mut nonce)?;
        let mut request = Request::new(digest, imprint, nonce)?;
        if let Some(policy) = self.tsa_policy {
            request = request.with_policy(policy);
        }
        let response = self.post(request.to_der()).await?;
        Ok(Unverified { request, response })
    }

    async fn post(&self, body: Vec<u8>) -> Result<Vec<u8>, Error> {
        let max_body = self.policy.limits.tsa_answer_bytes;
        let request = HttpRequest {
            method: Method::Post,
            url: self.url.clone(),
            headers: vec![
                ("Content-Type".to_owned(), QUERY.to_owned()),
                ("Accept".to_owned(), REPLY.to_owned()),
            ],
            body,
            max_body,
        };
        let answer = match &self.deadline {
            None => self.http.send(request).await?,
            Some((sleep, duration)) => match first(self.http.send(request), sleep.sleep(*duration)).await {
                Some(answer) => answer?,
                None => return Err(Error::Deadline { url: self.url.clone() }),
            },
        };
        // Redirects included: the authority is the one that was configured.
        if answer.status != 200 {
            return Err(Error::HttpStatus { url: self.url.clone(), status: answer.status });
        }
        let found = answer.header("Content-Type").unwrap_or_default();
        let essence = found.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(REPLY) {
            let found = found.chars().take(128).collect();
            return Err(Error::ContentType { url: self.url.clone(), found });
        }
        if answer.body.len() > max_body {
            return Err(Error::TooLarge { limit: max_body });
        }
        Ok(answer.body)
    }
}

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl TimestampSource for HttpSource {
    /// # Cancel safety
    /// Dropping the future loses a stamp that the authority may have made; ask again.
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        let exchange = self.ask(digest, imprint, now).await?;
        Ok(exchange.token.der)
    }
}

/// The output of `work`, or nothing when `limit` is over first.
async fn first<T>(work: impl Future<Output = T>, limit: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(move |context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("url", &self.url).finish_non_exhaustive()
    }
}
