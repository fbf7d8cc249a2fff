//! What a service says of itself in its directory: anchors, timestamp authorities, certificates, terms.

use std::collections::BTreeMap;

use aecm::acme::url::Origin;
use aecm::acme::wire;
use aecm::core::embed::{Http, HttpRequest, Method};
use aecm::core::limits::Limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::settings::AnchorPems;
use super::stop::{Done, Stop};
use super::words;

/// What a service says of itself.
pub(in crate::cli) struct Discovered {
    /// Whom to believe, where it says so.
    pub(in crate::cli) anchors: Option<AnchorPems>,
    /// URLs of its timestamp authorities, by the word of the suite.
    pub(in crate::cli) timestamp: BTreeMap<String, String>,
    /// Prefix of the URLs where the certificates of its mailboxes are.
    pub(in crate::cli) certificates: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    aecm: Option<Extension>,
}

#[derive(Default, Deserialize)]
struct Extension {
    anchors: Option<String>,
    certificates: Option<String>,
    timestamp: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct AnchorPage {
    smime: BTreeMap<String, String>,
    tsa: BTreeMap<String, String>,
    mailbox_timestamp: BTreeMap<String, String>,
}

/// Asks the service at `directory`, whose TLS connection `http` authenticates.
pub(in crate::cli) async fn discover(http: &dyn Http, directory: &str) -> Done<Discovered> {
    let origin = Origin::of_directory(directory, false)
        .map_err(|error| Stop::error("url-unusable", format!("--directory: {error}")))?;
    let page: Page = get(http, directory).await?;
    let extension = page.meta.aecm.unwrap_or_default();
    let timestamp = extension.timestamp.unwrap_or_default();
    // The rest of the service is where its directory is; anything else it names is not used.
    for url in extension.anchors.iter().chain(&extension.certificates).chain(timestamp.values()) {
        origin
            .check(url)
            .map_err(|error| Stop::error("service-answer", format!("the directory: {error}")))?;
    }
    let anchors = match &extension.anchors {
        None => None,
        Some(url) => {
            let AnchorPage { smime, tsa, mailbox_timestamp } = get(http, url).await?;
            let pems = |pair: BTreeMap<String, String>| pair.into_values().collect();
            let anchors =
                AnchorPems { smime: pems(smime), tsa: pems(tsa), mailbox_timestamp: pems(mailbox_timestamp) };
            anchors.trust()?;
            Some(anchors)
        }
    };
    Ok(Discovered { anchors, timestamp, certificates: extension.certificates })
}

async fn get<T: DeserializeOwned>(http: &dyn Http, url: &str) -> Done<T> {
    let limits = Limits::default();
    let request = HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Vec::new(),
        max_body: limits.acme_json_bytes,
    };
    let answer = http
        .send(request)
        .await
        .map_err(|error| Stop::error(words::http(&error), error.to_string()).with("step", "directory"))?;
    let wrong =
        |why: String| Stop::error("service-answer", format!("{url}: {why}")).with("step", "directory");
    if answer.status != 200 {
        return Err(wrong(format!("the server answers with status {}", answer.status)));
    }
    wire::parse(&answer.body, &limits).map_err(|error| wrong(error.to_string()))
}
