//! A mail source between Alice and her mailbox that withholds, forges and repeats as a script says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::acme::mail::{Mail, MailError, MailSource};
use aecm::core::embed::Clock;
use aecm::core::mailbox::Mailbox;
use aecm::core::time::Time;

use crate::clock::VirtualClock;

/// One look into the mailbox.
pub struct Look {
    /// Counted from 1.
    pub number: usize,
    /// Time since the first look.
    pub elapsed: Duration,
    pub mails: Vec<Mail>,
}

impl Look {
    /// A copy of a mail with other octets, under a name of its own.
    pub fn forged(&self, at: usize, name: &str, change: impl Fn(&str) -> String) -> Mail {
        let mail = &self.mails[at];
        let text = change(&String::from_utf8(mail.raw.clone()).unwrap());
        Mail { id: format!("{name}-{}", mail.id), received: mail.received, raw: text.into_bytes() }
    }
}

pub type Deliver = Box<dyn Fn(Look) -> Result<Vec<Mail>, MailError> + Send + Sync>;

pub struct Post {
    pub inner: Arc<dyn MailSource>,
    pub clock: Arc<VirtualClock>,
    pub deliver: Option<Deliver>,
    pub looks: AtomicUsize,
    pub began: Mutex<Option<Time>>,
}

#[async_trait::async_trait]
impl MailSource for Post {
    async fn mails(&self, mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError> {
        let mails = self.inner.mails(mailbox, since).await?;
        let number = self.looks.fetch_add(1, Ordering::SeqCst) + 1;
        let now = self.clock.now();
        let elapsed = now.since(*self.began.lock().unwrap().get_or_insert(now));
        match &self.deliver {
            Some(deliver) => deliver(Look { number, elapsed, mails }),
            None => Ok(mails),
        }
    }
}

/// The token of a challenge mail.
pub fn token(mail: &str) -> String {
    mail.lines().find_map(|line| line.strip_prefix("Subject: ACME: ")).unwrap().to_owned()
}

/// The mail without its DKIM signature.
pub fn unsigned(mail: &str) -> String {
    let mut rest = String::new();
    let mut inside = false;
    for line in mail.split_inclusive("\r\n") {
        inside = line.starts_with("DKIM-Signature:") || (inside && line.starts_with([' ', '\t']));
        if !inside {
            rest.push_str(line);
        }
    }
    assert_ne!(rest, mail);
    rest
}
