//! One value: its span, and what it holds.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;

use super::{Reader, Rules, Tag, TlvError, TlvErrorKind, value};
use crate::time::Time;

/// One value as it was received: a span of the input.
#[derive(Clone, Copy, Debug)]
pub struct Tlv<'a> {
    pub(super) tag: Tag,
    pub(super) bytes: &'a [u8],
    pub(super) content: &'a [u8],
    pub(super) indefinite: bool,
    pub(super) context: Context,
}

// What a value needs to be read further: where it stands, by which rules, what is left of the limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) rules: Rules,
    pub(super) offset: usize,
    pub(super) head_size: usize,
    pub(super) depth_left: usize,
    pub(super) depth_limit: usize,
    pub(super) elements_limit: usize,
}

/// An AlgorithmIdentifier (RFC 5280 §4.1.1.2) with its octets.
///
/// ```text
/// AlgorithmIdentifier ::= SEQUENCE {
///     algorithm   OBJECT IDENTIFIER,
///     parameters  ANY DEFINED BY algorithm OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmId<'a> {
    /// `algorithm`
    pub oid: ObjectIdentifier,
    /// `parameters`: the whole value with tag and length; `None` where absent.
    pub parameters: Option<&'a [u8]>,
    /// The whole identifier as received.
    pub bytes: &'a [u8],
}

impl AlgorithmId<'_> {
    /// Whether the parameters are absent or NULL, which most algorithms take for the same.
    #[must_use]
    pub fn parameters_absent_or_null(&self) -> bool {
        matches!(self.parameters, None | Some([0x05, 0x00]))
    }
}

impl<'a> Tlv<'a> {
    /// The identifier.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// The whole value: identifier, length, content, and the end-of-contents mark where there is one.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The content octets, without an end-of-contents mark.
    #[must_use]
    pub const fn content(&self) -> &'a [u8] {
        self.content
    }

    /// Whether the length is indefinite (BER only).
    #[must_use]
    pub const fn is_indefinite(&self) -> bool {
        self.indefinite
    }

    /// Where the value starts, in octets from the start of the outermost input.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.context.offset
    }

    /// Reads the values inside.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadConstruction`] for a primitive value, [`TlvErrorKind::Depth`] beyond the limit.
    pub fn reader(&self) -> Result<Reader<'a>, TlvError> {
        if !self.tag.constructed {
            return Err(self.fail(TlvErrorKind::BadConstruction(self.tag)));
        }
        let Some(depth_left) = self.context.depth_left.checked_sub(1) else {
            return Err(self.fail(TlvErrorKind::Depth { limit: self.context.depth_limit }));
        };
        Ok(Reader::inside(self.content, &self.context, depth_left))
    }

    /// The octets of an OCTET STRING under any tag: its content, or its pieces put together where BER cut it.
    ///
    /// # Errors
    /// [`TlvErrorKind::StringInPieces`] for pieces in DER; what is wrong with a piece; the limits.
    pub fn octet_string(&self) -> Result<Cow<'a, [u8]>, TlvError> {
        if !self.tag.constructed {
            return Ok(Cow::Borrowed(self.content));
        }
        if self.context.rules == Rules::Der {
            return Err(self.fail(TlvErrorKind::StringInPieces(self.tag)));
        }
        let mut pieces = Vec::new();
        let mut open = alloc::vec![self.reader()?];
        // Never larger than the content that holds the pieces.
        while let Some(reader) = open.last_mut() {
            if reader.is_empty() {
                open.pop();
                continue;
            }
            let piece = reader.any()?;
            if !piece.tag.same_type(Tag::OCTET_STRING) {
                let kind = TlvErrorKind::Unexpected { expected: Tag::OCTET_STRING, found: Some(piece.tag) };
                return Err(piece.fail(kind));
            }
            if piece.tag.constructed {
                open.push(piece.reader()?);
            } else {
                pieces.extend_from_slice(piece.content);
            }
        }
        Ok(Cow::Owned(pieces))
    }

    /// The content of an OBJECT IDENTIFIER, under any primitive tag.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadOid`], [`TlvErrorKind::OidTooLarge`].
    pub fn oid(&self) -> Result<ObjectIdentifier, TlvError> {
        value::oid(self.content).map_err(|kind| self.fail(kind))
    }

    /// The content of an INTEGER, under any primitive tag: two's complement, big-endian, minimal.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadInteger`].
    pub fn integer(&self) -> Result<&'a [u8], TlvError> {
        value::integer(self.content).map_err(|kind| self.fail(kind))?;
        Ok(self.content)
    }

    /// The content of an INTEGER that fits in 64 bits, under any primitive tag.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadInteger`], [`TlvErrorKind::IntegerRange`].
    pub fn small(&self) -> Result<u64, TlvError> {
        value::small(self.content).map_err(|kind| self.fail(kind))
    }

    /// The content of a BOOLEAN, under any primitive tag.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadBoolean`].
    pub fn boolean(&self) -> Result<bool, TlvError> {
        value::boolean(self.content, self.context.rules).map_err(|kind| self.fail(kind))
    }

    /// The content of a BIT STRING in one piece, under any primitive tag: unused bits of the last octet, and
    /// the octets.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadBitString`]; [`TlvErrorKind::BadConstruction`] for one in pieces.
    pub fn bits(&self) -> Result<(u8, &'a [u8]), TlvError> {
        if self.tag.constructed {
            return Err(self.fail(TlvErrorKind::BadConstruction(self.tag)));
        }
        value::bits(self.content, self.context.rules).map_err(|kind| self.fail(kind))
    }

    /// The text of a character string by its universal tag: UTF8String, NumericString, PrintableString,
    /// IA5String, VisibleString, TeletexString (as Latin-1), BMPString, UniversalString.
    ///
    /// # Errors
    /// [`TlvErrorKind::BadString`] for octets outside the type's repertoire, [`TlvErrorKind::Unexpected`] for
    /// another type.
    pub fn text(&self) -> Result<Cow<'a, str>, TlvError> {
        value::text(self.tag, self.content).map_err(|kind| self.fail(kind))
    }

    /// The time of a UTCTime or GeneralizedTime in UTC, without fractions (RFC 5280 §4.1.2.5).
    ///
    /// # Errors
    /// [`TlvErrorKind::BadTime`], [`TlvErrorKind::Unexpected`] for another type.
    pub fn time(&self) -> Result<Time, TlvError> {
        let time = match self.tag {
            Tag::UTC_TIME => value::utc_time(self.content),
            Tag::GENERALIZED_TIME => value::generalized_time(self.content).and_then(|(time, fraction)| {
                if fraction.is_some() { Err(TlvErrorKind::BadTime) } else { Ok(time) }
            }),
            found => Err(TlvErrorKind::Unexpected { expected: Tag::GENERALIZED_TIME, found: Some(found) }),
        };
        time.map_err(|kind| self.fail(kind))
    }

    /// The AlgorithmIdentifier that this value is, under any constructed tag.
    ///
    /// # Errors
    /// What is wrong with its fields.
    pub fn algorithm(&self) -> Result<AlgorithmId<'a>, TlvError> {
        let mut fields = self.reader()?;
        let oid = fields.oid()?;
        let parameters = if fields.is_empty() { None } else { Some(fields.any()?.bytes) };
        fields.finish()?;
        Ok(AlgorithmId { oid, parameters, bytes: self.bytes })
    }

    /// An error about this value.
    pub(crate) fn fail(&self, kind: TlvErrorKind) -> TlvError {
        TlvError::new(kind, self.context.offset)
    }
}
