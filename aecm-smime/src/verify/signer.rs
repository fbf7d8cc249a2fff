//! One signer: every check in its order, into one report.

use aecm_core::certificate::Certificate;
use aecm_core::digest::{DigestAlgorithm, sha256};
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;

use crate::cms::{Match, SignedData, SignerInfo, is_set_of_attribute};
use crate::tolerance::{Tolerance, note};
use crate::verify::policy::TimestampRule;
use crate::verify::reason::Reason;
use crate::verify::report::{CheckResult, Checks, Missing, SignerReport, TimeReport};
use crate::verify::signature::{self, Budget, Outcome, Question, Signed};
use crate::verify::stamps::Stamps;
use crate::verify::trust::Trust;
use crate::verify::{Verifier, attributes, summary};

impl Verifier<'_> {
    /// The report on one signer, and whether it stands for the expected mailbox.
    pub(super) fn signer(
        &self,
        signed: &SignedData<'_>,
        info: &SignerInfo<'_>,
        content: &[u8],
        bag: &[Certificate],
        spent: &mut Spent<'_>,
    ) -> (SignerReport, bool) {
        let mut draft = Draft::new();
        let limits = &self.policy.limits;
        draft.time.claimed = attributes::signing_time(info, limits).ok().flatten();
        self.check_attributes(signed, info, content, &mut draft, spent);
        let candidates: Vec<(&Certificate, bool)> = distinct(bag)
            .into_iter()
            .filter_map(|certificate| {
                let how = info.sid().matches(certificate)?;
                Some((certificate, how == Match::Name))
            })
            .collect();
        let certificates: Vec<&Certificate> =
            candidates.iter().map(|(certificate, _)| *certificate).collect();
        let outcome = self.check_signature(signed, info, content, &certificates, &mut draft, spent);
        let verified = outcome.map(|outcome| outcome.verified).unwrap_or_default();
        spent.stamps.read(info, &self.owners(&candidates, &verified), &mut draft);
        // A stamp moves the judgement back, never forward, and does not switch on dates that nobody asked for.
        let at = match (draft.proven_by, self.at) {
            (Some(proven), Some(at)) => Some(proven.min(at)),
            (_, at) => at,
        };
        let chosen = self.choose(info, &candidates, &verified, bag, at, spent);
        let leaf = chosen.as_ref().map(|(leaf, by_name, _)| (*leaf, *by_name));
        if let Some((leaf, by_name, trust)) = chosen {
            if by_name {
                note(&mut draft.tolerances, Tolerance::NameEncoding);
            }
            self.check_leaf(info, leaf, trust, &mut draft, spent);
        } else {
            draft.reasons.push(Reason::SignerCertificateMissing);
            spent.missing.push(Missing::SignerCertificate);
        }
        let mailboxes = leaf.map(|(leaf, _)| leaf.mailboxes()).unwrap_or_default();
        draft.checks.identity =
            if leaf.is_some() { self.identity(&mailboxes) } else { CheckResult::NotEvaluated };
        if draft.checks.identity == CheckResult::Invalid {
            draft.reasons.push(Reason::FromDoesNotMatch);
        }
        // Where no key verified, whoever the message names stands for the mailbox, so that a broken signature
        // in the sender's name counts.
        let claims_mailbox = draft.checks.identity == CheckResult::Valid
            || (verified.is_empty()
                && certificates.iter().any(|one| self.identity(&one.mailboxes()) == CheckResult::Valid));
        if self.policy.timestamps == TimestampRule::Required && draft.time.proven.is_none() {
            draft.reasons.push(Reason::NoTimestamp);
        }
        let verdict = summary::of_signer(&draft.checks, &draft.time, self.policy, self.email.is_some());
        let report = SignerReport {
            certificate: leaf.map(|(leaf, _)| leaf.clone()),
            mailboxes,
            algorithm: draft.algorithm,
            digest: draft.digest,
            verdict,
            checks: draft.checks,
            reasons: draft.reasons,
            time: draft.time,
            chain: draft.chain,
            valid_policies: draft.valid_policies,
            tolerances: draft.tolerances,
        };
        (report, claims_mailbox)
    }

    /// Whose mail it is said to be: the expected mailbox, or those of the certificates whose key verified.
    fn owners(&self, candidates: &[(&Certificate, bool)], verified: &[usize]) -> Vec<Mailbox> {
        match &self.email {
            Some(expected) => vec![expected.clone()],
            None => {
                let leaves = verified.iter().filter_map(|place| candidates.get(*place));
                leaves.flat_map(|(leaf, _)| leaf.mailboxes()).collect()
            }
        }
    }

    /// Digest algorithm, signed attributes and their digest of the content.
    fn check_attributes(
        &self,
        signed: &SignedData<'_>,
        info: &SignerInfo<'_>,
        content: &[u8],
        draft: &mut Draft,
        spent: &mut Spent<'_>,
    ) {
        let limits = &self.policy.limits;
        let content_type = signed.content_type();
        let mut reasons = attributes::check_form(info, &content_type, limits);
        let data = [oid::DATA, oid::GM_DATA];
        let wanted =
            self.content_type.map_or_else(|| data.contains(&content_type), |oid| oid == content_type);
        if !wanted {
            reasons.push(Reason::UnexpectedContentType);
        }
        if info.signed_attributes().is_none() {
            if self.policy.signed_attributes_required || !data.contains(&content_type) {
                reasons.push(Reason::SignedAttributesRequired);
            }
            if is_set_of_attribute(content, limits) {
                reasons.push(Reason::ContentIsAttributes);
            }
        }
        if !info.attributes_sorted() {
            note(&mut draft.tolerances, Tolerance::SignedAttributesUnsorted);
        }
        draft.checks.attributes = if reasons.is_empty() { CheckResult::Valid } else { CheckResult::Invalid };
        draft.reasons.append(&mut reasons);
        match signature::digest_of(info, signed.digest_algorithms()) {
            Ok((digest, tolerance)) => {
                draft.digest = Some(digest);
                if let Some(tolerance) = tolerance {
                    note(&mut draft.tolerances, tolerance);
                }
                if info.signed_attributes().is_some() {
                    let made = spent.digest(digest, content);
                    draft.check_digest(attributes::check_digest(info, digest, &made, limits));
                }
            }
            Err((reason, check)) => {
                draft.reasons.push(reason);
                draft.checks.digest = check;
            }
        }
    }

    fn check_signature(
        &self,
        signed: &SignedData<'_>,
        info: &SignerInfo<'_>,
        content: &[u8],
        candidates: &[&Certificate],
        draft: &mut Draft,
        spent: &mut Spent<'_>,
    ) -> Option<Outcome> {
        let digest = draft.digest?;
        let attributes = info.to_be_verified();
        let signed_octets = match attributes.as_deref() {
            Some(attributes) => Signed::Attributes(attributes),
            None => Signed::Content { content, digest: spent.digest(digest, content) },
        };
        let question =
            Question { info, form: signed.form(), digest, signed: signed_octets, policy: self.policy };
        let mut outcome = question.ask(candidates, &mut spent.budget);
        draft.algorithm = outcome.algorithm;
        draft.tolerances.append(&mut outcome.tolerances);
        if !outcome.verified.is_empty() {
            draft.checks.signature = CheckResult::Valid;
            if info.signed_attributes().is_none() {
                // The signature itself is over the content.
                draft.checks.digest = CheckResult::Valid;
            }
        } else if let Some(failure) = outcome.failure.take() {
            draft.checks.signature = failure.check;
            draft.reasons.push(failure.reason);
        }
        Some(outcome)
    }

    /// The leaf: among the certificates whose key verified, the one that signingCertificate names, whose chain
    /// holds and that names the mailbox, in that order; without one, the first that the message names.
    fn choose<'b>(
        &self,
        info: &SignerInfo<'_>,
        candidates: &[(&'b Certificate, bool)],
        verified: &[usize],
        bag: &[Certificate],
        at: Option<Time>,
        spent: &mut Spent<'_>,
    ) -> Option<(&'b Certificate, bool, Trust)> {
        let mut twins = verified.iter().filter_map(|place| candidates.get(*place)).take(MAX_TWINS).copied();
        let Some(first) = twins.next() else {
            let (leaf, by_name) = candidates.first().copied()?;
            return Some((leaf, by_name, self.trust(leaf, bag, at, &mut spent.paths)));
        };
        let rank = |leaf: &Certificate, trust: &Trust| {
            (
                attributes::signing_certificate_holds(info, leaf, &self.policy.limits),
                trust.chain == CheckResult::Valid,
                trust.weak.is_empty(),
                trust.usage == CheckResult::Valid,
                self.identity(&leaf.mailboxes()) == CheckResult::Valid,
            )
        };
        let mut best = (first.0, first.1, self.trust(first.0, bag, at, &mut spent.paths));
        for (twin, by_name) in twins {
            let trust = self.trust(twin, bag, at, &mut spent.paths);
            if rank(twin, &trust) > rank(best.0, &best.2) {
                best = (twin, by_name, trust);
            }
        }
        Some(best)
    }

    /// What depends on the leaf: RFC 5035, policy, chain, usage.
    fn check_leaf(
        &self,
        info: &SignerInfo<'_>,
        leaf: &Certificate,
        mut trust: Trust,
        draft: &mut Draft,
        spent: &mut Spent<'_>,
    ) {
        if !attributes::signing_certificate_holds(info, leaf, &self.policy.limits) {
            draft.checks.attributes = CheckResult::Invalid;
            draft.reasons.push(Reason::SigningCertificateMismatch);
        }
        if let (Some(digest), Some(key)) = (draft.digest, leaf.public_key()) {
            let (mut reasons, tolerances) = signature::check_policy(digest, key, self.policy);
            draft.checks.policy = if reasons.is_empty() { CheckResult::Valid } else { CheckResult::Invalid };
            draft.reasons.append(&mut reasons);
            tolerances.into_iter().for_each(|tolerance| note(&mut draft.tolerances, tolerance));
        }
        for reason in trust.weak {
            draft.checks.policy = CheckResult::Invalid;
            if !draft.reasons.contains(&reason) {
                draft.reasons.push(reason);
            }
        }
        draft.checks.chain = trust.chain;
        draft.checks.usage = trust.usage;
        draft.checks.revocation = trust.revocation;
        draft.chain = trust.path;
        draft.valid_policies = trust.valid_policies;
        trust.tolerances.into_iter().for_each(|tolerance| note(&mut draft.tolerances, tolerance));
        draft.reasons.append(&mut trust.reasons);
        for missing in trust.missing {
            if !spent.missing.contains(&missing) {
                spent.missing.push(missing);
            }
        }
    }
}

