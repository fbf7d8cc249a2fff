//! What goes into a certificate: subject, validity and the extensions of each profile.

use std::time::Duration;

use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::tlv::{Tag, write as w};

/// Policy of mailbox-validated SM2 certificates (arc of RFC 5612: this is a service to test against).
pub const POLICY_SM2_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.1");
/// Policy of mailbox timestamping certificates: self-asserted time, never an authority.
pub const POLICY_MAILBOX_TIMESTAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.2");
/// Policy under which the timestamp authority stamps.
pub const POLICY_TSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.3");
/// CA/Browser Forum S/MIME: mailbox-validated, strict generation.
const POLICY_MV_STRICT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.140.1.5.1.3");

/// The most characters of a common name (RFC 5280 §A.1).
const UB_COMMON_NAME: usize = 64;

const DAY: Duration = Duration::from_secs(86_400);

/// The contents of a certificate but for names of the issuer, key and serial number.
#[derive(Clone, Debug)]
pub struct Template {
    /// The subject's common name, at most 64 characters (RFC 5280 §A.1, ub-common-name). Without one the
    /// subject is empty, and the subjectAltName has to be critical (§4.2.1.6).
    pub common_name: Option<String>,
    /// How long it is valid.
    pub lifetime: Duration,
    /// The extensions, each an encoded `Extension` (RFC 5280 §4.1), without SKI and AKI.
    pub extensions: Vec<Vec<u8>>,
}

impl Template {
    /// A root: CA, signs certificates and CRLs, 20 years.
    #[must_use]
    pub fn root(common_name: &str) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            lifetime: DAY * 7_300,
            extensions: vec![basic_constraints(None), key_usage(&[5, 6])],
        }
    }

    /// An issuer below a root: path length 0, limited to one extended key usage, 10 years.
    #[must_use]
    pub fn issuer(common_name: &str, usage: ObjectIdentifier) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            lifetime: DAY * 3_650,
            extensions: vec![
                basic_constraints(Some(0)),
                key_usage(&[5, 6]),
                extended_key_usage(usage, false),
            ],
        }
    }

    /// A timestamp authority's unit: critical and sole `timeStamping` (RFC 3161 §2.3), no mailbox, 5 years.
    #[must_use]
    pub fn timestamp_unit(common_name: &str) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            lifetime: DAY * 1_825,
            extensions: vec![
                key_usage(&[0]),
                extended_key_usage(oid::TIME_STAMPING, true),
                policies(POLICY_TSA),
            ],
        }
    }

    /// A mailbox certificate of the profile `{suite}-{purpose}-mv` for `key`.
    ///
    /// Signing and encrypting ones live 365 days; single key usage throughout. Encrypting ones say in
    /// smimeCapabilities (RFC 4262) what may be sent to them. An address of more than 64 characters is no
    /// common name: it stands in the subjectAltName alone.
    #[must_use]
    pub fn mailbox(mailbox: &Mailbox, suite: Suite, purpose: Purpose, key: &PublicKey) -> Self {
        let usage = match (purpose, key.kind()) {
            (Purpose::Sign | Purpose::Timestamp, _) => key_usage(&[0]),
            (Purpose::Encrypt, KeyKind::P256 | KeyKind::P384) => key_usage(&[4]),
            (Purpose::Encrypt, _) => key_usage(&[2]),
        };
        let (extended, policy) = match (purpose, suite) {
            (Purpose::Timestamp, _) => {
                (extended_key_usage(oid::TIME_STAMPING, true), POLICY_MAILBOX_TIMESTAMP)
            }
            (_, Suite::Classic) => (extended_key_usage(oid::EMAIL_PROTECTION, false), POLICY_MV_STRICT),
            (_, Suite::Sm2) => (extended_key_usage(oid::EMAIL_PROTECTION, false), POLICY_SM2_MAILBOX),
        };
        let name = mailbox.as_str();
        let common_name = (name.chars().count() <= UB_COMMON_NAME).then(|| name.to_owned());
        let alternative = subject_alt_name(mailbox, common_name.is_none());
        let mut extensions = vec![usage, extended, policies(policy), alternative];
        if purpose == Purpose::Encrypt {
            extensions.push(capabilities(suite));
        }
        Self { common_name, lifetime: DAY * 365, extensions }
    }
}

