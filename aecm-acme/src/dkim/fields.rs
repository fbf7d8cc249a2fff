//! A mail taken apart into header fields and body, octets kept.
//!
//! The verifier and the reader of challenge mails both look through this one view, so that what was signed
//! and what is read cannot be two different things (THREATS C2).

use std::borrow::Cow;
use std::fmt;

use aecm_core::limits::Limits;

use super::canonical::{LineEnds, line_ends};
use super::name;

/// Why a mail cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// The mail is larger than [`Limits::message_bytes`].
    TooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// The header section is larger than [`Limits::header_bytes`].
    HeaderTooLarge {
        /// The limit, in octets.
        limit: usize,
    },
    /// There are more header fields than [`Limits::header_count`].
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// Some lines end in CRLF and some in LF alone: where a line ends is then a matter of opinion.
    MixedLineEnds,
    /// A line of the header section is neither a field nor its continuation, or holds NUL or a lone CR.
    Header {
        /// The number of the field, from 0.
        field: usize,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "the mail is larger than {limit} octets"),
            Self::HeaderTooLarge { limit } => write!(f, "the header is larger than {limit} octets"),
            Self::TooManyFields { limit } => write!(f, "the mail has more than {limit} header fields"),
            Self::MixedLineEnds => f.write_str("the mail has CRLF and bare LF line ends at once"),
            Self::Header { field } => write!(f, "header field {field} is not well formed"),
        }
    }
}

impl std::error::Error for MessageError {}

impl MessageError {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "mail-too-large",
            Self::HeaderTooLarge { .. } => "header-too-large",
            Self::TooManyFields { .. } => "too-many-header-fields",
            Self::MixedLineEnds => "mixed-line-ends",
            Self::Header { .. } => "header-malformed",
        }
    }

    /// The same as one fixed sentence.
    #[must_use]
    pub(crate) const fn why(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "larger than the limit",
            Self::HeaderTooLarge { .. } => "header larger than the limit",
            Self::TooManyFields { .. } => "too many header fields",
            Self::MixedLineEnds => "CRLF and bare LF line ends at once",
            Self::Header { .. } => "header field not well formed",
        }
    }
}

/// A mail with CRLF line ends, copied only where it had others.
#[derive(Debug)]
pub(crate) struct Octets<'m> {
    octets: Cow<'m, [u8]>,
    /// Whether the mail came with bare LF.
    pub(crate) bare_lf: bool,
}

impl<'m> Octets<'m> {
    pub(crate) fn new(message: &'m [u8], limits: &Limits) -> Result<Self, MessageError> {
        if message.len() > limits.message_bytes {
            return Err(MessageError::TooLarge { limit: limits.message_bytes });
        }
        let (octets, ends) = line_ends(message).ok_or(MessageError::MixedLineEnds)?;
        Ok(Self { octets, bare_lf: ends == LineEnds::BareLf })
    }

    pub(crate) fn take_apart(&self, limits: &Limits) -> Result<Message<'_>, MessageError> {
        Message::parse(&self.octets, limits)
    }
}

/// A mail taken apart.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The header fields from the top.
    pub(crate) fields: Vec<Field<'a>>,
    /// What follows the empty line.
    pub(crate) body: &'a [u8],
}

/// One header field.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// The name in lower case.
    pub(crate) name: String,
    /// The whole field: name, folding and the last CRLF.
    pub(crate) raw: &'a [u8],
    /// What follows the colon, folding kept, without the last CRLF.
    pub(crate) value: &'a [u8],
}

impl<'a> Message<'a> {
    pub(crate) fn parse(octets: &'a [u8], limits: &Limits) -> Result<Self, MessageError> {
        let mut fields = Vec::new();
        let mut rest = octets;
        while !rest.is_empty() {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                return Ok(Self { fields, body });
            }
            if fields.len() == limits.header_count {
                return Err(MessageError::TooManyFields { limit: limits.header_count });
            }
            let (raw, after) = rest.split_at(field_end(rest));
            if octets.len() - after.len() > limits.header_bytes {
                return Err(MessageError::HeaderTooLarge { limit: limits.header_bytes });
            }
            let field = Field::parse(raw).ok_or(MessageError::Header { field: fields.len() })?;
            fields.push(field);
            rest = after;
        }
        Ok(Self { fields, body: &[] })
    }

    /// The fields of that (lower-case) name, from the top.
    pub(crate) fn named<'s>(&'s self, name: &'s str) -> impl DoubleEndedIterator<Item = &'s Field<'a>> + 's {
        self.fields.iter().filter(move |field| field.name == name)
    }
}

