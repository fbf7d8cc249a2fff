//! Runs the peers: one helper for each tool, so that a test reads as what is sent and what comes back.
//!
//! A missing tool fails the test that needs it. `interop/run` makes or names those that are not programs of their
//! own and passes their places in `AECM_*` variables.
#![forbid(unsafe_code)]

pub mod keys;
pub mod pebble;
pub mod tools;
pub mod world;
