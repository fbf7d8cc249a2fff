//! What a vault remembers of the service its mailbox is with, so that later commands need the vault alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aecm::Trust;
use aecm::core::certificate::Certificate;
use aecm::core::mailbox::Mailbox;
use aecm::store::KeyStore;
use serde::{Deserialize, Serialize};

use super::stop::{Done, Stop};

/// The version of the record.
const VERSION: u32 = 1;

/// Of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Settings {
    version: u32,
    /// URL of the ACME directory.
    pub(in crate::cli) directory: String,
    /// The CA of the TLS connection, PEM.
    pub(in crate::cli) tls_ca: String,
    /// Whom to believe about certificates and time.
    pub(in crate::cli) anchors: AnchorPems,
    /// Whether the anchors were given by the user, and not taken from the service at first use.
    pub(in crate::cli) anchors_given: bool,
    /// URLs of the timestamp authorities, by the word of the suite.
    pub(in crate::cli) timestamp: BTreeMap<String, String>,
    /// Prefix of the URLs where certificates of others are found.
    pub(in crate::cli) certificates: Option<String>,
    /// URL of the terms of service that the user agreed to.
    pub(in crate::cli) agreed: Option<String>,
    /// Where the mail arrives.
    pub(in crate::cli) maildir: PathBuf,
    /// The DNS for the DKIM keys, the JSON text.
    pub(in crate::cli) dkim_dns: String,
}

/// Anchors in PEM, by what they vouch for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct AnchorPems {
    pub(in crate::cli) smime: Vec<String>,
    pub(in crate::cli) tsa: Vec<String>,
    pub(in crate::cli) mailbox_timestamp: Vec<String>,
}

impl AnchorPems {
    /// The same, read.
    pub(in crate::cli) fn trust(&self) -> Done<Trust> {
        Ok(Trust::new(read(&self.smime)?, read(&self.tsa)?, read(&self.mailbox_timestamp)?))
    }
}

fn read(pems: &[String]) -> Done<Vec<Certificate>> {
    let mut certificates = Vec::new();
    for pem in pems {
        let read = Certificate::all_from_pem(pem);
        certificates.extend(
            read.map_err(|error| Stop::error("malformed", format!("an anchor cannot be read: {error}")))?,
        );
    }
    Ok(certificates)
}

impl Settings {
    /// Of a mailbox that is new here.
    pub(in crate::cli) fn new(directory: String, tls_ca: String, maildir: PathBuf, dkim_dns: String) -> Self {
        Self {
            version: VERSION,
            directory,
            tls_ca,
            anchors: AnchorPems::default(),
            anchors_given: false,
            timestamp: BTreeMap::new(),
            certificates: None,
            agreed: None,
            maildir,
            dkim_dns,
        }
    }

    /// What the vault remembers of `mailbox`.
    pub(in crate::cli) async fn load(store: &dyn KeyStore, mailbox: &Mailbox) -> Done<Option<Self>> {
        let Some(octets) = store.load_state(&name(mailbox)).await? else { return Ok(None) };
        let damaged = || {
            let message = format!("what the vault remembers of {mailbox} cannot be read: provision it again");
            Stop::error("vault-damaged", message)
        };
        let settings: Self = serde_json::from_slice(&octets).map_err(|_| damaged())?;
        if settings.version > VERSION {
            let message = "the vault was written by a later version of this command: use that one";
            return Err(Stop::error("vault-unsupported", message));
        }
        Ok(Some(settings))
    }

    /// The same of a mailbox that was provisioned.
    pub(in crate::cli) async fn known(store: &dyn KeyStore, mailbox: &Mailbox) -> Done<Self> {
        Self::load(store, mailbox).await?.ok_or_else(|| {
            let message = format!("the vault does not know {mailbox}: provision it first (aecm provision)");
            Stop::error("not-provisioned", message)
        })
    }

    pub(in crate::cli) async fn save(&self, store: &dyn KeyStore, mailbox: &Mailbox) -> Done<()> {
        let octets = serde_json::to_vec(self).map_err(|error| Stop::error("system", error.to_string()))?;
        Ok(store.save_state(&name(mailbox), &octets).await?)
    }
}

fn name(mailbox: &Mailbox) -> String {
    format!("aecm-command:{}@{}", mailbox.local(), mailbox.ascii_domain())
}
