//! Putting the parts together: directory, store, mail, HTTP, trust.

use std::sync::Arc;
use std::time::Duration;

use aecm_acme::jws::{EabError, ExternalAccount};
use aecm_acme::mail::{ChallengeAuthenticator, MailSender, MailSource};
use aecm_acme::wire::TokenSubmission;
use aecm_core::directory::CertificateDirectory;
use aecm_core::embed::{Clock, Http, OsRng, Rng, Sleep, SystemClock};
use aecm_core::suite::Suite;
use aecm_store::KeyStore;
use aecm_timestamp::{HttpSource, TimestampPolicy, TimestampSource};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::trust::Trust;

/// The user's word on what a certificate needs: consent is given once and never assumed (STANDARDS A30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The user agrees to the terms of service of the ACME server.
    pub terms_of_service: bool,
}

impl Consent {
    /// The user has agreed to the terms of service that the server names.
    #[must_use]
    pub const fn agreed() -> Self {
        Self { terms_of_service: true }
    }
}

pub(crate) struct Parts {
    pub(crate) directory_url: String,
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) mail: Arc<dyn MailSource>,
    pub(crate) sender: Option<Arc<dyn MailSender>>,
    pub(crate) authenticator: Arc<dyn ChallengeAuthenticator>,
    pub(crate) directory: Option<Arc<dyn CertificateDirectory>>,
    pub(crate) authorities: Vec<(Suite, Arc<dyn TimestampSource>)>,
    pub(crate) stamp_deadline: Duration,
    pub(crate) trust: Trust,
    pub(crate) consent: Consent,
    pub(crate) submission: Option<TokenSubmission>,
    pub(crate) contact: Vec<String>,
    pub(crate) external_account: Option<ExternalAccount>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sleep: Arc<dyn Sleep>,
    pub(crate) rng: Arc<dyn Rng>,
}

/// Automatic S/MIME for the mailboxes of one store, with one ACME service. Cheap to clone.
#[derive(Clone)]
pub struct Aecm(Arc<Parts>);

impl core::fmt::Debug for Aecm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Aecm").field("directory_url", &self.0.directory_url).finish_non_exhaustive()
    }
}

impl Aecm {
    /// Begins with the URL of the ACME directory.
    pub fn builder(directory_url: impl Into<String>) -> AecmBuilder {
        AecmBuilder { directory_url: directory_url.into(), ..AecmBuilder::default() }
    }

    /// The mailbox with that address; nothing is asked or stored yet.
    ///
    /// # Errors
    /// [`Error::Address`] when it is not an addr-spec (RFC 5321 §4.1.2).
    pub fn mailbox(&self, address: &str) -> Result<Mailbox, Error> {
        let parsed = address
            .parse()
            .map_err(|error| Error::Address { address: address.to_owned(), detail: format!("{error}") })?;
        Ok(Mailbox::new(self.clone(), parsed))
    }

    /// URL of the ACME directory.
    #[must_use]
    pub fn directory_url(&self) -> &str {
        &self.0.directory_url
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Where keys live.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn KeyStore> {
        &self.0.store
    }

    /// Whom it believes.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.0.trust
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    pub(crate) fn rng(&self) -> &Arc<dyn Rng> {
        &self.0.rng
    }

    pub(crate) fn directory(&self) -> Option<&dyn CertificateDirectory> {
        self.0.directory.as_deref()
    }

    /// The timestamp authority for signatures of a suite.
    pub(crate) fn authority(&self, suite: Suite) -> Option<&Arc<dyn TimestampSource>> {
        self.0.authorities.iter().find(|(of, _)| *of == suite).map(|(_, source)| source)
    }

    /// What tokens have to satisfy, at the present time.
    #[must_use]
    pub fn timestamp_policy(&self) -> TimestampPolicy {
        timestamp_policy(&self.0.trust, self.0.clock.as_ref())
    }
}

/// The policy of tokens under `trust`.
pub(crate) fn timestamp_policy(trust: &Trust, clock: &dyn Clock) -> TimestampPolicy {
    let mut policy = TimestampPolicy::new(trust.tsa.clone());
    policy.mailbox_anchors = trust.mailbox_timestamp.clone();
    policy.now = Some(clock.now());
    policy.limits = trust.policy.limits.clone();
    policy
}

/// Collects the parts of an [`Aecm`].
#[must_use]
#[derive(Default)]
pub struct AecmBuilder {
    directory_url: String,
    store: Option<Arc<dyn KeyStore>>,
    http: Option<Arc<dyn Http>>,
    mail: Option<Arc<dyn MailSource>>,
    sender: Option<Arc<dyn MailSender>>,
    authenticator: Option<Arc<dyn ChallengeAuthenticator>>,
    directory: Option<Arc<dyn CertificateDirectory>>,
    authorities: Vec<(Suite, Arc<dyn TimestampSource>)>,
    stamp_deadline: Option<Duration>,
    trust: Option<Trust>,
    consent: Consent,
    submission: Option<TokenSubmission>,
    contact: Vec<String>,
    external_account: Option<Result<ExternalAccount, EabError>>,
    clock: Option<Arc<dyn Clock>>,
    sleep: Option<Arc<dyn Sleep>>,
    rng: Option<Arc<dyn Rng>>,
}

impl core::fmt::Debug for AecmBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AecmBuilder").field("directory_url", &self.directory_url).finish_non_exhaustive()
    }
}

