//! `aecm serve`: the service as a process, to develop and test against.

mod customers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_core::software::KeySpec;
use aecm_service::{
    ChallengeMailTime, EscrowOptions, MailDelivery, Service, ServiceOptions, SmtpDelivery, SmtpSecurity,
    TokenPart1Bytes, TokenSubmission,
};
use clap::{Args, ValueEnum};

use crate::cli::online::stop::{Done, Stop, settle};
use crate::cli::{Failure, Io, Outcome, output, runtime};

/// Runs the service: ACME server, certification authorities of both suites, timestamp authority, challenge mails.
///
/// It listens on loopback addresses only, ends with SIGINT or SIGTERM, and says in the file of --ready where it is
/// and whom to trust. Mail goes into a Maildir, to a mail server, or both; without either nobody gets it.
#[derive(Args)]
pub(in crate::cli) struct Serve {
    /// Where to listen; port 0 takes that of the time before, which --state keeps, or a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The folder to keep everything in and to start again from; without it all is forgotten at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Put all mail into this Maildir, made where it is missing
    #[arg(long, value_name = "DIR")]
    maildir: Option<PathBuf>,
    /// Hand all mail to this server (HOST:PORT), encrypted on the way where the server offers it
    #[arg(long, value_name = "ADDR", value_parser = host_and_port)]
    smtp: Option<(String, u16)>,
    /// Give mail up where the server of --smtp does not show a certificate of its name that this system trusts
    #[arg(long, requires = "smtp")]
    smtp_tls: bool,
    /// Write where it is, as JSON, to this file once it listens; removed at the end
    #[arg(long, value_name = "F")]
    ready: Option<PathBuf>,
    /// The mail domain of the CA
    #[arg(long, value_name = "DOMAIN", default_value = "ca.example.test")]
    domain: String,
    /// Which keys the classic authorities have
    #[arg(long, value_enum, default_value_t, value_name = "KEYS")]
    classic_ca: ClassicCa,
    /// When the challenge mail goes out: with the authorization, or when the client asks
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    challenge_mail: MailTime,
    /// Random octets in the token of the challenge mail: 20, 24 or 32
    #[arg(long, value_name = "N", default_value = "24", value_parser = token_part1)]
    token_part1: TokenPart1Bytes,
    /// How the token is taken, the preferred way first; reply-mail alone makes a plain RFC 8823 server
    #[arg(long, value_delimiter = ',', value_name = "WAY,…", value_parser = submission)]
    submission: Vec<TokenSubmission>,
    /// Ask for a challenge mail in every order
    #[arg(long)]
    no_reuse: bool,
    /// Customers that may bind accounts: {"kid": {"key": base64url, "organization": …, "given_name": …}}
    #[arg(long, value_name = "F")]
    eab: Option<PathBuf>,
    /// Refuse accounts that are not bound
    #[arg(long, requires = "eab")]
    eab_required: bool,
    /// Keep encrypting keys for mailboxes that ask for it, under an escrow key of this kind
    #[arg(long, value_enum, value_name = "KEY")]
    escrow: Option<EscrowKey>,
    /// Send no mail about new devices and keys
    #[arg(long)]
    no_notices: bool,
}

/// `--classic-ca`
#[derive(Clone, Copy, Default, ValueEnum)]
enum ClassicCa {
    /// RSA of 3,072 bits: seconds to make
    Rsa,
    /// ECC on P-256
    #[default]
    Ecc,
}

/// `--challenge-mail`
#[derive(Clone, Copy, Default, ValueEnum)]
enum MailTime {
    #[default]
    Authorization,
    Challenge,
}

/// `--escrow`
#[derive(Clone, Copy, ValueEnum)]
enum EscrowKey {
    Rsa,
    Sm2,
}

