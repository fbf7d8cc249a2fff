//! The whole hierarchy of the service: realm × suite, each a root and an issuer.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::oid;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use super::authority::{Authority, IssueError, KeyPair, new_key};
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

    /// The word in paths and in the state: `smime`, `tsa` or `mailbox-timestamp`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smime => "smime",
            Self::Tsa => "tsa",
            Self::MailboxTimestamp => "mailbox-timestamp",
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

/// The keys and certificates of a root and its issuer.
#[derive(Clone)]
pub(crate) struct BranchKeys {
    pub(crate) realm: Realm,
    pub(crate) suite: Suite,
    pub(crate) root: KeyPair,
    pub(crate) issuer: KeyPair,
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
        let keys = Self::generate_keys(classic, &rng, now).await?;
        Ok(Self::restore(keys, rng))
    }

    /// As [`Pki::generate`], as keys and certificates that can be kept.
    pub(crate) async fn generate_keys(
        classic: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Vec<BranchKeys>, IssueError> {
        let mut branches = Vec::new();
        for realm in Realm::ALL {
            for suite in Suite::ALL {
                let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { classic };
                let family = if suite == Suite::Sm2 { "SM2" } else { "Classic" };
                let root_name = format!("AECM Test {} {family} Root", realm.title());
                let keys: (SoftwareKey, SoftwareKey) = (new_key(spec, rng)?, new_key(spec, rng)?);
                let root = Authority::root_of(&root_name, keys.0.clone(), rng, now).await?;
                let template =
                    Template::issuer(&format!("AECM Test {} {family} Issuer", realm.title()), realm.usage());
                let issuer = root.subordinate_of(&template, keys.1.clone(), rng, now).await?;
                let root = KeyPair { key: keys.0, certificate: root.certificate().clone() };
                let issuer = KeyPair { key: keys.1, certificate: issuer.certificate().clone() };
                branches.push(BranchKeys { realm, suite, root, issuer });
            }
        }
        Ok(branches)
    }

    /// The hierarchy of keys and certificates that were made before.
    pub(crate) fn restore(keys: Vec<BranchKeys>, rng: Arc<dyn Rng>) -> Self {
        let branch = |keys: BranchKeys| {
            let root = Authority::restore(keys.root, None, &rng);
            let issuer = Authority::restore(keys.issuer, Some(&root), &rng);
            Branch { realm: keys.realm, suite: keys.suite, root, issuer }
        };
        let branches = keys.into_iter().map(branch).collect();
        Self { branches, rng }
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
