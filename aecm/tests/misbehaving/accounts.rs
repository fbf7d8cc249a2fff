//! Accounts that are lost or closed midway, directories that change, terms, profiles, and clocks.

use aecm::acme::client::ClientError::{Deadline, Machine};
use aecm::acme::machine::{Error as E, StepName as S};
use aecm::core::embed::Clock;
use serde_json::json;

use crate::script::{Place, on, on_posts};
use crate::stage::{Stage, fails, scene};
use crate::world::run;

#[test]
fn accounts() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        for status in ["deactivated", "revoked", "meditating"] {
            scenes.push(
                scene(format!("newAccount says {status}"))
                    .rule(on(Place::Account).set("/status", json!(status)))
                    .ends(fails!(Machine(E::AccountStatus { .. }), "the ACME account is")),
            );
        }
        for (place, number) in [
            (Place::NewOrder, 1),
            (Place::NewOrder, 2),
            (Place::Authorization, 1),
            (Place::Finalize, 2),
            (Place::Certificate, 1),
        ] {
            scenes.push(
                scene(format!("deactivated from {place:?} {number} on"))
                    .rule(on(place).from(number).always().problem(401, "unauthorized"))
                    .ends(fails!(Machine(E::Problem { .. }), "unauthorized")),
            );
            scenes.push(
                scene(format!("the account is forgotten at {place:?} {number}, once"))
                    .rule(on(place).from(number).problem(400, "accountDoesNotExist")),
            );
        }
        stage.play(scenes).await;
    });
}

#[test]
fn directories() {
    run(async {
        let stage = Stage::new().await;
        let origin = stage.origin();
        let moved = |path: &str| json!(format!("{origin}/acme/v2/{path}"));
        let mut scenes = vec![
            scene("another newOrder in the middle")
                .rule(on(Place::NewOrder).from(2).problem(404, "malformed"))
                .ends(fails!(Machine(E::Problem { step: S::NewOrder, .. }), "malformed")),
            scene("newOrder stands where nothing is")
                .rule(on(Place::Directory).set("/newOrder", moved("new-order")))
                .ends(fails!(Machine(E::Problem { step: S::NewOrder, .. }), "malformed")),
            scene("newAccount stands where nothing is")
                .rule(on(Place::Directory).set("/newAccount", moved("new-account")))
                .ends(fails!(Machine(E::Problem { step: S::Account, .. }), "malformed")),
            scene("newNonce stands where nothing is")
                .rule(on(Place::Directory).set("/newNonce", moved("new-nonce")))
                .ends(fails!(Machine(E::Status { status: 405, .. }), "405")),
            scene("all resources have changed places")
                .rule(on(Place::Directory).json(|directory| {
                    let url = directory["newOrder"].clone();
                    directory["newOrder"] = directory["newAccount"].clone();
                    directory["newAccount"] = url;
                }))
                .ends(fails!(Machine(E::Problem { step: S::Account, .. }), "the CA refuses")),
            scene("other terms of service")
                .rule(on(Place::Directory).set("/meta/termsOfService", json!("https://ca.example/terms/2"))),
            scene("other terms of service in the middle, with a refusal")
                .rule(on(Place::NewOrder).from(2).problem(403, "userActionRequired"))
                .ends(fails!(Machine(E::UserActionRequired { .. }), "the CA wants something of you")),
            scene("an external account is required")
                .rule(on(Place::Directory).set("/meta/externalAccountRequired", json!(true)))
                .ends(fails!(Machine(E::ExternalAccountRequired), "external account binding")),
            scene("a profile is missing")
                .rule(on(Place::Directory).json(|directory| {
                    directory["meta"]["profiles"].as_object_mut().unwrap().remove("sm2-encrypt-mv");
                }))
                .ends(fails!(
                    Machine(E::ProfileNotOffered { .. }),
                    "the CA does not offer",
                    "sm2-encrypt-mv"
                )),
            scene("no profiles at all").rule(on(Place::Directory).json(|directory| {
                directory["meta"].as_object_mut().unwrap().remove("profiles");
            })),
        ];
        for (pointer, value) in
            [("/meta/aecm/tokenSubmission", json!(["fax"])), ("/meta/aecm/tokenJoin", json!("xor"))]
        {
            scenes.push(
                scene(format!("{pointer} is {value}"))
                    .rule(on(Place::Directory).set(pointer, value))
                    .ends(fails!(Machine(E::NoSubmission { .. }), "the CA wants the token in a way")),
            );
        }
        scenes.push(
            scene("a thousand ways to hand the token in")
                .rule(on(Place::Directory).set("/meta/aecm/tokenSubmission", json!(vec!["fax"; 1_000])))
                .ends(fails!(Machine(E::NoSubmission { .. }), "the CA wants the token in a way")),
        );
        stage.play(scenes).await;
    });
}

