//! K6, N6, N11: the process dies at every request and at every operation of the store. Whatever was reached, the
//! next call over the same store comes to the same end: every certificate once, one account, no key lost.

use std::sync::Arc;

use aecm::core::mailbox::Mailbox as Address;
use aecm::core::time::Time;
use aecm::store::{EntryState, KeyStore};
use aecm::{Aecm, Plan};

use crate::cut::{Cut, CutHttp, CutStore, How};
use crate::world::{Watch, World, memory, run};

struct Case {
    address: Address,
    http: Arc<Watch>,
    store: Arc<dyn KeyStore>,
}

impl Case {
    fn new(world: &World) -> Self {
        Self { address: world.address("cut"), http: world.http(), store: memory() }
    }

    async fn provision(&self, aecm: Aecm) -> Result<usize, aecm::Error> {
        let report = aecm.mailbox(self.address.as_str())?.provision(Plan::sm2()).await?;
        assert!(report.is_complete());
        Ok(report.issued())
    }

    /// A fresh process over what is left, and what it has to come to.
    async fn go_on(&self, world: &World, what: &str) {
        let aecm = world.builder(self.http.clone(), self.store.clone()).build().unwrap();
        if let Err(error) = self.provision(aecm.clone()).await {
            panic!("{what}: {error}");
        }
        let entries = self.store.entries(&self.address).await.unwrap();
        assert_eq!(entries.len(), 3, "{what}: no key twice, none lost: {entries:?}");
        assert!(entries.iter().all(|entry| entry.state == EntryState::Active), "{what}");
        assert_eq!(self.http.answers("/new-account", 201), 1, "{what}: one account");
        assert!(self.http.refusals().is_empty(), "{what}: {:?}", self.http.refusals());
        let found = world.service.certificate_directory().certificates(&self.address).await.unwrap();
        assert_eq!(found.len(), 3, "{what}: nothing is finalized twice");
        let mails = world.service.mail_source().mails(&self.address, Time::from_unix(0)).await.unwrap();
        // An order whose answer was lost is opened again, with its mail (RFC 8555 has no way to find it).
        assert!(mails.len() <= 2, "{what}: {} mails", mails.len());
        let before = self.http.count();
        assert_eq!(self.provision(aecm).await.unwrap(), 0, "{what}");
        assert_eq!(self.http.count(), before, "{what}: everything is in place");
    }
}

/// Cuts at 1, 2, 3 … until a run goes through. How many cuts there were.
async fn sweep(world: &World, how: How, build: impl Fn(&Case, Arc<Cut>) -> Aecm) -> usize {
    for at in 1.. {
        let case = Case::new(world);
        let cut = Cut::new(at, how);
        let outcome = cut.survive(case.provision(build(&case, cut.clone()))).await;
        if !cut.reached() {
            assert!(matches!(outcome, Some(Ok(3))));
            return at - 1;
        }
        match how {
            How::EndBefore | How::EndAfter => assert!(outcome.is_none()),
            // Failures may be overcome in the same call, or end it with an error.
            How::FailBefore | How::FailAfter => assert!(outcome.is_some()),
        }
        case.go_on(world, &format!("{how:?} at call {at}")).await;
    }
    unreachable!()
}

async fn requests(how: How) -> usize {
    let world = World::new().await;
    sweep(&world, how, |case, cut| {
        let http = Arc::new(CutHttp { inner: case.http.clone(), cut });
        world.builder(http, case.store.clone()).build().unwrap()
    })
    .await
}

async fn operations(how: How, reading: bool) -> usize {
    let world = World::new().await;
    sweep(&world, how, |case, cut| {
        let store = Arc::new(CutStore { inner: case.store.clone(), cut, reading, view: None });
        world.builder(case.http.clone(), store).build().unwrap()
    })
    .await
}

#[test]
fn the_process_ends_before_each_request() {
    let cuts = run(requests(How::EndBefore));
    assert!(cuts >= 12, "{cuts}");
}

#[test]
fn the_process_ends_after_each_request_was_answered() {
    run(requests(How::EndAfter));
}

#[test]
fn each_request_fails_once_before_it_arrives() {
    run(requests(How::FailBefore));
}

#[test]
fn each_request_fails_once_with_its_answer_lost() {
    run(requests(How::FailAfter));
}

// Ending after one operation is ending before the next, or before or after the request between them.
#[test]
fn the_process_ends_before_each_operation_of_the_store() {
    let cuts = run(operations(How::EndBefore, true));
    assert!(cuts >= 50, "{cuts}");
}

#[test]
fn each_writing_of_the_store_fails_once() {
    run(operations(How::FailBefore, false));
}

#[test]
fn each_writing_of_the_store_is_done_and_reported_failed() {
    run(operations(How::FailAfter, false));
}

// A server that does not reuse authorizations: no mail is asked for twice, but for a lost order.
#[test]
fn without_reuse_the_open_order_goes_on_too() {
    run(async {
        let world = World::with(|options| options.acme.reuse_authorizations = false).await;
        for at in (1..).step_by(3) {
            let case = Case::new(&world);
            let cut = Cut::new(at, How::EndAfter);
            let http = Arc::new(CutHttp { inner: case.http.clone(), cut: cut.clone() });
            let aecm = world.builder(http, case.store.clone()).build().unwrap();
            let outcome = cut.survive(case.provision(aecm)).await;
            let aecm = world.builder(case.http.clone(), case.store.clone()).build().unwrap();
            case.provision(aecm).await.unwrap();
            let mails = world.service.mail_source().mails(&case.address, Time::from_unix(0)).await.unwrap();
            assert!((3..=4).contains(&mails.len()), "cut {at}: {} mails", mails.len());
            let found = world.service.certificate_directory().certificates(&case.address).await.unwrap();
            assert_eq!(found.len(), 3, "cut {at}");
            if outcome.is_some() {
                break;
            }
        }
    });
}
