//! Whether a certificate may sign this content (RFC 8550 §4.4, RFC 3161 §2.3, THREATS S14).

use aecm_core::certificate::Certificate;
use aecm_core::oid::{self, ObjectIdentifier};

/// Why `certificate` may not sign content of `content_type`, if it may not.
pub(super) fn refusal(
    certificate: &Certificate,
    content_type: &ObjectIdentifier,
    single_usage: bool,
) -> Option<&'static str> {
    if let Some(usage) = certificate.key_usage() {
        if !usage.digital_signature() && !usage.non_repudiation() {
            return Some("its keyUsage has neither digitalSignature nor nonRepudiation");
        }
        let encrypts = usage.key_encipherment() || usage.data_encipherment() || usage.key_agreement();
        if single_usage && encrypts {
            return Some("its keyUsage allows encryption too, and one usage for a certificate is asked for");
        }
    }
    let extended = certificate.extended_key_usage()?;
    let has = |wanted: &ObjectIdentifier| extended.oids.iter().any(|oid| oid == wanted);
    if *content_type == oid::TST_INFO {
        // RFC 3161 §2.3: timeStamping and nothing else; anyExtendedKeyUsage does not stand for it.
        return (!has(&oid::TIME_STAMPING)).then_some("its extendedKeyUsage lacks timeStamping");
    }
    let mail = has(&oid::EMAIL_PROTECTION) || has(&oid::ANY_EXTENDED_KEY_USAGE);
    let data = *content_type == oid::DATA || *content_type == oid::GM_DATA;
    (data && !mail).then_some("its extendedKeyUsage lacks emailProtection")
}
