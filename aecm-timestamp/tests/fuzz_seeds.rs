//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn timestamp_request() {
    replay("timestamp_request", aecm_timestamp::fuzzing::request, 2_000);
}

#[test]
fn timestamp_answer() {
    replay("timestamp_answer", aecm_timestamp::fuzzing::answer, 1_000);
}

#[test]
fn timestamp_token() {
    replay("timestamp_token", aecm_timestamp::fuzzing::token, 1_000);
}

#[test]
fn tst_info() {
    replay("tst_info", aecm_timestamp::fuzzing::tst_info, 2_000);
}
