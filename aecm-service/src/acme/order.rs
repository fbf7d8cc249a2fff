//! Orders (RFC 8555 §7.4): one mailbox, one profile, one authorization each.

use aecm_core::mailbox::Mailbox;
use serde_json::{Map, Value, json};

use super::nonce::random_text;
use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{Authorization, Order, PENDING_LIFETIME, Profile, State};
use super::{AcmeServer, object, post_as_get};
use crate::net::Answer;

impl AcmeServer {
    /// Opens an order. A valid authorization of the account for that mailbox is used again where the options
    /// say so; otherwise one is made and its challenge mail sent at once.
    pub(super) async fn new_order(&self, signed: &Signed) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let account = signed.account()?.to_owned();
        let mailbox = identifier(&members)?;
        let profile = profile(&members)?;
        for unsupported in ["notBefore", "notAfter"] {
            if members.contains_key(unsupported) {
                return Err(Problem::malformed(format!(
                    "{unsupported} cannot be chosen here; the profile decides"
                )));
            }
        }
        let (answer, id, opened) = self.enter_order(account, mailbox, profile)?;
        if let Some(authorization) = opened
            && let Err(problem) = self.send_challenge(&authorization).await
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
        account: String,
        mailbox: Mailbox,
        profile: Option<Profile>,
    ) -> Result<(Answer, String, Option<Authorization>), Problem> {
        let now = self.now();
        let mut state = self.state();
        for sender in state.forget_expired(now) {
            self.post.close(&sender);
        }
        self.require_room(state.orders.len(), "orders")?;
        let id = random_text::<12>(self.rng.as_ref()).map_err(|_| Problem::internal("no randomness"))?;
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
            finalizing: None,
            certificate: None,
            ready_at: None,
            error: None,
        };
        let answer = self.order_answer(201, &state, &order);
        state.orders.insert(id.clone(), order);
        Ok((answer, id, opened))
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

fn profile(members: &Map<String, Value>) -> Result<Option<Profile>, Problem> {
    match members.get("profile") {
        None => Ok(None),
        Some(value) => {
            let known = value.as_str().and_then(Profile::from_name);
            known.map(Some).ok_or_else(|| {
                Problem::new(400, "invalidProfile", format!("{value} is not among the directory's profiles"))
            })
        }
    }
}
