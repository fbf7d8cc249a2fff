//! Authorities over a scripted HTTP.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpError, HttpRequest, HttpResponse, Method, OsRng, Rng, RngError, Sleep};
use aecm_timestamp::{
    Error, Failover, HttpSource, LocalSource, TimestampSource, Unit, Verifier, verify_response,
};

use crate::maker::{CLASSIC, DATA, POLICY, noon, run};

/// Answers by a unit, then lets a script spoil the answer.
struct Scripted {
    unit: Unit,
    spoil: fn(&mut HttpResponse),
    seen: Mutex<Vec<HttpRequest>>,
}

#[async_trait::async_trait]
impl Http for Scripted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let body = self.unit.answer(&request.body, noon(), &[1]).await;
        self.seen.lock().unwrap().push(request);
        let headers = vec![("content-type".to_owned(), "application/timestamp-reply".to_owned())];
        let mut answer = HttpResponse { status: 200, headers, body };
        (self.spoil)(&mut answer);
        Ok(answer)
    }
}

struct Dead;

#[async_trait::async_trait]
impl Http for Dead {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError::Connection { url: request.url, detail: "refused".to_owned() })
    }
}

struct Silent;

#[async_trait::async_trait]
impl Http for Silent {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        core::future::pending().await
    }
}

struct AtOnce;

#[async_trait::async_trait]
impl Sleep for AtOnce {
    async fn sleep(&self, _: Duration) {}
}

struct Empty;

impl Rng for Empty {
    fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
        Err(RngError)
    }
}

fn scripted(spoil: fn(&mut HttpResponse)) -> Arc<Scripted> {
    let unit = Unit::new(CLASSIC.tsa.identity(), POLICY);
    Arc::new(Scripted { unit, spoil, seen: Mutex::default() })
}

fn source(http: Arc<dyn Http>) -> HttpSource {
    HttpSource::new("http://tsa.example.test/", http, Arc::new(OsRng), Arc::new(CLASSIC.policy()))
}

fn stamp(source: &dyn TimestampSource) -> Result<Vec<u8>, Error> {
    let imprint = DigestAlgorithm::Sha256.digest(DATA);
    run(source.stamp(DigestAlgorithm::Sha256, &imprint, noon()))
}

#[test]
fn a_stamp_over_http() {
    let http = scripted(|_| {});
    let source = source(http.clone());
    let token = stamp(&source).unwrap();
    assert!(Verifier::new(CLASSIC.policy()).verify(&token, DATA).is_ok());
    assert!(stamp(&source).is_ok());
    let seen = http.seen.lock().unwrap();
    assert_eq!((seen[0].method, seen[0].url.as_str()), (Method::Post, "http://tsa.example.test/"));
    assert!(seen[0].headers.contains(&("Content-Type".to_owned(), "application/timestamp-query".to_owned())));
    assert_eq!(seen[0].max_body, 64 << 10);
    assert_ne!(seen[0].body, seen[1].body, "T1: a fresh nonce each time");
}

/// Request and answer are what another program needs to verify the stamp.
#[test]
fn the_whole_exchange_is_given() {
    let http = scripted(|_| {});
    let imprint = DigestAlgorithm::Sha256.digest(DATA);
    let exchange = run(source(http.clone()).ask(DigestAlgorithm::Sha256, &imprint, noon())).unwrap();
    assert_eq!(exchange.request.to_der(), http.seen.lock().unwrap()[0].body);
    assert!(exchange.request.nonce().is_some());
    let policy = CLASSIC.policy();
    let token = verify_response(&exchange.request, &exchange.response, &policy, noon()).unwrap();
    assert_eq!(token.der, exchange.token.der);
    // Without looking at it, also one that is refused.
    let spoilt = source(scripted(|answer| answer.body.truncate(100)));
    let unverified = run(spoilt.exchange(DigestAlgorithm::Sha256, &imprint)).unwrap();
    assert_eq!(unverified.response.len(), 100);
    assert!(verify_response(&unverified.request, &unverified.response, &policy, noon()).is_err());
}

