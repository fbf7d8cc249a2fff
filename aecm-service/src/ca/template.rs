//! What goes into a certificate: subject, validity and the extensions of each profile.

use std::time::Duration;

use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::tlv::{Tag, write as w};

use crate::options::ExternalSubject;

/// Policy of mailbox-validated SM2 certificates (arc of RFC 5612: this is a service to test against).
pub const POLICY_SM2_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.1");
/// Policy of mailbox timestamping certificates: self-asserted time, never an authority.
pub const POLICY_MAILBOX_TIMESTAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.2");
/// Policy under which the timestamp authority stamps.
pub const POLICY_TSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.3");
/// Policy of organization-validated SM2 certificates.
pub const POLICY_SM2_ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.4");
/// Policy of sponsor-validated SM2 certificates.
pub const POLICY_SM2_SPONSOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.5");
/// Policy of individual-validated SM2 certificates.
pub const POLICY_SM2_INDIVIDUAL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.6");

/// The most characters of a common name (RFC 5280 §A.1).
const UB_COMMON_NAME: usize = 64;

const DAY: Duration = Duration::from_secs(86_400);

/// The contents of a certificate but for names of the issuer, key and serial number.
#[derive(Clone, Debug)]
pub struct Template {
    /// The subject's common name, at most 64 characters (RFC 5280 §A.1, ub-common-name). Without one the
    /// subject is empty, and the subjectAltName has to be critical (§4.2.1.6).
    pub common_name: Option<String>,
    /// The subject's other attributes, in order, before the common name.
    pub attributes: Vec<SubjectAttribute>,
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
            attributes: Vec::new(),
            lifetime: DAY * 7_300,
            extensions: vec![basic_constraints(None), key_usage(&[5, 6])],
        }
    }

    /// An issuer below a root: path length 0, limited to one extended key usage, 10 years.
    #[must_use]
    pub fn issuer(common_name: &str, usage: ObjectIdentifier) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            attributes: Vec::new(),
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
            attributes: Vec::new(),
            lifetime: DAY * 1_825,
            extensions: vec![
                key_usage(&[0]),
                extended_key_usage(oid::TIME_STAMPING, true),
                policies(POLICY_TSA),
            ],
        }
    }

    /// The escrow's: one of two of the same name, which encrypts or signs, without a mailbox, 5 years.
    #[must_use]
    pub(crate) fn escrow(encrypts: bool) -> Self {
        Self {
            common_name: Some("AECM Test Escrow".to_owned()),
            attributes: Vec::new(),
            lifetime: DAY * 1_825,
            extensions: vec![
                key_usage(if encrypts { &[2] } else { &[0] }),
                extended_key_usage(oid::EMAIL_PROTECTION, false),
                policies(oid::AECM_ESCROW_POLICY),
            ],
        }
    }

    /// Says where the issuer's revocation list is: cRLDistributionPoints (RFC 5280 §4.2.1.13) with one full name.
    #[must_use]
    pub fn with_crl(mut self, url: &str) -> Self {
        // DistributionPoint { distributionPoint [0] { fullName [0] { uniformResourceIdentifier [6] } } }
        let name = w::tlv(Tag::context_primitive(6), url.as_bytes());
        let full = w::tlv(Tag::context(0), &w::tlv(Tag::context(0), &name));
        let points = w::sequence(&[&w::sequence(&[&full])]);
        self.extensions.push(extension(oid::CRL_DISTRIBUTION_POINTS, false, &points));
        self
    }

    /// A mailbox certificate of the profile `{suite}-{purpose}-mv` for `key`.
    ///
    /// Signing and encrypting ones live 365 days; single key usage throughout. Encrypting ones say in
    /// smimeCapabilities (RFC 4262) what may be sent to them. An address of more than 64 characters is no
    /// common name: it stands in the subjectAltName alone.
    #[must_use]
    pub fn mailbox(mailbox: &Mailbox, suite: Suite, purpose: Purpose, key: &PublicKey) -> Self {
        Self::validated(mailbox, suite, purpose, Level::Mailbox, &ExternalSubject::default(), key)
    }

    /// As [`Template::mailbox`], of the profile `{suite}-{purpose}-{level}` with what was checked of the
    /// `subject` (S/MIME BR §7.1.4.2): the organization for OV, the person for IV, both for SV.
    #[must_use]
    pub fn validated(
        mailbox: &Mailbox,
        suite: Suite,
        purpose: Purpose,
        level: Level,
        subject: &ExternalSubject,
        key: &PublicKey,
    ) -> Self {
        let usage = match (purpose, key.kind()) {
            (Purpose::Sign | Purpose::Timestamp, _) => key_usage(&[0]),
            (Purpose::Encrypt, KeyKind::P256 | KeyKind::P384) => key_usage(&[4]),
            (Purpose::Encrypt, _) => key_usage(&[2]),
        };
        let (extended, policy) = match (purpose, suite) {
            (Purpose::Timestamp, _) => {
                (extended_key_usage(oid::TIME_STAMPING, true), POLICY_MAILBOX_TIMESTAMP)
            }
            _ => (extended_key_usage(oid::EMAIL_PROTECTION, false), policy_of(suite, level)),
        };
        let name = match level {
            Level::Individual | Level::Sponsor => subject.personal_name(),
            Level::Organization => subject.organization.clone(),
            _ => Some(mailbox.as_str().to_owned()),
        };
        let common_name = name.filter(|name| name.chars().count() <= UB_COMMON_NAME);
        let attributes = attributes_of(level, subject);
        let alternative = subject_alt_name(mailbox, common_name.is_none() && attributes.is_empty());
        let mut extensions = vec![usage, extended, policies(policy), alternative];
        if purpose == Purpose::Encrypt {
            extensions.push(capabilities(suite));
        }
        Self { common_name, attributes, lifetime: DAY * 365, extensions }
    }

    /// `Name ::= SEQUENCE OF RelativeDistinguishedName`, one attribute each: UTF8String (RFC 5280 §4.1.2.4),
    /// the country PrintableString (§A.1).
    pub(super) fn subject_der(&self) -> Vec<u8> {
        let common_name = self
            .common_name
            .iter()
            .map(|name| SubjectAttribute { id: oid::COMMON_NAME, value: name.clone() });
        let attributes = self.attributes.iter().cloned().chain(common_name).map(|attribute| {
            let value = if attribute.id == oid::COUNTRY {
                w::printable(&attribute.value)
            } else {
                w::utf8(&attribute.value)
            };
            w::set_of(vec![w::sequence(&[&w::oid(&attribute.id), &value])])
        });
        w::sequence(&[&attributes.collect::<Vec<_>>().concat()])
    }
}

