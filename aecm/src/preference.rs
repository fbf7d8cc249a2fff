//! What the owner of a mailbox chose for good.

use aecm_core::suite::{Purpose, Suite};
use aecm_store::Slot;

use crate::error::Error;
use crate::mailbox::Mailbox;

impl Mailbox {
    /// Signs with this slot from now on; `None` leaves the choice to each mail again.
    ///
    /// The choice is of a suite, a level and a device. It is kept when the key of the slot is renewed. A mail
    /// that its recipients force into the other suite is signed there, with the same level where there is one.
    /// Composing fails with [`Error::DefaultSigner`] while the slot has no certificate that can be used: nothing
    /// else signs silently in its place.
    ///
    /// # Errors
    /// [`Error::DefaultSigner`] for a slot of another purpose, or of another device; [`Error::Store`].
    pub async fn set_default_signer(&self, slot: Option<Slot>) -> Result<(), Error> {
        if let Some(slot) = &slot {
            let refuse = |why| Err(Error::DefaultSigner { slot: slot.clone(), why });
            if slot.purpose != Purpose::Sign {
                return refuse("it is not for signing mail");
            }
            if slot.device.as_ref() != Some(&self.aecm().store().device().await?) {
                return refuse("it is another device's");
            }
        }
        Ok(self.aecm().store().set_default_signer(self.address(), slot).await?)
    }

    /// The slot that was chosen to sign with.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn default_signer(&self) -> Result<Option<Slot>, Error> {
        Ok(self.aecm().store().default_signer(self.address()).await?)
    }

    /// Prefers this suite for mails that do not ask for one; `None` leaves the choice to each mail again. A
    /// default signer goes before it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn set_default_suite(&self, suite: Option<Suite>) -> Result<(), Error> {
        Ok(self.aecm().store().set_default_suite(self.address(), suite).await?)
    }

    /// The suite that was chosen.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn default_suite(&self) -> Result<Option<Suite>, Error> {
        Ok(self.aecm().store().default_suite(self.address()).await?)
    }
}
