//! Looking for a path, from the leaf upwards, within a budget (THREATS A5).

use alloc::vec::Vec;

use super::budget::{Budget, Spent};
use super::names::{self, Fault, NameConstraints};
use super::revocation::{self, Status};
use super::{
    Anchors, Path, PathFailure, PathOptions, PathReason, PathTolerance, RevocationStatus, policies, rules,
};
use crate::certificate::{Certificate, names_match};
use crate::signature::Sm2Id;

pub(super) struct Search<'a> {
    intermediates: &'a [Certificate],
    anchors: &'a Anchors,
    options: &'a PathOptions,
    budget: &'a mut Budget,
    /// The most specific failure so far.
    failure: Option<PathFailure>,
}

// The search is over: found, or given up.
enum Outcome {
    Found(Path),
    GaveUp(PathFailure),
}

impl<'a> Search<'a> {
    pub(super) const fn new(
        intermediates: &'a [Certificate],
        anchors: &'a Anchors,
        options: &'a PathOptions,
        budget: &'a mut Budget,
    ) -> Self {
        Self { intermediates, anchors, options, budget, failure: None }
    }

    pub(super) fn run(mut self, leaf: &'a Certificate) -> Result<Path, PathFailure> {
        match self.extend(&mut Vec::from([leaf])) {
            Some(Outcome::Found(path)) => Ok(path),
            Some(Outcome::GaveUp(failure)) => Err(failure),
            None => Err(self.failure.unwrap_or_else(|| PathFailure::new(PathReason::NoPathToAnchor, leaf))),
        }
    }

