//! The async driver: the whole flow with mails that are read and proven, deadlines, events, revocation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "machine/ca.rs"]
mod ca;
#[path = "client/joints.rs"]
mod joints;
#[path = "client/patience.rs"]
mod patience;
#[path = "client/resume.rs"]
mod resume;
#[path = "machine/server.rs"]
mod server;

use std::sync::atomic::Ordering;
use std::time::Duration;

use aecm_acme::client::{Client, ClientError, Event, Revoked};
use aecm_acme::machine::{Config, Error, StepName};
use aecm_acme::mail::ChallengeRefusal;
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::wire::{RevocationReason, TokenSubmission};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use ca::block_on;
use joints::{NOW, Rig, alice};
use server::BASE;

pub fn plan() -> Plan {
    let item = |purpose| PlanItem::new(Suite::Classic, purpose);
    Plan { mailbox: alice(), items: vec![item(Purpose::Sign), item(Purpose::Encrypt)] }
}

pub fn later(seconds: u64) -> Time {
    NOW.plus(Duration::from_secs(seconds))
}

pub fn client(rig: &Rig) -> Client {
    let config = Config::new(&format!("{BASE}/directory"), rig.anchors());
    Client::new(config, rig.joints())
}

#[test]
fn certificates_come_in_every_dialect() {
    for submission in TokenSubmission::ALL {
        let rig = Rig::new(submission);
        let report = block_on(client(&rig).provision(&plan(), later(3_600))).unwrap();
        assert_eq!(report.outcomes.len(), 2);
        let events = rig.events.lock().unwrap();
        let issued = events.iter().filter(|event| matches!(event, Event::Issued { .. })).count();
        assert_eq!(issued, 2);
        assert!(
            events.contains(&Event::Step { step: StepName::Directory, item: Some(plan().items[0].clone()) })
        );
        // The state of the plan is gone; the account stays, and which authorization proved the mailbox.
        let stored = rig.stored.lock().unwrap();
        assert_eq!(
            stored.keys().collect::<Vec<_>>(),
            [
                &format!("acme-account:{BASE}/directory"),
                &format!("acme-proof:{BASE}/directory:alice@example.com")
            ]
        );
    }
}

// The name of the device goes with every order, to a service that speaks the extension and to no other.
#[test]
fn orders_name_the_device() {
    for advertised in [true, false] {
        let rig = Rig::new(TokenSubmission::ChallengeResponse);
        if !advertised {
            rig.server.lock().unwrap().advertise = None;
        }
        let mut config = Config::new(&format!("{BASE}/directory"), rig.anchors());
        config.device = Some("laptop-1".to_owned());
        // What became of the plan depends on the dialect; the orders are what is looked at.
        let _outcome = block_on(Client::new(config, rig.joints()).provision(&plan(), later(600)));
        let named = rig.server.lock().unwrap().devices_seen.clone();
        assert!(!named.is_empty());
        let expected = advertised.then(|| "laptop-1".to_owned());
        assert!(named.iter().all(|name| *name == expected), "{advertised}: {named:?}");
    }
}

// RFC 8555 §7.5.2: the authorization that is known is given up, and no order is opened to find it.
#[test]
fn a_proof_is_given_up_without_an_order() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    let client = client(&rig);
    block_on(client.provision(&plan(), later(3_600))).unwrap();
    let orders = rig.server.lock().unwrap().orders_opened;
    block_on(client.drop_authorization(&alice(), later(3_600))).unwrap();
    assert_eq!(rig.server.lock().unwrap().orders_opened, orders);
    block_on(client.provision(&plan(), later(7_200))).unwrap();
    assert_eq!(rig.server.lock().unwrap().mails.len(), 2, "proven anew");
}