/// `Name` with one common name, UTF8String (RFC 5280 §4.1.2.4), or empty.
pub(super) fn name(common_name: Option<&str>) -> Vec<u8> {
    let Some(common_name) = common_name else { return w::sequence(&[]) };
    let attribute = w::sequence(&[&w::oid(&oid::COMMON_NAME), &w::utf8(common_name)]);
    w::sequence(&[&w::set_of(vec![attribute])])
}

/// `Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue }`.
pub(super) fn extension(id: ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let value = w::octet_string(value);
    if critical {
        w::sequence(&[&w::oid(&id), &w::boolean(true), &value])
    } else {
        w::sequence(&[&w::oid(&id), &value])
    }
}

fn basic_constraints(path_length: Option<u64>) -> Vec<u8> {
    let value = match path_length {
        Some(length) => w::sequence(&[&w::boolean(true), &w::small(length)]),
        None => w::sequence(&[&w::boolean(true)]),
    };
    extension(oid::BASIC_CONSTRAINTS, true, &value)
}

// Bits of RFC 5280 §4.2.1.3: 0 digitalSignature, 2 keyEncipherment, 4 keyAgreement, 5 keyCertSign, 6 cRLSign.
fn key_usage(bits: &[u8]) -> Vec<u8> {
    let octet = bits.iter().fold(0u8, |octet, bit| octet | 0x80 >> bit);
    // A named bit list drops its trailing zero bits (X.690 §11.2.2).
    let unused = u8::try_from(octet.trailing_zeros()).unwrap_or(0);
    extension(oid::KEY_USAGE, true, &w::tlv(Tag::BIT_STRING, &[unused, octet]))
}

fn extended_key_usage(usage: ObjectIdentifier, critical: bool) -> Vec<u8> {
    extension(oid::EXT_KEY_USAGE, critical, &w::sequence(&[&w::oid(&usage)]))
}

fn policies(policy: ObjectIdentifier) -> Vec<u8> {
    let information = w::sequence(&[&w::oid(&policy)]);
    extension(oid::CERTIFICATE_POLICIES, false, &w::sequence(&[&information]))
}

/// GeneralName: rfc822Name \[1\] IMPLICIT IA5String with the domain in ASCII, or for a local part outside ASCII
/// otherName \[0\] SmtpUTF8Mailbox (RFC 9598 §3).
fn subject_alt_name(mailbox: &Mailbox, critical: bool) -> Vec<u8> {
    let general_name = if mailbox.local().is_ascii() {
        let name = format!("{}@{}", mailbox.local(), mailbox.ascii_domain());
        w::tlv(Tag::context_primitive(1), name.as_bytes())
    } else {
        let value = w::explicit(0, &w::utf8(mailbox.as_str()));
        w::tlv(Tag::context(0), &[w::oid(&oid::SMTP_UTF8_MAILBOX), value].concat())
    };
    extension(oid::SUBJECT_ALT_NAME, critical, &w::sequence(&[&general_name]))
}

/// `SMIMECapabilities ::= SEQUENCE OF SMIMECapability` in order of preference (RFC 8551 §2.5.2).
fn capabilities(suite: Suite) -> Vec<u8> {
    let ciphers: &[ObjectIdentifier] = match suite {
        Suite::Classic => &[oid::AES256_GCM, oid::AES128_GCM, oid::AES256_CBC, oid::AES128_CBC],
        Suite::Sm2 => &[oid::SM4_GCM, oid::SM4_CBC],
    };
    let list: Vec<Vec<u8>> = ciphers.iter().map(|cipher| w::sequence(&[&w::oid(cipher)])).collect();
    let parts: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    extension(oid::SMIME_CAPABILITIES, false, &w::sequence(&parts))
}
