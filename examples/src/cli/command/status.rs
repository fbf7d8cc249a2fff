//! `aecm status`: what the mailboxes of a vault have.

use clap::Args;

use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::settings::Settings;
use crate::cli::online::slots;
use crate::cli::online::stop::{Done, settle};
use crate::cli::online::world::{Parts, builder, http};
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

    async fn status(&self, store: std::sync::Arc<dyn aecm::store::KeyStore>, io: &Io) -> Done<Outcome> {
        let (mut all, mut mailboxes, mut text) = (Vec::new(), Vec::new(), String::new());
        for address in self.mailbox.several(store.as_ref()).await? {
            let settings = Settings::known(store.as_ref(), &address).await?;
            let http = http(&settings.tls_ca)?;
            let parts = Parts { store: store.clone(), http, mail: None, directory: None, agreed: false };
            let mailbox = builder(&settings, parts, io)?.build()?.mailbox(address.as_str())?;
            let rows = slots::of(&mailbox, io.clock.now()).await?;
            text.push_str(&format!("{address}, with {}\n{}", settings.directory, slots::to_text(&rows)));
            mailboxes.push(serde_json::json!({
                "mailbox": address.to_string(),
                "directory": settings.directory,
                "anchors": if settings.anchors_given { "given" } else { "pinned" },
                "slots": slots::to_json(&rows),
            }));
            all.extend(rows);
        }
        let device = store.device().await?;
        Ok(Outcome::of("valid")
            .with("device", device.to_string())
            .with("slots", slots::to_json(&all))
            .with("mailboxes", mailboxes)
            .saying(text))
    }
}