// C6: a stranger's mail is left alone and told, with its reason; it costs nothing.
#[test]
fn strange_mails_are_told() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    rig.strange_mails.store(3, Ordering::SeqCst);
    block_on(client(&rig).provision(&plan(), later(3_600))).unwrap();
    let events = rig.events.lock().unwrap();
    let refused: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::MailRefused { id, reason } => Some((id.clone(), reason.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(refused.len(), 3, "each is told once");
    assert!(refused.iter().all(|(_, reason)| matches!(reason, ChallengeRefusal::From)), "{refused:?}");
}

// N4: the deadline ends the call, and the next call goes on with the same order.
#[test]
fn a_deadline_ends_the_call_and_the_next_goes_on() {
    let rig = Rig::new(TokenSubmission::ChallengeResponse);
    rig.hold_mails.store(true, Ordering::SeqCst);
    let error = block_on(client(&rig).provision(&plan(), later(100))).unwrap_err();
    assert_eq!(error, ClientError::Deadline { step: StepName::Mail });
    assert!(rig.now() < later(110), "{}", rig.now());
    assert_eq!(rig.server.lock().unwrap().orders_opened, 1);
    rig.hold_mails.store(false, Ordering::SeqCst);
    block_on(client(&rig).provision(&plan(), later(7_200))).unwrap();
    assert_eq!(rig.server.lock().unwrap().orders_opened, 2);
    assert_eq!(rig.server.lock().unwrap().mails.len(), 1);
}

// N4: a server that never answers.
#[test]
fn a_hanging_server_is_cut_off() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    rig.hang.store(true, Ordering::SeqCst);
    let error = block_on(client(&rig).provision(&plan(), later(90))).unwrap_err();
    assert!(matches!(error, ClientError::Deadline { .. }), "{error}");
    assert!(rig.now() < later(100));
}

// N4: a service that takes requests and never answers ends the call after two of them, however long it may take.
#[test]
fn a_service_that_never_answers_is_unreachable() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    rig.hang.store(true, Ordering::SeqCst);
    let error = block_on(client(&rig).provision(&plan(), later(30 * 60))).unwrap_err();
    assert!(matches!(error, ClientError::ServiceUnreachable { .. }), "{error}");
    assert!(rig.now() <= later(125), "{}", rig.now());
    let events = rig.events.lock().unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::NoAnswer { .. })), "{events:?}");
    drop(events);
    // The next call goes on; a single request says the same at once.
    let error = block_on(client(&rig).directory(later(30 * 60))).unwrap_err();
    assert!(matches!(error, ClientError::ServiceUnreachable { .. }), "{error}");
    rig.hang.store(false, Ordering::SeqCst);
    assert_eq!(block_on(client(&rig).provision(&plan(), later(7_200))).unwrap().outcomes.len(), 2);
}

// A30: without a source of consent nothing is agreed to.
#[test]
fn nothing_is_agreed_to_without_consent() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    let mut joints = rig.joints();
    joints.consent = None;
    let config = Config::new(&format!("{BASE}/directory"), rig.anchors());
    let error = block_on(Client::new(config, joints).provision(&plan(), later(90))).unwrap_err();
    assert!(matches!(error, ClientError::Machine(Error::ConsentRefused { .. })), "{error}");
}

// N6: the state is stored before every request.
#[test]
fn the_state_is_stored_before_every_request() {
    let rig = Rig::new(TokenSubmission::ChallengeResponse);
    block_on(client(&rig).provision(&plan(), later(3_600))).unwrap();
    let log = rig.log.lock().unwrap();
    for (place, entry) in log.iter().enumerate() {
        if *entry == "send" {
            assert_eq!(log[place - 1], "save", "entry {place}");
        }
    }
    assert!(log.iter().filter(|entry| **entry == "send").count() > 10);
}

// N9: nothing secret is in what a program would print.
#[test]
fn nothing_secret_is_shown() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    block_on(client(&rig).provision(&plan(), later(3_600))).unwrap();
    let part1 = rig.server.lock().unwrap().mails[0].part1.clone();
    let shown = format!("{:?} {:?}", rig.events.lock().unwrap(), client(&rig));
    assert!(!shown.contains(&part1));
    let account: Vec<u8> = rig.stored.lock().unwrap().values().flatten().copied().collect();
    assert!(!String::from_utf8(account).unwrap().contains(&part1));
}

#[test]
fn a_certificate_is_revoked_once() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    let client = client(&rig);
    let deadline = later(3_600);
    let report = block_on(client.provision(&plan(), deadline)).unwrap();
    let aecm_acme::machine::Outcome::Issued(issued) = &report.outcomes[0].1 else { panic!() };
    let reason = Some(RevocationReason::Superseded);
    assert_eq!(block_on(client.revoke(&issued.certificate, reason, deadline)), Ok(Revoked::Now));
    assert_eq!(block_on(client.revoke(&issued.certificate, reason, deadline)), Ok(Revoked::Before));
    let stranger = Rig::new(TokenSubmission::WithCsr);
    let error = block_on(self::client(&stranger).revoke(&issued.certificate, None, deadline));
    assert_eq!(error, Err(ClientError::NoAccount));
    block_on(client.deactivate_account(deadline)).unwrap();
    assert!(!rig.stored.lock().unwrap().keys().any(|name| name.starts_with("acme-account")));
}