#[test]
fn t9_other_answers_are_refused() {
    let words = [
        (scripted(|answer| answer.status = 302), "timestamp-http-status"),
        (scripted(|answer| answer.status = 500), "timestamp-http-status"),
        (scripted(|answer| answer.status = 201), "timestamp-http-status"),
        (scripted(|answer| answer.headers.clear()), "timestamp-http-content-type"),
        (scripted(|answer| answer.headers[0].1 = "text/html".to_owned()), "timestamp-http-content-type"),
        (
            scripted(|answer| answer.headers[0].1 = "application/timestamp-replyx".to_owned()),
            "timestamp-http-content-type",
        ),
        (scripted(|answer| answer.body.clear()), "timestamp-malformed"),
        (scripted(|answer| answer.body.truncate(100)), "timestamp-malformed"),
        (scripted(|answer| answer.body.resize((64 << 10) + 1, 0)), "timestamp-too-large"),
        (scripted(|answer| answer.body = b"<html>".to_vec()), "timestamp-malformed"),
    ];
    for (http, word) in words {
        assert_eq!(stamp(&source(http)).unwrap_err().word(), word);
    }
    let kind =
        scripted(|answer| answer.headers[0].1 = "Application/Timestamp-Reply; charset=binary".to_owned());
    assert!(stamp(&source(kind)).is_ok());
}

#[test]
fn t9_silence_ends_at_the_deadline() {
    let silent = source(Arc::new(Silent)).with_deadline(Arc::new(AtOnce), HttpSource::DEADLINE);
    let error = stamp(&silent).unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
    let quick = source(scripted(|_| {})).with_deadline(Arc::new(AtOnce), HttpSource::DEADLINE);
    assert!(stamp(&quick).is_ok());
}

#[test]
fn t9_the_next_authority_is_asked_and_all_errors_are_told() {
    let dead: Arc<dyn TimestampSource> = Arc::new(source(Arc::new(Dead)));
    let wrong: Arc<dyn TimestampSource> = Arc::new(source(scripted(|answer| answer.status = 503)));
    let good: Arc<dyn TimestampSource> = Arc::new(source(scripted(|_| {})));
    assert!(stamp(&Failover::new(vec![dead.clone(), wrong.clone(), good])).is_ok());
    let error = stamp(&Failover::new(vec![dead, wrong])).unwrap_err();
    let Error::AllFailed(errors) = &error else { panic!("{error}") };
    assert!(matches!(errors[..], [Error::Http(_), Error::HttpStatus { status: 503, .. }]));
    assert!(error.to_string().contains("503") && error.to_string().contains("refused"));
    assert!(matches!(stamp(&Failover::default()), Err(Error::NoAuthority)));
}

#[test]
fn a_mailbox_key_behind_a_url_is_no_authority() {
    let unit = Unit::new(CLASSIC.mailbox.identity(), POLICY);
    let http = Arc::new(Scripted { unit, spoil: |_| {}, seen: Mutex::default() });
    assert_eq!(stamp(&source(http)).unwrap_err().word(), "timestamp-self-asserted");
}

#[test]
fn without_random_numbers_nothing_is_sent() {
    let http = scripted(|_| {});
    let policy = Arc::new(CLASSIC.policy());
    let source = HttpSource::new("http://tsa.example.test/", http.clone(), Arc::new(Empty), policy);
    assert!(matches!(stamp(&source), Err(Error::Rng(_))));
    assert!(http.seen.lock().unwrap().is_empty());
    let local = LocalSource::new(CLASSIC.mailbox.identity(), POLICY, Arc::new(Empty));
    assert!(matches!(stamp(&local), Err(Error::Rng(_))));
}

#[test]
fn an_imprint_of_another_length_is_not_sent() {
    let http = scripted(|_| {});
    let source = source(http.clone());
    let result = run(source.stamp(DigestAlgorithm::Sha256, &[0; 20], noon()));
    assert!(matches!(result, Err(Error::Request(_))));
    assert!(http.seen.lock().unwrap().is_empty());
}
