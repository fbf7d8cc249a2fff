//! What a certificate from elsewhere is for, and which certificates stand above it.

use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::suite::Level;
#[cfg(feature = "pkcs12")]
use aecm_core::suite::Purpose;

#[cfg(feature = "pkcs12")]
use crate::slot::{DeviceId, Slot};

/// The most certificates above a leaf.
const MAX_ABOVE: usize = 8;

/// The slot that the key of `leaf` fills on `device`; `None` for a certificate that is not for mail.
///
/// A certificate that says encrypting and signing both, or says nothing, fills the encrypting slot: what was
/// encrypted to it opens with nothing else, while any other key can sign.
#[cfg(feature = "pkcs12")]
pub(crate) fn slot(leaf: &Certificate, device: &DeviceId) -> Option<Slot> {
    let suite = leaf.public_key()?.suite();
    Some(Slot::new(suite, purpose(leaf)?, level(leaf), device))
}

#[cfg(feature = "pkcs12")]
fn purpose(leaf: &Certificate) -> Option<Purpose> {
    let extended = leaf.extended_key_usage();
    let usage = leaf.key_usage();
    let signs = usage.is_none_or(|usage| usage.digital_signature());
    let encrypts = usage.is_none_or(|usage| usage.key_encipherment() || usage.key_agreement());
    let names = |oid| extended.is_some_and(|extended| extended.oids.contains(oid));
    if names(&oid::TIME_STAMPING) {
        return signs.then_some(Purpose::Timestamp);
    }
    if extended.is_some() && !names(&oid::EMAIL_PROTECTION) {
        return None;
    }
    match (encrypts, signs) {
        (true, _) => Some(Purpose::Encrypt),
        (false, true) => Some(Purpose::Sign),
        (false, false) => None,
    }
}

/// By the policies of the CA/B Forum S/MIME Baseline Requirements §7.1.6.1; mailbox-validated without one.
pub(crate) fn level(leaf: &Certificate) -> Level {
    const POLICIES: [(Level, [oid::ObjectIdentifier; 3]); 3] = [
        (
            Level::Sponsor,
            [oid::SMIME_SPONSOR_STRICT, oid::SMIME_SPONSOR_MULTIPURPOSE, oid::SMIME_SPONSOR_LEGACY],
        ),
        (
            Level::Organization,
            [
                oid::SMIME_ORGANIZATION_STRICT,
                oid::SMIME_ORGANIZATION_MULTIPURPOSE,
                oid::SMIME_ORGANIZATION_LEGACY,
            ],
        ),
        (
            Level::Individual,
            [oid::SMIME_INDIVIDUAL_STRICT, oid::SMIME_INDIVIDUAL_MULTIPURPOSE, oid::SMIME_INDIVIDUAL_LEGACY],
        ),
    ];
    let stated = leaf.policy_oids();
    POLICIES
        .iter()
        .find(|(_, policies)| policies.iter().any(|policy| stated.contains(policy)))
        .map_or(Level::Mailbox, |(level, _)| *level)
}

/// `leaf` and what of `pool` stands above it, as far as the names and key identifiers lead, the anchor left
/// out. Whether it holds is for path validation to say.
pub(crate) fn chain(leaf: &Certificate, pool: &[Certificate]) -> Vec<Certificate> {
    let mut chain = vec![leaf.clone()];
    while chain.len() <= MAX_ABOVE {
        let Some(last) = chain.last() else { break };
        let issued = |above: &&Certificate| {
            let identified = match (last.authority_key_identifier(), above.subject_key_identifier()) {
                (Some(wanted), Some(own)) => wanted == own,
                _ => true,
            };
            above.subject_der() == last.issuer_der()
                && identified
                && !above.is_self_issued()
                && !chain.contains(above)
        };
        let Some(above) = pool.iter().find(issued).cloned() else { break };
        chain.push(above);
    }
    chain
}
