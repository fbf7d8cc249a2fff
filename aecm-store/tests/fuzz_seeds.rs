//! Replays the seeds of the fuzz targets (fuzz/seeds) and inputs made from them, on a stack of 256 KiB (THREATS A1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[cfg(unix)]
#[test]
fn vault_file() {
    replay("vault_file", aecm_store::fuzzing::vault_file, 2_000);
}

#[test]
fn ledger() {
    replay("ledger", aecm_store::fuzzing::ledger, 2_000);
}

#[cfg(feature = "pkcs12")]
#[test]
fn pkcs12() {
    replay("pkcs12", aecm_store::fuzzing::pkcs12, 2_000);
}

#[test]
fn key_package() {
    replay("key_package", aecm_store::fuzzing::key_package, 1_000);
}
