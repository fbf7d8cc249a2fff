//! A small HTTP server: accepts on loopback, speaks TLS, hands whole requests to a handler.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
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
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// Connections served at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;

/// A request, whole.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
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
    /// Binds a loopback address, so that the handler can be told its URL before it serves.
    pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
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
                if connections.len() >= MAX_CONNECTIONS {
                    connections.join_next().await;
                }
                tokio::select! {
                    _ = stopped.changed() => break,
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    accepted = listener.accept() => {
                        // A failed accept concerns that one connection only.
                        let Ok((stream, _)) = accepted else { continue };
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
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let ask = Ask {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        content_type: parts
            .headers
            .get(hyper::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: body.to_bytes().to_vec(),
    };
    let answer = handler.handle(ask).await;
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(Bytes::from(answer.body)))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
