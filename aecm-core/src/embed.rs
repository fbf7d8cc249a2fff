//! The joints where an embedder supplies the world: HTTP, DNS TXT records, the clock, sleeping, randomness.
//!
//! Every trait is object-safe and takes `&self`; futures are `Send` except on wasm. The libraries never
//! reach the network, a clock or a random source by any other way (DESIGN, rule 1).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::time::Time;

/// `Send + Sync` on native targets, nothing on wasm, where futures and handles live on one thread.
#[cfg(not(target_family = "wasm"))]
pub trait MaybeSendSync: Send + Sync {}
#[cfg(not(target_family = "wasm"))]
impl<T: Send + Sync + ?Sized> MaybeSendSync for T {}
/// `Send + Sync` on native targets, nothing on wasm, where futures and handles live on one thread.
#[cfg(target_family = "wasm")]
pub trait MaybeSendSync {}
#[cfg(target_family = "wasm")]
impl<T: ?Sized> MaybeSendSync for T {}

/// Randomness fit for keys and nonces. A source that fails is an error, never a weaker source.
pub trait Rng: MaybeSendSync {
    /// Fills `buffer` with random octets.
    ///
    /// # Errors
    /// [`RngError`] when the source fails; the buffer's content is then unspecified and must not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError>;
}

/// The random source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngError;

impl fmt::Display for RngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random number source failed; nothing was generated")
    }
}

impl core::error::Error for RngError {}

/// Lends a [`Rng`] to code that wants `rand_core` traits.
pub struct RandCore<'a>(pub &'a dyn Rng);

impl fmt::Debug for RandCore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandCore")
    }
}

impl rand_core::TryRng for RandCore<'_> {
    type Error = RngError;

    fn try_next_u32(&mut self) -> Result<u32, RngError> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, RngError> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), RngError> {
        self.0.fill(dst)
    }
}

impl rand_core::TryCryptoRng for RandCore<'_> {}

/// Says what time it is.
pub trait Clock: MaybeSendSync {
    /// The present time.
    fn now(&self) -> Time;
}

/// Waits.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait Sleep: MaybeSendSync {
    /// Returns after `duration`, or a little later.
    async fn sleep(&self, duration: Duration);
}

/// The HTTP methods that ACME and RFC 3161 use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
}

impl Method {
    /// The word on the request line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// An HTTP request, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL, used byte for byte.
    pub url: String,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty for GET and HEAD.
    pub body: Vec<u8>,
    /// The largest answer body to read, in octets; a larger one is [`HttpError::TooLarge`].
    pub max_body: usize,
}

/// An HTTP answer, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header fields in order; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Without the header fields and the body, which may hold a token (THREATS N9).
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body_octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Without the header fields and the body, which may hold a token (THREATS N9).
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// The first header field of that name (ASCII case ignored).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All header fields of that name (ASCII case ignored), in order.
    pub fn header_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Why an HTTP exchange did not give an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// The URL is not one this client speaks to.
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No connection, or it broke. Whether the server took the request is unknown.
    Connection {
        /// The URL.
        url: String,
        /// What the transport said.
        detail: String,
    },
    /// The deadline passed. Whether the server took the request is unknown.
    Timeout {
        /// The URL.
        url: String,
    },
    /// The answer's body is larger than the request allows.
    TooLarge {
        /// The URL.
        url: String,
        /// The limit, in octets.
        limit: usize,
    },
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, why } => write!(f, "cannot ask {url}: {why}"),
            Self::Connection { url, detail } => write!(f, "no answer from {url}: {detail}"),
            Self::Timeout { url } => write!(f, "no answer from {url} before the deadline"),
            Self::TooLarge { url, limit } => {
                write!(f, "the answer of {url} exceeds the limit of {limit} octets")
            }
        }
    }
}

impl core::error::Error for HttpError {}

/// Sends HTTP requests. Implementations verify TLS names, follow no redirects and keep the size limit.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait Http: MaybeSendSync {
    /// Sends `request` and reads the whole answer, whatever its status code.
    ///
    /// # Errors
    /// [`HttpError`] when there is no complete answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// Why TXT records could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxtError {
    /// The name has no TXT records (NXDOMAIN or no data).
    NoRecords,
    /// The resolver could not answer now.
    Temporary(String),
}

impl fmt::Display for TxtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecords => f.write_str("the name has no TXT records"),
            Self::Temporary(detail) => write!(f, "the resolver gave no answer: {detail}"),
        }
    }
}

impl core::error::Error for TxtError {}

/// Looks up DNS TXT records (RFC 1035 §3.3.14).
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait TxtResolver: MaybeSendSync {
    /// The TXT records of `name`, the character-strings of each record already joined.
    ///
    /// # Errors
    /// [`TxtError`] when there are none or the resolver failed.
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError>;
}

/// The operating system's random numbers.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRng;

#[cfg(feature = "std")]
impl Rng for OsRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        getrandom::fill(buffer).map_err(|_| RngError)
    }
}

/// The operating system's clock.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&self) -> Time {
        // The one place where the libraries ask the system for the time.
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Time::from_unix(i64::try_from(after.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => Time::from_unix(
                i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned as _;
    use alloc::{format, vec};

    #[test]
    fn n9_bodies_are_not_printed() {
        let request = HttpRequest {
            method: Method::Post,
            url: "https://ca.example/finalize".to_owned(),
            headers: vec![("authorization".to_owned(), "planted-secret".to_owned())],
            body: b"planted-secret".to_vec(),
            max_body: 1,
        };
        let response =
            HttpResponse { status: 200, headers: request.headers.clone(), body: request.body.clone() };
        let printed = format!("{request:?} {response:?}");
        assert!(printed.contains("finalize") && printed.contains("200"));
        assert!(!printed.contains("planted"), "{printed}");
        // As a list of numbers either.
        assert!(!printed.contains("112, 108"), "{printed}");
    }
}
