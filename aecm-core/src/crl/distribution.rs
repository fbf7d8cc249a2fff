//! Where CRLs come from: cRLDistributionPoints and issuingDistributionPoint.

use alloc::vec::Vec;

use crate::certificate::names_match;
use crate::limits::Limits;
use crate::tlv::{Reader, Rules, Tag, Tlv, TlvError, TlvErrorKind, write};

/// All bits of ReasonFlags that mean something: 1 to 8, numbered as in the standard.
///
/// ```text
/// ReasonFlags ::= BIT STRING {
///     unused                  (0),
///     keyCompromise           (1),
///     cACompromise            (2),
///     affiliationChanged      (3),
///     superseded              (4),
///     cessationOfOperation    (5),
///     certificateHold         (6),
///     privilegeWithdrawn      (7),
///     aACompromise            (8) }
/// ```
pub(crate) const ALL_REASONS: u16 = 0x1fe;

/// One place where a certificate says that its CRL is.
///
/// ```text
/// CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
///
/// DistributionPoint ::= SEQUENCE {
///     distributionPoint       [0]     DistributionPointName OPTIONAL,
///     reasons                 [1]     ReasonFlags OPTIONAL,
///     cRLIssuer               [2]     GeneralNames OPTIONAL }
/// ```
pub(crate) struct DistributionPoint {
    pub(crate) name: Option<DistributionPointName>,
    pub(crate) reasons: u16,
    /// Whole GeneralName values; none where the field is absent.
    pub(crate) crl_issuer: Vec<Vec<u8>>,
}

/// ```text
/// DistributionPointName ::= CHOICE {
///     fullName                [0]     GeneralNames,
///     nameRelativeToCRLIssuer [1]     RelativeDistinguishedName }
/// ```
pub(crate) enum DistributionPointName {
    /// Whole GeneralName values.
    Full(Vec<Vec<u8>>),
    /// The content of a RelativeDistinguishedName.
    Relative(Vec<u8>),
}

/// ```text
/// IssuingDistributionPoint ::= SEQUENCE {
///     distributionPoint          [0] DistributionPointName OPTIONAL,
///     onlyContainsUserCerts      [1] BOOLEAN DEFAULT FALSE,
///     onlyContainsCACerts        [2] BOOLEAN DEFAULT FALSE,
///     onlySomeReasons            [3] ReasonFlags OPTIONAL,
///     indirectCRL                [4] BOOLEAN DEFAULT FALSE,
///     onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
/// ```
pub(crate) struct IssuingDistributionPoint {
    pub(crate) name: Option<DistributionPointName>,
    pub(crate) only_user: bool,
    pub(crate) only_ca: bool,
    pub(crate) only_attribute: bool,
    pub(crate) reasons: u16,
    pub(crate) indirect: bool,
}

impl DistributionPointName {
    fn read(value: &Tlv<'_>) -> Result<Self, TlvError> {
        let mut outer = value.reader()?;
        let inner = outer.any()?;
        outer.finish()?;
        match inner.tag() {
            tag if tag == Tag::context(0) => general_names(&inner).map(Self::Full),
            tag if tag == Tag::context(1) => {
                inner.reader()?;
                Ok(Self::Relative(inner.content().to_vec()))
            }
            found => {
                Err(inner.fail(TlvErrorKind::Unexpected { expected: Tag::context(0), found: Some(found) }))
            }
        }
    }

    /// How many names it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Full(names) => names.len(),
            Self::Relative(_) => 1,
        }
    }

    /// As GeneralName values; a relative name is put behind `issuer`, a whole Name.
    pub(crate) fn resolve(&self, issuer: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(attributes) => {
                let mut reader = Reader::new(issuer, Rules::Der, &Limits::default());
                let base = reader.expect(Tag::SEQUENCE).map(|name| name.content()).unwrap_or_default();
                let name = write::sequence(&[base, &write::tlv(Tag::SET, attributes)]);
                Vec::from([directory_name(&name)])
            }
        }
    }
}

