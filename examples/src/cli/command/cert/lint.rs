//! What is unusual about a certificate for mail: RFC 5280, RFC 8550 and the S/MIME Baseline Requirements of the
//! CA/Browser Forum. Nothing here decides a verdict.

use core::time::Duration;

use aecm_core::certificate::{Certificate, ExtendedKeyUsage};
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::KeyKind;

use crate::cli::judged;

/// The words, in the order of the rules; each stands in `docs/verdicts.md`.
pub(super) fn lint(certificate: &Certificate) -> Vec<&'static str> {
    let usage = certificate.extended_key_usage();
    let stamps = usage.is_some_and(|usage| usage.is_only(&oid::TIME_STAMPING));
    let general = GENERAL.iter();
    let mail = MAIL.iter().filter(|_| !stamps && !is_ca(certificate));
    let stamp = STAMP.iter().filter(|_| stamps);
    general.chain(mail).chain(stamp).filter(|(_, holds)| holds(certificate)).map(|(word, _)| *word).collect()
}

type Rule = (&'static str, fn(&Certificate) -> bool);

/// For every certificate.
const GENERAL: &[Rule] = &[
    ("lint-serial-not-positive", |certificate| {
        certificate.serial().first().is_none_or(|first| *first >= 0x80) || certificate.serial() == [0]
    }),
    // CA/B S/MIME BR §7.1: 64 bits of a random number generator; fewer octets cannot hold them.
    ("lint-serial-short", |certificate| certificate.serial().len() < 8),
    // RFC 5280 §4.1.2.2
    ("lint-serial-long", |certificate| certificate.serial().len() > 20),
    ("lint-key-unknown", |certificate| certificate.public_key().is_none()),
    // BR §6.1.5
    ("lint-rsa-short", |certificate| matches!(rsa_bits(certificate), Some(bits) if bits < 2_048)),
    ("lint-weak-signature", |certificate| {
        [oid::SHA1_WITH_RSA, oid::MD5_WITH_RSA, oid::ECDSA_WITH_SHA1]
            .contains(&certificate.signature_algorithm().oid)
    }),
    ("lint-self-signed", |certificate| certificate.is_self_issued()),
    // RFC 5280 §4.2.1.1, §4.2.1.2
    ("lint-no-authority-key-identifier", |certificate| {
        certificate.authority_key_identifier().is_none() && !certificate.is_self_issued()
    }),
    ("lint-no-subject-key-identifier", |certificate| certificate.subject_key_identifier().is_none()),
    ("lint-no-key-usage", |certificate| certificate.key_usage().is_none()),
    ("lint-key-usage-not-critical", |certificate| {
        certificate.extension(&oid::KEY_USAGE).is_some_and(|extension| !extension.critical)
    }),
    // RFC 5280 §4.1.2.6
    ("lint-alternative-name-not-critical", |certificate| {
        let names = certificate.extension(&oid::SUBJECT_ALT_NAME);
        certificate.subject_text().is_empty() && names.is_some_and(|names| !names.critical)
    }),
    // RFC 5280 §4.1.2.5
    ("lint-validity-reversed", |certificate| certificate.not_after() < certificate.not_before()),
];

/// For certificates of mailboxes.
const MAIL: &[Rule] = &[
    // RFC 8550 §3, BR §7.1.4.2.1
    ("lint-no-mailbox", |certificate| certificate.mailboxes().is_empty()),
    ("lint-mailbox-in-subject-only", |certificate| {
        !certificate.has_san_mailbox() && !certificate.mailboxes().is_empty()
    }),
    // BR §6.3.2: 825 days, and 1,185 for the legacy profiles.
    ("lint-validity-long", |certificate| {
        let days = if is_legacy(certificate) { 1_185 } else { 825 };
        certificate.not_after().since(certificate.not_before()) > Duration::from_secs(days * 86_400)
    }),
    // BR §7.1.2.3
    ("lint-no-extended-key-usage", |certificate| certificate.extended_key_usage().is_none()),
    ("lint-no-email-protection", |certificate| {
        names(certificate, |usage| !usage.has(&oid::EMAIL_PROTECTION))
    }),
    ("lint-any-extended-key-usage", |certificate| {
        names(certificate, |usage| usage.has(&oid::ANY_EXTENDED_KEY_USAGE))
    }),
    ("lint-extended-key-usage-mixed", |certificate| {
        let foreign: [ObjectIdentifier; 4] =
            [oid::SERVER_AUTH, oid::CODE_SIGNING, oid::TIME_STAMPING, oid::OCSP_SIGNING];
        names(certificate, |usage| foreign.iter().any(|purpose| usage.has(purpose)))
    }),
    // One usage for a certificate: AECM's rule, and BR's for the strict profile of ECC.
    ("lint-dual-use", |certificate| {
        certificate.key_usage().is_some_and(|usage| {
            (usage.digital_signature() || usage.non_repudiation())
                && (usage.key_encipherment() || usage.key_agreement() || usage.data_encipherment())
        })
    }),
    ("lint-no-policy", |certificate| certificate.policy_oids().is_empty()),
    ("lint-no-smime-policy", |certificate| {
        !certificate.policy_oids().is_empty() && judged::level(certificate).is_none()
    }),
    // BR §7.1.2.3
    ("lint-no-revocation-address", |certificate| {
        certificate.crl_urls().is_empty() && certificate.ocsp_urls().is_empty()
    }),
];

/// For certificates of timestamps.
const STAMP: &[Rule] = &[
    // RFC 3161 §2.3
    ("lint-timestamp-usage-not-critical", |certificate| names(certificate, |usage| !usage.critical)),
];

fn names(certificate: &Certificate, holds: impl Fn(&ExtendedKeyUsage) -> bool) -> bool {
    certificate.extended_key_usage().is_some_and(holds)
}

fn rsa_bits(certificate: &Certificate) -> Option<usize> {
    match certificate.public_key()?.kind() {
        KeyKind::Rsa { bits } => Some(bits),
        _ => None,
    }
}

fn is_ca(certificate: &Certificate) -> bool {
    certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
}

fn is_legacy(certificate: &Certificate) -> bool {
    let legacy = [
        oid::SMIME_MAILBOX_LEGACY,
        oid::SMIME_ORGANIZATION_LEGACY,
        oid::SMIME_SPONSOR_LEGACY,
        oid::SMIME_INDIVIDUAL_LEGACY,
    ];
    certificate.policy_oids().iter().any(|policy| legacy.contains(policy))
}
