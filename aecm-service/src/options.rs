//! How the service behaves: everything has a default that a conforming client expects.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aecm_core::embed::{Clock, OsRng, Rng, SystemClock};
use aecm_core::software::KeySpec;

pub use aecm_acme::wire::TokenSubmission;

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
    /// How many accounts, orders, authorizations and certificates are remembered, each; beyond it requests for
    /// more are refused with `rateLimited`.
    pub capacity: usize,
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
        }
    }
}

/// How the service is set up.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceOptions {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The key type of the classic authorities. P-256 is made in no time; RSA takes seconds.
    pub classic_ca: KeySpec,
    /// The key type of the classic timestamp unit.
    pub classic_tsa: KeySpec,
    /// The mail domain of the CA, from which challenge mails come.
    pub ca_domain: String,
    /// How the ACME server behaves.
    pub acme: AcmeOptions,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub rng: Arc<dyn Rng>,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            classic_ca: KeySpec::P256,
            classic_tsa: KeySpec::Rsa(2048),
            ca_domain: "ca.example.test".to_owned(),
            acme: AcmeOptions::default(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
        }
    }
}

impl core::fmt::Debug for ServiceOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServiceOptions")
            .field("listen", &self.listen)
            .field("ca_domain", &self.ca_domain)
            .field("acme", &self.acme)
            .finish_non_exhaustive()
    }
}
