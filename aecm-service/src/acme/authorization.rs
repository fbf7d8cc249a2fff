//! Authorizations and their challenges (RFC 8555 §7.5, RFC 8823 §3, and the direct submission of the token).
//!
//! An authorization has one secret, token-part1, which leaves by mail when it is created. Its challenges are
//! the ways to show that the mail was read: `email-token-00` (the joined token in the response object, or with
//! the CSR) and `email-reply-00` (a DKIM-signed reply). Both stand at one URL; the response object decides.

use aecm_acme::token::{Token, TokenJoin, TokenPart1, TokenPart2};
use aecm_core::mailbox::Mailbox;
use serde_json::{Value, json};

use super::nonce::random_text;
use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{
    Authorization, AuthorizationState, PENDING_LIFETIME, PENDING_PER_MAILBOX, State, VALID_LIFETIME,
    WRONG_TOKENS,
};
use super::{AcmeServer, object};
use crate::mail::{ChallengeNotice, ReplyWanted};
use crate::net::Answer;
use crate::options::TokenSubmission;

const DIRECT: &str = "email-token-00";
const REPLY: &str = "email-reply-00";

impl AcmeServer {
    /// Makes a pending authorization and the address its challenge mail will come from.
    pub(super) fn open_authorization(
        &self,
        state: &mut State,
        account: &str,
        mailbox: &Mailbox,
    ) -> Result<Authorization, Problem> {
        let no_randomness = |_| Problem::internal("the random number source failed");
        let now = self.now();
        self.require_room(state.authorizations.len(), "authorizations")?;
        if state.pending(account, mailbox, now).count() >= PENDING_PER_MAILBOX {
            let first = state.pending(account, mailbox, now).min().unwrap_or(now);
            return Err(Problem::rate_limited(
                format!("{PENDING_PER_MAILBOX} authorizations of this mailbox are pending already"),
                first.since(now),
            ));
        }
        let id = random_text::<12>(self.rng.as_ref()).map_err(no_randomness)?;
        // 24 octets: unpadded and a multiple of three, so that every way of joining agrees (STANDARDS A1).
        let token_part1 = random_text::<24>(self.rng.as_ref()).map_err(no_randomness)?;
        let token_part2 = random_text::<24>(self.rng.as_ref()).map_err(no_randomness)?;
        let from = self.post.challenge_sender(&id).map_err(|error| Problem::internal(error.to_string()))?;
        let authorization = Authorization {
            id: id.clone(),
            account: account.to_owned(),
            mailbox: mailbox.clone(),
            state: AuthorizationState::Pending,
            created: now,
            expires: now.plus(PENDING_LIFETIME),
            token_part1,
            token_part2,
            from,
            wrong_tokens: 0,
            validated: None,
            reply_awaited: false,
            answered: None,
            error: None,
        };
        state.authorizations.insert(id, authorization.clone());
        Ok(authorization)
    }

    /// Sends the challenge mail of a new authorization.
    pub(super) async fn send_challenge(&self, authorization: &Authorization) -> Result<(), Problem> {
        let notice = ChallengeNotice {
            from: &authorization.from,
            to: &authorization.mailbox,
            token_part1: &authorization.token_part1,
            challenge_url: &self.challenge_url(&authorization.id),
            now: authorization.created,
        };
        self.post.send_challenge(&notice).await.map_err(|error| Problem::internal(error.to_string()))
    }

