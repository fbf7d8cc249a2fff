//! The machine against a server without sockets: the whole flow in every dialect, stopped after every output,
//! and a server that misbehaves on script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "machine/ca.rs"]
mod ca;
#[path = "machine/flow.rs"]
mod flow;
#[path = "machine/mischief.rs"]
mod mischief;
#[path = "machine/server.rs"]
mod server;
#[path = "machine/world.rs"]
mod world;
