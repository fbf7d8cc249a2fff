//! Bringing the one encrypting key of each suite to every device of the owner.
//!
//! The device that lacks the keys signs a request with its own signing key; a device that holds them shows the
//! fingerprint of the request's transport key to the owner and, on their word, seals every encrypting key the
//! mailbox has or had to it. The service carries sealed packages and never sees a key, unless the owner gave it
//! the keys for safe keeping.

mod ask;
mod conflict;
mod envelope;
mod error;
mod give;
mod pending;
mod request;
mod signed;
mod take;

pub use ask::Waiting;
pub(crate) use ask::{Lacking, Progress};
pub use conflict::{ConflictingKey, RekeyedElsewhere, TransferConflict};
pub(crate) use conflict::{not_given_up, rekeyed_elsewhere};
pub use error::TransferError;
pub use give::{Given, TransferRequest};
