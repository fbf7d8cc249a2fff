//! Which CRL is for which certificate (RFC 5280 §6.3.3 (b) to (d)).

use alloc::vec::Vec;

use crate::certificate::{Certificate, names_match};
use crate::crl::{Crl, DistributionPoint, directory, same_general_name};
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{Reader, Rules};

/// Where the CRLs of `certificate` are: where it says so, and its issuer.
pub(super) fn distribution_points(certificate: &Certificate) -> Vec<DistributionPoint> {
    let stated = certificate.extension(&oid::CRL_DISTRIBUTION_POINTS);
    let mut points =
        stated.and_then(|extension| DistributionPoint::read_all(extension.value).ok()).unwrap_or_default();
    points.push(DistributionPoint::of_issuer(certificate.issuer_der(), &alternative_names(certificate)));
    points
}

// The names of issuerAltName.
fn alternative_names(certificate: &Certificate) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let Some(extension) = certificate.extension(&oid::ISSUER_ALT_NAME) else { return names };
    let mut reader = Reader::new(extension.value, Rules::Der, &Limits::default());
    if let Ok(mut list) = reader.sequence() {
        while let Ok(name) = list.any() {
            names.push(name.bytes());
        }
    }
    names
}

/// How many names [`reasons`] compares.
pub(super) fn comparisons(crl: &Crl, point: &DistributionPoint) -> usize {
    let of_crl = crl.distribution_point().map_or(0, |own| own.names());
    let of_point = point.name.as_ref().map_or(0, |name| name.len()).max(point.crl_issuer.len());
    1 + point.crl_issuer.len() + of_crl.saturating_mul(of_point)
}

/// The reasons that `crl` covers for `certificate`, found at `point`; `None` where it is not for it.
pub(super) fn reasons(crl: &Crl, certificate: &Certificate, point: &DistributionPoint) -> Option<u16> {
    let own = crl.distribution_point();
    let right_issuer = if point.crl_issuer.is_empty() {
        names_match(crl.issuer_der(), certificate.issuer_der())
    } else {
        let named = |name: &Vec<u8>| {
            directory(name).is_some_and(|directory| names_match(directory, crl.issuer_der()))
        };
        crl.is_indirect() && point.crl_issuer.iter().any(named)
    };
    if !right_issuer {
        return None;
    }
    let Some(own) = own else { return Some(point.reasons) };
    let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
    if own.only_attribute || (own.only_user && is_ca) || (own.only_ca && !is_ca) {
        return None;
    }
    if let Some(own_name) = &own.name {
        let own_names = own_name.resolve(crl.issuer_der());
        let wanted = match &point.name {
            None => point.crl_issuer.clone(),
            Some(name) => {
                let base = point.crl_issuer.iter().find_map(|issuer| directory(issuer));
                name.resolve(base.unwrap_or_else(|| certificate.issuer_der()))
            }
        };
        let met = |own: &Vec<u8>| wanted.iter().any(|wanted| same_general_name(own, wanted));
        if !own_names.iter().any(met) {
            return None;
        }
    }
    Some(own.reasons & point.reasons)
}

/// Whether `delta` is a list of changes to `crl` (RFC 5280 §5.2.4): of the same issuer, key and scope, based on it
/// or on an older one, and newer.
pub(super) fn is_delta_of(delta: &Crl, crl: &Crl) -> bool {
    let (Some(base), Some(number), Some(changed)) = (delta.delta_base(), crl.number(), delta.number()) else {
        return false;
    };
    is_same(delta, crl) && !is_less(number, base) && is_less(number, changed)
}

/// Whether both are of the same issuer, key and scope.
pub(super) fn is_same(one: &Crl, other: &Crl) -> bool {
    let scope = |crl: &Crl| crl.extension(&oid::ISSUING_DISTRIBUTION_POINT).map(|scope| scope.value.to_vec());
    names_match(one.issuer_der(), other.issuer_der())
        && one.authority_key_identifier() == other.authority_key_identifier()
        && scope(one) == scope(other)
}

/// Whether `one` has the larger number.
pub(super) fn is_newer(one: &Crl, other: &Crl) -> bool {
    one.number().zip(other.number()).is_some_and(|(one, other)| is_less(other, one))
}

// Of two INTEGERs that are minimal and not negative.
fn is_less(one: &[u8], other: &[u8]) -> bool {
    (one.len(), one) < (other.len(), other)
}
