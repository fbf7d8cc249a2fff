//! The ACME server: RFC 8555 with the `email` identifier, RFC 8823's challenge and the direct token submission.
//!
//! A request passes three rooms: the router here, the JWS checks of `request`, and the resource's own file.

mod account;
mod authorization;
mod certificate;
mod crl;
mod devices;
mod directory;
mod encryption;
mod escrow;
mod events;
mod external;
mod finalize;
mod key_change;
mod nonce;
mod order;
mod problem;
mod proof;
mod public;
mod renewal;
mod request;
mod state;
mod transfer;
mod turns;
mod weak;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aecm_core::embed::{Clock, Rng};
use aecm_core::limits::Limits;
use aecm_core::suite::Level;
use aecm_core::time::Time;

pub(crate) use self::crl::crl_name;
pub(crate) use self::escrow::{Escrow, EscrowKeys};
use self::problem::Problem;
use self::request::{KeyRule, Signed};
use self::state::State;
use crate::ca::Pki;
use crate::folder::{Change, Folder, StateError};
use crate::mail::PostOffice;
use crate::net::{Answer, Ask};
use crate::options::{AcmeOptions, ExternalAccount};

/// How long to stay away from a server that is full.
const FULL_WAIT: Duration = Duration::from_secs(3_600);

/// The server and all it remembers.
pub(crate) struct AcmeServer {
    base: String,
    options: AcmeOptions,
    pki: Arc<Pki>,
    post: Arc<PostOffice>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: Limits,
    state: Mutex<State>,
    /// Where the state is kept; in memory alone without one.
    folder: Option<Folder>,
    /// Held while an encrypting certificate is issued: a mailbox has one encrypting key in each suite.
    encrypting: tokio::sync::Mutex<()>,
    /// Held while what the escrow keeps of a mailbox is read and written.
    escrowing: tokio::sync::Mutex<()>,
    /// The revocation lists as they were last signed; held while one is.
    listing: tokio::sync::Mutex<crl::Lists>,
    /// Keeps encrypting keys, where the options want it.
    escrow: Option<Escrow>,
}

/// What the server works with.
pub(crate) struct Parts {
    pub(crate) pki: Arc<Pki>,
    pub(crate) post: Arc<PostOffice>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) escrow: Option<Escrow>,
    /// The state folder, and what stood in it.
    pub(crate) folder: Option<Folder>,
    pub(crate) rows: Vec<Change>,
}

impl AcmeServer {
    /// `base` is the origin the server is reached at, without a slash at its end.
    ///
    /// # Errors
    /// What is wrong with a row.
    pub(crate) fn new(base: String, options: AcmeOptions, parts: Parts) -> Result<Self, String> {
        let Parts { pki, post, clock, rng, escrow, folder, rows } = parts;
        let state = State::restore(rows)?;
        for authorization in state.authorizations.values() {
            post.open(&authorization.from);
        }
        Ok(Self {
            base,
            options,
            pki,
            post,
            clock,
            rng,
            limits: Limits::default(),
            state: Mutex::new(state),
            folder,
            encrypting: tokio::sync::Mutex::default(),
            escrowing: tokio::sync::Mutex::default(),
            listing: tokio::sync::Mutex::default(),
            escrow,
        })
    }

    /// Where the directory stands.
    pub(crate) fn directory_url(&self) -> String {
        self.url("directory")
    }

    /// The external accounts: their names, and the levels they may order.
    pub(crate) fn customers(&self) -> BTreeMap<String, Vec<&'static str>> {
        let levels = |customer: &ExternalAccount| {
            let permitted = Level::ALL.into_iter().filter(|level| customer.subject().permits(*level));
            permitted.map(Level::word).collect()
        };
        let customers = self.options.external_accounts.iter();
        customers.map(|(kid, customer)| (kid.clone(), levels(customer))).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/acme/{path}", self.base)
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    // A panic elsewhere leaves the maps whole: each is changed by one insert or assignment at a time.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that nothing has yet.
    fn new_id(&self, taken: impl Fn(&str) -> bool) -> Result<String, Problem> {
        loop {
            let id = nonce::random_text::<12>(self.rng.as_ref())
                .map_err(|_| Problem::internal("the random number source failed"))?;
            if !taken(&id) {
                return Ok(id);
            }
        }
    }

    /// Refuses one more `what` where as many as may be are remembered.
    fn require_room(&self, remembered: usize, what: &str) -> Result<(), Problem> {
        if remembered < self.options.capacity {
            return Ok(());
        }
        Err(Problem::rate_limited(format!("this server remembers no more {what}"), FULL_WAIT))
    }

    /// Refuses one more `what` to an account that has as many as it may; `ends` says when each of them ends.
    fn require_own_room(&self, ends: &[Time], what: &str) -> Result<(), Problem> {
        if ends.len() < self.options.per_account {
            return Ok(());
        }
        let now = self.now();
        let first = ends.iter().min().copied().unwrap_or(now);
        let detail = format!("this account has {} {what} already, and may have no more", ends.len());
        Err(Problem::rate_limited(detail, first.since(now)))
    }

