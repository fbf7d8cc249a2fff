//! What is told to `tracing`: steps, and of each exchange method, URL, status and the type of a problem. Never a
//! header field or a body: they hold nonces, tokens and signatures (THREATS N9).

use aecm_core::embed::{HttpError, HttpResponse, Method};
use aecm_core::limits::Limits;

use crate::machine::StepName;
use crate::plan::PlanItem;
use crate::wire::{self, Problem};

pub(super) fn step(step: StepName, item: Option<&PlanItem>) {
    match item {
        Some(item) => tracing::info!(%step, %item, "step"),
        None => tracing::info!(%step, "step"),
    }
}

pub(super) fn exchange(method: Method, url: &str, answer: &Result<HttpResponse, HttpError>, limits: &Limits) {
    let method = method.word();
    match answer {
        Ok(response) if response.status < 400 => {
            tracing::debug!(method, url, status = response.status, "answered");
        }
        Ok(response) => {
            let problem = wire::parse::<Problem>(&response.body, limits).ok();
            // Foreign text: escaped, so that it cannot forge a line of a log.
            let kind = problem.map(|problem| problem.kind.uri().escape_debug().to_string());
            let problem = kind.as_deref().unwrap_or("none");
            tracing::warn!(method, url, status = response.status, problem, "refused");
        }
        Err(error) => tracing::warn!(method, url, %error, "no answer"),
    }
}

/// Every wish of the machine: `wished` when its state is stored and nothing is done yet, `done` when it was carried
/// out and the machine does not know of it yet. Whoever ends a process at each of them has ended it everywhere.
pub(super) fn output(output: &'static str, place: &'static str) {
    tracing::trace!(target: "aecm_acme::output", output, place);
}
