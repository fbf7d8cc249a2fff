//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/bodies/core.rs"]
mod bodies;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn tlv() {
    replay("tlv", bodies::tlv, 2_000);
}

#[test]
fn certificate() {
    replay("certificate", bodies::certificate, 2_000);
}

#[test]
fn crl() {
    replay("crl", bodies::crl, 2_000);
}

#[test]
fn ocsp() {
    replay("ocsp", bodies::ocsp, 2_000);
}

#[test]
fn path() {
    replay("path", bodies::path, 300);
}

#[test]
fn public_key() {
    replay("public_key", bodies::public_key, 2_000);
}

#[test]
fn private_key() {
    replay("private_key", bodies::private_key, 500);
}

#[test]
fn mail_header() {
    replay("mail_header", bodies::mail_header, 2_000);
}

#[test]
fn mailbox() {
    replay("mailbox", bodies::mailbox, 2_000);
}

#[test]
fn encrypted_key() {
    replay("encrypted_key", aecm_core::fuzzing::encrypted_key, 1_000);
}
