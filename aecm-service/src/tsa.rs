//! The timestamp authority: one unit in each suite, RFC 3161 over HTTP (§3.4).

use std::sync::Arc;
use std::time::Duration;

use aecm_core::embed::{Clock, Rng};
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_smime::sign::SigningIdentity;
use aecm_timestamp::issue::Unit;

use crate::ca::{IssueError, KeyPair, POLICY_TSA, Pki, Realm, Template, new_key};
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
    /// Both units under the TSA issuers.
    pub(crate) fn new(
        pki: &Pki,
        classic: KeyPair,
        sm2: KeyPair,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, IssueError> {
        let classic = unit(pki, Suite::Classic, classic, &rng)?;
        let sm2 = unit(pki, Suite::Sm2, sm2, &rng)?;
        Ok(Self { classic, sm2, clock, rng })
    }

    /// Makes the key and the certificate of a unit.
    pub(crate) async fn generate_unit(
        pki: &Pki,
        suite: Suite,
        spec: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<KeyPair, IssueError> {
        let name = format!("AECM Test TSA {suite} Unit");
        let key = new_key(spec, rng)?;
        let issuer = pki.issuer(Realm::Tsa, suite)?;
        let template = Template::timestamp_unit(&name);
        let certificate = issuer.issue(&template, key.public_key(), rng.as_ref(), now).await?;
        Ok(KeyPair { key, certificate })
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

fn unit(pki: &Pki, suite: Suite, pair: KeyPair, rng: &Arc<dyn Rng>) -> Result<Unit, IssueError> {
    let chain = pki.issuer(Realm::Tsa, suite)?.chain_below();
    let signer = Arc::new(pair.key.into_signer(Arc::clone(rng)));
    let identity = SigningIdentity { certificate: pair.certificate, chain, signer };
    Ok(Unit::new(identity, POLICY_TSA).with_accuracy(Duration::from_secs(1)))
}

fn status(status: u16) -> Answer {
    Answer::empty(status)
}
