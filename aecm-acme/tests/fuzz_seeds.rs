//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/bodies/acme.rs"]
mod bodies;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn challenge_mail() {
    replay("challenge_mail", aecm_acme::email::fuzzing::challenge_mail, 2_000);
}

#[test]
fn dkim_signature() {
    replay("dkim_signature", aecm_acme::email::fuzzing::dkim_signature, 2_000);
}

#[test]
fn reply_mail() {
    replay("reply_mail", bodies::reply_mail, 2_000);
}

#[test]
fn acme_json() {
    replay("acme_json", bodies::json, 2_000);
}

#[test]
fn jws() {
    replay("jws", bodies::jws, 2_000);
}

#[test]
fn csr() {
    replay("csr", bodies::csr, 1_000);
}
