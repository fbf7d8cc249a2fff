//! What a mailbox has, slot by slot.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::{DeviceId, EntryState, Slot};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::hex;

/// One slot of a mailbox: what came of a call for it, or what it holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlotReport {
    /// The algorithm family.
    pub suite: Suite,
    /// What it is for.
    pub purpose: Purpose,
    /// How well its holder was checked.
    pub level: Level,
    /// The device whose key it is; `None` for the encrypting key, which all devices share.
    pub device: Option<DeviceId>,
    /// What came of it.
    pub state: SlotState,
    /// Its certificate, whatever the state says of it.
    pub certificate: Option<Certificate>,
    /// Why it could not be renewed, where its state is [`SlotState::Failed`].
    pub failure: Option<Arc<Error>>,
}

impl SlotReport {
    pub(crate) fn new(slot: &Slot, state: SlotState, certificate: Option<Certificate>) -> Self {
        let Slot { suite, purpose, level, device } = slot.clone();
        Self { suite, purpose, level, device, state, certificate, failure: None }
    }

    /// The slot, as the store knows it.
    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot { suite: self.suite, purpose: self.purpose, level: self.level, device: self.device.clone() }
    }

    /// The serial number of the certificate in hexadecimal.
    #[must_use]
    pub fn serial(&self) -> Option<String> {
        self.certificate.as_ref().map(|certificate| hex(certificate.serial()))
    }

    /// When the certificate begins to be valid.
    #[must_use]
    pub fn not_before(&self) -> Option<Time> {
        self.certificate.as_ref().map(Certificate::not_before)
    }

    /// When the certificate ends.
    #[must_use]
    pub fn not_after(&self) -> Option<Time> {
        self.certificate.as_ref().map(Certificate::not_after)
    }
}

/// What came of a slot, or what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotState {
    /// Its certificate was obtained now.
    Issued,
    /// It had its certificate already; nothing was asked for.
    Present,
    /// Its certificate was followed by a new one now.
    Renewed,
    /// Its certificate was followed by one for a new key, although that was not asked for: the service does not
    /// certify the old key any more, because it was revoked as compromised. Other devices have to ask for the new
    /// one.
    Rekeyed,
    /// Its key came from another device of the owner, or out of escrow, now.
    Received,
    /// The mailbox has an encrypting key on another device, from which it has to come.
    WaitingForTransfer,
    /// The device that was asked for the encrypting key refused.
    TransferRefused,
    /// Another encrypting key came for it while it holds one that can be used: the owner decides
    /// ([`Mailbox::accept_transfer`], [`Mailbox::decline_transfer`]).
    TransferConflict,
    /// The mailbox uses an encrypting key that neither this store nor the escrow has.
    ActiveMissing,
    /// It has no certificate; the call ended early, or nothing was obtained yet.
    Missing,
    /// It could not be renewed; [`SlotReport::failure`] says why. Its old certificate stays what it was.
    Failed,
    /// It has a key that awaits its certificate.
    Pending,
    /// Its certificate has run out.
    Expired,
    /// Its certificate was revoked.
    Revoked,
}

impl SlotState {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Issued,
        Self::Present,
        Self::Renewed,
        Self::Rekeyed,
        Self::Received,
        Self::WaitingForTransfer,
        Self::TransferRefused,
        Self::TransferConflict,
        Self::ActiveMissing,
        Self::Missing,
        Self::Failed,
        Self::Pending,
        Self::Expired,
        Self::Revoked,
    ];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Present => "present",
            Self::Renewed => "renewed",
            Self::Rekeyed => "rekeyed",
            Self::Received => "received",
            Self::WaitingForTransfer => "waiting-for-transfer",
            Self::TransferRefused => "transfer-refused",
            Self::TransferConflict => "transfer-conflict",
            Self::ActiveMissing => "active-key-missing",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the slot can be used.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Issued | Self::Present | Self::Renewed | Self::Rekeyed | Self::Received)
    }
}

impl core::fmt::Display for SlotState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.word())
    }
}

impl Mailbox {
    /// What the mailbox has in this store, one line a slot: the key in use, or the one that awaits its
    /// certificate. Former keys are in [`Mailbox::entries`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn slots(&self) -> Result<Vec<SlotReport>, Error> {
        let ring = self.keyring().await?;
        let waiting = self.waiting_for().await?;
        let now = self.aecm().clock().now();
        let mut places: Vec<Slot> = Vec::new();
        for entry in ring.entries.iter().filter(|entry| entry.state != EntryState::Removed) {
            if !places.iter().any(|known| known.same_place(&entry.slot)) {
                places.push(entry.slot.clone());
            }
        }
        for suite in &waiting {
            let slot = ring.slot(*suite, Purpose::Encrypt, Level::Mailbox);
            if !places.iter().any(|known| known.same_place(&slot)) {
                places.push(slot);
            }
        }
        places.sort_by_key(|slot| {
            let suite = Suite::ALL.iter().position(|suite| *suite == slot.suite);
            (suite, slot.purpose, slot.level, slot.device.clone())
        });
        Ok(places.iter().map(|slot| stands(&ring, slot, &waiting, now)).collect())
    }
}

/// What a slot holds.
fn stands(ring: &Keyring, slot: &Slot, waiting: &[Suite], now: Time) -> SlotReport {
    let Some(entry) = ring.active_in(slot) else {
        let state = if slot.purpose == Purpose::Encrypt && waiting.contains(&slot.suite) {
            SlotState::WaitingForTransfer
        } else {
            SlotState::Pending
        };
        return SlotReport::new(slot, state, None);
    };
    let state = match &entry.certificate {
        None => SlotState::Pending,
        Some(certificate) if ring.is_revoked(certificate) => SlotState::Revoked,
        Some(certificate) if now > certificate.not_after() => SlotState::Expired,
        Some(_) => SlotState::Present,
    };
    SlotReport::new(&entry.slot, state, entry.certificate.clone())
}
