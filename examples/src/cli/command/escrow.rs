//! `aecm escrow`: the encrypting keys in safe keeping at the service, for when every device is lost.

use std::sync::Arc;

use aecm::Plan;
use aecm::store::KeyStore;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::online::desk::Desk;
use crate::cli::online::discover::discover;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::progress::Teller;
use crate::cli::online::stop::{Done, Stop, settle};
use crate::cli::online::{conflicts, slots, waits};
use crate::cli::show::hex;
use crate::cli::{Failure, Io, Outcome, runtime};

/// Leaves the encrypting keys with the service, takes them out again, or has them destroyed there. The service can
/// read the mailbox's encrypted mail while it keeps them.
#[derive(Args)]
pub(in crate::cli) struct Escrow {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Leave all encrypting keys with the service
    Put(Put),
    /// Have the service destroy what it keeps
    Delete(Common),
    /// Take the keys out, after every device that held them was lost
    Recover(Common),
}

#[derive(Args)]
struct Put {
    #[command(flatten)]
    common: Common,
    /// Agree to the terms of the escrow
    #[arg(long)]
    agree_terms: bool,
}

#[derive(Args)]
struct Common {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    mailbox: MailboxArg,
}

impl Escrow {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let common = self.task.common();
        let store = match common.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.task.work(store, io))?))
    }
}

impl Task {
    const fn common(&self) -> &Common {
        match self {
            Self::Put(put) => &put.common,
            Self::Delete(common) | Self::Recover(common) => common,
        }
    }

    async fn work(&self, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let address = self.common().mailbox.one(store.as_ref()).await?;
        let desk = Desk::open(&store, &address, matches!(self, Self::Recover(_)), io).await?;
        let outcome = match self {
            Self::Put(put) => put_in(&desk, put.agree_terms, io).await?,
            Self::Delete(_) => {
                desk.mailbox.withdraw_escrow().await?;
                Outcome::of("valid").saying("the service keeps no keys of this mailbox\n")
            }
            Self::Recover(_) => recover(&desk, io).await?,
        };
        Ok(outcome.with("mailbox", address.to_string()))
    }
}

async fn put_in(desk: &Desk, agreed: bool, io: &Io) -> Done<Outcome> {
    let found = discover(Arc::clone(&desk.http), &desk.settings.directory).await?;
    let Some(terms) = found.escrow_terms else {
        return Err(Stop::error("not-offered", "the service keeps no keys for mailboxes"));
    };
    if !agreed {
        let message = format!(
            "the terms of the escrow at {terms} were not agreed to: read them, and give --agree-terms"
        );
        return Err(Stop::error("terms-not-agreed", message).with("terms", terms));
    }
    // What is agreed to is this document, and not whatever lies there later.
    let document = desk.mailbox.escrow_terms().await?;
    let escrowed = desk.mailbox.escrow(document.agreed(io.clock.now())).await?;
    let count = escrowed.certificates.len();
    Ok(Outcome::of("valid")
        .with("terms", terms)
        .with("terms_sha256", hex(&document.sha256))
        .with("certificates", json!(escrowed.certificates))
        .with("stored_at", escrowed.stored_at.to_string())
        .saying(format!("the service keeps {count} encrypting keys of this mailbox\n")))
}

async fn recover(desk: &Desk, io: &Io) -> Done<Outcome> {
    let teller = Teller::new(io);
    let recovered = teller.during(desk.mailbox.recover(Plan::dual())).await?;
    let all = desk.mailbox.slots().await?;
    let mut text = slots::to_text(&all);
    let words: Vec<&str> = recovered.received().iter().map(|suite| suite.word()).collect();
    let mut outcome = if recovered.is_complete() {
        Outcome::of("valid")
    } else {
        let states = recovered.suites.iter().map(|suite| suite.state).filter(|state| !state.is_usable());
        Outcome::of("partial").because(states.map(aecm::SlotState::word))
    };
    if let Some(waiting) = &recovered.waiting {
        outcome = outcome.with("waiting", waits::json(waiting));
    }
    if let Some(conflict) = &recovered.conflict {
        text.push_str(&conflicts::text(conflict));
        outcome = outcome.with("conflict", conflicts::json(conflict));
    }
    recovered.rekeyed.iter().for_each(|one| text.push_str(&conflicts::rekeyed_text(one)));
    outcome = outcome.with("rekeyed", conflicts::rekeyed_json(&recovered.rekeyed));
    Ok(outcome.with("recovered", words).saying(text).with("slots", slots::to_json(&all)))
}
