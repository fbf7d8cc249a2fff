//! The async driver: a thin loop between the [machine](crate::machine) and the embedder's joints.
//!
//! It has no runtime of its own, starts no task and reads no clock but the given one. Every call has a deadline;
//! what was reached by then is stored, and the next call goes on from there.

mod error;
mod keys;
mod mails;
mod reach;
mod session;
mod trace;
mod transfers;

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse, MaybeSendSync, Rng, Sleep};
use aecm_core::key::Signer;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;
use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::machine::{AccountRecord, Config, Consent, Input, Machine, Output, Report, StateError, StepName};
use crate::mail::{ChallengeAuthenticator, MailSender, MailSource, ReplyMail};
use crate::plan::{Plan, PlanItem};

use reach::Reach;

pub use error::ClientError;
pub use keys::{Keys, KeysError};
pub use session::Revoked;

/// The longest one request may take (THREATS N4).
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// Asks the user to agree to terms of service (STANDARDS A30).
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
pub trait ConsentSource: MaybeSendSync {
    /// The user's agreement to the terms at `terms_url`, or none.
    async fn consent(&self, terms_url: &str, now: Time) -> Option<Consent>;
}

/// The operator agreed beforehand to whatever terms the configured CA has (`--agree-tos`).
#[derive(Clone, Copy, Debug)]
pub struct AgreedBeforehand;

#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
impl ConsentSource for AgreedBeforehand {
    async fn consent(&self, terms_url: &str, now: Time) -> Option<Consent> {
        Some(Consent { terms_url: terms_url.to_owned(), document_sha256: None, agreed_at: now })
    }
}

/// What happens, for a display. None of it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The flow has come to this step.
    Step {
        /// The step.
        step: StepName,
        /// The certificate it is for, where it is for one.
        item: Option<PlanItem>,
    },
    /// A mail looked like a challenge and was left alone (THREATS C6).
    MailRefused {
        /// Its id in the mail source.
        id: String,
        /// Why.
        reason: crate::mail::ChallengeRefusal,
    },
    /// The service gave no answer; it is asked again after a pause, for a minute in all.
    NoAnswer {
        /// What happened.
        error: HttpError,
        /// The pause.
        again: Duration,
    },
    /// A certificate was issued, checked and stored.
    Issued {
        /// What it is.
        item: PlanItem,
        /// The certificate.
        certificate: Certificate,
    },
}

/// Is told what happens.
pub trait Observer: MaybeSendSync {
    /// Something happened.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + MaybeSendSync> Observer for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

/// The joints a client needs.
#[derive(Clone)]
#[allow(clippy::exhaustive_structs)]
pub struct Joints {
    /// Sends requests.
    pub http: Arc<dyn Http>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Waits.
    pub sleep: Arc<dyn Sleep>,
    /// Gives randomness.
    pub rng: Arc<dyn Rng>,
    /// Where the challenge mails arrive.
    pub mail: Arc<dyn MailSource>,
    /// Proves where they come from.
    pub authenticator: Arc<dyn ChallengeAuthenticator>,
    /// Sends the replies of plain RFC 8823, where that is to be possible.
    pub sender: Option<Arc<dyn MailSender>>,
    /// Keys, CSRs, certificates and the stored state.
    pub keys: Arc<dyn Keys>,
    /// Agrees to terms of service; without it nothing is agreed to.
    pub consent: Option<Arc<dyn ConsentSource>>,
    /// Is told what happens.
    pub observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Joints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joints").field("sends", &self.sender.is_some()).finish_non_exhaustive()
    }
}

/// Talks to one ACME server on behalf of mailboxes.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
    joints: Joints,
}

impl Client {
    /// A client of the directory in `config`. Whether replies can be sent is taken from the joints.
    #[must_use]
    pub fn new(mut config: Config, joints: Joints) -> Self {
        config.can_reply = joints.sender.is_some();
        Self { config, joints }
    }

