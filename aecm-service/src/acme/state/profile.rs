//! The kinds of certificates that can be ordered.

use aecm_core::suite::{Level, Purpose, Suite};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A kind of certificate: `{suite}-{purpose}-{level}`. Signing ones come in all levels, the others are
/// mailbox-validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::acme) struct Profile {
    pub(in crate::acme) suite: Suite,
    pub(in crate::acme) purpose: Purpose,
    pub(in crate::acme) level: Level,
}

impl Profile {
    pub(in crate::acme) fn all() -> impl Iterator<Item = Self> {
        Suite::ALL.into_iter().flat_map(|suite| {
            Purpose::ALL.into_iter().flat_map(move |purpose| {
                let levels = if purpose == Purpose::Sign { &Level::ALL[..] } else { &[Level::Mailbox] };
                levels.iter().map(move |level| Self { suite, purpose, level: *level })
            })
        })
    }

    /// Of mailbox validation.
    pub(in crate::acme) const fn mailbox(suite: Suite, purpose: Purpose) -> Self {
        Self { suite, purpose, level: Level::Mailbox }
    }

    pub(in crate::acme) fn name(self) -> String {
        format!("{}-{}-{}", self.suite.word(), self.purpose.word(), self.level.word())
    }

    pub(in crate::acme) fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|profile| profile.name() == name)
    }

    /// One line for people.
    pub(in crate::acme) fn describe(self) -> String {
        let validated = match self.level {
            Level::Mailbox => "mailbox-validated",
            Level::Individual => "individual-validated, for bound accounts",
            Level::Organization => "organization-validated, for bound accounts",
            Level::Sponsor => "sponsor-validated, for bound accounts",
            _ => "validated in another way",
        };
        format!("{} {}, {validated}, 365 days", self.suite, self.purpose)
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom("no profile of that name"))
    }
}
