//! Which mailbox of the vault a command is for.

use aecm::core::header::{Headers, parse_single_address};
use aecm::core::limits::Limits;
use aecm::core::mailbox::Mailbox;
use aecm::store::KeyStore;
use clap::Args;

use super::stop::{Done, Stop};

/// `--mailbox`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct MailboxArg {
    /// The mailbox, where the vault has several
    #[arg(long, value_name = "ADDR")]
    mailbox: Option<Mailbox>,
}

impl MailboxArg {
    /// The one that is meant.
    pub(in crate::cli) async fn one(&self, store: &dyn KeyStore) -> Done<Mailbox> {
        let mut known = self.several(store).await?;
        match (known.pop(), known.is_empty()) {
            (Some(mailbox), true) => Ok(mailbox),
            (last, _) => {
                let names: Vec<String> =
                    known.into_iter().chain(last).map(|mailbox| mailbox.to_string()).collect();
                let message =
                    format!("the vault has several mailboxes, name one with --mailbox: {}", names.join(", "));
                Err(Stop::error("option-missing", message))
            }
        }
    }

    /// The one that is meant, or all; at least one.
    pub(in crate::cli) async fn several(&self, store: &dyn KeyStore) -> Done<Vec<Mailbox>> {
        let known = store.mailboxes().await?;
        match &self.mailbox {
            Some(wanted) => match known.into_iter().find(|mailbox| mailbox.matches(wanted)) {
                Some(mailbox) => Ok(vec![mailbox]),
                None => Err(unknown(wanted)),
            },
            None if known.is_empty() => Err(Stop::error(
                "not-provisioned",
                "the vault has no mailbox yet: provision one (aecm provision)",
            )),
            None => Ok(known),
        }
    }
}

/// The author of `mail`, who has to have keys in the vault.
pub(in crate::cli) async fn author(mail: &[u8], store: &dyn KeyStore, limits: &Limits) -> Done<Mailbox> {
    let malformed = |error: aecm::core::header::HeaderError| {
        Stop::error("malformed", format!("the mail's header cannot be read: {error}"))
    };
    let (headers, _) = Headers::parse(mail, limits).map_err(malformed)?;
    let Some(from) = headers.single("From").map_err(malformed)? else {
        return Err(Stop::error("malformed", "the mail has no From: whose mail is it?"));
    };
    let from = parse_single_address(from.value_raw).map_err(malformed)?.mailbox;
    let known = store.mailboxes().await?;
    known.into_iter().find(|mailbox| mailbox.matches(&from)).ok_or_else(|| unknown(&from))
}

fn unknown(mailbox: &Mailbox) -> Stop {
    let message = format!("the vault has no keys of {mailbox}: provision it first (aecm provision)");
    Stop::error("not-provisioned", message)
}
