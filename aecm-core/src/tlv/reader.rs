//! Walking over values.

use alloc::borrow::Cow;

use der::asn1::ObjectIdentifier;

use super::element::Context;
use super::{AlgorithmId, Rules, Tag, Tlv, TlvError, TlvErrorKind, head, value};
use crate::limits::Limits;
use crate::time::Time;

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

    // Over the content of a value.
    pub(super) fn inside(content: &'a [u8], context: &Context, depth_left: usize) -> Self {
        Self {
            rest: content,
            offset: context.offset.saturating_add(context.head_size),
            rules: context.rules,
            depth_left,
            depth_limit: context.depth_limit,
            elements_left: context.elements_limit,
            elements_limit: context.elements_limit,
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
