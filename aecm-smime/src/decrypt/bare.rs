//! Keys without a certificate: which RecipientInfos may mean them.
//!
//! A message names its recipients by what a certificate says. Where only the key is at hand, every RecipientInfo that
//! is for a key of its kind and size may mean it, one named by the key's own identifier before all others, and alone
//! where the cipher could not tell a wrong key. All that is looked at here can be seen without a key.

use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::tlv::{AlgorithmId, Reader, Rules};

use super::DecryptOptions;
use super::transport::{SM2_TRANSPORTS, is_standard_sm2};
use super::ways::{Candidate, Holder, Way};
use crate::cipher::ContentCipher;
use crate::cms::{Enveloped, Identifier, Originator, RecipientInfo};

/// The ways in with keys that have no certificate.
pub(super) fn ways<'w, 'a>(
    enveloped: &'w Enveloped<'a>,
    cipher: ContentCipher,
    options: &'w DecryptOptions,
) -> Vec<Candidate<'w, 'a>> {
    let (mut named, mut possible) = (Vec::new(), Vec::new());
    for info in enveloped.recipients() {
        for bare in &options.bare_keys {
            let (key, holder) = (bare.key().public_key(), Holder::Bare(bare));
            let mut add = |rid: &Identifier<'_>, way| {
                let is_named = names(rid, key);
                // One that is named by another identifier is tried too: there are several ways to make them.
                let meant = is_named || matches!(rid, Identifier::IssuerAndSerial { .. });
                let list = if is_named { &mut named } else { &mut possible };
                list.push(Candidate { way, by_name: false, meant, guessed: !is_named });
            };
            match info {
                RecipientInfo::KeyTransport { rid, algorithm, encrypted_key }
                    if may_open(algorithm, encrypted_key, key.kind(), options) =>
                {
                    add(rid, Way::Transport { info, holder });
                }
                RecipientInfo::KeyAgreement(agreement) if on_curve(&agreement.originator, key.kind()) => {
                    for (rid, encrypted_key) in &agreement.keys {
                        add(rid, Way::Agreement { agreement, encrypted_key, holder });
                    }
                }
                _ => {}
            }
        }
    }
    if named.is_empty() || cipher.is_authenticated() {
        named.append(&mut possible);
    }
    named
}

/// Whether the identifier is that of the key (RFC 5280 §4.2.1.2, method 1).
fn names(rid: &Identifier<'_>, key: &PublicKey) -> bool {
    matches!(rid, Identifier::SubjectKeyIdentifier(id) if id.as_ref() == key.key_identifier().as_slice())
}

/// Whether the encrypted key may be one for a key of that kind.
fn may_open(
    algorithm: &AlgorithmId<'_>,
    encrypted_key: &[u8],
    kind: KeyKind,
    options: &DecryptOptions,
) -> bool {
    match kind {
        KeyKind::Rsa { bits } => {
            [oid::RSAES_OAEP, oid::RSA_ENCRYPTION].contains(&algorithm.oid)
                && encrypted_key.len() == bits.div_ceil(8)
        }
        // The identifiers that are used for SM2 against the standard are mostly those of other keys.
        KeyKind::Sm2 => {
            SM2_TRANSPORTS.contains(&algorithm.oid)
                && (is_standard_sm2(&algorithm.oid)
                    || options.sm2_form.is_some()
                    || is_sequence(encrypted_key, &options.limits))
        }
        _ => false,
    }
}

fn is_sequence(octets: &[u8], limits: &Limits) -> bool {
    let mut reader = Reader::new(octets, Rules::Ber, limits);
    reader.sequence().is_ok() && reader.finish().is_ok()
}

/// Whether the sender's point has the size of those of the key's curve (SEC 1 §2.3.3), whole or compressed.
fn on_curve(originator: &Originator<'_>, kind: KeyKind) -> bool {
    let Originator::Key { key, .. } = originator else { return false };
    match kind {
        KeyKind::P256 => [65, 33].contains(&key.len()),
        KeyKind::P384 => [97, 49].contains(&key.len()),
        _ => false,
    }
}
