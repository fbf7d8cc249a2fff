//! Ordering one slot after the other, so that one which cannot be renewed holds up no other.

use std::sync::Arc;

use aecm_acme::client::{ClientError, KeysError, Observer};
use aecm_acme::machine::Error as MachineError;
use aecm_acme::plan::{Plan as OrderPlan, PlanItem};
use aecm_acme::wire::certificate_identifier;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::software::KeySpec;
use aecm_core::suite::{Level, Purpose};
use aecm_core::time::Time;
use aecm_store::Slot;

use super::under_way::Item;
use super::{RenewPlan, lacks};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::provision::KeyChoice;
use crate::transfer::Lacking;

/// What came of the orders.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// The suites whose encrypting key is no longer the one in use.
    pub(super) lacking: Vec<Lacking>,
    /// The suites whose new key was refused.
    pub(super) refused_keys: Vec<Lacking>,
    failures: Vec<(Slot, Arc<Error>)>,
}

impl Tried {
    pub(super) fn fail(&mut self, slot: &Slot, error: Error) {
        self.failures.push((slot.clone(), Arc::new(error)));
    }

    /// What was to come from another device cannot be asked for.
    pub(super) fn fail_lacking(&mut self, error: Error) {
        let error = Arc::new(error);
        for one in self.lacking.drain(..) {
            let slot =
                Slot { suite: one.suite, purpose: Purpose::Encrypt, level: Level::Mailbox, device: None };
            self.failures.push((slot, Arc::clone(&error)));
        }
    }

    pub(super) fn failure(&self, slot: &Slot) -> Option<Arc<Error>> {
        self.failures.iter().find(|(of, _)| of.same_place(slot)).map(|(_, error)| Arc::clone(error))
    }

    /// The failure itself, where it is that of one slot.
    pub(super) fn take_failure(&mut self, slot: &Slot) -> Option<Error> {
        let place = self.failures.iter().position(|(of, _)| of.same_place(slot))?;
        Arc::try_unwrap(self.failures.remove(place).1).ok()
    }
}

impl Mailbox {
    /// Orders certificates for what is open; `ring` is read again after each.
    pub(super) async fn order_each(
        &self,
        plan: &RenewPlan,
        open: &[Item],
        ring: &mut Keyring,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Tried, Error> {
        let deadline = self.aecm().clock().now().plus(plan.deadline());
        let mut tried = Tried::default();
        let mut heard = false;
        let mut items = open.iter();
        while let Some(item) = items.next() {
            match self.order_item(item, ring, deadline, observer.clone()).await {
                Ok(lacking) => tried.lacking.extend(lacking),
                Err(error) if is_local(&error) || (is_general(&error) && !heard) => return Err(error),
                Err(error) if is_general(&error) => {
                    let error = Arc::new(error);
                    let rest = core::iter::once(item).chain(items.by_ref());
                    tried.failures.extend(rest.map(|item| (item.slot.clone(), Arc::clone(&error))));
                }
                Err(error) => tried.fail(&item.slot, error),
            }
            heard = true;
            *ring = self.keyring().await?;
        }
        Ok(tried)
    }

    /// One slot. What an interrupted call left may have been another kind of renewal: a new key is asked for once
    /// more then.
    async fn order_item(
        &self,
        item: &Item,
        ring: &Keyring,
        deadline: Time,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Option<Lacking>, Error> {
        let lacking = self.order_once(item, ring, deadline, observer.clone()).await?;
        if lacking.is_some() || !item.rekey {
            return Ok(lacking);
        }
        let ring = self.keyring().await?;
        if item.is_open(&ring) {
            return self.order_once(item, &ring, deadline, observer).await;
        }
        Ok(None)
    }

    async fn order_once(
        &self,
        item: &Item,
        ring: &Keyring,
        deadline: Time,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Option<Lacking>, Error> {
        let Some(entry) = ring.active_in(&item.slot) else { return Ok(None) };
        let Slot { suite, purpose, level, .. } = item.slot;
        let certificate = entry.certificate.as_ref();
        let revoked = certificate.is_some_and(|certificate| ring.is_revoked(certificate));
        let choice = if purpose == Purpose::Encrypt && !item.rekey && !revoked {
            KeyChoice::Same(entry.id)
        } else {
            KeyChoice::Fresh(like(&entry.public_key))
        };
        let replaces = certificate.filter(|_| !revoked).and_then(certificate_identifier);
        let order = PlanItem { level, replaces, ..PlanItem::new(suite, purpose) };
        let orders = OrderPlan { mailbox: self.address().clone(), items: vec![order] };
        let choices = vec![((suite, purpose, level), choice)];
        let client = self.ordering_client(Some(&ring.device), choices, observer);
        let report = client.provision(&orders, deadline).await?;
        let lacking = report.outcomes.into_iter().find_map(|(item, outcome)| lacks(&item, outcome));
        match lacking {
            // A new key was refused: that the old one could be certified is not what was asked for.
            Some(lacking) if item.rekey => Ok(self.reclaim(vec![lacking]).await?.pop()),
            Some(lacking) => {
                let elsewhere = self.reclaim(vec![lacking]).await?;
                Ok(self.certify_held(elsewhere, deadline).await?.pop())
            }
            None => Ok(None),
        }
    }
}

/// Whether this machine failed, and not the service.
fn is_local(error: &Error) -> bool {
    match error {
        Error::Provision(error) => matches!(
            error,
            ClientError::Keys(KeysError::Store(_))
                | ClientError::State(_)
                | ClientError::Damaged { .. }
                | ClientError::Unwritable
                | ClientError::Rng(_)
        ),
        Error::Store(_) | Error::Record { .. } | Error::Busy(_) => true,
        _ => false,
    }
}

/// Whether it stands in the way of every slot.
pub(super) fn is_general(error: &Error) -> bool {
    let Error::Provision(provision) = error else { return is_local(error) };
    is_local(error)
        || matches!(
            provision,
            ClientError::ServiceUnreachable { .. }
                | ClientError::NoAccount
                | ClientError::Url(_)
                | ClientError::Machine(
                    MachineError::ConsentRefused { .. }
                        | MachineError::UserActionRequired { .. }
                        | MachineError::AccountStatus { .. }
                        | MachineError::ExternalAccountRequired
                        | MachineError::AccountKey
                        | MachineError::Url(_)
                )
        )
}

/// A new key of the same kind.
pub(crate) fn like(key: &PublicKey) -> KeySpec {
    match key.kind() {
        KeyKind::P256 => KeySpec::P256,
        KeyKind::P384 => KeySpec::P384,
        KeyKind::Sm2 => KeySpec::Sm2,
        KeyKind::Rsa { bits } => KeySpec::Rsa(u32::try_from(bits).unwrap_or(3_072).max(3_072)),
        _ => KeySpec::Rsa(3_072),
    }
}
