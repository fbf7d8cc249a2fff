//! N6, N11: orders and authorizations that say other things than before, and never what they should.

use aecm::acme::client::ClientError::{Deadline, Machine};
use aecm::acme::machine::{Error as E, StepName as S};
use serde_json::{Value, json};

use crate::script::{Place, WHY, on, set_header};
use crate::stage::{Scene, Stage, fails, scene};
use crate::world::run;

fn status(word: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |order| {
        order["status"] = json!(word);
        order.as_object_mut().unwrap().remove("certificate");
    }
}

/// From the first finalize on, the order is never seen otherwise.
fn forever(name: &str, word: &'static str) -> Scene {
    scene(name)
        .rule(on(Place::Finalize).and(Place::Order).always().json(status(word)))
        .within(1_801)
        .ends(fails!(Deadline { step: S::Order }, "reading the order", "call again"))
}

#[test]
fn orders() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = vec![
            scene("processing for a while")
                .rule(on(Place::Finalize).json(status("processing")))
                .rule(on(Place::Order).times(4).json(status("processing")))
                .within(60),
            forever("processing for ever", "processing"),
            scene("valid without a certificate for a while")
                .rule(on(Place::Finalize).json(status("valid")))
                .rule(on(Place::Order).times(4).json(status("valid"))),
            forever("valid without a certificate for ever", "valid"),
            forever("a status nobody knows for ever", "meditating"),
            // It was issued, and the server says that the order is over.
            scene("invalid after finalize, with a reason")
                .costs(1)
                .rule(on(Place::Finalize).json(|order| {
                    order["status"] = json!("invalid");
                    order["error"] = json!({ "type": "urn:ietf:params:acme:error:caa", "detail": WHY });
                }))
                .ends(fails!(
                    Machine(E::OrderInvalid { .. }),
                    "the CA declared the order invalid",
                    "caa",
                    "Monday"
                )),
            scene("invalid when opened, without a reason")
                .rule(on(Place::NewOrder).set("/status", json!("invalid")))
                .ends(fails!(Machine(E::OrderInvalid { .. }), "the CA declared the order invalid")),
            scene("processing, then pending")
                .rule(on(Place::Finalize).json(status("processing")))
                .rule(on(Place::Order).json(status("pending")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the status of the order", "call again")),
            scene("valid, then processing")
                .rule(on(Place::Finalize).json(status("valid")))
                .rule(on(Place::Order).json(status("processing")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the status of the order")),
            scene("ready without any proof")
                .rule(on(Place::NewOrder).set("/status", json!("ready")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the status of the order")),
            scene("pending although the proof stands")
                .rule(on(Place::NewOrder).from(2).set("/status", json!("pending"))),
            scene("valid when opened, with somebody's certificate")
                .rule(on(Place::NewOrder).from(2).edit_seeing(|response, seen| {
                    let first: Value = serde_json::from_slice(&seen.first[&Place::Finalize].body).unwrap();
                    let mut order: Value = serde_json::from_slice(&response.body).unwrap();
                    order["status"] = json!("valid");
                    order["certificate"] = first["certificate"].clone();
                    response.body = order.to_string().into_bytes();
                }))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the status of the order")),
            scene("processing when opened")
                .rule(on(Place::NewOrder).json(status("processing")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the status of the order")),
            scene("expired when opened")
                .rule(on(Place::NewOrder).set("/expires", json!("2001-01-01T00:00:00Z")))
                .ends(fails!(Machine(E::OrderExpired), "expired")),
            scene("expires in ten thousand years")
                .rule(on(Place::NewOrder).set("/expires", json!("9999-12-31T23:59:59Z"))),
            scene("expires on no day")
                .rule(on(Place::NewOrder).set("/expires", json!("2026-02-30T00:00:00Z")))
                .ends(fails!(Machine(E::Json { .. }), "JSON")),
            scene("never expires").rule(on(Place::NewOrder).json(|order| {
                order.as_object_mut().unwrap().remove("expires");
            })),
        ];
        for (name, pointer, value) in [
            ("for somebody else", "/identifiers/0/value", json!("mallory@evil.example")),
            ("for a host", "/identifiers/0/type", json!("dns")),
            ("for nobody", "/identifiers", json!([])),
            ("with another profile", "/profile", json!("sm2-encrypt-mv")),
            ("with no authorization", "/authorizations", json!([])),
        ] {
            scenes.push(
                scene(format!("an order {name}")).rule(on(Place::NewOrder).set(pointer, value.clone())).ends(
                    fails!(
                        Machine(E::Inconsistent { step: S::NewOrder, .. }),
                        "opening the order",
                        "call again"
                    ),
                ),
            );
        }
        for (name, pointer) in [("finalize", "/finalize"), ("authorizations", "/authorizations/0")] {
            let origin = stage.origin();
            scenes.push(
                scene(format!("other {name} after finalize"))
                    .rule(on(Place::Finalize).json(move |order| {
                        *order.pointer_mut(pointer).unwrap() = json!(format!("{origin}/acme/order/x"));
                    }))
                    .ends(fails!(
                        Machine(E::Inconsistent { step: S::Finalize, .. }),
                        "submitting the request"
                    )),
            );
        }
        let origin = stage.origin();
        scenes.push(
            scene("two authorizations for one mailbox")
                .rule(on(Place::NewOrder).json(move |order| {
                    let more = json!(format!("{origin}/acme/authorization/x"));
                    order["authorizations"].as_array_mut().unwrap().push(more);
                }))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the number of authorizations")),
        );
        stage.play(scenes).await;
    });
}

// Replayed answers: the order of one certificate in the place of another's.
#[test]
fn one_order_twice() {
    run(async {
        let stage = Stage::new().await;
        let scenes = vec![
            scene("the answer to newOrder is repeated for the next")
                .rule(on(Place::NewOrder).from(2).forge(|seen| seen.first[&Place::NewOrder].clone()))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the profile")),
            scene("the answer to newOrder is repeated without its profile")
                .rule(on(Place::NewOrder).from(2).forge(|seen| {
                    let mut answer = seen.first[&Place::NewOrder].clone();
                    let mut order: Value = serde_json::from_slice(&answer.body).unwrap();
                    order.as_object_mut().unwrap().remove("profile");
                    answer.body = order.to_string().into_bytes();
                    answer
                }))
                .ends(fails!(Machine(E::Inconsistent { .. }))),
            // The body is believed; the order it names is finalized.
            scene("the next order has the URL of the first").rule(on(Place::NewOrder).from(2).edit_seeing(
                |response, seen| {
                    let url = seen.first[&Place::NewOrder].header("location").unwrap().to_owned();
                    set_header(response, "location", Some(&url));
                },
            )),
            // Where its order stands was never said: that certificate is lost.
            scene("the next order has the URL of the first, and waits")
                .costs(1)
                .rule(on(Place::NewOrder).from(3).edit_seeing(|response, seen| {
                    let url = seen.first[&Place::NewOrder].header("location").unwrap().to_owned();
                    set_header(response, "location", Some(&url));
                }))
                .rule(on(Place::Finalize).from(3).json(status("processing")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "reading the order")),
            scene("finalize answers with the order before")
                .rule(on(Place::Finalize).from(2).edit_seeing(|response, seen| {
                    response.body.clone_from(&seen.first[&Place::Finalize].body);
                }))
                .ends(fails!(Machine(E::Inconsistent { .. }), "submitting the request")),
        ];
        stage.play(scenes).await;
    });
}

#[test]
fn authorizations() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = vec![
            scene("valid before the mail was read, and the order ready")
                .rule(on(Place::NewOrder).set("/status", json!("pending")))
                .rule(on(Place::Authorization).set("/status", json!("valid")))
                .within(1_801)
                .ends(fails!(Deadline { step: S::Order }, "call again")),
            scene("invalid, with a reason")
                .rule(on(Place::Authorization).json(|authorization| {
                    authorization["status"] = json!("invalid");
                    authorization["challenges"][0]["status"] = json!("invalid");
                    let error = json!({ "type": "urn:ietf:params:acme:error:dns", "detail": WHY });
                    authorization["challenges"][0]["error"] = error;
                }))
                .ends(fails!(Machine(E::OrderInvalid { .. }), "the CA declared the order invalid")),
            scene("of somebody else")
                .rule(on(Place::Authorization).set("/identifier/value", json!("mallory@evil.example")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the identifier of the authorization")),
            scene("of everybody")
                .rule(on(Place::Authorization).json(|authorization| authorization["wildcard"] = json!(true)))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the identifier of the authorization")),
            scene("a status nobody knows for ever")
                .rule(on(Place::Authorization).always().set("/status", json!("meditating")))
                .within(1_801)
                .ends(fails!(Deadline { step: S::Authorization }, "reading the authorization")),
            scene("expired long ago")
                .rule(on(Place::Authorization).set("/expires", json!("2001-01-01T00:00:00Z")))
                .ends(fails!(Machine(E::OrderExpired), "expired")),
            scene("no challenges")
                .rule(on(Place::Authorization).set("/challenges", json!([])))
                .ends(fails!(Machine(E::NoChallenge { .. }), "the CA offers no challenge by mail")),
            scene("challenges of other types")
                .rule(on(Place::Authorization).json(|authorization| {
                    authorization["challenges"][0]["type"] = json!("dns-01");
                    authorization["challenges"][1]["type"] = json!("http-01");
                }))
                .ends(fails!(Machine(E::NoChallenge { .. }), "dns-01 http-01")),
            scene("many challenges of other types")
                .rule(on(Place::Authorization).json(|authorization| {
                    let other = json!({ "type": "x".repeat(200), "url": authorization["challenges"][0]["url"],
                        "status": "pending" });
                    authorization["challenges"] = json!(vec![other; 100]);
                }))
                .ends(fails!(Machine(E::NoChallenge { .. }), "the CA offers no challenge by mail")),
            scene("a challenge that nobody sends")
                .rule(on(Place::Authorization).json(|authorization| {
                    authorization["challenges"][0].as_object_mut().unwrap().remove("from");
                }))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the sender of the challenge mail")),
            scene("a challenge from two senders")
                .rule(on(Place::Authorization).set("/challenges/0/from", json!("a@ca.example, b@ca.example")))
                .ends(fails!(Machine(E::Inconsistent { .. }), "the sender of the challenge mail")),
            scene("the challenge is over already")
                .rule(on(Place::Authorization).json(|authorization| {
                    authorization["challenges"][0]["status"] = json!("valid");
                    authorization["challenges"][1]["status"] = json!("invalid");
                }))
                .ends(fails!(Machine(E::NoChallenge { .. }), "the CA offers no challenge by mail")),
        ];
        for status in ["expired", "deactivated", "revoked"] {
            scenes.push(
                scene(format!("{status} once")).rule(on(Place::Authorization).set("/status", json!(status))),
            );
            scenes.push(
                scene(format!("{status} always"))
                    .rule(on(Place::Authorization).always().set("/status", json!(status)))
                    .ends(fails!(
                        Machine(E::ChallengeFailed { orders: 5, .. }),
                        "the CA did not accept",
                        "5 orders"
                    )),
            );
        }
        for (name, token) in [
            ("no", json!(null)),
            ("an empty", json!("")),
            ("a short", json!("abc")),
            ("an odd", json!("../../../../../../etc/passwd")),
            ("a long", json!("A".repeat(5_000))),
        ] {
            scenes.push(
                scene(format!("{name} token"))
                    .rule(on(Place::Authorization).json(move |authorization| {
                        authorization["challenges"][0]["token"] = token.clone();
                    }))
                    .ends(fails!(Machine(E::Token(_)), "token", "malformed")),
            );
        }
        stage.play(scenes).await;
    });
}

// The service opens an authorization an order, with a mail each.
#[test]
fn authorizations_that_serve_once() {
    run(async {
        let stage = Stage::with(|options| options.acme.reuse_authorizations = false).await;
        let scenes = vec![
            scene("not reused"),
            scene("not reused, and the second authorization is that of the first")
                .rule(on(Place::Authorization).from(2).edit_seeing(|response, seen| {
                    response.body.clone_from(&seen.first[&Place::Authorization].body);
                }))
                .within(1_801)
                .ends(fails!(Machine(E::NoChallengeMail { .. }), "From is not the address", "call again")),
            scene("not reused, and the second authorization is said to be valid")
                .rule(on(Place::Authorization).from(2).set("/status", json!("valid")))
                .within(1_801)
                .ends(fails!(Deadline { step: S::Order }, "reading the order")),
        ];
        stage.play(scenes).await;
    });
}
