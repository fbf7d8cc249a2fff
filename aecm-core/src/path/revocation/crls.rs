//! What CRLs say (RFC 5280 §6.3.3).

use alloc::vec::Vec;

use super::super::budget::Spent;
use super::{Checker, Status, scope};
use crate::certificate::{Certificate, names_match};
use crate::crl::{ALL_REASONS, Crl, CrlEntry, DistributionPoint, RevocationReason};
use crate::signature::{SignatureAlgorithm, Sm2Id};

impl<'a> Checker<'a> {
    /// What the CRLs say about the first certificate of `chain`; `of_signer` where that is the signer of evidence,
    /// whose own evidence is not looked into again.
    pub(super) fn by_crls(&mut self, chain: &[&Certificate], of_signer: bool) -> Result<Status, Spent> {
        let Some(certificate) = chain.first().copied() else { return Ok(Status::Unknown) };
        let crls = &self.evidence().crls;
        if crls.is_empty() {
            return Ok(Status::Unknown);
        }
        let mut covered = 0;
        for point in scope::distribution_points(certificate) {
            for (place, crl) in crls.iter().enumerate() {
                let Some(reasons) = self.reasons(crl, certificate, &point)? else { continue };
                // Also where all reasons are covered already: what is revoked by any list is revoked, in whatever
                // order they come.
                if !self.believes(place, chain, of_signer)? {
                    continue;
                }
                match self.by_crl(crl, chain, of_signer)? {
                    Some(revoked @ Status::Revoked { .. }) => return Ok(revoked),
                    Some(_) => covered |= reasons,
                    None => {}
                }
            }
        }
        Ok(if covered == ALL_REASONS { Status::Good } else { Status::Unknown })
    }

    /// The reasons that a complete CRL covers for `certificate` from that distribution point; `None` where it is
    /// not for it (steps (b) to (d)).
    fn reasons(
        &mut self,
        crl: &Crl,
        certificate: &Certificate,
        point: &DistributionPoint,
    ) -> Result<Option<u16>, Spent> {
        if crl.delta_base().is_some() || crl.has_unknown_critical_extension() {
            return Ok(None);
        }
        self.budget.compare_names(scope::comparisons(crl, point))?;
        Ok(scope::reasons(crl, certificate, point))
    }

    /// Whether the CRL is signed by who may sign it (steps (f) and (g)).
    fn believes(&mut self, place: usize, chain: &[&Certificate], of_signer: bool) -> Result<bool, Spent> {
        let above = chain.get(1..).unwrap_or_default();
        let question = (place, of_signer, above.iter().map(|ca| ca.sha256()).collect::<Vec<_>>());
        if let Some(known) = self.believed.get(&question) {
            return Ok(*known);
        }
        let Some(crl) = self.evidence().crls.get(place) else { return Ok(false) };
        // Against going round in circles while it is being found out.
        self.believed.insert(question.clone(), false);
        let believed = self.is_signed(crl, chain, of_signer)?;
        self.believed.insert(question, believed);
        Ok(believed)
    }

