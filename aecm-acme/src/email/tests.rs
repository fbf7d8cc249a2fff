//! A challenge mail that is right, and every way to make it wrong.

mod challenge;
mod hostile;
mod replies;
mod results;

use std::sync::Arc;
use std::time::Duration;

use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

use super::*;
use crate::dkim::tests::{NOW, Zone, run, sign};
use crate::dkim::{SignOptions, VerifyOptions};
use crate::mail::{ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail};
use crate::token::TokenPart1;

pub(super) const TOKEN: &str = "MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W";
pub(super) const URL: &str = "https://ca.example.test/acme/challenge/1";

pub(super) struct World {
    pub(super) ca: Mailbox,
    pub(super) bob: Mailbox,
}

impl World {
    pub(super) fn new() -> Self {
        Self { ca: "acme@ca.example.test".parse().unwrap(), bob: "bob@example.test".parse().unwrap() }
    }

    pub(super) fn expected(&self) -> ExpectedChallenge<'_> {
        ExpectedChallenge {
            mailbox: &self.bob,
            from: &self.ca,
            challenge_url: URL,
            order_created: NOW.minus(Duration::from_secs(60)),
            now: NOW,
        }
    }
}

pub(super) fn received(raw: &[u8]) -> Mail {
    Mail { id: "1".to_owned(), received: NOW, raw: raw.to_vec() }
}

/// The header fields of the right mail, one a line.
pub(super) const GOOD: &str = "From: acme@ca.example.test\r\n\
    To: bob@example.test\r\n\
    Date: Mon, 23 Nov 2026 17:43:06 +0000\r\n\
    Message-ID: <1@ca.example.test>\r\n\
    Subject: ACME: MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W\r\n\
    Auto-Submitted: auto-generated; type=acme\r\n\
    \r\nHello.\r\n";

/// The right mail with one piece replaced, which must be there.
pub(super) fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

pub(super) fn usual_options(world: &World) -> SignOptions {
    challenge_sign_options(&world.ca, "own", NOW)
}

pub(super) fn signed(mail: &str) -> Vec<u8> {
    sign(&usual_options(&World::new()), mail.as_bytes())
}

/// What the strict DKIM authenticator says of a raw mail.
pub(super) fn judge(raw: &[u8]) -> Result<ChallengeMail, ChallengeRefusal> {
    judge_with(raw, SignedHeaders::Rfc8823, &Zone::usual())
}

pub(super) fn judge_with(
    raw: &[u8],
    headers: SignedHeaders,
    zone: &Zone,
) -> Result<ChallengeMail, ChallengeRefusal> {
    let authenticator = DkimAuthenticator::new(Arc::new(zone.clone())).signed_headers(headers);
    run(authenticator.authenticate(&received(raw), &World::new().expected()))
}

/// The word of a refusal; `accepted` where there is none.
pub(super) fn word(verdict: Result<ChallengeMail, ChallengeRefusal>) -> String {
    verdict.map_or_else(|refusal| refusal.word().to_owned(), |_| "accepted".to_owned())
}
