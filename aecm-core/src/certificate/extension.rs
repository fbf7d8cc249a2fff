//! Extensions (RFC 5280 §4.2): all of them as octets, the known ones read.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::general_name::{self, AlternativeNames};
use super::{CertificateError, parse};
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::{Reader, Rules, Tag, Tlv, TlvError, TlvErrorKind, write};

/// One extension.
///
/// ```text
/// Extension  ::=  SEQUENCE  {
///     extnID      OBJECT IDENTIFIER,
///     critical    BOOLEAN DEFAULT FALSE,
///     extnValue   OCTET STRING }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// `extnID`
    pub oid: ObjectIdentifier,
    /// `critical`
    pub critical: bool,
    /// The content of `extnValue`: a whole value of the extension's own type.
    pub value: &'a [u8],
}

/// The bits of keyUsage, numbered as in RFC 5280 §4.2.1.3: bit 0 is digitalSignature.
///
/// ```
/// use aecm_core::certificate::KeyUsage;
///
/// let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION;
/// assert!(usage.digital_signature() && !usage.key_encipherment());
/// assert_eq!(usage.to_der(), [0x03, 0x02, 0x06, 0xc0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

/// extKeyUsage.
///
/// ```text
/// ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// Whether the extension is critical.
    pub critical: bool,
    /// The purposes, in order; those with an identifier too large for [`ObjectIdentifier`] are left out.
    pub oids: Vec<ObjectIdentifier>,
    /// How many purposes there are, also those left out of `oids`.
    pub count: usize,
}

/// basicConstraints.
///
/// ```text
/// BasicConstraints ::= SEQUENCE {
///     cA                      BOOLEAN DEFAULT FALSE,
///     pathLenConstraint       INTEGER (0..MAX) OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject may issue certificates.
    pub ca: bool,
    /// How many certificates of other issuers may follow below, the leaf not counted.
    pub path_len: Option<u64>,
}

/// Where an extension stands.
pub(crate) struct Span {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) critical: bool,
    pub(crate) value: Range<usize>,
}

/// The extensions that are known here, read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) subject_key_identifier: Option<Range<usize>>,
    pub(super) authority_key_identifier: Option<Range<usize>>,
    pub(super) alternative_names: AlternativeNames,
    pub(super) policies: Vec<ObjectIdentifier>,
    pub(super) crl_urls: Vec<String>,
    pub(super) ocsp_urls: Vec<String>,
    pub(super) issuer_urls: Vec<String>,
}

macro_rules! usages {
    ($($constant:ident, $method:ident, $bit:literal, $name:literal;)*) => {
        $(
            #[doc = concat!($name, " (bit ", stringify!($bit), ").")]
            pub const $constant: Self = Self(1 << $bit);

            #[doc = concat!("Whether ", $name, " is set.")]
            #[must_use]
            pub const fn $method(self) -> bool {
                self.0 & Self::$constant.0 != 0
            }
        )*
    };
}

impl KeyUsage {
    usages! {
        DIGITAL_SIGNATURE, digital_signature, 0, "digitalSignature";
        NON_REPUDIATION, non_repudiation, 1, "nonRepudiation (contentCommitment)";
        KEY_ENCIPHERMENT, key_encipherment, 2, "keyEncipherment";
        DATA_ENCIPHERMENT, data_encipherment, 3, "dataEncipherment";
        KEY_AGREEMENT, key_agreement, 4, "keyAgreement";
        KEY_CERT_SIGN, key_cert_sign, 5, "keyCertSign";
        CRL_SIGN, crl_sign, 6, "cRLSign";
        ENCIPHER_ONLY, encipher_only, 7, "encipherOnly";
        DECIPHER_ONLY, decipher_only, 8, "decipherOnly";
    }