/// Certificates with one key and one name that are looked at before the first of them is taken.
const MAX_TWINS: usize = 4;

/// What one message may still cost, and what it lacked.
pub(super) struct Spent<'a> {
    pub(super) budget: Budget,
    pub(super) stamps: Stamps<'a>,
    pub(super) missing: Vec<Missing>,
    pub(super) paths: aecm_core::path::Budget,
    /// The content's digests, each made once.
    pub(super) digests: Vec<(DigestAlgorithm, Vec<u8>)>,
}

impl Spent<'_> {
    /// SHA-256 of the content.
    pub(super) fn sha256(&mut self, content: &[u8]) -> [u8; 32] {
        let known = self.digests.iter().find(|(known, _)| *known == DigestAlgorithm::Sha256);
        let known = known.and_then(|(_, made)| made.as_slice().try_into().ok());
        known.unwrap_or_else(|| sha256(content))
    }

    /// The digest of the content, which is hashed once for each algorithm however many signers there are.
    fn digest(&mut self, digest: DigestAlgorithm, content: &[u8]) -> Vec<u8> {
        if let Some((_, made)) = self.digests.iter().find(|(known, _)| *known == digest) {
            return made.clone();
        }
        let made = digest.digest(content);
        self.digests.push((digest, made.clone()));
        made
    }
}

