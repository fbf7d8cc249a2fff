//! Certificates to stand in for one that nobody has: `decrypt --key F` without `--cert`.
//!
//! A message names its recipients by issuer and serial number, which are the certificate's to say. Where only the key
//! is at hand, whoever the message names is taken to be its holder, one after the other; the key itself shows whether
//! that was right. Such a certificate carries no signature and is trusted with nothing.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::tlv::{Tag, write};
use aecm_smime::cms::{Enveloped, Identifier, RecipientInfo};

/// A certificate for each recipient of `cms` that may be the holder of `key`.
pub(super) fn of(cms: &[u8], key: &PublicKey, limits: &Limits) -> Vec<Certificate> {
    let Ok(enveloped) = Enveloped::parse(cms, limits) else { return Vec::new() };
    let mut all = Vec::new();
    for recipient in enveloped.recipients() {
        match (recipient, key.kind()) {
            (RecipientInfo::KeyTransport { rid, algorithm, .. }, KeyKind::Rsa { .. } | KeyKind::Sm2) => {
                let to_rsa = [oid::RSAES_OAEP, oid::RSA_ENCRYPTION].contains(&algorithm.oid);
                if to_rsa == matches!(key.kind(), KeyKind::Rsa { .. }) {
                    all.extend(named(rid, key));
                }
            }
            (RecipientInfo::KeyAgreement(agreement), KeyKind::P256 | KeyKind::P384) => {
                all.extend(agreement.keys.iter().filter_map(|(rid, _)| named(rid, key)));
            }
            _ => {}
        }
        if all.len() >= limits.private_key_operations {
            break;
        }
    }
    all
}

/// A certificate of that name and key (RFC 5280 §4.1), unsigned.
fn named(rid: &Identifier<'_>, key: &PublicKey) -> Option<Certificate> {
    let nobody = write::sequence(&[]);
    let (issuer, serial, key_identifier) = match rid {
        Identifier::IssuerAndSerial { issuer, serial } => (*issuer, *serial, None),
        Identifier::SubjectKeyIdentifier(id) => (nobody.as_slice(), &[1][..], Some(id)),
    };
    let algorithm = write::algorithm(&oid::SHA256_WITH_RSA, Some(&write::null()));
    let time = |text| aecm_core::time::Time::from_rfc3339(text).map(write::time);
    let validity = write::sequence(&[&time("2000-01-01T00:00:00Z")?, &time("2049-12-31T23:59:59Z")?]);
    let extensions = key_identifier.map_or_else(Vec::new, |id| {
        let value = write::octet_string(&write::octet_string(id));
        let extension = write::sequence(&[&write::oid(&oid::SUBJECT_KEY_IDENTIFIER), &value]);
        write::explicit(3, &write::sequence(&[&extension]))
    });
    let tbs = write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::tlv(Tag::INTEGER, serial),
        &algorithm,
        issuer,
        &validity,
        &nobody,
        key.spki_der(),
        &extensions,
    ]);
    let der = write::sequence(&[&tbs, &algorithm, &write::bit_string(&[0])]);
    Certificate::from_der(&der).ok()
}
