//! Tokens made by others, tokens that break one rule each, and what is made here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations
)]

mod embedding;
mod http;
mod issuing;
mod maker;
mod oracle;
mod replay;
mod rules;
mod seeds;
mod trust;
mod vectors;
