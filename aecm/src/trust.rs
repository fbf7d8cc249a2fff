//! Whom to believe about what: anchors by what they vouch for, and the policy of verdicts.

use aecm_core::certificate::Certificate;
use aecm_core::path::Anchors;
use aecm_smime::verify::Policy;

/// Trust anchors, kept apart by what they vouch for. None of them ever comes from a message.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Roots of certificates that sign and encrypt mail, of both suites.
    pub smime: Anchors,
    /// Roots of timestamp authorities: what they say is proven time.
    pub tsa: Anchors,
    /// Roots of mailbox timestamping certificates: what those say is self-asserted.
    pub mailbox_timestamp: Anchors,
    /// Which algorithms, identifiers and summaries are accepted.
    pub policy: Policy,
}

impl Trust {
    /// These anchors under the modern policy.
    #[must_use]
    pub fn new(smime: Vec<Certificate>, tsa: Vec<Certificate>, mailbox_timestamp: Vec<Certificate>) -> Self {
        Self {
            smime: Anchors::new(smime),
            tsa: Anchors::new(tsa),
            mailbox_timestamp: Anchors::new(mailbox_timestamp),
            policy: Policy::modern(),
        }
    }
}
