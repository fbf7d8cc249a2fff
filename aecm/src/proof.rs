//! A fresh proof that the owner reads the mailbox, where the service wants one.

use aecm_acme::client::ClientError;
use aecm_acme::wire::ProblemType;
use aecm_core::suite::{Purpose, Suite};

use crate::error::Error;
use crate::mailbox::Mailbox;

impl Mailbox {
    /// Gives the proof up that the service has and gives it a new one, which costs a challenge mail and a new signing
    /// certificate. For whoever has the turn ([`Mailbox::turn`]).
    pub(crate) async fn prove_anew(&self) -> Result<(), Error> {
        let ring = self.keyring().await?;
        let signer = Suite::ALL.into_iter().find_map(|suite| ring.active(suite, Purpose::Sign));
        let slot = signer.ok_or_else(|| Error::NoSigningKey(self.address().clone()))?.slot.clone();
        self.client().drop_authorization(self.address(), self.soon()).await?;
        // An order that was left half done was proven before. Its certificate, where one was issued, is for a key that
        // stays pending.
        let parked = format!("acme-plan:{}:{}", self.aecm().directory_url(), self.address());
        self.aecm().store().delete_state(&parked).await?;
        self.renew_afresh(slot).await
    }
}

/// Whether the service wants the mailbox proven anew before it does that.
pub(crate) fn wants_proof(error: &Error) -> bool {
    matches!(error, Error::Provision(ClientError::Problem(problem))
        if matches!(problem.kind, ProblemType::UserActionRequired | ProblemType::Unauthorized))
}
