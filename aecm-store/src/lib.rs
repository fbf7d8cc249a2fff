#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
pub mod conformance;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod import;
mod lease;
mod ledger;
mod memory;
mod ops;
#[cfg(feature = "pkcs12")]
pub mod p12;
pub mod package;
mod recognise;
mod records;
mod slot;
mod store;
#[cfg(unix)]
mod vault;
mod wipe;

pub use error::{Exposure, Mismatch, StoreError};
pub use import::ImportedKey;
pub use lease::Lease;
pub use memory::MemoryStore;
pub use slot::{DeviceId, Entry, EntryState, KeyId, Slot, WordError};
pub use store::KeyStore;
#[cfg(unix)]
pub use vault::{Argon2Parameters, Kept, Recovery, Vault, VaultOptions};
