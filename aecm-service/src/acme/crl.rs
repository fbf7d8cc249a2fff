//! Certificate revocation lists: one an issuer, signed anew when the last one is old or something was revoked
//! since.

use std::collections::BTreeMap;
use std::time::Duration;

use aecm_core::crl::{RevocationReason, RevokedEntry, issue};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::AcmeServer;
use super::problem::Problem;
use crate::ca::Realm;
use crate::net::{Answer, Ask};

/// How long a list says it holds (BR §4.9.7: at most ten days).
const LIFETIME: Duration = Duration::from_secs(86_400);
/// How much a verifier's clock may be behind ours.
const BACKDATING: Duration = Duration::from_secs(300);

/// How long a list is given out before another is signed, where nothing is revoked meanwhile.
const INTERVAL: Duration = Duration::from_secs(6 * 3_600);

/// The lists that were signed last, by name.
pub(super) type Lists = BTreeMap<String, Signed>;

/// A signed list, and what it was signed for.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    number: u64,
    at: Time,
    entries: Vec<RevokedEntry>,
    der: Vec<u8>,
}

impl Signed {
    /// Whether it still says what there is to say.
    fn holds(&self, entries: &[RevokedEntry], now: Time) -> bool {
        self.at <= now && now.since(self.at) < INTERVAL && self.entries == entries
    }

    fn answer(&self, name: &str, ask: &Ask) -> Answer {
        let tag = format!("\"{name}-{}-{}\"", self.number, self.at.unix());
        // RFC 9110 §13.1.2: any of a list, weak or not.
        let known = ask.if_none_match.as_deref().is_some_and(|tags| {
            tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
        });
        let mut answer = if known {
            Answer::empty(304)
        } else {
            Answer::content("application/pkix-crl", self.der.clone())
        };
        // What is revoked shows at once: ask before using it again.
        answer.headers.extend([("etag", tag), ("cache-control", "no-cache".to_owned())]);
        answer
    }
}

/// How many lists an issuer signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CrlNumber {
    pub(super) last: u64,
}

/// The name of an issuer's list: `{realm}-{suite}`.
pub(crate) fn crl_name(realm: Realm, suite: Suite) -> String {
    format!("{}-{}", realm.word(), suite.word())
}

impl AcmeServer {
    /// Answers a request whose path begins with `/crl/`.
    pub(crate) async fn answer_crl(self: &std::sync::Arc<Self>, ask: &Ask) -> Answer {
        match self.crl(ask).await {
            // The number is durable before the list that has it is seen.
            Ok(answer) => self.commit().await.map_or_else(|problem| problem.answer(), |()| answer),
            Err(problem) => problem.answer(),
        }
    }

    async fn crl(&self, ask: &Ask) -> Result<Answer, Problem> {
        if ask.method != "GET" {
            return Err(Problem::new(405, "malformed", "a revocation list is read with GET")
                .header("allow", "GET".to_owned()));
        }
        let name =
            ask.path.strip_prefix("/crl/").and_then(|path| path.strip_suffix(".crl")).unwrap_or_default();
        let issuer = Realm::ALL
            .into_iter()
            .flat_map(|realm| Suite::ALL.into_iter().map(move |suite| (realm, suite)))
            .find(|(realm, suite)| crl_name(*realm, *suite) == name);
        let (realm, suite) =
            issuer.ok_or_else(|| Problem::new(404, "malformed", "no issuer has a list of that name"))?;
        let internal = |error: &dyn core::fmt::Display| Problem::internal(error.to_string());
        let authority = self.pki.issuer(realm, suite).map_err(|error| internal(&error))?;
        // One list after the other, so that a later number never names an older state.
        let mut lists = self.listing.lock().await;
        let now = self.now();
        let (number, entries) = {
            let mut state = self.state();
            let revoked = state.certificates.values().filter_map(|issued| {
                let (leaf, revocation) = (issued.leaf()?, issued.revoked?);
                let own = leaf.issuer_der() == authority.certificate().subject_der();
                own.then(|| entry(leaf.serial(), revocation.at, revocation.reason))
            });
            let entries: Vec<RevokedEntry> = revoked.collect();
            if let Some(list) = lists.get(name).filter(|list| list.holds(&entries, now)) {
                return Ok(list.answer(name, ask));
            }
            let number = state.crls.get(name).map_or(0, |number| number.last).saturating_add(1);
            state.crls.insert(name.to_owned(), CrlNumber { last: number });
            (number, entries)
        };
        let (from, until) = (now.minus(BACKDATING), now.plus(LIFETIME));
        let list = issue(authority.certificate(), authority.signer().as_ref(), number, &entries, from, until)
            .await
            .map_err(|error| internal(&error))?;
        let list = Signed { number, at: now, entries, der: list.as_der().to_vec() };
        let answer = list.answer(name, ask);
        lists.insert(name.to_owned(), list);
        Ok(answer)
    }
}

fn entry(serial: &[u8], date: Time, reason: u64) -> RevokedEntry {
    let known = RevocationReason::ALL.into_iter().find(|known| u64::from(known.code()) == reason);
    RevokedEntry { serial: serial.to_vec(), date, reason: known.unwrap_or(RevocationReason::Unspecified) }
}