    /// Reads or deactivates (§7.5.2).
    pub(super) async fn authorization(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        self.look_for_reply(id).await;
        let mut state = self.state();
        let authorization = own_authorization(&mut state, signed, id)?;
        if !signed.payload.is_empty() {
            match object(signed)?.get("status").and_then(Value::as_str) {
                Some("deactivated") => authorization.state = AuthorizationState::Deactivated,
                _ => return Err(Problem::malformed("an authorization can only be set to \"deactivated\"")),
            }
        }
        let status = authorization.status(self.now());
        // §7.1.4: while it is pending what can be fulfilled, from then on what was chosen.
        let kinds = authorization.answered.map_or_else(|| self.challenge_kinds(), |kind| vec![kind]);
        let challenges: Vec<Value> =
            kinds.into_iter().map(|kind| self.challenge_json(authorization, kind)).collect();
        let body = json!({
            "status": status,
            "expires": authorization.expires.to_string(),
            "identifier": { "type": "email", "value": authorization.mailbox.as_str() },
            "challenges": challenges,
        });
        let mut answer = json_answer(200, &body);
        if status == "pending" && authorization.reply_awaited {
            answer.headers.push(("retry-after", "1".to_owned()));
        }
        Ok(answer)
    }

    /// Takes the response to a challenge: `{"token": …}` submits the joined token (erratum 5729 leaves the
    /// response object to the challenge type), `{}` announces the reply mail.
    pub(super) async fn challenge(&self, signed: &Signed, id: &str, kind: &str) -> Result<Answer, Problem> {
        if kind != "respond" {
            return Err(Problem::not_found());
        }
        let mut shown = None;
        if signed.payload.is_empty() {
            self.look_for_reply(id).await;
        } else {
            let members = object(signed)?;
            match members.get("token") {
                Some(token) if self.offers(TokenSubmission::ChallengeResponse) => {
                    let token = token.as_str().ok_or_else(|| Problem::malformed("token is not a string"))?;
                    let mut state = self.state();
                    own_authorization(&mut state, signed, id)?;
                    self.submit_token(&mut state, id, token)?;
                    shown = Some(DIRECT);
                }
                None if self.offers(TokenSubmission::ReplyMail) => {
                    self.await_reply(signed, id)?;
                    self.look_for_reply(id).await;
                    shown = Some(REPLY);
                }
                _ => {
                    return Err(Problem::malformed(
                        "this response is not offered here; see meta.aecm in the directory",
                    ));
                }
            }
        }
        let mut state = self.state();
        let authorization = own_authorization(&mut state, signed, id)?;
        let kind = shown
            .or(authorization.answered)
            .or_else(|| self.challenge_kinds().first().copied())
            .unwrap_or(DIRECT);
        let mut answer = json_answer(200, &self.challenge_json(authorization, kind));
        answer.headers.push(("link", format!("<{}>;rel=\"up\"", self.url(&format!("authorization/{id}")))));
        Ok(answer)
    }

    /// Checks a joined token against its authorization. The right one makes it valid; after
    /// [`WRONG_TOKENS`] wrong ones it is invalid.
    pub(super) fn submit_token(&self, state: &mut State, id: &str, token: &str) -> Result<(), Problem> {
        let now = self.now();
        let authorization = state.authorizations.get_mut(id).ok_or_else(Problem::not_found)?;
        match authorization.status(now) {
            "valid" => return Ok(()),
            "pending" => {}
            other => return Err(Problem::new(403, "unauthorized", format!("the authorization is {other}"))),
        }
        let expected = joined(authorization)?;
        if Token::parse(token).is_ok_and(|token| token == expected) {
            authorization.answered = Some(DIRECT);
            make_valid(authorization, now);
            return Ok(());
        }
        authorization.wrong_tokens = authorization.wrong_tokens.saturating_add(1);
        let problem = Problem::new(403, "incorrectResponse", "this is not the token of this authorization");
        if authorization.wrong_tokens >= WRONG_TOKENS {
            authorization.state = AuthorizationState::Invalid;
            authorization.answered = Some(DIRECT);
            authorization.error = Some(problem.to_json());
        }
        Err(problem)
    }

    fn await_reply(&self, signed: &Signed, id: &str) -> Result<(), Problem> {
        let mut state = self.state();
        let authorization = own_authorization(&mut state, signed, id)?;
        if authorization.status(self.now()) == "pending" {
            authorization.reply_awaited = true;
            authorization.answered = Some(REPLY);
        }
        Ok(())
    }

