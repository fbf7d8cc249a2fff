//! Which certificates a mailbox is to have.

use core::time::Duration;

use aecm_acme::plan::PlanItem;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};

/// The keys of the classic suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassicKeys {
    /// RSA of 3,072 bits for everything.
    #[default]
    Rsa,
    /// ECC on P-256 for signing and timestamping, RSA of 3,072 bits for encrypting.
    Ecc,
}

/// Which certificates a mailbox is to have, and how long obtaining them may take.
///
/// ```
/// use aecm::{ClassicKeys, Plan};
///
/// let plan = Plan::dual().classic_keys(ClassicKeys::Ecc);
/// assert_eq!(plan.len(), 6);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    suites: Vec<Suite>,
    classic: ClassicKeys,
    deadline: Duration,
}

/// Greylisting may hold the challenge mail back for a quarter of an hour.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

impl Plan {
    /// Both suites: {RSA or ECC, SM2} × {signing, encrypting, timestamping}, six certificates.
    #[must_use]
    pub fn dual() -> Self {
        Self::of(&Suite::ALL)
    }

    /// The three classic ones.
    #[must_use]
    pub fn classic() -> Self {
        Self::of(&[Suite::Classic])
    }

    /// The three of SM2.
    #[must_use]
    pub fn sm2() -> Self {
        Self::of(&[Suite::Sm2])
    }

    fn of(suites: &[Suite]) -> Self {
        Self { suites: suites.to_vec(), classic: ClassicKeys::default(), deadline: DEADLINE }
    }

    /// The keys of the classic suite; RSA unless said otherwise.
    #[must_use]
    pub const fn classic_keys(mut self, classic: ClassicKeys) -> Self {
        self.classic = classic;
        self
    }

    /// How long obtaining the certificates may take; 30 minutes unless said otherwise.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many certificates it asks for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// Whether it asks for none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.suites.is_empty()
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn items(&self) -> Vec<PlanItem> {
        let all = |suite: &Suite| Purpose::ALL.map(|purpose| PlanItem::new(*suite, purpose));
        self.suites.iter().flat_map(all).collect()
    }

    /// The kind of key for a slot.
    pub(crate) const fn key(&self, suite: Suite, purpose: Purpose) -> KeySpec {
        match (suite, purpose, self.classic) {
            (Suite::Sm2, _, _) => KeySpec::Sm2,
            (Suite::Classic, Purpose::Sign | Purpose::Timestamp, ClassicKeys::Ecc) => KeySpec::P256,
            (Suite::Classic, _, _) => KeySpec::Rsa(3_072),
        }
    }
}
