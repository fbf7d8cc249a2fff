//! The challenge: which one, which mail, and how the token goes back (RFC 8823, STANDARDS A1–A3, A22).

use core::time::Duration;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::HttpResponse;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::email::authz_hint;
use crate::jws;
use crate::mail::{ChallengeMail, ReplyMail};
use crate::token::{Token, TokenJoin, TokenPart1, TokenPart2};
use crate::wire::{
    Authorization, AuthorizationStatus, Challenge, ChallengeResponse, ChallengeStatus, ChallengeType,
    Problem, ProblemType, TokenForm, TokenSubmission,
};

use super::exchange::Request;
use super::io::WaitMail;
use super::order::ORDER_LIFE;
use super::state::{ChallengeState, OrderState, ReplyState, Secret};
use super::{AcceptedMail, Error, Machine, Output, RefusedMail, Step};

/// Tokens tried for one authorization (STANDARDS A2, A22).
const MAX_TOKENS: u32 = 5;
/// How much older than the order a mail may claim to be.
pub(super) const MAIL_SKEW: Duration = Duration::from_secs(300);
/// How long the mail of an order that is gone on with is waited for, from its opening.
const MAIL_PATIENCE: Duration = Duration::from_secs(1_800);
/// Challenges of one authorization whose URLs are remembered.
const MAX_SIBLINGS: usize = 8;
/// The word of `meta.aecm.challengeMail` that says so.
const MAIL_ON_REQUEST: &str = "challenge";
/// Mail ids that are remembered.
const MAX_CONSUMED: usize = 1_000;
/// Answers without news while the server validates.
const MAX_POLLS: u32 = 200;

impl Machine {
    pub(super) fn answer_authorization(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let authorization: Authorization = self.read(response)?;
        if !authorization.identifier.names(&self.state.mailbox) || authorization.wildcard {
            return self.inconsistent("the identifier of the authorization");
        }
        let order = self.order()?;
        if order.authorized && authorization.status != AuthorizationStatus::Valid {
            return self.inconsistent("the status of the authorization");
        }
        let deadline = self.deadline(order).min(authorization.expires.unwrap_or(Time::from_unix(i64::MAX)));
        if authorization.status == AuthorizationStatus::Pending && now >= deadline {
            return self.expired();
        }
        // It lives: what happens to it from here on happens in this call.
        let order = self.order_mut()?;
        let resumed = core::mem::take(&mut order.resumed);
        if let Some(challenge) = &mut order.challenge {
            challenge.resumed |= resumed;
        }
        match &authorization.status {
            AuthorizationStatus::Valid => {
                self.order_mut()?.authorized = true;
                self.note_proof()?;
                self.state.step = Step::Order;
                Ok(())
            }
            AuthorizationStatus::Pending => match &self.order()?.challenge {
                None => self.choose(&authorization),
                Some(_) => self.resume(&authorization, response, now),
            },
            AuthorizationStatus::Invalid => {
                let known = self.order()?.challenge.as_ref();
                let error = known
                    .and_then(|known| find_challenge(known, &authorization))
                    .and_then(|challenge| challenge.error.clone());
                if known.is_some_and(|known| known.tried > 0) {
                    self.reorder(error)
                } else {
                    Err(Error::OrderInvalid { problem: error.map(Box::new) })
                }
            }
            AuthorizationStatus::Expired
            | AuthorizationStatus::Deactivated
            | AuthorizationStatus::Revoked => self.reorder(None),
            AuthorizationStatus::Other(_) => self.look_again(response, now),
        }
    }

