//! What happened to the mailboxes of an account (`meta.aecm.events`).

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::rfc3339;

super::words! {
    /// What happened.
    EventKind {
        /// Another account obtained its first certificate for the mailbox.
        DeviceAdded = "device-added",
        /// The mailbox has a new encrypting key.
        Rekeyed = "rekeyed",
        /// A device asks for the encrypting keys.
        TransferRequested = "transfer-requested",
        /// A device gave them.
        TransferAnswered = "transfer-answered",
        /// The device that asked has them.
        TransferDone = "transfer-done",
        /// The keys were given to the service for safe keeping.
        EscrowStored = "escrow-stored",
        /// The keys were taken out of safe keeping.
        EscrowRecovered = "escrow-recovered",
        /// The service destroyed the keys it kept.
        EscrowWithdrawn = "escrow-withdrawn",
        /// A certificate was revoked.
        Revoked = "revoked",
    }
}

super::words! {
    /// Whose doing it was.
    EventAccount {
        /// The account that asks.
        Own = "this",
        /// Another account that controls the mailbox.
        Another = "other",
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    #[serde(with = "rfc3339")]
    pub time: Time,
    /// What.
    pub kind: EventKind,
    /// The mailbox it concerns.
    pub mailbox: String,
    /// The device it concerns, as that device names itself.
    #[serde(default)]
    pub device: Option<String>,
    /// Whose doing it was.
    pub account: EventAccount,
    /// SHA-256 of the certificate it concerns, in hexadecimal.
    #[serde(default)]
    pub certificate: Option<String>,
}

/// The answer: the newest events last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventList {
    /// The events.
    pub events: Vec<Event>,
}