    fn is_signed(&mut self, crl: &Crl, chain: &[&Certificate], of_signer: bool) -> Result<bool, Spent> {
        let above = chain.get(1..).unwrap_or_default();
        let beside: Vec<&Certificate> =
            self.intermediates.iter().filter(|hint| !above.contains(hint)).collect();
        for (signer, on_path) in
            above.iter().map(|ca| (*ca, true)).chain(beside.into_iter().map(|hint| (hint, false)))
        {
            self.budget.compare_names(1)?;
            let may_sign = signer.key_usage().is_none_or(|usage| usage.crl_sign());
            if !may_sign || !names_match(crl.issuer_der(), signer.subject_der()) {
                continue;
            }
            // A list that says which key signed it was signed by that key (RFC 5280 §5.2.1).
            let keys = (crl.authority_key_identifier(), signer.subject_key_identifier());
            if !on_path && matches!(keys, (Some(wanted), Some(found)) if wanted != found) {
                continue;
            }
            let Some(key) = signer.public_key() else { continue };
            let algorithm = SignatureAlgorithm::from_identifier(&crl.signature_algorithm(), key, None).ok();
            let verify = |key: &_| crl.verify_signature_by(key, Sm2Id::Default).is_ok();
            if self.verified(key, algorithm, verify)?
                && (on_path || self.has_path(signer, above, of_signer)?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a believed CRL, with the changes to it that there are, says about the first certificate of `chain`
    /// (steps (c), (h) to (k)); `None` where it does not decide.
    fn by_crl(
        &mut self,
        crl: &Crl,
        chain: &[&Certificate],
        of_signer: bool,
    ) -> Result<Option<Status>, Spent> {
        let Some(certificate) = chain.first().copied() else { return Ok(None) };
        let mut fresh = self.is_fresh(crl.this_update(), crl.next_update());
        // Who is not on it any more may have left it by expiring.
        let mut complete = speaks_of(crl, certificate);
        if let Some(delta) = self.delta(crl, chain, of_signer)? {
            fresh = true;
            complete &= speaks_of(delta, certificate);
            if let Some(entry) = self.entry(delta, certificate)? {
                if entry.reason != Some(RevocationReason::RemoveFromCrl) {
                    return Ok(self.judge_entry(certificate, &entry, fresh));
                }
                // Only what was on hold comes back; what was revoked for good may at most have expired.
                let base = self.entry(crl, certificate)?;
                return match base.filter(|entry| entry.reason != Some(RevocationReason::CertificateHold)) {
                    Some(entry) => Ok(self.judge_entry(certificate, &entry, fresh)),
                    None => Ok(complete.then_some(Status::Good)),
                };
            }
        }
        let Some(entry) = self.entry(crl, certificate)? else {
            return Ok((fresh && complete).then_some(Status::Good));
        };
        match entry.reason {
            // Not in a complete list: it cannot be known what is meant.
            Some(RevocationReason::RemoveFromCrl) => return Ok(None),
            // It may have come back in the meantime.
            Some(RevocationReason::CertificateHold) => {
                fresh = fresh && !self.is_replaced(crl, chain, of_signer)?;
            }
            _ => {}
        }
        Ok(self.judge_entry(certificate, &entry, fresh))
    }

    fn judge_entry(&self, certificate: &Certificate, entry: &CrlEntry<'_>, fresh: bool) -> Option<Status> {
        self.judge(certificate, entry.date, entry.reason, entry.invalidity_date, fresh)
    }

    /// The newest believed and fresh list of changes to `crl`.
    fn delta(
        &mut self,
        crl: &Crl,
        chain: &[&Certificate],
        of_signer: bool,
    ) -> Result<Option<&'a Crl>, Spent> {
        let crls = &self.evidence().crls;
        let mut newest: Option<&Crl> = None;
        for (place, delta) in crls.iter().enumerate() {
            if delta.delta_base().is_none() || delta.has_unknown_critical_extension() {
                continue;
            }
            self.budget.compare_names(1)?;
            let newer = newest.is_none_or(|known| scope::is_newer(delta, known));
            if newer
                && scope::is_delta_of(delta, crl)
                && self.is_fresh(delta.this_update(), delta.next_update())
                && self.believes(place, chain, of_signer)?
            {
                newest = Some(delta);
            }
        }
        Ok(newest)
    }

    /// Whether there is a newer believed list in the place of `crl`.
    fn is_replaced(&mut self, crl: &Crl, chain: &[&Certificate], of_signer: bool) -> Result<bool, Spent> {
        for (place, other) in self.evidence().crls.iter().enumerate() {
            self.budget.compare_names(1)?;
            if other.delta_base().is_none()
                && !other.has_unknown_critical_extension()
                && scope::is_newer(other, crl)
                && scope::is_same(other, crl)
                && self.believes(place, chain, of_signer)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn entry<'c>(
        &mut self,
        crl: &'c Crl,
        certificate: &'c Certificate,
    ) -> Result<Option<CrlEntry<'c>>, Spent> {
        // The last word of a list that has several of the same certificate.
        let mut found = None;
        for entry in crl.entries_of(certificate.serial()) {
            self.budget.compare_names(1)?;
            if names_match(entry.certificate_issuer, certificate.issuer_der()) {
                found = Some(entry);
            }
        }
        Ok(found)
    }
}

/// Whether the list was made while the certificate was valid, or keeps those that expired when it did.
fn speaks_of(crl: &Crl, certificate: &Certificate) -> bool {
    crl.this_update() <= certificate.not_after()
        || crl.expired_certificates_since().is_some_and(|since| since <= certificate.not_after())
}
