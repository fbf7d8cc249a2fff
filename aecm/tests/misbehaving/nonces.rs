//! N1: nonces that are refused, missing or malformed.

use aecm::acme::client::ClientError::Machine;
use aecm::acme::machine::Error as E;

use crate::script::{Place, on, on_posts};
use crate::stage::{Stage, fails, scene};
use crate::world::run;

#[test]
fn nonces() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = vec![scene("nothing is wrong")];
        for place in
            [Place::Account, Place::NewOrder, Place::Authorization, Place::Finalize, Place::Certificate]
        {
            for times in [1, 3] {
                scenes.push(
                    scene(format!("bad nonce {times} times at {place:?}"))
                        .rule(on(place).times(times).problem(400, "badNonce")),
                );
            }
            scenes.push(
                scene(format!("bad nonce for ever at {place:?}"))
                    .rule(on(place).always().problem(400, "badNonce"))
                    .ends(fails!(Machine(E::Nonces { .. }), "nonce")),
            );
        }
        scenes.push(
            scene("every nonce is stale")
                .rule(on_posts().and(Place::Nonce).always().header("replay-nonce", Some("stale")))
                .ends(fails!(Machine(E::Nonces { .. }), "nonce")),
        );
        scenes.push(scene("no nonce once").rule(on_posts().from(2).header("replay-nonce", None)));
        scenes.push(scene("no nonce with any answer").rule(on_posts().always().header("replay-nonce", None)));
        scenes.push(
            scene("no nonce at all")
                .rule(on_posts().and(Place::Nonce).always().header("replay-nonce", None))
                .ends(fails!(Machine(E::HeaderMissing { name: "Replay-Nonce", .. }), "Replay-Nonce")),
        );
        for value in ["two words", "", "nonce=", "n\u{f6}nce", "a,b"] {
            scenes.push(
                scene(format!("the nonce is {value:?}"))
                    .rule(on_posts().and(Place::Nonce).always().header("replay-nonce", Some(value)))
                    .ends(fails!(Machine(E::HeaderMissing { name: "Replay-Nonce", .. }), "Replay-Nonce")),
            );
        }
        scenes.push(scene("two nonces in one answer").rule(on_posts().always().edit(|response| {
            response.headers.push(("replay-nonce".into(), "another".into()));
        })));
        stage.play(scenes).await;
    });
}
