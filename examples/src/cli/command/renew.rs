//! `aecm renew`: new certificates before the old ones run out.

use std::sync::Arc;
use std::time::Duration;

use aecm::store::KeyStore;
use aecm::{Event, RenewPlan};
use clap::Args;

use crate::cli::online::desk::Desk;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::progress::Teller;
use crate::cli::online::stop::{Done, settle};
use crate::cli::online::time::duration;
use crate::cli::online::{slots, waits, words};
use crate::cli::{Failure, Io, Outcome, runtime};

/// Follows certificates with new ones. Signing and timestamping slots get new keys; the encrypting keys stay and
/// are certified again, unless --rekey asks for new ones.
///
/// A call that was interrupted is finished by the next one.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["slot", "all", "if_due"]))]
pub(in crate::cli) struct Renew {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    mailbox: MailboxArg,
    /// This slot, as sm2-sign-mv; may be given several times
    #[arg(long, value_name = "S")]
    slot: Vec<String>,
    /// Every slot
    #[arg(long)]
    all: bool,
    /// Those that are due: where the service says so, else in the last third of their life. Call it once a day
    #[arg(long)]
    if_due: bool,
    /// Make new encrypting keys too; the owner's other devices have to ask for them
    #[arg(long, conflicts_with = "if_due")]
    rekey: bool,
    /// How long it may take (90s, 15m, 2h); a later call goes on
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    timeout: Duration,
}

impl Renew {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let store = match self.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.renew(store, io))?))
    }

    async fn renew(&self, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let address = self.mailbox.one(store.as_ref()).await?;
        let Desk { mailbox, .. } = Desk::open(&store, &address, true, io).await?;
        let teller = Teller::new(io);
        let renewed = if self.if_due {
            teller.during(mailbox.renew_if_due(io.clock.now())).await?
        } else {
            let plan = if self.all {
                RenewPlan::all()
            } else {
                let device = store.device().await?;
                let slots: Done<Vec<_>> = self.slot.iter().map(|text| slots::parse(text, &device)).collect();
                RenewPlan::slots_of(slots?)
            };
            let plan = if self.rekey { plan.rekey() } else { plan };
            let told = teller.clone();
            let observer = Arc::new(move |event: Event| told.event(&event));
            teller.during(mailbox.renew_observed(plan.within(self.timeout), Some(observer))).await?
        };
        let all = slots::with(mailbox.slots().await?, &renewed.slots);
        let mut text = format!("{address}\n{}", slots::to_text(&all));
        if let Some(next) = renewed.next {
            text.push_str(&format!("next due: {next}\n"));
        }
        let failures: Vec<_> = renewed.slots.iter().filter_map(|slot| slot.failure.as_deref()).collect();
        let unusable = slots::reasons(&renewed.slots);
        let mut outcome = match failures.first() {
            // Nothing was done at all: that is no part of a success.
            Some(first) if failures.len() == renewed.slots.len() => {
                let outcome = Outcome::from(Failure::error(words::of(first), first.to_string()));
                text.clone_from(&outcome.text);
                outcome.because(failures.iter().map(|failure| words::of(failure)))
            }
            _ => Outcome::of(if unusable.is_empty() { "valid" } else { "partial" }).because(unusable),
        };
        if let Some(waiting) = &renewed.waiting {
            text.push_str(&waits::text(waiting));
            outcome = outcome.with("waiting", waits::json(waiting));
        }
        Ok(outcome
            .with("mailbox", address.to_string())
            .with("slots", slots::to_json(&all))
            .with("renewed", slots::to_json(&renewed.slots))
            .with("next", renewed.next.map(|time| time.to_string()))
            .saying(text))
    }
}
