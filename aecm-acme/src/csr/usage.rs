//! The key usage of a request (RFC 5280 §4.2.1.3, RFC 8823 §3).

use aecm_core::certificate::KeyUsage;
use aecm_core::public_key::KeyKind;
use aecm_core::suite::Purpose;

/// The one bit a request asks for (STANDARDS A20): to sign, digitalSignature; to encrypt, keyEncipherment for
/// RSA and SM2 (it is key transport), keyAgreement for EC.
#[must_use]
pub const fn asked_usage(purpose: Purpose, key: KeyKind) -> KeyUsage {
    match (purpose, key) {
        (Purpose::Sign | Purpose::Timestamp, _) => KeyUsage::DIGITAL_SIGNATURE,
        (Purpose::Encrypt, KeyKind::P256 | KeyKind::P384) => KeyUsage::KEY_AGREEMENT,
        (Purpose::Encrypt, _) => KeyUsage::KEY_ENCIPHERMENT,
    }
}

/// Whether `usage` has a bit that is not in `allowed`.
pub(crate) const fn exceeds(usage: KeyUsage, allowed: KeyUsage) -> bool {
    usage.bits() & !allowed.bits() != 0
}
