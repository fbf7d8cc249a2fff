//! The machine against a server without sockets: the whole flow in every dialect, stopped after every output,
//! and a server that misbehaves on script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "machine/ca.rs"]
mod ca;
#[path = "machine/certificates.rs"]
mod certificates;
#[path = "machine/flow.rs"]
mod flow;
#[path = "machine/forgotten.rs"]
mod forgotten;
#[path = "machine/mischief.rs"]
mod mischief;
#[path = "machine/nonces.rs"]
mod nonces;
#[path = "machine/objects.rs"]
mod objects;
#[path = "machine/server.rs"]
mod server;
#[path = "machine/urls.rs"]
mod urls;
#[path = "machine/world.rs"]
mod world;
