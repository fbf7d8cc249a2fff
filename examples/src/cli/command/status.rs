//! `aecm status`: what the mailboxes of a vault have.

use std::sync::Arc;

use aecm::store::KeyStore;
use clap::Args;

use crate::cli::online::desk::Desk;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::slots;
use crate::cli::online::stop::{Done, settle};
use crate::cli::{Failure, Io, Outcome, runtime};

/// Shows the keys and certificates of the mailboxes of a vault. Nothing is asked of the service.
#[derive(Args)]
pub(in crate::cli) struct Status {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    mailbox: MailboxArg,
}

impl Status {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let store = match self.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.status(store, io))?))
    }

    async fn status(&self, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let (mut all, mut mailboxes, mut text) = (Vec::new(), Vec::new(), String::new());
        for address in self.mailbox.several(store.as_ref()).await? {
            let Desk { mailbox, settings, .. } = Desk::open(&store, &address, false, io).await?;
            let slots = mailbox.slots().await?;
            text.push_str(&format!("{address}, with {}\n{}", settings.directory, slots::to_text(&slots)));
            mailboxes.push(serde_json::json!({
                "mailbox": address.to_string(),
                "directory": settings.directory,
                "anchors": if settings.anchors_given { "given" } else { "pinned" },
                "slots": slots::to_json(&slots),
            }));
            all.extend(slots);
        }
        let device = store.device().await?;
        Ok(Outcome::of("valid")
            .with("device", device.to_string())
            .with("slots", slots::to_json(&all))
            .with("mailboxes", mailboxes)
            .saying(text))
    }
}
