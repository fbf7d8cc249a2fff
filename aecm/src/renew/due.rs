//! When a certificate is due: what the server would like (RFC 9773), else the last third of its life.

use core::time::Duration;
use std::sync::Arc;

use aecm_acme::client::{ClientError, Observer};
use aecm_acme::wire::RenewalWindow;
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::time::Time;

use super::{Asked, RenewPlan, Renewed, Taken, renewable};
use crate::error::Error;
use crate::mailbox::Mailbox;

/// A certificate is kept so long at least, whatever the server would like: a server that always wants a renewal
/// at once does not get one at every call.
const SHORTEST: Duration = Duration::from_secs(3_600);

impl Mailbox {
    /// Renews the slots that are due at `now`: those whose moment in the window that the server suggests
    /// (RFC 9773 §4.2) has come, and where it suggests none, those in the last third of their life. Call it once a
    /// day.
    ///
    /// What other devices did is learnt first ([`Mailbox::events`]): keys that they gave are taken; an encrypting
    /// key that they replaced is asked for, and one that they revoked is followed, by theirs where they made one.
    /// Each slot is renewed on its own, as [`Mailbox::renew`] does.
    ///
    /// The moment in a window is fixed for each certificate and device, spread evenly. However the server suggests
    /// it, a certificate is kept for an hour at least (or a twenty-fourth of its life), and followed before the last
    /// twelfth of its life. A server that does not answer is no reason to fail while nothing is due: the dates
    /// decide then.
    ///
    /// # Errors
    /// As [`Mailbox::renew`], but for the failure of an only slot, which its report carries.
    pub async fn renew_if_due(&self, now: Time) -> Result<Renewed, Error> {
        self.renew_if_due_observed(now, None).await
    }

    /// As [`Mailbox::renew_if_due`], telling `observer` what happens.
    ///
    /// # Errors
    /// As [`Mailbox::renew_if_due`].
    pub async fn renew_if_due_observed(
        &self,
        now: Time,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Renewed, Error> {
        let _turn = self.turn().await?;
        let (taken, mut reachable) = match self.take_given().await {
            Ok(taken) => (taken, self.hear().await?),
            // What is due says so itself.
            Err(Error::Provision(ClientError::ServiceUnreachable { .. })) => (Taken::default(), false),
            Err(error) => return Err(error),
        };
        let ring = self.keyring().await?;
        let mut slots = if reachable { self.lost_elsewhere(&ring).await? } else { Vec::new() };
        let anew = slots.clone();
        let mut next: Option<Time> = None;
        for entry in renewable(&ring) {
            let Some(certificate) = &entry.certificate else { continue };
            if slots.iter().any(|slot| slot.same_place(&entry.slot)) {
                continue;
            }
            let mut window = None;
            if reachable {
                match self.client().renewal_info(certificate, self.soon()).await {
                    Ok(info) => window = info.map(|info| info.suggested_window),
                    // Each slot would wait for the same silence.
                    Err(ClientError::ServiceUnreachable { .. }) => reachable = false,
                    Err(_) => {}
                }
            }
            let moment = moment(certificate, window, ring.device.as_str());
            if moment <= now {
                slots.push(entry.slot.clone());
            } else {
                next = Some(next.map_or(moment, |known| known.min(moment)));
            }
        }
        let asked = Asked { slots, call: "due".to_owned(), rekey: false, strict: false, anew };
        let renewed = self.renew_asked(&RenewPlan::all(), asked, taken, observer).await?;
        self.heeded(&renewed).await?;
        Ok(Renewed { next, ..renewed })
    }
}

/// When a certificate is to be followed.
fn moment(certificate: &Certificate, window: Option<RenewalWindow>, device: &str) -> Time {
    let (start, end) = (certificate.not_before(), certificate.not_after());
    let life = end.since(start);
    let suggested = window.filter(|window| window.start < window.end).map(|window| {
        let width = window.end.since(window.start).as_secs();
        // The same at every call, another for each certificate and device.
        let seed = [certificate.sha256().as_slice(), device.as_bytes()].concat();
        let digest = DigestAlgorithm::Sha256.digest(&seed);
        let spread = digest.iter().take(4).fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
        let share = u64::try_from((u128::from(width) * u128::from(spread)) >> 32).unwrap_or(width);
        window.start.plus(Duration::from_secs(share))
    });
    let moment = suggested.unwrap_or_else(|| start.plus(life / 3 * 2));
    let earliest = start.plus(SHORTEST.min(life / 24));
    let latest = end.minus(life / 12);
    moment.min(latest).max(earliest)
}

#[cfg(test)]
mod tests;
