//! Whether the leaf may be believed: chain, usage, identity, and what evidence is missing.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{
    Budget, Path, PathFailure, PathOptions, PathPurpose, PathReason, PathTolerance, RevocationStatus,
    validate_within,
};
use aecm_core::public_key::{KeyKind, MIN_RSA_BITS, PublicKey};
use aecm_core::time::Time;

use crate::tolerance::Tolerance;
use crate::verify::Verifier;
use crate::verify::reason::Reason;
use crate::verify::report::{CheckResult, Missing, RevocationCheck};

/// What was found about a leaf.
#[derive(Clone)]
pub(super) struct Trust {
    pub(super) chain: CheckResult,
    pub(super) revocation: RevocationCheck,
    pub(super) valid_policies: Vec<ObjectIdentifier>,
    pub(super) tolerances: Vec<Tolerance>,
    pub(super) usage: CheckResult,
    /// What on the path is too weak for the policy.
    pub(super) weak: Vec<Reason>,
    pub(super) path: Vec<Certificate>,
    pub(super) reasons: Vec<Reason>,
    pub(super) missing: Vec<Missing>,
}

impl Verifier<'_> {
    /// Chain and usage of `leaf` at `at`. Usage is kept apart from the chain, so that a report says which of
    /// the two it was.
    pub(super) fn trust(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        at: Option<Time>,
        budget: &mut Budget,
    ) -> Trust {
        let mut trust = Trust {
            chain: CheckResult::NotEvaluated,
            revocation: RevocationCheck::Unknown,
            valid_policies: Vec::new(),
            tolerances: Vec::new(),
            usage: CheckResult::Valid,
            weak: Vec::new(),
            path: Vec::new(),
            reasons: Vec::new(),
            missing: Vec::new(),
        };
        let mut unknown = None;
        if !usage_allows(leaf, self.purpose) {
            trust.usage = CheckResult::Invalid;
        }
        if self.anchors.certificates().is_empty() {
            trust.reasons.push(Reason::NoAnchorsGiven);
        } else {
            if at.is_none() {
                trust.tolerances.push(Tolerance::ValidityNotChecked);
            }
            let found = self.path(leaf, bag, self.purpose, at, budget);
            let found = match found {
                Err(failure) if is_usage(&failure, leaf) => {
                    trust.usage = CheckResult::Invalid;
                    self.path(leaf, bag, PathPurpose::Any, at, budget)
                }
                other => other,
            };
            match found {
                Ok(found) => {
                    trust.chain = CheckResult::Valid;
                    for tolerance in &found.tolerances {
                        match self.judged(*tolerance, &found.chain) {
                            Ok(allowed) => trust.tolerances.extend(allowed),
                            Err(reason) => trust.weak.push(reason),
                        }
                    }
                    trust.path = found.chain;
                    trust.valid_policies = found.valid_policies;
                    unknown = Some(found.revocation_unknown);
                    if found.revocation == RevocationStatus::Good {
                        trust.revocation = RevocationCheck::Good;
                    } else if !(self.revocation.crls.is_empty() && self.revocation.ocsp.is_empty()) {
                        trust.reasons.push(Reason::RevocationUnknown);
                    }
                }
                Err(failure) => {
                    trust.chain = CheckResult::Invalid;
                    if matches!(failure.reason, PathReason::Revoked { .. }) {
                        trust.revocation = RevocationCheck::Revoked;
                    }
                    if failure.reason == PathReason::NoPathToAnchor {
                        trust.missing.push(issuer_missing(failure.at.as_ref().unwrap_or(leaf)));
                    }
                    trust.reasons.push(Reason::Chain(failure.reason));
                }
            }
        }
        if trust.usage == CheckResult::Invalid {
            trust.reasons.push(Reason::UsageNotAllowed);
        }
        // Without a path only the leaf is known to matter.
        let unknown = unknown.unwrap_or_else(|| vec![leaf.clone()]);
        if trust.revocation != RevocationCheck::Revoked {
            trust.missing.extend(unknown.iter().map(revocation_missing));
        }
        trust
    }

    /// A path of algorithms that the policy takes, or else one that is weak: whether it holds is one question, and
    /// what the policy says to it is another.
    fn path(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        purpose: PathPurpose,
        at: Option<Time>,
        budget: &mut Budget,
    ) -> Result<Path, PathFailure> {
        let strong = self.path_of(leaf, bag, purpose, at, (self.policy.sha1, self.rsa_bits_min()), budget);
        match strong {
            Err(failure) if failure.reason == PathReason::WeakAlgorithm => {
                self.path_of(leaf, bag, purpose, at, (true, MIN_RSA_BITS), budget)
            }
            other => other,
        }
    }

    /// The smallest RSA key of a path. A policy that asks for more of the signer asks the CAs above for what is
    /// usual.
    fn rsa_bits_min(&self) -> usize {
        self.policy.rsa_bits_min.min(USUAL_RSA_BITS)
    }

    /// What the policy says to something weak on a path: tolerated, or a reason.
    fn judged(&self, tolerance: PathTolerance, chain: &[Certificate]) -> Result<Option<Tolerance>, Reason> {
        match tolerance {
            PathTolerance::WeakDigest if self.policy.sha1 => Ok(Some(Tolerance::WeakDigest)),
            PathTolerance::WeakDigest => Err(Reason::WeakDigest),
            PathTolerance::WeakKey => {
                let weak = |one: &Certificate| {
                    let kind = one.public_key().map(PublicKey::kind);
                    matches!(kind, Some(KeyKind::Rsa { bits }) if bits < self.rsa_bits_min())
                };
                if chain.iter().any(weak) { Err(Reason::WeakKey) } else { Ok(Some(Tolerance::WeakKey)) }
            }
            _ => Ok(None),
        }
    }

    fn path_of(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        purpose: PathPurpose,
        at: Option<Time>,
        (sha1, rsa_bits_min): (bool, usize),
        budget: &mut Budget,
    ) -> Result<Path, PathFailure> {
        let mut options = PathOptions::new(purpose, at, self.policy.limits.clone());
        (options.sha1, options.rsa_bits_min) = (sha1, rsa_bits_min);
        options.policies = self.policies.clone();
        options.revocation = self.revocation.clone();
        // A proven time lies in the past; evidence is of today.
        options.revocation.now = self.revocation.now.or(self.at);
        validate_within(leaf, bag, self.anchors, &options, budget)
    }

    /// Identity (THREATS M1): the expected mailbox against those of the leaf.
    pub(super) fn identity(&self, mailboxes: &[Mailbox]) -> CheckResult {
        match &self.email {
            None => CheckResult::NotEvaluated,
            Some(expected) if mailboxes.iter().any(|mailbox| mailbox.matches(expected)) => CheckResult::Valid,
            Some(_) => CheckResult::Invalid,
        }
    }
}

