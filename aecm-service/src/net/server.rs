//! A small HTTP server: accepts on loopback, speaks TLS, hands whole requests to a handler.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::error::Error;

/// The largest request body taken, in octets.
const MAX_BODY: usize = 256 * 1024;
/// The same where keys travel: a package of 256 KiB, twice base64url, and what is around it.
const MAX_PACKAGE_BODY: usize = 512 * 1024;
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
const TLS_DEADLINE: Duration = Duration::from_secs(10);
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// How long a port may still be taken by a service that is just ending.
const BIND_PATIENCE: Duration = Duration::from_secs(3);
const BIND_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait after a failed accept: without files left, the next one would fail at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections served at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Larger than that many octets.
    TooLarge(usize),
    TooSlow,
    Broken,
}

impl Unread {
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::TooLarge(_) => 413,
            Self::TooSlow => 408,
            Self::Broken => 400,
        }
    }
}

impl core::fmt::Display for Unread {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "the body is larger than {limit} octets"),
            Self::TooSlow => write!(f, "the body did not arrive within {} s", BODY_DEADLINE.as_secs()),
            Self::Broken => f.write_str("the body broke off"),
        }
    }
}

/// A request, whole but for a body that could not be read.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) body: Result<Vec<u8>, Unread>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The last word of the problem's type, for the log.
    pub(crate) problem: Option<&'static str>,
}

impl Answer {
    /// A status and nothing else.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), problem: None }
    }

    /// A body of that type.
    pub(crate) fn content(content_type: &str, body: Vec<u8>) -> Self {
        Self { headers: vec![("content-type", content_type.to_owned())], body, ..Self::empty(200) }
    }
}

/// What answers requests.
#[async_trait::async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn handle(&self, ask: Ask) -> Answer;
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: watch::Sender<bool>,
}

impl Server {
    /// Refuses addresses that others reach.
    pub(crate) fn require_loopback(address: SocketAddr) -> Result<(), Error> {
        if address.ip().is_loopback() { Ok(()) } else { Err(Error::NotLoopback { address }) }
    }

    /// As [`Server::bind`], waiting for a service on that port that is just ending.
    pub(crate) async fn bind_patiently(address: SocketAddr) -> Result<TcpListener, Error> {
        let begun = tokio::time::Instant::now();
        loop {
            match Self::bind(address).await {
                Err(Error::Listen { .. }) if begun.elapsed() < BIND_PATIENCE => {
                    tokio::time::sleep(BIND_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// Binds a loopback address, so that the handler can be told its URL before it serves.
    pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
        Self::require_loopback(address)?;
        TcpListener::bind(address).await.map_err(|error| Error::Listen { address, detail: error.to_string() })
    }

    /// Serves until dropped.
    pub(crate) fn start(
        listener: TcpListener,
        tls: Arc<rustls::ServerConfig>,
        handler: Arc<dyn Handler>,
    ) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let acceptor = TlsAcceptor::from(tls);
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let room = connections.len() < MAX_CONNECTIONS;
                tokio::select! {
                    _ = stopped.changed() => break,
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    accepted = listener.accept(), if room => {
                        let Ok((stream, _)) = accepted else {
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                            continue;
                        };
                        let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
                        connections.spawn(async move { serve(stream, acceptor, handler).await });
                    }
                }
            }
        });
        Self { stop }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody listening any more means that the server has already stopped.
        let _already_stopped = self.stop.send(true);
    }
}

async fn serve(stream: tokio::net::TcpStream, acceptor: TlsAcceptor, handler: Arc<dyn Handler>) {
    let Ok(Ok(stream)) = tokio::time::timeout(TLS_DEADLINE, acceptor.accept(stream)).await else {
        return;
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(respond(request, handler.as_ref()).await) }
    });
    // A connection that breaks is its client's business; the next request comes on a new one.
    let _ended = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(request: Request<Incoming>, handler: &dyn Handler) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let limit = if takes_packages(parts.uri.path()) { MAX_PACKAGE_BODY } else { MAX_BODY };
    let text = |name: hyper::header::HeaderName| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let ask = Ask {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        content_type: text(hyper::header::CONTENT_TYPE),
        if_none_match: text(hyper::header::IF_NONE_MATCH),
        body: read(body, limit, BODY_DEADLINE).await,
    };
    let answer = handler.handle(ask).await;
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(answer.body))).unwrap_or_else(|_| {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Whether what is posted there may hold a package of keys.
pub(crate) fn takes_packages(path: &str) -> bool {
    path == "/acme/new-transfer" || path == "/acme/escrow" || path.starts_with("/acme/transfer/")
}

async fn read<B>(body: B, limit: usize, deadline: Duration) -> Result<Vec<u8>, Unread>
where
    B: Body<Error: Into<Box<dyn core::error::Error + Send + Sync>>>,
{
    match tokio::time::timeout(deadline, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge(limit)),
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// A body that gives one frame and then nothing, or breaks.
    struct Stalling(Option<Bytes>, bool);

    impl Body for Stalling {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            match self.0.take() {
                Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
                None if self.1 => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_stops_is_given_up() {
        let begun = || Some(Bytes::from_static(b"{"));
        assert_eq!(read(Stalling(begun(), false), MAX_BODY, SHORT).await, Err(Unread::TooSlow));
        assert_eq!(read(Stalling(None, false), MAX_BODY, SHORT).await, Err(Unread::TooSlow));
        assert_eq!(read(Stalling(begun(), true), MAX_BODY, SHORT).await, Err(Unread::Broken));
        let large = Full::new(Bytes::from(vec![0; MAX_BODY + 1]));
        assert_eq!(read(large, MAX_BODY, SHORT).await, Err(Unread::TooLarge(MAX_BODY)));
        let whole = Full::new(Bytes::from(vec![7; MAX_BODY]));
        assert_eq!(read(whole, MAX_BODY, BODY_DEADLINE).await, Ok(vec![7; MAX_BODY]));
    }
}
