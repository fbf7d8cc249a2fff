//! What is under way, so that an interrupted call is continued and nothing is renewed twice.

use aecm_acme::plan::PlanItem;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::Purpose;
use aecm_store::Slot;
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::{self, hex};

/// How long a call that was interrupted can be continued, in seconds; later it is another call.
const DAY: i64 = 86_400;
/// Calls that are remembered.
const MAX_CALLS: usize = 16;

#[derive(Debug, Default, Serialize, Deserialize)]
struct UnderWay {
    #[serde(default)]
    calls: Vec<Call>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Call {
    /// What was asked for.
    asked: String,
    /// When it began, in Unix seconds.
    began: i64,
    items: Vec<Item>,
}

/// One slot that is to be renewed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) slot: Slot,
    pub(super) rekey: bool,
    /// SHA-256 of the certificate that is to be followed, in hexadecimal.
    pub(super) follows: String,
    /// SHA-256 of its key, in hexadecimal.
    pub(super) key: String,
}

impl Item {
    fn new(slot: &Slot, rekey: bool, ring: &Keyring) -> Option<Self> {
        let entry = ring.active_in(slot)?;
        let certificate = entry.certificate.as_ref()?;
        let rekey = rekey && slot.purpose == Purpose::Encrypt;
        let (follows, key) = (hex(&certificate.sha256()), key_name(&entry.public_key));
        Some(Self { slot: slot.clone(), rekey, follows, key })
    }

    /// Whether the certificate, and the key where that is to be replaced, is still the one in use.
    pub(super) fn is_open(&self, ring: &Keyring) -> bool {
        let Some(entry) = ring.active_in(&self.slot) else { return false };
        let followed = entry.certificate.as_ref().is_none_or(|one| hex(&one.sha256()) != self.follows);
        !followed || (self.rekey && self.keeps_key(ring))
    }

    /// Whether the key in use is the one that was when the call began.
    pub(super) fn keeps_key(&self, ring: &Keyring) -> bool {
        ring.active_in(&self.slot).is_some_and(|entry| key_name(&entry.public_key) == self.key)
    }

    pub(super) fn plan_item(&self) -> PlanItem {
        PlanItem { level: self.slot.level, ..PlanItem::new(self.slot.suite, self.slot.purpose) }
    }
}

fn key_name(key: &PublicKey) -> String {
    hex(&DigestAlgorithm::Sha256.digest(key.spki_der()))
}

impl Mailbox {
    /// The slots of the call: those of the same call that was interrupted where there is one, else anew.
    pub(super) async fn begin(&self, asked: &Asked, ring: &Keyring) -> Result<Vec<Item>, Error> {
        let name = self.under_way_name();
        let store = self.aecm().store().as_ref();
        let mut saved: UnderWay = record::load(store, &name).await?.unwrap_or_default();
        let now = self.aecm().clock().now().unix();
        saved.calls.retain(|call| (0..DAY).contains(&now.saturating_sub(call.began)));
        if !saved.calls.iter().any(|call| call.asked == asked.call) {
            let spare = saved.calls.len().saturating_sub(MAX_CALLS - 1);
            saved.calls.drain(..spare);
            saved.calls.push(Call { asked: asked.call.clone(), began: now, items: Vec::new() });
        }
        let mut items = Vec::new();
        if let Some(call) = saved.calls.iter_mut().find(|call| call.asked == asked.call) {
            for slot in &asked.slots {
                let revoked = ring.active_in(slot).is_some_and(|entry| {
                    entry.certificate.as_ref().is_some_and(|certificate| ring.is_revoked(certificate))
                });
                if revoked || asked.anew.iter().any(|one| one.same_place(slot)) {
                    // What the call had obtained for it is of no use any more.
                    call.items.retain(|item| !item.slot.same_place(slot) || item.is_open(ring));
                }
                if !call.items.iter().any(|item| item.slot.same_place(slot)) {
                    call.items.extend(Item::new(slot, asked.rekey, ring));
                }
            }
            let wanted = |item: &&Item| asked.slots.iter().any(|slot| slot.same_place(&item.slot));
            items = call.items.iter().filter(wanted).cloned().collect();
        }
        if items.is_empty() {
            return Ok(items);
        }
        record::save(store, &name, &saved).await?;
        Ok(items)
    }

    /// The call has come to its end.
    pub(super) async fn end(&self, call: &str) -> Result<(), Error> {
        let name = self.under_way_name();
        let store = self.aecm().store().as_ref();
        let Some(mut saved) = record::load::<UnderWay>(store, &name).await? else { return Ok(()) };
        saved.calls.retain(|one| one.asked != call);
        if saved.calls.is_empty() {
            return Ok(store.delete_state(&name).await?);
        }
        record::save(store, &name, &saved).await
    }

    fn under_way_name(&self) -> String {
        format!("aecm-renewal:{}:{}", self.aecm().directory_url(), self.address())
    }
}
