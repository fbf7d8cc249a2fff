//! The mail system of the loopback world: mailboxes, delivery, DKIM, and the TXT records that go with it.
//!
//! It plays two parts that are apart in life: the CA's mail server, which sends challenge mails, and the
//! mail provider of everybody else, which signs what its users send.

mod maildir;
mod notice;
mod smtp;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aecm_acme::dkim::{SignOptions, VerifyOptions, verify};
use aecm_acme::email::{
    ChallengeDraft, ExpectedReply, RFC8823_FIELDS, ReplyRefusal, SignedHeaders, authenticate_reply,
    challenge_sign_options,
};
use aecm_acme::mail::{Mail, MailError, MailSender, MailSource};
use aecm_acme::token::TokenPart1;
use aecm_core::embed::{Clock, Rng, TxtError, TxtResolver};
use aecm_core::header::{HeaderError, Headers, parse_single_address};
use aecm_core::key::Signer;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;
use base64ct::{Base64, Encoding as _};
use tokio::sync::Notify;

use self::maildir::Maildir;
use self::smtp::Smtp;
use crate::error::Error;
use crate::options::MailDelivery;

pub(crate) use notice::Notice;
pub use smtp::Outbox;

const SELECTOR: &str = "aecm";
/// The largest mail taken, in octets.
const MAX_MAIL: usize = 64 * 1024 * 1024;
/// The most mails a mailbox holds; the oldest go first.
const MAX_MAILS: usize = 1_000;

/// Mailboxes on loopback. Any address of any domain can be opened here.
pub struct PostOffice {
    ca_domain: String,
    dkim: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    boxes: Mutex<Boxes>,
    arrival: Notify,
    rng: Arc<dyn Rng>,
    /// The ways out.
    memory: bool,
    maildirs: Vec<Arc<Maildir>>,
    servers: Vec<Smtp>,
}

#[derive(Default)]
struct Boxes {
    mails: BTreeMap<Mailbox, Vec<Mail>>,
    delivered: u64,
}

/// What a challenge mail has to say.
pub(crate) struct ChallengeNotice<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a Mailbox,
    pub(crate) token_part1: &'a str,
    pub(crate) challenge_url: &'a str,
    pub(crate) now: Time,
}

impl core::fmt::Debug for PostOffice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PostOffice").field("mailboxes", &self.boxes().mails.len()).finish_non_exhaustive()
    }
}

impl PostOffice {
    /// The mail system with a DKIM key that is published for every domain it serves.
    pub(crate) fn new(
        ca_domain: &str,
        dkim: SoftwareKey,
        ways: &[MailDelivery],
        clock: Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, Error> {
        let (mut memory, mut maildirs, mut servers) = (false, Vec::new(), Vec::new());
        for way in ways {
            match way {
                MailDelivery::Memory => memory = true,
                MailDelivery::Maildir(path) => {
                    let maildir = Maildir::open(path, Arc::clone(rng)).map_err(Error::Mail)?;
                    maildirs.push(Arc::new(maildir));
                }
                MailDelivery::Smtp(options) => {
                    servers.push(Smtp::new(options.clone(), ca_domain).map_err(Error::Mail)?);
                }
            }
        }
        Ok(Self {
            ca_domain: ca_domain.to_owned(),
            dkim: Arc::new(dkim.into_signer(Arc::clone(rng))),
            clock,
            boxes: Mutex::default(),
            arrival: Notify::new(),
            rng: Arc::clone(rng),
            memory,
            maildirs,
            servers,
        })
    }

    fn boxes(&self) -> MutexGuard<'_, Boxes> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a mailbox; mail for one that is not open is dropped, as a bounce nobody reads.
    pub fn open(&self, mailbox: &Mailbox) {
        self.boxes().mails.entry(mailbox.clone()).or_default();
    }

    /// Closes a mailbox and drops what is in it.
    pub(crate) fn close(&self, mailbox: &Mailbox) {
        self.boxes().mails.remove(mailbox);
    }

    /// How many mails have been delivered since the start, into whichever mailbox or on whichever way out.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.boxes().delivered
    }

