//! Bringing the encrypting keys of a mailbox to another device of its owner. The service carries requests and
//! answers between the devices; what is in an answer it cannot read.

mod request;

use std::time::Duration;

use aecm_acme::jws::{decode, encode};
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_smime::cms::SignedData;
use serde_json::{Map, Value, json};

pub(super) use self::request::Asked;
use super::events::Happened;
use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{EventKind, State, Transfer, TransferState};
use super::turns::{by_turns, takes_room};
use super::{AcmeServer, object, post_as_get};
use crate::net::Answer;

/// How long a transfer may wait for its answer, and the answer for the device.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// How long what is over can still be read.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
/// How many requests of an account and a mailbox may wait at once.
const MAX_PENDING: usize = 5;
/// How many an answer lists, and how large it is, in octets.
const MAX_LISTED: usize = 20;
const MAX_LIST: usize = 256 * 1024;
/// The largest CMS of an answer or a package, in octets.
pub(super) const MAX_PACKAGE: usize = 256 * 1024;
/// The largest CMS of a request, in octets.
const MAX_REQUEST: usize = 64 * 1024;

impl AcmeServer {
    /// `POST newTransfer`: a device asks for the keys. The same octets again give the same transfer.
    pub(super) async fn new_transfer(&self, signed: &Signed) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let account = signed.account()?.to_owned();
        let cms = cms_member(&members, "request", MAX_REQUEST)?;
        {
            let state = self.state();
            let known =
                state.transfers.values().find(|known| known.account == account && known.request == cms);
            if let Some(known) = known {
                return Ok(self.transfer_answer(200, known, true));
            }
        }
        let asked = self.read_transfer_request(&cms, &account)?;
        if asked.from_escrow {
            self.recover(&account, cms, &asked).await
        } else {
            self.relay(account, cms, &asked)
        }
    }

    /// Enters a request for other devices to see.
    fn relay(&self, account: String, cms: Vec<u8>, asked: &Asked) -> Result<Answer, Problem> {
        let now = self.now();
        let mut state = self.state();
        let transfer = self.admit_transfer(&mut state, account, cms, asked)?;
        self.happened(
            &mut state,
            Happened {
                kind: EventKind::TransferRequested,
                mailbox: &transfer.mailbox,
                device: Some(&transfer.device),
                account: &transfer.account,
                certificate: Some(asked.certificate.clone()),
            },
        );
        tracing::debug!(transfer = transfer.id, at = now.unix(), "a device asks for keys");
        let answer = self.transfer_answer(201, &transfer, true);
        state.transfers.insert(transfer.id.clone(), transfer);
        Ok(answer)
    }

    /// A transfer that may be entered: not replayed, and not too many.
    pub(super) fn admit_transfer(
        &self,
        state: &mut State,
        account: String,
        request: Vec<u8>,
        asked: &Asked,
    ) -> Result<Transfer, Problem> {
        let now = self.now();
        state.transfers.extract(|transfer| now > transfer.expires.plus(REMEMBERED));
        if state.transfers.values().any(|known| known.request == request) {
            return Err(Problem::unauthorized("this request was made before, by another account"));
        }
        let pending: Vec<Time> = state
            .transfers
            .values()
            .filter(|known| {
                known.account == account
                    && known.mailbox.matches(&asked.mailbox)
                    && known.status(now) == "pending"
            })
            .map(|known| known.expires)
            .collect();
        if pending.len() >= MAX_PENDING {
            let first = pending.iter().min().copied().unwrap_or(now);
            return Err(Problem::rate_limited(
                format!("{MAX_PENDING} requests of this account for this mailbox wait already"),
                first.since(now),
            ));
        }
        self.require_own_room(&state.waiting_transfers(&account, now), "transfers that wait")?;
        state.room_for_transfers(self.options.capacity, now);
        self.require_room(state.transfers.len(), "transfers")?;
        Ok(Transfer {
            id: self.new_id(|id| state.transfers.get(id).is_some())?,
            account,
            mailbox: asked.mailbox.clone(),
            device: asked.device.clone(),
            fingerprint: asked.fingerprint.clone(),
            suites: asked.suites.iter().map(|suite| suite.word().to_owned()).collect(),
            created: now,
            expires: now.plus(LIFETIME),
            state: TransferState::Pending,
            request,
            response: None,
            answered_by: None,
            keys: Vec::new(),
        })
    }

    /// `POST-as-GET transfers`: what waits for an answer of this account, the newest first. Of more than fit, the
    /// newest of each account that asks goes before the second of any.
    pub(super) fn transfers(&self, signed: &Signed) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        let account = signed.account()?;
        let now = self.now();
        let state = self.state();
        let mut waiting: Vec<&Transfer> = state
            .transfers
            .values()
            .filter(|transfer| {
                transfer.status(now) == "pending" && may_answer(&state, account, transfer, now)
            })
            .collect();
        waiting.sort_by_key(|transfer| core::cmp::Reverse(transfer.created));
        let mut room = MAX_LIST.saturating_sub(64);
        let mut chosen: Vec<(Time, Value)> = by_turns(waiting, |transfer| &transfer.account)
            .into_iter()
            .map(|(_, transfer)| (transfer.created, self.transfer_json(transfer, false)))
            .filter(|(_, transfer)| takes_room(&mut room, transfer))
            .take(MAX_LISTED)
            .collect();
        chosen.sort_by_key(|(created, _)| core::cmp::Reverse(*created));
        let list: Vec<Value> = chosen.into_iter().map(|(_, transfer)| transfer).collect();
        Ok(json_answer(200, &json!({ "transfers": list })))
    }

    /// Reads a transfer, answers or refuses it as a device that holds the keys, or ends it as the one that asked.
    pub(super) fn transfer(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        let account = signed.account()?;
        let now = self.now();
        let mut state = self.state();
        let transfer = state.transfers.get(id).cloned().ok_or_else(Problem::not_found)?;
        let asked_here = transfer.account == account;
        let answered_here = transfer.answered_by.as_deref() == Some(account);
        if !asked_here && !answered_here && !may_answer(&state, account, &transfer, now) {
            return Err(Problem::not_found());
        }
        if signed.payload.is_empty() {
            return Ok(self.transfer_answer(200, &transfer, asked_here));
        }
        let members = object(signed)?;
        let changed = match (members.get("response"), members.get("status").and_then(Value::as_str)) {
            (Some(_), None) => self.answer_transfer(&mut state, transfer, account, &members)?,
            (None, Some("refused")) => self.refuse_transfer(&mut state, transfer, account)?,
            (None, Some("done")) => self.end_transfer(&mut state, transfer, account)?,
            _ => {
                return Err(Problem::malformed(
                    "a transfer takes a response, or the status \"refused\" or \"done\"",
                ));
            }
        };
        Ok(self.transfer_answer(200, &changed, asked_here))
    }

    fn answer_transfer(
        &self,
        state: &mut State,
        mut transfer: Transfer,
        account: &str,
        members: &Map<String, Value>,
    ) -> Result<Transfer, Problem> {
        if transfer.account == account {
            return Err(Problem::unauthorized("a request is answered by another account than asked"));
        }
        let cms = cms_member(members, "response", MAX_PACKAGE)?;
        SignedData::parse(&cms, &self.limits)
            .map_err(|error| Problem::malformed(format!("the response is not SignedData: {error}")))?;
        let now = self.now();
        match transfer.status(now) {
            "pending" => {}
            // The answer to the answer was lost.
            "answered" if transfer.response.as_ref() == Some(&cms) => return Ok(transfer),
            other => return Err(over(other)),
        }
        // What the answering device sends is every key of the mailbox in these suites; it holds the active ones.
        transfer.keys = transfer
            .suites()
            .filter_map(|suite| state.active_encryption(&transfer.mailbox, suite, now))
            .filter(|active| state.holds(account, active))
            .filter_map(super::state::Issued::key_name)
            .collect();
        transfer.state = TransferState::Answered;
        transfer.response = Some(cms);
        transfer.answered_by = Some(account.to_owned());
        self.remember(state, &transfer, account, EventKind::TransferAnswered);
        Ok(transfer)
    }

    fn refuse_transfer(
        &self,
        state: &mut State,
        mut transfer: Transfer,
        account: &str,
    ) -> Result<Transfer, Problem> {
        if transfer.account == account {
            return Err(Problem::unauthorized("a request is refused by another account than asked"));
        }
        match transfer.status(self.now()) {
            "pending" => {}
            "refused" => return Ok(transfer),
            other => return Err(over(other)),
        }
        transfer.state = TransferState::Refused;
        transfer.answered_by = Some(account.to_owned());
        state.transfers.insert(transfer.id.clone(), transfer.clone());
        Ok(transfer)
    }

    /// The device has the keys: the answer is forgotten, and the account counts as a holder.
    fn end_transfer(
        &self,
        state: &mut State,
        mut transfer: Transfer,
        account: &str,
    ) -> Result<Transfer, Problem> {
        if transfer.account != account {
            return Err(Problem::unauthorized("a transfer is done when the device that asked says so"));
        }
        match transfer.status(self.now()) {
            "answered" => {}
            "done" => return Ok(transfer),
            other => return Err(over(other)),
        }
        transfer.state = TransferState::Done;
        transfer.response = None;
        let holder = state.accounts.get_mut(account).ok_or_else(Problem::not_found)?;
        for key in &transfer.keys {
            if !holder.held.contains(key) {
                holder.held.push(key.clone());
            }
        }
        self.remember(state, &transfer, account, EventKind::TransferDone);
        Ok(transfer)
    }

    fn remember(&self, state: &mut State, transfer: &Transfer, account: &str, kind: EventKind) {
        state.transfers.insert(transfer.id.clone(), transfer.clone());
        let (mailbox, device) = (&transfer.mailbox, Some(transfer.device.as_str()));
        self.happened(state, Happened { kind, mailbox, device, account, certificate: None });
    }

    pub(super) fn transfer_answer(&self, status: u16, transfer: &Transfer, asked_here: bool) -> Answer {
        let mut answer = json_answer(status, &self.transfer_json(transfer, asked_here));
        answer.headers.push(("location", self.transfer_url(transfer)));
        if transfer.status(self.now()) == "pending" && asked_here {
            answer.headers.push(("retry-after", "5".to_owned()));
        }
        answer
    }

    fn transfer_url(&self, transfer: &Transfer) -> String {
        self.url(&format!("transfer/{}", transfer.id))
    }

    fn transfer_json(&self, transfer: &Transfer, asked_here: bool) -> Value {
        let status = transfer.status(self.now());
        let mut object = json!({
            "status": status,
            "identifier": { "type": "email", "value": transfer.mailbox.as_str() },
            "device": transfer.device,
            "fingerprint": transfer.fingerprint,
            "created": transfer.created.to_string(),
            "expires": transfer.expires.to_string(),
            "request": encode(&transfer.request),
            "url": self.transfer_url(transfer),
        });
        let response = transfer.response.as_ref().filter(|_| asked_here && status == "answered");
        if let (Some(members), Some(response)) = (object.as_object_mut(), response) {
            members.insert("response".to_owned(), json!(encode(response)));
        }
        object
    }
}

