//! N6, N11: connections that break before or after the request was taken, requests that arrive twice or changed.

use aecm::acme::client::ClientError::{Machine, ServiceUnreachable};
use aecm::acme::machine::{Error as E, StepName as S};
use aecm::acme::wire::TokenSubmission;
use aecm::core::embed::HttpError;

use crate::script::{Act, Place, Seen, on};
use crate::stage::{Scene, Stage, ensure, fails, scene};
use crate::world::run;

/// Every kind of POST, with the way in which the token is handed in.
const POSTS: [(Place, TokenSubmission); 9] = [
    (Place::Account, TokenSubmission::WithCsr),
    (Place::NewOrder, TokenSubmission::WithCsr),
    (Place::Authorization, TokenSubmission::WithCsr),
    (Place::Finalize, TokenSubmission::WithCsr),
    (Place::Certificate, TokenSubmission::WithCsr),
    (Place::Challenge, TokenSubmission::ChallengeResponse),
    (Place::Finalize, TokenSubmission::ChallengeResponse),
    (Place::Challenge, TokenSubmission::ReplyMail),
    (Place::Order, TokenSubmission::ReplyMail),
];

fn orders(least: usize, most: usize) -> impl Fn(&Seen) -> Result<(), String> {
    move |seen| {
        let count = seen.requests(Place::NewOrder);
        ensure((least..=most).contains(&count), || format!("{count} newOrder requests"))
    }
}

fn each(name: &str, change: impl Fn(Scene, Place) -> Scene) -> Vec<Scene> {
    let with = |(place, submission): (Place, TokenSubmission)| {
        let name = format!("{name} at {place:?} ({})", submission.word());
        change(scene(name).submission(submission), place)
    };
    POSTS.into_iter().map(with).collect()
}

#[test]
fn broken_connections() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        scenes.extend(each("lost before it was taken", |scene, place| {
            scene.rule(on(place).act(Act::LoseRequest)).check(orders(3, 4))
        }));
        scenes.extend(each("lost after it was taken", |scene, place| {
            scene.rule(on(place).act(Act::LoseAnswer)).check(orders(3, 4))
        }));
        scenes.extend(each("all but the last of eight lost", |scene, place| {
            scene.rule(on(place).times(8).act(Act::LoseRequest)).within(400)
        }));
        scenes.extend(each("taken twice", |scene, place| scene.rule(on(place).act(Act::Twice))));
        for place in [Place::Directory, Place::Nonce] {
            scenes.push(scene(format!("lost at {place:?}")).rule(on(place).act(Act::LoseRequest)));
        }
        for (place, step) in [
            (Place::Account, "opening the account"),
            (Place::NewOrder, "opening the order"),
            (Place::Authorization, "reading the authorization"),
            (Place::Certificate, "fetching the certificate"),
        ] {
            let lost = |act: Act, how: &str| {
                scene(format!("always lost {how} at {place:?}"))
                    .rule(on(place).always().act(act))
                    .within(600)
                    .check(move |seen| {
                        ensure(seen.requests(place) == 9, || format!("{step}: not nine requests"))
                    })
            };
            scenes.push(lost(Act::LoseRequest, "before").ends(fails!(
                Machine(E::Http { error: HttpError::Connection { .. }, .. }),
                "no answer from https://",
                "connection reset"
            )));
            scenes.push(lost(Act::LoseAnswer, "after").ends(fails!(
                Machine(E::Http { error: HttpError::Connection { .. }, .. }),
                "no answer from https://"
            )));
        }
        // Nothing at all is answered: a call does not go on for half an hour.
        for act in [Act::LoseRequest, Act::LoseAnswer, Act::Hang] {
            let within = if matches!(act, Act::Hang) { 125 } else { 62 };
            scenes.push(
                scene("nothing is ever answered at Directory")
                    .rule(on(Place::Directory).always().act(act))
                    .within(within)
                    .check(|seen| {
                        let asked = seen.requests(Place::Directory);
                        ensure((2..=6).contains(&asked), || format!("{asked} requests"))
                    })
                    .ends(fails!(
                        ServiceUnreachable {
                            error: HttpError::Connection { .. } | HttpError::Timeout { .. }
                        },
                        "the service cannot be reached",
                        "call again"
                    )),
            );
        }
        // The order shows what became of it.
        scenes.push(
            scene("always lost after it was taken at finalize")
                .rule(on(Place::Finalize).always().act(Act::LoseAnswer)),
        );
        stage.play(scenes).await;
    });
}

#[test]
fn changed_requests() {
    run(async {
        let stage = Stage::new().await;
        let flip = |request: &mut aecm::core::embed::HttpRequest| {
            let text = String::from_utf8(request.body.clone()).unwrap();
            let (head, signature) = text.rsplit_once(":\"").unwrap();
            let other = if signature.starts_with('A') { "B" } else { "A" };
            request.body = format!("{head}:\"{other}{}", &signature[1..]).into_bytes();
        };
        let mut scenes = vec![
            scene("the signature of newOrder is changed")
                .rule(on(Place::NewOrder).act(Act::Alter(Box::new(flip))))
                .ends(fails!(Machine(E::Problem { step: S::NewOrder, .. }), "unauthorized")),
            // With a token in it the server may mean the token: that order is at its end.
            scene("the body of newOrder is cut")
                .rule(on(Place::NewOrder).act(Act::Alter(Box::new(|request| request.body.truncate(100)))))
                .ends(fails!(Machine(E::Problem { step: S::NewOrder, .. }), "malformed")),
        ];
        scenes.extend([Place::NewOrder, Place::Finalize, Place::Certificate].map(|place| {
            scene(format!("the content type of {place:?} is changed"))
                .rule(on(place).act(Act::Alter(Box::new(|request| {
                    request.headers[0].1 = "application/json".to_owned();
                }))))
                .ends(fails!(Machine(E::Problem { .. }), "malformed", "application/jose+json"))
        }));
        stage.play(scenes).await;
    });
}
