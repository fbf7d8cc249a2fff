//! One provisioning of a mailbox at a time: two would share the stored state of the flow.

use std::sync::PoisonError;

use crate::error::Error;
use crate::mailbox::Mailbox;

/// The turn of a mailbox; it ends when dropped.
pub(super) struct Turn<'a>(&'a Mailbox);

impl<'a> Turn<'a> {
    pub(super) fn take(mailbox: &'a Mailbox) -> Result<Self, Error> {
        let mut busy = mailbox.aecm().parts().busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.insert(mailbox.address().clone()) {
            Ok(Self(mailbox))
        } else {
            Err(Error::Busy(mailbox.address().clone()))
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self.0.aecm().parts().busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.remove(self.0.address());
    }
}
