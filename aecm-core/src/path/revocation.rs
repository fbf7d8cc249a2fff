//! Whether a certificate of a path is revoked: CRLs (RFC 5280 §6.3.3) and OCSP responses (RFC 6960 §3.2).

mod crls;
mod ocsp;
mod scope;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::budget::{Budget, Spent};
use super::{Anchors, PathOptions, PathPurpose, Revocation, rules, search};
use crate::certificate::{Certificate, names_match};
use crate::crl::RevocationReason;
use crate::public_key::PublicKey;
use crate::signature::SignatureAlgorithm;
use crate::time::Time;

/// What is known about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked { date: Time, reason: Option<RevocationReason> },
    Unknown,
}

/// Whether a stamper was revoked for a reason that leaves its earlier stamps alone (RFC 3161 §4, 1.).
const fn is_retired(reason: RevocationReason) -> bool {
    matches!(
        reason,
        RevocationReason::Unspecified
            | RevocationReason::AffiliationChanged
            | RevocationReason::Superseded
            | RevocationReason::CessationOfOperation
    )
}

/// How far the sender's clock may be ahead, in seconds.
const CLOCK_SKEW: i64 = 300;

/// How long evidence is fresh that does not say until when it is, in seconds: a day.
const UNSTATED_FRESHNESS: i64 = 86_400;

/// Looks at the evidence for the certificates of one path.
pub(super) struct Checker<'a> {
    options: &'a PathOptions,
    intermediates: &'a [Certificate],
    budget: &'a mut Budget,
    /// The leaf, where it stamps times.
    stamper: Option<&'a Certificate>,
    /// Whether a CRL is believed, by its place in the evidence, whether a signer of evidence is looked at, and the
    /// issuers above the certificate in question: who may sign for it depends on them.
    believed: BTreeMap<(usize, bool, Vec<[u8; 32]>), bool>,
    /// Whether evidence signed with SHA-1 was believed.
    pub(super) weak_digest: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        options: &'a PathOptions,
        intermediates: &'a [Certificate],
        leaf: Option<&'a Certificate>,
        budget: &'a mut Budget,
    ) -> Self {
        let stamper = leaf.filter(|_| options.revocation.stamper);
        Self { options, intermediates, budget, stamper, believed: BTreeMap::new(), weak_digest: false }
    }

    /// What is known about the first certificate of `chain`, which goes on to the anchor.
    pub(super) fn status(&mut self, chain: &[&Certificate]) -> Result<Status, Spent> {
        let evidence = self.evidence();
        if evidence.crls.is_empty() && evidence.ocsp.is_empty() {
            return Ok(Status::Unknown);
        }
        match self.by_ocsp(chain)? {
            revoked @ Status::Revoked { .. } => Ok(revoked),
            by_ocsp => match self.by_crls(chain, false)? {
                Status::Unknown => Ok(by_ocsp),
                by_crls => Ok(by_crls),
            },
        }
    }

    const fn evidence(&self) -> &'a Revocation {
        &self.options.revocation
    }

    /// Whether evidence of that time says how things stand now.
    fn is_fresh(&self, this_update: Time, next_update: Option<Time>) -> bool {
        let Some(now) = self.options.now() else { return false };
        let end = next_update
            .unwrap_or_else(|| Time::from_unix(this_update.unix().saturating_add(UNSTATED_FRESHNESS)));
        this_update.unix() <= now.unix().saturating_add(CLOCK_SKEW) && now <= end
    }

    /// What an entry says about the certificate at the time of judgement. `None` where it does not say.
    fn judge(
        &self,
        certificate: &Certificate,
        date: Time,
        reason: Option<RevocationReason>,
        invalidity_date: Option<Time>,
        fresh: bool,
    ) -> Option<Status> {
        let since = invalidity_date.map_or(date, |invalidity| invalidity.min(date));
        // A key in other hands signs whatever date its new holder likes.
        let compromised = reason.is_some_and(RevocationReason::is_compromise);
        let always = match self.stamper {
            Some(stamper) if stamper == certificate => !reason.is_some_and(is_retired),
            Some(_) => compromised,
            None => compromised && invalidity_date.is_none(),
        };
        if always || self.options.at.is_none_or(|at| since <= at) {
            // Only what is on hold can come back.
            let lasting = reason != Some(RevocationReason::CertificateHold);
            return (fresh || lasting).then_some(Status::Revoked { date, reason });
        }
        fresh.then_some(Status::Good)
    }

    /// Whether evidence may be signed with that algorithm.
    fn accepts(&mut self, algorithm: SignatureAlgorithm) -> bool {
        let weak = algorithm.digest().is_weak();
        self.weak_digest |= weak && self.options.sha1;
        !weak || self.options.sha1
    }

    /// How the signers of evidence are judged: when the evidence has to be fresh, and without evidence.
    fn options_of_signers(&self) -> PathOptions {
        let mut options = PathOptions::new(PathPurpose::Any, self.options.now(), self.options.limits.clone());
        options.rsa_bits_min = self.options.rsa_bits_min;
        options.sha1 = self.options.sha1;
        options
    }

    /// Whether a certificate beside the path may have signed a CRL: it has a path of its own to the same anchor
    /// (RFC 5280 §6.3.3 (f)), on which nothing is known to be revoked. Where its name is that of an issuer `above`,
    /// one of those above has to have certified it: the name alone could be taken by any CA under the anchor.
    fn has_path(
        &mut self,
        signer: &Certificate,
        above: &[&Certificate],
        of_signer: bool,
    ) -> Result<bool, Spent> {
        let Some(anchor) = above.last().copied() else { return Ok(false) };
        let options = self.options_of_signers();
        let anchors = Anchors::new([anchor.clone()].into());
        if rules::leaf(signer, &anchors, &options).is_err() {
            return Ok(false);
        }
        let found = search::Search::new(self.intermediates, &anchors, &options, self.budget).run(signer);
        let Ok(path) = found else {
            return if self.budget.signature_checks() == 0 || self.budget.name_comparisons() == 0 {
                Err(Spent)
            } else {
                Ok(false)
            };
        };
        let same = |one: &Certificate, other: &Certificate| {
            one.spki_der() == other.spki_der() && names_match(one.subject_der(), other.subject_der())
        };
        let taken = above.iter().any(|ca| names_match(ca.subject_der(), signer.subject_der()));
        let certified = path.chain.get(1).is_some_and(|issuer| above.iter().any(|ca| same(issuer, ca)));
        if taken && !certified {
            return Ok(false);
        }
        if of_signer {
            return Ok(true);
        }
        let chain: Vec<&Certificate> = path.chain.iter().collect();
        for place in 0..chain.len().saturating_sub(1) {
            let rest = chain.get(place..).unwrap_or_default();
            if matches!(self.by_crls(rest, true)?, Status::Revoked { .. }) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn verified(
        &mut self,
        key: &PublicKey,
        algorithm: Option<SignatureAlgorithm>,
        verify: impl FnOnce(&PublicKey) -> bool,
    ) -> Result<bool, Spent> {
        let Some(algorithm) = algorithm else { return Ok(false) };
        if !self.accepts(algorithm) {
            return Ok(false);
        }
        self.budget.check_signature()?;
        Ok(verify(key))
    }
}
