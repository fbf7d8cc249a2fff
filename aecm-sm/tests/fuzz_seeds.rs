//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn sm2_ciphertext() {
    replay("sm2_ciphertext", aecm_sm::fuzzing::sm2_ciphertext, 300);
}

#[test]
fn sm2_signature() {
    replay("sm2_signature", aecm_sm::fuzzing::sm2_signature, 1_000);
}
