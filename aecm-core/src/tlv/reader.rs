//! Walking over values.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;

use super::{Rules, Tag, TlvError, TlvErrorKind, head, value};
use crate::limits::Limits;
use crate::time::Time;

/// One value as it was received: a span of the input.
#[derive(Clone, Copy, Debug)]
pub struct Tlv<'a> {
    tag: Tag,
    bytes: &'a [u8],
    content: &'a [u8],
    indefinite: bool,
    context: Context,
}

// What a value needs to be read further: where it stands, by which rules, what is left of the limits.
#[derive(Clone, Copy, Debug)]
struct Context {
    rules: Rules,
    offset: usize,
    head_size: usize,
    depth_left: usize,
    depth_limit: usize,
    elements_limit: usize,
}

/// Reads values one after the other from a span of octets.
///
/// Every method that fails leaves the reader where it was.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    rules: Rules,
    depth_left: usize,
    depth_limit: usize,
    elements_left: usize,
    elements_limit: usize,
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
        Ok(Reader {
            rest: self.content,
            offset: self.context.offset.saturating_add(self.context.head_size),
            rules: self.context.rules,
            depth_left,
            depth_limit: self.context.depth_limit,
            elements_left: self.context.elements_limit,
            elements_limit: self.context.elements_limit,
        })
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

impl<'a> Reader<'a> {
    /// Reads `input` by `rules`, within [`Limits::asn1_depth`] and [`Limits::asn1_elements`].
    #[must_use]
    pub fn new(input: &'a [u8], rules: Rules, limits: &Limits) -> Self {
        Self {
            rest: input,
            offset: 0,
            rules,
            depth_left: limits.asn1_depth,
            depth_limit: limits.asn1_depth,
            elements_left: limits.asn1_elements,
            elements_limit: limits.asn1_elements,
        }
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The identifier of the next value; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the head of the next value.
    pub fn peek(&self) -> Result<Option<Tag>, TlvError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        head::read(self.rest, self.rules, self.offset).map(|head| Some(head.tag))
    }

    /// The next value, of any type.
    ///
    /// # Errors
    /// [`TlvErrorKind::Truncated`] at the end, [`TlvErrorKind::Elements`] beyond the limit, what is wrong with
    /// the value's head.
    pub fn any(&mut self) -> Result<Tlv<'a>, TlvError> {
        let fail = |kind| TlvError::new(kind, self.offset);
        let Some(elements_left) = self.elements_left.checked_sub(1) else {
            return Err(fail(TlvErrorKind::Elements { limit: self.elements_limit }));
        };
        let head = head::read(self.rest, self.rules, self.offset)?;
        let truncated = || fail(TlvErrorKind::Truncated);
        let after_head = self.rest.get(head.size..).ok_or_else(truncated)?;
        let (length, end_mark) = match head.length {
            Some(length) => (length, 0),
            None => {
                let length = head::indefinite_length(
                    after_head,
                    self.offset.saturating_add(head.size),
                    self.depth_left,
                    self.depth_limit,
                    self.elements_limit,
                )?;
                (length, head::END_OF_CONTENTS.len())
            }
        };
        let content = after_head.get(..length).ok_or_else(truncated)?;
        let (bytes, rest) =
            self.rest.split_at_checked(head.size + length + end_mark).ok_or_else(truncated)?;
        let context = Context {
            rules: self.rules,
            offset: self.offset,
            head_size: head.size,
            depth_left: self.depth_left,
            depth_limit: self.depth_limit,
            elements_limit: self.elements_limit,
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(bytes.len());
        self.elements_left = elements_left;
        Ok(Tlv { tag: head.tag, bytes, content, indefinite: head.length.is_none(), context })
    }