    /// Makes what changed durable: before the answer that tells of it. What another request changed and this
    /// one saw is durable then, too.
    async fn commit(self: &Arc<Self>) -> Result<(), Problem> {
        if self.folder.is_none() {
            self.state().forget_changes();
            return Ok(());
        }
        let server = Arc::clone(self);
        // On a thread of its own, so that a client that goes away stops no write.
        let written = tokio::task::spawn_blocking(move || server.write_changes()).await;
        let failed = |detail: String| Problem::internal(format!("the state could not be kept: {detail}"));
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Writes what changed since the last time; at a start, what an earlier process did not come to.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be written.
    pub(crate) fn write_changes(&self) -> Result<(), StateError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let unwritten = |error: serde_json::Error| {
            StateError::damaged(folder.directory(), format!("a row cannot be written: {error}"))
        };
        // The journal first, then the state: so the order of the lines is the order of the changes.
        let mut transaction = folder.transaction();
        let (changes, anew) = {
            let mut state = self.state();
            (state.take_changes().map_err(unwritten)?, state.take_history())
        };
        transaction.append(&changes)?;
        if anew || transaction.wants_snapshot() {
            let rows = self.state().rows().map_err(unwritten)?;
            transaction.snapshot(&rows)?;
        }
        Ok(())
    }

    /// Answers a request whose path is `/acme` or begins with `/acme/`.
    pub(crate) async fn answer(self: &Arc<Self>, ask: Ask) -> Answer {
        let path = ask.path.strip_prefix("/acme/").unwrap_or_default().to_owned();
        let posted = ask.method == "POST";
        let answered = self.route(&path, ask).await;
        // A refusal may have changed something, too: a wrong token is counted.
        let answered = if posted { self.commit().await.and(answered) } else { answered };
        let mut answer = answered.unwrap_or_else(|problem| problem.answer());
        if posted {
            // Every POST gets a nonce, refused ones too: badNonce cannot be repaired without (§6.5).
            if let Ok(nonce) = self.state().nonces.issue(self.rng.as_ref()) {
                answer.headers.push(("replay-nonce", nonce));
            }
        }
        if path != "directory" {
            answer.headers.push(("link", format!("<{}>;rel=\"index\"", self.directory_url())));
        }
        answer
    }

    async fn route(&self, path: &str, ask: Ask) -> Result<Answer, Problem> {
        let mut parts = path.split('/');
        let (resource, id, action) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(Problem::not_found());
        }
        match (ask.method.as_str(), resource, id) {
            ("GET" | "HEAD", "directory", None) => return Ok(self.directory()),
            ("GET" | "HEAD", "new-nonce", None) => return self.new_nonce(ask.method == "HEAD"),
            ("GET", "terms", None) => return Ok(self.terms()),
            ("GET", "escrow-terms", None) => return self.escrow_terms(),
            ("GET" | "HEAD", "renewal-info", Some(id)) if action.is_none() => return self.renewal_info(id),
            ("POST", _, _) => {}
            _ => {
                return Err(Problem::new(
                    405,
                    "malformed",
                    "only the directory and newNonce answer GET; use POST-as-GET",
                )
                .header("allow", "POST".to_owned()));
            }
        }
        let url = self.url(path);
        let signed = |rule| self.check(&ask, &url, rule);
        match (resource, id, action) {
            ("new-account", None, None) => self.new_account(&signed(KeyRule::Jwk)?),
            ("revoke-cert", None, None) => self.revoke(&signed(KeyRule::Either)?).await,
            ("key-change", None, None) => self.key_change(&signed(KeyRule::Kid)?, &url),
            ("new-order", None, None) => self.new_order(&signed(KeyRule::Kid)?).await,
            ("account", Some(id), None) => self.account(&signed(KeyRule::Kid)?, id),
            ("account", Some(id), Some("orders")) => self.orders(&signed(KeyRule::Kid)?, id),
            ("order", Some(id), None) => self.order(&signed(KeyRule::Kid)?, id),
            ("order", Some(id), Some("finalize")) => self.finalize(&signed(KeyRule::Kid)?, id).await,
            ("authorization", Some(id), None) => self.authorization(&signed(KeyRule::Kid)?, id).await,
            ("challenge", Some(id), Some(kind)) => self.challenge(&signed(KeyRule::Kid)?, id, kind).await,
            ("new-transfer", None, None) => self.new_transfer(&signed(KeyRule::Kid)?).await,
            ("transfers", None, None) => self.transfers(&signed(KeyRule::Kid)?),
            ("transfer", Some(id), None) => self.transfer(&signed(KeyRule::Kid)?, id),
            ("events", None, None) => self.events(&signed(KeyRule::Kid)?),
            ("devices", None, None) => self.devices(&signed(KeyRule::Kid)?),
            ("escrow", None, None) => self.post_escrow(&signed(KeyRule::Kid)?).await,
            ("certificate", Some(id), None) => self.certificate(&signed(KeyRule::Kid)?, id),
            _ => Err(Problem::not_found()),
        }
    }
}

impl core::fmt::Debug for AcmeServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AcmeServer").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Reads a payload as a JSON object.
fn object(signed: &Signed) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
    match serde_json::from_slice(&signed.payload) {
        Ok(serde_json::Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::malformed("the payload is not a JSON object")),
        Err(error) => Err(Problem::malformed(format!("the payload is not JSON: {error}"))),
    }
}

/// Requires the empty payload of POST-as-GET (RFC 8555 §6.3).
fn post_as_get(signed: &Signed) -> Result<(), Problem> {
    if signed.payload.is_empty() {
        Ok(())
    } else {
        Err(Problem::malformed(
            "this resource is read with POST-as-GET: the payload has to be the empty string",
        ))
    }
}
