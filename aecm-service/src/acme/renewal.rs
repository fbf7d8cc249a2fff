//! When to renew (RFC 9773): the last third of a certificate's life, and at once what was revoked.

use std::time::Duration;

use aecm_acme::jws::encode;
use aecm_core::certificate::Certificate;
use serde_json::{Map, Value, json};

use super::AcmeServer;
use super::problem::{Problem, json_answer};
use super::state::{Issued, State};
use crate::net::Answer;

/// How long a client may keep the answer.
const RETRY_AFTER: Duration = Duration::from_secs(6 * 3_600);
/// The longest certificate identifier looked at, in characters.
const MAX_IDENTIFIER: usize = 256;

impl AcmeServer {
    /// `GET renewalInfo/{certificate identifier}` (§4.1): the window in which to renew, and when to ask again.
    pub(super) fn renewal_info(&self, identifier: &str) -> Result<Answer, Problem> {
        let state = self.state();
        let issued = by_identifier(&state, identifier).ok_or_else(|| {
            Problem::new(404, "malformed", "no certificate of that identifier is known here")
        })?;
        let leaf = issued.leaf().ok_or_else(Problem::not_found)?;
        let (start, end) = match issued.revoked {
            // §4.2: a window that is over means at once.
            Some(revocation) => (revocation.at.minus(Duration::from_secs(3_600)), revocation.at),
            None => {
                let third = leaf.not_after().since(leaf.not_before()) / 3;
                (leaf.not_before().plus(third * 2), leaf.not_after().minus(third / 2))
            }
        };
        let window = json!({ "start": start.to_string(), "end": end.to_string() });
        let mut answer = json_answer(200, &json!({ "suggestedWindow": window }));
        answer.headers.push(("retry-after", RETRY_AFTER.as_secs().to_string()));
        Ok(answer)
    }

    /// The `replaces` member of a new order (§5), as the id of the certificate: it was issued to this account
    /// for this mailbox and nothing has replaced it.
    pub(super) fn replaced(
        &self,
        state: &State,
        members: &Map<String, Value>,
        account: &str,
        mailbox: &aecm_core::mailbox::Mailbox,
    ) -> Result<Option<String>, Problem> {
        let Some(value) = members.get("replaces") else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| Problem::malformed("replaces is not a string"))?;
        let issued = by_identifier(state, text)
            .ok_or_else(|| Problem::malformed("replaces names no certificate that was issued here"))?;
        if issued.account != account || issued.disowned {
            return Err(Problem::unauthorized(
                "replaces names a certificate that was issued to another account; only that one may replace it",
            ));
        }
        if !issued.mailbox.matches(mailbox) {
            return Err(Problem::malformed("replaces names a certificate of another mailbox"));
        }
        if issued.replaced_by.is_some() {
            return Err(Problem::new(409, "alreadyReplaced", "that certificate has been replaced already"));
        }
        Ok(Some(issued.id.clone()))
    }
}

/// The identifier of a certificate (§4.1): base64url of the authority key identifier, `.`, that of the serial
/// number's octets.
pub(super) fn identifier(leaf: &Certificate) -> Option<String> {
    let authority = leaf.authority_key_identifier()?;
    Some(format!("{}.{}", encode(authority), encode(leaf.serial())))
}

fn by_identifier<'a>(state: &'a State, text: &str) -> Option<&'a Issued> {
    if text.len() > MAX_IDENTIFIER {
        return None;
    }
    state.certificates.values().find(|issued| issued.leaf().and_then(identifier).as_deref() == Some(text))
}