/// Another account that holds an active encrypting key of the mailbox in one of the suites asked for.
fn may_answer(state: &State, account: &str, transfer: &Transfer, now: Time) -> bool {
    let holds = |suite: Suite| {
        state
            .active_encryption(&transfer.mailbox, suite, now)
            .is_some_and(|active| state.holds(account, active))
    };
    transfer.account != account && transfer.suites().any(holds)
}

fn over(status: &str) -> Problem {
    Problem::new(409, "malformed", format!("the transfer is {status}"))
}

/// A member that holds a CMS object, base64url.
pub(super) fn cms_member(members: &Map<String, Value>, name: &str, limit: usize) -> Result<Vec<u8>, Problem> {
    let cms = members
        .get(name)
        .and_then(Value::as_str)
        .and_then(decode)
        .ok_or_else(|| Problem::malformed(format!("{name} is not base64url of a CMS object")))?;
    if cms.len() > limit {
        return Err(Problem::new(413, "malformed", format!("{name} has more than {limit} octets")));
    }
    Ok(cms)
}

/// The `identifier` member of an escrow request: one mailbox.
pub(super) fn mailbox_member(members: &Map<String, Value>) -> Result<Mailbox, Problem> {
    let identifier = members.get("identifier").ok_or_else(|| Problem::malformed("identifier is missing"))?;
    if identifier.get("type").and_then(Value::as_str) != Some("email") {
        return Err(Problem::new(400, "unsupportedIdentifier", "the identifier has to be of type email"));
    }
    let value = identifier.get("value").and_then(Value::as_str).unwrap_or_default();
    value
        .parse()
        .map_err(|error| Problem::new(400, "rejectedIdentifier", format!("not a mailbox address: {error}")))
}
