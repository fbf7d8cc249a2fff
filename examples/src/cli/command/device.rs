//! `aecm device`: the devices of a mailbox's owner, and handing the encrypting keys from one to another.

use std::sync::Arc;

use aecm::core::suite::Suite;
use aecm::store::KeyStore;
use aecm::{Mailbox, TransferConflict, TransferRequest};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::online::conflicts;
use crate::cli::online::desk::Desk;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::stop::{Done, Stop, settle};
use crate::cli::show::hex;
use crate::cli::{Failure, Io, Outcome, runtime};
use crate::table::Table;

/// The devices of a mailbox's owner. Each has its own signing keys; all share the encrypting keys.
#[derive(Args)]
pub(in crate::cli) struct DeviceCommand {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Which devices there are
    List(Common),
    /// Which devices ask for the encrypting keys
    Requests(Common),
    /// Hand all encrypting keys to the device that shows this fingerprint
    Approve(Answer),
    /// Hand it nothing
    Refuse(Answer),
    /// Which keys came that differ from those in use here
    Conflict(Common),
    /// Take the keys that came; those in use here go on opening old mail
    Accept(Decision),
    /// Keep the keys in use here
    Decline(Common),
    /// What happened to the mailbox
    Events(Common),
}

#[derive(Args)]
struct Common {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    mailbox: MailboxArg,
}

#[derive(Args)]
struct Answer {
    /// The fingerprint, read off the new device; spaces and colons do not matter
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Decision {
    /// The SHA-256 of every certificate that came, as aecm device conflict shows them
    #[arg(value_name = "SHA256", required = true)]
    offered: Vec<String>,
    #[command(flatten)]
    common: Common,
}

impl DeviceCommand {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let common = match &self.task {
            Task::List(common)
            | Task::Requests(common)
            | Task::Conflict(common)
            | Task::Decline(common)
            | Task::Events(common) => common,
            Task::Approve(answer) | Task::Refuse(answer) => &answer.common,
            Task::Accept(decision) => &decision.common,
        };
        let store = match common.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.task.work(store, io))?))
    }
}

impl Task {
    async fn work(&self, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let common = match self {
            Self::List(common)
            | Self::Requests(common)
            | Self::Conflict(common)
            | Self::Decline(common)
            | Self::Events(common) => common,
            Self::Approve(answer) | Self::Refuse(answer) => &answer.common,
            Self::Accept(decision) => &decision.common,
        };
        let address = common.mailbox.one(store.as_ref()).await?;
        let Desk { mailbox, .. } = Desk::open(&store, &address, false, io).await?;
        let outcome = match self {
            Self::List(_) => list(&mailbox).await?,
            Self::Requests(_) => requests(&mailbox).await?,
            Self::Approve(answer) => approve(&mailbox, &answer.fingerprint).await?,
            Self::Refuse(answer) => refuse(&mailbox, &answer.fingerprint).await?,
            Self::Conflict(_) => conflict(&mailbox).await?,
            Self::Accept(decision) => accept(&mailbox, &decision.offered).await?,
            Self::Decline(_) => decline(&mailbox).await?,
            Self::Events(_) => events(&mailbox).await?,
        };
        Ok(outcome.with("mailbox", address.to_string()))
    }
}

async fn list(mailbox: &Mailbox) -> Done<Outcome> {
    let devices = mailbox.devices().await?;
    let mut table = Table::new(["device", "since", "certificates"]);
    for device in &devices {
        let since = device.since.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let name = if device.this { format!("{} (this one)", device.id) } else { device.id.to_string() };
        table.row([name, since, device.certificates.len().to_string()]);
    }
    let json = |device: &aecm::Device| {
        let serials = device.certificates.iter().map(|certificate| hex(certificate.serial()));
        json!({
            "device": device.id.to_string(),
            "this": device.this,
            "since": device.since.map(|time| time.to_string()),
            "certificates": serials.collect::<Vec<_>>(),
        })
    };
    let devices: Vec<Value> = devices.iter().map(json).collect();
    Ok(Outcome::of("valid").with("devices", devices).saying(table.to_string()))
}

async fn requests(mailbox: &Mailbox) -> Done<Outcome> {
    let requests = mailbox.transfer_requests().await?;
    let mut text = String::new();
    for request in &requests {
        let state =
            request.refused.as_ref().map_or_else(|| "compare, then approve".to_owned(), ToString::to_string);
        text.push_str(&format!(
            "{} asks since {}\n  {}\n  {state}\n",
            request.device, request.created, request.fingerprint
        ));
    }
    if requests.is_empty() {
        text.push_str("no device asks for the encrypting keys\n");
    }
    let requests: Vec<Value> = requests.iter().map(request_json).collect();
    Ok(Outcome::of("valid").with("requests", requests).saying(text))
}

