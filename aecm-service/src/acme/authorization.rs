//! Authorizations and their challenges (RFC 8555 §7.5, RFC 8823 §3, and the direct submission of the token).
//!
//! An authorization has one secret, token-part1, which leaves by mail when it is created. Its challenges are
//! the ways to show that the mail was read: `email-token-00` (the joined token in the response object, or with
//! the CSR) and `email-reply-00` (a DKIM-signed reply). Each has its own URL; which of them is answered the
//! response object decides.

use aecm_acme::token::{Token, TokenJoin, TokenPart1, TokenPart2};
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde_json::{Value, json};

use super::nonce::{random_text, random_token};
use super::problem::{Problem, json_answer};
use super::request::Signed;
use super::state::{
    Authorization, AuthorizationState, ChallengeKind, PENDING_LIFETIME, PENDING_PER_MAILBOX, State,
    VALID_LIFETIME, WRONG_TOKENS,
};
use super::{AcmeServer, object};
use crate::mail::{ChallengeNotice, ReplyWanted};
use crate::net::Answer;
use crate::options::{ChallengeMailTime, TokenSubmission};

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
        let pending: Vec<Time> = state.pending_of(account, now).collect();
        self.require_own_room(&pending, "pending authorizations")?;
        for sender in state.room_for_authorizations(self.options.capacity, now) {
            self.post.close(&sender);
        }
        self.require_room(state.authorizations.len(), "authorizations")?;
        if state.pending(account, mailbox, now).count() >= PENDING_PER_MAILBOX {
            let first = state.pending(account, mailbox, now).min().unwrap_or(now);
            return Err(Problem::rate_limited(
                format!("{PENDING_PER_MAILBOX} authorizations of this mailbox are pending already"),
                first.since(now),
            ));
        }
        let id = self.new_id(|id| state.authorizations.get(id).is_some())?;
        let bytes = self.options.token_part1_bytes.bytes();
        let token_part1 = random_token(self.rng.as_ref(), bytes).map_err(no_randomness)?;
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
            mailed: self.options.challenge_mail == ChallengeMailTime::AtAuthorization,
            wrong_tokens: 0,
            validated: None,
            reply_awaited: false,
            answered: None,
            error: None,
        };
        state.authorizations.insert(id, authorization.clone());
        Ok(authorization)
    }

    /// Sends the challenge mail of an authorization, with the hint of the challenge it is for: that of `kind`,
    /// or the first one where the client has not chosen yet (STANDARDS A22).
    pub(super) async fn send_challenge(
        &self,
        authorization: &Authorization,
        kind: Option<ChallengeKind>,
    ) -> Result<(), Problem> {
        let kind = kind.or_else(|| self.challenge_kinds().first().copied()).unwrap_or(ChallengeKind::Token);
        let notice = ChallengeNotice {
            from: &authorization.from,
            to: &authorization.mailbox,
            token_part1: &authorization.token_part1,
            challenge_url: &self.challenge_url(&authorization.id, kind),
            now: self.now(),
        };
        self.post.send_challenge(&notice).await.map_err(|error| Problem::internal(error.to_string()))
    }

    /// Reads or deactivates (§7.5.2).
    pub(super) async fn authorization(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        self.look_for_reply(id).await;
        let mut state = self.state();
        if !signed.payload.is_empty() {
            let authorization = own_authorization_mut(&mut state, signed, id)?;
            match object(signed)?.get("status").and_then(Value::as_str) {
                Some("deactivated") => authorization.state = AuthorizationState::Deactivated,
                _ => return Err(Problem::malformed("an authorization can only be set to \"deactivated\"")),
            }
        }
        let authorization = own_authorization(&state, signed, id)?;
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
    /// response object to the challenge type), `{}` announces the reply mail, or asks for the challenge mail
    /// where it goes out only then.
    pub(super) async fn challenge(&self, signed: &Signed, id: &str, path: &str) -> Result<Answer, Problem> {
        let kind = ChallengeKind::from_path(path)
            .filter(|kind| self.challenge_kinds().contains(kind))
            .ok_or_else(Problem::not_found)?;
        own_authorization(&self.state(), signed, id)?;
        if signed.payload.is_empty() {
            self.look_for_reply(id).await;
        } else {
            let members = object(signed)?;
            match members.get("token") {
                Some(token) if self.offers(TokenSubmission::ChallengeResponse) => {
                    let token = token.as_str().ok_or_else(|| Problem::malformed("token is not a string"))?;
                    self.submit_token(&mut self.state(), id, token)?;
                }
                None if self.takes_empty_response(kind) => {
                    self.mail_on_demand(signed, id, kind).await?;
                    if kind == ChallengeKind::Reply {
                        self.await_reply(signed, id)?;
                        self.look_for_reply(id).await;
                    }
                }
                _ => {
                    return Err(Problem::malformed(
                        "this response is not offered here; see meta.aecm in the directory",
                    ));
                }
            }
        }
        let state = self.state();
        let authorization = own_authorization(&state, signed, id)?;
        let mut answer = json_answer(200, &self.challenge_json(authorization, kind));
        answer.headers.push(("link", format!("<{}>;rel=\"up\"", self.url(&format!("authorization/{id}")))));
        Ok(answer)
    }

    fn takes_empty_response(&self, kind: ChallengeKind) -> bool {
        kind == ChallengeKind::Reply || self.options.challenge_mail == ChallengeMailTime::AtChallenge
    }

    /// Sends the challenge mail now if it did not go out yet.
    async fn mail_on_demand(&self, signed: &Signed, id: &str, kind: ChallengeKind) -> Result<(), Problem> {
        let now = self.now();
        let authorization = {
            let mut state = self.state();
            let known = own_authorization(&state, signed, id)?;
            if known.mailed || known.status(now) != "pending" {
                return Ok(());
            }
            let authorization = own_authorization_mut(&mut state, signed, id)?;
            authorization.mailed = true;
            authorization.clone()
        };
        let sent = self.send_challenge(&authorization, Some(kind)).await;
        if sent.is_err()
            && let Some(authorization) = self.state().authorizations.get_mut(id)
        {
            authorization.mailed = false;
        }
        sent
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
            authorization.answered = Some(ChallengeKind::Token);
            make_valid(authorization, now);
            return Ok(());
        }
        authorization.wrong_tokens = authorization.wrong_tokens.saturating_add(1);
        let problem = Problem::new(403, "incorrectResponse", "this is not the token of this authorization");
        if authorization.wrong_tokens >= WRONG_TOKENS {
            authorization.state = AuthorizationState::Invalid;
            authorization.answered = Some(ChallengeKind::Token);
            authorization.error = Some(problem.to_json());
        }
        Err(problem)
    }

    fn await_reply(&self, signed: &Signed, id: &str) -> Result<(), Problem> {
        let mut state = self.state();
        if own_authorization(&state, signed, id)?.status(self.now()) == "pending" {
            let authorization = own_authorization_mut(&mut state, signed, id)?;
            authorization.reply_awaited = true;
            authorization.answered = Some(ChallengeKind::Reply);
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
        // Decided while the mails were looked at.
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

    fn challenge_kinds(&self) -> Vec<ChallengeKind> {
        let direct = self.offers(TokenSubmission::ChallengeResponse) || self.offers(TokenSubmission::WithCsr);
        let mut kinds = Vec::new();
        if direct {
            kinds.push(ChallengeKind::Token);
        }
        if self.offers(TokenSubmission::ReplyMail) {
            kinds.push(ChallengeKind::Reply);
        }
        kinds
    }

    fn challenge_url(&self, id: &str, kind: ChallengeKind) -> String {
        self.url(&format!("challenge/{id}/{}", kind.path()))
    }

    fn challenge_json(&self, authorization: &Authorization, kind: ChallengeKind) -> Value {
        let status = match authorization.state {
            AuthorizationState::Pending if kind == ChallengeKind::Reply && authorization.reply_awaited => {
                "processing"
            }
            AuthorizationState::Pending => "pending",
            AuthorizationState::Valid => "valid",
            AuthorizationState::Invalid | AuthorizationState::Deactivated | AuthorizationState::Revoked => {
                "invalid"
            }
        };
        let mut challenge = json!({
            "type": kind.word(),
            "url": self.challenge_url(&authorization.id, kind),
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

fn make_valid(authorization: &mut Authorization, now: Time) {
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

fn own_authorization<'a>(state: &'a State, signed: &Signed, id: &str) -> Result<&'a Authorization, Problem> {
    let account = signed.account()?;
    state
        .authorizations
        .get(id)
        .filter(|authorization| authorization.account == account)
        .ok_or_else(Problem::not_found)
}

/// To change it; it goes to disk.
fn own_authorization_mut<'a>(
    state: &'a mut State,
    signed: &Signed,
    id: &str,
) -> Result<&'a mut Authorization, Problem> {
    own_authorization(state, signed, id)?;
    state.authorizations.get_mut(id).ok_or_else(Problem::not_found)
}
