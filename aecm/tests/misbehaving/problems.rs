//! N5: problem documents of every type, at every place that matters.

use aecm::acme::client::ClientError::{Deadline, Machine};
use aecm::acme::machine::{Error as E, StepName as S};
use aecm::core::embed::HttpResponse;
use serde_json::json;

use crate::script::{Place, document, on};
use crate::stage::{Expect, Scene, Stage, fails, scene};
use crate::world::run;

/// RFC 8555 §6.7, RFC 9773, the profiles draft, AECM's own, and one of the future.
const TYPES: [&str; 29] = [
    "accountDoesNotExist",
    "alreadyRevoked",
    "badCSR",
    "badNonce",
    "badPublicKey",
    "badRevocationReason",
    "badSignatureAlgorithm",
    "caa",
    "compound",
    "connection",
    "dns",
    "externalAccountRequired",
    "incorrectResponse",
    "invalidContact",
    "malformed",
    "orderNotReady",
    "rateLimited",
    "rejectedIdentifier",
    "serverInternal",
    "tls",
    "unauthorized",
    "unsupportedContact",
    "unsupportedIdentifier",
    "userActionRequired",
    "alreadyReplaced",
    "invalidProfile",
    "urn:aecm:error:encryptionKeyExists",
    "urn:aecm:error:tooManyTokens",
    "urn:example:of-the-future",
];

fn refused() -> Expect {
    fails!(Machine(E::Problem { .. }), "the CA refuses", "Monday")
}

/// What a problem of that type comes to, reported once.
fn comes_to(scene: Scene, place: Place, kind: &str) -> Scene {
    match (place, kind) {
        // Nothing was refused for good.
        (_, "badNonce" | "rateLimited" | "serverInternal") => scene,
        (_, "userActionRequired") => {
            scene.ends(fails!(Machine(E::UserActionRequired { .. }), "the CA wants something of you"))
        }
        (Place::Account, "externalAccountRequired") => {
            scene.ends(fails!(Machine(E::ExternalAccountRequired), "external account binding"))
        }
        // The account is opened again, the order too.
        (Place::NewOrder | Place::Finalize, "accountDoesNotExist") => scene,
        (Place::Finalize, "badCSR" | "orderNotReady" | "urn:aecm:error:tooManyTokens") => scene,
        // Another key is made, and the refused one put aside; refusals without end do end it (`again_and_again`).
        (Place::Finalize, "badPublicKey") => scene.puts_aside(1),
        // The token may be wrong: another mail is waited for.
        (Place::Finalize, "incorrectResponse" | "unauthorized") => {
            scene.within(1_801).ends(fails!(Deadline { step: S::Mail }, "waiting for the challenge mail"))
        }
        _ => scene.ends(refused()),
    }
}

#[test]
fn every_type() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        for place in [Place::Account, Place::NewOrder, Place::Finalize] {
            for kind in TYPES {
                let status = if kind == "serverInternal" { 500 } else { 403 };
                let name = format!("{kind} at {place:?}");
                scenes.push(comes_to(scene(name).rule(on(place).problem(status, kind)), place, kind));
            }
        }
        stage.play(scenes).await;
    });
}

#[test]
fn again_and_again() {
    run(async {
        let stage = Stage::new().await;
        let scenes = vec![
            scene("badCSR always").rule(on(Place::Finalize).always().problem(400, "badCSR")).ends(refused()),
            scene("badPublicKey always")
                .rule(on(Place::Finalize).always().problem(400, "badPublicKey"))
                .puts_aside(2)
                .ends(refused()),
            scene("orderNotReady always")
                .rule(on(Place::Finalize).always().problem(403, "orderNotReady"))
                .within(1_200)
                .ends(refused()),
            scene("accountDoesNotExist always")
                .rule(on(Place::NewOrder).always().problem(400, "accountDoesNotExist"))
                .ends(refused()),
            scene("serverInternal always")
                .rule(on(Place::NewOrder).always().problem(500, "serverInternal"))
                .within(600)
                .ends(refused()),
            scene("tooManyTokens always")
                .rule(on(Place::Finalize).always().problem(403, "urn:aecm:error:tooManyTokens"))
                .ends(fails!(
                    Machine(E::ChallengeFailed { orders: 5, .. }),
                    "the CA did not accept the token"
                )),
            scene("the encrypting key exists elsewhere")
                .rule(on(Place::NewOrder).from(2).problem(409, "urn:aecm:error:encryptionKeyExists"))
                .ends(Expect::Waiting),
            scene("the encrypting key exists elsewhere, said at finalize")
                .rule(on(Place::Finalize).from(2).problem(409, "urn:aecm:error:encryptionKeyExists"))
                .ends(Expect::Waiting),
            // Taken, and reported refused.
            scene("badCSR although it was certified").rule(on(Place::Finalize).problem_after(400, "badCSR")),
            scene("badPublicKey although it was certified")
                .rule(on(Place::Finalize).from(2).problem_after(400, "badPublicKey")),
        ];
        stage.play(scenes).await;
    });
}

