//! Whether the leaf may be believed: chain, usage, identity, and what evidence is missing.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::path::{Path, PathFailure, PathOptions, PathPurpose, PathReason, validate};
use aecm_core::time::Time;

use crate::verify::Verifier;
use crate::verify::reason::Reason;
use crate::verify::report::{CheckResult, Missing};

/// What was found about a leaf.
pub(super) struct Trust {
    pub(super) chain: CheckResult,
    pub(super) usage: CheckResult,
    pub(super) path: Vec<Certificate>,
    pub(super) reasons: Vec<Reason>,
    pub(super) missing: Vec<Missing>,
}

impl Verifier<'_> {
    /// Chain and usage of `leaf` at `at`. Usage is kept apart from the chain, so that a report says which of
    /// the two it was.
    pub(super) fn trust(&self, leaf: &Certificate, bag: &[Certificate], at: Option<Time>) -> Trust {
        let mut trust = Trust {
            chain: CheckResult::NotEvaluated,
            usage: CheckResult::Valid,
            path: Vec::new(),
            reasons: Vec::new(),
            missing: Vec::new(),
        };
        if !usage_allows(leaf, self.purpose) {
            trust.usage = CheckResult::Invalid;
        }
        if self.anchors.certificates().is_empty() {
            trust.reasons.push(Reason::NoAnchorsGiven);
        } else {
            let found = self.path(leaf, bag, self.purpose, at);
            let found = match found {
                Err(failure) if is_usage(&failure, leaf) => {
                    trust.usage = CheckResult::Invalid;
                    self.path(leaf, bag, PathPurpose::Any, at)
                }
                other => other,
            };
            match found {
                Ok(found) => {
                    trust.chain = CheckResult::Valid;
                    trust.path = found.chain;
                }
                Err(failure) => {
                    trust.chain = CheckResult::Invalid;
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
        let looked_at: &[Certificate] =
            if trust.path.is_empty() { core::slice::from_ref(leaf) } else { &trust.path };
        // The anchor is trusted by being given; everything below it could be revoked.
        let below = looked_at.len().saturating_sub(1).max(1);
        trust.missing.extend(looked_at.iter().take(below).map(revocation_missing));
        trust
    }

    fn path(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        purpose: PathPurpose,
        at: Option<Time>,
    ) -> Result<Path, PathFailure> {
        let options = PathOptions::new(purpose, at, self.policy.limits.clone());
        validate(leaf, bag, self.anchors, &options)
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
