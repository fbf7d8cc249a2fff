//! A call that goes on where an interrupted one stopped, with the plan of what is wanted now.

use aecm_acme::client::ClientError;
use aecm_acme::machine::{Error, Outcome, StateError, StepName};
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::wire::TokenSubmission;
use aecm_core::embed::HttpResponse;
use aecm_core::suite::{Purpose, Suite};

use super::ca::block_on;
use super::joints::{Rig, alice};
use super::{client, later, plan};

const DAY: u64 = 86_400;

/// The server is out of order from the answer after the `count`th finalize on.
fn outage_after_finalize(rig: &Rig, count: usize) {
    let mut seen = 0;
    rig.server.lock().unwrap().tamper = Some(Box::new(move |request, response| {
        if seen >= count {
            *response = HttpResponse { status: 503, headers: vec![], body: vec![] };
        }
        seen += usize::from(request.url.ends_with("/finalize"));
    }));
}

/// One call that the outage ends.
fn interrupted(rig: &Rig, plan: &Plan, count: usize) {
    outage_after_finalize(rig, count);
    let error = block_on(client(rig).provision(plan, later(3_600))).unwrap_err();
    assert!(matches!(error, ClientError::Machine(Error::Status { status: 503, .. })), "{error}");
    rig.server.lock().unwrap().tamper = None;
}

fn asked(rig: &Rig, what: &str) -> usize {
    rig.server.lock().unwrap().requests.iter().filter(|(_, url)| url.ends_with(what)).count()
}

fn issued(outcomes: &[(PlanItem, Outcome)]) -> usize {
    outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Issued(_))).count()
}

// N11: what is ordered and finalized is not ordered again, and one mail serves.
#[test]
fn the_rest_of_an_interrupted_plan() {
    for submission in TokenSubmission::ALL {
        let rig = Rig::new(submission);
        let whole = Plan::single(&alice(), Suite::Classic);
        interrupted(&rig, &whole, 2);
        let rest = Plan { mailbox: alice(), items: whole.items[1..].to_vec() };
        let report = block_on(client(&rig).provision(&rest, later(7_200))).unwrap();
        assert_eq!(rig.server.lock().unwrap().orders_opened, 3, "{}", submission.word());
        assert_eq!(rig.server.lock().unwrap().mails.len(), 1);
        assert_eq!((asked(&rig, "/finalize"), asked(&rig, "/directory")), (3, 2));
        // Nothing of the earlier call is told as new.
        let items: Vec<_> = report.outcomes.iter().map(|(item, _)| item.clone()).collect();
        assert_eq!(items, rest.items);
        assert_eq!(issued(&report.outcomes), 2);
    }
}

// N11: the open order is continued where the plan has grown and its item is not the first any more.
#[test]
fn a_plan_that_has_grown() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    interrupted(&rig, &Plan::single(&alice(), Suite::Sm2), 2);
    let dual = Plan::dual(&alice());
    let report = block_on(client(&rig).provision(&dual, later(7_200))).unwrap();
    // The first two of the three SM2 ones; then all but the one whose order was open.
    assert_eq!(rig.server.lock().unwrap().orders_opened, 2 + 5);
    assert_eq!(rig.server.lock().unwrap().mails.len(), 1);
    let items: Vec<_> = report.outcomes.iter().map(|(item, _)| item.clone()).collect();
    assert_eq!((items, issued(&report.outcomes)), (dual.items, 6));
}

// N11: an order whose item is not asked for now is finished by the call that asks for it, and not opened again.
#[test]
fn an_open_order_waits_until_it_is_asked_for() {
    for submission in TokenSubmission::ALL {
        let rig = Rig::new(submission);
        let whole = Plan::single(&alice(), Suite::Classic);
        interrupted(&rig, &whole, 2);
        let only = |place: usize| Plan { mailbox: alice(), items: vec![whole.items[place].clone()] };
        // The second item's order is open and finalized; the third is asked for, then the second.
        assert_eq!(issued(&block_on(client(&rig).provision(&only(2), later(7_200))).unwrap().outcomes), 1);
        assert_eq!(issued(&block_on(client(&rig).provision(&only(1), later(7_200))).unwrap().outcomes), 1);
        assert_eq!(rig.server.lock().unwrap().orders_opened, 3, "{}", submission.word());
        assert_eq!(asked(&rig, "/finalize"), 3, "no order is finalized twice");
        let stored = rig.stored.lock().unwrap();
        let left = stored.keys().filter(|name| name.starts_with("acme-plan")).count();
        assert_eq!(left, 0, "nothing is left of the plan: {:?}", stored.keys());
    }
}

// Not asked for now: it is kept, and its mail is not used again (C4).
#[test]
fn a_plan_without_the_open_item() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    interrupted(&rig, &plan(), 1);
    let rest = Plan { mailbox: alice(), items: vec![PlanItem::new(Suite::Classic, Purpose::Timestamp)] };
    let report = block_on(client(&rig).provision(&rest, later(7_200))).unwrap();
    assert_eq!(issued(&report.outcomes), 1);
    let server = rig.server.lock().unwrap();
    assert_eq!((server.orders_opened, server.mails.len()), (2, 1));
    assert_eq!(server.profiles_seen.last().unwrap().as_deref(), Some("classic-timestamp-mv"));
}

