//! How a path is judged.

use alloc::vec::Vec;

use super::PathPurpose;
use crate::crl::Crl;
use crate::limits::Limits;
use crate::ocsp::OcspResponse;
use crate::oid::ObjectIdentifier;
use crate::time::Time;

/// Bits of an RSA key below which it is weak.
pub(super) const WEAK_RSA_BITS: usize = 2_048;

/// How a path is judged: [`PathOptions::new`], then single fields.
///
/// ```
/// use aecm_core::{limits::Limits, path::{PathOptions, PathPurpose}, time::Time};
///
/// let mut options = PathOptions::new(PathPurpose::SignMail, Time::from_rfc3339("2027-01-01T00:00:00Z"), Limits::default());
/// assert_eq!((options.rsa_bits_min, options.sha1), (2048, false));
/// options.policies.explicit = true;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PathOptions {
    /// What the leaf is used for.
    pub purpose: PathPurpose,
    /// When all certificates must be valid; `None` does not look at validity.
    pub at: Option<Time>,
    /// Bounds on the search: [`Limits::signature_checks`], [`Limits::intermediates`],
    /// [`Limits::name_comparisons`].
    pub limits: Limits,
    /// Bits of the smallest RSA key that is accepted. 2,048; the smallest that is read at all has 1,024.
    pub rsa_bits_min: usize,
    /// Whether SHA-1 is accepted in signatures of certificates, CRLs and OCSP responses. `false`.
    pub sha1: bool,
    /// Certificate policies that are asked for. None.
    pub policies: PolicySettings,
    /// What is known about revocation, and whether it has to be. Nothing; no.
    pub revocation: Revocation,
}

/// The inputs of RFC 5280 §6.1.1 that concern certificate policies. The default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// user-initial-policy-set; empty stands for anyPolicy.
    pub initial: Vec<ObjectIdentifier>,
    /// initial-explicit-policy: the path has to be valid for one of `initial`.
    pub explicit: bool,
    /// initial-policy-mapping-inhibit: no policy of one CA stands for that of another.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit: anyPolicy in a certificate stands for nothing.
    pub inhibit_any: bool,
}

/// What is known about revocation.
///
/// CRLs and OCSP responses come from anywhere, in any order, for whatever certificates: those that are not to be
/// believed or speak of others are passed over. They are looked at for each certificate of the path but the
/// anchor (RFC 5280 §6.3.3, RFC 6960 §3.2).
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// CRLs, complete ones and deltas.
    pub crls: Vec<Crl>,
    /// OCSP responses.
    pub ocsp: Vec<OcspResponse>,
    /// When the evidence has to be fresh; without it, [`PathOptions::at`]. With neither, evidence can show that
    /// a certificate is revoked, never that it is good.
    pub now: Option<Time>,
    /// Whether a certificate whose status is not known breaks the path.
    pub required: bool,
    /// Whether the leaf stamps times (RFC 3161 §4). What it signed before it was revoked counts then only where the
    /// reason is there and is unspecified, affiliationChanged, superseded or cessationOfOperation; and a compromise
    /// of any key of the path counts for every time, whatever its invalidityDate: whoever has the key of a stamper
    /// stamps any time.
    pub stamper: bool,
}

impl PathOptions {
    /// Judges for `purpose` at the time `at` within `limits`, without evidence of revocation.
    #[must_use]
    pub fn new(purpose: PathPurpose, at: Option<Time>, limits: Limits) -> Self {
        Self {
            purpose,
            at,
            limits,
            rsa_bits_min: WEAK_RSA_BITS,
            sha1: false,
            policies: PolicySettings::default(),
            revocation: Revocation::default(),
        }
    }

    /// When evidence of revocation has to be fresh.
    pub(super) fn now(&self) -> Option<Time> {
        self.revocation.now.or(self.at)
    }
}
