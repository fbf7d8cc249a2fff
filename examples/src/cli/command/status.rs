//! `aecm status`: what the mailboxes of a vault have.

use std::sync::Arc;

use aecm::store::KeyStore;
use clap::Args;
use serde_json::{Value, json};

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
            Err(stop) => return Ok(settle(Err(stop.with("slots", Vec::<Value>::new())))),
        };
        let status = runtime::block_on(self.status(store, io))?;
        Ok(settle(status.map_err(|stop| stop.with("slots", Vec::<Value>::new()))))
    }

    async fn status(&self, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let (mut all, mut mailboxes, mut text) = (Vec::new(), Vec::new(), String::new());
        for address in self.mailbox.several(store.as_ref()).await? {
            let Desk { mailbox, settings, .. } = Desk::open(&store, &address, false, io).await?;
            let slots = mailbox.slots().await?;
            let rows = slots::to_json(&slots);
            text.push_str(&format!("{address}, with {}\n{}", settings.directory, slots::to_text(&slots)));
            mailboxes.push(json!({
                "mailbox": address.to_string(),
                "directory": settings.directory,
                "anchors": if settings.anchors_given { "given" } else { "pinned" },
                "slots": rows,
            }));
            // One list of all, each with whose it is.
            for mut row in rows {
                if let Value::Object(members) = &mut row {
                    members.insert("mailbox".to_owned(), json!(address.to_string()));
                }
                all.push(row);
            }
        }
        let device = store.device().await?;
        Ok(Outcome::of("valid")
            .with("device", device.to_string())
            .with("slots", all)
            .with("mailboxes", mailboxes)
            .saying(text))
    }
}
