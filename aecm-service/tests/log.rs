//! The log has a process of its own: the first thread that passes an event decides for all whether it is recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "support/client.rs"]
mod client;
#[path = "server/log.rs"]
mod log;
#[path = "support/relay.rs"]
mod relay;