    /// Chooses challenge and dialect (A2) and remembers what is compared later (N6).
    fn choose(&mut self, authorization: &Authorization) -> Result<(), Error> {
        let offered = &authorization.challenges;
        let find = |kind: &ChallengeType| {
            offered.iter().find(|one| {
                one.kind == *kind
                    && matches!(one.status, ChallengeStatus::Pending | ChallengeStatus::Processing)
            })
        };
        let (direct, reply) = (find(&ChallengeType::EmailToken00), find(&ChallengeType::EmailReply00));
        if direct.or(reply).is_none() {
            let offered = offered.iter().map(|one| one.kind.to_string()).collect();
            return Err(Error::NoChallenge { offered });
        }
        let aecm = self.directory()?.meta.aecm.clone();
        let wanted = match (self.config.submission, &aecm) {
            (Some(submission), _) => vec![submission],
            (None, Some(aecm)) => aecm.submissions(),
            (None, None) if direct.is_some() => vec![TokenSubmission::ChallengeResponse],
            (None, None) => vec![TokenSubmission::ReplyMail],
        };
        let can_reply = self.config.can_reply;
        let chosen = wanted.iter().find_map(|submission| match submission {
            TokenSubmission::ReplyMail => reply.filter(|_| can_reply).map(|one| (*submission, one)),
            _ => direct.or(reply).map(|one| (*submission, one)),
        });
        let none = |offered| Err(Error::NoSubmission { offered });
        let Some((submission, challenge)) = chosen else {
            return none(wanted.iter().map(|submission| submission.word().to_owned()).collect());
        };
        let (join, form) = match &aecm {
            Some(aecm) => {
                let join = if aecm.token_join.is_some() { aecm.join() } else { Some(self.config.token_join) };
                let form = if aecm.token_form.is_some() { aecm.form() } else { Some(self.config.token_form) };
                let (Some(join), Some(form)) = (join, form) else {
                    return none(aecm.token_join.iter().chain(&aecm.token_form).cloned().collect());
                };
                (join, form)
            }
            None => (self.config.token_join, self.config.token_form),
        };
        self.origin.check(&challenge.url)?;
        let to_ask =
            aecm.as_ref().is_some_and(|aecm| aecm.challenge_mail.as_deref() == Some(MAIL_ON_REQUEST));
        let part2 = challenge.token.as_deref().unwrap_or_default();
        TokenPart2::parse(part2).map_err(Error::Token)?;
        let Some(from) = challenge.from.as_deref().and_then(|from| from.parse::<Mailbox>().ok()) else {
            return self.inconsistent("the sender of the challenge mail");
        };
        let chosen = ChallengeState {
            url: challenge.url.clone(),
            kind: challenge.kind.to_string(),
            siblings: offered.iter().map(|one| one.url.clone()).take(MAX_SIBLINGS).collect(),
            to_ask,
            part2: Secret(part2.to_owned()),
            from,
            submission: submission.word().to_owned(),
            join: join.word().to_owned(),
            form: form.word().to_owned(),
            token: None,
            reply: None,
            reply_wished: false,
            responded: false,
            tried: 0,
            looks: 0,
            resumed: false,
            refused: Vec::new(),
            problem: None,
        };
        self.order_mut()?.challenge = Some(chosen);
        self.state.step = if to_ask { Step::AskMail } else { Step::Mail };
        Ok(())
    }

    /// The authorization is still pending: go on where the challenge was left.
    fn resume(
        &mut self,
        authorization: &Authorization,
        response: &HttpResponse,
        now: Time,
    ) -> Result<(), Error> {
        let known = self.challenge()?;
        let Some(seen) = find_challenge(known, authorization) else {
            return self.inconsistent("the list of challenges");
        };
        if !same_challenge(known, seen) {
            return self.inconsistent("the challenge");
        }
        let failed = seen.error.as_ref().is_some_and(|error| error.kind == ProblemType::IncorrectResponse);
        match seen.status {
            ChallengeStatus::Invalid => return self.reorder(seen.error.clone()),
            // The token was wrong and another may be tried.
            ChallengeStatus::Pending if failed && known.responded => {
                let problem = seen.error.clone();
                return self.next_token(problem);
            }
            ChallengeStatus::Processing | ChallengeStatus::Valid => return self.look_again(response, now),
            _ if known.responded => return self.look_again(response, now),
            _ => {}
        }
        // Not answered, or the answer never arrived.
        self.state.step = match (&known.token, self.submission()?) {
            (None, _) if known.to_ask => Step::AskMail,
            (None, _) => Step::Mail,
            (Some(_), TokenSubmission::ReplyMail) => {
                self.challenge_mut()?.reply_wished = false;
                Step::Reply
            }
            (Some(_), TokenSubmission::ChallengeResponse) => Step::Respond,
            (Some(_), TokenSubmission::WithCsr) => {
                if self.order()?.has_csr() {
                    Step::Finalize
                } else {
                    Step::Csr
                }
            }
        };
        Ok(())
    }

