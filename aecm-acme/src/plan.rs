//! Which certificates are wanted: the six of a mailbox, or some of them.

use std::collections::BTreeMap;

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::{Level, Purpose, Suite};
use serde::{Deserialize, Serialize};

/// One certificate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanItem {
    /// The algorithm family.
    #[serde(with = "words::suite")]
    pub suite: Suite,
    /// The one purpose.
    #[serde(with = "words::purpose")]
    pub purpose: Purpose,
    /// How well the holder is to be checked.
    #[serde(with = "words::level")]
    pub level: Level,
    /// The name of the profile, where it is not that of [`ProfileNames`]; empty to name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The certificate it follows, by its identifier of RFC 9773 §4.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

impl PlanItem {
    /// A mailbox-validated certificate.
    #[must_use]
    pub const fn new(suite: Suite, purpose: Purpose) -> Self {
        Self { suite, purpose, level: Level::Mailbox, profile: None, replaces: None }
    }

    /// Names no profile in the order: the usage in the CSR chooses. So a key that this account is not known to hold
    /// is certified: the server sees it before it can refuse.
    #[must_use]
    pub fn without_profile(mut self) -> Self {
        self.profile = Some(String::new());
        self
    }

    /// Whether an order for the one serves the other: all but [`replaces`](Self::replaces) is the same.
    pub(crate) fn is_same_kind(&self, other: &Self) -> bool {
        let kind = |item: &Self| (item.suite, item.purpose, item.level);
        kind(self) == kind(other) && self.profile == other.profile
    }
}

/// `sm2-sign-mv`
impl core::fmt::Display for PlanItem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}-{}-{}", self.suite, self.purpose, self.level.word())
    }
}

/// The certificates wanted for one mailbox, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// What is wanted; one order each.
    pub items: Vec<PlanItem>,
}

impl Plan {
    /// All six: both suites, SM2 first, each to sign, to encrypt and to timestamp.
    #[must_use]
    pub fn dual(mailbox: &Mailbox) -> Self {
        Self::of(mailbox, &Suite::ALL)
    }

    /// The three of one suite.
    #[must_use]
    pub fn single(mailbox: &Mailbox, suite: Suite) -> Self {
        Self::of(mailbox, &[suite])
    }

    fn of(mailbox: &Mailbox, suites: &[Suite]) -> Self {
        let all = |suite: &Suite| Purpose::ALL.map(|purpose| PlanItem::new(*suite, purpose));
        Self { mailbox: mailbox.clone(), items: suites.iter().flat_map(all).collect() }
    }
}

/// How profiles are named (STANDARDS A6): opaque strings of the server, by default `{suite}-{purpose}-{level}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileNames {
    names: BTreeMap<String, String>,
}

impl ProfileNames {
    /// Sets the name a server has for that kind of certificate.
    #[must_use]
    pub fn with(mut self, item: &PlanItem, name: &str) -> Self {
        self.names.insert(item.to_string(), name.to_owned());
        self
    }

    /// The name to ask for.
    #[must_use]
    pub fn name(&self, item: &PlanItem) -> String {
        let kind = item.to_string();
        item.profile.clone().or_else(|| self.names.get(&kind).cloned()).unwrap_or(kind)
    }
}

/// The words of the core's enumerations, for serde.
mod words {
    macro_rules! by_word {
        ($module:ident, $type:ty) => {
            pub(super) mod $module {
                use serde::{Deserialize, Deserializer, Serializer};

                pub(crate) fn serialize<S: Serializer>(
                    value: &$type,
                    serializer: S,
                ) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(value.word())
                }

                pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                    deserializer: D,
                ) -> Result<$type, D::Error> {
                    let word = String::deserialize(deserializer)?;
                    <$type>::from_word(&word).ok_or_else(|| serde::de::Error::custom("unknown word"))
                }
            }
        };
    }
    by_word!(suite, aecm_core::suite::Suite);
    by_word!(purpose, aecm_core::suite::Purpose);
    by_word!(level, aecm_core::suite::Level);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plan_is_six() {
        let mailbox: Mailbox = "alice@example.com".parse().unwrap();
        let names: Vec<_> = Plan::dual(&mailbox).items.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "sm2-sign-mv",
                "sm2-encrypt-mv",
                "sm2-timestamp-mv",
                "classic-sign-mv",
                "classic-encrypt-mv",
                "classic-timestamp-mv"
            ]
        );
        assert_eq!(Plan::single(&mailbox, Suite::Classic).items.len(), 3);
    }

    // A6: the names are the server's.
    #[test]
    fn names_can_be_mapped() {
        let item = PlanItem::new(Suite::Classic, Purpose::Sign);
        let names = ProfileNames::default().with(&item, "smime-sign");
        assert_eq!(names.name(&item), "smime-sign");
        assert_eq!(names.name(&PlanItem::new(Suite::Sm2, Purpose::Sign)), "sm2-sign-mv");
        assert_eq!(names.name(&PlanItem { profile: Some("x".into()), ..item }), "x");
    }
}
