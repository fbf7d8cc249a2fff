//! Joints over the scripted server, with a clock that only sleeping moves and mails in real RFC 5322 form.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm_acme::client::{AgreedBeforehand, Event, Joints, Keys, KeysError};
use aecm_acme::csr::Template;
use aecm_acme::email::{ChallengeDraft, read_challenge};
use aecm_acme::machine::IssuerAnchors;
use aecm_acme::mail::{
    ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail, MailError, MailSender,
    MailSource,
};
use aecm_acme::plan::PlanItem;
use aecm_acme::token::TokenPart1;
use aecm_acme::wire::{Problem, TokenSubmission};
use aecm_core::certificate::Certificate;
use aecm_core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse, OsRng, Sleep};
use aecm_core::key::Signer;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use async_trait::async_trait;
use zeroize::Zeroizing;

use super::server::Server;

pub const NOW: Time = Time::from_unix(1_795_420_800);

pub fn alice() -> Mailbox {
    "alice@example.com".parse().unwrap()
}

pub type Shared = Arc<Mutex<Server>>;

pub struct Rig {
    pub server: Shared,
    pub events: Arc<Mutex<Vec<Event>>>,
    pub stored: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub log: Arc<Mutex<Vec<&'static str>>>,
    pub strange_mails: Arc<AtomicUsize>,
    pub hold_mails: Arc<AtomicBool>,
    pub hang: Arc<AtomicBool>,
    clock: Arc<Virtual>,
    store: Arc<Store>,
}

/// Time that passes only by sleeping.
struct Virtual(AtomicI64);

impl Clock for Virtual {
    fn now(&self) -> Time {
        Time::from_unix(self.0.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Sleep for Virtual {
    async fn sleep(&self, duration: Duration) {
        // What runs beside a timer gets its turn first.
        tokio::task::yield_now().await;
        self.0.fetch_add(i64::try_from(duration.as_secs()).unwrap(), Ordering::SeqCst);
    }
}

struct Wire {
    server: Shared,
    clock: Arc<Virtual>,
    log: Arc<Mutex<Vec<&'static str>>>,
    hang: Arc<AtomicBool>,
}

#[async_trait]
impl Http for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.hang.load(Ordering::SeqCst) {
            core::future::pending::<()>().await;
        }
        if request.method == aecm_core::embed::Method::Post {
            self.log.lock().unwrap().push("send");
        }
        Ok(self.server.lock().unwrap().handle(&request, self.clock.now()))
    }
}

struct Inbox {
    server: Shared,
    clock: Arc<Virtual>,
    strange: Arc<AtomicUsize>,
    hold: Arc<AtomicBool>,
}

fn mail(id: &str, from: &str, part1: &str, url: Option<&str>, at: Time) -> Mail {
    let part1 = TokenPart1::parse(part1).unwrap();
    let from: Mailbox = from.parse().unwrap();
    let message_id = format!("<{id}@ca.example>");
    let draft = ChallengeDraft {
        from: &from,
        to: &alice(),
        token_part1: &part1,
        challenge_url: url,
        date: at,
        message_id: &message_id,
        reply_to: None,
        text: None,
    };
    Mail { id: id.to_owned(), received: at, raw: draft.compose().unwrap() }
}

#[async_trait]
impl MailSource for Inbox {
    async fn mails(&self, mailbox: &Mailbox, _since: Time) -> Result<Vec<Mail>, MailError> {
        assert_eq!(*mailbox, alice());
        if self.hold.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let strange = (0..self.strange.load(Ordering::SeqCst)).map(|number| {
            mail(&format!("strange-{number}"), "mallory@evil.example", &"A".repeat(32), None, now)
        });
        let server = self.server.lock().unwrap();
        let sent = server.mails.iter().enumerate().map(|(number, sent)| {
            let from = format!("acme+{number}@ca.example");
            mail(&sent.id, &from, &sent.part1, None, now)
        });
        Ok(strange.chain(sent).collect())
    }
}

/// Reads mails as they are; their signatures are the matter of other tests.
struct Believer;

#[async_trait]
impl ChallengeAuthenticator for Believer {
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        read_challenge(&mail.raw, mail.received, expected, &Limits::default())
    }
}

struct Outbox(Shared);