    fn look_again(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let order = self.order_mut()?;
        order.polls += 1;
        let polls = order.polls;
        if polls > MAX_POLLS {
            return Err(Error::Stuck { step: Step::Authorization });
        }
        self.sleep(response, polls.saturating_sub(1), now);
        self.state.step = Step::Authorization;
        Ok(())
    }

    pub(super) fn wish_mail(&self, now: Time) -> Result<Output, Error> {
        let mailbox = self.state.mailbox.clone();
        let consumed = self.state.consumed.clone();
        let order = self.order()?;
        let (until, opened) = (self.deadline(order), order.opened);
        let challenge = self.challenge()?;
        if now >= until {
            return Err(Error::NoChallengeMail { until, refused: challenge.refused.clone() });
        }
        let wait = match challenge.looks {
            0 => Duration::ZERO,
            looks => Duration::from_secs(1u64.checked_shl((looks - 1).min(6)).unwrap_or(60).min(60)),
        };
        Ok(Output::WaitMail(WaitMail {
            mailbox,
            from: challenge.from.clone(),
            challenge_url: challenge.url.clone(),
            sibling_urls: challenge.siblings.iter().filter(|url| **url != challenge.url).cloned().collect(),
            order_created: opened,
            since: opened.minus(MAIL_SKEW),
            wait: wait.min(until.since(now)),
            consumed,
        }))
    }

    pub(super) fn take_mails(
        &mut self,
        accepted: Vec<AcceptedMail>,
        refused: Vec<RefusedMail>,
        now: Time,
    ) -> Result<(), Error> {
        let challenge = self.challenge()?;
        let hints: Vec<String> =
            [&challenge.url].into_iter().chain(&challenge.siblings).map(|url| authz_hint(url)).collect();
        let hinted =
            |mail: &AcceptedMail| mail.challenge.authz_hint.as_ref().is_some_and(|hint| hints.contains(hint));
        // A copy of a mail has another id and the same token.
        let unused = |mail: &&AcceptedMail| {
            !self.state.consumed.contains(&mail.id)
                && !self.state.used_tokens.contains(&fingerprint(&mail.challenge.token_part1))
        };
        // A hint for another authorization excludes the mail, one for this prefers it (A22).
        let candidate = accepted
            .iter()
            .filter(unused)
            .find(|mail| hinted(mail))
            .or_else(|| accepted.iter().filter(unused).find(|mail| mail.challenge.authz_hint.is_none()));
        let part2 = TokenPart2::parse(&challenge.part2.0).map_err(Error::Token)?;
        let join = TokenJoin::from_word(&challenge.join).unwrap_or_default();
        let reasons: Vec<String> = refused.iter().map(|mail| mail.reason.to_string()).collect();
        let chosen = candidate.map(|mail| (mail.id.clone(), mail.challenge.clone()));

        let challenge = self.challenge_mut()?;
        for reason in reasons {
            if challenge.refused.len() < 16 && !challenge.refused.contains(&reason) {
                challenge.refused.push(reason);
            }
        }
        let Some((id, mail)) = chosen else {
            challenge.looks += 1;
            let resumed = challenge.resumed;
            // That mail is lost, or will never be taken: another order brings another.
            let lost = resumed && now >= self.order()?.opened.plus(MAIL_PATIENCE);
            return if lost { self.reorder(None) } else { Ok(()) };
        };
        let token = mail.token_part1.join(&part2, join);
        if self.state.consumed.len() >= MAX_CONSUMED {
            // The order ends with this, and the next takes no mail that is older than itself.
            self.state.consumed.clear();
            self.state.used_tokens.clear();
            return Err(Error::TooManyMails { limit: MAX_CONSUMED });
        }
        self.state.consumed.push(id);
        self.state.used_tokens.push(fingerprint(&mail.token_part1));
        let Ok(token) = token else {
            // This mail is used up; the next look may find another.
            return Ok(());
        };
        self.take_token(&token, mail)
    }

