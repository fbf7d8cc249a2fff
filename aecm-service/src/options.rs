//! How the service behaves: everything has a default that a conforming client expects.

mod external;
mod mail;
mod token;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aecm_core::embed::{Clock, OsRng, Rng, SystemClock};
use aecm_core::software::KeySpec;

pub use aecm_acme::wire::TokenSubmission;
pub use external::{ExternalAccount, ExternalAccountError, ExternalSubject};
pub use mail::{MailDelivery, SmtpDelivery, SmtpSecurity};
pub use token::{ChallengeMailTime, TokenPart1Bytes};

/// How the ACME server behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcmeOptions {
    /// What is offered, the preferred one first. With reply mail alone, `meta.aecm` is absent and the server
    /// is a plain RFC 8823 one.
    pub submissions: Vec<TokenSubmission>,
    /// Whether a valid authorization serves further orders of its account for the same mailbox.
    pub reuse_authorizations: bool,
    /// How long an order stays `processing` after finalize; `None` issues at once.
    pub processing: Option<Duration>,
    /// How many accounts, orders, authorizations, certificates, transfers and packages in escrow are remembered, each
    /// (10,000). Beyond it the oldest of what is over makes room: expired orders, decided authorizations, accounts
    /// that nothing hangs on for an hour, expired certificates, transfers that are done. Where all of it stands,
    /// requests for more are refused with `rateLimited`.
    pub capacity: usize,
    /// How many open orders, pending authorizations, standing certificates and waiting transfers one account has, each
    /// (1,000); beyond it `rateLimited` with the time until the first of them ends.
    pub per_account: usize,
    /// When the challenge mail goes out.
    pub challenge_mail: ChallengeMailTime,
    /// How long token-part1 is.
    pub token_part1_bytes: TokenPart1Bytes,
    /// The customers that may bind their accounts (RFC 8555 §7.3.4), by the name of the MAC key.
    pub external_accounts: BTreeMap<String, ExternalAccount>,
    /// Whether new accounts are refused without a binding.
    pub external_account_required: bool,
    /// Whether encrypting keys may be left with the service, and under which terms; `None` keeps none.
    pub escrow: Option<EscrowOptions>,
    /// Whether a mailbox is told by mail of a new device, another encrypting key and a recovery from escrow.
    pub notices: bool,
}

impl Default for AcmeOptions {
    fn default() -> Self {
        Self {
            submissions: vec![
                TokenSubmission::WithCsr,
                TokenSubmission::ChallengeResponse,
                TokenSubmission::ReplyMail,
            ],
            reuse_authorizations: true,
            processing: None,
            capacity: 10_000,
            per_account: 1_000,
            challenge_mail: ChallengeMailTime::default(),
            token_part1_bytes: TokenPart1Bytes::default(),
            external_accounts: BTreeMap::new(),
            external_account_required: false,
            escrow: None,
            notices: true,
        }
    }
}

/// How the service keeps encrypting keys for their mailboxes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EscrowOptions {
    /// The key type of the escrow certificate: RSA of 3072 bits, which takes seconds to make, or SM2.
    pub key: KeySpec,
    /// The terms a mailbox consents to, plain text.
    pub terms: String,
}

impl Default for EscrowOptions {
    fn default() -> Self {
        Self {
            key: KeySpec::Rsa(3_072),
            terms: "The service keeps your encrypting keys, encrypted, and hands them to devices that prove \
                    control of your mailbox.\n"
                .to_owned(),
        }
    }
}

/// How the service is set up.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceOptions {
    /// Where to listen: a loopback address. Port 0 takes the one that the state folder keeps, so that all URLs stay
    /// the same, and without one a free one.
    pub listen: SocketAddr,
    /// The origin that clients reach the service at (`https://host` or `https://host:port`), for all URLs that it gives
    /// out; `None` takes the address it listens on. What the state folder keeps is relative to it, so that accounts,
    /// orders and revocation lists stay where they are when the port changes behind it.
    pub base_url: Option<String>,
    /// The key type of the classic authorities. P-256 is made in no time; RSA takes seconds.
    pub classic_ca: KeySpec,
    /// The key type of the classic timestamp unit.
    pub classic_tsa: KeySpec,
    /// The mail domain of the CA, from which challenge mails come.
    pub ca_domain: String,
    /// How the ACME server behaves.
    pub acme: AcmeOptions,
    /// The folder the service keeps its state in and starts again from; `None` keeps it in memory. Key types
    /// are those of the first start, whatever `classic_ca` and `classic_tsa` say later.
    pub state: Option<PathBuf>,
    /// Where mail goes; several ways at once are possible.
    pub mail: Vec<MailDelivery>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub rng: Arc<dyn Rng>,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            base_url: None,
            classic_ca: KeySpec::P256,
            classic_tsa: KeySpec::Rsa(2048),
            ca_domain: "ca.example.test".to_owned(),
            acme: AcmeOptions::default(),
            state: None,
            mail: vec![MailDelivery::Memory],
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
        }
    }
}

impl core::fmt::Debug for ServiceOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServiceOptions")
            .field("listen", &self.listen)
            .field("base_url", &self.base_url)
            .field("ca_domain", &self.ca_domain)
            .field("acme", &self.acme)
            .field("state", &self.state)
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}
