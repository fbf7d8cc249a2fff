//! Encrypting keys that came and would take the place of ones in use here, and ones that were replaced elsewhere.

use aecm::core::certificate::Certificate;
use aecm::{RekeyedElsewhere, TransferConflict};
use serde_json::{Value, json};

use crate::cli::show::hex;

/// The member `conflict`.
pub(in crate::cli) fn json(conflict: &TransferConflict) -> Value {
    let keys = conflict.keys.iter().map(|key| {
        json!({
            "suite": key.suite.word(),
            "held": certificate(&key.held),
            "offered": certificate(&key.offered),
        })
    });
    json!({ "keys": keys.collect::<Vec<_>>(), "giver": certificate(&conflict.giver) })
}

/// What the owner has to decide.
pub(in crate::cli) fn text(conflict: &TransferConflict) -> String {
    let mut text = format!(
        "{} gave encrypting keys that differ from those in use here:\n",
        conflict.giver.subject_text()
    );
    let mut offered = Vec::new();
    for key in &conflict.keys {
        let (held, other) = (hex(&key.held.sha256()), hex(&key.offered.sha256()));
        text.push_str(&format!("  {}: here {held}\n  {}: came {other}\n", key.suite, key.suite));
        offered.push(other);
    }
    text.push_str(&format!(
        "If you made them on another device: aecm device accept {}\nelse: aecm device decline\n",
        offered.join(" ")
    ));
    text
}

/// The member `rekeyed`.
pub(in crate::cli) fn rekeyed_json(rekeyed: &[RekeyedElsewhere]) -> Vec<Value> {
    let one = |one: &RekeyedElsewhere| {
        json!({
            "suite": one.suite.word(),
            "own": certificate(&one.own),
            "certificate": certificate(&one.certificate),
        })
    };
    rekeyed.iter().map(one).collect()
}

/// What the owner should know of it.
pub(in crate::cli) fn rekeyed_text(rekeyed: &RekeyedElsewhere) -> String {
    format!(
        "The encrypting key of suite {} was replaced elsewhere (certificate {}). If that was not you, somebody else \
         reads the mailbox: change its password and revoke that certificate.\n",
        rekeyed.suite,
        hex(rekeyed.certificate.serial())
    )
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject_text(),
        "serial": hex(certificate.serial()),
        "sha256": hex(&certificate.sha256()),
    })
}
