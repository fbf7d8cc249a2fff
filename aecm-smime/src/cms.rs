//! Reading CMS: lazy, over the received octets, in the forms of RFC 5652 and GB/T 35275.
//!
//! BER is read as well as DER; counts are checked before bodies; spans that a signature covers are handed out
//! as they were received. Nothing here decides whether a message is to be trusted.
//!
//! ```text
//! ContentInfo ::= SEQUENCE {
//!   contentType OBJECT IDENTIFIER,
//!   content [0] EXPLICIT ANY DEFINED BY contentType }
//! ```

mod attribute;
mod compressed;
mod encrypted_content;
mod enveloped;
mod identifier;
mod recipient_info;
mod signed_data;
mod signer_info;

pub(crate) use self::identifier::Match;
pub use self::{
    attribute::Attribute,
    compressed::CompressedData,
    encrypted_content::EncryptedData,
    enveloped::Enveloped,
    identifier::Identifier,
    recipient_info::{KeyAgreement, Originator, RecipientInfo},
    signed_data::SignedData,
    signer_info::SignerInfo,
};

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{Reader, Rules, Tlv, deviates_from_der};

use crate::error::{At, Error};
use crate::tolerance::Tolerance;

/// The standard whose content types a message uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// RFC 5652 (CMS): content types under 1.2.840.113549.1.7 and .1.9.16.1.
    Rfc5652,
    /// GB/T 35275 (GM/T 0010): content types under 1.2.156.10197.6.1.4.2.
    Gbt35275,
}

impl Form {
    /// The stable word: `rfc5652` or `gbt35275`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rfc5652 => "rfc5652",
            Self::Gbt35275 => "gbt35275",
        }
    }

    /// The inverse of [`Form::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Rfc5652, Self::Gbt35275].into_iter().find(|form| form.word() == word)
    }

    /// The content type `data` of this form.
    #[must_use]
    pub const fn data(self) -> ObjectIdentifier {
        match self {
            Self::Rfc5652 => oid::DATA,
            Self::Gbt35275 => oid::GM_DATA,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The content type of a ContentInfo, so that a caller knows what to do with it.
///
/// # Errors
/// [`Error::Tlv`] where the octets are no ContentInfo, or more than one.
pub fn content_type(bytes: &[u8], limits: &Limits) -> Result<ObjectIdentifier, Error> {
    content_info(bytes, limits).map(|(oid, _)| oid)
}

/// Whether octets are a SET OF Attribute that is not empty, in BER or DER (THREATS S1).
pub(crate) fn is_set_of_attribute(octets: &[u8], limits: &Limits) -> bool {
    attribute::Attributes::is_set_of_attribute(octets, limits)
}

/// The content type, and the value inside `[0]`. The whole input is consumed (THREATS S13).
pub(crate) fn content_info<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(ObjectIdentifier, Tlv<'a>), Error> {
    if bytes.len() > limits.message_bytes {
        return Err(Error::Limit { what: "octets of a message", limit: limits.message_bytes });
    }
    let mut outer = Reader::new(bytes, Rules::Ber, limits);
    let mut info = outer.sequence().at("ContentInfo")?;
    outer.finish().at("ContentInfo")?;
    let oid = info.oid().at("ContentInfo.contentType")?;
    let content = explicit(&mut info, 0, "ContentInfo.content")?
        .ok_or(Error::Structure { what: "ContentInfo.content", why: "it is absent" })?;
    info.finish().at("ContentInfo")?;
    Ok((oid, content))
}

/// The single value inside an EXPLICIT tag, where that is present.
pub(crate) fn explicit<'a>(
    reader: &mut Reader<'a>,
    number: u32,
    what: &'static str,
) -> Result<Option<Tlv<'a>>, Error> {
    let Some(tagged) = reader.context(number).at(what)? else { return Ok(None) };
    let mut inner = tagged.reader().at(what)?;
    let value = inner.any().at(what)?;
    inner.finish().at(what)?;
    Ok(Some(value))
}

/// The tolerance for BER, where a message is not DER throughout.
pub(crate) fn encoding_tolerances(bytes: &[u8], limits: &Limits) -> Vec<Tolerance> {
    if deviates_from_der(bytes, limits) { vec![Tolerance::BerEncoding] } else { Vec::new() }
}

/// Counts elements against a limit before they are read.
pub(crate) fn bounded(count: usize, limit: usize, what: &'static str) -> Result<(), Error> {
    if count > limit { Err(Error::Limit { what, limit }) } else { Ok(()) }
}

/// The elements of a SET OF or SEQUENCE OF as spans, never more than `limit`.
pub(crate) fn elements<'a>(
    mut reader: Reader<'a>,
    limit: usize,
    what: &'static str,
) -> Result<Vec<Tlv<'a>>, Error> {
    let mut list = Vec::new();
    while !reader.is_empty() {
        bounded(list.len().saturating_add(1), limit, what)?;
        list.push(reader.any().at(what)?);
    }
    Ok(list)
}