impl Serve {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let ready = self.ready.clone();
        let unheard = self.maildir.is_none() && self.smtp.is_none();
        let served =
            self.options(io).and_then(|options| runtime::block_on(serve(options, ready, unheard, io))?);
        Ok(settle(served))
    }

    fn options(self, io: &mut Io) -> Done<ServiceOptions> {
        let mut options = ServiceOptions::default();
        options.listen = self.listen;
        options.classic_ca = match self.classic_ca {
            ClassicCa::Rsa => KeySpec::Rsa(3_072),
            ClassicCa::Ecc => KeySpec::P256,
        };
        options.ca_domain = self.domain;
        options.state = self.state;
        options.mail = vec![MailDelivery::Memory];
        options.mail.extend(self.maildir.map(MailDelivery::Maildir));
        let strict = self.smtp_tls;
        let smtp = self.smtp.map(|(host, port)| {
            let mut delivery = SmtpDelivery::new(&host, port);
            if strict {
                delivery.security = SmtpSecurity::Required { roots_pem: None };
            }
            MailDelivery::Smtp(delivery)
        });
        options.mail.extend(smtp);
        options.clock = Arc::clone(&io.clock);
        options.rng = Arc::clone(&io.rng);
        let acme = &mut options.acme;
        if !self.submission.is_empty() {
            acme.submissions = self.submission;
        }
        acme.reuse_authorizations = !self.no_reuse;
        acme.challenge_mail = match self.challenge_mail {
            MailTime::Authorization => ChallengeMailTime::AtAuthorization,
            MailTime::Challenge => ChallengeMailTime::AtChallenge,
        };
        acme.token_part1_bytes = self.token_part1;
        if let Some(path) = &self.eab {
            acme.external_accounts = customers::read(path, io)?;
        }
        acme.external_account_required = self.eab_required;
        acme.escrow = self.escrow.map(|key| {
            let mut escrow = EscrowOptions::default();
            escrow.key = match key {
                EscrowKey::Rsa => KeySpec::Rsa(3_072),
                EscrowKey::Sm2 => KeySpec::Sm2,
            };
            escrow
        });
        acme.notices = !self.no_notices;
        Ok(options)
    }
}

async fn serve(options: ServiceOptions, ready: Option<PathBuf>, unheard: bool, io: &mut Io) -> Done<Outcome> {
    // Before anybody can know the process: a signal that comes early must not kill it halfway.
    let mut stopped = Stopped::new()?;
    let service = tokio::select! {
        started = Service::start(options) => started.map_err(not_started)?,
        signal = stopped.wait() => return Ok(outcome(signal, 0)),
    };
    let directory = service.directory_url();
    let page = format!("{}\n", service.ready());
    if let Some(path) = &ready {
        output::write_whole(path, page.as_bytes(), false)?;
    }
    io.hint(&format!("listening: {directory}"));
    if unheard {
        io.hint("no --maildir and no --smtp: challenge mails reach nobody outside this process");
    }
    let signal = stopped.wait().await;
    if let Some(path) = &ready {
        withdraw(path, &page);
    }
    Ok(outcome(signal, service.post_office().delivered()).with("directory", directory.as_str()))
}

/// Takes the page away that says the service is there; not that of another which began in its place.
fn withdraw(path: &Path, page: &str) {
    if std::fs::read(path).is_ok_and(|found| found == page.as_bytes()) {
        // Where it cannot go, its process number is seen to be nobody's.
        let _ = std::fs::remove_file(path);
    }
}

fn outcome(signal: &str, mails: u64) -> Outcome {
    Outcome::of("valid")
        .with("signal", signal)
        .with("mails", mails)
        .saying(format!("stopped by {signal}; {mails} mails were sent"))
}

fn not_started(error: aecm_service::Error) -> Stop {
    let reason = match &error {
        aecm_service::Error::NotLoopback { .. } => "not-loopback",
        aecm_service::Error::Listen { .. } | aecm_service::Error::KeptPort { .. } => "listen",
        aecm_service::Error::State(_) => "state-unusable",
        _ => "service-failed",
    };
    Stop::error(reason, error.to_string())
}

/// The signals that end the service.
#[cfg(unix)]
struct Stopped {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stopped {
    fn new() -> Done<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| Stop::error("system", error.to_string()));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
struct Stopped;

#[cfg(not(unix))]
impl Stopped {
    fn new() -> Done<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) -> &'static str {
        // Without a handler there is nothing but the end of the process.
        let _ = tokio::signal::ctrl_c().await;
        "SIGINT"
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("{text:?} is not HOST:PORT");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return Err(wrong());
    }
    Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
}

fn token_part1(text: &str) -> Result<TokenPart1Bytes, String> {
    let bytes = text.parse().ok().and_then(TokenPart1Bytes::from_bytes);
    bytes.ok_or_else(|| "20, 24 or 32 octets can be had".to_owned())
}

fn submission(text: &str) -> Result<TokenSubmission, String> {
    TokenSubmission::from_word(text)
        .ok_or_else(|| "with-csr, challenge-response and reply-mail can be had".to_owned())
}
