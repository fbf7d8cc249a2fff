//! Collects timestamp tokens and hands them to the verifier of tokens.

use core::time::Duration;

use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::time::Time;

use crate::cms::SignerInfo;
use crate::verify::reason::Reason;
use crate::verify::report::CheckResult;
use crate::verify::signer::Draft;
use crate::verify::time::{TimestampTrust, TokenFinding, TokenVerifier};

/// Tokens that one message may make us verify; the rest is named and passed over.
const MAX_TOKENS: usize = 8;

pub(super) struct Stamps<'a> {
    verifier: Option<&'a dyn TokenVerifier>,
    left: usize,
}

impl<'a> Stamps<'a> {
    pub(super) const fn new(verifier: Option<&'a dyn TokenVerifier>) -> Self {
        Self { verifier, left: MAX_TOKENS }
    }

    /// Reads the tokens of one signer into its report. The earliest time of an authority, its accuracy counted
    /// in, is the proven one, a
    /// TSA before a mailbox-bound unit, and that only for the mailbox it is held for, which has to be one of
    /// `owners`; what the mailbox says of itself never is.
    pub(super) fn read(&mut self, info: &SignerInfo<'_>, owners: &[Mailbox], draft: &mut Draft) {
        let tokens = info
            .unsigned_attributes()
            .iter()
            .filter(|attribute| attribute.is(&oid::TIME_STAMP_TOKEN))
            .flat_map(|attribute| attribute.values.iter());
        let mut refused = false;
        for token in tokens {
            let Some(verifier) = self.verifier else {
                draft.add(Reason::NoTsaAnchor);
                return;
            };
            let Some(left) = self.left.checked_sub(1) else {
                draft.add(Reason::Timestamp {
                    word: "timestamp-too-many",
                    detail: format!(
                        "the message carries more than {MAX_TOKENS} timestamps; the rest was not looked at"
                    ),
                });
                break;
            };
            self.left = left;
            match verifier.verify_token(token, info.signature()) {
                TokenFinding::Proven { trust: TimestampTrust::SelfAsserted, time, authority, .. }
                | TokenFinding::SelfAsserted { time, authority } => {
                    draft.time.self_asserted.push((time, authority));
                }
                TokenFinding::Proven { trust: TimestampTrust::MailboxBoundTsu, mailboxes, .. }
                    if !mailboxes.iter().any(|own| owners.iter().any(|owner| own.matches(owner))) =>
                {
                    draft.add(Reason::Timestamp {
                        word: "timestamp-other-mailbox",
                        detail: "the timestamp's unit is held for another mailbox and proves nothing here"
                            .to_owned(),
                    });
                }
                TokenFinding::Proven { time, accuracy, authority, trust, .. } => {
                    draft.checks.time = CheckResult::Valid;
                    let latest = latest(time, accuracy);
                    let better = match (draft.time.trust, draft.proven_by, draft.time.proven) {
                        (Some(held), Some(by), Some(proven)) => (trust, latest, time) < (held, by, proven),
                        _ => true,
                    };
                    if better {
                        draft.time.proven = Some(time);
                        draft.proven_by = Some(latest);
                        draft.time.authority = Some(authority);
                        draft.time.trust = Some(trust);
                    }
                }
                TokenFinding::Refused { word, detail } => {
                    refused = true;
                    draft.add(Reason::Timestamp { word, detail });
                }
                TokenFinding::NotEvaluated { word: "no-tsa-anchor", .. } => draft.add(Reason::NoTsaAnchor),
                TokenFinding::NotEvaluated { word, detail } => draft.add(Reason::Timestamp { word, detail }),
            }
        }
        if refused && draft.checks.time == CheckResult::NotEvaluated {
            draft.checks.time = CheckResult::Invalid;
        }
    }
}

/// The end of the second by which the signature was there for certain: genTime may be off by `accuracy`.
fn latest(time: Time, accuracy: Option<Duration>) -> Time {
    let accuracy = accuracy.unwrap_or_default();
    let seconds = accuracy.as_secs().saturating_add(u64::from(accuracy.subsec_nanos() > 0));
    Time::from_unix(time.unix().saturating_add_unsigned(seconds))
}

impl Draft {
    fn add(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}
