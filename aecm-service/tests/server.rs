//! The server's conformance, asked by a raw client: what RFC 8555, RFC 8823, RFC 3161 and the direct token
//! submission want, and above all what they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "support/client.rs"]
mod client;

#[path = "support/relay.rs"]
mod relay;
#[path = "support/smtp.rs"]
mod smtp;

#[path = "server/account.rs"]
mod account;
#[path = "server/certificate.rs"]
mod certificate;
#[path = "server/challenge.rs"]
mod challenge;
#[path = "server/delivery.rs"]
mod delivery;
#[path = "server/devices.rs"]
mod devices;
#[path = "server/escrow.rs"]
mod escrow;
#[path = "server/finalize.rs"]
mod finalize;
#[path = "server/killed.rs"]
mod killed;
#[path = "server/levels.rs"]
mod levels;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/order.rs"]
mod order;
#[path = "server/public.rs"]
mod public;
#[path = "server/reply.rs"]
mod reply;
#[path = "server/request.rs"]
mod request;
#[path = "server/service.rs"]
mod service;
#[path = "server/state.rs"]
mod state;
#[path = "server/transfer.rs"]
mod transfer;
#[path = "server/tsa.rs"]
mod tsa;
#[path = "server/weak.rs"]
mod weak;
