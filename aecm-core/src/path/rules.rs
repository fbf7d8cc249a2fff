//! The rules for one certificate.

use alloc::vec::Vec;

use super::options::WEAK_RSA_BITS;
use super::{Anchors, PathOptions, PathPurpose, PathReason, PathTolerance};
use crate::certificate::{Certificate, KeyUsage};
use crate::crl::DistributionPoint;
use crate::oid::{self, ObjectIdentifier};
use crate::public_key::{KeyKind, PublicKey};
use crate::suite::Suite;
use crate::time::Time;

// Critical extensions whose meaning is honoured by the rules below or for the path as a whole, or asks for nothing
// here (SAN, SKI, AKI).
const PROCESSED: [ObjectIdentifier; 12] = [
    oid::KEY_USAGE,
    oid::EXT_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::CRL_DISTRIBUTION_POINTS,
];

/// Everything about the leaf but its chain.
pub(super) fn leaf(leaf: &Certificate, anchors: &Anchors, options: &PathOptions) -> Result<(), PathReason> {
    let is_ca = leaf.basic_constraints().is_some_and(|constraints| constraints.ca);
    if anchors.certificates().contains(leaf) || (is_ca && options.purpose != PathPurpose::Any) {
        return Err(PathReason::NotLeaf);
    }
    critical_extensions(leaf)?;
    let key = public_key(leaf, options)?;
    leaf_usage(leaf, key, options.purpose)?;
    validity(leaf, options.at)
}

/// Everything about a CA that signed what is below it but its own chain.
///
/// `below` is the number of CAs between it and the leaf that are not self-issued.
pub(super) fn ca(ca: &Certificate, below: usize, options: &PathOptions) -> Result<(), PathReason> {
    let constraints = ca.basic_constraints();
    match constraints {
        Some(constraints) if constraints.ca => {}
        _ => return Err(PathReason::NotCa),
    }
    authority(ca, below, options)
}

/// As [`ca`]; a root of version 1 has no extensions, and is a CA because it is trusted.
pub(super) fn anchor(anchor: &Certificate, below: usize, options: &PathOptions) -> Result<(), PathReason> {
    if anchor.extensions().next().is_none() {
        return authority(anchor, below, options);
    }
    ca(anchor, below, options)
}

fn authority(ca: &Certificate, below: usize, options: &PathOptions) -> Result<(), PathReason> {
    critical_extensions(ca)?;
    public_key(ca, options)?;
    if let Some(allowed) = ca.basic_constraints().and_then(|constraints| constraints.path_len) {
        // As many CAs as memory holds fit in 64 bits.
        if u64::try_from(below).is_ok_and(|below| below > allowed) {
            return Err(PathReason::PathLength { allowed });
        }
    }
    if ca.key_usage().is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(PathReason::KeyUsage);
    }
    if let (Some(wanted), Some(usage)) = (options.purpose.extended_key_usage(), ca.extended_key_usage())
        && !usage.has(&wanted)
        && !usage.has(&oid::ANY_EXTENDED_KEY_USAGE)
    {
        return Err(PathReason::ExtendedKeyUsage);
    }
    validity(ca, options.at)
}

/// A responder that an issuer appointed for OCSP (RFC 6960 §4.2.2.2), but for the issuer's signature.
pub(super) fn responder(responder: &Certificate, options: &PathOptions) -> Result<(), PathReason> {
    critical_extensions(responder)?;
    public_key(responder, options)?;
    if responder.key_usage().is_some_and(|usage| !usage.digital_signature() && !usage.non_repudiation()) {
        return Err(PathReason::KeyUsage);
    }
    if !responder.extended_key_usage().is_some_and(|usage| usage.has(&oid::OCSP_SIGNING)) {
        return Err(PathReason::ExtendedKeyUsage);
    }
    validity(responder, options.at)
}

/// The signature that `issuer` must have made on `child`, but for the check itself: known, strong, and of the
/// same family.
pub(super) fn signature_algorithm(
    child: &Certificate,
    issuer: &PublicKey,
    options: &PathOptions,
) -> Result<(), PathReason> {
    let old = [oid::MD5_WITH_RSA, oid::SHA1_WITH_RSA, oid::ECDSA_WITH_SHA1];
    let named = child.signature_algorithm().oid;
    if old.contains(&named) && !(options.sha1 && named != oid::MD5_WITH_RSA) {
        return Err(PathReason::WeakAlgorithm);
    }
    if suite(child).is_some_and(|suite| suite != issuer.suite()) {
        return Err(PathReason::MixedSuites);
    }
    let algorithm = child.signature_algorithm_by(issuer).map_err(|_| PathReason::UnsupportedAlgorithm)?;
    if algorithm.digest().is_weak() && !options.sha1 {
        return Err(PathReason::WeakAlgorithm);
    }
    Ok(())
}

