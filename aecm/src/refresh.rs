//! A fresh proof that the owner reads the mailbox, for what a service does not do on an old one.

use aecm_acme::client::ClientError;
use aecm_acme::wire::ProblemType;
use aecm_core::suite::{Purpose, Suite};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::renew::RenewPlan;

impl Mailbox {
    /// Gives the account's proof of the mailbox up and makes another. It costs a challenge mail and a new signing
    /// certificate. The caller has the turn.
    pub(crate) async fn refresh_authorization(&self) -> Result<(), Error> {
        let ring = self.keyring().await?;
        let signer = Suite::ALL.into_iter().find_map(|suite| ring.active(suite, Purpose::Sign));
        let slot = signer.ok_or_else(|| Error::NoSigningKey(self.address().clone()))?.slot.clone();
        self.client().drop_authorization(self.address(), self.soon()).await?;
        self.renew_slots(&RenewPlan::slot(slot), None).await?;
        Ok(())
    }
}

/// Whether the service wants a fresh proof first.
pub(crate) fn wants_fresh_proof(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem(problem) if problem.kind == ProblemType::UserActionRequired)
}