    // Tries every issuer of the last certificate of `chain`; `None` says that none of them leads to an anchor.
    // As deep as the chain is long, which the limit on intermediates bounds.
    fn extend(&mut self, chain: &mut Vec<&'a Certificate>) -> Option<Outcome> {
        let child = *chain.last()?;
        // The leaf is not counted, nor are self-issued CAs (RFC 5280 §4.2.1.9).
        let below = chain.iter().skip(1).filter(|ca| !ca.is_self_issued()).count();
        // An empty Name is the SEQUENCE without content: nothing could be chained to it.
        if child.issuer_der() == [0x30, 0x00] {
            self.note(PathReason::NameChaining, child);
            return None;
        }
        let mut met = false;

        let anchors = self.anchors.certificates();
        for anchor in candidates(child, anchors) {
            match self.is_issuer(child, anchor) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(outcome) => return Some(outcome),
            }
            met = true;
            match self.signed(child, anchor) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(outcome) => return Some(outcome),
            }
            match rules::anchor(anchor, below, self.options) {
                Ok(()) => {
                    chain.push(anchor);
                    let outcome = self.whole(chain);
                    chain.pop();
                    if outcome.is_some() {
                        return outcome;
                    }
                }
                Err(reason) => self.note(reason, anchor),
            }
        }

        for ca in candidates(child, self.intermediates) {
            if chain.contains(&ca) || anchors.contains(ca) {
                continue;
            }
            match self.is_issuer(child, ca) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(outcome) => return Some(outcome),
            }
            // The same CA under another certificate would lead round in circles.
            let seen = |known: &&Certificate| {
                known.subject_der() == ca.subject_der() && known.spki_der() == ca.spki_der()
            };
            if chain.iter().any(seen) {
                continue;
            }
            met = true;
            if chain.len() > self.options.limits.intermediates {
                self.note(PathReason::BudgetExceeded, ca);
                continue;
            }
            match self.signed(child, ca) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(outcome) => return Some(outcome),
            }
            if let Err(reason) = rules::ca(ca, below, self.options) {
                self.note(reason, ca);
                continue;
            }
            chain.push(ca);
            let outcome = self.extend(chain);
            chain.pop();
            if outcome.is_some() {
                return outcome;
            }
        }
        if !met {
            self.note(PathReason::NoPathToAnchor, child);
        }
        None
    }

    // The rules for the path as a whole, from the leaf to the anchor.
    fn whole(&mut self, chain: &[&'a Certificate]) -> Option<Outcome> {
        match self.names(chain) {
            Ok(()) => {}
            Err((Fault::Spent, at)) => return Some(gave_up(at)),
            Err((Fault::Reason(reason), at)) => {
                self.note(reason, at);
                return None;
            }
        }
        let valid_policies = match policies::process(chain, self.options) {
            Ok(valid_policies) => valid_policies,
            Err((reason, place)) => {
                if let Some(at) = chain.get(place) {
                    self.note(reason, at);
                }
                return None;
            }
        };
        let mut tolerances = rules::tolerances(chain);
        let mut revocation_unknown = Vec::new();
        let mut checker =
            revocation::Checker::new(self.options, self.intermediates, chain.first().copied(), self.budget);
        for place in 0..chain.len().saturating_sub(1) {
            let rest = chain.get(place..).unwrap_or_default();
            let Some(certificate) = rest.first().copied() else { continue };
            let failed = match checker.status(rest) {
                Err(Spent) => return Some(gave_up(certificate)),
                Ok(Status::Good) => continue,
                Ok(Status::Unknown) => {
                    revocation_unknown.push(certificate.clone());
                    if !self.options.revocation.required {
                        continue;
                    }
                    PathReason::RevocationUnknown
                }
                Ok(Status::Revoked { date, reason }) => PathReason::Revoked { date, reason },
            };
            if place == 0 && matches!(failed, PathReason::Revoked { .. }) {
                // No other path makes the leaf any better.
                return Some(Outcome::GaveUp(PathFailure::new(failed, certificate)));
            }
            self.note(failed, certificate);
            return None;
        }
        if checker.weak_digest && !tolerances.contains(&PathTolerance::WeakDigest) {
            tolerances.push(PathTolerance::WeakDigest);
        }
        let revocation =
            if revocation_unknown.is_empty() { RevocationStatus::Good } else { RevocationStatus::Unknown };
        let chain = chain.iter().copied().cloned().collect();
        Some(Outcome::Found(Path { chain, valid_policies, revocation, revocation_unknown, tolerances }))
    }

    // RFC 5280 §6.1.3 (b) and (c), §6.1.4 (g), from the anchor down.
    fn names(&mut self, chain: &[&'a Certificate]) -> Result<(), (Fault, &'a Certificate)> {
        let mut constraints = Vec::new();
        for (place, certificate) in chain.iter().copied().enumerate().rev() {
            let anchor = place + 1 == chain.len();
            // A CA that certifies itself is what it is already.
            if !anchor && (place == 0 || !certificate.is_self_issued()) {
                names::check(certificate, &constraints, self.budget).map_err(|fault| (fault, certificate))?;
            }
            if place > 0 {
                let own = NameConstraints::of(certificate);
                constraints.extend(own.map_err(|reason| (Fault::Reason(reason), certificate))?);
            }
        }
        Ok(())
    }

    fn is_issuer(&mut self, child: &Certificate, candidate: &Certificate) -> Result<bool, Outcome> {
        self.budget.compare_names(1).map_err(|Spent| gave_up(child))?;
        Ok(names_match(child.issuer_der(), candidate.subject_der()))
    }

    // Whether `issuer` signed `child` in a way that counts.
    fn signed(&mut self, child: &Certificate, issuer: &Certificate) -> Result<bool, Outcome> {
        let Some(key) = issuer.public_key() else {
            self.note(PathReason::UnsupportedAlgorithm, issuer);
            return Ok(false);
        };
        if let Err(reason) = rules::signature_algorithm(child, key, self.options) {
            self.note(reason, child);
            return Ok(false);
        }
        self.budget.check_signature().map_err(|Spent| gave_up(child))?;
        if child.verify_signature_by(key, Sm2Id::Default).is_err() {
            self.note(PathReason::BadSignature, child);
            return Ok(false);
        }
        Ok(true)
    }

    // Of equals the first stays: it was met nearer to the leaf.
    fn note(&mut self, reason: PathReason, at: &Certificate) {
        if self.failure.as_ref().is_none_or(|known| known.reason.rank() < reason.rank()) {
            self.failure = Some(PathFailure::new(reason, at));
        }
    }
}

fn gave_up(at: &Certificate) -> Outcome {
    Outcome::GaveUp(PathFailure::new(PathReason::BudgetExceeded, at))
}

// Those whose key identifier is the one that the child names first, those with another one last: a hint only
// (RFC 5280 §4.2.1.1), so that junk of the right name does not eat the budget.
fn candidates<'a>(child: &Certificate, among: &'a [Certificate]) -> impl Iterator<Item = &'a Certificate> {
    let hint = |candidate: &Certificate| match (
        child.authority_key_identifier(),
        candidate.subject_key_identifier(),
    ) {
        (Some(wanted), Some(found)) if wanted == found => 0,
        (Some(_), Some(_)) => 2,
        _ => 1,
    };
    let mut ordered: Vec<(u8, &Certificate)> =
        among.iter().map(|candidate| (hint(candidate), candidate)).collect();
    ordered.sort_by_key(|(hint, _)| *hint);
    ordered.into_iter().map(|(_, candidate)| candidate)
}