impl DistributionPoint {
    /// The place that stands for a certificate without any: the issuer's names (RFC 5280 §6.3.3).
    pub(crate) fn of_issuer(issuer: &[u8], alternatives: &[&[u8]]) -> Self {
        let alternatives = alternatives.iter().map(|name| name.to_vec());
        let names = core::iter::once(directory_name(issuer)).chain(alternatives).collect();
        let name = Some(DistributionPointName::Full(names));
        Self { name, reasons: ALL_REASONS, crl_issuer: Vec::new() }
    }

    /// Reads cRLDistributionPoints or freshestCRL.
    pub(crate) fn read_all(value: &[u8]) -> Result<Vec<Self>, TlvError> {
        let mut reader = Reader::new(value, Rules::Der, &Limits::default());
        let mut list = reader.sequence()?;
        reader.finish()?;
        let mut points = Vec::new();
        while !list.is_empty() {
            let mut fields = list.sequence()?;
            let name = match fields.context(0)? {
                None => None,
                Some(name) => Some(DistributionPointName::read(&name)?),
            };
            let reasons = reasons(fields.context(1)?)?;
            let crl_issuer = match fields.context(2)? {
                None => Vec::new(),
                Some(names) => general_names(&names)?,
            };
            fields.finish()?;
            points.push(Self { name, reasons, crl_issuer });
        }
        Ok(points)
    }
}

impl IssuingDistributionPoint {
    /// How many names it has.
    pub(crate) fn names(&self) -> usize {
        self.name.as_ref().map_or(0, DistributionPointName::len)
    }

    pub(super) fn read(value: &[u8]) -> Result<Self, TlvError> {
        let mut reader = Reader::new(value, Rules::Der, &Limits::default());
        let mut fields = reader.sequence()?;
        reader.finish()?;
        let name = match fields.context(0)? {
            None => None,
            Some(name) => Some(DistributionPointName::read(&name)?),
        };
        let only_user = flag(&mut fields, 1)?;
        let only_ca = flag(&mut fields, 2)?;
        let reasons = reasons(fields.context(3)?)?;
        let indirect = flag(&mut fields, 4)?;
        let only_attribute = flag(&mut fields, 5)?;
        fields.finish()?;
        Ok(Self { name, only_user, only_ca, only_attribute, reasons, indirect })
    }
}

/// Whether two GeneralName values are the same: octet for octet, or two directoryNames that match.
pub(crate) fn same_general_name(one: &[u8], other: &[u8]) -> bool {
    one == other
        || match (directory(one), directory(other)) {
            (Some(one), Some(other)) => names_match(one, other),
            _ => false,
        }
}

/// The Name of a directoryName.
pub(crate) fn directory(name: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(name, Rules::Der, &Limits::default());
    let name = reader.expect(Tag::context(4)).ok()?;
    name.reader().ok()?.expect(Tag::SEQUENCE).ok().map(|name| name.bytes())
}

fn directory_name(name: &[u8]) -> Vec<u8> {
    write::explicit(4, name)
}

/// Whole GeneralName values under an IMPLICIT tag.
fn general_names(names: &Tlv<'_>) -> Result<Vec<Vec<u8>>, TlvError> {
    let mut list = names.reader()?;
    let mut found = Vec::new();
    loop {
        found.push(list.any()?.bytes().to_vec());
        if list.is_empty() {
            return Ok(found);
        }
    }
}

fn flag(fields: &mut Reader<'_>, number: u32) -> Result<bool, TlvError> {
    fields.context(number)?.map_or(Ok(false), |value| value.boolean())
}

fn reasons(value: Option<Tlv<'_>>) -> Result<u16, TlvError> {
    let Some(value) = value else { return Ok(ALL_REASONS) };
    let bits = match value.bits()?.1 {
        [] => 0,
        [first] => u16::from(first.reverse_bits()),
        [first, second, ..] => u16::from_le_bytes([first.reverse_bits(), second.reverse_bits()]),
    };
    Ok(bits & ALL_REASONS)
}
