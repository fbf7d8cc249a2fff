//! What an account has proven of a mailbox, and how lately: what harms or exposes a mailbox wants a proof of now.

use std::time::Duration;

use aecm_core::mailbox::Mailbox;
use serde_json::json;

use super::AcmeServer;
use super::problem::Problem;
use super::state::State;

/// How old the proof of the mailbox may be.
const FRESH: Duration = Duration::from_secs(3_600);

impl AcmeServer {
    /// The account has a valid authorization for the mailbox.
    pub(super) fn require_proof(
        &self,
        state: &State,
        account: &str,
        mailbox: &Mailbox,
    ) -> Result<(), Problem> {
        if state.reusable(account, mailbox, self.now()).is_some() {
            return Ok(());
        }
        Err(Problem::unauthorized(format!(
            "this account has no valid authorization for {mailbox}; order a certificate first"
        )))
    }

    /// Whether the account proved control of the mailbox within the hour.
    pub(super) fn proved_lately(&self, state: &State, account: &str, mailbox: &Mailbox) -> bool {
        let now = self.now();
        state
            .reusable_all(account, mailbox, now)
            .any(|proof| proof.validated.is_some_and(|at| now.since(at) <= FRESH))
    }

    /// The account proved control of the mailbox within the hour; `what` needs that.
    pub(super) fn require_fresh_proof(
        &self,
        state: &State,
        account: &str,
        mailbox: &Mailbox,
        what: &str,
    ) -> Result<(), Problem> {
        if self.proved_lately(state, account, mailbox) {
            return Ok(());
        }
        Err(Problem::new(
            403,
            "userActionRequired",
            format!("prove control of {mailbox} anew: {what} only within an hour of a new authorization"),
        )
        .with("instance", json!(self.url("new-order"))))
    }
}