impl<'a> Field<'a> {
    fn parse(raw: &'a [u8]) -> Option<Self> {
        let content = raw.strip_suffix(b"\r\n").unwrap_or(raw);
        let colon = content.iter().position(|byte| *byte == b':')?;
        let (name, value) = (content.get(..colon)?, content.get(colon + 1..)?);
        // White space before the colon is the obsolete syntax of RFC 5322 §4.5.8.
        let trimmed = name.trim_ascii_end();
        let only_blanks = name.get(trimmed.len()..)?.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        let name = name::field(std::str::from_utf8(trimmed).ok()?)?;
        let lone_return =
            (0..value.len()).any(|at| value.get(at) == Some(&b'\r') && value.get(at + 1) != Some(&b'\n'));
        (only_blanks && !lone_return && !value.contains(&0)).then_some(Self { name, raw, value })
    }
}

/// Where the first field ends: after the first line end that no white space follows.
fn field_end(octets: &[u8]) -> usize {
    let mut from = 0;
    while let Some(line) =
        octets.get(from..).and_then(|rest| rest.windows(2).position(|pair| pair == b"\r\n"))
    {
        from += line + 2;
        if !matches!(octets.get(from), Some(b' ' | b'\t')) {
            return from;
        }
    }
    octets.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(message: &[u8]) -> Result<(Vec<String>, Vec<u8>), MessageError> {
        let limits = Limits::default();
        let octets = Octets::new(message, &limits)?;
        let message = octets.take_apart(&limits)?;
        Ok((message.fields.iter().map(|field| field.name.clone()).collect(), message.body.to_vec()))
    }

    #[test]
    fn fields_and_body() {
        let (fields, body) = names(b"From: a\r\nSubject : b\r\n c\r\n\td\r\n\r\nbody\r\n\r\n").unwrap();
        assert_eq!(fields, ["from", "subject"]);
        assert_eq!(body, b"body\r\n\r\n");
        assert_eq!(names(b"From: a").unwrap(), (vec!["from".to_owned()], vec![]));
        assert_eq!(names(b"\r\nx").unwrap(), (vec![], b"x".to_vec()));
        assert_eq!(names(b"A: 1\n\nx\n").unwrap().1, b"x\r\n");
        assert_eq!(names(b"").unwrap(), (vec![], vec![]));
    }

    #[test]
    fn headers_that_are_not_well_formed() {
        for message in [
            b"From a\r\n\r\n".as_slice(),
            b" From: a\r\n\r\n",
            b"From: a\r\nnonsense\r\n\r\n",
            b": a\r\n",
            b"Fr om: a\r\n",
            b"From: a\rb\r\n",
            b"From: a\0b\r\n",
            b"From: a\r",
            b"Fr\xc3\xb6m: a\r\n",
            b"From\r\n : a\r\n",
        ] {
            assert!(matches!(names(message), Err(MessageError::Header { .. })), "{message:?}");
        }
        assert_eq!(names(b"A: 1\r\nB: 2\n\r\n"), Err(MessageError::MixedLineEnds));
    }

    #[test]
    fn limits_hold_exactly() {
        let mut limits = Limits::default();
        limits.header_count = 2;
        limits.header_bytes = 12;
        limits.message_bytes = 15;
        let read = |message: &[u8]| {
            let octets = Octets::new(message, &limits)?;
            octets.take_apart(&limits).map(|message| message.fields.len())
        };
        assert_eq!(read(b"A: 1\r\nB: 2\r\n\r\nx"), Ok(2));
        assert_eq!(read(b"A: 1\r\nB: 2\r\n\r\nxy"), Err(MessageError::TooLarge { limit: 15 }));
        assert_eq!(read(b"A: 1\r\nB: 23\r\n\r\n"), Err(MessageError::HeaderTooLarge { limit: 12 }));
        assert_eq!(read(b"A:\r\nB:\r\nC:\r\n"), Err(MessageError::TooManyFields { limit: 2 }));
    }
}
