//! A server that misbehaves on script: every fault ends in a typed error or is overcome, and never in a request
//! to another origin (the server asserts that itself) or an installed certificate that is wrong.

use aecm_acme::check::CheckError;
use aecm_acme::machine::{Error, Outcome, StepName};
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::url::UrlError;
use aecm_acme::wire::{JsonError, ProblemType, TokenSubmission};
use aecm_core::embed::{HttpError, HttpRequest, HttpResponse, Method};
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use serde_json::{Value, json};

use super::ca::Fault;
use super::flow::pair;
use super::server::{BASE, Server, problem};
use super::world::{NOW, Stop, World, alice};

fn one() -> Plan {
    Plan { mailbox: alice(), items: vec![PlanItem::new(Suite::Classic, Purpose::Sign)] }
}

/// Runs one certificate with answers changed by `tamper`.
fn run(
    submission: TokenSubmission,
    tamper: impl FnMut(&HttpRequest, &mut HttpResponse) + Send + 'static,
) -> (World, Error) {
    let mut server = Server::dialect(NOW, submission, true);
    server.tamper = Some(Box::new(tamper));
    let mut world = World::new(server, one());
    let error = world.run(Stop::Never).unwrap_err();
    assert!(world.installed.is_empty());
    (world, error)
}

/// Changes the JSON of answers to requests whose URL contains `place`.
fn edit(
    place: &'static str,
    change: impl Fn(&mut Value) + Send + 'static,
) -> impl FnMut(&HttpRequest, &mut HttpResponse) + Send {
    move |request, response| {
        let edited = request.url.contains(place) && response.status < 300;
        if edited && let Ok(mut value) = serde_json::from_slice::<Value>(&response.body) {
            change(&mut value);
            response.body = value.to_string().into_bytes();
        }
    }
}

fn with_csr(tamper: impl FnMut(&HttpRequest, &mut HttpResponse) + Send + 'static) -> Error {
    run(TokenSubmission::WithCsr, tamper).1
}

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

// N6: what the server says must stay what was asked for and what it said before.
#[test]
fn changed_objects() {
    let other = json!([{ "type": "email", "value": "mallory@example.com" }]);
    let two = json!([{ "type": "email", "value": "alice@example.com" }, { "type": "email", "value": "b@example.com" }]);
    let dns = json!([{ "type": "dns", "value": "example.com" }]);
    for identifiers in [other.clone(), two, dns, json!([])] {
        let error = with_csr(edit("/new-order", move |order| order["identifiers"] = identifiers.clone()));
        assert_eq!(error, Error::Inconsistent { step: StepName::NewOrder, what: "the identifier" });
    }
    for (place, member, value, step, what) in [
        ("/new-order", "profile", json!("sm2-sign-mv"), StepName::NewOrder, "the profile"),
        (
            "/new-order",
            "authorizations",
            json!([format!("{BASE}/authz/0"), format!("{BASE}/authz/1")]),
            StepName::NewOrder,
            "the number of authorizations",
        ),
        (
            "/authz/",
            "identifier",
            other[0].clone(),
            StepName::Authorization,
            "the identifier of the authorization",
        ),
        ("/authz/", "wildcard", json!(true), StepName::Authorization, "the identifier of the authorization"),
        ("/finalize", "identifiers", other.clone(), StepName::Finalize, "the identifier"),
        ("/finalize", "finalize", json!(format!("{BASE}/x")), StepName::Finalize, "the finalize URL"),
        (
            "/finalize",
            "authorizations",
            json!([format!("{BASE}/authz/9")]),
            StepName::Finalize,
            "the list of authorizations",
        ),
    ] {
        let error = with_csr(edit(place, move |object| object[member] = value.clone()));
        assert_eq!(error, Error::Inconsistent { step, what }, "{place} {member}");
    }
    // The challenge in the answer to the response is not the one that was chosen.
    for (member, value) in [
        ("token", json!("AAAAAAAAAAAAAAAAAAAAAAAA")),
        ("from", json!("mallory@evil.example")),
        ("url", json!(format!("{BASE}/chall/7/email-token-00"))),
        ("type", json!("email-reply-00")),
    ] {
        let (_, error) = run(
            TokenSubmission::ChallengeResponse,
            edit("/chall/", move |challenge| challenge[member] = value.clone()),
        );
        assert_eq!(error, Error::Inconsistent { step: StepName::Respond, what: "the challenge" }, "{member}");
    }
}

