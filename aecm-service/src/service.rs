//! The service in one process: what a caller starts and asks.

use std::net::SocketAddr;
use std::sync::Arc;

use aecm_acme::mail::{MailSender, MailSource};
use aecm_core::certificate::Certificate;
use aecm_core::directory::CertificateDirectory;
use aecm_core::embed::TxtResolver;
use aecm_core::suite::Suite;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::acme::{AcmeServer, Escrow, Parts};
use crate::ca::{Anchors, Pki, PkiAnchors};
use crate::error::Error;
use crate::folder::{Change, Folder, StateError};
use crate::identity::Identity;
use crate::mail::PostOffice;
use crate::net::{Answer, Ask, Handler, Server};
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
        let (method, path) = (ask.method.clone(), ask.path.clone());
        let answer = self.hand_out(ask).await;
        tracing::debug!(%method, %path, status = answer.status, problem = answer.problem, "answered");
        answer
    }
}

impl Desk {
    async fn hand_out(&self, ask: Ask) -> Answer {
        if ask.path == "/acme" || ask.path.starts_with("/acme/") {
            self.acme.answer(ask).await
        } else if ask.path.starts_with("/tsa/") {
            self.tsa.answer(ask).await
        } else if ask.path.starts_with("/crl/") {
            self.acme.answer_crl(&ask).await
        } else if ask.path.starts_with("/aecm/") {
            self.acme.answer_public(&ask)
        } else {
            Answer::empty(404)
        }
    }
}

impl Service {
    /// Makes authorities, timestamp units, a mail system and a TLS identity with fresh keys, or takes those of
    /// the state folder, and listens.
    ///
    /// A folder that a service was started from gives the same roots, keys, accounts, orders and certificates
    /// again, also after the process was killed at any moment; the same URLs, too: with port 0 in `listen` the
    /// port is that of the time before. On another port the directory and the account URLs change with it: clients
    /// then find their accounts by their keys (`onlyReturnExisting`).
    ///
    /// # Errors
    /// [`Error`] when a key cannot be made, the address cannot be listened on, or the state folder is damaged,
    /// newer than this service or in use; addresses other than loopback ones are refused.
    pub async fn start(options: ServiceOptions) -> Result<Self, Error> {
        Server::require_loopback(options.listen)?;
        let base = options.base_url.as_deref().map(origin).transpose()?;
        let (identity, folder, rows) = Self::identity(&options).await?;
        let (listener, address) = Self::listen(&options, folder.as_ref()).await?;
        let base = base.unwrap_or_else(|| format!("https://{address}"));
        let Identity { branches, tsa_classic, tsa_sm2, tls, dkim, escrow } = identity;
        let ServiceOptions { ca_domain, acme, clock, rng, state, mail, .. } = options;
        let pki = Arc::new(Pki::restore(branches, Arc::clone(&rng)));
        let anchors = pki.all_anchors()?;
        let tsa = Tsa::new(&pki, tsa_classic, tsa_sm2, Arc::clone(&clock), Arc::clone(&rng))?;
        let post = Arc::new(PostOffice::new(&ca_domain, dkim, &mail, Arc::clone(&clock), &rng)?);
        let tls = tls.configure()?;
        let escrow = match (escrow, &acme.escrow) {
            (Some(keys), Some(options)) => Some(Escrow::new(keys, options.terms.clone(), &pki, &rng)?),
            _ => None,
        };
        let parts = Parts { pki, post: Arc::clone(&post), clock, rng, escrow, folder, rows };
        let acme = AcmeServer::new(base.clone(), acme, parts);
        let acme = Arc::new(acme.map_err(|detail| {
            StateError::damaged(&state.unwrap_or_default(), format!("a row does not read back: {detail}"))
        })?);
        acme.write_changes()?;
        let desk = Arc::new(Desk { acme: Arc::clone(&acme), tsa });
        let server = Server::start(listener, tls.config, desk);
        Ok(Self { base, acme, post, anchors, tls_ca: tls.ca, _server: server })
    }

