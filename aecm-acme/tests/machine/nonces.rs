//! Nonces, waits and outages: what is tried again, how often, and what it costs.

use aecm_acme::machine::{Error, StepName};
use aecm_acme::wire::{ProblemType, TokenSubmission};
use aecm_core::embed::{HttpResponse, Method};

use super::flow::pair;
use super::mischief::{one, run, with_csr};
use super::server::{Server, problem};
use super::world::{NOW, Stop, World};

// N1: at most three retries, each with the nonce that came with the refusal.
#[test]
fn bad_nonce_forever() {
    let (world, error) = run(TokenSubmission::WithCsr, |request, response| {
        if request.url.ends_with("/new-order") {
            let nonce = response.header("replay-nonce").unwrap().to_owned();
            *response = problem(400, "badNonce", "never");
            response.headers.push(("Replay-Nonce".into(), nonce));
        }
    });
    assert_eq!(error, Error::Nonces { step: StepName::NewOrder });
    let orders = world.server.requests.iter().filter(|(_, url)| url.ends_with("/new-order")).count();
    assert_eq!(orders, 4);
    let heads = world.server.requests.iter().filter(|(method, _)| *method == Method::Head).count();
    assert_eq!(heads, 1, "the fresh nonce is used");
}

// N1: also where the refusal brings no nonce and each is fetched.
#[test]
fn bad_nonce_forever_without_a_fresh_one() {
    let (world, error) = run(TokenSubmission::WithCsr, |request, response| {
        if request.url.ends_with("/new-order") {
            *response = problem(400, "badNonce", "never");
        }
    });
    assert_eq!(error, Error::Nonces { step: StepName::NewOrder });
    assert!(world.server.requests.len() < 12);
}

// N1: now and then a nonce is refused; nothing is lost.
#[test]
fn bad_nonce_now_and_then() {
    let mut server = Server::new(NOW);
    let mut count = 0;
    server.tamper = Some(Box::new(move |_, response| {
        count += 1;
        if count % 3 == 0 {
            // The nonce is replaced by one the server does not know.
            response.headers.retain(|(name, _)| name != "replay-nonce");
            response.headers.push(("Replay-Nonce".into(), "stale".into()));
        }
    }));
    let mut world = World::new(server, pair());
    world.run(Stop::Never).unwrap();
    assert_eq!(world.server.orders_opened, 2);
}

#[test]
fn no_nonce_or_a_malformed_one() {
    for value in [None, Some("two words"), Some(""), Some("nonce=")] {
        let error = with_csr(move |_, response| {
            response.headers.retain(|(name, _)| name != "replay-nonce");
            if let Some(value) = value {
                response.headers.push(("replay-nonce".into(), value.into()));
            }
        });
        assert_eq!(error, Error::HeaderMissing { step: StepName::Account, name: "Replay-Nonce" });
    }
}

// N10: absurd waits are clamped, and retries end.
#[test]
fn absurd_retry_after() {
    for (value, least, most) in [
        ("1000000000", 8 * 3_600, 8 * 3_600),
        ("-1", 8, 600),
        ("0", 8, 8),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 8, 8),
    ] {
        let (world, error) = run(TokenSubmission::WithCsr, move |request, response| {
            if request.url.ends_with("/new-order") {
                *response = problem(429, "rateLimited", "later");
                response.headers.push(("Retry-After".into(), value.into()));
            }
        });
        assert!(matches!(&error, Error::Problem { problem, .. } if problem.kind == ProblemType::RateLimited));
        assert!((least..=most).contains(&world.slept), "{value}: {} s", world.slept);
    }
}

// The server's own trouble is overcome, and lost answers too, without a second order.
#[test]
fn passing_trouble() {
    for status in [500, 502, 503, 429] {
        let mut server = Server::new(NOW);
        let mut count = 0;
        server.tamper = Some(Box::new(move |request, response| {
            count += 1;
            if count % 4 == 0 && !request.url.ends_with("/new-order") {
                *response = HttpResponse { status, headers: vec![], body: b"oops".to_vec() };
            }
        }));
        let mut world = World::new(server, pair());
        world.run(Stop::Never).unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!(world.server.orders_opened, 2);
    }
}

// An outage longer than the patience of one call does not cost the order.
#[test]
fn an_outage_keeps_the_order() {
    let mut server = Server::new(NOW);
    let mut refusals = 20;
    server.tamper = Some(Box::new(move |request, response| {
        if request.url.contains("/authz/") && refusals > 0 {
            refusals -= 1;
            *response = HttpResponse { status: 503, headers: vec![], body: vec![] };
        }
    }));
    let mut world = World::new(server, one());
    let mut machine = world.machine().unwrap();
    let mut outages = 0;
    loop {
        match world.step(&mut machine) {
            Ok(Some(report)) => {
                assert_eq!(report.outcomes.len(), 1);
                break;
            }
            Ok(None) => {}
            Err(error) => {
                assert_eq!(error, Error::Status { step: StepName::Authorization, status: 503 });
                outages += 1;
                machine = world.restore(&machine);
            }
        }
    }
    assert_eq!(outages, 2);
    assert_eq!(world.server.orders_opened, 1);
}