    /// Puts a mail into a mailbox as it is: no signature is added, nothing is checked. `false` where there is
    /// no such mailbox or the mail is too large.
    pub fn deliver(&self, mailbox: &Mailbox, raw: &[u8]) -> bool {
        if raw.len() > MAX_MAIL {
            return false;
        }
        let received = self.clock.now();
        let mut boxes = self.boxes();
        let number = boxes.delivered.saturating_add(1);
        let Some(mails) = boxes.mails.get_mut(mailbox) else { return false };
        mails.push(Mail { id: number.to_string(), received, raw: raw.to_vec() });
        if mails.len() > MAX_MAILS {
            mails.remove(0);
        }
        boxes.delivered = number;
        drop(boxes);
        self.arrival.notify_waiters();
        true
    }

    /// Sends a signed mail out on every way there is. Whether it reached a mailbox here is not told: an unknown
    /// mailbox is not told apart from one that never answers.
    async fn transmit(&self, from: &Mailbox, to: &Mailbox, raw: Vec<u8>) -> Result<(), Error> {
        let delivered = self.memory && self.deliver(to, &raw);
        for server in &self.servers {
            server.send(from, to, &raw);
        }
        let now = self.clock.now();
        let raw = Arc::new(raw);
        for maildir in &self.maildirs {
            let (maildir, raw) = (Arc::clone(maildir), Arc::clone(&raw));
            let written = tokio::task::spawn_blocking(move || maildir.deliver(&raw, now)).await;
            written.map_err(|error| Error::Mail(error.to_string()))?.map_err(Error::Mail)?;
        }
        let went_out = !self.maildirs.is_empty() || !self.servers.is_empty();
        if went_out && !delivered {
            let mut boxes = self.boxes();
            boxes.delivered = boxes.delivered.saturating_add(1);
        }
        Ok(())
    }