fn request_json(request: &TransferRequest) -> Value {
    json!({
        "device": request.device.to_string(),
        "fingerprint": request.fingerprint,
        "created": request.created.to_string(),
        "suites": request.suites.iter().map(|suite| suite.word()).collect::<Vec<_>>(),
        "refused": request.refused.as_ref().map(aecm::TransferError::word),
    })
}

/// The request with that fingerprint.
async fn asked(mailbox: &Mailbox, shown: &str) -> Done<TransferRequest> {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|letter| !letter.is_whitespace() && *letter != ':');
        kept.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let wanted = plain(shown);
    let requests = mailbox.transfer_requests().await?;
    requests.into_iter().find(|request| plain(&request.fingerprint) == wanted).ok_or_else(|| {
        let message = "no device asks with that fingerprint: look at both devices (aecm device requests)";
        Stop::error("transfer-fingerprint-differs", message)
    })
}

async fn approve(mailbox: &Mailbox, shown: &str) -> Done<Outcome> {
    let request = asked(mailbox, shown).await?;
    let given = mailbox.approve_transfer(&request, shown).await?;
    let words = |suites: &[Suite]| suites.iter().map(|suite| suite.word()).collect::<Vec<_>>();
    let mut text = format!("the encrypting keys were handed to {}, sealed\n", request.device);
    if !given.remaining.is_empty() {
        let remaining = words(&given.remaining).join(", ");
        text.push_str(&format!(
            "not those of suite {remaining}, which another device has: approve there too\n"
        ));
    }
    Ok(Outcome::of("valid")
        .with("approved", request_json(&request))
        .with("given", words(&given.suites))
        .with("remaining", words(&given.remaining))
        .saying(text))
}

async fn refuse(mailbox: &Mailbox, shown: &str) -> Done<Outcome> {
    let request = asked(mailbox, shown).await?;
    mailbox.refuse_transfer(&request).await?;
    Ok(Outcome::of("valid")
        .with("refused", request_json(&request))
        .saying(format!("{} was refused\n", request.device)))
}

async fn conflict(mailbox: &Mailbox) -> Done<Outcome> {
    let found = mailbox.transfer_conflict().await?;
    let text = found.as_ref().map_or_else(|| "no keys wait for a decision\n".to_owned(), conflicts::text);
    Ok(Outcome::of("valid").with("conflict", json!(found.as_ref().map(conflicts::json))).saying(text))
}

async fn waiting(mailbox: &Mailbox) -> Done<TransferConflict> {
    let found = mailbox.transfer_conflict().await?;
    found.ok_or_else(|| Stop::error("nothing-there", "no keys wait for a decision"))
}

async fn accept(mailbox: &Mailbox, named: &[String]) -> Done<Outcome> {
    let conflict = waiting(mailbox).await?;
    let offered = |key: &aecm::ConflictingKey| hex(&key.offered.sha256());
    if !conflict.keys.iter().all(|key| named.iter().any(|one| one.eq_ignore_ascii_case(&offered(key)))) {
        let message = "other keys wait than those named: look at them (aecm device conflict) and name each";
        return Err(Stop::error("transfer-conflict-changed", message));
    }
    let taken = mailbox.accept_transfer(&conflict).await?;
    let taken: Vec<&str> = taken.iter().map(|suite| suite.word()).collect();
    let text = format!("the keys that came are in use now: {}\n", taken.join(", "));
    Ok(Outcome::of("valid").with("accepted", taken).saying(text))
}

async fn decline(mailbox: &Mailbox) -> Done<Outcome> {
    let conflict = waiting(mailbox).await?;
    mailbox.decline_transfer(&conflict).await?;
    Ok(Outcome::of("valid")
        .with("declined", conflicts::json(&conflict))
        .saying("the keys in use here stay\n"))
}

async fn events(mailbox: &Mailbox) -> Done<Outcome> {
    let events = mailbox.events().await?;
    let mut table = Table::new(["time", "what", "device", "by"]);
    for event in &events {
        let device = event.device.clone().unwrap_or_else(|| "-".to_owned());
        table.row([event.time.to_string(), event.kind.to_string(), device, event.account.to_string()]);
    }
    let json = |event: &aecm::acme::wire::Event| {
        json!({
            "time": event.time.to_string(),
            "kind": event.kind.as_str(),
            "device": event.device,
            "account": event.account.as_str(),
            "certificate": event.certificate,
        })
    };
    let events: Vec<Value> = events.iter().map(json).collect();
    Ok(Outcome::of("valid").with("events", events).saying(table.to_string()))
}
