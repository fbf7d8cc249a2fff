//! The facade on loopback: certificates obtained however the call is cut, mail sent and opened, and everything
//! that must not be believed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "support/cut.rs"]
mod cut;
#[path = "support/forge.rs"]
mod forge;
#[path = "support/meddler.rs"]
mod meddler;
#[path = "support/world.rs"]
mod world;

#[path = "facade/addressed.rs"]
mod addressed;
#[path = "facade/compose.rs"]
mod compose;
#[path = "facade/conflict.rs"]
mod conflict;
#[path = "facade/devices.rs"]
mod devices;
#[path = "facade/discover.rs"]
mod discover;
#[path = "facade/escrow.rs"]
mod escrow;
#[path = "facade/hostile.rs"]
mod hostile;
#[path = "facade/interrupted.rs"]
mod interrupted;
#[path = "facade/leaks.rs"]
mod leaks;
#[path = "facade/levels.rs"]
mod levels;
#[path = "facade/open.rs"]
mod open;
#[path = "facade/provision.rs"]
mod provision;
#[path = "facade/recover.rs"]
mod recover;
#[path = "facade/renew.rs"]
mod renew;
#[path = "facade/renew_each.rs"]
mod renew_each;
#[path = "facade/revoke.rs"]
mod revoke;
#[path = "facade/tamper.rs"]
mod tamper;
#[path = "facade/time.rs"]
mod time;
#[path = "facade/transfer.rs"]
mod transfer;
#[path = "facade/transfer_hostile.rs"]
mod transfer_hostile;
#[path = "facade/troubled.rs"]
mod troubled;
#[path = "facade/unposted.rs"]
mod unposted;
