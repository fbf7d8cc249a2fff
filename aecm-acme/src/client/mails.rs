//! Looking for the challenge mail. Nothing is changed in the mailbox; what does not belong to the open order is
//! left alone and told (THREATS C6).

use core::time::Duration;
use std::collections::BTreeSet;

use aecm_core::time::Time;

use super::{Client, ClientError, Event, within};
use crate::machine::{AcceptedMail, Input, RefusedMail, WaitMail};
use crate::mail::{ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail, MailError};

/// New mails whose origin is proven at one look: each may cost DNS look-ups.
const MAX_MAILS: usize = 200;
/// Times the mailbox may be out of reach in a row.
const MAX_FAILURES: u32 = 5;

/// The shortest time between two looks (THREATS N10); the clock counts whole seconds.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest that the proof of one mail may take (THREATS N4).
const PROOF_TIME: Duration = Duration::from_secs(60);

/// What earlier looks found, so that no mail is proven twice.
#[derive(Default)]
pub(super) struct Looked {
    challenge_url: String,
    settled: BTreeSet<String>,
    failures: u32,
}

impl Client {
    pub(super) async fn look(
        &self,
        wait: &WaitMail,
        deadline: Time,
        looked: &mut Looked,
    ) -> Result<Input, ClientError> {
        let joints = &self.joints;
        let left = || deadline.since(joints.clock.now());
        let pause = wait.wait.min(left());
        if pause > Duration::ZERO {
            // A source that waits too long is cut off; one that cannot wait, or returns at once, is slept for.
            let began = joints.clock.now();
            let timer = joints.sleep.sleep(pause);
            match within(joints.mail.wait(&wait.mailbox, pause), timer).await {
                Some(false) => joints.sleep.sleep(pause.min(left())).await,
                Some(true) if joints.clock.now().since(began) <= SHORTEST_PAUSE => {
                    joints.sleep.sleep(SHORTEST_PAUSE.min(left())).await;
                }
                _ => {}
            }
        }
        if looked.challenge_url != wait.challenge_url {
            *looked = Looked { challenge_url: wait.challenge_url.clone(), ..Looked::default() };
        }
        let nothing = || Input::Mails { accepted: Vec::new(), refused: Vec::new() };
        let mails =
            match within(joints.mail.mails(&wait.mailbox, wait.since), joints.sleep.sleep(left())).await {
                Some(Ok(mails)) => mails,
                // The deadline has passed; the caller sees it.
                None => return Ok(nothing()),
                Some(Err(error @ MailError::Transport(_))) => {
                    looked.failures += 1;
                    return if looked.failures > MAX_FAILURES {
                        Err(ClientError::Mail(error))
                    } else {
                        Ok(nothing())
                    };
                }
                Some(Err(error)) => return Err(ClientError::Mail(error)),
            };
        looked.failures = 0;
        let expected = ExpectedChallenge {
            mailbox: &wait.mailbox,
            from: &wait.from,
            challenge_url: &wait.challenge_url,
            order_created: wait.order_created,
            now: joints.clock.now(),
        };
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        let new = mails
            .into_iter()
            .filter(|mail| mail.received >= wait.since)
            .filter(|mail| !wait.consumed.contains(&mail.id) && !looked.settled.contains(&mail.id))
            .filter(|mail| mail.raw.len() <= self.config.limits.message_bytes)
            .take(MAX_MAILS);
        for mail in new.collect::<Vec<_>>() {
            let time = PROOF_TIME.min(left());
            let proof = self.prove(&mail, &expected, &wait.sibling_urls);
            let late = || Err(ChallengeRefusal::Temporary { why: "no answer in time".to_owned() });
            match within(proof, joints.sleep.sleep(time)).await.unwrap_or_else(late) {
                Ok(challenge) => accepted.push(AcceptedMail { id: mail.id, challenge }),
                Err(ChallengeRefusal::NotAChallenge) => {
                    looked.settled.insert(mail.id);
                }
                Err(reason) => {
                    if !reason.is_temporary() {
                        looked.settled.insert(mail.id.clone());
                    }
                    tracing::warn!(id = %mail.id.escape_debug(), reason = %reason, "a challenge mail was refused");
                    self.tell(Event::MailRefused { id: mail.id.clone(), reason: reason.clone() });
                    refused.push(RefusedMail { id: mail.id, reason });
                }
            }
        }
        Ok(Input::Mails { accepted, refused })
    }

    /// The one mail of an authorization may hint at any of its challenges (A22).
    async fn prove(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
        siblings: &[String],
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        let authenticator = &self.joints.authenticator;
        let mut outcome = authenticator.authenticate(mail, expected).await;
        for url in siblings {
            if !matches!(outcome, Err(ChallengeRefusal::OtherAuthorization)) {
                break;
            }
            outcome = authenticator
                .authenticate(mail, &ExpectedChallenge { challenge_url: url, ..*expected })
                .await;
        }
        outcome
    }
}
