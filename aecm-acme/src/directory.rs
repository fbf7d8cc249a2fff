//! What a service offers beside ACME, over the same authenticated connection: other people's certificates, and its
//! own trust anchors.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm_core::embed::{Http, HttpError, HttpRequest, Method};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use serde::de::DeserializeOwned;

use crate::url::{Origin, UrlError};
use crate::wire::{self, CertificateList, JsonError};

/// Certificates of one mailbox that are looked at.
const MAX_CERTIFICATES: usize = 64;

/// Why a resource of the service could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not used.
    Url(UrlError),
    /// No answer.
    Http(HttpError),
    /// Another status than 200.
    Status {
        /// The URL.
        url: String,
        /// The status code.
        status: u16,
    },
    /// Not the object that was expected.
    Json {
        /// The URL.
        url: String,
        /// What is wrong.
        error: JsonError,
    },
}

impl core::fmt::Display for FetchError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Url(error) => write!(f, "{error}"),
            Self::Http(error) => write!(f, "{error}"),
            Self::Status { url, status } => write!(f, "{url} answers with status {status}"),
            Self::Json { url, error } => write!(f, "{url}: {error}"),
        }
    }
}

impl core::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Http(error) => Some(error),
            Self::Json { error, .. } => Some(error),
            Self::Status { .. } => None,
        }
    }
}

/// Reads one JSON object with a GET, bounded like a key package. No redirect is followed.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch<T: DeserializeOwned>(
    http: &dyn Http,
    origin: &Origin,
    url: &str,
    limits: &Limits,
) -> Result<T, FetchError> {
    origin.check(url).map_err(FetchError::Url)?;
    let limits = wire::package_limits(limits);
    let request = HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        max_body: limits.acme_json_bytes,
    };
    let response = http.send(request).await.map_err(FetchError::Http)?;
    if response.status != 200 {
        return Err(FetchError::Status { url: url.to_owned(), status: response.status });
    }
    wire::parse(&response.body, &limits).map_err(|error| FetchError::Json { url: url.to_owned(), error })
}

/// The certificates that an ACME service lists for its mailboxes (`meta.aecm.certificates`).
///
/// What it gives are candidates: whoever uses them checks path, usage, validity and address.
#[derive(Clone)]
pub struct HttpDirectory {
    prefix: String,
    origin: Origin,
    http: Arc<dyn Http>,
    limits: Limits,
}

impl core::fmt::Debug for HttpDirectory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HttpDirectory").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl HttpDirectory {
    /// The list under `prefix`, the value of `meta.aecm.certificates` in the directory at `directory_url`.
    ///
    /// # Errors
    /// [`UrlError`] when the prefix is not of the directory's origin, or that is not https.
    pub fn new(
        directory_url: &str,
        prefix: &str,
        http: Arc<dyn Http>,
        limits: Limits,
    ) -> Result<Self, UrlError> {
        let origin = Origin::of_directory(directory_url, false)?;
        origin.check(prefix)?;
        let slash = if prefix.ends_with('/') { "" } else { "/" };
        Ok(Self { prefix: format!("{prefix}{slash}"), origin, http, limits })
    }

    /// Where the lists are: the URL of one is this and the mailbox. For whoever makes it again later.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl CertificateDirectory for HttpDirectory {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        let url = format!("{}{}", self.prefix, percent_encoded(mailbox.as_str()));
        let list: CertificateList = match fetch(self.http.as_ref(), &self.origin, &url, &self.limits).await {
            Ok(list) => list,
            Err(FetchError::Status { status: 404, .. }) => return Ok(Vec::new()),
            Err(error) => return Err(DirectoryError { detail: error.to_string() }),
        };
        let too_long =
            list.certificates.iter().any(|chain| chain.len() > self.limits.acme_chain_certificates);
        let chains = if too_long { None } else { list.chains() };
        let unreadable = || DirectoryError {
            detail: format!("{url} lists what are no certificates, or one with too many above it"),
        };
        let found = |chain: Vec<Certificate>| {
            let mut chain = chain.into_iter();
            chain.next().map(|certificate| Found { certificate, chain: chain.collect() })
        };
        Ok(first(chains.ok_or_else(unreadable)?).into_iter().filter_map(found).collect())
    }
}

/// The chains that are looked at. Where there are too many, those to encrypt with come first: each device adds one to
/// sign with, and mail has to be encrypted all the same.
fn first(mut chains: Vec<Vec<Certificate>>) -> Vec<Vec<Certificate>> {
    let encrypts = |chain: &Vec<Certificate>| {
        let usage = chain.first().and_then(Certificate::key_usage);
        usage.is_none_or(|usage| usage.key_encipherment() || usage.key_agreement())
    };
    if chains.len() > MAX_CERTIFICATES {
        // Stable: otherwise in the service's order.
        chains.sort_by_key(|chain| !encrypts(chain));
        chains.truncate(MAX_CERTIFICATES);
    }
    chains
}

/// One segment of a path: everything but unreserved characters in percent encoding (RFC 3986 §2.1).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(octet));
        } else {
            encoded.push('%');
            for digit in [octet >> 4, octet & 15] {
                encoded.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_one_path_segment() {
        assert_eq!(percent_encoded("alice@example.com"), "alice%40example.com");
        assert_eq!(percent_encoded("a/../b?c#d%e@x.y"), "a%2F..%2Fb%3Fc%23d%25e%40x.y");
        assert_eq!(percent_encoded("ü"), "%C3%BC");
    }
}
