//! The command as processes: a service, mailboxes that get their certificates from it over a Maildir, mail between
//! them; killed, spied on and flooded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "journey_cli/killed.rs"]
mod killed;
#[path = "journey_cli/rows.rs"]
mod rows;
#[path = "journey_cli/secrets.rs"]
mod secrets;
#[path = "journey_cli/strangers.rs"]
mod strangers;
#[path = "journey_cli/support.rs"]
mod support;
#[path = "journey_cli/transcript.rs"]
mod transcript;
#[path = "journey_cli/wrong.rs"]
mod wrong;
