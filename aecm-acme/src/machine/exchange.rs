//! One exchange with the server: nonce, signature, request, and what to do when it fails (N1, N10).

use aecm_core::embed::{HttpError, HttpRequest, HttpResponse, Method};
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::jws::{Flattened, KeyReference, Protected, encode, is_nonce, raw_from_der, signing_input};
use crate::wire::{self, JsonError, Problem, ProblemType};

use super::retry::{backoff, retry_after};
use super::state::{Phase, Secret};
use super::{Error, Machine, Output, Step};

/// Retries after badNonce (N1).
const MAX_BAD_NONCES: u32 = 3;
/// Transient failures in a row.
const MAX_FAILURES: u32 = 8;
/// Requests for one order, polling included.
const MAX_REQUESTS: u32 = 2_000;

/// A request that is to be made.
pub(super) struct Request {
    pub(super) url: String,
    /// Empty for a POST-as-GET.
    pub(super) payload: Zeroizing<Vec<u8>>,
}

impl Request {
    pub(super) fn read(url: &str) -> Self {
        Self { url: url.to_owned(), payload: Zeroizing::default() }
    }
}

impl Machine {
    /// The next wish of an exchange; none when the step has changed.
    pub(super) fn wish_exchange(&mut self) -> Result<Option<Output>, Error> {
        let output = match &mut self.state.phase {
            Phase::Idle if self.state.step == Step::Directory => {
                self.state.phase = Phase::Get;
                self.fetch_directory()
            }
            Phase::Get => self.fetch_directory(),
            Phase::Nonce => self.fetch_nonce()?,
            Phase::Idle => {
                self.count_request()?;
                match self.state.nonce.take() {
                    Some(nonce) => self.begin(&nonce)?,
                    None => {
                        self.state.phase = Phase::Nonce;
                        self.fetch_nonce()?
                    }
                }
            }
            Phase::Sign { protected, payload, .. } => {
                Output::Sign { octets: signing_input(protected, &payload.0) }
            }
            Phase::Send { url, body, sent: sent @ false } => {
                *sent = true;
                if let (Step::Finalize, Some(order)) = (self.state.step, &mut self.state.order) {
                    order.submitted = true;
                }
                let (url, body) = (url.clone(), body.0.as_bytes().to_vec());
                self.post(url, body)
            }
            Phase::Send { .. } => {
                // Wished before and never answered: the server may have taken it.
                self.state.phase = Phase::Idle;
                self.lost();
                return Ok(None);
            }
        };
        Ok(Some(output))
    }

    fn fetch_directory(&self) -> Output {
        Output::Send(HttpRequest {
            method: Method::Get,
            url: self.state.directory_url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
            max_body: self.config.limits.acme_json_bytes,
        })
    }

    fn fetch_nonce(&self) -> Result<Output, Error> {
        let url = self.directory()?.new_nonce.clone();
        Ok(Output::Send(HttpRequest {
            method: Method::Head,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            max_body: self.config.limits.acme_json_bytes,
        }))
    }

    fn begin(&mut self, nonce: &str) -> Result<Output, Error> {
        let Request { url, payload } = self.request()?;
        self.origin.check(&url)?;
        let key = match &self.state.account {
            Some(account) if self.state.step != Step::Account => KeyReference::Kid(account.url.clone()),
            _ => KeyReference::Jwk(self.jwk.clone()),
        };
        let protected = Protected::new(&url, Some(nonce), key).encoded();
        let payload = Secret(encode(&payload));
        let octets = signing_input(&protected, &payload.0);
        self.state.phase = Phase::Sign { url, protected, payload };
        Ok(Output::Sign { octets })
    }

