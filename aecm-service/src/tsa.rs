//! The timestamp authority: one unit in each suite, RFC 3161 over HTTP (§3.4).

use std::sync::Arc;
use std::time::Duration;

use aecm_core::embed::{Clock, Rng};
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_smime::sign::SigningIdentity;
use aecm_timestamp::issue::Unit;

use crate::ca::{IssueError, POLICY_TSA, Pki, Realm, Template};
use crate::net::{Answer, Ask};

/// The units.
pub(crate) struct Tsa {
    classic: Unit,
    sm2: Unit,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl core::fmt::Debug for Tsa {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tsa")
    }
}

impl Tsa {
    /// Makes both units under the TSA issuers; `classic` is the key type of the classic one.
    pub(crate) async fn new(
        pki: &Pki,
        classic: KeySpec,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, IssueError> {
        let now = clock.now();
        let classic = unit(pki, Suite::Classic, classic, &rng, now).await?;
        let sm2 = unit(pki, Suite::Sm2, KeySpec::Sm2, &rng, now).await?;
        Ok(Self { classic, sm2, clock, rng })
    }

    /// Answers a request whose path begins with `/tsa/`.
    pub(crate) async fn answer(&self, ask: Ask) -> Answer {
        let unit = match ask.path.strip_prefix("/tsa/") {
            Some("classic") => &self.classic,
            Some("sm2") => &self.sm2,
            _ => return status(404),
        };
        if ask.method != "POST" {
            return status(405);
        }
        if ask.content_type.as_deref() != Some("application/timestamp-query") {
            return status(415);
        }
        let body = match &ask.body {
            Ok(body) => body,
            Err(unread) => return status(unread.status()),
        };
        let mut serial = [0u8; 16];
        if self.rng.fill(&mut serial).is_err() {
            return status(500);
        }
        let body = unit.answer(body, self.clock.now(), &serial).await;
        Answer::content("application/timestamp-reply", body)
    }
}

async fn unit(
    pki: &Pki,
    suite: Suite,
    spec: KeySpec,
    rng: &Arc<dyn Rng>,
    now: Time,
) -> Result<Unit, IssueError> {
    let issuer = pki.issuer(Realm::Tsa, suite)?;
    let name = format!("AECM Test TSA {suite} Unit");
    let unit = issuer.end_entity(&Template::timestamp_unit(&name), spec, rng, now).await?;
    let identity = SigningIdentity { certificate: unit.0, chain: issuer.chain_below(), signer: unit.1 };
    Ok(Unit::new(identity, POLICY_TSA).with_accuracy(Duration::from_secs(1)))
}

fn status(status: u16) -> Answer {
    Answer::empty(status)
}