#[test]
fn odd_documents() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        let mut row = |name: &str, answer: HttpResponse, expect: Expect| {
            scenes.push(scene(name).rule(on(Place::NewOrder).forge(move |_| answer.clone())).ends(expect));
        };
        let kind = "urn:ietf:params:acme:error:compound";
        let sub = |value: &str| {
            json!({ "type": "urn:ietf:params:acme:error:caa", "detail": format!("no {value}"),
                "identifier": { "type": "email", "value": value } })
        };
        row(
            "subproblems",
            document(
                403,
                &json!({ "type": kind, "detail": "several",
            "subproblems": [sub("alice@example.test"), sub("bob@example.test")] }),
            ),
            fails!(
                Machine(E::Problem { .. }),
                "compound",
                "several",
                "no alice@example.test",
                "no bob@example.test"
            ),
        );
        row(
            "fifty subproblems",
            document(
                403,
                &json!({ "type": kind, "detail": "several",
            "subproblems": vec![sub("somebody.with.a.long.name@example.test"); 50] }),
            ),
            fails!(Machine(E::Problem { .. }), "compound", "several"),
        );
        row(
            "a long detail",
            document(403, &json!({ "type": kind, "detail": "no ".repeat(9_000) })),
            fails!(Machine(E::Problem { .. }), "compound: no no no"),
        );
        row(
            "a long type",
            document(
                403,
                &json!({ "type": format!("urn:example:{}", "x".repeat(5_000)), "detail": "so it is" }),
            ),
            fails!(Machine(E::Problem { .. }), "urn:example:xxx", "so it is"),
        );
        row(
            "no type",
            document(403, &json!({ "detail": "so it is" })),
            fails!(Machine(E::Problem { .. }), "about:blank", "so it is"),
        );
        row(
            "a title alone",
            document(403, &json!({ "type": kind, "title": "so it is" })),
            fails!(Machine(E::Problem { .. }), "so it is"),
        );
        row("nothing in it", document(403, &json!({})), fails!(Machine(E::Problem { .. }), "about:blank"));
        row(
            "a type that is a number",
            document(403, &json!({ "type": 7 })),
            fails!(Machine(E::Status { status: 403, .. }), "status 403"),
        );
        row(
            "control characters",
            document(403, &json!({ "type": kind, "detail": "red\r\nINFO all is well" })),
            fails!(Machine(E::Problem { .. }), "red"),
        );
        row(
            "a page to visit",
            document(
                403,
                &json!({ "type": "urn:ietf:params:acme:error:userActionRequired",
            "instance": "https://ca.example/agree?to=all" }),
            ),
            fails!(Machine(E::UserActionRequired { .. }), "visit https://ca.example/agree"),
        );
        row(
            "a long page to visit",
            document(
                403,
                &json!({ "type": "urn:ietf:params:acme:error:userActionRequired",
            "instance": format!("https://ca.example/{}", "x".repeat(9_000)) }),
            ),
            fails!(Machine(E::UserActionRequired { .. }), "visit https://ca.example/x"),
        );
        row(
            "too deep",
            HttpResponse { status: 403, headers: Vec::new(), body: b"[".repeat(64) },
            fails!(Machine(E::Json { .. }), "deeper than"),
        );
        row(
            "more than 64 KiB",
            HttpResponse { status: 403, headers: Vec::new(), body: vec![b' '; 65_537] },
            fails!(Machine(E::Http { .. }), "exceeds the limit"),
        );
        // The service repeats what it was sent.
        let echo = on(Place::Finalize).forge(|seen| {
            let detail = format!("the token {} is not welcome", seen.tokens.last().unwrap());
            document(403, &json!({ "type": "urn:ietf:params:acme:error:caa", "detail": detail }))
        });
        scenes.push(
            scene("the token in the detail").rule(echo).ends(fails!(Machine(E::Problem { .. }), "caa")),
        );
        stage.play(scenes).await;
    });
}