    /// Listens: where the options say, or with port 0 on the port that the folder keeps, or on a free one.
    async fn listen(
        options: &ServiceOptions,
        folder: Option<&Folder>,
    ) -> Result<(TcpListener, SocketAddr), Error> {
        let kept = match folder {
            Some(folder) => folder.port()?,
            None => None,
        };
        let mut wanted = options.listen;
        let listener = match kept.filter(|_| wanted.port() == 0) {
            Some(port) => {
                wanted.set_port(port);
                Server::bind_patiently(wanted).await.map_err(|error| match error {
                    Error::Listen { address, detail } => Error::KeptPort { address, detail },
                    other => other,
                })?
            }
            None => Server::bind(wanted).await?,
        };
        let address = listener
            .local_addr()
            .map_err(|error| Error::Listen { address: wanted, detail: error.to_string() })?;
        if let Some(folder) = folder.filter(|_| kept != Some(address.port())) {
            folder.keep_port(address.port())?;
        }
        Ok((listener, address))
    }

    /// Who the service is: as the folder says, or new.
    async fn identity(options: &ServiceOptions) -> Result<(Identity, Option<Folder>, Vec<Change>), Error> {
        let now = options.clock.now();
        let Some(directory) = options.state.clone() else {
            let mut identity = Identity::generate(options, now).await?;
            identity.complete(options, now).await?;
            return Ok((identity, None, Vec::new()));
        };
        let at = directory.join("identity");
        let opened = tokio::task::spawn_blocking(move || Folder::open(&directory)).await;
        let found = opened
            .map_err(|error| StateError::io("read", &at, &std::io::Error::other(error.to_string())))??;
        let (mut identity, new) = match &found.identity {
            Some(json) => (Identity::from_json(json, &at)?, false),
            None => (Identity::generate(options, now).await?, true),
        };
        if identity.complete(options, now).await? || new {
            found.folder.write_identity(&identity.to_json()?)?;
        }
        Ok((identity, Some(found.folder), found.rows))
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

    /// What somebody who starts the service as a process wants to know, as JSON: `directory` (URL), `tls_ca`
    /// (PEM), `anchors` {smime, tsa, mailbox_timestamp} each {classic, sm2} (PEM), `tsa` {classic, sm2} (URLs),
    /// `dkim` {name: TXT}, `pid`; with external accounts `eab`, their names and levels, never their keys.
    #[must_use]
    pub fn ready(&self) -> Value {
        let anchors =
            |anchors: &Anchors| json!({ "classic": anchors.classic.to_pem(), "sm2": anchors.sm2.to_pem() });
        let dkim: Map<String, Value> =
            self.post.dkim_records().into_iter().map(|(name, text)| (name, json!(text))).collect();
        let mut ready = json!({
            "directory": self.directory_url(),
            "tls_ca": self.tls_ca_pem(),
            "anchors": {
                "smime": anchors(&self.anchors.smime),
                "tsa": anchors(&self.anchors.tsa),
                "mailbox_timestamp": anchors(&self.anchors.mailbox_timestamp),
            },
            "tsa": { "classic": self.tsa_url(Suite::Classic), "sm2": self.tsa_url(Suite::Sm2) },
            "dkim": dkim,
            "pid": std::process::id(),
        });
        let customers = self.acme.customers();
        if let Some(members) = ready.as_object_mut().filter(|_| !customers.is_empty()) {
            members.insert("eab".to_owned(), json!(customers));
        }
        ready
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

/// An origin as it stands at the begin of every URL.
fn origin(url: &str) -> Result<String, Error> {
    let authority = url.strip_prefix("https://").unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address are within its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let name = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
    let host_is_one = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(name),
    };
    if host_is_one && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0)) {
        return Ok(url.to_owned());
    }
    Err(Error::BaseUrl { url: url.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_origin() {
        for good in
            ["https://ca.example.test", "https://localhost:8443", "https://[::1]:443", "https://[::1]"]
        {
            assert_eq!(origin(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "https://",
            "http://ca.example.test",
            "ca.example.test",
            "https://ca.example.test/",
            "https://ca.example.test/acme",
            "https://ca.example.test?x",
            "https://ca.example.test#x",
            "https://user@ca.example.test",
            "https://ca.example.test:0",
            "https://ca.example.test:65536",
            "https://ca.example.test:",
            "https://ca example.test",
            "https://ca.example.test\r\nX: y",
            "https://[::1",
            "https://[example]",
        ] {
            assert_eq!(origin(bad), Err(Error::BaseUrl { url: bad.to_owned() }), "{bad:?}");
        }
    }
}
