//! C1–C6, A22: challenge mails that are late, forged, repeated or somebody else's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::acme::client::ClientError::{Deadline, Machine, Mail as MailProblem};
use aecm::acme::machine::{Error as E, StepName as S};
use aecm::acme::mail::{Mail, MailError};
use aecm::acme::wire::TokenSubmission;
use aecm::core::embed::Clock;
use aecm::core::time::Time;

use crate::forge::signed_by_evil;
use crate::post::{Look, token, unsigned};
use crate::script::{Place, Seen};
use crate::stage::{Expect, Scene, Stage, ensure, fails, scene};
use crate::world::run;

/// Mails came, and the message says why none was taken.
fn none_taken() -> Expect {
    fails!(Machine(E::NoChallengeMail { .. }), "no challenge mail of the CA", "call again", "refused mails")
}

fn no_mail() -> Expect {
    fails!(Deadline { step: S::Mail }, "waiting for the challenge mail", "call again")
}

/// No token of a forged mail reached the service: one finalize an order.
fn three_finalized(seen: &Seen) -> Result<(), String> {
    let count = seen.requests(Place::Finalize);
    ensure(count == 3, || format!("{count} finalize requests"))
}

fn none_finalized(seen: &Seen) -> Result<(), String> {
    ensure(seen.requests(Place::Finalize) == 0, || "a forged token was submitted".to_owned())
}

type Change = Arc<dyn Fn(&Look) -> Mail + Send + Sync>;

/// What is forged comes alone, and comes before the genuine mail.
fn forged(name: &str, change: impl Fn(&Look) -> Mail + Send + Sync + 'static) -> [Scene; 2] {
    let change: Change = Arc::new(change);
    let again = change.clone();
    let alone = scene(format!("{name}, alone"))
        .mails(move |look| Ok(look.mails.first().map(|_| change(&look)).into_iter().collect()))
        .deadline(200)
        .within(201)
        .check(none_finalized)
        .ends(none_taken());
    let before = scene(format!("{name}, before the genuine one"))
        .mails(move |look| {
            let first = look.mails.first().map(|_| again(&look));
            Ok(first.into_iter().chain(look.mails).collect())
        })
        .check(three_finalized);
    [alone, before]
}

#[test]
fn late_mails() {
    run(async {
        let stage = Stage::new().await;
        let after = |seconds: u64| {
            move |look: Look| {
                let here = look.elapsed >= Duration::from_secs(seconds);
                Ok(if here { look.mails } else { Vec::new() })
            }
        };
        let mut scenes = vec![
            scene("beyond the first look").mails(after(5)).within(30),
            scene("after twenty minutes of greylisting").mails(after(1_200)).within(1_400),
            scene("beyond the deadline").mails(after(1_900)).within(1_801).ends(no_mail()),
            scene("never").mails(|_| Ok(Vec::new())).within(1_801).ends(no_mail()),
            scene("twice").mails(|look| {
                let twin = look.mails.first().map(|_| look.forged(0, "twin", str::to_owned));
                Ok(look.mails.into_iter().chain(twin).collect())
            }),
            scene("the mailbox is out of reach for a while")
                .mails(|look| {
                    if look.number < 5 {
                        Err(MailError::Transport("busy".to_owned()))
                    } else {
                        Ok(look.mails)
                    }
                })
                .within(60),
            scene("the mailbox is out of reach")
                .mails(|_| Err(MailError::Transport("busy".to_owned())))
                .within(120)
                .ends(fails!(MailProblem(MailError::Transport(_)), "the mail system did not answer", "busy")),
            scene("the mailbox is refused")
                .mails(|_| Err(MailError::NoMailbox("alice".to_owned())))
                .ends(fails!(MailProblem(MailError::NoMailbox(_)), "the mail system refuses access")),
        ];
        for submission in [TokenSubmission::ChallengeResponse, TokenSubmission::ReplyMail] {
            scenes.push(
                scene(format!("beyond the first look, {}", submission.word()))
                    .submission(submission)
                    .mails(after(20))
                    .within(60),
            );
        }
        stage.play(scenes).await;
    });
}

