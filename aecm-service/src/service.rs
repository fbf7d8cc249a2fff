//! The service in one process: what a caller starts and asks.

use std::sync::Arc;

use aecm_acme::mail::{MailSender, MailSource};
use aecm_core::certificate::Certificate;
use aecm_core::directory::CertificateDirectory;
use aecm_core::embed::TxtResolver;
use aecm_core::suite::Suite;

use crate::acme::AcmeServer;
use crate::ca::{Pki, PkiAnchors};
use crate::error::Error;
use crate::mail::PostOffice;
use crate::net::{Answer, Ask, Handler, LoopbackTls, Server};
use crate::options::ServiceOptions;
use crate::tsa::Tsa;

/// A running service; it stops when dropped.
#[derive(Debug)]
pub struct Service {
    base: String,
    acme: Arc<AcmeServer>,
    post: Arc<PostOffice>,
    anchors: PkiAnchors,
    tls_ca: Certificate,
    _server: Server,
}

/// Hands a request to the part that its path names.
struct Desk {
    acme: Arc<AcmeServer>,
    tsa: Tsa,
}

#[async_trait::async_trait]
impl Handler for Desk {
    async fn handle(&self, ask: Ask) -> Answer {
        if ask.path == "/acme" || ask.path.starts_with("/acme/") {
            self.acme.answer(ask).await
        } else if ask.path.starts_with("/tsa/") {
            self.tsa.answer(ask).await
        } else if ask.path.starts_with("/aecm/") {
            self.acme.answer_public(&ask)
        } else {
            Answer::empty(404)
        }
    }
}

impl Service {
    /// Makes authorities, timestamp units, a mail system and a TLS identity with fresh keys, and listens.
    ///
    /// # Errors
    /// [`Error`] when a key cannot be made or the address cannot be listened on; addresses other than loopback
    /// ones are refused.
    pub async fn start(options: ServiceOptions) -> Result<Self, Error> {
        let ServiceOptions { listen, classic_ca, classic_tsa, ca_domain, acme, clock, rng, .. } = options;
        let listener = Server::bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::Listen { address: listen, detail: error.to_string() })?;
        let base = format!("https://{address}");
        let now = clock.now();
        let pki = Arc::new(Pki::generate(classic_ca, Arc::clone(&rng), now).await?);
        let anchors = pki.all_anchors()?;
        let tsa = Tsa::new(&pki, classic_tsa, Arc::clone(&clock), Arc::clone(&rng)).await?;
        let post = Arc::new(PostOffice::new(&ca_domain, Arc::clone(&clock), &rng)?);
        let tls = LoopbackTls::generate(&rng, now).await?;
        let acme = Arc::new(AcmeServer::new(base.clone(), acme, pki, Arc::clone(&post), clock, rng));
        let desk = Arc::new(Desk { acme: Arc::clone(&acme), tsa });
        let server = Server::start(listener, tls.config, desk);
        Ok(Self { base, acme, post, anchors, tls_ca: tls.ca, _server: server })
    }

    /// Where the ACME directory stands.
    #[must_use]
    pub fn directory_url(&self) -> String {
        self.acme.directory_url()
    }

    /// Where a timestamp unit answers.
    #[must_use]
    pub fn tsa_url(&self, suite: Suite) -> String {
        format!("{}/tsa/{}", self.base, suite.word())
    }

    /// The CA that a client has to trust for the TLS connection, PEM.
    #[must_use]
    pub fn tls_ca_pem(&self) -> String {
        self.tls_ca.to_pem()
    }

    /// The six roots.
    #[must_use]
    pub fn anchors(&self) -> &PkiAnchors {
        &self.anchors
    }

    /// The mail system: reads mailboxes, sends mail, resolves DKIM keys.
    #[must_use]
    pub fn post_office(&self) -> &Arc<PostOffice> {
        &self.post
    }

    /// The mail system as the source of challenge mails.
    #[must_use]
    pub fn mail_source(&self) -> Arc<dyn MailSource> {
        self.post.clone()
    }

    /// The mail system as a sender.
    #[must_use]
    pub fn mail_sender(&self) -> Arc<dyn MailSender> {
        self.post.clone()
    }

    /// The mail system as the resolver of its DKIM keys.
    #[must_use]
    pub fn txt_resolver(&self) -> Arc<dyn TxtResolver> {
        self.post.clone()
    }

    /// What the service certified and did not revoke, by mailbox.
    #[must_use]
    pub fn certificate_directory(&self) -> Arc<dyn CertificateDirectory> {
        self.acme.clone()
    }
}