// An order that expired between two calls is replaced, not reported.
#[test]
fn an_order_that_expired_meanwhile() {
    for (days, expires, status) in [
        (2, "2027-01-01T00:00:00Z", "pending"),
        (60, "2026-11-24T00:00:00Z", "pending"),
        (2, "2026-11-24T00:00:00Z", "invalid"),
    ] {
        let rig = Rig::new(TokenSubmission::ChallengeResponse);
        rig.hold_mails.store(true, std::sync::atomic::Ordering::SeqCst);
        let error = block_on(client(&rig).provision(&plan(), later(100))).unwrap_err();
        assert_eq!(error, ClientError::Deadline { step: StepName::Mail });
        rig.hold_mails.store(false, std::sync::atomic::Ordering::SeqCst);
        rig.passing()(days * 86_400);
        let mut first = true;
        rig.server.lock().unwrap().expires = "2027-03-01T00:00:00Z";
        rig.server.lock().unwrap().tamper = Some(Box::new(move |request, response| {
            if request.url.contains("/order/1") && core::mem::take(&mut first) {
                let text = String::from_utf8(response.body.clone()).unwrap();
                let text = text.replace("2027-03-01T00:00:00Z", expires);
                response.body =
                    text.replace(r#""status":"pending""#, &format!(r#""status":"{status}""#)).into_bytes();
            }
        }));
        let report = block_on(client(&rig).provision(&plan(), later(70 * DAY))).unwrap();
        assert_eq!(issued(&report.outcomes), 2, "{days} {status}");
        let server = rig.server.lock().unwrap();
        assert_eq!((server.orders_opened, server.mails.len()), (3, 2));
    }
}

// A server that has forgotten the open order.
#[test]
fn an_order_that_is_gone() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    interrupted(&rig, &plan(), 1);
    rig.server.lock().unwrap().tamper = Some(Box::new(|request, response| {
        if request.url.ends_with("/order/1") {
            *response = super::server::problem(404, "malformed", "no such order");
        }
    }));
    let report = block_on(client(&rig).provision(&plan(), later(7_200))).unwrap();
    assert_eq!((issued(&report.outcomes), rig.server.lock().unwrap().orders_opened), (2, 3));
}

// N7: a certificate that expired while it waited to be fetched is ordered again.
#[test]
fn a_certificate_that_expired_meanwhile() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    interrupted(&rig, &plan(), 1);
    rig.passing()(91 * 86_400);
    rig.server.lock().unwrap().expires = "2028-01-01T00:00:00Z";
    let report = block_on(client(&rig).provision(&plan(), later(92 * DAY))).unwrap();
    assert_eq!(issued(&report.outcomes), 2);
    assert_eq!(rig.server.lock().unwrap().orders_opened, 3);
    for (_, outcome) in &report.outcomes {
        let Outcome::Issued(issued) = outcome else { panic!() };
        assert!(issued.certificate.not_after() > rig.now());
    }
}

// N6: what the last answer said is stored although the deadline has passed.
#[test]
fn an_answer_at_the_deadline_is_stored() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    let pass = rig.passing();
    rig.server.lock().unwrap().tamper = Some(Box::new(move |request, _| {
        if request.url.ends_with("/new-order") {
            pass(200);
        }
    }));
    let error = block_on(client(&rig).provision(&plan(), later(100))).unwrap_err();
    assert_eq!(error, ClientError::Deadline { step: StepName::Authorization });
    rig.server.lock().unwrap().tamper = None;
    block_on(client(&rig).provision(&plan(), later(3_600))).unwrap();
    assert_eq!(rig.server.lock().unwrap().orders_opened, 2);
}

// N6: a state of a later version is left alone; one that cannot be read at all is begun anew.
#[test]
fn a_state_of_a_later_version_is_kept() {
    let rig = Rig::new(TokenSubmission::WithCsr);
    interrupted(&rig, &plan(), 1);
    let name = format!("acme-plan:{}/directory:alice@example.com", super::BASE);
    let saved = String::from_utf8(rig.stored.lock().unwrap()[&name].clone()).unwrap();
    let newer = saved.replacen(r#""version":1"#, r#""version":2"#, 1).into_bytes();
    rig.stored.lock().unwrap().insert(name.clone(), newer.clone());
    let error = block_on(client(&rig).provision(&plan(), later(7_200))).unwrap_err();
    assert_eq!(error, ClientError::State(StateError::Version { found: 2 }));
    assert_eq!(rig.stored.lock().unwrap()[&name], newer);
    // A damaged one is told by its name: an order in it may have been finalized.
    for damaged in [&saved[..40], "", "[]"] {
        rig.stored.lock().unwrap().insert(name.clone(), damaged.as_bytes().to_vec());
        let error = block_on(client(&rig).provision(&plan(), later(7_200))).unwrap_err();
        assert_eq!(error, ClientError::Damaged { name: name.clone() });
        assert!(error.to_string().contains("restore a backup"), "{error}");
    }
    rig.stored.lock().unwrap().remove(&name);
    block_on(client(&rig).provision(&plan(), later(7_200))).unwrap();
    let account = format!("acme-account:{}/directory", super::BASE);
    rig.stored.lock().unwrap().insert(account.clone(), b"{}".to_vec());
    let error = block_on(client(&rig).provision(&plan(), later(7_200))).unwrap_err();
    assert_eq!(error, ClientError::Damaged { name: account });
}