    /// Looks whether the reply mail of an announced `email-reply-00` has come, and judges it.
    async fn look_for_reply(&self, id: &str) {
        let Some((authorization, thumbprint)) = self.awaited(id) else { return };
        let Ok(token) = joined(&authorization) else { return };
        let digest = token.key_authorization_digest(&thumbprint);
        let wanted = ReplyWanted {
            mailbox: &authorization.mailbox,
            to: &authorization.from,
            token_part1: &authorization.token_part1,
            digest: &digest,
            sent: authorization.created,
        };
        let Some(verdict) = self.post.find_reply(&wanted).await else { return };
        let now = self.now();
        let mut state = self.state();
        let Some(authorization) = state.authorizations.get_mut(id) else { return };
        if authorization.status(now) != "pending" {
            return;
        }
        match verdict {
            Ok(()) => make_valid(authorization, now),
            Err(why) => {
                authorization.state = AuthorizationState::Invalid;
                authorization.error = Some(Problem::new(403, "incorrectResponse", why).to_json());
            }
        }
    }

    fn awaited(&self, id: &str) -> Option<(Authorization, String)> {
        let state = self.state();
        let authorization = state.authorizations.get(id)?;
        if !authorization.reply_awaited || authorization.status(self.now()) != "pending" {
            return None;
        }
        let account = state.accounts.get(&authorization.account)?;
        Some((authorization.clone(), account.thumbprint.clone()))
    }

    pub(super) fn offers(&self, submission: TokenSubmission) -> bool {
        self.options.submissions.contains(&submission)
    }

    fn challenge_kinds(&self) -> Vec<&'static str> {
        let direct = self.offers(TokenSubmission::ChallengeResponse) || self.offers(TokenSubmission::WithCsr);
        let mut kinds = Vec::new();
        if direct {
            kinds.push(DIRECT);
        }
        if self.offers(TokenSubmission::ReplyMail) {
            kinds.push(REPLY);
        }
        kinds
    }

    fn challenge_url(&self, id: &str) -> String {
        self.url(&format!("challenge/{id}/respond"))
    }

    fn challenge_json(&self, authorization: &Authorization, kind: &str) -> Value {
        let status = match authorization.state {
            AuthorizationState::Pending if kind == REPLY && authorization.reply_awaited => "processing",
            AuthorizationState::Pending => "pending",
            AuthorizationState::Valid => "valid",
            AuthorizationState::Invalid | AuthorizationState::Deactivated => "invalid",
        };
        let mut challenge = json!({
            "type": kind,
            "url": self.challenge_url(&authorization.id),
            "status": status,
            "token": authorization.token_part2,
            "from": authorization.from.as_str(),
        });
        if let Some(members) = challenge.as_object_mut() {
            if let Some(validated) = authorization.validated {
                members.insert("validated".to_owned(), json!(validated.to_string()));
            }
            if let Some(error) = &authorization.error {
                members.insert("error".to_owned(), error.clone());
            }
        }
        challenge
    }
}

fn make_valid(authorization: &mut Authorization, now: aecm_core::time::Time) {
    authorization.state = AuthorizationState::Valid;
    authorization.validated = Some(now);
    authorization.expires = now.plus(VALID_LIFETIME);
}

fn joined(authorization: &Authorization) -> Result<Token, Problem> {
    let malformed = |_| Problem::internal("the token of this authorization is malformed");
    let part1 = TokenPart1::parse(&authorization.token_part1).map_err(malformed)?;
    let part2 = TokenPart2::parse(&authorization.token_part2).map_err(malformed)?;
    part1.join(&part2, TokenJoin::TextUnpadded).map_err(malformed)
}

fn own_authorization<'a>(
    state: &'a mut State,
    signed: &Signed,
    id: &str,
) -> Result<&'a mut Authorization, Problem> {
    let account = signed.account()?;
    state
        .authorizations
        .get_mut(id)
        .filter(|authorization| authorization.account == account)
        .ok_or_else(Problem::not_found)
}