    /// Obtains the certificates of `plan`: those that are wanted now, whatever earlier calls obtained.
    ///
    /// An order that an interrupted call left open is continued where its item is in `plan`, and kept for a later
    /// call where it is not. So call again with what is still missing; what is named again is obtained again.
    ///
    /// A service that cannot be reached ends the call after a minute, one that takes requests and never answers
    /// after two of them (a minute each), whatever the deadline; [`Event::NoAnswer`] tells of it meanwhile.
    ///
    /// Two calls for one mailbox at a time must not run: they would share the stored state.
    ///
    /// # Errors
    /// [`ClientError::ServiceUnreachable`]; [`ClientError`]. What was issued is installed; calling again goes on from
    /// the stored state.
    pub async fn provision(&self, plan: &Plan, deadline: Time) -> Result<Report, ClientError> {
        let account_key = self.joints.keys.account(&self.config.directory_url).await?;
        let state_name = state_name(&self.config.directory_url, plan);
        let mut machine = self.machine(plan, account_key.as_ref(), &state_name).await?;
        let mut looked = mails::Looked::default();
        let mut shown = None;
        let mut reach = Reach::default();
        let mut watch = Watch { last: self.joints.clock.now(), deadline };
        loop {
            let now = watch.now(self.joints.clock.as_ref(), &mut machine);
            let deadline = watch.deadline;
            if now >= deadline {
                // The last answer may have said much.
                self.save(&machine, &state_name).await?;
                let refused = machine.refused_mails().to_vec();
                return Err(if refused.is_empty() {
                    ClientError::Deadline { step: machine.step() }
                } else {
                    ClientError::Machine(crate::machine::Error::NoChallengeMail { until: deadline, refused })
                });
            }
            let output = match machine.poll(now) {
                Ok(output) => output,
                Err(error) => return self.give_up(&machine, &state_name, error).await,
            };
            let place = (machine.step(), machine.item().cloned());
            if shown.as_ref() != Some(&place) {
                trace::step(place.0, place.1.as_ref());
                self.tell(Event::Step { step: place.0, item: place.1.clone() });
                shown = Some(place);
            }
            // Before anything is done (N6). Signing and sleeping change nothing outside.
            if !matches!(output, Output::Sign { .. } | Output::Sleep { .. } | Output::Done(_)) {
                self.save(&machine, &state_name).await?;
            }
            let wish = output.name();
            trace::output(wish, "wished");
            let input = match output {
                Output::Done(report) => {
                    if machine.keeps_orders() {
                        self.save(&machine, &state_name).await?;
                    } else {
                        self.joints.keys.delete(&state_name).await?;
                    }
                    return Ok(report);
                }
                Output::Sleep { until } => {
                    if let Some(error) = reach.lost(until) {
                        self.save(&machine, &state_name).await?;
                        return Err(ClientError::ServiceUnreachable { error });
                    }
                    if let Some(error) = reach.trouble() {
                        self.tell(Event::NoAnswer { error, again: until.since(now) });
                    }
                    tracing::debug!(seconds = until.since(now).as_secs(), "waiting before the next try");
                    self.joints.sleep.sleep(until.min(deadline).since(now)).await;
                    Input::Woken
                }
                Output::WaitMail(wait) => self.look(&wait, deadline, &mut looked).await?,
                other => self.act(other, &plan.mailbox, account_key.as_ref(), deadline).await?,
            };
            trace::output(wish, "done");
            let had_account = machine.account().cloned();
            let had_proof = machine.proof().map(str::to_owned);
            let now = watch.now(self.joints.clock.as_ref(), &mut machine);
            if let Input::Response(answer) = &input {
                reach.note(answer, now);
            }
            if let Err(error) = machine.handle(input, now) {
                return self.give_up(&machine, &state_name, error).await;
            }
            if let Some(account) = machine.account().filter(|account| had_account.as_ref() != Some(account)) {
                self.save_account(account).await?;
            }
            if let Some(proof) = machine.proof().filter(|proof| had_proof.as_deref() != Some(proof)) {
                let name = proof_name(&self.config.directory_url, &plan.mailbox);
                self.joints.keys.save(&name, proof.as_bytes()).await?;
            }
        }
    }

    async fn act(
        &self,
        output: Output,
        mailbox: &aecm_core::mailbox::Mailbox,
        account_key: &dyn Signer,
        deadline: Time,
    ) -> Result<Input, ClientError> {
        let keys = &self.joints.keys;
        Ok(match output {
            Output::Send(request) => Input::Response(self.send(request, deadline).await),
            Output::Sign { octets } => {
                let es256 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
                Input::Signature(account_key.sign(es256, &octets).await.map_err(KeysError::Key)?)
            }
            Output::Consent { terms_url } => Input::Consent(match &self.joints.consent {
                Some(source) => {
                    let asked = source.consent(&terms_url, self.joints.clock.now());
                    let answer = within(asked, self.rest(deadline)).await;
                    answer.ok_or(ClientError::Deadline { step: StepName::Consent })?
                }
                None => None,
            }),
            Output::Csr { item, refused } => {
                Input::Csr(keys.request(mailbox, &item, refused.as_ref()).await?)
            }
            Output::Install { item, chain } => {
                keys.install(mailbox, &item, &chain).await?;
                tracing::info!(%item, "certificate installed");
                if let Some(certificate) = chain.into_iter().next() {
                    self.tell(Event::Issued { item, certificate });
                }
                Input::Installed
            }
            Output::SendReply(reply) => {
                self.reply(&reply, deadline).await?;
                Input::ReplySent
            }
            Output::Sleep { .. } | Output::WaitMail(_) | Output::Done(_) => Input::Woken,
        })
    }

