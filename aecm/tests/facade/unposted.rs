//! A request for the keys that the service never took: it must not stand in the way of anything later.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse};
use aecm::{Error, Plan, TransferError};
use serde_json::json;

use crate::transfer::{approve, device, second, waits};
use crate::world::{World, memory, run};

/// What becomes of requests to newTransfer.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// A problem document with that status.
    Problem(u16),
    /// That status and nothing of ACME.
    Bare(u16),
    /// The directory offers none.
    NotOffered,
    /// The connection breaks.
    Broken,
}

struct Stubborn {
    inner: Arc<dyn Http>,
    fate: Fate,
    posts: AtomicUsize,
    bodies: Mutex<Vec<Vec<u8>>>,
}

impl Stubborn {
    fn new(inner: Arc<dyn Http>, fate: Fate) -> Arc<Self> {
        Arc::new(Self { inner, fate, posts: AtomicUsize::new(0), bodies: Mutex::default() })
    }
}

#[async_trait::async_trait]
impl Http for Stubborn {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.url.ends_with("/new-transfer") {
            self.posts.fetch_add(1, Ordering::SeqCst);
            self.bodies.lock().unwrap().push(request.body);
            let answer = |status: u16, kind: &str, body: String| HttpResponse {
                status,
                headers: vec![
                    ("content-type".to_owned(), kind.to_owned()),
                    ("replay-nonce".to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
                ],
                body: body.into_bytes(),
            };
            return match self.fate {
                Fate::Problem(status) => {
                    let kind = if status == 429 { "rateLimited" } else { "unauthorized" };
                    let body = json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "status": status,
                        "detail": "not now" });
                    Ok(answer(status, "application/problem+json", body.to_string()))
                }
                Fate::Bare(status) => Ok(answer(status, "text/html", "<p>no</p>".to_owned())),
                Fate::NotOffered | Fate::Broken => {
                    Err(HttpError::Connection { url: request.url, detail: "reset".to_owned() })
                }
            };
        }
        let directory = request.url.ends_with("/directory");
        let mut response = self.inner.send(request).await?;
        if directory && matches!(self.fate, Fate::NotOffered) {
            let mut value: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            value["meta"]["aecm"].as_object_mut().unwrap().remove("newTransfer");
            response.body = value.to_string().into_bytes();
        }
        Ok(response)
    }
}

#[test]
fn a_request_that_was_refused_is_made_anew() {
    run(async {
        for fate in [
            Fate::Problem(429),
            Fate::Problem(403),
            Fate::Problem(404),
            Fate::Bare(404),
            Fate::Bare(403),
            Fate::NotOffered,
        ] {
            let world = World::new().await;
            let first = world.person("refused", Plan::sm2()).await;
            let store = memory();
            let stubborn = Stubborn::new(world.http(), fate);
            let aecm = world.builder(stubborn.clone(), store.clone()).build().unwrap();
            let second = aecm.mailbox(first.address().as_str()).unwrap();
            // Twice: the second call is not ended by what the first one left.
            for _ in 0..2 {
                match second.provision(Plan::sm2()).await {
                    Ok(report) => assert!(report.waiting.is_none() && !report.is_complete(), "{fate:?}"),
                    Err(error) => assert!(matches!(error, Error::Provision(_)), "{fate:?} {error:?}"),
                }
                let record = format!("aecm-transfer:{}:{}", world.service.directory_url(), first.address());
                assert!(store.load_state(&record).await.unwrap().is_none(), "{fate:?}: nothing is left");
            }
            let second = device(&world, first.address(), world.http(), store);
            approve(&first, &waits(&second, Plan::sm2()).await).await;
            assert!(second.provision(Plan::sm2()).await.unwrap().is_complete(), "{fate:?}");
        }
    });
}

// Nobody knows whether it arrived: the same octets are posted again.
#[test]
fn a_request_whose_answer_was_lost_is_repeated() {
    run(async {
        let world = World::new().await;
        let first = world.person("broken", Plan::sm2()).await;
        for fate in [Fate::Broken, Fate::Bare(502), Fate::Problem(503)] {
            let store = memory();
            let stubborn = Stubborn::new(world.http(), fate);
            let aecm = world.builder(stubborn.clone(), store.clone()).build().unwrap();
            let second = aecm.mailbox(first.address().as_str()).unwrap();
            let record = format!("aecm-transfer:{}:{}", world.service.directory_url(), first.address());
            second.provision(Plan::sm2()).await.unwrap_err();
            let left = store.load_state(&record).await.unwrap().expect("it is kept");
            let left: serde_json::Value = serde_json::from_slice(&left).unwrap();
            second.provision(Plan::sm2()).await.unwrap_err();
            let again: serde_json::Value =
                serde_json::from_slice(&store.load_state(&record).await.unwrap().unwrap()).unwrap();
            assert_eq!(left["request"], again["request"], "{fate:?}");
            assert!(left["request"].is_string() && left["url"].is_null());
            let second = device(&world, first.address(), world.http(), store.clone());
            waits(&second, Plan::sm2()).await;
            let taken: serde_json::Value =
                serde_json::from_slice(&store.load_state(&record).await.unwrap().unwrap()).unwrap();
            assert_eq!(left["request"], taken["request"], "{fate:?}");
        }
    });
}

// Meanwhile the certificate to sign the request with ran out: it is renewed first, and the request made anew.
#[test]
fn a_request_that_can_no_longer_be_signed_is_made_anew() {
    run(async {
        let world = World::new().await;
        let first = world.person("ran-out", Plan::sm2()).await;
        let store = memory();
        let stubborn = Stubborn::new(world.http(), Fate::Broken);
        let aecm = world.builder(stubborn, store.clone()).build().unwrap();
        aecm.mailbox(first.address().as_str()).unwrap().provision(Plan::sm2()).await.unwrap_err();
        let second = device(&world, first.address(), world.http(), store);
        let ends =
            second.slots().await.unwrap().iter().filter_map(aecm::SlotReport::not_after).max().unwrap();
        let now = aecm::core::embed::Clock::now(world.dial.as_ref());
        world.dial.forward(ends.since(now) - Duration::from_secs(3_600));
        // The key elsewhere is kept alive.
        first.renew(aecm::RenewPlan::all()).await.unwrap();
        world.dial.forward(Duration::from_secs(2 * 3_600));
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}

// The escrow wants a fresh proof, or has nothing: what was asked of it is not asked for ever.
#[test]
fn an_escrow_that_refuses_leaves_nothing_behind() {
    run(async {
        let world = crate::escrow::keeping(aecm::core::software::KeySpec::Sm2).await;
        let first = world.person("nothing", Plan::sm2()).await;
        let second = second(&world, &first);
        let error = second.recover(Plan::sm2()).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NothingEscrowed)), "{error:?}");
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}
