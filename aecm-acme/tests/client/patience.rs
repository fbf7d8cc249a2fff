//! Joints that do not answer, or too soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aecm_acme::client::{Client, ClientError, ConsentSource, Event, Joints};
use aecm_acme::machine::{Config, Consent, StepName};
use aecm_acme::mail::{
    ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail, MailError, MailSender,
    MailSource,
};
use aecm_acme::wire::TokenSubmission;
use aecm_core::embed::Sleep;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use async_trait::async_trait;

use super::ca::block_on;
use super::joints::Rig;
use super::server::BASE;
use super::{later, plan};

/// A call with some joints replaced.
fn provision(rig: &Rig, seconds: u64, change: impl FnOnce(&mut Joints)) -> Result<(), ClientError> {
    let mut joints = rig.joints();
    change(&mut joints);
    let config = Config::new(&format!("{BASE}/directory"), rig.anchors());
    block_on(Client::new(config, joints).provision(&plan(), later(seconds))).map(|_| ())
}

struct Silent;

#[async_trait]
impl ConsentSource for Silent {
    async fn consent(&self, _terms_url: &str, _now: Time) -> Option<Consent> {
        core::future::pending().await
    }
}

#[async_trait]
impl MailSender for Silent {
    async fn send(&self, _from: &Mailbox, _to: &Mailbox, _raw: &[u8]) -> Result<(), MailError> {
        core::future::pending().await
    }
}

/// Never gets done with some mails.
struct Ponders(Arc<dyn ChallengeAuthenticator>);

#[async_trait]
impl ChallengeAuthenticator for Ponders {
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        if mail.id.starts_with("strange") {
            core::future::pending::<()>().await;
        }
        self.0.authenticate(mail, expected).await
    }
}

// N4: the deadline holds while the user is asked and while a reply is handed over.
#[test]
fn the_deadline_holds_for_every_joint() {
    let rig = Rig::new(TokenSubmission::ReplyMail);
    let error = provision(&rig, 90, |joints| joints.consent = Some(Arc::new(Silent))).unwrap_err();
    assert_eq!(error, ClientError::Deadline { step: StepName::Consent });
    assert!(rig.now() <= later(91), "{}", rig.now());

    let rig = Rig::new(TokenSubmission::ReplyMail);
    let error = provision(&rig, 90, |joints| joints.sender = Some(Arc::new(Silent))).unwrap_err();
    assert_eq!(error, ClientError::Deadline { step: StepName::Reply });
    assert!(rig.now() <= later(91), "{}", rig.now());
    // The next call replies.
    provision(&rig, 3_600, |_| {}).unwrap();
    assert_eq!(rig.server.lock().unwrap().orders_opened, 2);
}

// N4, C6: a mail that cannot be proven in time is passed over; the others have their turn.
#[test]
fn a_mail_that_cannot_be_proven_in_time() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    rig.strange_mails.store(2, Ordering::SeqCst);
    provision(&rig, 3_600, |joints| {
        joints.authenticator = Arc::new(Ponders(joints.authenticator.clone()));
    })
    .unwrap();
    let events = rig.events.lock().unwrap();
    let refused = |event: &&Event| {
        matches!(event, Event::MailRefused { reason: ChallengeRefusal::Temporary { .. }, .. })
    };
    assert_eq!(events.iter().filter(refused).count(), 2);
}

/// Waits as long as it was asked to, or not at all, and says so or the contrary.
struct Waits {
    inner: Arc<dyn MailSource>,
    timer: Arc<dyn Sleep>,
    sleeps: bool,
    says: bool,
    looks: Arc<AtomicUsize>,
}

#[async_trait]
impl MailSource for Waits {
    async fn mails(&self, mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.inner.mails(mailbox, since).await
    }

    async fn wait(&self, _mailbox: &Mailbox, at_most: Duration) -> bool {
        if self.sleeps {
            self.timer.sleep(at_most).await;
        }
        self.says
    }
}

fn looks(sleeps: bool, says: bool) -> (Rig, usize) {
    let rig = Rig::new(TokenSubmission::WithCsr);
    rig.hold_mails.store(true, Ordering::SeqCst);
    let looks = Arc::new(AtomicUsize::new(0));
    let error = provision(&rig, 100, |joints| {
        let (inner, timer) = (joints.mail.clone(), rig.timer());
        joints.mail = Arc::new(Waits { inner, timer, sleeps, says, looks: looks.clone() });
    })
    .unwrap_err();
    assert_eq!(error, ClientError::Deadline { step: StepName::Mail });
    (rig, looks.load(Ordering::SeqCst))
}

// N4: a source that waits and then says it cannot does not make the call overrun.
#[test]
fn waiting_twice_ends_at_the_deadline() {
    let (rig, _) = looks(true, false);
    assert_eq!(rig.now(), later(100));
}

// N10: a source that returns at once is not asked without a pause.
#[test]
fn a_source_that_returns_at_once() {
    let (rig, looks) = looks(false, true);
    assert_eq!(rig.now(), later(100));
    assert!((90..=101).contains(&looks), "{looks} looks");
}
