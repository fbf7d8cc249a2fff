//! What came of each slot.

use std::sync::Arc;

use aecm_core::suite::{Level, Purpose, Suite};
use aecm_store::Slot;

use super::order::Tried;
use super::under_way::Item;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::slots::{SlotReport, SlotState};
use crate::transfer::Progress;

/// What came of a transfer that was under way before anything was ordered.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) progress: Progress,
    /// It could not be taken: whose keys it was to bring, and why.
    pub(super) failed: Option<(Vec<Suite>, Arc<Error>)>,
}

impl Default for Taken {
    fn default() -> Self {
        Self { progress: Progress::Nothing, failed: None }
    }
}

impl Taken {
    /// The suites whose keys came.
    pub(super) fn received(&self) -> Vec<Suite> {
        match &self.progress {
            Progress::Received(suites) => suites.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether nothing is to be ordered for that slot: its holder has just refused, or the owner is to decide.
    pub(super) fn settles(&self, item: &Item) -> bool {
        let suite = item.slot.suite;
        let settled = match &self.progress {
            Progress::Refused(suites) => suites.contains(&suite),
            Progress::Conflict(conflict) => conflict.is_about(suite),
            _ => false,
        };
        settled && item.slot.purpose == Purpose::Encrypt
    }

    /// Slots that were not asked for, whose keys came and could not be taken.
    pub(super) fn failures(&self, items: &[Item], ring: &Keyring) -> Vec<SlotReport> {
        let Some((suites, error)) = &self.failed else { return Vec::new() };
        let slots = suites.iter().map(|suite| ring.slot(*suite, Purpose::Encrypt, Level::Mailbox));
        let unasked = slots.filter(|slot| !items.iter().any(|item| item.slot.same_place(slot)));
        unasked.map(|slot| failed(&slot, ring, Arc::clone(error))).collect()
    }
}

/// Keys that came from another device and whose slots were not asked for.
pub(super) fn received(suites: &[Suite], items: &[Item], ring: &Keyring) -> Vec<SlotReport> {
    let slots = suites.iter().map(|suite| ring.slot(*suite, Purpose::Encrypt, Level::Mailbox));
    let unasked = slots.filter(|slot| !items.iter().any(|item| item.slot.same_place(slot)));
    let report = |slot: Slot| SlotReport::new(&slot, SlotState::Received, certificate(&slot, ring));
    unasked.map(report).collect()
}

/// What came of a slot that was asked for.
pub(super) fn settled(item: &Item, ring: &Keyring, progress: &Progress, tried: &Tried) -> SlotReport {
    if let Some(error) = tried.failure(&item.slot) {
        return failed(&item.slot, ring, error);
    }
    let suite = item.slot.suite;
    let encrypts = item.slot.purpose == Purpose::Encrypt;
    let elsewhere = encrypts && tried.lacking.iter().any(|one| one.suite == suite);
    let state = match progress {
        Progress::Conflict(conflict) if encrypts && conflict.is_about(suite) => SlotState::TransferConflict,
        Progress::Received(suites) if elsewhere && suites.contains(&suite) => SlotState::Received,
        Progress::Refused(suites) if encrypts && suites.contains(&suite) => SlotState::TransferRefused,
        _ if elsewhere => SlotState::WaitingForTransfer,
        _ if item.is_open(ring) || ring.in_slot(&item.slot).is_none() => SlotState::Missing,
        _ if encrypts && !item.rekey && !item.keeps_key(ring) => SlotState::Rekeyed,
        _ => SlotState::Renewed,
    };
    let slot = ring.active_in(&item.slot).map_or(&item.slot, |entry| &entry.slot);
    SlotReport::new(slot, state, certificate(&item.slot, ring))
}

fn failed(slot: &Slot, ring: &Keyring, error: Arc<Error>) -> SlotReport {
    SlotReport { failure: Some(error), ..SlotReport::new(slot, SlotState::Failed, certificate(slot, ring)) }
}

fn certificate(slot: &Slot, ring: &Keyring) -> Option<aecm_core::certificate::Certificate> {
    ring.active_in(slot).and_then(|entry| entry.certificate.clone())
}
