//! N4: answers that are not the JSON that was expected, or too much of it.

use std::cell::Cell;

use aecm::acme::client::ClientError::Machine;
use aecm::acme::machine::Error as E;
use aecm::acme::wire::JsonError;
use aecm::core::embed::HttpError;
use serde_json::json;

use crate::script::{Place, on};
use crate::stage::{Stage, fails, scene};
use crate::world::run;

const PLACES: [(Place, &str); 5] = [
    (Place::Directory, "newNonce"),
    (Place::Account, "status"),
    (Place::NewOrder, "status"),
    (Place::Authorization, "status"),
    (Place::Finalize, "status"),
];

#[test]
fn other_json() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        // Each change at finalize, where most is at stake, and at the other places in turn.
        let turn = Cell::new(0);
        for (place, member) in PLACES {
            let here = || {
                turn.set(turn.get() + 1);
                place == Place::Finalize || turn.get() % 4 == 0
            };
            let syntax = || fails!(Machine(E::Json { error: JsonError::Syntax { .. }, .. }), "JSON");
            let mut row = |name: &str, change: fn(&mut Vec<u8>, &str)| {
                if !here() {
                    return;
                }
                scenes.push(
                    scene(format!("{name} at {place:?}"))
                        .rule(on(place).edit(move |response| change(&mut response.body, member)))
                        .ends(syntax()),
                );
            };
            row("a cut object", |body, _| body.truncate(body.len() / 2));
            row("nothing", |body, _| body.clear());
            row("a member twice", |body, member| {
                let rest = body.split_off(1);
                body.extend(format!("\"{member}\":\"https://evil.example/\",").bytes());
                body.extend(rest);
            });
            row("a number for a string", |body, member| {
                let mut value: serde_json::Value = serde_json::from_slice(body).unwrap();
                value[member] = json!(7);
                *body = value.to_string().into_bytes();
            });
            row("null for a string", |body, member| {
                let mut value: serde_json::Value = serde_json::from_slice(body).unwrap();
                value[member] = json!(null);
                *body = value.to_string().into_bytes();
            });
            row("two objects", |body, _| body.extend_from_slice(b"{}"));
            row("an array", |body, _| *body = b"[]".to_vec());
            row("HTML", |body, _| *body = b"<html>all is well</html>".to_vec());
            row("UTF-16", |body, _| *body = body.iter().flat_map(|octet| [*octet, 0]).collect());
            scenes.push(
                scene(format!("deep nesting at {place:?}"))
                    .rule(on(place).body([b"{\"a\":".repeat(40), b"1".to_vec(), b"}".repeat(40)].concat()))
                    .ends(fails!(Machine(E::Json { error: JsonError::TooDeep { .. }, .. }), "deeper than")),
            );
            scenes.push(
                scene(format!("too much at {place:?}"))
                    .rule(on(place).body(vec![b' '; 64 * 1_024 + 1]))
                    .ends(fails!(
                        Machine(E::Http { error: HttpError::TooLarge { .. }, .. }),
                        "exceeds the limit of 65536 octets"
                    )),
            );
            // What is right inside is taken; the label is not believed either way.
            scenes.push(
                scene(format!("another content type at {place:?}"))
                    .rule(on(place).header("content-type", Some("text/html"))),
            );
            scenes.push(scene(format!("members nobody knows at {place:?}")).rule(on(place).json(|value| {
                value["constructor"] = json!({ "__proto__": [1, 2, { "deep": null }] });
            })));
        }
        stage.play(scenes).await;
    });
}
