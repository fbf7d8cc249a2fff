//! Asking a service for what is needed to use it.

use std::sync::Arc;

use aecm_acme::directory::{FetchError, HttpDirectory, fetch};
use aecm_acme::url::Origin;
use aecm_acme::wire::{AnchorList, BySuite, Directory};
use aecm_core::certificate::Certificate;
use aecm_core::embed::Http;
use aecm_core::limits::Limits;
use aecm_core::suite::Suite;

use crate::error::Error;
use crate::trust::Trust;

/// What a service says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Discovery {
    /// Its trust anchors, under the modern policy; `None` where it names none.
    pub trust: Option<Trust>,
    /// URLs of its timestamp authorities.
    pub timestamp: Vec<(Suite, String)>,
    /// URL of its terms of service, which the user has to agree to.
    pub terms_url: Option<String>,
    /// URL of the terms under which it keeps keys in escrow; `None` where it does not.
    pub escrow_terms: Option<String>,
    /// The certificates of its mailboxes.
    pub directory: Option<Arc<HttpDirectory>>,
    /// Whether it carries encrypting keys between devices.
    pub transfers: bool,
}

/// Reads the directory of a service and what it refers to.
///
/// Whoever the TLS connection authenticates is believed: with anchors that are taken from here, that peer decides
/// which certificates hold. Pin them: show them to somebody who knows, store them, and give them to later runs
/// instead of asking again.
///
/// # Errors
/// [`Error::Discovery`] where the service does not answer or its anchors are no certificates.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::sync::Arc;
/// # let service = aecm_service::Service::start(aecm_service::ServiceOptions::default()).await?;
/// # let http: Arc<dyn aecm::core::embed::Http> =
/// #     Arc::new(aecm::acme::hyper::HyperHttp::new(&service.tls_ca_pem())?);
/// let found = aecm::discover(&service.directory_url(), http).await?;
/// println!("agree to {:?}?", found.terms_url);
/// # Ok(())
/// # }
/// ```
pub async fn discover(directory_url: &str, http: Arc<dyn Http>) -> Result<Discovery, Error> {
    let limits = Limits::default();
    let origin = Origin::of_directory(directory_url, false).map_err(FetchError::Url)?;
    let directory: Directory = fetch(http.as_ref(), &origin, directory_url, &limits).await?;
    let meta = directory.meta;
    let aecm = meta.aecm.unwrap_or_default();
    let trust = match &aecm.anchors {
        Some(url) => {
            let list: AnchorList = fetch(http.as_ref(), &origin, url, &limits).await?;
            let read = |of: &BySuite<String>| certificates(of, url);
            Some(Trust::new(read(&list.smime)?, read(&list.tsa)?, read(&list.mailbox_timestamp)?))
        }
        None => None,
    };
    let mut timestamp = Vec::new();
    for suite in Suite::ALL {
        if let Some(url) = aecm.timestamp.as_ref().and_then(|urls| urls.of(suite)) {
            origin.check(url).map_err(FetchError::Url)?;
            timestamp.push((suite, url.clone()));
        }
    }
    let directory = match &aecm.certificates {
        Some(prefix) => {
            let directory = HttpDirectory::new(directory_url, prefix, Arc::clone(&http), limits);
            Some(Arc::new(directory.map_err(FetchError::Url)?))
        }
        None => None,
    };
    Ok(Discovery {
        trust,
        timestamp,
        terms_url: meta.terms_of_service,
        escrow_terms: aecm.escrow.map(|escrow| escrow.terms),
        directory,
        transfers: aecm.new_transfer.is_some() && aecm.transfers.is_some(),
    })
}

/// The certificates of both suites.
fn certificates(pem: &BySuite<String>, url: &str) -> Result<Vec<Certificate>, Error> {
    let mut all = Vec::new();
    for text in Suite::ALL.into_iter().filter_map(|suite| pem.of(suite)) {
        let read = Certificate::all_from_pem(text).ok().filter(|list| !list.is_empty());
        all.extend(read.ok_or_else(|| Error::Anchors { url: url.to_owned() })?);
    }
    Ok(all)
}