/// What was forgiven on a chain from the leaf to the anchor, whose own signature does not count.
pub(super) fn tolerances(chain: &[&Certificate]) -> Vec<PathTolerance> {
    let mut found = Vec::new();
    let weak_digest = |pair: &[&Certificate]| match pair {
        [child, issuer] => issuer
            .public_key()
            .and_then(|key| child.signature_algorithm_by(key).ok())
            .is_some_and(|algorithm| algorithm.digest().is_weak()),
        _ => false,
    };
    if chain.windows(2).any(weak_digest) {
        found.push(PathTolerance::WeakDigest);
    }
    let weak_key = |key: &PublicKey| matches!(key.kind(), KeyKind::Rsa { bits } if bits < WEAK_RSA_BITS);
    if chain.iter().any(|certificate| certificate.public_key().is_some_and(weak_key)) {
        found.push(PathTolerance::WeakKey);
    }
    found
}

fn suite(certificate: &Certificate) -> Option<Suite> {
    certificate.public_key().map(PublicKey::suite)
}

/// The certificate's key, if it is known and strong enough.
fn public_key<'a>(certificate: &'a Certificate, options: &PathOptions) -> Result<&'a PublicKey, PathReason> {
    let key = certificate.public_key().ok_or(PathReason::UnsupportedAlgorithm)?;
    match key.kind() {
        KeyKind::Rsa { bits } if bits < options.rsa_bits_min => Err(PathReason::WeakAlgorithm),
        _ => Ok(key),
    }
}

fn critical_extensions(certificate: &Certificate) -> Result<(), PathReason> {
    if certificate.has_unnamed_critical_extension() {
        return Err(PathReason::UnnamedCriticalExtension);
    }
    let unknown = certificate
        .extensions()
        .find(|extension| extension.critical && !PROCESSED.contains(&extension.oid))
        .map(|extension| extension.oid);
    if let Some(oid) = unknown {
        return Err(PathReason::UnknownCriticalExtension(oid));
    }
    // All others are read with the certificate or for the path as a whole.
    let points = certificate.extension(&oid::CRL_DISTRIBUTION_POINTS).filter(|points| points.critical);
    match points.map(|points| DistributionPoint::read_all(points.value)) {
        Some(Err(_)) => Err(PathReason::MalformedExtension(oid::CRL_DISTRIBUTION_POINTS)),
        _ => Ok(()),
    }
}

fn validity(certificate: &Certificate, at: Option<Time>) -> Result<(), PathReason> {
    let Some(at) = at else { return Ok(()) };
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if at > not_after {
        return Err(PathReason::Expired { at, not_after });
    }
    if at < not_before {
        return Err(PathReason::NotYetValid { at, not_before });
    }
    Ok(())
}

fn leaf_usage(leaf: &Certificate, key: &PublicKey, purpose: PathPurpose) -> Result<(), PathReason> {
    let signs = |usage: KeyUsage| usage.digital_signature() || usage.non_repudiation();
    let allowed = |usage: KeyUsage| match (purpose, key.kind()) {
        (PathPurpose::Any, _) => true,
        (PathPurpose::EncryptMail, KeyKind::Rsa { .. }) => usage.key_encipherment(),
        (PathPurpose::EncryptMail, KeyKind::Sm2) => usage.key_encipherment() || usage.key_agreement(),
        (PathPurpose::EncryptMail, KeyKind::P256 | KeyKind::P384) => usage.key_agreement(),
        (PathPurpose::SignMail | PathPurpose::TimestampAuthority | PathPurpose::MailboxTimestamp, _) => {
            signs(usage)
        }
    };
    // An absent keyUsage restricts nothing (RFC 8550 §4.4.2).
    if leaf.key_usage().is_some_and(|usage| !allowed(usage)) {
        return Err(PathReason::KeyUsage);
    }
    let extended = leaf.extended_key_usage();
    match purpose {
        PathPurpose::Any => Ok(()),
        // An absent extKeyUsage restricts nothing (RFC 8550 §4.4.4).
        PathPurpose::SignMail | PathPurpose::EncryptMail => match extended {
            Some(usage) if !usage.has(&oid::EMAIL_PROTECTION) && !usage.has(&oid::ANY_EXTENDED_KEY_USAGE) => {
                Err(PathReason::ExtendedKeyUsage)
            }
            _ => Ok(()),
        },
        PathPurpose::TimestampAuthority | PathPurpose::MailboxTimestamp => {
            let usage = extended
                .filter(|usage| usage.has(&oid::TIME_STAMPING))
                .ok_or(PathReason::ExtendedKeyUsage)?;
            if !usage.critical || !usage.is_only(&oid::TIME_STAMPING) {
                return Err(PathReason::ExtendedKeyUsageNotSole);
            }
            if purpose == PathPurpose::TimestampAuthority && leaf.has_san_mailbox() {
                return Err(PathReason::MailboxInAuthority);
            }
            Ok(())
        }
    }
}
