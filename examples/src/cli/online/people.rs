//! Certificates of other people: those given as files, else what the service lists.

use std::path::PathBuf;
use std::sync::Arc;

use aecm::acme::directory::HttpDirectory;
use aecm::core::certificate::Certificate;
use aecm::core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm::core::embed::Http;
use aecm::core::limits::Limits;
use aecm::core::mailbox::Mailbox;
use async_trait::async_trait;

use super::settings::Settings;
use super::stop::{Done, Stop};
use crate::cli::{Io, certificates};

/// Files first, then the service.
pub(in crate::cli) struct People {
    given: Vec<Found>,
    service: Option<HttpDirectory>,
}

impl People {
    /// Those of `files` (a leaf and its issuers each), and whom the service of `settings` knows.
    pub(in crate::cli) fn new(
        files: &[PathBuf],
        settings: &Settings,
        http: &Arc<dyn Http>,
        io: &mut Io,
    ) -> Done<Self> {
        let limits = Limits::default();
        let mut given = Vec::new();
        for file in files {
            let mut chain = certificates::read_all(core::slice::from_ref(file), &limits, io)?;
            let named = chain.first().is_some_and(|leaf| !leaf.mailboxes().is_empty());
            if !named {
                let message = format!("{}: the first certificate names no mailbox", file.display());
                return Err(Stop::error("malformed", message));
            }
            given.push(Found { certificate: chain.remove(0), chain });
        }
        let service = match &settings.certificates {
            None => None,
            Some(prefix) => {
                let directory = HttpDirectory::new(&settings.directory, prefix, Arc::clone(http), limits);
                Some(directory.map_err(|error| Stop::error("url-unusable", error.to_string()))?)
            }
        };
        Ok(Self { given, service })
    }

    /// Whether the certificate came from a file.
    pub(in crate::cli) fn is_given(&self, certificate: &Certificate) -> bool {
        self.given.iter().any(|found| found.certificate == *certificate)
    }
}

#[async_trait]
impl CertificateDirectory for People {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        let names = |found: &&Found| found.certificate.mailboxes().iter().any(|named| named.matches(mailbox));
        let given: Vec<Found> = self.given.iter().filter(names).cloned().collect();
        match &self.service {
            Some(service) if given.is_empty() => service.certificates(mailbox).await,
            _ => Ok(given),
        }
    }
}
