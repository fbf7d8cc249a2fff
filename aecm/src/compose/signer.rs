//! Which of its keys a mailbox signs with, and in which suite.

use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_smime::choose::Choice;
use aecm_store::{Entry, Slot};

use super::Compose;
use crate::error::Error;
use crate::keyring::Keyring;

impl Compose<'_> {
    /// The owner's chosen slot, unless this mail asks for the other suite. It has to be usable: nothing signs
    /// silently in its place.
    pub(super) async fn default_signer(&self, ring: &Keyring, now: Time) -> Result<Option<Slot>, Error> {
        let chosen = self.mailbox.default_signer().await?;
        let Some(slot) = chosen.filter(|slot| self.suite.is_none_or(|suite| suite == slot.suite)) else {
            return Ok(None);
        };
        let refuse = |why| Err(Error::DefaultSigner { slot: slot.clone(), why });
        let Some(entry) = ring.active_in(&slot) else { return refuse("it has no certificate") };
        match &entry.certificate {
            None => refuse("it has no certificate"),
            Some(certificate) if ring.is_revoked(certificate) => refuse("its certificate was revoked"),
            Some(certificate) if now > certificate.not_after() => refuse("its certificate has run out"),
            Some(certificate) if now < certificate.not_before() => refuse("its certificate is not valid yet"),
            Some(_) => Ok(Some(slot)),
        }
    }

    pub(super) async fn choice(
        &self,
        ring: &Keyring,
        signer: Option<&Slot>,
        now: Time,
    ) -> Result<Choice, Error> {
        let signs = |suite: &Suite| ring.active(*suite, Purpose::Sign).is_some();
        let suites: Vec<Suite> = Suite::ALL.into_iter().filter(signs).collect();
        let preferred = match signer {
            Some(slot) => Some(slot.suite),
            None => self.mailbox.default_suite().await?,
        };
        // The owner's standing choice of classic is an override like one for this mail. SM2 is the default anyway
        // where everybody can; who cannot must not go without their mail. A mail that is only signed can be read
        // by all, and the choice stands.
        let standing = preferred.filter(|suite| *suite == Suite::Classic || !self.encrypt);
        let mut choice = Choice::new().form(self.form).at(now).sign_with(&suites);
        if let Some(suite) = self.suite.or(standing) {
            choice = choice.suite(suite);
        }
        if let Some(cipher) = self.cipher {
            choice = choice.cipher(cipher);
        }
        Ok(choice)
    }

    /// The key that signs in `suite`: the chosen slot's; in the other suite one of the same level where there is
    /// one; else that of the lowest level.
    pub(super) fn signing_entry<'k>(
        &self,
        ring: &'k Keyring,
        chosen: Option<&Slot>,
        suite: Suite,
    ) -> Result<&'k Entry, Error> {
        let same_level = chosen.map(|slot| ring.slot(suite, Purpose::Sign, slot.level));
        let entry = same_level.and_then(|slot| ring.in_slot(&slot));
        entry
            .or_else(|| ring.active(suite, Purpose::Sign))
            .ok_or_else(|| self.no_key(ring, Some(suite), Purpose::Sign))
    }

    /// Why there is no key: none at all, or only revoked ones.
    pub(super) fn no_key(&self, ring: &Keyring, suite: Option<Suite>, purpose: Purpose) -> Error {
        let mailbox = self.mailbox.address().clone();
        let mut suites = Suite::ALL.into_iter().filter(|one| suite.is_none_or(|suite| suite == *one));
        match suites.find(|suite| ring.is_revoked_only(*suite, purpose)) {
            Some(suite) => Error::Revoked { mailbox, suite },
            None => Error::NoSigningKey(mailbox),
        }
    }
}
