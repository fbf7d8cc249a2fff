//! C1–C6, A22: mails that look like challenges and are none. They are left alone, told, and change nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::acme::email::{ChallengeDraft, DkimAuthenticator};
use aecm::acme::mail::{ChallengeRefusal, Mail, MailError, MailSender, MailSource};
use aecm::acme::token::TokenPart1;
use aecm::acme::wire::TokenSubmission;
use aecm::core::embed::Clock;
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::time::Time;
use aecm::{Event, Plan};

use crate::world::{World, memory, run};

/// Puts forgeries of each challenge mail before the genuine one, and copies behind it.
struct Forger {
    inner: Arc<dyn MailSource>,
    others: Vec<Vec<u8>>,
    made: Mutex<usize>,
}

impl Forger {
    fn forged(&self, genuine: &str) -> Vec<String> {
        let (head, _) = genuine.split_once("\r\n\r\n").unwrap();
        let token = head.lines().find_map(|line| line.strip_prefix("Subject: ACME: ")).unwrap();
        let other_token: String = token.chars().rev().collect();
        // The signature of a mail ends where the next field begins.
        let mut unsigned = String::new();
        let mut in_signature = false;
        for line in genuine.split_inclusive("\r\n") {
            in_signature =
                line.starts_with("DKIM-Signature:") || (in_signature && line.starts_with([' ', '\t']));
            if !in_signature {
                unsigned.push_str(line);
            }
        }
        assert_ne!(unsigned, genuine);
        vec![
            // Another token under the genuine signature, and without any.
            genuine.replacen(token, &other_token, 1),
            unsigned.replacen(token, &other_token, 1),
            // A second Subject over the signed one (C2).
            format!("Subject: ACME: {other_token}\r\n{genuine}"),
            // From somebody else, To somebody else.
            genuine.replacen("From: ", "From: mallory@evil.example, ", 1),
            genuine.replacen("To: ", "To: mallory@evil.example, ", 1),
            // Of another authorization.
            genuine.replacen("authz=", "authz=A", 1),
            // Nothing in it.
            genuine.replacen(token, "", 1),
            "Subject: ACME: \r\n\r\n".to_owned(),
        ]
    }
}

#[async_trait::async_trait]
impl MailSource for Forger {
    async fn mails(&self, mailbox: &Address, since: Time) -> Result<Vec<Mail>, MailError> {
        let mut all = Vec::new();
        for (number, mail) in self.inner.mails(mailbox, since).await?.into_iter().enumerate() {
            let add = |all: &mut Vec<Mail>, name: String, raw: Vec<u8>| {
                all.push(Mail { id: format!("{name}-{number}"), received: mail.received, raw });
            };
            let text = String::from_utf8(mail.raw.clone()).unwrap();
            for (kind, raw) in self.forged(&text).into_iter().enumerate() {
                add(&mut all, format!("forged-{kind}"), raw.into_bytes());
            }
            for (kind, raw) in self.others.iter().enumerate() {
                add(&mut all, format!("other-{kind}"), raw.clone());
            }
            add(&mut all, "genuine".to_owned(), mail.raw.clone());
            add(&mut all, "replayed".to_owned(), mail.raw);
        }
        *self.made.lock().unwrap() += all.len();
        Ok(all)
    }
}

fn forger(world: &World, others: Vec<Vec<u8>>) -> Arc<Forger> {
    Arc::new(Forger { inner: world.service.mail_source(), others, made: Mutex::default() })
}

async fn all_mails(world: &World, address: &Address) -> Vec<Mail> {
    world.service.mail_source().mails(address, Time::from_unix(0)).await.unwrap()
}

#[test]
fn forged_challenges_before_the_genuine_one_are_left_alone() {
    run(async {
        for reuse in [true, false] {
            let world = World::with(|options| options.acme.reuse_authorizations = reuse).await;
            // Genuine mails of the CA, but to somebody else.
            let bob = world.person("bob", Plan::sm2()).await;
            let others = all_mails(&world, bob.address()).await.into_iter().map(|mail| mail.raw).collect();
            let (http, address) = (world.http(), world.address("alice"));
            let source = forger(&world, others);
            let aecm = world.builder(http.clone(), memory()).mail(source.clone()).build().unwrap();
            let told = Arc::new(Mutex::new(Vec::new()));
            let (notes, observer) = (told.clone(), move |event: Event| {
                if let Event::MailRefused { id, reason } = event {
                    notes_push(&told, id, reason);
                }
            });
            let mailbox = aecm.mailbox(address.as_str()).unwrap();
            let report = mailbox.provision_observed(Plan::sm2(), Some(Arc::new(observer))).await.unwrap();
            assert_eq!(report.issued(), 3);
            // No forged token ever reached the server.
            assert!(http.refusals().is_empty(), "{:?}", http.refusals());
            let told = notes.lock().unwrap().clone();
            let of = |name: &str| told.iter().filter(|(id, _)| id.starts_with(name)).count();
            for kind in 0..8 {
                assert!(of(&format!("forged-{kind}-0")) >= 1, "forgery {kind} is told: {told:?}");
            }
            assert!(of("other-0") >= 1);
            assert_eq!(of("genuine-0"), if reuse { 0 } else { of("genuine-0") });
            assert!(*source.made.lock().unwrap() >= 11);
            assert_eq!(
                all_mails(&world, &address).await.len(),
                if reuse { 1 } else { 3 },
                "left where they are"
            );
        }
    });
}

