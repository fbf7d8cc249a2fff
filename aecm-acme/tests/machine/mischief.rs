//! A server that misbehaves on script: every fault ends in a typed error or is overcome, and never in a request
//! to another origin (the server asserts that itself) or an installed certificate that is wrong.

use aecm_acme::machine::Error;
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::wire::TokenSubmission;
use aecm_core::embed::{HttpRequest, HttpResponse};
use aecm_core::suite::{Purpose, Suite};
use serde_json::Value;

use super::server::Server;
use super::world::{NOW, Stop, World, alice};

pub fn one() -> Plan {
    Plan { mailbox: alice(), items: vec![PlanItem::new(Suite::Classic, Purpose::Sign)] }
}

/// Runs one certificate with answers changed by `tamper`.
pub fn run(
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
pub fn edit(
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

pub fn with_csr(tamper: impl FnMut(&HttpRequest, &mut HttpResponse) + Send + 'static) -> Error {
    run(TokenSubmission::WithCsr, tamper).1
}