/// One attribute of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectAttribute {
    /// Its type, for example organizationName.
    pub id: ObjectIdentifier,
    /// Its value.
    pub value: String,
}

/// The policy of certificates of a level: the strict generation of the S/MIME BR (§7.1.6.1), or one of our own
/// for SM2, which the BR do not know.
const fn policy_of(suite: Suite, level: Level) -> ObjectIdentifier {
    match (suite, level) {
        (Suite::Classic, Level::Organization) => oid::SMIME_ORGANIZATION_STRICT,
        (Suite::Classic, Level::Sponsor) => oid::SMIME_SPONSOR_STRICT,
        (Suite::Classic, Level::Individual) => oid::SMIME_INDIVIDUAL_STRICT,
        (Suite::Classic, _) => oid::SMIME_MAILBOX_STRICT,
        (Suite::Sm2, Level::Organization) => POLICY_SM2_ORGANIZATION,
        (Suite::Sm2, Level::Sponsor) => POLICY_SM2_SPONSOR,
        (Suite::Sm2, Level::Individual) => POLICY_SM2_INDIVIDUAL,
        (Suite::Sm2, _) => POLICY_SM2_MAILBOX,
    }
}

/// The attributes that BR §7.1.4.2.3 to §7.1.4.2.6 want beside the common name.
fn attributes_of(level: Level, subject: &ExternalSubject) -> Vec<SubjectAttribute> {
    let organization = matches!(level, Level::Organization | Level::Sponsor);
    let person = matches!(level, Level::Individual | Level::Sponsor);
    let wanted = [
        (organization || person, oid::COUNTRY, &subject.country),
        (organization, oid::ORGANIZATION, &subject.organization),
        (organization, oid::ORGANIZATION_IDENTIFIER, &subject.organization_identifier),
        (person, oid::GIVEN_NAME, &subject.given_name),
        (person, oid::SURNAME, &subject.surname),
    ];
    wanted
        .into_iter()
        .filter(|(wanted, _, _)| *wanted)
        .filter_map(|(_, id, value)| Some(SubjectAttribute { id, value: value.clone()? }))
        .collect()
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