    async fn reply(&self, reply: &ReplyMail, deadline: Time) -> Result<(), ClientError> {
        let sender = self.joints.sender.as_ref().ok_or(ClientError::NoSender)?;
        let mut random = [0; 16];
        self.joints.rng.fill(&mut random)?;
        let message_id = format!("<{}@{}>", crate::jws::encode(&random), reply.from.ascii_domain());
        let raw = reply.compose(self.joints.clock.now(), &message_id).map_err(ClientError::Compose)?;
        match within(sender.send(&reply.from, &reply.to, &raw), self.rest(deadline)).await {
            Some(sent) => sent.map_err(ClientError::Mail),
            None => Err(ClientError::Deadline { step: StepName::Reply }),
        }
    }

    /// Ends at the deadline.
    async fn rest(&self, deadline: Time) {
        self.joints.sleep.sleep(deadline.since(self.joints.clock.now())).await;
    }

    /// Sends a request within its time and the deadline of the call.
    async fn send(&self, request: HttpRequest, deadline: Time) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        let time = REQUEST_TIME.min(deadline.since(self.joints.clock.now()));
        let method = request.method;
        let answer = within(self.joints.http.send(request), self.joints.sleep.sleep(time)).await;
        let answer = answer.unwrap_or_else(|| Err(HttpError::Timeout { url: url.clone() }));
        trace::exchange(method, &url, &answer, &self.config.limits);
        answer
    }

    async fn machine(
        &self,
        plan: &Plan,
        account_key: &dyn Signer,
        name: &str,
    ) -> Result<Machine, ClientError> {
        let key = account_key.public_key();
        if let Some(saved) = self.joints.keys.load(name).await? {
            match Machine::restore(self.config.clone(), key, &saved) {
                Ok(mut machine) => {
                    if machine.retarget(plan) {
                        return Ok(machine);
                    }
                }
                // A state of another account is of no use; its orders expire on their own.
                Err(StateError::Other) => {}
                // Never overwritten: an order in it may have been finalized.
                Err(StateError::Malformed) => return Err(ClientError::Damaged { name: name.to_owned() }),
                Err(error) => return Err(ClientError::State(error)),
            }
        }
        let mut seed = [0; 8];
        self.joints.rng.fill(&mut seed)?;
        let account = self.account().await?;
        Ok(Machine::new(self.config.clone(), key, plan, account, u64::from_le_bytes(seed))?)
    }

    /// The account of an earlier plan.
    pub(super) async fn account(&self) -> Result<Option<AccountRecord>, ClientError> {
        let name = account_name(&self.config.directory_url);
        let Some(saved) = self.joints.keys.load(&name).await? else { return Ok(None) };
        serde_json::from_slice(&saved).map(Some).map_err(|_| ClientError::Damaged { name })
    }

    async fn save_account(&self, account: &AccountRecord) -> Result<(), ClientError> {
        let octets = serde_json::to_vec(account).map(Zeroizing::new).map_err(|_| ClientError::Unwritable)?;
        Ok(self.joints.keys.save(&account_name(&self.config.directory_url), &octets).await?)
    }

    async fn save(&self, machine: &Machine, name: &str) -> Result<(), ClientError> {
        let octets = machine.save().map_err(|_| ClientError::Unwritable)?;
        Ok(self.joints.keys.save(name, &octets).await?)
    }

    /// The error that ended the call, after the state was stored.
    async fn give_up<T>(
        &self,
        machine: &Machine,
        name: &str,
        error: crate::machine::Error,
    ) -> Result<T, ClientError> {
        self.save(machine, name).await?;
        Err(ClientError::Machine(error))
    }

    fn tell(&self, event: Event) {
        if let Some(observer) = &self.joints.observer {
            observer.event(event);
        }
    }
}

/// Notices that the clock was set back, which gives nobody more time (THREATS N4, N10).
struct Watch {
    last: Time,
    deadline: Time,
}

impl Watch {
    fn now(&mut self, clock: &dyn Clock, machine: &mut Machine) -> Time {
        let now = clock.now();
        let back = self.last.since(now);
        self.deadline = self.deadline.minus(back);
        machine.clock_went_back(back);
        self.last = now;
        now
    }
}

fn state_name(directory: &str, plan: &Plan) -> String {
    format!("acme-plan:{directory}:{}", plan.mailbox)
}

fn account_name(directory: &str) -> String {
    format!("acme-account:{directory}")
}

fn proof_name(directory: &str, mailbox: &aecm_core::mailbox::Mailbox) -> String {
    format!("acme-proof:{directory}:{mailbox}")
}

/// What `future` gives, unless `timer` ends first.
async fn within<T>(future: impl Future<Output = T>, timer: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut timer) = (pin!(future), pin!(timer));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}