    /// From bits numbered as in RFC 5280; bits beyond the ninth are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// The bits, numbered as in RFC 5280.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The value of the extension: a BIT STRING in DER.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        write::named_bits(self.0)
    }

    /// Reads the value of the extension.
    ///
    /// # Errors
    /// What is wrong with the BIT STRING; no bit set, or bits beyond the ninth.
    pub fn from_der(value: &[u8]) -> Result<Self, TlvError> {
        let mut reader = Reader::new(value, Rules::Der, &Limits::default());
        let bit_string = reader.expect(Tag::BIT_STRING)?;
        reader.finish()?;
        let (_, octets) = bit_string.bits()?;
        let bits = match octets {
            [first] => u16::from(first.reverse_bits()),
            [first, second] => u16::from_le_bytes([first.reverse_bits(), second.reverse_bits()]),
            _ => 0,
        };
        if bits == 0 || bits > 0x1ff {
            return Err(bit_string.fail(TlvErrorKind::BadBitString));
        }
        Ok(Self(bits))
    }
}

impl core::ops::BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ExtendedKeyUsage {
    /// Whether that purpose is named. anyExtendedKeyUsage names only itself here.
    #[must_use]
    pub fn has(&self, purpose: &ObjectIdentifier) -> bool {
        self.oids.contains(purpose)
    }

    /// Whether that purpose is the only one.
    #[must_use]
    pub fn is_only(&self, purpose: &ObjectIdentifier) -> bool {
        self.count == 1 && self.has(purpose)
    }
}

/// A list of extensions, before any of them is read.
#[derive(Default)]
pub(crate) struct List {
    pub(crate) spans: Vec<Span>,
    /// Whether a critical one was left out because its identifier is too large to name.
    pub(crate) unnamed_critical: bool,
}

/// What is wrong with a list of extensions.
pub(crate) enum ListError {
    Encoding(TlvError),
    TooMany { limit: usize },
    Duplicate(ObjectIdentifier),
}

impl From<TlvError> for ListError {
    fn from(error: TlvError) -> Self {
        Self::Encoding(error)
    }
}