    fn take_token(&mut self, token: &Token, mail: ChallengeMail) -> Result<(), Error> {
        let submission = self.submission()?;
        let has_csr = self.order()?.has_csr();
        let challenge = self.challenge_mut()?;
        challenge.token = Some(Secret(token.expose().to_owned()));
        challenge.tried += 1;
        challenge.responded = false;
        challenge.reply_wished = false;
        challenge.reply = (submission == TokenSubmission::ReplyMail).then(|| ReplyState {
            to: mail.reply_to,
            subject: Secret(mail.subject),
            message_id: mail.message_id,
        });
        self.state.step = match submission {
            TokenSubmission::WithCsr if has_csr => Step::Finalize,
            TokenSubmission::WithCsr => Step::Csr,
            TokenSubmission::ChallengeResponse => Step::Respond,
            TokenSubmission::ReplyMail => Step::Reply,
        };
        Ok(())
    }

    /// Wished once. When it is polled again without an answer, the reply may have been sent: the server is
    /// asked first, since one mail is not to be answered twice (RFC 8823 §3.1).
    pub(super) fn wish_reply(&mut self) -> Result<Option<Output>, Error> {
        let mailbox = self.state.mailbox.clone();
        let thumbprint = self.state.thumbprint.clone();
        let challenge = self.challenge_mut()?;
        if challenge.reply_wished {
            self.state.step = Step::Authorization;
            return Ok(None);
        }
        let (Some(token), Some(reply)) = (&challenge.token, &challenge.reply) else {
            self.state.step = Step::Mail;
            return Ok(None);
        };
        let token = Token::parse(&token.0).map_err(Error::Token)?;
        let reply = ReplyMail {
            from: mailbox,
            to: reply.to.clone(),
            subject: reply.subject.0.clone(),
            in_reply_to: reply.message_id.clone(),
            digest: token.key_authorization_digest(&thumbprint),
        };
        challenge.reply_wished = true;
        Ok(Some(Output::SendReply(reply)))
    }

    pub(super) fn take_reply_sent(&mut self) -> Result<(), Error> {
        self.state.step = Step::Respond;
        Ok(())
    }

    /// Where the server sends the mail only when the challenge is asked for: a response that says nothing yet.
    pub(super) fn request_mail(&self) -> Result<Request, Error> {
        let url = self.challenge()?.url.clone();
        Ok(Request { url, payload: self.payload(&ChallengeResponse::default())? })
    }

    pub(super) fn answer_mail(&mut self, response: &HttpResponse) -> Result<(), Error> {
        let challenge: Challenge = self.read(response)?;
        if !same_challenge(self.challenge()?, &challenge) {
            return self.inconsistent("the challenge");
        }
        self.challenge_mut()?.to_ask = false;
        self.state.step = Step::Mail;
        Ok(())
    }