    /// What became of the mails that went to mail servers, all of them together.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.servers.iter().map(Smtp::outbox).fold(Outbox::default(), |sum, one| Outbox {
            sent: sum.sent.saturating_add(one.sent),
            given_up: sum.given_up.saturating_add(one.given_up),
            waiting: sum.waiting.saturating_add(one.waiting),
        })
    }

    /// The TXT name and value of the DKIM key for a domain.
    #[must_use]
    pub fn dkim_record(&self, domain: &str) -> (String, String) {
        let key = Base64::encode_string(self.dkim.public_key().spki_der());
        (format!("{SELECTOR}._domainkey.{domain}"), format!("v=DKIM1; k=rsa; p={key}"))
    }

    /// The records of every domain served: the CA's, and those of the open mailboxes.
    #[must_use]
    pub fn dkim_records(&self) -> BTreeMap<String, String> {
        let open: Vec<String> =
            self.boxes().mails.keys().map(|mailbox| mailbox.ascii_domain().into_owned()).collect();
        open.iter().chain([&self.ca_domain]).map(|domain| self.dkim_record(domain)).collect()
    }

    /// The address the challenge mail of an authorization comes from: one for each (STANDARDS A22).
    pub(crate) fn challenge_sender(&self, authorization: &str) -> Result<Mailbox, Error> {
        let address = format!("acme+{authorization}@{}", self.ca_domain);
        let sender: Mailbox = address.parse().map_err(|error| Error::Mail(format!("{address}: {error}")))?;
        self.open(&sender);
        Ok(sender)
    }

    /// Composes, signs and delivers a challenge mail (RFC 8823 §3.1).
    pub(crate) async fn send_challenge(&self, notice: &ChallengeNotice<'_>) -> Result<(), Error> {
        let failed = |error: &dyn core::fmt::Display| Error::Mail(error.to_string());
        let part1 = TokenPart1::parse(notice.token_part1).map_err(|error| failed(&error))?;
        let message_id = format!("<{}>", notice.from);
        let mail = ChallengeDraft {
            from: notice.from,
            to: notice.to,
            token_part1: &part1,
            challenge_url: Some(notice.challenge_url),
            date: notice.now,
            message_id: &message_id,
            reply_to: None,
            text: None,
        }
        .compose()
        .map_err(|error| failed(&error))?;
        let options = challenge_sign_options(notice.from, SELECTOR, notice.now);
        let signed = options.sign_mail(&mail, self.dkim.as_ref()).await.map_err(|error| failed(&error))?;
        self.transmit(notice.from, notice.to, signed).await
    }

    /// Looks among the mails sent to a challenge's address for the reply of RFC 8823 §3.2. `None`: not there
    /// yet. A wrong reply is final where the mailbox's own domain signed it; what anybody could have put
    /// there proves nothing and ends nothing (THREATS C1).
    pub(crate) async fn find_reply(&self, wanted: &ReplyWanted<'_>) -> Option<Result<(), String>> {
        let mails = self.boxes().mails.get(wanted.to).cloned().unwrap_or_default();
        let part1 = TokenPart1::parse(wanted.token_part1).ok()?;
        let expected = ExpectedReply {
            mailbox: wanted.mailbox,
            to: wanted.to,
            token_part1: &part1,
            digest: wanted.digest,
            sent: wanted.sent,
            now: self.clock.now(),
        };
        let resolver = &OwnDomain { office: self, domain: wanted.mailbox.ascii_domain().into_owned() };
        let mut refused = None;
        for mail in &mails {
            let options = VerifyOptions::default();
            let checked =
                authenticate_reply(mail, &expected, SignedHeaders::Rfc8823, &options, resolver).await;
            match checked {
                Ok(_) => return Some(Ok(())),
                Err(refusal @ (ReplyRefusal::Digest | ReplyRefusal::NoText | ReplyRefusal::NoResponse))
                    if self.is_from(mail, wanted.mailbox, expected.now).await =>
                {
                    refused = Some(Err(refusal.to_string()));
                }
                Err(_) => {}
            }
        }
        refused
    }

    /// Whether the domain of `mailbox` vouches for author and Subject of the mail.
    async fn is_from(&self, mail: &Mail, mailbox: &Mailbox, now: Time) -> bool {
        let domain = mailbox.ascii_domain();
        let resolver = &OwnDomain { office: self, domain: domain.clone().into_owned() };
        let report = verify(&mail.raw, now, &VerifyOptions::default(), resolver).await;
        report.is_ok_and(|report| {
            let own = report.passing(|signature| signature.domain.eq_ignore_ascii_case(&domain));
            own.is_some_and(|signature| ["from", "subject"].iter().all(|name| signature.covers(name)))
        })
    }
}

/// The reply that would prove a mailbox.
pub(crate) struct ReplyWanted<'a> {
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) to: &'a Mailbox,
    pub(crate) token_part1: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) sent: Time,
}

