//! What OCSP responses say (RFC 6960 §3.2, §4.2.2.2).

use super::super::budget::Spent;
use super::super::rules;
use super::{Checker, Status};
use crate::certificate::{Certificate, names_match};
use crate::ocsp::{CertificateStatus, OcspResponse};
use crate::oid;
use crate::public_key::PublicKey;
use crate::signature::{SignatureAlgorithm, Sm2Id};

impl Checker<'_> {
    /// What the OCSP responses say about the first certificate of `chain`.
    pub(super) fn by_ocsp(&mut self, chain: &[&Certificate]) -> Result<Status, Spent> {
        let [certificate, issuer, ..] = chain else { return Ok(Status::Unknown) };
        let Some(key) = issuer.public_key() else { return Ok(Status::Unknown) };
        let mut found = Status::Unknown;
        for response in &self.options.revocation.ocsp {
            self.budget.compare_names(1)?;
            let mut statuses = response.statuses(certificate, key).peekable();
            if response.has_unknown_critical_extension()
                || statuses.peek().is_none()
                || !self.believes_response(response, chain, key)?
            {
                continue;
            }
            for single in statuses {
                let fresh = self.is_fresh(single.this_update, single.next_update);
                let status = match single.status {
                    // Of one that had expired by then nothing need be known any more (RFC 6960 §4.4.4).
                    CertificateStatus::Good => {
                        let known = single.this_update <= certificate.not_after()
                            || single.archive_cutoff.is_some_and(|cutoff| cutoff <= certificate.not_after());
                        (fresh && known).then_some(Status::Good)
                    }
                    CertificateStatus::Revoked { date, reason, invalidity_date } => {
                        self.judge(certificate, date, reason, invalidity_date, fresh)
                    }
                    CertificateStatus::Unknown => None,
                };
                match status {
                    Some(revoked @ Status::Revoked { .. }) => return Ok(revoked),
                    Some(status) => found = status,
                    None => {}
                }
            }
        }
        Ok(found)
    }

    /// Whether the issuer signed the response, or a responder that the issuer itself appointed.
    fn believes_response(
        &mut self,
        response: &OcspResponse,
        chain: &[&Certificate],
        key: &PublicKey,
    ) -> Result<bool, Spent> {
        let Some(issuer) = chain.get(1).copied() else { return Ok(false) };
        if response.is_responder(issuer) && self.signed_response(response, key)? {
            return Ok(true);
        }
        for responder in response.certificates().iter().chain(self.intermediates) {
            self.budget.compare_names(2)?;
            if !response.is_responder(responder) || !names_match(responder.issuer_der(), issuer.subject_der())
            {
                continue;
            }
            let options = self.options_of_signers();
            let Some(responder_key) = responder.public_key() else { continue };
            if rules::responder(responder, &options).is_err()
                || rules::signature_algorithm(responder, key, &options).is_err()
            {
                continue;
            }
            let algorithm = responder.signature_algorithm_by(key).ok();
            let verify = |key: &_| responder.verify_signature_by(key, Sm2Id::Default).is_ok();
            if self.verified(key, algorithm, verify)?
                && self.signed_response(response, responder_key)?
                && !self.is_dismissed(responder, chain)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn signed_response(&mut self, response: &OcspResponse, key: &PublicKey) -> Result<bool, Spent> {
        let algorithm = SignatureAlgorithm::from_identifier(&response.signature_algorithm(), key, None).ok();
        let verify = |key: &_| response.verify_signature_by(key, Sm2Id::Default).is_ok();
        self.verified(key, algorithm, verify)
    }

    /// Whether the responder's own certificate is known to be revoked (RFC 6960 §4.2.2.2.1).
    fn is_dismissed(&mut self, responder: &Certificate, chain: &[&Certificate]) -> Result<bool, Spent> {
        if responder.extension(&oid::OCSP_NOCHECK).is_some() {
            return Ok(false);
        }
        let above = chain.iter().skip(1).copied();
        let chain: alloc::vec::Vec<&Certificate> = core::iter::once(responder).chain(above).collect();
        Ok(matches!(self.by_crls(&chain, true)?, Status::Revoked { .. }))
    }
}
