//! The client as a machine without I/O: it says what it wishes, and is told what came of it.
//!
//! One [`Machine`] drives a whole [`Plan`]: the account, one order after the other, one
//! challenge mail where the server reuses the authorization and one mail per order where it does not
//! (STANDARDS A5), submission of the token in the way the server offers (A2), the CSRs, and the check of every
//! certificate.
//!
//! ```text
//! loop:  output = machine.poll(now)        what is wished
//!        save(machine.save())              before anything is done (THREATS N6)
//!        machine.handle(input, now)        what came of it
//! ```
//!
//! A machine can be stopped after any output and go on from its saved state. Polling again without an answer
//! says that the answer was lost: what is safe to repeat is wished again; after a finalize or a challenge
//! response the server's state is read first (N11).

mod account;
mod answer;
mod challenge;
mod config;
mod error;
mod exchange;
mod hide;
mod io;
mod issue;
mod order;
mod retry;
mod state;

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::public_key::PublicKey;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::jws::Jwk;
use crate::plan::{Plan, PlanItem};
use crate::url::Origin;

pub use config::{Config, IssuerAnchors};
pub use error::{Error, StateError, Step as StepName};
pub use io::{
    AcceptedMail, AccountRecord, Consent, Input, Issued, KeyExists, Outcome, Output, RefusedMail, Report,
    WaitMail,
};
pub use retry::retry_after;

use error::Step;
use state::{ItemState, OrderState, Phase, State};

/// Obtains the certificates of a plan.
pub struct Machine {
    config: Config,
    account_key: PublicKey,
    origin: Origin,
    jwk: Jwk,
    state: State,
}

/// Without the state, which may hold a token (THREATS N9).
impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("step", &self.state.step).finish_non_exhaustive()
    }
}

impl Machine {
    /// Begins with `plan`. `account_key` signs ES256 and is no certificate's; `account` is what an earlier
    /// report gave. `seed` is a random number: it spreads retries of many clients over time and is no secret.
    ///
    /// # Errors
    /// [`Error::Url`] when the directory's URL is not https (or http on an allowed loopback),
    /// [`Error::AccountKey`] when the account key is not on P-256.
    pub fn new(
        config: Config,
        account_key: &PublicKey,
        plan: &Plan,
        account: Option<AccountRecord>,
        seed: u64,
    ) -> Result<Self, Error> {
        let (origin, jwk) = Self::fixed(&config, account_key)?;
        let account = account.filter(|account| {
            account.directory == config.directory_url
                && account.thumbprint == jwk.thumbprint()
                && origin.check(&account.url).is_ok()
        });
        let state = State::new(&config.directory_url, &jwk.thumbprint(), plan, account, seed);
        Ok(Self { config, account_key: account_key.clone(), origin, jwk, state })
    }

    /// Goes on from octets of [`Machine::save`].
    ///
    /// # Errors
    /// [`StateError`] when they are not a state of this version, or of another directory or account key.
    pub fn restore(config: Config, account_key: &PublicKey, saved: &[u8]) -> Result<Self, StateError> {
        let (origin, jwk) = Self::fixed(&config, account_key).map_err(|_| StateError::Config)?;
        let state = State::read(saved)?;
        if state.directory_url != config.directory_url || state.thumbprint != jwk.thumbprint() {
            return Err(StateError::Other);
        }
        Ok(Self { config, account_key: account_key.clone(), origin, jwk, state })
    }

    /// Takes up `plan` in a new call: the account, the used mails and open orders stay; what is in `plan` counts as
    /// not issued. The directory is read again, then an open order whose item is in `plan`. One whose item is not
    /// is kept for a call that wants it.
    ///
    /// `false` where `plan` is for another mailbox; nothing is changed then.
    #[must_use]
    pub fn retarget(&mut self, plan: &Plan) -> bool {
        let same = self.state.mailbox == plan.mailbox;
        if same {
            self.state.retarget(plan);
        }
        same
    }

    fn fixed(config: &Config, account_key: &PublicKey) -> Result<(Origin, Jwk), Error> {
        let origin = Origin::of_directory(&config.directory_url, config.allow_loopback_http)?;
        match Jwk::from_public_key(account_key) {
            Some(jwk @ Jwk::P256 { .. }) => Ok((origin, jwk)),
            _ => Err(Error::AccountKey),
        }
    }

    /// The state, to be stored where the account key is: it may hold a token.
    ///
    /// # Errors
    /// [`StateError::Unwritable`] is never seen in practice; it is what the serializer could report.
    pub fn save(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        self.state.write()
    }

