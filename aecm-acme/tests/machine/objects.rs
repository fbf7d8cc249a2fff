//! Directories, accounts, orders, authorizations and challenges that are not what they were or should be.

use aecm_acme::machine::{Error, StepName};
use aecm_acme::wire::{ProblemType, TokenSubmission};
use serde_json::{Value, json};

use super::mischief::{edit, one, run, with_csr};
use super::server::{BASE, Server, problem};
use super::world::{NOW, Stop, World};

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

// No mail: waiting ends with the order, and says what was refused.
#[test]
fn no_challenge_mail() {
    let mut server = Server::new(NOW);
    server.tamper =
        Some(Box::new(edit("/new-order", |order| order["expires"] = json!("2026-11-23T09:00:00Z"))));
    server.hints = true;
    // The mail that comes is for another authorization.
    server.strange_hints = true;
    let mut world = World::new(server, one());
    world.configure = |config| config.submission = Some(TokenSubmission::ChallengeResponse);
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
