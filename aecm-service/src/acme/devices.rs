//! The devices of a mailbox: the accounts that have certificates for it.

use std::collections::BTreeMap;

use aecm_acme::jws::encode;
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde_json::{Value, json};

use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{Issued, State, address};
use super::turns::takes_room;
use super::{AcmeServer, post_as_get};
use crate::hex::hex;
use crate::net::Answer;

/// The largest answer, in octets.
const MAX_ANSWER: usize = 256 * 1024;
/// How many certificates of a device are listed, the newest.
const MAX_CERTIFICATES: usize = 16;
/// Octets of a device's name.
const ID: usize = 16;

impl AcmeServer {
    /// `POST-as-GET devices`: of each mailbox that the account has a standing certificate for, who else has one.
    /// The account's own device stands first, then the newest; what does not fit is left out.
    pub(super) fn devices(&self, signed: &Signed) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        let account = signed.account()?;
        let now = self.now();
        let state = self.state();
        let standing =
            || state.certificates.values().filter(|issued| issued.revoked.is_none() && !issued.is_over(now));
        let own: BTreeMap<String, &Mailbox> = standing()
            .filter(|issued| issued.account == account)
            .map(|issued| (address(&issued.mailbox), &issued.mailbox))
            .collect();
        let mut devices: BTreeMap<(String, &str), Vec<&Issued>> = BTreeMap::new();
        for issued in standing() {
            let mailbox = address(&issued.mailbox);
            if own.contains_key(&mailbox) {
                devices.entry((mailbox, &issued.account)).or_default().push(issued);
            }
        }
        let mut list: Vec<(bool, Time, Value)> = devices
            .into_iter()
            .filter_map(|((_, of), certificates)| {
                let mailbox = &certificates.first()?.mailbox;
                let added = added(&certificates)?;
                Some((
                    of != account,
                    added,
                    describe(&state, mailbox, of, of == account, added, &certificates),
                ))
            })
            .collect();
        list.sort_by_key(|(other, added, _)| (*other, core::cmp::Reverse(*added)));
        let mut room = MAX_ANSWER.saturating_sub(64);
        let list: Vec<Value> = list
            .into_iter()
            .map(|(_, _, device)| device)
            .filter(|device| takes_room(&mut room, device))
            .collect();
        Ok(json_answer(200, &json!({ "devices": list })))
    }
}

/// When the first of a device's certificates that stand was issued; one that was removed and came back is there
/// since then.
fn added(standing: &[&Issued]) -> Option<Time> {
    let trusted: Vec<&Issued> = standing.iter().copied().filter(|issued| !issued.disowned).collect();
    let from = if trusted.is_empty() { standing } else { &trusted };
    from.iter().filter_map(|issued| issued.leaf().map(Certificate::not_before)).min()
}

fn describe(
    state: &State,
    mailbox: &Mailbox,
    account: &str,
    own: bool,
    added: Time,
    certificates: &[&Issued],
) -> Value {
    let mut certificates = certificates.to_vec();
    certificates.sort_by_key(|issued| core::cmp::Reverse(issued.number));
    let leaves: Vec<String> = certificates
        .iter()
        .take(MAX_CERTIFICATES)
        .filter_map(|issued| Some(encode(issued.leaf()?.as_der())))
        .collect();
    json!({
        "mailbox": mailbox.as_str(),
        "id": name(account, mailbox),
        "device": state.device(account, mailbox),
        "account": if own { "this" } else { "other" },
        "added": added.to_string(),
        "certificates": leaves,
    })
}

/// The same for as long as the account lives, and says nothing of it.
fn name(account: &str, mailbox: &Mailbox) -> String {
    let digest =
        DigestAlgorithm::Sha256.digest(format!("device\0{account}\0{}", address(mailbox)).as_bytes());
    hex(digest.get(..ID).unwrap_or(&digest))
}
