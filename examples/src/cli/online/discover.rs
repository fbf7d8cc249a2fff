//! What a service says of itself, in the form that is remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use aecm::core::certificate::Certificate;
use aecm::core::embed::Http;
use aecm::core::path::Anchors;

use super::settings::AnchorPems;
use super::stop::Done;

/// What a service says of itself.
pub(in crate::cli) struct Discovered {
    /// Whom to believe, where it says so.
    pub(in crate::cli) anchors: Option<AnchorPems>,
    /// URLs of its timestamp authorities, by the word of the suite.
    pub(in crate::cli) timestamp: BTreeMap<String, String>,
    /// Prefix of the URLs where the certificates of its mailboxes are.
    pub(in crate::cli) certificates: Option<String>,
    /// URL of its terms of service.
    pub(in crate::cli) terms: Option<String>,
    /// URL of the terms under which it keeps keys; none where it does not.
    pub(in crate::cli) escrow_terms: Option<String>,
}

/// Asks the service at `directory`, whose TLS connection `http` authenticates.
pub(in crate::cli) async fn discover(http: Arc<dyn Http>, directory: &str) -> Done<Discovered> {
    let found = aecm::discover(directory, http).await?;
    let pems = |anchors: &Anchors| anchors.certificates().iter().map(Certificate::to_pem).collect();
    let anchors = found.trust.map(|trust| AnchorPems {
        smime: pems(&trust.smime),
        tsa: pems(&trust.tsa),
        mailbox_timestamp: pems(&trust.mailbox_timestamp),
    });
    let timestamp = found.timestamp.into_iter().map(|(suite, url)| (suite.word().to_owned(), url)).collect();
    let certificates = found.directory.map(|directory| directory.prefix().to_owned());
    Ok(Discovered {
        anchors,
        timestamp,
        certificates,
        terms: found.terms_url,
        escrow_terms: found.escrow_terms,
    })
}
