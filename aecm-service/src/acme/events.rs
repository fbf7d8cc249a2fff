//! What happened to a mailbox, told to the accounts that have certificates for it; and by mail to the mailbox,
//! where somebody might have done it whom its owner does not know.

use std::collections::BTreeMap;

use aecm_core::mailbox::Mailbox;
use serde_json::{Value, json};

use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{Event, EventKind, State, address};
use super::{AcmeServer, post_as_get};
use crate::mail::Notice;
use crate::net::Answer;

/// How many events an answer has, and a mailbox keeps.
const MAX_EVENTS: usize = 200;

/// What is to be remembered of something that happened.
pub(super) struct Happened<'a> {
    pub(super) kind: EventKind,
    pub(super) mailbox: &'a Mailbox,
    pub(super) device: Option<&'a str>,
    pub(super) account: &'a str,
    pub(super) certificate: Option<String>,
}

impl AcmeServer {
    /// Remembers an event.
    pub(super) fn happened(&self, state: &mut State, what: Happened<'_>) {
        let event = Event {
            number: state.next_event(),
            time: self.now(),
            kind: what.kind,
            mailbox: what.mailbox.clone(),
            device: what.device.map(str::to_owned),
            account: what.account.to_owned(),
            certificate: what.certificate,
        };
        state.enter_event(event, MAX_EVENTS);
    }

    /// The events of the mailboxes for which the account has certificates that have not expired.
    pub(super) fn events(&self, signed: &Signed) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        let account = signed.account()?;
        let now = self.now();
        let state = self.state();
        let own: BTreeMap<String, &Mailbox> = state
            .certificates
            .values()
            .filter(|issued| issued.account == account && !issued.is_over(now))
            .map(|issued| (address(&issued.mailbox), &issued.mailbox))
            .collect();
        let mailboxes: Vec<&Mailbox> = own.into_values().collect();
        let events: Vec<Value> = state
            .latest_events(&mailboxes, MAX_EVENTS)
            .into_iter()
            .map(|event| {
                json!({
                    "time": event.time.to_string(),
                    "kind": event.kind.word(),
                    "mailbox": event.mailbox.as_str(),
                    "device": event.device,
                    "account": if event.account == account { "this" } else { "other" },
                    "certificate": event.certificate,
                })
            })
            .collect();
        Ok(json_answer(200, &json!({ "events": events })))
    }

    /// Tells the mailbox by mail, where the options want it. What cannot be sent stops nothing: the event stands.
    pub(super) async fn notify(&self, kind: EventKind, mailbox: &Mailbox, device: Option<&str>) {
        if !self.options.notices {
            return;
        }
        let what = match kind {
            EventKind::DeviceAdded => {
                "A new device or program obtained its first certificate for this address."
            }
            EventKind::Rekeyed => "This address has a new encryption key.",
            EventKind::EscrowRecovered => {
                "The encryption keys of this address were recovered from safe keeping by a device."
            }
            EventKind::EscrowWithdrawn => {
                "The encryption keys of this address were taken out of safe keeping and forgotten there."
            }
            EventKind::Revoked => "A certificate of this address was revoked by another device or program.",
            _ => return,
        };
        let notice = Notice { to: mailbox, what, device, now: self.now() };
        if let Err(error) = self.post.send_notice(&notice).await {
            tracing::warn!(%error, kind = kind.word(), "a notice was not sent");
        }
    }
}
