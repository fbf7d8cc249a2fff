//! Answers that lead away or are too large.

use aecm_acme::machine::{Error, StepName};
use aecm_acme::url::UrlError;
use aecm_acme::wire::JsonError;
use aecm_core::embed::HttpError;
use serde_json::json;

use super::mischief::{edit, with_csr};
use super::server::BASE;

// N2: no URL of another origin is used, wherever it stands.
#[test]
fn foreign_urls() {
    let foreign = "https://evil.example/x";
    for (place, pointer) in [
        ("/directory", "/newNonce"),
        ("/directory", "/newAccount"),
        ("/directory", "/newOrder"),
        ("/new-order", "/authorizations/0"),
        ("/new-order", "/finalize"),
        ("/authz/", "/challenges/0/url"),
        ("/finalize", "/certificate"),
    ] {
        for url in [foreign, "http://ca.example/acme/x", "https://ca.example:8443/x"] {
            let error = with_csr(edit(place, move |value| *value.pointer_mut(pointer).unwrap() = json!(url)));
            assert!(matches!(error, Error::Url(UrlError::ForeignOrigin { .. })), "{place}{pointer}: {error}");
        }
    }
    for place in ["/new-account", "/new-order"] {
        let error = with_csr(move |request, response| {
            if request.url.ends_with(place) {
                response.headers.retain(|(name, _)| name != "Location");
                response.headers.push(("Location".into(), foreign.into()));
            }
        });
        assert!(matches!(error, Error::Url(UrlError::ForeignOrigin { .. })), "{place}: {error}");
    }
}

// N2: redirects are refused.
#[test]
fn redirects() {
    for (place, step) in [
        ("/directory", StepName::Directory),
        ("/new-nonce", StepName::Account),
        ("/new-order", StepName::NewOrder),
        ("/finalize", StepName::Finalize),
    ] {
        let error = with_csr(move |request, response| {
            if request.url.ends_with(place) {
                response.status = 307;
                response.headers.push(("Location".into(), format!("{BASE}/elsewhere")));
            }
        });
        assert_eq!(error, Error::Redirect { step, status: 307 });
    }
}

// N4: size and depth of what is read.
#[test]
fn oversized_and_deep_answers() {
    for place in ["/directory", "/new-order", "/authz/"] {
        let error = with_csr(move |request, response| {
            if request.url.contains(place) {
                response.body = vec![b' '; 64 * 1024 + 1];
            }
        });
        assert!(matches!(error, Error::Http { error: HttpError::TooLarge { .. }, .. }), "{place}: {error}");
        let error = with_csr(move |request, response| {
            if request.url.contains(place) {
                response.body = [b"{\"a\":".repeat(40), b"1".to_vec(), b"}".repeat(40)].concat();
            }
        });
        assert!(matches!(error, Error::Json { error: JsonError::TooDeep { .. }, .. }), "{place}: {error}");
        let error = with_csr(move |request, response| {
            if request.url.contains(place) {
                response.body = b"<html>".to_vec();
            }
        });
        assert!(matches!(error, Error::Json { error: JsonError::Syntax { .. }, .. }), "{place}: {error}");
    }
    // A problem document has the same caps.
    let error = with_csr(|request, response| {
        if request.url.ends_with("/new-order") {
            response.status = 400;
            response.body = b"[".repeat(64);
        }
    });
    assert!(matches!(error, Error::Json { error: JsonError::TooDeep { .. }, .. }), "{error}");
}
