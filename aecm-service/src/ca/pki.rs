//! The whole hierarchy of the service: realm × suite, each a root and an issuer.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::oid;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use super::authority::{Authority, IssueError};
use super::template::Template;

/// What a root is trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// Mailbox certificates that sign and encrypt mail.
    Smime,
    /// The timestamp authority's units: these prove time.
    Tsa,
    /// Mailbox timestamping certificates: self-asserted time.
    MailboxTimestamp,
}

impl Realm {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Smime, Self::Tsa, Self::MailboxTimestamp];

    /// The realm that certifies a mailbox's key for `purpose`.
    #[must_use]
    pub const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Sign | Purpose::Encrypt => Self::Smime,
            Purpose::Timestamp => Self::MailboxTimestamp,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Smime => "S/MIME",
            Self::Tsa => "TSA",
            Self::MailboxTimestamp => "Mailbox Timestamping",
        }
    }

    const fn usage(self) -> oid::ObjectIdentifier {
        match self {
            Self::Smime => oid::EMAIL_PROTECTION,
            Self::Tsa | Self::MailboxTimestamp => oid::TIME_STAMPING,
        }
    }
}

/// The roots of one realm, one a suite.
#[derive(Clone, Debug)]
pub struct Anchors {
    /// RSA or NIST-curve ECC.
    pub classic: Certificate,
    /// SM2.
    pub sm2: Certificate,
}

/// All six roots.
#[derive(Clone, Debug)]
pub struct PkiAnchors {
    /// For mail.
    pub smime: Anchors,
    /// For the timestamp authority.
    pub tsa: Anchors,
    /// For mailbox timestamping certificates.
    pub mailbox_timestamp: Anchors,
}

struct Branch {
    realm: Realm,
    suite: Suite,
    root: Authority,
    issuer: Authority,
}

/// The service's authorities.
pub struct Pki {
    branches: Vec<Branch>,
    rng: Arc<dyn Rng>,
}

impl core::fmt::Debug for Pki {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pki").field("branches", &self.branches.len()).finish_non_exhaustive()
    }
}

impl Pki {
    /// Makes six roots and six issuers with fresh keys; `classic` is the key type of the classic ones.
    ///
    /// # Errors
    /// [`IssueError`] when a key cannot be made or cannot sign.
    pub async fn generate(classic: KeySpec, rng: Arc<dyn Rng>, now: Time) -> Result<Self, IssueError> {
        let mut branches = Vec::new();
        for realm in Realm::ALL {
            for suite in Suite::ALL {
                let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { classic };
                let family = if suite == Suite::Sm2 { "SM2" } else { "Classic" };
                let root_name = format!("AECM Test {} {family} Root", realm.title());
                let root = Authority::root(&root_name, spec, &rng, now).await?;
                let template =
                    Template::issuer(&format!("AECM Test {} {family} Issuer", realm.title()), realm.usage());
                let issuer = root.subordinate(&template, spec, &rng, now).await?;
                branches.push(Branch { realm, suite, root, issuer });
            }
        }
        Ok(Self { branches, rng })
    }

    fn branch(&self, realm: Realm, suite: Suite) -> Result<&Branch, IssueError> {
        self.branches
            .iter()
            .find(|branch| branch.realm == realm && branch.suite == suite)
            .ok_or_else(|| IssueError::Malformed(format!("no {suite} branch for {realm:?}")))
    }

    /// The issuer of a realm and suite.
    ///
    /// # Errors
    /// [`IssueError::Malformed`] when the hierarchy lacks it (it never does after [`Pki::generate`]).
    pub fn issuer(&self, realm: Realm, suite: Suite) -> Result<&Authority, IssueError> {
        self.branch(realm, suite).map(|branch| &branch.issuer)
    }

    /// The roots of a realm.
    ///
    /// # Errors
    /// As [`Pki::issuer`].
    pub fn anchors(&self, realm: Realm) -> Result<Anchors, IssueError> {
        Ok(Anchors {
            classic: self.branch(realm, Suite::Classic)?.root.certificate().clone(),
            sm2: self.branch(realm, Suite::Sm2)?.root.certificate().clone(),
        })
    }

    /// The roots of all realms.
    ///
    /// # Errors
    /// As [`Pki::issuer`].
    pub fn all_anchors(&self) -> Result<PkiAnchors, IssueError> {
        Ok(PkiAnchors {
            smime: self.anchors(Realm::Smime)?,
            tsa: self.anchors(Realm::Tsa)?,
            mailbox_timestamp: self.anchors(Realm::MailboxTimestamp)?,
        })
    }

    /// The random source the hierarchy was made with.
    #[must_use]
    pub fn rng(&self) -> &Arc<dyn Rng> {
        &self.rng
    }
}
