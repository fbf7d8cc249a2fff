//! The one place where a verdict is made.

use aecm_core::suite::Suite;

use crate::verify::policy::{Policy, SignerPolicy, TimestampRule};
use crate::verify::reason::Reason;
use crate::verify::report::{CheckResult, Checks, RevocationCheck, SignerReport, TimeReport, Verdict};

/// What the summary needs to know of a signer.
pub(super) struct Counted<'a> {
    pub(super) report: &'a SignerReport,
    /// The leaf, or a certificate that the message names for it, is for the expected mailbox.
    pub(super) claims_mailbox: bool,
}

/// The verdict on one signer. [`Verdict::Valid`] has this one way in.
pub(super) fn of_signer(
    checks: &Checks,
    time: &TimeReport,
    policy: &Policy,
    mailbox_expected: bool,
) -> Verdict {
    // Named one by one, so that a new check has to be decided on here.
    let Checks {
        signature,
        digest,
        attributes,
        chain,
        usage,
        identity,
        revocation,
        time: time_check,
        policy: policy_check,
    } = *checks;
    let mathematics = [signature, digest, attributes].iter().all(|check| *check == CheckResult::Valid);
    let trust = chain == CheckResult::Valid
        && usage == CheckResult::Valid
        && match revocation {
            // Unknown stays unknown and is reported; a verdict that needs Good waits for the evidence.
            RevocationCheck::Good | RevocationCheck::Unknown => true,
            RevocationCheck::Revoked => false,
        };
    let when = match policy.timestamps {
        TimestampRule::Report => true,
        TimestampRule::RefusedIsInvalid => time_check != CheckResult::Invalid,
        TimestampRule::Required => time_check == CheckResult::Valid && time.proven.is_some(),
    };
    let who = match identity {
        CheckResult::Valid => true,
        CheckResult::Invalid => false,
        CheckResult::NotEvaluated => !mailbox_expected,
    };
    if !(mathematics && trust && when) {
        Verdict::Invalid
    } else if policy_check != CheckResult::Valid {
        Verdict::Policy
    } else if !who {
        Verdict::IdentityMismatch
    } else {
        Verdict::Valid
    }
}

/// The verdict on the message (DESIGN §5, several signers), and a reason of its own where there is one.
pub(super) fn of_message(
    signers: &[Counted<'_>],
    policy: &Policy,
    mailbox_expected: bool,
) -> (Verdict, Option<Reason>) {
    if signers.is_empty() {
        return (Verdict::NotSigned, Some(Reason::NotSigned));
    }
    let counted: Vec<&SignerReport> = signers
        .iter()
        .filter(|signer| !mailbox_expected || signer.claims_mailbox)
        .map(|signer| signer.report)
        .collect();
    if counted.is_empty() {
        // Nobody signed for that mailbox: the best that can be said of the others, which is never Valid.
        let verdict = best_failure(signers.iter().map(|signer| signer.report.verdict));
        return (verdict, None);
    }
    if counted.iter().any(|signer| signer.checks.cryptographic_failure()) {
        return (Verdict::Invalid, None);
    }
    let needed: Vec<Verdict> = match policy.signers {
        SignerPolicy::Suite(suite) => {
            counted.iter().filter(|signer| has_suite(signer, suite)).map(|signer| signer.verdict).collect()
        }
        SignerPolicy::AnyValid | SignerPolicy::AllValid => {
            counted.iter().map(|signer| signer.verdict).collect()
        }
    };
    if needed.is_empty() {
        return (Verdict::Policy, Some(Reason::SuiteMissing));
    }
    let one_is_enough = mailbox_expected && policy.signers == SignerPolicy::AnyValid;
    let valid = |verdict: &Verdict| *verdict == Verdict::Valid;
    let holds = if one_is_enough { needed.iter().any(valid) } else { needed.iter().all(valid) };
    if holds { (Verdict::Valid, None) } else { (worst_or_best(&needed, one_is_enough), None) }
}

/// Where one valid signer would be enough, the one that came nearest speaks; else the worst.
fn worst_or_best(verdicts: &[Verdict], one_is_enough: bool) -> Verdict {
    if one_is_enough {
        return best_failure(verdicts.iter().copied());
    }
    for worst in [Verdict::Invalid, Verdict::Policy, Verdict::IdentityMismatch] {
        if verdicts.contains(&worst) {
            return worst;
        }
    }
    Verdict::Invalid
}

fn best_failure(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts
        .filter(|verdict| matches!(verdict, Verdict::IdentityMismatch | Verdict::Policy))
        .min_by_key(|verdict| if *verdict == Verdict::IdentityMismatch { 0 } else { 1 })
        .unwrap_or(Verdict::Invalid)
}

fn has_suite(signer: &SignerReport, suite: Suite) -> bool {
    let key = signer.certificate.as_ref().and_then(|certificate| certificate.public_key());
    key.is_some_and(|key| key.suite() == suite)
}
