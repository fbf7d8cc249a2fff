#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod compose;
mod error;
mod mailbox;
mod open;
mod provision;
mod trust;

pub use aecm_acme as acme;
pub use aecm_core as core;
pub use aecm_smime as smime;
pub use aecm_store as store;
pub use aecm_timestamp as timestamp;

pub use builder::{Aecm, AecmBuilder, Consent};
pub use compose::{Compose, Composed, SignatureLayout, Stamp};
pub use error::Error;
pub use mailbox::Mailbox;
pub use provision::{ClassicKeys, Event, Plan, Provisioned, SlotReport, SlotState};
pub use trust::Trust;
