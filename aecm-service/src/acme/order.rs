//! Orders (RFC 8555 §7.4): one mailbox, one profile, one authorization each.

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::{Level, Purpose};
use serde_json::{Map, Value, json};

use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{Authorization, Issued, Order, PENDING_LIFETIME, Profile, State};
use super::{AcmeServer, object, post_as_get, renewal};
use crate::net::Answer;
use crate::options::{ExternalAccount, ExternalSubject};

/// The longest name of a device, in octets.
const MAX_DEVICE: usize = 64;

impl AcmeServer {
    /// Opens an order. A valid authorization of the account for that mailbox is used again where the options
    /// say so; otherwise one is made, and its challenge mail sent where the options want it now.
    pub(super) async fn new_order(&self, signed: &Signed) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let account = signed.account()?.to_owned();
        let mailbox = identifier(&members)?;
        let profile = self.profile(&members)?;
        device(&members)?;
        for unsupported in ["notBefore", "notAfter"] {
            if members.contains_key(unsupported) {
                return Err(Problem::malformed(format!(
                    "{unsupported} cannot be chosen here; the profile decides"
                )));
            }
        }
        let (answer, id, opened) = self.enter_order(&members, account, mailbox, profile)?;
        if let Some(authorization) = opened.filter(|authorization| authorization.mailed)
            && let Err(problem) = self.send_challenge(&authorization, None).await
        {
            let mut state = self.state();
            state.orders.remove(&id);
            state.authorizations.remove(&authorization.id);
            self.post.close(&authorization.from);
            return Err(problem);
        }
        Ok(answer)
    }

    /// Enters an order, and its authorization where none is used again, in one step: what is counted against
    /// a limit is there before the mail goes out. The answer, the order's id, the new authorization.
    fn enter_order(
        &self,
        members: &Map<String, Value>,
        account: String,
        mailbox: Mailbox,
        profile: Option<Profile>,
    ) -> Result<(Answer, String, Option<Authorization>), Problem> {
        let now = self.now();
        let mut state = self.state();
        for sender in state.forget_expired(now) {
            self.post.close(&sender);
        }
        self.admit_level(&state, &account, profile)?;
        let replaces = self.replaced(&state, members, &account, &mailbox)?;
        if let Some(Profile { suite, purpose: Purpose::Encrypt, .. }) = profile {
            self.admit_encryption_order(&state, &account, &mailbox, suite)?;
        }
        self.require_own_room(&state.open_orders(&account, now), "open orders")?;
        state.room_for_orders(self.options.capacity, now);
        self.require_room(state.orders.len(), "orders")?;
        let id = self.new_id(|id| state.orders.get(id).is_some())?;
        let reused = state
            .reusable(&account, &mailbox, now)
            .filter(|_| self.options.reuse_authorizations)
            .map(|found| found.id.clone());
        let (authorization, opened) = match reused {
            Some(id) => (id, None),
            None => {
                let opened = self.open_authorization(&mut state, &account, &mailbox)?;
                (opened.id.clone(), Some(opened))
            }
        };
        let order = Order {
            id: id.clone(),
            account,
            mailbox,
            profile,
            authorization,
            expires: now.plus(PENDING_LIFETIME),
            replaces,
            device: device(members)?,
            finalizing: None,
            certificate: None,
            ready_at: None,
            error: None,
        };
        let answer = self.order_answer(201, &state, &order);
        state.orders.insert(id.clone(), order);
        Ok((answer, id, opened))
    }

    fn profile(&self, members: &Map<String, Value>) -> Result<Option<Profile>, Problem> {
        let Some(value) = members.get("profile") else { return Ok(None) };
        let known = value.as_str().and_then(|name| self.profiles().find(|profile| profile.name() == name));
        known.map(Some).ok_or_else(|| {
            Problem::new(400, "invalidProfile", format!("{value} is not among the directory's profiles"))
        })
    }

    /// Levels above the mailbox's are for accounts whose customer was checked for them.
    pub(super) fn admit_level(
        &self,
        state: &State,
        account: &str,
        profile: Option<Profile>,
    ) -> Result<(), Problem> {
        let Some(profile) = profile.filter(|profile| profile.level != Level::Mailbox) else { return Ok(()) };
        let subject = self.subject_of(state, account).ok_or_else(|| {
            Problem::unauthorized(format!(
                "the profile {} is for accounts bound to a customer of this server (externalAccountBinding)",
                profile.name()
            ))
        })?;
        if subject.permits(profile.level) {
            return Ok(());
        }
        Err(Problem::unauthorized(format!(
            "this account's customer was not checked for the profile {}",
            profile.name()
        )))
    }

    /// What is known of the customer that the account is bound to.
    pub(super) fn subject_of(&self, state: &State, account: &str) -> Option<&ExternalSubject> {
        let kid = state.accounts.get(account)?.external.as_ref()?;
        self.options.external_accounts.get(kid).map(ExternalAccount::subject)
    }

    pub(super) fn order(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        let state = self.state();
        let order = own_order(&state, signed, id)?;
        Ok(self.order_answer(200, &state, order))
    }

    pub(super) fn order_answer(&self, status: u16, state: &State, order: &Order) -> Answer {
        let url = self.url(&format!("order/{}", order.id));
        let word = state.order_status(order, self.now());
        let mut body = json!({
            "status": word,
            "expires": order.expires.to_string(),
            "identifiers": [{ "type": "email", "value": order.mailbox.as_str() }],
            "authorizations": [self.url(&format!("authorization/{}", order.authorization))],
            "finalize": format!("{url}/finalize"),
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(profile) = order.profile {
                members.insert("profile".to_owned(), json!(profile.name()));
            }
            let replaced = order.replaces.as_ref().and_then(|id| state.certificates.get(id));
            if let Some(identifier) = replaced.and_then(Issued::leaf).and_then(renewal::identifier) {
                members.insert("replaces".to_owned(), json!(identifier));
            }
            if let Some(error) = &order.error {
                members.insert("error".to_owned(), error.clone());
            }
            if let (Some(certificate), "valid") = (&order.certificate, word) {
                let url = self.url(&format!("certificate/{certificate}"));
                members.insert("certificate".to_owned(), json!(url));
            }
        }
        let mut answer = json_answer(status, &body);
        answer.headers.push(("location", url));
        if word == "processing" {
            answer.headers.push(("retry-after", "1".to_owned()));
        }
        answer
    }
}