fn notes_push(told: &Mutex<Vec<(String, ChallengeRefusal)>>, id: String, reason: ChallengeRefusal) {
    told.lock().unwrap().push((id, reason));
}

// C1: what is signed well, but by somebody else; and what the CA's own domain never signed.
#[test]
fn strangers_cannot_send_challenges() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("alice"));
        let mallory: Address = "mallory@evil.example".parse().unwrap();
        world.service.post_office().open(&mallory);
        let part1 = TokenPart1::parse(&"A".repeat(32)).unwrap();
        let ca: Address = "acme+x@ca.example.test".parse().unwrap();
        for from in [&mallory, &ca] {
            let draft = ChallengeDraft {
                from,
                to: &address,
                token_part1: &part1,
                challenge_url: None,
                date: world.dial.now(),
                message_id: "<1@evil.example>",
                reply_to: None,
                text: None,
            };
            let raw = draft.compose().unwrap();
            world.service.post_office().deliver(&address, &raw);
            let sent = world.service.mail_sender().send(&mallory, &address, &raw).await;
            assert_eq!(sent.is_ok(), *from == mallory, "nobody's provider signs in the CA's name");
        }
        let mailbox =
            world.builder(http.clone(), memory()).build().unwrap().mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        assert!(http.refusals().is_empty(), "{:?}", http.refusals());
    });
}

// A22, C6: twenty strangers open orders for the mailbox, in the middle of it.
#[test]
fn hostile_orders_for_the_mailbox_are_not_answered() {
    run(async {
        let world = World::new().await;
        let address = world.address("alice");
        for _ in 0..20 {
            // Mallory can order for Alice's mailbox; she cannot read it.
            let aecm = world.builder(world.http(), memory()).mail(Arc::new(Nothing)).build().unwrap();
            let mallory = aecm.mailbox(address.as_str()).unwrap();
            assert!(mallory.provision(Plan::sm2()).await.is_err());
        }
        assert_eq!(all_mails(&world, &address).await.len(), 20);
        let http = world.http();
        let mailbox =
            world.builder(http.clone(), memory()).build().unwrap().mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        assert!(http.refusals().is_empty(), "none of their tokens was submitted");
        let found = world.service.certificate_directory().certificates(&address).await.unwrap();
        assert_eq!(found.len(), 3, "and they got nothing");
    });
}

struct Nothing;

#[async_trait::async_trait]
impl MailSource for Nothing {
    async fn mails(&self, mailbox: &Address, _: Time) -> Result<Vec<Mail>, MailError> {
        Err(MailError::NoMailbox(mailbox.to_string()))
    }
}

/// The genuine mail comes, but late: greylisting.
struct Late {
    inner: Arc<dyn MailSource>,
    looks: Mutex<u32>,
}

#[async_trait::async_trait]
impl MailSource for Late {
    async fn mails(&self, mailbox: &Address, since: Time) -> Result<Vec<Mail>, MailError> {
        let look = {
            let mut looks = self.looks.lock().unwrap();
            *looks += 1;
            *looks
        };
        match look {
            1 | 3 => Ok(Vec::new()),
            // A source that is out of reach for a while.
            2 => Err(MailError::Transport("busy".to_owned())),
            _ => self.inner.mails(mailbox, since).await,
        }
    }
}

#[test]
fn a_late_mail_is_waited_for() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("late"));
        let late = Arc::new(Late { inner: world.service.mail_source(), looks: Mutex::default() });
        let aecm = world.builder(http.clone(), memory()).mail(late).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        assert!(http.refusals().is_empty());
    });
}

/// A mail system that takes its time.
struct Slow(Arc<dyn MailSender>);

#[async_trait::async_trait]
impl MailSender for Slow {
    async fn send(&self, from: &Address, to: &Address, raw: &[u8]) -> Result<(), MailError> {
        let (inner, from, to, raw) = (self.0.clone(), from.clone(), to.clone(), raw.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            inner.send(&from, &to, &raw).await
        });
        Ok(())
    }
}

// RFC 8823 §3.2: the reply is announced before it arrives.
#[test]
fn a_reply_that_arrives_late_still_counts() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("slow"));
        let aecm = world
            .builder(http.clone(), memory())
            .sender(Arc::new(Slow(world.service.mail_sender())))
            .submission(TokenSubmission::ReplyMail)
            .build()
            .unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        assert!(http.refusals().is_empty(), "{:?}", http.refusals());
    });
}

/// DNS that is out of order at first.
struct Flaky {
    inner: Arc<dyn aecm::core::embed::TxtResolver>,
    asked: Mutex<u32>,
}

#[async_trait::async_trait]
impl aecm::core::embed::TxtResolver for Flaky {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, aecm::core::embed::TxtError> {
        let first = {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            *asked == 1
        };
        if first {
            return Err(aecm::core::embed::TxtError::Temporary("SERVFAIL".to_owned()));
        }
        self.inner.txt(name).await
    }
}

#[test]
fn a_resolver_that_fails_once_is_asked_again() {
    run(async {
        let world = World::new().await;
        let address = world.address("dns");
        let flaky = Arc::new(Flaky { inner: world.service.txt_resolver(), asked: Mutex::default() });
        let aecm = world
            .builder(world.http(), memory())
            .authenticator(Arc::new(DkimAuthenticator::new(flaky.clone())))
            .build()
            .unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        assert_eq!(*flaky.asked.lock().unwrap(), 2);
    });
}
