//! A service that misbehaves on script, at the level of the whole: `Mailbox::provision` over a vault on disk and
//! the real service, with something between them that changes, drops, delays, repeats and forges. Every scene
//! ends in success or in a typed error whose message a person understands, and with the service behaving again
//! the next call completes what was wanted.
//!
//! `AECM_SCENES=1` prints what each scene came to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "support/world.rs"]
mod world;

#[path = "misbehaving/clock.rs"]
mod clock;
#[path = "misbehaving/forge.rs"]
mod forge;
#[path = "misbehaving/message.rs"]
mod message;
#[path = "misbehaving/post.rs"]
mod post;
#[path = "misbehaving/script.rs"]
mod script;
#[path = "misbehaving/stage.rs"]
mod stage;

#[path = "misbehaving/accounts.rs"]
mod accounts;
#[path = "misbehaving/certificates.rs"]
mod certificates;
#[path = "misbehaving/connections.rs"]
mod connections;
#[path = "misbehaving/json.rs"]
mod json;
#[path = "misbehaving/mails.rs"]
mod mails;
#[path = "misbehaving/nonces.rs"]
mod nonces;
#[path = "misbehaving/orders.rs"]
mod orders;
#[path = "misbehaving/problems.rs"]
mod problems;
#[path = "misbehaving/strangers.rs"]
mod strangers;
#[path = "misbehaving/urls.rs"]
mod urls;
#[path = "misbehaving/waiting.rs"]
mod waiting;
