//! The one encrypting key of a mailbox in a suite: who may have a certificate for which key.

use aecm_acme::jws::encode;
use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Purpose, Suite};
use serde_json::json;

use super::AcmeServer;
use super::problem::Problem;
use super::state::{Issued, Order, State};

impl AcmeServer {
    /// A new order for an encrypting certificate: refused where the mailbox has an encrypting key that the
    /// account does not hold, so that no mail is sent for nothing.
    pub(super) fn admit_encryption_order(
        &self,
        state: &State,
        account: &str,
        mailbox: &Mailbox,
        suite: Suite,
    ) -> Result<(), Problem> {
        match state.active_encryption(mailbox, suite, self.now()) {
            Some(active) if !state.holds(account, active) => Err(self.encryption_key_exists(active)),
            _ => Ok(()),
        }
    }

    /// The key of a certificate that is about to be issued: the active one again, or another where none is
    /// active or where the order replaces the active one and comes from the account it was issued to.
    pub(super) fn admit_encryption_key(
        &self,
        state: &State,
        order: &Order,
        suite: Suite,
        key: &PublicKey,
    ) -> Result<(), Problem> {
        let Some(active) = state.active_encryption(&order.mailbox, suite, self.now()) else { return Ok(()) };
        // The request is signed by the key, so whoever made it has it.
        if active.leaf().and_then(Certificate::public_key) == Some(key) {
            return Ok(());
        }
        let replaces = order.replaces.as_ref() == Some(&active.id);
        if replaces && active.account == order.account && !active.disowned {
            return Ok(());
        }
        Err(self.encryption_key_exists(active))
    }

    /// Marks what gives way to `issued`: the mailbox's certificates of other encrypting keys in its suite.
    /// Whether the last one before it was of another key, so that this is a rekey: also where that one had been
    /// revoked or had expired, for its owner need not have done this.
    pub(super) fn supersede(state: &mut State, issued: &Issued) -> bool {
        if issued.profile.purpose != Purpose::Encrypt {
            return false;
        }
        let key = issued.key_name();
        let before: Vec<&Issued> = state
            .certificates
            .values()
            .filter(|other| {
                other.profile.purpose == Purpose::Encrypt
                    && other.profile.suite == issued.profile.suite
                    && other.mailbox.matches(&issued.mailbox)
            })
            .collect();
        let last = before.iter().max_by_key(|other| other.number);
        let rekeyed = last.is_some_and(|last| last.key_name() != key);
        let give_way: Vec<String> = before
            .iter()
            .filter(|other| !other.superseded && other.key_name() != key)
            .map(|other| other.id.clone())
            .collect();
        for id in &give_way {
            if let Some(other) = state.certificates.get_mut(id) {
                other.superseded = true;
            }
        }
        rekeyed
    }

    fn encryption_key_exists(&self, active: &Issued) -> Problem {
        let mut chain = active.chain.iter().map(|certificate| encode(certificate.as_der()));
        let certificate = chain.next();
        Problem::aecm(
            409,
            "encryptionKeyExists",
            format!(
                "{} has an encrypting key of the {} suite already; ask a device that holds it to hand it over",
                active.mailbox, active.profile.suite
            ),
        )
        .with("instance", json!(self.url("new-transfer")))
        .with("certificate", json!(certificate))
        .with("chain", json!(chain.collect::<Vec<_>>()))
    }
}