    pub(super) fn request_respond(&self) -> Result<Request, Error> {
        let url = self.challenge()?.url.clone();
        let response = match self.submission()? {
            TokenSubmission::ReplyMail => ChallengeResponse::default(),
            _ => {
                let (token, key_authorization_digest) = self.submitted()?;
                ChallengeResponse { token, key_authorization_digest }
            }
        };
        Ok(Request { url, payload: self.payload(&response)? })
    }

    /// The token or its digest (A3), for the direct forms.
    pub(super) fn submitted(&self) -> Result<(Option<Zeroizing<String>>, Option<String>), Error> {
        let challenge = self.challenge()?;
        let Some(Secret(token)) = &challenge.token else { return Ok((None, None)) };
        match TokenForm::from_word(&challenge.form) {
            Some(TokenForm::KeyAuthorizationDigest) => {
                let token = Token::parse(token).map_err(Error::Token)?;
                Ok((None, Some(token.key_authorization_digest(&self.state.thumbprint))))
            }
            _ => Ok((Some(Zeroizing::new(token.clone())), None)),
        }
    }

    pub(super) fn answer_respond(&mut self, response: &HttpResponse) -> Result<(), Error> {
        let challenge: Challenge = self.read(response)?;
        if !same_challenge(self.challenge()?, &challenge) {
            return self.inconsistent("the challenge");
        }
        self.challenge_mut()?.responded = true;
        self.order_mut()?.polls = 0;
        self.state.step = Step::Authorization;
        Ok(())
    }

    /// The server did not take the token: look whether the authorization still lives.
    pub(super) fn wrong_token(&mut self, problem: Problem) -> Result<(), Error> {
        if problem.kind == ProblemType::TooManyTokens {
            return self.reorder(Some(problem));
        }
        self.next_token(Some(problem))?;
        if self.state.step == Step::Mail {
            self.state.step = Step::Authorization;
        }
        Ok(())
    }

    fn next_token(&mut self, problem: Option<Problem>) -> Result<(), Error> {
        let challenge = self.challenge_mut()?;
        challenge.token = None;
        challenge.reply = None;
        challenge.responded = false;
        challenge.looks = 0;
        if challenge.tried >= MAX_TOKENS {
            return self.reorder(problem);
        }
        challenge.problem = problem;
        self.state.step = Step::Mail;
        Ok(())
    }

    pub(super) fn has_token(&self) -> bool {
        let challenge = self.state.order.as_ref().and_then(|order| order.challenge.as_ref());
        challenge.is_some_and(|challenge| challenge.token.is_some())
    }

    pub(super) fn submits_with_csr(&self) -> bool {
        self.submission().is_ok_and(|submission| submission == TokenSubmission::WithCsr)
    }

    fn submission(&self) -> Result<TokenSubmission, Error> {
        TokenSubmission::from_word(&self.challenge()?.submission)
            .ok_or(Error::Stuck { step: self.state.step })
    }

    fn deadline(&self, order: &OrderState) -> Time {
        let own = order.opened.plus(ORDER_LIFE);
        order.expires.map_or(own, |expires| expires.min(own))
    }
}

/// What is remembered of a token that was used: SHA-256, base64url.
fn fingerprint(part1: &TokenPart1) -> String {
    jws::encode(&DigestAlgorithm::Sha256.digest(part1.expose().as_bytes()))
}

/// Known by URL and type: two types may share a URL.
fn find_challenge<'a>(known: &ChallengeState, authorization: &'a Authorization) -> Option<&'a Challenge> {
    let is_known = |one: &&Challenge| one.url == known.url && one.kind.as_str() == known.kind;
    authorization.challenges.iter().find(is_known)
}

fn same_challenge(known: &ChallengeState, seen: &Challenge) -> bool {
    let from = seen.from.as_deref().and_then(|from| from.parse::<Mailbox>().ok());
    seen.url == known.url
        && seen.kind.as_str() == known.kind
        && seen.token.as_deref() == Some(known.part2.0.as_str())
        && from.is_some_and(|from| from.matches(&known.from))
}
