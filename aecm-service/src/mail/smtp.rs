//! Mail that leaves over SMTP (RFC 5321): in the background, tried again a bounded number of times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use lettre::address::Envelope;
use lettre::transport::smtp::client::{Certificate as TlsCertificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::options::{SmtpDelivery, SmtpSecurity};

/// Mails that wait for a server at once; more are given up.
const MAX_WAITING: usize = 1_000;
/// Connections to one server at once.
const MAX_CONNECTIONS: usize = 4;

/// What became of the mails that went to mail servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outbox {
    /// Taken by the server.
    pub sent: u64,
    /// Refused for good, or tried as often as the options say.
    pub given_up: u64,
    /// Under way, or to be tried again.
    pub waiting: usize,
}

/// A mail server.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    options: SmtpDelivery,
    connections: Arc<Semaphore>,
    counts: Arc<Counts>,
    /// They end with the service.
    letters: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    given_up: AtomicU64,
}

impl Smtp {
    /// # Errors
    /// What is wrong with the roots or the host name.
    pub(super) fn new(options: SmtpDelivery, hello: &str) -> Result<Self, String> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls(&options)?)
            .timeout(Some(options.timeout))
            .hello_name(ClientId::Domain(hello.to_owned()))
            .build();
        Ok(Self {
            transport,
            options,
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            counts: Arc::default(),
            letters: Mutex::default(),
        })
    }

    /// Takes a mail; nobody waits for it.
    pub(super) fn send(&self, from: &Mailbox, to: &Mailbox, raw: &[u8]) {
        let server = format!("{}:{}", self.options.host, self.options.port);
        let give_up = |why: &str| {
            self.counts.given_up.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(server, why, "a mail is given up");
        };
        let Some(envelope) = envelope(from, to) else {
            return give_up("SMTP has no form for one of its addresses");
        };
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        while letters.try_join_next().is_some() {}
        if letters.len() >= MAX_WAITING {
            return give_up("too many mails wait");
        }
        let letter = Letter {
            transport: self.transport.clone(),
            connections: Arc::clone(&self.connections),
            counts: Arc::clone(&self.counts),
            options: self.options.clone(),
            server,
            envelope,
            raw: raw.to_vec(),
        };
        letters.spawn(letter.go());
    }

    pub(super) fn outbox(&self) -> Outbox {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        while letters.try_join_next().is_some() {}
        Outbox {
            sent: self.counts.sent.load(Ordering::Relaxed),
            given_up: self.counts.given_up.load(Ordering::Relaxed),
            waiting: letters.len(),
        }
    }
}

/// STARTTLS as the options want it.
fn tls(options: &SmtpDelivery) -> Result<Tls, String> {
    let parameters = TlsParameters::builder(options.host.clone());
    let failed = |error: lettre::transport::smtp::Error| {
        format!("TLS to the mail server {} cannot be set up: {error}", options.host)
    };
    match &options.security {
        SmtpSecurity::Plain => Ok(Tls::None),
        // Nothing says whose certificate it would have to be; the alternative is none at all.
        SmtpSecurity::Offered => {
            let parameters = parameters
                .certificate_store(CertificateStore::None)
                .dangerous_accept_invalid_certs(true)
                .dangerous_accept_invalid_hostnames(true);
            Ok(Tls::Opportunistic(parameters.build().map_err(failed)?))
        }
        SmtpSecurity::Required { roots_pem: None } => Ok(Tls::Required(parameters.build().map_err(failed)?)),
        SmtpSecurity::Required { roots_pem: Some(roots_pem) } => {
            let roots = Certificate::all_from_pem(roots_pem)
                .map_err(|error| format!("the mail server's roots cannot be read: {error}"))?;
            if roots.is_empty() {
                return Err("there is no root to know the mail server by".to_owned());
            }
            let mut parameters = parameters.certificate_store(CertificateStore::None);
            for root in roots {
                let root = TlsCertificate::from_der(root.as_der().to_vec()).map_err(failed)?;
                parameters = parameters.add_root_certificate(root);
            }
            Ok(Tls::Required(parameters.build().map_err(failed)?))
        }
    }
}

fn envelope(from: &Mailbox, to: &Mailbox) -> Option<Envelope> {
    let address = |mailbox: &Mailbox| Address::new(mailbox.local(), &*mailbox.ascii_domain()).ok();
    Envelope::new(Some(address(from)?), vec![address(to)?]).ok()
}

struct Letter {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    connections: Arc<Semaphore>,
    counts: Arc<Counts>,
    options: SmtpDelivery,
    server: String,
    envelope: Envelope,
    raw: Vec<u8>,
}

impl Letter {
    async fn go(self) {
        let server = self.server.as_str();
        let attempts = self.options.attempts.max(1);
        let mut pause = self.options.pause;
        for attempt in 1..=attempts {
            match self.attempt().await {
                Ok(()) => {
                    self.counts.sent.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(server, attempt, "a mail was taken");
                    return;
                }
                // What the server says may repeat an address, never the mail.
                Err(Failure { detail, permanent }) => {
                    let last = attempt == attempts || permanent;
                    tracing::warn!(server, attempt, last, detail, "a mail was not taken");
                    if last {
                        break;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
        self.counts.given_up.fetch_add(1, Ordering::Relaxed);
    }

    async fn attempt(&self) -> Result<(), Failure> {
        // The semaphore is never closed.
        let _connection = self.connections.acquire().await;
        // The transport ends the last line itself; with two ends it would not be the mail that was signed.
        let raw = self.raw.strip_suffix(b"\r\n").unwrap_or(&self.raw);
        let sending = self.transport.send_raw(&self.envelope, raw);
        match tokio::time::timeout(self.options.timeout, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failure { permanent: error.is_permanent(), detail: error.to_string() }),
            Err(_) => Err(Failure { permanent: false, detail: "it took too long".to_owned() }),
        }
    }
}

/// Why a mail was not taken.
struct Failure {
    permanent: bool,
    detail: String,
}
