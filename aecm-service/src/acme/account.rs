//! Accounts (RFC 8555 §7.3).

use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use serde_json::{Map, Value, json};

use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{Account, State};
use super::weak::weakness;
use super::{AcmeServer, object, post_as_get};
use crate::net::Answer;

// More contacts than anybody has, fewer than hurt.
const MAX_CONTACTS: usize = 16;

impl AcmeServer {
    pub(super) fn new_account(&self, signed: &Signed) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let (jwk, thumbprint) = signed.jwk()?;
        let mut state = self.state();
        if let Some(known) = state.account_by_thumbprint(thumbprint) {
            if known.deactivated {
                return Err(Problem::new(401, "unauthorized", "this account is deactivated"));
            }
            return Ok(self.account_answer(200, known));
        }
        if members.get("onlyReturnExisting") == Some(&Value::Bool(true)) {
            return Err(Problem::new(400, "accountDoesNotExist", "no account has this key"));
        }
        if members.get("termsOfServiceAgreed") != Some(&Value::Bool(true)) {
            let terms = self.url("terms");
            return Err(Problem::new(403, "userActionRequired", "the terms of service have to be agreed to")
                .with("instance", json!(terms))
                .header("link", format!("<{terms}>;rel=\"terms-of-service\"")));
        }
        refuse_certified(&state, signed.key())?;
        let contact = contacts(&members)?.unwrap_or_default();
        let external = self.bound_to(&members, signed)?;
        let now = self.now();
        state.room_for_accounts(self.options.capacity, now);
        self.require_room(state.accounts.len(), "accounts")?;
        let id = self.new_id(|id| state.accounts.get(id).is_some())?;
        let account = Account {
            id: id.clone(),
            jwk: jwk.clone(),
            thumbprint: thumbprint.to_owned(),
            contact,
            deactivated: false,
            created: now,
            external,
            held: Vec::new(),
        };
        let answer = self.account_answer(201, &account);
        state.accounts.insert(id, account);
        Ok(answer)
    }

    /// Reads, updates or deactivates (§7.3.2, §7.3.6).
    pub(super) fn account(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        signed.require_account(id)?;
        let mut state = self.state();
        if !signed.payload.is_empty() {
            let account = state.accounts.get_mut(id).ok_or_else(Problem::not_found)?;
            let members = object(signed)?;
            let contact = contacts(&members)?;
            let deactivate = match members.get("status").map(Value::as_str) {
                None | Some(Some("valid")) => false,
                Some(Some("deactivated")) => true,
                Some(other) => {
                    return Err(Problem::malformed(format!(
                        "an account cannot be set to the status {other:?}"
                    )));
                }
            };
            // All of it or nothing.
            if let Some(contact) = contact {
                account.contact = contact;
            }
            account.deactivated |= deactivate;
        }
        let account = state.accounts.get(id).ok_or_else(Problem::not_found)?;
        Ok(self.account_answer(200, account))
    }

    /// The account's orders but for the invalid ones (§7.1.2.1), whole: they fit.
    pub(super) fn orders(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        signed.require_account(id)?;
        let urls = self.order_urls(&self.state(), id);
        Ok(json_answer(200, &json!({ "orders": urls })))
    }

    fn order_urls(&self, state: &State, account: &str) -> Vec<String> {
        let now = self.now();
        let own = state
            .orders
            .values()
            .filter(|order| order.account == account && state.order_status(order, now) != "invalid");
        own.map(|order| self.url(&format!("order/{}", order.id))).collect()
    }

    fn account_answer(&self, status: u16, account: &Account) -> Answer {
        let url = self.url(&format!("account/{}", account.id));
        let body = json!({
            "status": if account.deactivated { "deactivated" } else { "valid" },
            "contact": account.contact,
            "termsOfServiceAgreed": true,
            "orders": format!("{url}/orders"),
            "key": account.jwk,
        });
        let mut answer = json_answer(status, &body);
        answer.headers.push(("location", url));
        answer
    }
}

/// RFC 8555 §11.1: a certified key is no account key, nor one that is known to be weak.
pub(super) fn refuse_certified(state: &State, key: &PublicKey) -> Result<(), Problem> {
    if let Some(weakness) = weakness(key) {
        return Err(Problem::new(400, "badPublicKey", format!("not a key for an account: {weakness}")));
    }
    if state.certified(key) {
        let detail = "a certificate was issued for this key; make another one for the account";
        return Err(Problem::new(400, "badPublicKey", detail));
    }
    Ok(())
}

/// The `contact` member, each a mailto URL of one address without header fields (§7.3).
fn contacts(members: &Map<String, Value>) -> Result<Option<Vec<String>>, Problem> {
    let Some(value) = members.get("contact") else { return Ok(None) };
    let list = value.as_array().ok_or_else(|| Problem::malformed("contact is not an array"))?;
    if list.len() > MAX_CONTACTS {
        return Err(Problem::new(400, "invalidContact", format!("more than {MAX_CONTACTS} contacts")));
    }
    let mut contacts = Vec::new();
    for entry in list {
        let url = entry.as_str().ok_or_else(|| Problem::malformed("a contact is not a string"))?;
        let Some(address) = url.strip_prefix("mailto:") else {
            return Err(Problem::new(
                400,
                "unsupportedContact",
                format!("only mailto: contacts are taken, not {url:?}"),
            ));
        };
        if address.contains(['?', ',', '%']) || address.parse::<Mailbox>().is_err() {
            return Err(Problem::new(
                400,
                "invalidContact",
                format!("{url:?} is not a mailto: URL of exactly one address without header fields"),
            ));
        }
        contacts.push(url.to_owned());
    }
    Ok(Some(contacts))
}