    fn post(&self, url: String, body: Vec<u8>) -> Output {
        let (accept, max_body) = if self.state.step == Step::Download {
            ("application/pem-certificate-chain", self.config.limits.acme_chain_bytes)
        } else {
            ("application/json", self.config.limits.acme_json_bytes)
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![header("Content-Type", "application/jose+json"), header("Accept", accept)];
        Output::Send(HttpRequest { method: Method::Post, url, headers, body, max_body })
    }

    pub(super) fn take_signature(&mut self, der: &[u8]) -> Result<(), Error> {
        let Phase::Sign { url, protected, payload } = &self.state.phase else {
            return Err(Error::UnexpectedInput { input: "Signature", step: self.state.step });
        };
        let signature = encode(&raw_from_der(der)?);
        let jws = Flattened { protected: protected.clone(), payload: payload.0.clone(), signature };
        let url = url.clone();
        let body = serde_json::to_string(&jws).map_err(|_| Error::Stuck { step: self.state.step })?;
        zeroize::Zeroize::zeroize(&mut { jws }.payload);
        self.state.phase = Phase::Send { url, body: Secret(body), sent: false };
        Ok(())
    }

    pub(super) fn take_response(
        &mut self,
        result: Result<HttpResponse, HttpError>,
        now: Time,
    ) -> Result<(), Error> {
        let step = self.state.step;
        let phase = core::mem::replace(&mut self.state.phase, Phase::Idle);
        if matches!(phase, Phase::Sign { .. } | Phase::Send { sent: false, .. }) {
            self.state.phase = phase;
            return Err(Error::UnexpectedInput { input: "Response", step });
        }
        let response = match result {
            Ok(response) => response,
            Err(error @ (HttpError::Connection { .. } | HttpError::Timeout { .. })) => {
                if matches!(phase, Phase::Send { .. }) {
                    self.lost();
                }
                return self.retry(None, now, Error::Http { step, error });
            }
            Err(error) => return Err(Error::Http { step, error }),
        };
        // One use each; the newest replaces an older one that was kept.
        let mut nonces = response.header_all("replay-nonce");
        let fresh = nonces.next().filter(|nonce| is_nonce(nonce) && nonces.next().is_none());
        if let Some(nonce) = fresh {
            self.state.nonce = Some(nonce.to_owned());
        }
        match response.status {
            200..=299 => {
                let has_nonce = fresh.is_some();
                match phase {
                    // A nonce is no progress: it resets no count.
                    Phase::Nonce if has_nonce => return Ok(()),
                    Phase::Nonce => return Err(Error::HeaderMissing { step, name: "Replay-Nonce" }),
                    Phase::Get => self.answer_directory(&response)?,
                    _ => self.answer(&response, now)?,
                }
                self.state.bad_nonces = 0;
                // A request that is to be made again after its failure has made no progress (N10).
                let again =
                    matches!(self.state.step, Step::Finalize | Step::Respond | Step::Reply | Step::Csr);
                if !(self.state.unsettled && again) {
                    self.state.unsettled = false;
                    self.state.failures = 0;
                }
                Ok(())
            }
            300..=399 => Err(Error::Redirect { step, status: response.status }),
            status => {
                let has_nonce = fresh.is_some();
                let problem = self.problem(&response)?;
                self.failed(status, problem, &response, has_nonce, matches!(phase, Phase::Send { .. }), now)
            }
        }
    }

    /// The problem document of an answer, where it has one.
    fn problem(&self, response: &HttpResponse) -> Result<Option<Problem>, Error> {
        match wire::parse(&response.body, &self.config.limits) {
            Ok(problem) => Ok(Some(problem)),
            Err(JsonError::Syntax { .. }) => Ok(None),
            Err(error) => Err(Error::Json { step: self.state.step, error }),
        }
    }

    fn failed(
        &mut self,
        status: u16,
        problem: Option<Problem>,
        response: &HttpResponse,
        fresh_nonce: bool,
        posted: bool,
        now: Time,
    ) -> Result<(), Error> {
        let step = self.state.step;
        let kind = problem.as_ref().map(|problem| &problem.kind);
        if kind == Some(&ProblemType::BadNonce) {
            self.state.bad_nonces += 1;
            if !fresh_nonce {
                self.state.nonce = None;
            }
            return if self.state.bad_nonces > MAX_BAD_NONCES { Err(Error::Nonces { step }) } else { Ok(()) };
        }
        let transient = matches!(kind, Some(ProblemType::RateLimited | ProblemType::ServerInternal))
            || matches!(status, 429 | 500 | 502..=504);
        if transient {
            if posted && status >= 500 {
                self.lost();
            }
            let error = match problem {
                Some(problem) => Error::Problem { step, problem: Box::new(problem) },
                None => Error::Status { step, status },
            };
            return self.retry(response.header("retry-after"), now, error);
        }
        if status == 404 && step == Step::Order && self.order()?.resumed {
            // Forgotten since the earlier call.
            return self.reorder(None);
        }
        let Some(problem) = problem else { return Err(Error::Status { step, status }) };
        if problem.kind == ProblemType::UserActionRequired {
            let terms_url = response.header_all("link").find_map(terms_of_service);
            return Err(Error::UserActionRequired { instance: problem.instance, terms_url });
        }
        if status == 401 && problem.kind == ProblemType::Unauthorized && self.may_be_closed(&problem)? {
            return Ok(());
        }
        self.refused(problem, now)
    }

    /// Tries again later, or gives up with `error`.
    fn retry(&mut self, asked: Option<&str>, now: Time, error: Error) -> Result<(), Error> {
        self.state.failures += 1;
        if self.state.failures > MAX_FAILURES {
            return Err(error);
        }
        let own = backoff(self.state.failures, &mut self.state.jitter);
        let wait = asked.and_then(|value| retry_after(value, now)).unwrap_or(own);
        self.state.wake_at = Some(now.plus(wait));
        Ok(())
    }

    /// Waits before the same thing is read again.
    pub(super) fn sleep(&mut self, response: &HttpResponse, tries: u32, now: Time) {
        let own = backoff(tries, &mut self.state.jitter);
        let wait = response.header("retry-after").and_then(|value| retry_after(value, now)).unwrap_or(own);
        self.state.wake_at = Some(now.plus(wait));
    }

    /// The answer of a request was lost. Reading is repeated; after what changes the server's state, the state
    /// is read first (N11). newOrder is repeated: an order that was lost expires on its own.
    fn lost(&mut self) {
        self.state.unsettled |= matches!(self.state.step, Step::Finalize | Step::Respond);
        self.state.step = match self.state.step {
            Step::Finalize => Step::Order,
            Step::Respond => Step::Authorization,
            step => step,
        };
    }

    fn count_request(&mut self) -> Result<(), Error> {
        let step = self.state.step;
        if let Some(order) = &mut self.state.order {
            order.requests += 1;
            if order.requests > MAX_REQUESTS {
                return Err(Error::Stuck { step });
            }
        }
        Ok(())
    }
}

/// The target of a Link with that relation (RFC 8288).
fn terms_of_service(link: &str) -> Option<String> {
    link.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let wanted = |parameter: &str| {
            matches!(parameter.trim(), r#"rel="terms-of-service""# | "rel=terms-of-service")
        };
        parameters.split(';').any(wanted).then(|| target.to_owned())
    })
}
