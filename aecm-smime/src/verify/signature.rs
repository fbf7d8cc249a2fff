//! The mathematics of one signer, and which certificate is the leaf (THREATS S3, S6, S8, S9).

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::signature::{AlgorithmError, SignatureAlgorithm, Sm2Id};
use aecm_core::tlv::AlgorithmId;

use crate::cms::{Form, SignerInfo};
use crate::tolerance::{Tolerance, note};
use crate::verify::policy::Policy;
use crate::verify::reason::Reason;
use crate::verify::report::CheckResult;

/// Why no candidate's key verified.
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) check: CheckResult,
}

/// What the keys of the candidates said.
pub(super) struct Outcome {
    /// Candidates whose key verified, by their place among the candidates.
    pub(super) verified: Vec<usize>,
    pub(super) algorithm: Option<SignatureAlgorithm>,
    pub(super) tolerances: Vec<Tolerance>,
    pub(super) failure: Option<Failure>,
}

/// Signature checks that one message may still cost.
pub(super) struct Budget(pub(super) usize);

impl Budget {
    fn spend(&mut self, cost: usize) -> bool {
        self.0.checked_sub(cost).map(|rest| self.0 = rest).is_some()
    }
}

/// What a signature is over.
pub(super) enum Signed<'a> {
    /// The signed attributes as a SET OF.
    Attributes(&'a [u8]),
    /// The content itself, which may be long, with its digest.
    Content { content: &'a [u8], digest: Vec<u8> },
}

impl Signed<'_> {
    /// What one check of an SM2 signature costs: the whole is hashed anew with Z, which depends on key and
    /// identifier, so that long content counts for more (THREATS A5).
    fn sm2_cost(&self) -> usize {
        match self {
            Self::Attributes(_) => 1,
            Self::Content { content, .. } => 1 + content.len() / SM2_OCTETS_A_CHECK,
        }
    }
}

/// Octets whose SM3 costs about as much as a few signature checks.
const SM2_OCTETS_A_CHECK: usize = 8 << 20;

/// One signature to check.
pub(super) struct Question<'a> {
    pub(super) info: &'a SignerInfo<'a>,
    pub(super) form: Form,
    pub(super) digest: DigestAlgorithm,
    /// The octets that were signed.
    pub(super) signed: Signed<'a>,
    pub(super) policy: &'a Policy,
}

