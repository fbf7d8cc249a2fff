//! What can be wrong with an ASN.1 value.

use core::fmt;

use super::Tag;

/// What is wrong with an ASN.1 value, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlvError {
    kind: TlvErrorKind,
    offset: usize,
}

/// What is wrong with an ASN.1 value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlvErrorKind {
    /// The value claims more octets than there are.
    Truncated,
    /// The tag number does not fit in 28 bits, or is not in its shortest form.
    BadTag,
    /// A length with the reserved first octet, or of more than 2^64 octets.
    BadLength,
    /// DER wants the shortest form of a length.
    LengthNotMinimal,
    /// An indefinite length where DER, or a primitive value, forbids it.
    Indefinite,
    /// An end-of-contents mark that ends nothing.
    StrayEndOfContents,
    /// A type that is always primitive is constructed, or the other way round.
    BadConstruction(Tag),
    /// DER wants strings in one piece.
    StringInPieces(Tag),
    /// Values nest deeper than the limit.
    Depth {
        /// [`crate::limits::Limits::asn1_depth`]
        limit: usize,
    },
    /// One constructed value has more elements than the limit.
    Elements {
        /// [`crate::limits::Limits::asn1_elements`]
        limit: usize,
    },
    /// Another type is wanted here.
    Unexpected {
        /// The type that the structure wants.
        expected: Tag,
        /// The type that stands here; `None` at the end.
        found: Option<Tag>,
    },
    /// There is something after the end.
    TrailingBytes,
    /// An INTEGER without content, or not in its shortest form.
    BadInteger,
    /// An INTEGER that is negative or too large for its purpose.
    IntegerRange,
    /// An OBJECT IDENTIFIER that is empty, cut off, or not in its shortest form.
    BadOid,
    /// An OBJECT IDENTIFIER that is larger than this reader takes (39 octets, arcs below 2^32).
    OidTooLarge,
    /// A BOOLEAN that is not one octet, or in DER neither `00` nor `FF`.
    BadBoolean,
    /// A NULL with content.
    BadNull,
    /// A BIT STRING without its first octet, with more than 7 unused bits, or with unused bits that are set.
    BadBitString,
    /// A BIT STRING that should be whole octets.
    UnusedBits,
    /// A time that is not of the form `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`, or not in the calendar.
    BadTime,
    /// A character string with characters outside its repertoire.
    BadString(Tag),
}

impl TlvError {
    pub(crate) const fn new(kind: TlvErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> TlvErrorKind {
        self.kind
    }

    /// Whether there is more of something than [`Limits`](crate::limits::Limits) allows.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(self.kind, TlvErrorKind::Depth { .. } | TlvErrorKind::Elements { .. })
    }

    /// Where, in octets from the start of the outermost input.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for TlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ASN.1 at octet {}: ", self.offset)?;
        match self.kind {
            TlvErrorKind::Truncated => f.write_str("the value is cut off"),
            TlvErrorKind::BadTag => f.write_str("the tag is too large or not in its shortest form"),
            TlvErrorKind::BadLength => f.write_str("the length cannot be"),
            TlvErrorKind::LengthNotMinimal => f.write_str("the length is not in its shortest form (DER)"),
            TlvErrorKind::Indefinite => f.write_str("an indefinite length is not allowed here"),
            TlvErrorKind::StrayEndOfContents => f.write_str("an end-of-contents mark ends nothing"),
            TlvErrorKind::BadConstruction(tag) => {
                write!(
                    f,
                    "{tag} is {} and must not be",
                    if tag.constructed { "constructed" } else { "primitive" }
                )
            }
            TlvErrorKind::StringInPieces(tag) => write!(f, "{tag} comes in pieces (DER wants one)"),
            TlvErrorKind::Depth { limit } => write!(f, "values nest deeper than the limit of {limit}"),
            TlvErrorKind::Elements { limit } => write!(f, "more elements than the limit of {limit}"),
            TlvErrorKind::Unexpected { expected, found: Some(found) } => {
                write!(f, "{expected} is wanted and {found} found")
            }
            TlvErrorKind::Unexpected { expected, found: None } => write!(f, "{expected} is missing"),
            TlvErrorKind::TrailingBytes => f.write_str("there is something after the end"),
            TlvErrorKind::BadInteger => f.write_str("INTEGER is empty or not in its shortest form"),
            TlvErrorKind::IntegerRange => f.write_str("INTEGER is negative or too large"),
            TlvErrorKind::BadOid => f.write_str("OBJECT IDENTIFIER is not well formed"),
            TlvErrorKind::OidTooLarge => f.write_str("OBJECT IDENTIFIER is too large"),
            TlvErrorKind::BadBoolean => f.write_str("BOOLEAN is not well formed"),
            TlvErrorKind::BadNull => f.write_str("NULL has content"),
            TlvErrorKind::BadBitString => f.write_str("BIT STRING is not well formed"),
            TlvErrorKind::UnusedBits => f.write_str("BIT STRING is not of whole octets"),
            TlvErrorKind::BadTime => f.write_str("the time is not well formed or not in UTC"),
            TlvErrorKind::BadString(tag) => write!(f, "{tag} has characters it must not have"),
        }
    }
}

impl core::error::Error for TlvError {}
