//! Putting an [`Aecm`] together from a vault, what it remembers, and the options of the call.

use std::sync::Arc;

use aecm::acme::email::DkimAuthenticator;
use aecm::acme::hyper::HyperHttp;
use aecm::acme::mail::{ChallengeAuthenticator, Mail, MailError, MailSource};
use aecm::core::directory::CertificateDirectory;
use aecm::core::embed::{Http, TxtError, TxtResolver};
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::suite::Suite;
use aecm::core::time::Time;
use aecm::store::KeyStore;
use aecm::timestamp::{HttpSource, TimestampPolicy};
use aecm::{Aecm, AecmBuilder, Consent};
use async_trait::async_trait;

use super::settings::Settings;
use super::stop::{Done, Stop};
use crate::cli::Io;

/// How the network is reached: over TLS under that CA alone.
pub(in crate::cli) fn http(tls_ca: &str) -> Done<Arc<dyn Http>> {
    let made = HyperHttp::new(tls_ca);
    Ok(Arc::new(made.map_err(|error| Stop::error("tls-ca-unusable", error.to_string()))?))
}

/// What a call has beside the settings.
pub(in crate::cli) struct Parts {
    pub(in crate::cli) store: Arc<dyn KeyStore>,
    pub(in crate::cli) http: Arc<dyn Http>,
    /// Where challenge mails are read; without it the call needs none.
    pub(in crate::cli) mail: Option<(Arc<dyn MailSource>, Arc<dyn TxtResolver>)>,
    /// Where certificates of others are found.
    pub(in crate::cli) directory: Option<Arc<dyn CertificateDirectory>>,
    /// Whether the user agrees to the terms.
    pub(in crate::cli) agreed: bool,
}

/// A builder with everything in its place.
pub(in crate::cli) fn builder(settings: &Settings, parts: Parts, io: &Io) -> Done<AecmBuilder> {
    let Parts { store, http, mail, directory, agreed } = parts;
    let trust = settings.anchors.trust()?;
    let policy = Arc::new(TimestampPolicy::new(trust.tsa.clone()));
    let (mail, resolver) = mail.unwrap_or_else(|| (Arc::new(Nowhere), Arc::new(Nowhere)));
    let authenticator: Arc<dyn ChallengeAuthenticator> = Arc::new(DkimAuthenticator::new(resolver));
    let mut builder = Aecm::builder(settings.directory.as_str())
        .store(store)
        .mail(mail)
        .authenticator(authenticator)
        .http(Arc::clone(&http))
        .trust(trust)
        .clock(Arc::clone(&io.clock))
        .rng(Arc::clone(&io.rng));
    if agreed {
        builder = builder.consent(Consent::agreed());
    }
    if let Some(directory) = directory {
        builder = builder.directory(directory);
    }
    for suite in Suite::ALL {
        if let Some(url) = settings.timestamp.get(suite.word()) {
            let (http, rng, policy) = (Arc::clone(&http), Arc::clone(&io.rng), Arc::clone(&policy));
            builder = builder.authority(suite, Arc::new(HttpSource::new(url.clone(), http, rng, policy)));
        }
    }
    Ok(builder)
}

/// No mail and no DNS: for calls that need neither.
struct Nowhere;

#[async_trait]
impl MailSource for Nowhere {
    async fn mails(&self, mailbox: &Address, _since: Time) -> Result<Vec<Mail>, MailError> {
        Err(MailError::NoMailbox(format!("{mailbox}: give --maildir and --dkim-dns")))
    }
}

#[async_trait]
impl TxtResolver for Nowhere {
    async fn txt(&self, _name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        Err(TxtError::Temporary("give --dkim-dns".to_owned()))
    }
}