    /// The next value, which must have this tag. In BER a string type may be constructed instead.
    ///
    /// # Errors
    /// [`TlvErrorKind::Unexpected`] for another tag or the end; as [`Reader::any`].
    pub fn expect(&mut self, expected: Tag) -> Result<Tlv<'a>, TlvError> {
        match self.peek()? {
            Some(found) if self.is(found, expected) => self.any(),
            found => Err(TlvError::new(TlvErrorKind::Unexpected { expected, found }, self.offset)),
        }
    }

    /// The next value if it has this tag.
    ///
    /// # Errors
    /// As [`Reader::any`].
    pub fn optional(&mut self, wanted: Tag) -> Result<Option<Tlv<'a>>, TlvError> {
        match self.peek()? {
            Some(found) if self.is(found, wanted) => self.any().map(Some),
            _ => Ok(None),
        }
    }

    /// The inside of the next value, a SEQUENCE.
    ///
    /// # Errors
    /// As [`Reader::expect`] and [`Tlv::reader`].
    pub fn sequence(&mut self) -> Result<Self, TlvError> {
        self.enter(Tag::SEQUENCE)
    }

    /// The inside of the next value, a SET. Its order is not checked.
    ///
    /// # Errors
    /// As [`Reader::expect`] and [`Tlv::reader`].
    pub fn set(&mut self) -> Result<Self, TlvError> {
        self.enter(Tag::SET)
    }

    /// The next value if its tag is `[number]`, primitive or constructed.
    ///
    /// # Errors
    /// As [`Reader::any`].
    pub fn context(&mut self, number: u32) -> Result<Option<Tlv<'a>>, TlvError> {
        match self.peek()? {
            Some(found) if found.same_type(Tag::context(number)) => self.any().map(Some),
            _ => Ok(None),
        }
    }

    /// An OBJECT IDENTIFIER of at most 39 octets with arcs below 2^32.
    ///
    /// # Errors
    /// As [`Reader::expect`]; [`TlvErrorKind::BadOid`], [`TlvErrorKind::OidTooLarge`].
    pub fn oid(&mut self) -> Result<ObjectIdentifier, TlvError> {
        self.read(Tag::OID, |value| value.oid())
    }

    /// The content of an INTEGER: two's complement, big-endian, minimal (X.690 §8.3.2 wants that of BER too).
    ///
    /// # Errors
    /// As [`Reader::expect`]; [`TlvErrorKind::BadInteger`].
    pub fn integer(&mut self) -> Result<&'a [u8], TlvError> {
        self.read(Tag::INTEGER, |value| value.integer())
    }

    /// An INTEGER in 0..2^64.
    ///
    /// # Errors
    /// As [`Reader::integer`]; [`TlvErrorKind::IntegerRange`].
    pub fn small(&mut self) -> Result<u64, TlvError> {
        self.read(Tag::INTEGER, |value| value.small())
    }

    /// An OCTET STRING, put together where BER cut it.
    ///
    /// # Errors
    /// As [`Reader::expect`] and [`Tlv::octet_string`].
    pub fn octet_string(&mut self) -> Result<Cow<'a, [u8]>, TlvError> {
        self.read(Tag::OCTET_STRING, |value| value.octet_string())
    }

    /// A BIT STRING in one piece, of whole octets.
    ///
    /// # Errors
    /// As [`Reader::expect`] and [`Tlv::bits`]; [`TlvErrorKind::UnusedBits`].
    pub fn bit_string(&mut self) -> Result<&'a [u8], TlvError> {
        self.read(Tag::BIT_STRING, |value| match value.bits()? {
            (0, octets) => Ok(octets),
            _ => Err(value.fail(TlvErrorKind::UnusedBits)),
        })
    }

    /// A BOOLEAN.
    ///
    /// # Errors
    /// As [`Reader::expect`]; [`TlvErrorKind::BadBoolean`].
    pub fn boolean(&mut self) -> Result<bool, TlvError> {
        self.read(Tag::BOOLEAN, |value| value.boolean())
    }

    /// A NULL.
    ///
    /// # Errors
    /// As [`Reader::expect`]; [`TlvErrorKind::BadNull`].
    pub fn null(&mut self) -> Result<(), TlvError> {
        self.read(Tag::NULL, |value| {
            if value.content.is_empty() { Ok(()) } else { Err(value.fail(TlvErrorKind::BadNull)) }
        })
    }

    /// A UTCTime or GeneralizedTime in UTC, without fractions (RFC 5280 §4.1.2.5, RFC 5652 §11.3).
    ///
    /// # Errors
    /// As [`Reader::any`]; [`TlvErrorKind::BadTime`], [`TlvErrorKind::Unexpected`].
    pub fn time(&mut self) -> Result<Time, TlvError> {
        let mut ahead = self.clone();
        let Some(_) = ahead.peek()? else {
            let kind = TlvErrorKind::Unexpected { expected: Tag::GENERALIZED_TIME, found: None };
            return Err(TlvError::new(kind, self.offset));
        };
        let time = ahead.any()?.time()?;
        *self = ahead;
        Ok(time)
    }

    /// A GeneralizedTime in UTC with its fraction of a second in nanoseconds (RFC 3161 §2.4.2: no trailing
    /// zeros).
    ///
    /// # Errors
    /// As [`Reader::expect`]; [`TlvErrorKind::BadTime`].
    pub fn generalized_time(&mut self) -> Result<(Time, u32), TlvError> {
        self.read(Tag::GENERALIZED_TIME, |value| {
            let (time, fraction) = value::generalized_time(value.content).map_err(|kind| value.fail(kind))?;
            Ok((time, fraction.unwrap_or(0)))
        })
    }

    /// An AlgorithmIdentifier.
    ///
    /// # Errors
    /// As [`Reader::expect`] and [`Tlv::algorithm`].
    pub fn algorithm(&mut self) -> Result<AlgorithmId<'a>, TlvError> {
        self.read(Tag::SEQUENCE, |value| value.algorithm())
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`TlvErrorKind::TrailingBytes`].
    pub fn finish(&self) -> Result<(), TlvError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(TlvError::new(TlvErrorKind::TrailingBytes, self.offset))
        }
    }

    fn enter(&mut self, tag: Tag) -> Result<Self, TlvError> {
        self.read(tag, |value| value.reader())
    }

    // A value that turns out wrong is not consumed.
    fn read<T>(
        &mut self,
        tag: Tag,
        take: impl FnOnce(&Tlv<'a>) -> Result<T, TlvError>,
    ) -> Result<T, TlvError> {
        let mut ahead = self.clone();
        let taken = take(&ahead.expect(tag)?)?;
        *self = ahead;
        Ok(taken)
    }

    fn is(&self, found: Tag, wanted: Tag) -> bool {
        found == wanted || (self.rules == Rules::Ber && head::is_string(wanted) && found.same_type(wanted))
    }
}
