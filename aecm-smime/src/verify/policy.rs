//! What a verifier accepts: plain values with written-down defaults (DESIGN, rule 6).

use aecm_core::limits::Limits;
use aecm_core::suite::Suite;

/// The algorithms, identifiers and summary rules of a [`Verifier`](super::Verifier).
///
/// ```
/// use aecm_smime::verify::{Policy, SignerPolicy};
///
/// let mut policy = Policy::modern();
/// policy.signers = SignerPolicy::AllValid;
/// assert!(!policy.sha1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// Bounds of the work on one message.
    pub limits: Limits,
    /// Whether SHA-1 signatures are accepted, of the message and of certificates; then named
    /// [`Tolerance::WeakDigest`](crate::Tolerance::WeakDigest). Default: no (THREATS S9).
    pub sha1: bool,
    /// The smallest RSA modulus accepted, in bits, of the signer, and of CAs where it is below 2,048; smaller ones between this and 2,048 are named
    /// [`Tolerance::WeakKey`](crate::Tolerance::WeakKey). Default: 2,048.
    pub rsa_bits_min: usize,
    /// Whether a signature without signed attributes is refused. Default: no, because the commonest form of
    /// GB/T 35275 has none; content that could be mistaken for attributes is refused always (THREATS S1).
    pub signed_attributes_required: bool,
    /// Identifiers of SM2 signers that are tried after the default one (GM/T 0009 §10), each at most 8,191
    /// octets; an empty one is what some OpenSSL versions sign with. Default: none.
    pub sm2_ids: Vec<Vec<u8>>,
    /// Whether an SM2 signature may be made with the default identifier. Default: yes; without it
    /// [`Policy::sm2_ids`] are the only ones.
    pub sm2_default_id: bool,
    /// Whether an SM2 signature without signed attributes may be over SM3(content) without Z, as OpenSSL 4.0
    /// writes it. Default: no.
    pub sm2_raw_digest: bool,
    /// How several signers count.
    pub signers: SignerPolicy,
    /// What timestamps are required, and what a refused one does.
    pub timestamps: TimestampRule,
}

/// How the verdicts of several signers become that of the message.
///
/// Where an expected mailbox is given, the signers whose certificate names it count; a cryptographic failure of
/// one of them makes the message invalid, whatever the rule. Where none is given, all signers count, and
/// `AnyValid` wants all of them valid too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignerPolicy {
    /// One valid signer is enough.
    #[default]
    AnyValid,
    /// All signers that count have to be valid.
    AllValid,
    /// The signers with keys of this suite have to be valid, and there has to be one.
    Suite(Suite),
}

/// What timestamps do to the verdict. Proven time is reported under every rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampRule {
    /// A refused token is reported; the verdict does not depend on it.
    Report,
    /// A message whose tokens are all wrong in themselves is invalid; one without tokens, or with tokens of
    /// authorities that are not trusted here, is not.
    #[default]
    RefusedIsInvalid,
    /// Only a message with a proven time is valid.
    Required,
}

impl Policy {
    /// Today's rules: SHA-2 and SM3, RSA from 2,048 bits, the default SM2 identifier. This is the default.
    #[must_use]
    pub fn modern() -> Self {
        Self {
            limits: Limits::default(),
            sha1: false,
            rsa_bits_min: 2_048,
            signed_attributes_required: false,
            sm2_ids: Vec::new(),
            sm2_default_id: true,
            sm2_raw_digest: false,
            signers: SignerPolicy::default(),
            timestamps: TimestampRule::default(),
        }
    }

    /// Rules for old mail: SHA-1 and RSA from 1,024 bits are read and named as tolerances.
    #[must_use]
    pub fn legacy() -> Self {
        Self { sha1: true, rsa_bits_min: 1_024, ..Self::modern() }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::modern()
    }
}
