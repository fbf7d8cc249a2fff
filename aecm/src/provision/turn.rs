//! One provisioning or renewal of a mailbox at a time: two would share the stored state of the flow.

use aecm_store::{Lease, StoreError};

use crate::error::Error;
use crate::mailbox::Mailbox;

impl Mailbox {
    /// The right to order for this mailbox, against all that use the store; it ends when dropped, and with the
    /// process.
    pub(crate) async fn turn(&self) -> Result<Lease, Error> {
        match self.aecm().store().lease(&format!("provision:{}", self.address())).await {
            Err(StoreError::Busy { .. }) => Err(Error::Busy(self.address().clone())),
            lease => Ok(lease?),
        }
    }
}