#[async_trait::async_trait]
impl MailSource for PostOffice {
    async fn mails(&self, mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError> {
        let boxes = self.boxes();
        let mails = boxes.mails.get(mailbox).ok_or_else(|| MailError::NoMailbox(mailbox.to_string()))?;
        Ok(mails.iter().filter(|mail| mail.received >= since).cloned().collect())
    }

    async fn wait(&self, _mailbox: &Mailbox, at_most: Duration) -> bool {
        // Either a mail came or the time is over; the driver looks in both cases.
        let _over = tokio::time::timeout(at_most, self.arrival.notified()).await;
        true
    }
}

#[async_trait::async_trait]
impl MailSender for PostOffice {
    /// Takes a mail from one of its users, signs it for the user's domain and delivers it. The signature says
    /// who wrote it, so From has to be `from`; the CA's domain signs nothing but the challenges made here.
    async fn send(&self, from: &Mailbox, to: &Mailbox, raw: &[u8]) -> Result<(), MailError> {
        if !self.boxes().mails.contains_key(from) {
            return Err(MailError::NoMailbox(from.to_string()));
        }
        let domains = [from.domain(), &from.ascii_domain()];
        if domains.iter().any(|domain| domain.eq_ignore_ascii_case(&self.ca_domain)) {
            return Err(MailError::NoMailbox(format!("{from}, which only the CA sends from")));
        }
        let author = author(raw).map_err(|error| MailError::Transport(format!("From: {error}")))?;
        if !author.is_some_and(|author| author.matches(from)) {
            return Err(MailError::Transport(format!("From does not name {from}, who sends the mail")));
        }
        // What RFC 8823 §3.2 wants of a reply is what a careful provider signs anyway.
        let fields: Vec<&str> = RFC8823_FIELDS.into_iter().filter(|name| *name != "auto-submitted").collect();
        let signed = SignOptions::new(&from.ascii_domain(), SELECTOR)
            .oversigned_fields(&fields)
            .signed_at(self.clock.now())
            .sign_mail(raw, self.dkim.as_ref())
            .await
            .map_err(|error| MailError::Transport(error.to_string()))?;
        // What is for the CA is read here; what is for others goes the ways of all mail.
        let for_ca = to.ascii_domain().eq_ignore_ascii_case(&self.ca_domain);
        if for_ca || (self.maildirs.is_empty() && self.servers.is_empty()) {
            return if self.deliver(to, &signed) {
                Ok(())
            } else {
                Err(MailError::NoMailbox(to.to_string()))
            };
        }
        self.transmit(from, to, signed).await.map_err(|error| MailError::Transport(error.to_string()))
    }
}

/// Asks for the keys of one domain: whoever sends a mail with many signatures makes nobody look up others.
struct OwnDomain<'a> {
    office: &'a PostOffice,
    domain: String,
}

#[async_trait::async_trait]
impl TxtResolver for OwnDomain<'_> {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        let domain = name.trim_end_matches('.').rsplit_once("._domainkey.").map(|(_, domain)| domain);
        if domain.is_none_or(|domain| !domain.eq_ignore_ascii_case(&self.domain)) {
            return Err(TxtError::NoRecords);
        }
        self.office.txt(name).await
    }
}

/// The one mailbox of the mail's one From field.
fn author(raw: &[u8]) -> Result<Option<Mailbox>, HeaderError> {
    let (headers, _) = Headers::parse(raw, &Limits::default())?;
    let from = headers.single("from")?;
    from.map(|from| parse_single_address(from.value_raw).map(|address| address.mailbox)).transpose()
}

#[async_trait::async_trait]
impl TxtResolver for PostOffice {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        let lower = name.trim_end_matches('.').to_ascii_lowercase();
        let prefix = format!("{SELECTOR}._domainkey.");
        let domain = lower.strip_prefix(&prefix).ok_or(TxtError::NoRecords)?;
        let served = domain == self.ca_domain
            || self.boxes().mails.keys().any(|mailbox| mailbox.ascii_domain() == domain);
        if !served {
            return Err(TxtError::NoRecords);
        }
        Ok(vec![self.dkim_record(domain).1.into_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use aecm_core::embed::{OsRng, SystemClock};
    use aecm_core::software::KeySpec;

    use super::*;

    // A reply mail may bear signatures of any domain; only its author's is asked for.
    #[tokio::test]
    async fn one_domain_is_asked_for_keys() {
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        let key = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        let ways = [MailDelivery::Memory];
        let office = PostOffice::new("ca.example.test", key, &ways, Arc::new(SystemClock), &rng).unwrap();
        for mailbox in ["alice@example.test", "mallory@example.org"] {
            office.open(&mailbox.parse().unwrap());
        }
        let own = OwnDomain { office: &office, domain: "example.test".to_owned() };
        for name in ["aecm._domainkey.example.test", "AECM._domainkey.Example.TEST."] {
            assert!(own.txt(name).await.is_ok(), "{name}");
        }
        for name in [
            "aecm._domainkey.example.org",
            "aecm._domainkey.ca.example.test",
            "aecm._domainkey.sub.example.test",
            "other._domainkey.example.test",
            "example.test",
            "",
        ] {
            assert!(own.txt(name).await.is_err(), "{name}");
        }
        assert!(office.txt("aecm._domainkey.example.org").await.is_ok());
    }
}
