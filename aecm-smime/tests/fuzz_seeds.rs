//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/bodies/smime.rs"]
mod bodies;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn cms() {
    replay("cms", aecm_smime::fuzzing::cms, 2_000);
}

#[test]
fn capabilities() {
    replay("capabilities", aecm_smime::fuzzing::capabilities, 2_000);
}

#[test]
fn signed() {
    replay("signed", bodies::signed, 1_000);
}

#[test]
fn enveloped() {
    replay("enveloped", bodies::enveloped, 500);
}

#[test]
fn mail() {
    replay("mail", bodies::mail, 500);
}

#[test]
fn outgoing() {
    replay("outgoing", bodies::outgoing, 2_000);
}
