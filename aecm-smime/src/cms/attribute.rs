//! Attributes of a signer or of authenticated content.

use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{Reader, Rules, Tag, TlvErrorKind};

use crate::cms::elements;
use crate::error::{At, Error};

/// One attribute (RFC 5652 §5.3).
///
/// ```text
/// Attribute ::= SEQUENCE {
///   attrType OBJECT IDENTIFIER,
///   attrValues SET OF AttributeValue }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The type; unknown ones are kept. `None` where it is too large for [`ObjectIdentifier`].
    pub oid: Option<ObjectIdentifier>,
    /// The type as received: the content octets of the OBJECT IDENTIFIER.
    pub oid_octets: &'a [u8],
    /// The values, each with its tag and length, as received.
    pub values: Vec<&'a [u8]>,
}

impl<'a> Attribute<'a> {
    /// Whether it is of this type.
    #[must_use]
    pub fn is(&self, oid: &ObjectIdentifier) -> bool {
        self.oid.as_ref() == Some(oid)
    }

    /// The one value, where there is exactly one.
    #[must_use]
    pub fn single(&self) -> Option<&'a [u8]> {
        match self.values.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// A SET OF Attribute: the spans, and whether they stand in the order of DER (X.690 §11.6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) list: Vec<Attribute<'a>>,
    pub(crate) sorted: bool,
}

impl<'a> Attributes<'a> {
    /// Reads what stands inside the SET.
    pub(crate) fn read(reader: Reader<'a>, limits: &Limits, what: &'static str) -> Result<Self, Error> {
        let items = elements(reader, limits.attributes, "attributes of one set")?;
        let sorted = items.is_sorted_by(|a, b| a.bytes() <= b.bytes());
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            let mut fields = sequence_of(&item, what)?;
            let (oid, oid_octets) = attribute_type(&mut fields, what)?;
            let values = fields.set().at(what)?;
            fields.finish().at(what)?;
            let values = elements(values, limits.attribute_values, "values of one attribute")?;
            list.push(Attribute {
                oid,
                oid_octets,
                values: values.iter().map(|value| value.bytes()).collect(),
            });
        }
        Ok(Self { list, sorted })
    }

    /// Whether octets are a SET OF Attribute that is not empty (THREATS S1).
    pub(crate) fn is_set_of_attribute(octets: &'a [u8], limits: &Limits) -> bool {
        let mut reader = Reader::new(octets, Rules::Ber, limits);
        let Ok(mut set) = reader.set() else { return false };
        // What the attributes are need not be understood: a SET whose first element begins like one is enough.
        let begins_like_one = |first: aecm_core::tlv::Tlv<'a>| {
            first.reader().and_then(|mut fields| fields.expect(Tag::OID).map(drop)).is_ok()
        };
        reader.finish().is_ok() && set.any().is_ok_and(begins_like_one)
    }
}

/// attrType: one with arcs beyond what we can hold is a type that is not known, no error (DESIGN, rule 7).
fn attribute_type<'a>(
    fields: &mut Reader<'a>,
    what: &'static str,
) -> Result<(Option<ObjectIdentifier>, &'a [u8]), Error> {
    let value = fields.expect(Tag::OID).at(what)?;
    match value.oid() {
        Ok(oid) => Ok((Some(oid), value.content())),
        Err(error) if error.kind() == TlvErrorKind::OidTooLarge => Ok((None, value.content())),
        Err(source) => Err(Error::Tlv { what, source }),
    }
}

/// Opens a value that has to be a SEQUENCE.
pub(crate) fn sequence_of<'a>(
    value: &aecm_core::tlv::Tlv<'a>,
    what: &'static str,
) -> Result<Reader<'a>, Error> {
    if value.tag() != Tag::SEQUENCE {
        return Err(Error::Structure { what, why: "it is not a SEQUENCE" });
    }
    value.reader().at(what)
}

/// The attributes under an IMPLICIT tag, in the order received.
pub(crate) fn read_attributes<'a>(
    value: &aecm_core::tlv::Tlv<'a>,
    limits: &Limits,
    what: &'static str,
) -> Result<Vec<Attribute<'a>>, Error> {
    if !value.tag().constructed {
        return Err(Error::Structure { what, why: "it is not a SET" });
    }
    Ok(Attributes::read(value.reader().at(what)?, limits, what)?.list)
}