/// Whether a path failed for what the leaf may be used for, by itself or by what its CAs constrain.
fn is_usage(failure: &PathFailure, leaf: &Certificate) -> bool {
    match failure.reason {
        PathReason::ExtendedKeyUsage => true,
        PathReason::KeyUsage | PathReason::ExtendedKeyUsageNotSole => failure.at.as_ref() == Some(leaf),
        _ => false,
    }
}

/// Key usage and extended key usage of a leaf for its purpose (THREATS S14; RFC 8550 §4.4.2, §4.4.4).
fn usage_allows(leaf: &Certificate, purpose: PathPurpose) -> bool {
    if !matches!(purpose, PathPurpose::SignMail) {
        // Other purposes are the path's to judge.
        return true;
    }
    let signs = leaf.key_usage().is_none_or(|usage| usage.digital_signature() || usage.non_repudiation());
    let mail = leaf.extended_key_usage().is_none_or(|usage| {
        usage.oids.contains(&oid::EMAIL_PROTECTION) || usage.oids.contains(&oid::ANY_EXTENDED_KEY_USAGE)
    });
    signs && mail
}

/// Bits of an RSA key from which it is usual.
const USUAL_RSA_BITS: usize = 2_048;

fn revocation_missing(certificate: &Certificate) -> Missing {
    Missing::Revocation {
        certificate: certificate.sha256(),
        crl_urls: certificate.crl_urls().to_vec(),
        ocsp_urls: certificate.ocsp_urls().to_vec(),
    }
}

fn issuer_missing(certificate: &Certificate) -> Missing {
    Missing::Issuer {
        certificate: certificate.sha256(),
        issuer: certificate.issuer_text(),
        urls: certificate.issuer_urls().to_vec(),
    }
}