    /// The plan, as it was given last.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            mailbox: self.state.mailbox.clone(),
            items: self.state.items.iter().map(|item| item.item.clone()).collect(),
        }
    }

    /// Where the machine is.
    #[must_use]
    pub const fn step(&self) -> StepName {
        self.state.step
    }

    /// The item that is being worked at.
    #[must_use]
    pub fn item(&self) -> Option<&PlanItem> {
        self.state.current_item()
    }

    /// The account, once it is known.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountRecord> {
        self.state.account.as_ref()
    }

    /// The URL of the authorization that proved the mailbox last, as far as this plan has seen one.
    #[must_use]
    pub fn proof(&self) -> Option<&str> {
        self.state.proof.as_deref()
    }

    /// What is wished now.
    ///
    /// # Errors
    /// [`Error`] when the plan cannot go on; see [`Machine::handle`].
    pub fn poll(&mut self, now: Time) -> Result<Output, Error> {
        let result = match self.wish(now) {
            Err(error) if self.outlived(&error, self.resumes()) => self.wish(now),
            result => result,
        };
        self.settle(result)
    }

    /// Takes what came of the wish.
    ///
    /// # Errors
    /// [`Error`]; the machine has then given up the order it was at, and keeps what was issued. Polling it again
    /// tries that certificate once more with a new order. Where a CSR had been submitted the server may have
    /// issued: that order is then read once more before it is given up.
    pub fn handle(&mut self, input: Input, now: Time) -> Result<(), Error> {
        let resumes = self.resumes();
        let result = match self.take(input, now) {
            Err(error) if self.outlived(&error, resumes) => Ok(()),
            result => result,
        };
        self.settle(result)
    }

    /// Whether orders are kept that were opened in earlier calls, for what is not in this plan.
    pub(crate) const fn keeps_orders(&self) -> bool {
        !self.state.parked.is_empty()
    }

    fn resumes(&self) -> bool {
        self.state.order.as_ref().is_some_and(|order| order.resumed)
    }

    /// Whether an order of an earlier try cannot go on: another is opened instead, and it is no error of this one.
    fn outlived(&mut self, error: &Error, resumed: bool) -> bool {
        let reading =
            matches!(self.state.step, Step::Order | Step::Authorization | Step::Download | Step::Install);
        if !resumed || !reading || !error.ends_order() || self.state.order.is_none() {
            return false;
        }
        self.state.phase = Phase::Idle;
        self.state.failures = 0;
        self.state.bad_nonces = 0;
        self.reorder(None).is_ok()
    }

    /// After an error that ends an order, the next try begins with a new one.
    fn settle<T>(&mut self, mut result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &mut result {
            let known = self.challenge().ok();
            let secrets = known.map(|known| [Some(&known.part2), known.token.as_ref()]);
            for secret in secrets.into_iter().flatten().flatten() {
                error.hide(&secret.0);
            }
        }
        if let Err(error) = &result {
            self.state.phase = Phase::Idle;
            self.state.failures = 0;
            self.state.bad_nonces = 0;
            if error.ends_order() && self.state.order.is_some() {
                self.state.reorders = 0;
                self.state.wake_at = None;
                let issued = |order: &OrderState| order.submitted && !order.resumed && !error.is_over();
                match self.state.order.take_if(|order| !issued(order)) {
                    Some(_) => self.state.step = Step::NewOrder,
                    None => {
                        // The server may have issued: it is not asked to do so again before that is known.
                        self.state.take_up_again();
                        self.state.step = Step::Order;
                    }
                }
            }
        }
        result
    }

    fn wish(&mut self, now: Time) -> Result<Output, Error> {
        if let Some(until) = self.state.wake_at.filter(|until| *until > now) {
            return Ok(Output::Sleep { until });
        }
        self.state.wake_at = None;
        loop {
            match self.state.step {
                Step::Consent => return self.wish_consent(),
                Step::Mail => return self.wish_mail(now),
                Step::Reply => {
                    if let Some(output) = self.wish_reply()? {
                        return Ok(output);
                    }
                }
                Step::Csr => return self.wish_csr(),
                Step::Install => {
                    if let Some(output) = self.wish_install(now)? {
                        return Ok(output);
                    }
                }
                Step::Done => return Ok(Output::Done(self.report())),
                Step::NewOrder if self.state.current().is_none() => self.state.step = Step::Done,
                Step::NewOrder if self.state.phase == Phase::Idle && self.state.wanted_parked().is_some() => {
                    if self.state.unpark() {
                        self.state.step = Step::Order;
                    }
                }
                _ => {
                    if let Some(output) = self.wish_exchange()? {
                        return Ok(output);
                    }
                }
            }
        }
    }

    fn take(&mut self, input: Input, now: Time) -> Result<(), Error> {
        match (input, self.state.step) {
            (Input::Response(result), _) if self.state.phase != Phase::Idle => {
                self.take_response(result, now)
            }
            (Input::Signature(signature), _) => self.take_signature(&signature),
            (Input::Woken, _) => Ok(()),
            (Input::Consent(consent), Step::Consent) => self.take_consent(consent),
            (Input::Mails { accepted, refused }, Step::Mail) => self.take_mails(accepted, refused, now),
            (Input::ReplySent, Step::Reply) => self.take_reply_sent(),
            (Input::Csr(der), Step::Csr) => self.take_csr(&der),
            (Input::Installed, Step::Install) => self.take_installed(),
            (input, step) => Err(Error::UnexpectedInput { input: input.name(), step }),
        }
    }

    /// The clock was set back: what was to happen after a wait is not put off by that.
    pub(crate) fn clock_went_back(&mut self, by: core::time::Duration) {
        self.state.wake_at = self.state.wake_at.map(|wake_at| wake_at.minus(by));
    }

    /// Why mails were refused, while a mail is waited for.
    pub(crate) fn refused_mails(&self) -> &[String] {
        match (self.state.step, self.challenge()) {
            (Step::Mail, Ok(challenge)) => &challenge.refused,
            _ => &[],
        }
    }

    fn report(&self) -> Report {
        let outcomes = self.state.items.iter().filter_map(|ItemState { item, outcome }| {
            let outcome = outcome.as_ref()?;
            Some((item.clone(), outcome.open()))
        });
        Report { account: self.state.account.clone(), outcomes: outcomes.collect() }
    }

    /// The certificates that are issued and installed so far.
    #[must_use]
    pub fn issued(&self) -> Vec<Certificate> {
        let certificate = |outcome: Outcome| match outcome {
            Outcome::Issued(issued) => Some(issued.certificate),
            Outcome::EncryptionKeyExists(_) => None,
        };
        self.report().outcomes.into_iter().filter_map(|(_, outcome)| certificate(outcome)).collect()
    }
}
