//! The rows of what passes between devices: transfers, what is kept in escrow, what happened.

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::codec;

/// How far a transfer is; `expired` follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acme) enum TransferState {
    Pending,
    Answered,
    Done,
    Refused,
}

/// A device asks for the encrypting keys of its mailbox.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::acme) struct Transfer {
    pub(in crate::acme) id: String,
    /// The account that asks.
    pub(in crate::acme) account: String,
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    pub(in crate::acme) device: String,
    /// SHA-256 of the transport key's SPKI in hex.
    pub(in crate::acme) fingerprint: String,
    /// The words of the suites whose keys are asked for.
    pub(in crate::acme) suites: Vec<String>,
    #[serde(with = "codec::time")]
    pub(in crate::acme) created: Time,
    #[serde(with = "codec::time")]
    pub(in crate::acme) expires: Time,
    pub(in crate::acme) state: TransferState,
    #[serde(with = "codec::octets")]
    pub(in crate::acme) request: Vec<u8>,
    /// The CMS of the answer, encrypted to the transport key, until it was fetched.
    #[serde(with = "codec::maybe_octets")]
    pub(in crate::acme) response: Option<Vec<u8>>,
    /// The account that answered; `None` where the escrow did.
    pub(in crate::acme) answered_by: Option<String>,
    /// The encrypting keys that the answer brings, as far as the service knows them: SHA-256 of their SPKI.
    pub(in crate::acme) keys: Vec<String>,
}

impl core::fmt::Debug for Transfer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Transfer").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Transfer {
    /// The state's word at `now`.
    pub(in crate::acme) fn status(&self, now: Time) -> &'static str {
        match self.state {
            TransferState::Done => "done",
            TransferState::Refused => "refused",
            TransferState::Pending | TransferState::Answered if now > self.expires => "expired",
            TransferState::Pending => "pending",
            TransferState::Answered => "answered",
        }
    }

    /// The suites asked for.
    pub(in crate::acme) fn suites(&self) -> impl Iterator<Item = Suite> {
        self.suites.iter().filter_map(|word| Suite::from_word(word))
    }
}

/// Encrypting keys kept for a mailbox.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::acme) struct Escrowed {
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    /// The key package, encrypted to the escrow's own key: AuthEnvelopedData.
    #[serde(with = "codec::octets")]
    pub(in crate::acme) package: Vec<u8>,
    #[serde(with = "codec::time")]
    pub(in crate::acme) stored: Time,
    /// Who agreed to what, and when.
    pub(in crate::acme) account: String,
    pub(in crate::acme) terms: String,
    pub(in crate::acme) terms_sha256: Option<String>,
    #[serde(with = "codec::time")]
    pub(in crate::acme) agreed: Time,
}

impl core::fmt::Debug for Escrowed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Escrowed").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

/// What can happen to a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acme) enum EventKind {
    DeviceAdded,
    Rekeyed,
    TransferRequested,
    TransferAnswered,
    TransferDone,
    EscrowStored,
    EscrowRecovered,
    EscrowWithdrawn,
    Revoked,
}

impl EventKind {
    /// The word on the wire.
    pub(in crate::acme) const fn word(self) -> &'static str {
        match self {
            Self::DeviceAdded => "device-added",
            Self::Rekeyed => "rekeyed",
            Self::TransferRequested => "transfer-requested",
            Self::TransferAnswered => "transfer-answered",
            Self::TransferDone => "transfer-done",
            Self::EscrowStored => "escrow-stored",
            Self::EscrowRecovered => "escrow-recovered",
            Self::EscrowWithdrawn => "escrow-withdrawn",
            Self::Revoked => "revoked",
        }
    }
}

/// Something that happened to a mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::acme) struct Event {
    /// Counted from 1.
    pub(in crate::acme) number: u64,
    #[serde(with = "codec::time")]
    pub(in crate::acme) time: Time,
    pub(in crate::acme) kind: EventKind,
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    /// What the device calls itself.
    pub(in crate::acme) device: Option<String>,
    /// Whose doing it was.
    pub(in crate::acme) account: String,
    /// SHA-256 of the certificate it concerns, in hex.
    pub(in crate::acme) certificate: Option<String>,
}
