#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
mod builder;
mod compose;
mod devices;
mod discover;
mod error;
mod escrow;
mod keyring;
mod learn;
mod mailbox;
mod open;
mod preference;
mod proof;
mod provision;
mod reclaim;
mod record;
mod renew;
mod revoke;
mod service;
mod slots;
mod transfer;
mod trust;

pub use aecm_acme as acme;
pub use aecm_core as core;
pub use aecm_smime as smime;
pub use aecm_store as store;
pub use aecm_timestamp as timestamp;

pub use builder::{Aecm, AecmBuilder, Consent};
pub use compose::{Compose, Composed, SignatureLayout, Stamp};
pub use devices::Device;
pub use discover::{Discovery, discover};
pub use error::Error;
pub use escrow::{EscrowConsent, EscrowTerms, Escrowed, EscrowedKey, Recovered, RecoveredSuite};
pub use mailbox::Mailbox;
pub use provision::{ClassicKeys, Event, Plan, Provisioned};
pub use renew::{RenewPlan, Renewed};
pub use revoke::{Revocation, RevokeTarget, RevokedDevice};
pub use slots::{SlotReport, SlotState};
pub use transfer::{
    ConflictingKey, Given, RekeyedElsewhere, TransferConflict, TransferError, TransferRequest, Waiting,
};
pub use trust::Trust;