impl AecmBuilder {
    /// Where keys live. Required.
    pub fn store(mut self, store: Arc<dyn KeyStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// How the network is reached. Required.
    pub fn http(mut self, http: Arc<dyn Http>) -> Self {
        self.http = Some(http);
        self
    }

    /// Where the mailbox is read. Required.
    pub fn mail(mut self, mail: Arc<dyn MailSource>) -> Self {
        self.mail = Some(mail);
        self
    }

    /// How mail is sent, for servers that want RFC 8823's reply mail.
    pub fn sender(mut self, sender: Arc<dyn MailSender>) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Who says whether a challenge mail is genuine, for example
    /// [`DkimAuthenticator`](aecm_acme::email::DkimAuthenticator). Required.
    pub fn authenticator(mut self, authenticator: Arc<dyn ChallengeAuthenticator>) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Where the certificates of recipients are found.
    pub fn directory(mut self, directory: Arc<dyn CertificateDirectory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The timestamp authority for signatures of a suite; one call a suite.
    pub fn authority(mut self, suite: Suite, source: Arc<dyn TimestampSource>) -> Self {
        self.authorities.retain(|(of, _)| *of != suite);
        self.authorities.push((suite, source));
        self
    }

    /// How long composing waits for a stamp before the mail goes out without one; 10 seconds unless said
    /// otherwise (THREATS T9). Several authorities in [`Failover`](aecm_timestamp::Failover) share it.
    pub const fn stamp_deadline(mut self, deadline: Duration) -> Self {
        self.stamp_deadline = Some(deadline);
        self
    }

    /// Whom to believe. Required.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// What the user agreed to. Without it no account is opened.
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// How the challenge token is handed in, where the choice is not left to what the server prefers.
    pub fn submission(mut self, submission: TokenSubmission) -> Self {
        self.submission = Some(submission);
        self
    }

    /// Binds the account to a customer whom the CA has checked (RFC 8555 §7.3.4), under the key name and the MAC
    /// key (base64url) that the CA gave: levels above the mailbox need it. It counts when the account is opened.
    ///
    /// A key that cannot be used is told by [`AecmBuilder::build`].
    pub fn external_account(mut self, kid: &str, hmac_key: &str) -> Self {
        self.external_account = Some(ExternalAccount::new(kid, hmac_key));
        self
    }

    /// Where the CA may reach the owner of the account: a `mailto:` URL or a bare address; one call each. It
    /// counts when the account is opened.
    pub fn contact(mut self, contact: impl Into<String>) -> Self {
        let contact = contact.into();
        let is_url = contact.contains(':');
        self.contact.push(if is_url { contact } else { format!("mailto:{contact}") });
        self
    }

    /// The clock; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How to wait; tokio's timer by default where the feature `hyper` is on, else required.
    pub fn sleep(mut self, sleep: Arc<dyn Sleep>) -> Self {
        self.sleep = Some(sleep);
        self
    }

    /// The random source; the system's by default.
    pub fn rng(mut self, rng: Arc<dyn Rng>) -> Self {
        self.rng = Some(rng);
        self
    }

    /// Checks that nothing required is missing.
    ///
    /// # Errors
    /// [`Error::Missing`] names the part; [`Error::ExternalAccount`].
    pub fn build(self) -> Result<Aecm, Error> {
        let missing = |part| Error::Missing { part };
        Ok(Aecm(Arc::new(Parts {
            directory_url: self.directory_url,
            store: self.store.ok_or(missing("store"))?,
            http: self.http.ok_or(missing("http"))?,
            mail: self.mail.ok_or(missing("mail"))?,
            sender: self.sender,
            authenticator: self.authenticator.ok_or(missing("authenticator"))?,
            directory: self.directory,
            authorities: self.authorities,
            stamp_deadline: self.stamp_deadline.unwrap_or(HttpSource::DEADLINE),
            trust: self.trust.ok_or(missing("trust"))?,
            consent: self.consent,
            submission: self.submission,
            contact: self.contact,
            external_account: self.external_account.transpose().map_err(Error::ExternalAccount)?,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            sleep: self.sleep.or_else(default_sleep).ok_or(missing("sleep"))?,
            rng: self.rng.unwrap_or_else(|| Arc::new(OsRng)),
        })))
    }
}

#[cfg(feature = "hyper")]
fn default_sleep() -> Option<Arc<dyn Sleep>> {
    Some(Arc::new(aecm_acme::hyper::TokioSleep))
}

#[cfg(not(feature = "hyper"))]
fn default_sleep() -> Option<Arc<dyn Sleep>> {
    None
}