impl Question<'_> {
    /// Tries every candidate's key; the identifier selected them, the keys decide.
    pub(super) fn ask(&self, candidates: &[&Certificate], budget: &mut Budget) -> Outcome {
        let mut outcome =
            Outcome { verified: Vec::new(), algorithm: None, tolerances: Vec::new(), failure: None };
        let mut tried: Vec<(&PublicKey, bool)> = Vec::new();
        for (place, candidate) in candidates.iter().enumerate() {
            let Some(key) = candidate.public_key() else {
                outcome.fail(Reason::UnsupportedSignatureAlgorithm, CheckResult::NotEvaluated);
                continue;
            };
            let verified = match tried.iter().find(|(other, _)| *other == key) {
                Some((_, verified)) => *verified,
                None => {
                    let verified = self.ask_key(key, budget, &mut outcome);
                    tried.push((key, verified));
                    verified
                }
            };
            if verified {
                outcome.verified.push(place);
            }
        }
        if !outcome.verified.is_empty() {
            outcome.failure = None;
        }
        outcome
    }

    fn ask_key(&self, key: &PublicKey, budget: &mut Budget, outcome: &mut Outcome) -> bool {
        let identifier = self.info.signature_algorithm();
        let algorithm = match SignatureAlgorithm::from_identifier(identifier, key, Some(self.digest)) {
            Ok(algorithm) => algorithm,
            Err(error) => {
                // PSS has parameters that are somebody's right and not ours: a mask of another hash.
                let known = oid::name(&identifier.oid).is_some()
                    && !matches!(error, AlgorithmError::UnsupportedParameters { .. });
                let reason =
                    if known { Reason::AlgorithmMismatch } else { Reason::UnsupportedSignatureAlgorithm };
                let check = if known { CheckResult::Invalid } else { CheckResult::NotEvaluated };
                outcome.fail(reason, check);
                return false;
            }
        };
        if algorithm.digest() != self.digest {
            outcome.fail(Reason::AlgorithmMismatch, CheckResult::Invalid);
            return false;
        }
        outcome.algorithm.get_or_insert(algorithm);
        let sm2 = algorithm == SignatureAlgorithm::Sm2Sm3;
        if !budget.spend(if sm2 { self.signed.sm2_cost() } else { 1 }) {
            outcome.fail(Reason::TooManySignatureChecks, CheckResult::NotEvaluated);
            return false;
        }
        let verifies = |id: Sm2Id<'_>| {
            let signature = self.info.signature();
            match &self.signed {
                Signed::Content { digest, .. } if !sm2 || id == Sm2Id::RawDigestNoZ => {
                    key.verify_prehash(algorithm, digest, signature).is_ok()
                }
                Signed::Content { content: message, .. } | Signed::Attributes(message) => {
                    key.verify(algorithm, id, message, signature).is_ok()
                }
            }
        };
        let tolerance = if verifies(Sm2Id::Default) {
            if sm2 && !self.policy.sm2_default_id {
                outcome.fail(Reason::Sm2DefaultId, CheckResult::Invalid);
                return false;
            }
            None
        } else if sm2 {
            match self.other_sm2(verifies, budget) {
                Ok(tolerance) => Some(tolerance),
                Err(reason) => {
                    outcome.fail(reason, CheckResult::Invalid);
                    return false;
                }
            }
        } else {
            outcome.fail(Reason::SignatureMismatch, CheckResult::Invalid);
            return false;
        };
        outcome.algorithm = Some(algorithm);
        for tolerance in tolerance.into_iter().chain(self.identifier_tolerances(algorithm)) {
            note(&mut outcome.tolerances, tolerance);
        }
        true
    }

    /// The readings of an SM2 signature that a policy can allow (STANDARDS A7). One that would hold and is not
    /// allowed is a reason, never a way in.
    fn other_sm2(
        &self,
        verifies: impl Fn(Sm2Id<'_>) -> bool,
        budget: &mut Budget,
    ) -> Result<Tolerance, Reason> {
        let cost = self.signed.sm2_cost();
        for id in &self.policy.sm2_ids {
            if budget.spend(cost) && verifies(Sm2Id::Other(id)) {
                return Ok(Tolerance::Sm2OtherId);
            }
        }
        let without_attributes = self.info.signed_attributes().is_none();
        if without_attributes && budget.spend(1) && verifies(Sm2Id::RawDigestNoZ) {
            let allowed = self.policy.sm2_raw_digest;
            return if allowed { Ok(Tolerance::Sm2RawDigest) } else { Err(Reason::Sm2RawDigest) };
        }
        if budget.spend(cost) && verifies(Sm2Id::Other(b"")) {
            return Err(Reason::Sm2EmptyId);
        }
        Err(Reason::SignatureMismatch)
    }

    fn identifier_tolerances(&self, algorithm: SignatureAlgorithm) -> Vec<Tolerance> {
        let identifier = self.info.signature_algorithm();
        let mut list = Vec::new();
        match algorithm {
            SignatureAlgorithm::Sm2Sm3 | SignatureAlgorithm::Ecdsa(_) => {
                if identifier.parameters.is_some() && identifier.oid != oid::EC_PUBLIC_KEY {
                    list.push(Tolerance::SignatureParametersNull);
                }
            }
            _ => {
                if identifier.parameters.is_none() {
                    list.push(Tolerance::RsaParametersAbsent);
                }
            }
        }
        if matches!(algorithm, SignatureAlgorithm::RsaPssSalt(..)) {
            list.push(Tolerance::PssSaltLength);
        }
        if [oid::EC_PUBLIC_KEY, oid::SM2_CURVE].contains(&identifier.oid) {
            list.push(Tolerance::SignatureAlgorithmIsKeyType);
        }
        if self.form == Form::Rfc5652 && identifier.oid == oid::SM2_SIGN {
            list.push(Tolerance::Sm2SignOid);
        }
        list
    }
}

impl Outcome {
    /// Keeps the failure that says most: a wrong signature over an unknown algorithm.
    fn fail(&mut self, reason: Reason, check: CheckResult) {
        let better = match &self.failure {
            None => true,
            Some(failure) => failure.check == CheckResult::NotEvaluated && check == CheckResult::Invalid,
        };
        if better {
            self.failure = Some(Failure { reason, check });
        }
    }
}

/// The algorithm policy (THREATS S9): refusals, and what was allowed although it is weak.
pub(super) fn check_policy(
    digest: DigestAlgorithm,
    key: &PublicKey,
    policy: &Policy,
) -> (Vec<Reason>, Vec<Tolerance>) {
    let (mut reasons, mut tolerances) = (Vec::new(), Vec::new());
    if digest == DigestAlgorithm::Sha1 {
        if policy.sha1 {
            tolerances.push(Tolerance::WeakDigest);
        } else {
            reasons.push(Reason::WeakDigest);
        }
    }
    if let KeyKind::Rsa { bits } = key.kind() {
        if bits < policy.rsa_bits_min {
            reasons.push(Reason::WeakKey);
        } else if bits < 2_048 {
            tolerances.push(Tolerance::WeakKey);
        }
    }
    (reasons, tolerances)
}

/// The digest algorithm of a signer, its tolerance, or the reason against it.
pub(super) fn digest_of(
    info: &SignerInfo<'_>,
    declared: &[AlgorithmId<'_>],
) -> Result<(DigestAlgorithm, Option<Tolerance>), (Reason, CheckResult)> {
    let identifier = info.digest_algorithm();
    let digest = DigestAlgorithm::from_oid(&identifier.oid)
        .ok_or((Reason::UnsupportedDigest, CheckResult::NotEvaluated))?;
    if !identifier.parameters_absent_or_null() {
        return Err((Reason::DigestParameters, CheckResult::Invalid));
    }
    let announced =
        |other: &AlgorithmId<'_>| other.oid == identifier.oid && other.parameters_absent_or_null();
    if !declared.iter().any(announced) {
        return Err((Reason::DigestAlgorithmUndeclared, CheckResult::Invalid));
    }
    Ok((digest, identifier.parameters.is_some().then_some(Tolerance::DigestParametersNull)))
}