pub(crate) fn list(mut list: Reader<'_>, limits: &Limits) -> Result<List, ListError> {
    let mut found = List::default();
    let mut count = 0usize;
    while !list.is_empty() {
        count += 1;
        if count > limits.extensions {
            return Err(ListError::TooMany { limit: limits.extensions });
        }
        let mut fields = list.sequence()?;
        let identifier = fields.expect(Tag::OID)?;
        let critical = match fields.optional(Tag::BOOLEAN)? {
            None => false,
            Some(critical) => critical.boolean()?,
        };
        let value = fields.expect(Tag::OCTET_STRING)?;
        fields.finish()?;
        let oid = match identifier.oid() {
            Ok(oid) => oid,
            Err(error) if error.kind() == TlvErrorKind::OidTooLarge => {
                found.unnamed_critical |= critical;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // At most 64 of them: the square of that is nothing.
        if found.spans.iter().any(|span| span.oid == oid) {
            return Err(ListError::Duplicate(oid));
        }
        found.spans.push(parse::span(&value, oid, critical));
    }
    Ok(found)
}

pub(super) fn known(der: &[u8], spans: &[Span], limits: &Limits) -> Result<Known, CertificateError> {
    let mut known = Known::default();
    for span in spans {
        let value = der.get(span.value.clone()).unwrap_or_default();
        read(&mut known, span, value, limits)
            .map_err(|error| CertificateError::Extension { oid: span.oid, error })?;
    }
    Ok(known)
}

fn read(known: &mut Known, span: &Span, value: &[u8], limits: &Limits) -> Result<(), TlvError> {
    let mut reader = Reader::new(value, Rules::Der, limits);
    let at = |inner: Range<usize>| span.value.start + inner.start..span.value.start + inner.end;
    match span.oid {
        oid::KEY_USAGE => {
            known.key_usage = Some(KeyUsage::from_der(value)?);
            return Ok(());
        }
        oid::EXT_KEY_USAGE => {
            let (oids, count) = identifiers(&mut reader, |list| list.expect(Tag::OID))?;
            known.extended_key_usage = Some(ExtendedKeyUsage { critical: span.critical, oids, count });
        }
        oid::BASIC_CONSTRAINTS => {
            let mut fields = reader.sequence()?;
            let ca = match fields.optional(Tag::BOOLEAN)? {
                None => false,
                Some(ca) => ca.boolean()?,
            };
            let path_len = match fields.optional(Tag::INTEGER)? {
                None => None,
                Some(path_len) => Some(path_len.small()?),
            };
            fields.finish()?;
            known.basic_constraints = Some(BasicConstraints { ca, path_len });
        }
        oid::SUBJECT_KEY_IDENTIFIER => {
            let identifier = reader.expect(Tag::OCTET_STRING)?;
            known.subject_key_identifier = Some(at(parse::content(&identifier)));
        }
        oid::AUTHORITY_KEY_IDENTIFIER => {
            let mut fields = reader.sequence()?;
            if let Some(identifier) = fields.optional(Tag::context_primitive(0))? {
                known.authority_key_identifier = Some(at(parse::content(&identifier)));
            }
            fields.optional(Tag::context(1))?;
            if let Some(serial) = fields.optional(Tag::context_primitive(2))? {
                serial.integer()?;
            }
            fields.finish()?;
        }
        oid::SUBJECT_ALT_NAME => known.alternative_names = general_name::read(&mut reader)?,
        oid::CERTIFICATE_POLICIES => {
            known.policies = identifiers(&mut reader, |list| {
                let mut policy = list.sequence()?;
                let identifier = policy.expect(Tag::OID)?;
                policy.optional(Tag::SEQUENCE)?;
                policy.finish()?;
                Ok(identifier)
            })?
            .0;
        }
        oid::CRL_DISTRIBUTION_POINTS => known.crl_urls = distribution_points(&mut reader)?,
        oid::AUTHORITY_INFO_ACCESS => {
            let mut list = reader.sequence()?;
            while !list.is_empty() {
                let mut access = list.sequence()?;
                let method = access.expect(Tag::OID)?.oid().ok();
                let location = access.any()?;
                access.finish()?;
                let urls = match method {
                    Some(oid::ACCESS_OCSP) => &mut known.ocsp_urls,
                    Some(oid::ACCESS_CA_ISSUERS) => &mut known.issuer_urls,
                    _ => continue,
                };
                urls.extend(http_url(&location));
            }
        }
        // A value of its own type, whatever that is: whole or not is for those who read it.
        _ => return Ok(()),
    }
    reader.finish()
}

// A SEQUENCE of 1 and more things that have an identifier; one that is too large for the type is only counted.
fn identifiers<'a>(
    reader: &mut Reader<'a>,
    mut next: impl FnMut(&mut Reader<'a>) -> Result<Tlv<'a>, TlvError>,
) -> Result<(Vec<ObjectIdentifier>, usize), TlvError> {
    let mut list = reader.sequence()?;
    let mut oids = Vec::new();
    let mut count = 0usize;
    loop {
        let value = next(&mut list)?;
        match value.oid() {
            Ok(oid) => oids.push(oid),
            Err(error) if error.kind() == TlvErrorKind::OidTooLarge => {}
            Err(error) => return Err(error),
        }
        count += 1;
        if list.is_empty() {
            return Ok((oids, count));
        }
    }
}

// RFC 5280 §4.2.1.13: fullName entries of each DistributionPoint.
fn distribution_points(reader: &mut Reader<'_>) -> Result<Vec<String>, TlvError> {
    let mut urls = Vec::new();
    let mut list = reader.sequence()?;
    while !list.is_empty() {
        let mut point = list.sequence()?;
        if let Some(name) = point.context(0)? {
            let mut name = name.reader()?;
            if let Some(full) = name.optional(Tag::context(0))? {
                let mut names = full.reader()?;
                while !names.is_empty() {
                    urls.extend(http_url(&names.any()?));
                }
            } else {
                name.any()?;
            }
            name.finish()?;
        }
        point.context(1)?;
        point.context(2)?;
        point.finish()?;
    }
    Ok(urls)
}

// uniformResourceIdentifier [6] IA5String, where it is http or https without control characters.
fn http_url(name: &Tlv<'_>) -> Option<String> {
    if name.tag() != Tag::context_primitive(6) {
        return None;
    }
    let url = core::str::from_utf8(name.content()).ok()?;
    let scheme =
        |wanted: &str| url.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    let plain = url.bytes().all(|octet| octet.is_ascii_graphic());
    (plain && (scheme("http://") || scheme("https://"))).then(|| String::from(url))
}