/// The clock jumps so many seconds after the newOrder.
fn jump(stage: &Stage, after: u64, by: i64) -> crate::script::Rule {
    let clock = stage.clock.clone();
    on(Place::NewOrder).edit_seeing(move |_, seen| {
        let at = clock.now().plus(core::time::Duration::from_secs(after));
        *seen.jump.lock().unwrap() = Some((at, by));
    })
}

// N4, N10: the client's clock is set while it works. What is off by more than the skew that is allowed makes
// the CA's mails seem to be of another time, which is said; and no clock gives the call more time.
#[test]
fn clocks() {
    run(async {
        let stage = Stage::new().await;
        let other_time = || {
            fails!(
                Machine(E::NoChallengeMail { .. }),
                "no challenge mail of the CA",
                "the mail was not sent within the time of the order",
                "call again"
            )
        };
        let mut scenes = Vec::new();
        for (name, by) in [("an hour", 3_600), ("a day", 86_400), ("ten years", 315_360_000)] {
            scenes.push(
                scene(format!("back by {name} at an answer"))
                    .rule(jump(&stage, 0, -by))
                    .within(1_801)
                    .ends(other_time()),
            );
            scenes.push(
                scene(format!("back by {name} while the service is busy"))
                    .rule(jump(&stage, 3, -by))
                    .rule(on(Place::Authorization).answer(503, &[("retry-after", "10")], ""))
                    // What passed while nobody looked at the clock is not known.
                    .within(1_811)
                    .ends(other_time()),
            );
            scenes.push(
                scene(format!("back by {name} while the mail is waited for, which never comes"))
                    .rule(jump(&stage, 3, -by))
                    .mails(|_| Ok(Vec::new()))
                    .within(1_900)
                    .ends(fails!(Deadline { .. }, "waiting for the challenge mail")),
            );
        }
        for by in [-240, 240] {
            scenes.push(
                scene(format!("off by {by} seconds while the service is busy"))
                    .rule(jump(&stage, 3, by))
                    .rule(on(Place::Authorization).answer(503, &[("retry-after", "60")], ""))
                    .within(125),
            );
        }
        scenes.push(scene("forward by ten minutes").rule(jump(&stage, 0, 600)).within(1_801).ends(fails!(
            Deadline { step: S::Mail },
            "waiting for the challenge mail",
            "call again"
        )));
        scenes.push(scene("forward by an hour").rule(jump(&stage, 0, 3_600)).ends(fails!(
            Deadline { .. },
            "the deadline passed",
            "call again"
        )));
        stage.play(scenes).await;
    });
}

#[test]
fn an_account_that_is_not_one() {
    run(async {
        let stage = Stage::new().await;
        let scenes = vec![
            scene("the account of another client").rule(on(Place::Account).edit(|response| {
                let url = response.header("location").unwrap().to_owned();
                let (stem, _) = url.rsplit_once('/').unwrap();
                let other = format!("{stem}/AAAAAAAAAAAAAAAA");
                crate::script::set_header(response, "location", Some(&other));
            })),
            scene("an account with nothing in it")
                .rule(on(Place::Account).body(*b"{}"))
                .ends(fails!(Machine(E::Json { .. }), "opening the account")),
            scene("every POST is unauthorized")
                .rule(on_posts().always().problem(401, "unauthorized"))
                .ends(fails!(Machine(E::Problem { step: S::Account, .. }), "unauthorized")),
        ];
        stage.play(scenes).await;
    });
}