/// A report in the making.
pub(super) struct Draft {
    algorithm: Option<SignatureAlgorithm>,
    digest: Option<DigestAlgorithm>,
    pub(super) checks: Checks,
    pub(super) reasons: Vec<Reason>,
    pub(super) time: TimeReport,
    /// The proven time at its latest: with its accuracy.
    pub(super) proven_by: Option<Time>,
    chain: Vec<Certificate>,
    valid_policies: Vec<ObjectIdentifier>,
    tolerances: Vec<Tolerance>,
}

impl Draft {
    fn new() -> Self {
        Self {
            algorithm: None,
            digest: None,
            checks: Checks::NONE,
            reasons: Vec::new(),
            time: TimeReport::default(),
            proven_by: None,
            chain: Vec::new(),
            valid_policies: Vec::new(),
            tolerances: Vec::new(),
        }
    }

    /// A digest that differs is the content's fault; one that is not there is the attributes'.
    fn check_digest(&mut self, outcome: Result<(), Reason>) {
        match outcome {
            Ok(()) => self.checks.digest = CheckResult::Valid,
            Err(reason) => {
                if reason == Reason::DigestMismatch {
                    self.checks.digest = CheckResult::Invalid;
                } else {
                    self.checks.attributes = CheckResult::Invalid;
                }
                self.reasons.push(reason);
            }
        }
    }
}

/// The certificates without repetitions.
fn distinct(bag: &[Certificate]) -> Vec<&Certificate> {
    let mut list: Vec<&Certificate> = Vec::new();
    for certificate in bag {
        if !list.contains(&certificate) {
            list.push(certificate);
        }
    }
    list
}
