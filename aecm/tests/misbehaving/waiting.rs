//! N4, N10: a service that has no time, answers slowly or never, or asks for absurd waits.

use std::time::Duration;

use aecm::acme::client::ClientError::{Deadline, Machine};
use aecm::acme::machine::{Error as E, StepName as S};
use aecm::core::embed::{Clock, HttpError, HttpResponse};
use aecm::core::time::Time;

use crate::script::{Act, Place, on, on_posts, problem, set_header};
use crate::stage::{Stage, fails, scene};
use crate::world::run;

const PLACES: [Place; 6] =
    [Place::Directory, Place::Nonce, Place::Account, Place::NewOrder, Place::Finalize, Place::Certificate];

/// RFC 9110 §5.6.7.
fn http_date(time: Time) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.to_string();
    let (date, clock) = text.trim_end_matches('Z').split_once('T').unwrap();
    let parts: Vec<&str> = date.split('-').collect();
    let month = MONTHS[parts[1].parse::<usize>().unwrap() - 1];
    format!("Mon, {} {month} {} {clock} GMT", parts[2], parts[0])
}

fn busy(status: u16, wait: &str) -> HttpResponse {
    let headers = vec![("retry-after".to_owned(), wait.to_owned())];
    HttpResponse { status, headers, body: Vec::new() }
}

#[test]
fn asked_to_come_again() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        for place in PLACES {
            for status in [429, 503] {
                scenes.push(
                    scene(format!("{status} with Retry-After in seconds at {place:?}"))
                        .rule(on(place).forge(move |_| busy(status, "20")))
                        .within(25),
                );
            }
            let clock = stage.clock.clone();
            scenes.push(
                scene(format!("503 with Retry-After as a date at {place:?}"))
                    .rule(
                        on(place)
                            .forge(move |_| busy(503, &http_date(clock.now().plus(Duration::from_secs(40))))),
                    )
                    .within(45),
            );
        }
        for wait in ["-5", "soon", "1.5", "", "0", "5, 6", "Thu, 01 Jan 1970 00:00:00 GMT", "\u{1f550}"] {
            scenes.push(
                scene(format!("503 with Retry-After {wait:?}"))
                    .rule(on(Place::NewOrder).times(2).forge(move |_| busy(503, wait)))
                    .within(20),
            );
        }
        // Clamped to an hour, which is longer than this call may take.
        for wait in ["315360000", "99999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            scenes.push(
                scene(format!("503 with Retry-After {wait:?}, and half an hour"))
                    .rule(on(Place::NewOrder).forge(move |_| busy(503, wait)))
                    .within(1_801)
                    .ends(fails!(
                        Deadline { step: S::NewOrder },
                        "opening the order",
                        "deadline",
                        "call again"
                    )),
            );
            scenes.push(
                scene(format!("503 with Retry-After {wait:?}, and two hours"))
                    .rule(on(Place::NewOrder).forge(move |_| busy(503, wait)))
                    .deadline(7_200)
                    .within(3_601),
            );
        }
        scenes.push(
            scene("rateLimited for ever")
                .rule(on(Place::NewOrder).always().forge(|_| {
                    let mut answer = problem(429, "rateLimited");
                    set_header(&mut answer, "retry-after", Some("60"));
                    answer
                }))
                .within(600)
                .ends(fails!(Machine(E::Problem { step: S::NewOrder, .. }), "rateLimited", "Monday")),
        );
        stage.play(scenes).await;
    });
}

#[test]
fn out_of_order() {
    run(async {
        let stage = Stage::new().await;
        let html = "<html><body><h1>Internal Server Error</h1></body></html>";
        let mut scenes = Vec::new();
        for place in PLACES {
            for status in [500, 502] {
                scenes.push(scene(format!("{status} with HTML once at {place:?}")).rule(on(place).answer(
                    status,
                    &[("content-type", "text/html")],
                    html,
                )));
            }
            scenes.push(
                scene(format!("500 for ever at {place:?}"))
                    .rule(on(place).always().answer(500, &[("content-type", "text/html")], html))
                    .within(600)
                    .ends(fails!(Machine(E::Status { status: 500, .. }), "500")),
            );
            scenes.push(scene(format!("no end once at {place:?}")).rule(on(place).act(Act::Hang)).within(70));
            scenes.push(
                scene(format!("no end once at {place:?}, the request taken"))
                    .rule(on(place).act(Act::HangAfter))
                    .within(70),
            );
        }
        for status in [400, 404, 418, 451, 501] {
            scenes.push(
                scene(format!("{status} with HTML"))
                    .rule(on(Place::NewOrder).answer(status, &[("content-type", "text/html")], html))
                    .ends(fails!(Machine(E::Status { .. }), "opening the order", "status")),
            );
        }
        scenes.push(scene("500 taken and answered with HTML at finalize").rule(on(Place::Finalize).edit(
            |response| {
                response.status = 500;
                response.body = b"<html>".to_vec();
            },
        )));
        scenes.push(
            scene("no end ever").rule(on(Place::NewOrder).always().act(Act::Hang)).within(1_000).ends(
                fails!(
                    Machine(E::Http { step: S::NewOrder, error: HttpError::Timeout { .. } }),
                    "no answer from https://"
                ),
            ),
        );
        scenes.push(
            scene("no end, and a short call")
                .rule(on(Place::NewOrder).always().act(Act::Hang))
                .deadline(30)
                .within(31)
                .ends(fails!(Deadline { step: S::NewOrder }, "deadline")),
        );
        scenes.push(
            scene("every answer takes 20 seconds")
                .rule(on_posts().always().act(Act::Slow(Duration::from_secs(20))))
                .within(300),
        );
        scenes.push(
            scene("an answer takes 70 seconds")
                .rule(on(Place::Finalize).act(Act::Slow(Duration::from_secs(70))))
                .within(70),
        );
        stage.play(scenes).await;
    });
}
