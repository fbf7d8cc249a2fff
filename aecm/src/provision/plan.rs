//! Which certificates a mailbox is to have.

use core::time::Duration;

use aecm_acme::plan::PlanItem;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Level, Purpose, Suite};

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
    levels: Vec<Level>,
    classic: ClassicKeys,
    deadline: Duration,
    wait: Duration,
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
        Self {
            suites: suites.to_vec(),
            levels: vec![Level::Mailbox],
            classic: ClassicKeys::default(),
            deadline: DEADLINE,
            wait: Duration::ZERO,
        }
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

    /// The levels to sign with, in each suite one certificate a level; the address alone (MV) unless said
    /// otherwise. The levels above it need an account that the CA has bound to a customer it has checked
    /// ([`AecmBuilder::external_account`](crate::AecmBuilder::external_account)).
    ///
    /// ```
    /// use aecm::Plan;
    /// use aecm::core::suite::Level;
    ///
    /// let plan = Plan::dual().signing_levels(&[Level::Mailbox, Level::Organization]);
    /// assert_eq!(plan.len(), 8);
    /// ```
    #[must_use]
    pub fn signing_levels(mut self, levels: &[Level]) -> Self {
        self.levels.clear();
        for level in levels {
            if !self.levels.contains(level) {
                self.levels.push(*level);
            }
        }
        self
    }

    /// How long to wait, where the encrypting key is on another device, until that device has given it; not at
    /// all unless said otherwise. A later call goes on waiting.
    #[must_use]
    pub const fn wait_for_transfer(mut self, wait: Duration) -> Self {
        self.wait = wait;
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

    pub(crate) const fn wait(&self) -> Duration {
        self.wait
    }

    pub(crate) fn items(&self) -> Vec<PlanItem> {
        let mut items = Vec::new();
        for suite in &self.suites {
            for purpose in Purpose::ALL {
                let levels =
                    if purpose == Purpose::Sign { self.levels.as_slice() } else { &[Level::Mailbox] };
                items.extend(
                    levels.iter().map(|level| PlanItem { level: *level, ..PlanItem::new(*suite, purpose) }),
                );
            }
        }
        items
    }

    /// The suites.
    pub(crate) fn suites(&self) -> &[Suite] {
        &self.suites
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
