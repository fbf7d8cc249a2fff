//! A fresh proof that the owner reads the mailbox, where the service wants one.

use aecm_acme::client::ClientError;
use aecm_core::suite::{Purpose, Suite};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::renew::RenewPlan;

impl Mailbox {
    /// Gives the proof up that the service has and gives it a new one, which costs a challenge mail and a new signing
    /// certificate. For whoever has the turn ([`Mailbox::turn`]).
    pub(crate) async fn prove_anew(&self) -> Result<(), Error> {
        self.client().drop_authorization(self.address(), self.soon()).await?;
        let ring = self.keyring().await?;
        let signer = Suite::ALL.into_iter().find_map(|suite| ring.active(suite, Purpose::Sign));
        let slot = signer.ok_or_else(|| Error::NoSigningKey(self.address().clone()))?.slot.clone();
        self.renew_slots(&RenewPlan::slot(slot), None).await.map(|_| ())
    }
}

/// Whether the service wants the mailbox proven anew before it does that.
pub(crate) fn wants_proof(error: &Error) -> bool {
    matches!(error, Error::Provision(ClientError::Problem(problem)) if problem.status == Some(403))
}
