//! `aecm timestamp serve`: a time-stamping authority on loopback, to develop and test against.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aecm_core::embed::{Clock, Rng};
use aecm_core::oid::ObjectIdentifier;
use aecm_smime::sign::SigningIdentity;
use aecm_timestamp::Unit;
use aecm_timestamp::issue::random_serial;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::cli::args::LimitArgs;
use crate::cli::chain::oid;
use crate::cli::keys::{self, KeyArgs};
use crate::cli::{Failure, Io, Outcome, certificates, output, runtime};

/// Stamps what is asked for, over HTTP on loopback, until it is stopped.
#[derive(Args)]
#[command(after_help = "\
Example:
  aecm timestamp serve --key tsa.key --cert tsa.crt --listen 127.0.0.1:3161

The certificate has to be for timestamping alone, in a critical extension (RFC 3161 §2.3). The service is for
development: it answers on loopback only, and keeps no record.")]
pub(super) struct Serve {
    /// The loopback address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The policy of the tokens
    #[arg(long, value_name = "OID", default_value = "1.3.6.1.4.1.13762.3", value_parser = oid)]
    tsa_policy: ObjectIdentifier,
    /// How far the clock may be off, in seconds, as the tokens say
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    accuracy: u32,
    /// Once listening, write one JSON object with the URL to this file
    #[arg(long, value_name = "F")]
    ready: Option<PathBuf>,
    /// Stop after so many answers; without it, never
    #[arg(long, value_name = "N")]
    answers: Option<u64>,
    /// Certificates of issuers to send along; may be given several times
    #[arg(long, value_name = "F")]
    certs: Vec<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Octets of the largest request; a real one has about a hundred.
const REQUEST_BYTES: usize = 64 << 10;
const HEADER_TIME: Duration = Duration::from_secs(10);
const CONNECTION_TIME: Duration = Duration::from_secs(60);
const CONNECTIONS: usize = 64;
const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

impl Serve {
    pub(super) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        if !self.listen.ip().is_loopback() {
            let why = "the authority is for development and listens on loopback only, such as 127.0.0.1:3161";
            return Err(Failure::error("usage", why));
        }
        let keys = self.keys.read(&limits, io)?;
        let [owned] = <[keys::Owned; 1]>::try_from(keys.owned)
            .map_err(|_| Failure::error("usage", "one key is needed to stamp with: give --key and --cert"))?;
        let Some(certificate) = owned.certificates.into_iter().next() else {
            return Err(keys::mismatch(&owned.name));
        };
        let mut chain = keys.others;
        chain.extend(certificates::read_all(&self.certs, &limits, io)?);
        let signer = Arc::new(owned.key.into_signer(Arc::clone(&io.rng)));
        let identity = SigningIdentity { certificate, chain, signer };
        let unit =
            Unit::new(identity, self.tsa_policy).with_accuracy(Duration::from_secs(u64::from(self.accuracy)));
        let desk = Arc::new(Desk { unit, clock: Arc::clone(&io.clock), rng: Arc::clone(&io.rng) });
        runtime::block_on(self.serve(desk, io))?
    }

    async fn serve(&self, desk: Arc<Desk>, io: &mut Io) -> Result<Outcome, Failure> {
        // A stamp by a key or certificate that is not for it would be refused one by one.
        desk.try_out().await?;
        let wrong = |error: std::io::Error| {
            Failure::error("listen", format!("{} cannot be listened at: {error}", self.listen))
        };
        let listener = TcpListener::bind(self.listen).await.map_err(wrong)?;
        let url = format!("http://{}/", listener.local_addr().map_err(wrong)?);
        io.hint(&format!("listening at {url}"));
        if let Some(path) = &self.ready {
            let ready = json!({ "url": url, "pid": std::process::id() });
            output::write_whole(path, ready.to_string().as_bytes(), false)?;
        }
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let (done, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let mut left = self.answers.unwrap_or(u64::MAX);
        while left > 0 {
            tokio::select! {
                Some(()) = answered.recv() => left -= 1,
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
                    let (desk, done) = (Arc::clone(&desk), done.clone());
                    tokio::spawn(async move {
                        let _permit = permit;
                        connection(stream, desk, done).await;
                    });
                }
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        // The last answer is on its way: give its connection a moment to write it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Outcome::of("valid").with("url", url).saying("valid: stopped\n"))
    }
}

struct Desk {
    unit: Unit,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

type Done = tokio::sync::mpsc::UnboundedSender<()>;

async fn connection(stream: tokio::net::TcpStream, desk: Arc<Desk>, done: Done) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (desk, done) = (Arc::clone(&desk), done.clone());
        async move {
            let response = desk.respond(request).await;
            // Nobody counts any more when the service stops.
            let _stopped = done.send(());
            Ok::<_, Infallible>(response)
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks or dawdles is its client's business.
    let _ended = tokio::time::timeout(CONNECTION_TIME, serving).await;
}

impl Desk {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::POST {
            return status(StatusCode::METHOD_NOT_ALLOWED);
        }
        let kind = request.headers().get(hyper::header::CONTENT_TYPE);
        if kind.and_then(|kind| kind.to_str().ok()) != Some(QUERY) {
            return status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Ok(body) = Limited::new(request.into_body(), REQUEST_BYTES).collect().await else {
            return status(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let Ok(serial) = random_serial(self.rng.as_ref()) else {
            return status(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let answer = self.unit.answer(&body.to_bytes(), self.clock.now(), &serial).await;
        let mut response = Response::new(Full::new(Bytes::from(answer)));
        let value = hyper::header::HeaderValue::from_static(REPLY);
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
        response
    }

    /// Makes one stamp for nobody.
    async fn try_out(&self) -> Result<(), Failure> {
        let digest = aecm_core::digest::DigestAlgorithm::Sha256;
        let request = aecm_timestamp::Request::new(digest, &digest.digest(b""), [1; 8])
            .map_err(|error| Failure::error("system", error.to_string()))?;
        self.unit.token(&request, self.clock.now(), &[1]).await?;
        Ok(())
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
