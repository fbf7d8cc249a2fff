//! Encrypting keys that are awaited from another device.

use aecm::Waiting;
use serde_json::{Value, json};

/// The member `waiting`.
pub(in crate::cli) fn json(waiting: &Waiting) -> Value {
    json!({
        "device": waiting.device.to_string(),
        "fingerprint": waiting.fingerprint,
        "suites": waiting.suites.iter().map(|suite| suite.word()).collect::<Vec<_>>(),
        "expires": waiting.expires.to_string(),
    })
}

/// What the owner has to do.
pub(in crate::cli) fn text(waiting: &Waiting) -> String {
    format!(
        "The encrypting keys are on another device. There, compare this fingerprint and approve it:\n  \
         aecm device approve {}\nthen run this command again, before {}.\n",
        waiting.fingerprint, waiting.expires
    )
}