// C3: token-part2 and the sender are checked before a mail is looked for.
#[test]
fn malformed_challenges() {
    for token in [json!("short"), json!("../../../../../../../etc/passwd"), json!(7), Value::Null] {
        let shown = token.to_string();
        let error = with_csr(edit("/authz/", move |authz| authz["challenges"][0]["token"] = token.clone()));
        assert!(matches!(error, Error::Token(_) | Error::Json { .. }), "{shown}: {error}");
    }
    for from in [json!("nobody"), json!("a@b\r\nBcc: c@d"), Value::Null] {
        let error = with_csr(edit("/authz/", move |authz| authz["challenges"][0]["from"] = from.clone()));
        assert!(
            matches!(error, Error::Inconsistent { what: "the sender of the challenge mail", .. }),
            "{error}"
        );
    }
    let error = with_csr(edit("/authz/", |authz| {
        authz["challenges"] =
            json!([{ "type": "dns-01", "url": format!("{BASE}/chall/0/dns-01"), "token": "x" }]);
    }));
    assert_eq!(error, Error::NoChallenge { offered: vec!["dns-01".into()] });
}

// A2: a way that is not known or not possible is said so.
#[test]
fn impossible_submissions() {
    for (words, can_reply) in [(vec!["telepathy"], true), (vec!["reply-mail"], false)] {
        let mut server = Server::new(NOW);
        server.advertise = Some(words);
        let mut world = World::new(server, one());
        if !can_reply {
            world.configure = |config| config.can_reply = false;
        }
        assert!(matches!(world.run(Stop::Never), Err(Error::NoSubmission { .. })));
    }
    let mut server = Server::new(NOW);
    server.meta_more = json!({ "aecm": { "tokenJoin": "xor" } });
    let error = World::new(server, one()).run(Stop::Never).unwrap_err();
    assert_eq!(error, Error::NoSubmission { offered: vec!["xor".into()] });
}

// N7: nothing that is not what was asked for is stored.
#[test]
fn wrong_certificates() {
    for fault in [
        Fault::OtherKey,
        Fault::AccountKey,
        Fault::OtherMailbox,
        Fault::TwoMailboxes,
        Fault::DualUsage,
        Fault::NoUsage,
        Fault::WrongExtendedUsage,
        Fault::Authority,
        Fault::Expired,
        Fault::NotYet,
        Fault::TooLong,
        Fault::ForeignIssuer,
        Fault::WrongRoot,
    ] {
        let mut server = Server::new(NOW);
        server.ca.fault = fault;
        let mut world = World::new(server, one());
        let Err(Error::Certificate(error)) = world.run(Stop::Never) else { panic!("{fault:?}") };
        let fits = match fault {
            Fault::None => false,
            Fault::OtherKey => error == CheckError::OtherKey,
            Fault::AccountKey => error == CheckError::AccountKey,
            Fault::OtherMailbox | Fault::TwoMailboxes => matches!(error, CheckError::Mailboxes { .. }),
            Fault::DualUsage | Fault::NoUsage => matches!(error, CheckError::KeyUsage { .. }),
            Fault::WrongExtendedUsage => error == CheckError::ExtendedKeyUsage,
            Fault::Authority => error == CheckError::CertificateAuthority,
            Fault::Expired | Fault::NotYet => matches!(error, CheckError::NotValidNow { .. }),
            Fault::TooLong => matches!(error, CheckError::TooLong { days: 4_000, .. }),
            Fault::ForeignIssuer | Fault::WrongRoot => matches!(error, CheckError::Path { .. }),
        };
        assert!(fits, "{fault:?}: {error}");
        assert!(world.installed.is_empty());
    }
}