#[async_trait]
impl MailSender for Outbox {
    async fn send(&self, from: &Mailbox, to: &Mailbox, raw: &[u8]) -> Result<(), MailError> {
        assert_eq!(*from, alice());
        assert!(to.as_str().starts_with("acme+"));
        let text = core::str::from_utf8(raw).unwrap();
        let (_, block) = text.split_once("-----BEGIN ACME RESPONSE-----\r\n").unwrap();
        let (digest, _) = block.split_once("\r\n-----END ACME RESPONSE-----").unwrap();
        self.0.lock().unwrap().replies.push(digest.to_owned());
        Ok(())
    }
}

struct Store {
    account: Arc<dyn Signer>,
    keys: Mutex<BTreeMap<String, Zeroizing<Vec<u8>>>>,
    stored: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    log: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl Keys for Store {
    async fn account(&self, _directory: &str) -> Result<Arc<dyn Signer>, KeysError> {
        Ok(Arc::clone(&self.account))
    }

    async fn request(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        _refused: Option<&Problem>,
    ) -> Result<Vec<u8>, KeysError> {
        let spec = if item.suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
        let key = {
            let mut keys = self.keys.lock().unwrap();
            let make = || SoftwareKey::generate(spec, &OsRng).unwrap().to_pkcs8_der();
            SoftwareKey::from_pkcs8_der(keys.entry(item.to_string()).or_insert_with(make)).unwrap()
        };
        let template = Template::new(mailbox, item.purpose);
        Ok(if item.purpose == Purpose::Encrypt {
            template.prove(&key.into_decryptor(Arc::new(OsRng))).await?
        } else {
            template.sign(&key.into_signer(Arc::new(OsRng))).await?
        })
    }

    async fn install(
        &self,
        _mailbox: &Mailbox,
        item: &PlanItem,
        chain: &[Certificate],
    ) -> Result<(), KeysError> {
        let keys = self.keys.lock().unwrap();
        let key = SoftwareKey::from_pkcs8_der(&keys[&item.to_string()]).unwrap();
        assert_eq!(chain[0].public_key(), Some(key.public_key()));
        Ok(())
    }

    async fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError> {
        Ok(self.stored.lock().unwrap().get(name).cloned().map(Zeroizing::new))
    }

    async fn save(&self, name: &str, octets: &[u8]) -> Result<(), KeysError> {
        self.log.lock().unwrap().push("save");
        self.stored.lock().unwrap().insert(name.to_owned(), octets.to_vec());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), KeysError> {
        self.stored.lock().unwrap().remove(name);
        Ok(())
    }
}

impl Rig {
    pub fn new(submission: TokenSubmission) -> Self {
        let mut server = Server::dialect(NOW, submission, true);
        server.hints = false;
        let (stored, log) = (Arc::default(), Arc::default());
        let account = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
        let store = Store {
            account: Arc::new(account),
            keys: Mutex::default(),
            stored: Arc::clone(&stored),
            log: Arc::clone(&log),
        };
        Self {
            server: Arc::new(Mutex::new(server)),
            events: Arc::default(),
            stored,
            log,
            strange_mails: Arc::default(),
            hold_mails: Arc::default(),
            hang: Arc::default(),
            clock: Arc::new(Virtual(AtomicI64::new(NOW.unix()))),
            store: Arc::new(store),
        }
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Moves the clock, from wherever it is held.
    pub fn passing(&self) -> impl Fn(i64) + Send + 'static {
        let clock = Arc::clone(&self.clock);
        move |seconds| {
            clock.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    pub fn timer(&self) -> Arc<dyn Sleep> {
        self.clock.clone()
    }

    pub fn anchors(&self) -> IssuerAnchors {
        self.server.lock().unwrap().ca.anchors()
    }

    pub fn joints(&self) -> Joints {
        let (server, clock) = (&self.server, &self.clock);
        let events = Arc::clone(&self.events);
        Joints {
            http: Arc::new(Wire {
                server: Arc::clone(server),
                clock: Arc::clone(clock),
                log: Arc::clone(&self.log),
                hang: Arc::clone(&self.hang),
            }),
            clock: clock.clone(),
            sleep: clock.clone(),
            rng: Arc::new(OsRng),
            mail: Arc::new(Inbox {
                server: Arc::clone(server),
                clock: Arc::clone(clock),
                strange: Arc::clone(&self.strange_mails),
                hold: Arc::clone(&self.hold_mails),
            }),
            authenticator: Arc::new(Believer),
            sender: Some(Arc::new(Outbox(Arc::clone(server)))),
            keys: self.store.clone(),
            consent: Some(Arc::new(AgreedBeforehand)),
            observer: Some(Arc::new(move |event: Event| events.lock().unwrap().push(event))),
        }
    }
}
