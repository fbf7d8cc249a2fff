//! docs/verdicts.md names every word of the facade's reports, and no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use aecm::core::suite::Suite;
use aecm::{SlotState, TransferError};

const PAGE: &str = include_str!("../../docs/verdicts.md");
const TRANSFER: &str = include_str!("../src/transfer/error.rs");

fn documented(section: &str) -> BTreeSet<String> {
    let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let text = rest.split("\n## ").next().unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn slot_states_are_documented() {
    let words: BTreeSet<String> = SlotState::ALL.iter().map(|state| state.word().to_owned()).collect();
    assert_eq!(words.len(), SlotState::ALL.len());
    assert_eq!(documented("Slot"), words);
}

#[test]
fn transfer_errors_are_documented() {
    let (_, body) = TRANSFER.split_once("fn word(").unwrap();
    let body = body.split("\n    }\n").next().unwrap();
    let words: BTreeSet<String> = body.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(documented("Transfer"), words);
    assert!(words.contains(TransferError::NotIssuer { suite: Suite::Sm2 }.word()));
    assert!(words.contains(TransferError::Fingerprint.word()));
}