/// The order `id` if the signer's account owns it.
pub(super) fn own_order<'a>(state: &'a State, signed: &Signed, id: &str) -> Result<&'a Order, Problem> {
    let account = signed.account()?;
    state.orders.get(id).filter(|order| order.account == account).ok_or_else(Problem::not_found)
}

/// What the device calls itself, where it says: the member `device` of `aecm`.
fn device(members: &Map<String, Value>) -> Result<Option<String>, Problem> {
    let wrong = || {
        Problem::malformed(format!(
            "aecm.device is not the name of a device: 1 to {MAX_DEVICE} printable ASCII characters"
        ))
    };
    let Some(aecm) = members.get("aecm") else { return Ok(None) };
    let aecm = aecm.as_object().ok_or_else(|| Problem::malformed("aecm is not an object"))?;
    let Some(device) = aecm.get("device") else { return Ok(None) };
    let device = device.as_str().ok_or_else(wrong)?;
    let printable = device.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ');
    if device.is_empty() || device.len() > MAX_DEVICE || !printable {
        return Err(wrong());
    }
    Ok(Some(device.to_owned()))
}

/// Exactly one identifier of type `email` (RFC 8823 §3).
fn identifier(members: &Map<String, Value>) -> Result<Mailbox, Problem> {
    let list = members
        .get("identifiers")
        .and_then(Value::as_array)
        .ok_or_else(|| Problem::malformed("the order has no array of identifiers"))?;
    let [identifier] = list.as_slice() else {
        return Err(Problem::malformed("a mailbox certificate names exactly one identifier"));
    };
    let kind = identifier.get("type").and_then(Value::as_str).unwrap_or_default();
    let value = identifier.get("value").and_then(Value::as_str).unwrap_or_default();
    if kind != "email" {
        return Err(Problem::new(
            400,
            "unsupportedIdentifier",
            format!("identifiers of type {kind:?} are not certified here"),
        )
        .with("identifier", identifier.clone()));
    }
    if value.contains('*') {
        return Err(Problem::new(400, "rejectedIdentifier", "a mailbox has no wildcard form")
            .with("identifier", identifier.clone()));
    }
    value.parse().map_err(|error| {
        Problem::new(400, "rejectedIdentifier", format!("not a mailbox address: {error}"))
            .with("identifier", identifier.clone())
    })
}