// N4: the chain has caps of its own.
#[test]
fn wrong_chains() {
    let (pem, large) =
        ("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", vec![b'\n'; 128 * 1024 + 1]);
    for body in
        [pem.repeat(11).into_bytes(), b"no certificate".to_vec(), Vec::new(), vec![0xff; 10], pem.into()]
    {
        let error = with_csr(move |request, response| {
            if request.url.contains("/cert/") {
                response.body.clone_from(&body);
            }
        });
        assert!(matches!(error, Error::Chain { .. }), "{error}");
    }
    let error = with_csr(move |request, response| {
        if request.url.contains("/cert/") {
            response.body.clone_from(&large);
        }
    });
    assert!(matches!(error, Error::Http { error: HttpError::TooLarge { .. }, .. }), "{error}");
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

// N11: states that never end or go back.
#[test]
fn orders_that_do_not_move() {
    let error = with_csr(edit("/order/", |order| {
        order["status"] = json!("processing");
        order["expires"] = json!("2099-01-01T00:00:00Z");
    }));
    assert!(matches!(error, Error::Stuck { .. }), "{error}");

    let error = with_csr(edit("/order/", |order| order["status"] = json!("processing")));
    assert!(matches!(error, Error::Stuck { .. } | Error::OrderExpired), "{error}");

    let error = with_csr(edit("/order/", |order| order["status"] = json!("contemplating")));
    assert!(matches!(error, Error::Stuck { .. } | Error::OrderExpired), "{error}");

    let error = with_csr(edit("/order/", |order| {
        order["status"] = json!("valid");
        order.as_object_mut().unwrap().remove("certificate");
    }));
    assert!(matches!(error, Error::Stuck { .. }), "{error}");

    let error = with_csr(edit("/new-order", |order| order["expires"] = json!("2020-01-01T00:00:00Z")));
    assert_eq!(error, Error::OrderExpired);

    let mut count = 0;
    let error = with_csr(move |request, response| {
        // Processing first, pending again at the next look.
        if request.url.contains("/order/") {
            count += 1;
            let mut order: Value = serde_json::from_slice(&response.body).unwrap();
            order["status"] = json!(if count == 1 { "processing" } else { "pending" });
            response.body = order.to_string().into_bytes();
        }
    });
    assert_eq!(error, Error::Inconsistent { step: StepName::Order, what: "the status of the order" });

    let error = with_csr(edit("/order/", |order| {
        order["status"] = json!("invalid");
        order["error"] = json!({ "type": "urn:ietf:params:acme:error:caa", "detail": "issuemail forbids" });
    }));
    let Error::OrderInvalid { problem: Some(problem) } = error else { panic!("{error}") };
    assert_eq!(problem.kind, ProblemType::Caa);
}

// N5: problems are typed, unknown ones survive, and none is lost.
#[test]
fn problem_documents() {
    for (place, kind, step) in [
        ("/new-account", "invalidContact", StepName::Account),
        ("/new-order", "rejectedIdentifier", StepName::NewOrder),
        ("/new-order", "urn:example:of-the-future", StepName::NewOrder),
        ("/authz/", "unauthorized", StepName::Authorization),
        ("/finalize", "caa", StepName::Finalize),
        ("/cert/", "malformed", StepName::Download),
    ] {
        let error = with_csr(move |request, response| {
            if request.url.contains(place) {
                *response = problem(403, kind, "because");
            }
        });
        let Error::Problem { step: found, problem } = error else { panic!("{place}: {error}") };
        assert_eq!(found, step);
        assert!(problem.kind.uri().ends_with(kind));
        assert_eq!(problem.detail.as_deref(), Some("because"));
    }
    let error = with_csr(|request, response| {
        if request.url.ends_with("/new-order") {
            response.status = 418;
            response.body = b"I am a teapot".to_vec();
        }
    });
    assert_eq!(error, Error::Status { step: StepName::NewOrder, status: 418 });
    let error = with_csr(|request, response| {
        if request.url.ends_with("/new-order") {
            *response = problem(403, "userActionRequired", "read the new terms");
            let link = r#"<https://ca.example/terms/2>;rel="terms-of-service""#;
            response.headers.push(("Link".into(), link.into()));
        }
    });
    let terms_url = Some("https://ca.example/terms/2".into());
    assert_eq!(error, Error::UserActionRequired { instance: None, terms_url });
}

// A30 and EAB: what the user or the CA must decide first.
#[test]
fn consent_and_external_account() {
    let mut world = World::new(Server::new(NOW), one());
    world.consent = false;
    assert!(matches!(world.run(Stop::Never), Err(Error::ConsentRefused { .. })));
    assert_eq!(world.server.requests.len(), 1, "nothing but the directory was asked for");

    let mut server = Server::new(NOW);
    server.meta_more = json!({ "externalAccountRequired": true });
    assert_eq!(World::new(server, one()).run(Stop::Never), Err(Error::ExternalAccountRequired));

    let error = with_csr(edit("/new-account", |account| account["status"] = json!("revoked")));
    assert_eq!(error, Error::AccountStatus { status: "revoked".into() });
}

// A6: only advertised names are asked for, and it is said before anything is ordered.
#[test]
fn profiles_that_are_not_offered() {
    let (world, error) = run(
        TokenSubmission::WithCsr,
        edit("/directory", |directory| directory["meta"]["profiles"] = json!({ "gold": "", "silver": "" })),
    );
    assert_eq!(error, Error::ProfileNotOffered { profile: "classic-sign-mv".into() });
    assert_eq!(world.server.orders_opened, 0);
    // Nothing advertised: no profile is named, the CSR says it all.
    let mut server = Server::new(NOW);
    server.meta_more = json!({ "profiles": {} });
    let mut world = World::new(server, one());
    world.run(Stop::Never).unwrap();
    assert_eq!(world.server.profiles_seen, [None]);
}

// A2: badCSR leaves the order ready with the token taken; another CSR is made, three at most.
#[test]
fn refused_requests() {
    for submission in TokenSubmission::ALL {
        let mut server = Server::dialect(NOW, submission, true);
        server.refuse_csrs = 2;
        let mut world = World::new(server, one());
        world.run(Stop::Never).unwrap();
        assert_eq!((world.server.orders_opened, world.server.mails.len()), (1, 1));

        let mut server = Server::dialect(NOW, submission, true);
        server.refuse_csrs = 3;
        let error = World::new(server, one()).run(Stop::Never).unwrap_err();
        assert!(matches!(error, Error::Problem { problem, .. } if problem.kind == ProblemType::BadCsr));
    }
}

// N8: a CSR for something else does not leave.
#[test]
fn wrong_requests_of_the_embedder() {
    for (spec, purpose, mailbox, what) in [
        (KeySpec::Sm2, Purpose::Sign, "alice@example.com", "algorithm family"),
        (KeySpec::P256, Purpose::Timestamp, "alice@example.com", "purpose"),
        (KeySpec::P256, Purpose::Sign, "bob@example.com", "mailbox"),
    ] {
        let mut world = World::new(Server::new(NOW), one());
        world.wrong_csr = Some((spec, purpose, mailbox));
        assert_eq!(world.run(Stop::Never), Err(Error::CsrMismatch { what }));
        assert!(!world.server.requests.iter().any(|(_, url)| url.ends_with("/finalize")));
    }
}

// The one encrypting key of a mailbox: the server points to it, the other certificates are obtained.
#[test]
fn an_encrypting_key_that_exists() {
    let mut server = Server::new(NOW);
    let mut orders = 0;
    server.tamper = Some(Box::new(move |request, response| {
        if request.url.ends_with("/new-order") {
            orders += 1;
            if orders == 2 {
                *response = problem(409, "urn:aecm:error:encryptionKeyExists", "ask another device");
            }
        }
    }));
    let mut plan = pair();
    plan.items.push(PlanItem::new(Suite::Classic, Purpose::Timestamp));
    let mut world = World::new(server, plan);
    let report = world.run(Stop::Never).unwrap();
    assert_eq!(world.installed.len(), 2);
    let Outcome::EncryptionKeyExists(told) = &report.outcomes[1].1 else { panic!() };
    assert_eq!(told.kind, ProblemType::EncryptionKeyExists);
    // For a signing certificate it makes no sense and is an error.
    let error = with_csr(|request, response| {
        if request.url.ends_with("/new-order") {
            *response = problem(409, "urn:aecm:error:encryptionKeyExists", "what?");
        }
    });
    assert!(matches!(error, Error::Problem { .. }), "{error}");
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

// No mail: waiting ends with the order, and says what was refused.
#[test]
fn no_challenge_mail() {
    let mut server = Server::new(NOW);
    server.tamper =
        Some(Box::new(edit("/new-order", |order| order["expires"] = json!("2026-11-23T09:00:00Z"))));
    server.hints = true;
    let mut world = World::new(server, one());
    world.configure = |config| config.submission = Some(TokenSubmission::ChallengeResponse);
    // The mail that comes is for the other challenge type's URL.
    world.server.challenge_types = vec!["email-reply-00", "email-token-00"];
    let error = world.run(Stop::Never).unwrap_err();
    assert!(matches!(error, Error::NoChallengeMail { .. }), "{error}");
    assert!(world.server.requests.len() < 20);
}

// A mailbox whose mail carries a wrong token: no second try with it, and an end.
#[test]
fn tokens_that_are_never_right() {
    for submission in TokenSubmission::ALL {
        // A server that lets five tries pass waits for another mail, which never comes.
        let mut server = Server::dialect(NOW, submission, true);
        server.wrong_mails = true;
        let mut world = World::new(server, one());
        let error = world.run(Stop::Never).unwrap_err();
        assert!(matches!(error, Error::NoChallengeMail { .. }), "{}: {error}", submission.word());
        assert_eq!(world.server.orders_opened, 1);

        // RFC 8555: a failed challenge ends the authorization; a new order, a few times.
        let mut server = Server::dialect(NOW, submission, true);
        server.wrong_mails = true;
        server.tries = 1;
        let mut world = World::new(server, one());
        let error = world.run(Stop::Never).unwrap_err();
        assert!(matches!(error, Error::ChallengeFailed { orders: 5, .. }), "{}: {error}", submission.word());
        assert_eq!(world.server.orders_opened, 5);
        assert_eq!(world.server.mails.len(), 5);
    }
}
