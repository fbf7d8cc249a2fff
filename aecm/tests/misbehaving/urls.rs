//! N2: redirects are not followed, and no URL of another origin is asked, wherever it stands.

use aecm::acme::client::ClientError::Machine;
use aecm::acme::machine::Error as E;
use aecm::acme::url::UrlError;
use aecm::core::embed::HttpResponse;
use serde_json::json;

use crate::script::{Place, Seen, on, set_header};
use crate::stage::{Expect, Stage, ensure, fails, scene};
use crate::world::run;

fn nowhere_else(seen: &Seen) -> Result<(), String> {
    ensure(seen.requests(Place::Elsewhere) == 0, || "the new place was asked".to_owned())
}

#[test]
fn redirects() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        let targets =
            [format!("{}/acme/moved", stage.origin()), "https://evil.example/acme/moved".to_owned()];
        let places = [Place::Directory, Place::Nonce, Place::NewOrder, Place::Finalize, Place::Certificate];
        for (number, status) in [301, 302, 303, 307, 308, 300, 304].into_iter().enumerate() {
            // Three places each, the targets in turn.
            for (step, place) in [0, 1, 3].map(|step| (step, places[(number + step) % places.len()])) {
                let target = targets[(number + step) % 2].clone();
                scenes.push(
                    scene(format!("{status} to {target} at {place:?}"))
                        .rule(on(place).forge(move |_| {
                            let headers = vec![("location".to_owned(), target.clone())];
                            HttpResponse { status, headers, body: Vec::new() }
                        }))
                        .check(nowhere_else)
                        .ends(fails!(Machine(E::Redirect { .. }), "redirects", "not followed")),
                );
            }
        }
        stage.play(scenes).await;
    });
}

fn foreign() -> Expect {
    fails!(
        Machine(E::Url(UrlError::ForeignOrigin { .. })),
        "the server names",
        "its own origin https://127.0.0.1"
    )
}

#[test]
fn foreign_urls() {
    run(async {
        let stage = Stage::new().await;
        let origin = stage.origin();
        let port: u16 = origin.rsplit_once(':').unwrap().1.parse().unwrap();
        let others = [
            "https://evil.example/acme/x".to_owned(),
            format!("http://127.0.0.1:{port}/acme/x"),
            format!("https://127.0.0.1:{}/acme/x", port ^ 1),
            format!("https://localhost:{port}/acme/x"),
            format!("https://127.0.0.1.evil.example:{port}/acme/x"),
        ];
        let odd = [
            "/acme/x".to_owned(),
            format!("https://127.0.0.1:{port}@evil.example/acme/x"),
            "javascript:alert(1)".to_owned(),
            format!("{origin}/acme/x\r\nHost: evil.example"),
            format!("{origin}/{}", "x".repeat(4_000)),
        ];
        let mut scenes = Vec::new();
        let members = [
            (Place::Directory, "/newNonce"),
            (Place::Directory, "/newAccount"),
            (Place::Directory, "/newOrder"),
            (Place::NewOrder, "/authorizations/0"),
            (Place::NewOrder, "/finalize"),
            (Place::Authorization, "/challenges/0/url"),
            (Place::Finalize, "/certificate"),
        ];
        for (number, (place, pointer)) in members.into_iter().enumerate() {
            for other in &others {
                scenes.push(
                    scene(format!("{other} as {pointer} of {place:?}"))
                        .rule(on(place).set(pointer, json!(other)))
                        .check(nowhere_else)
                        .ends(foreign()),
                );
            }
            let other = &odd[number % odd.len()];
            scenes.push(
                scene(format!("{other:.80} as {pointer} of {place:?}"))
                    .rule(on(place).set(pointer, json!(other)))
                    .check(nowhere_else)
                    .ends(fails!(Machine(E::Url(UrlError::Malformed { .. })), "not a usable URL")),
            );
        }
        for place in [Place::Account, Place::NewOrder] {
            for other in others.clone() {
                scenes.push(
                    scene(format!("{other} as Location of {place:?}"))
                        .rule(on(place).edit(move |response| set_header(response, "location", Some(&other))))
                        .check(nowhere_else)
                        .ends(foreign()),
                );
            }
            scenes.push(
                scene(format!("no Location at {place:?}"))
                    .rule(on(place).header("location", None))
                    .ends(fails!(Machine(E::HeaderMissing { name: "Location", .. }), "Location")),
            );
        }
        stage.play(scenes).await;
    });
}