#[test]
fn forged_mails() {
    run(async {
        let stage = Stage::new().await;
        let clock = stage.clock.clone();
        let mut scenes = Vec::new();
        let other = |text: &str| token(text).chars().rev().collect::<String>();
        let text = |name: &'static str, change: fn(&str) -> String| {
            forged(name, move |look| look.forged(0, "forged", change))
        };
        scenes.extend(text("another token under the signature", |mail| {
            mail.replacen(&token(mail), &token(mail).chars().rev().collect::<String>(), 1)
        }));
        scenes.extend(text("From somebody else", |mail| mail.replacen("From: ", "From: mallory.", 1)));
        scenes.extend(text("From two", |mail| mail.replacen("From: ", "From: mallory@evil.example, ", 1)));
        scenes.extend(text("no DKIM signature", unsigned));
        scenes.extend(text("a changed body", |mail| format!("{mail}It is all right.\r\n")));
        scenes.extend(text("a DKIM signature that is cut", |mail| {
            let (head, rest) = mail.split_once("DKIM-Signature:").unwrap();
            let at = rest.find(" b=").or_else(|| rest.find("\tb=")).unwrap() + 3;
            format!("{head}DKIM-Signature:{}AAAA{}", &rest[..at], &rest[at + 4..])
        }));
        scenes.extend(text("d= changed by hand", |mail| {
            mail.replacen("d=ca.example.test", "d=evil.example", 1)
        }));
        scenes
            .extend(text("a second Subject", |mail| format!("Subject: ACME: {}\r\n{mail}", "A".repeat(32))));
        scenes.extend(text("a Reply-To that nobody signed", |mail| {
            format!("Reply-To: mallory@evil.example\r\n{mail}")
        }));
        scenes.extend(forged("signed by another domain", move |look| {
            let mut mail =
                look.forged(0, "forged", |mail| unsigned(mail).replacen(&token(mail), &other(mail), 1));
            mail.raw = signed_by_evil(&String::from_utf8(mail.raw).unwrap(), clock.now());
            mail
        }));
        scenes.push(
            scene("thirty decoys before the right one")
                .mails(|look| {
                    let mut mails = Vec::new();
                    if !look.mails.is_empty() {
                        mails.extend((0..30).map(|number| {
                            look.forged(0, &format!("decoy-{number}"), |mail| {
                                let decoy = aecm::acme::jws::encode(&[number; 24]);
                                mail.replacen(&token(mail), &decoy, 1)
                            })
                        }));
                    }
                    Ok(mails.into_iter().chain(look.mails).collect())
                })
                .check(three_finalized),
        );
        stage.play(scenes).await;
    });
}

// Each order has its own mail; one of an order before, or of another mailbox, is none.
#[test]
fn replayed_mails() {
    run(async {
        let stage = Stage::with(|options| options.acme.reuse_authorizations = false).await;
        let first: Arc<Mutex<Option<Mail>>> = Arc::default();
        let replay = |alone: bool| {
            let first = first.clone();
            move |look: Look| {
                if look.mails.len() < 2 {
                    *first.lock().unwrap() = look.mails.first().cloned();
                    return Ok(look.mails);
                }
                // It was received just now, as far as the mailbox knows.
                let mut old = first.lock().unwrap().clone().unwrap();
                old.id = format!("replayed-{}", look.number);
                old.received = look.mails[look.mails.len() - 1].received;
                Ok(if alone { vec![old] } else { [vec![old], look.mails].concat() })
            }
        };
        let bobs: aecm::core::mailbox::Mailbox = "bob.0@example.test".parse().unwrap();
        let others = stage.world.service.mail_source().mails(&bobs, Time::from_unix(0)).await.unwrap();
        assert_eq!(others.len(), 3);
        let (foreign, clock) = (others.clone(), stage.clock.clone());
        let scenes = vec![
            scene("the mail of the order before, then the right one")
                .mails(replay(false))
                .check(three_finalized),
            scene("the mail of the order before, alone")
                .mails(replay(true))
                .deadline(300)
                .within(301)
                .ends(none_taken()),
            scene("the mails of another mailbox before the right one")
                .mails(move |look| Ok([others.clone(), look.mails].concat()))
                .check(three_finalized),
            scene("the mails of another mailbox, alone")
                .mails(move |_| {
                    let now = |mail: &Mail| Mail { received: clock.now(), ..mail.clone() };
                    Ok(foreign.iter().map(now).collect())
                })
                .deadline(300)
                .within(301)
                .check(none_finalized)
                .ends(none_taken()),
        ];
        stage.play(scenes).await;
    });
}
