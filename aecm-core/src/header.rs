//! Reading the header section of a message or MIME part (RFC 5322 §2, RFC 6532), with its octets kept.
//!
//! ```
//! use aecm_core::{header::{self, Headers}, limits::Limits};
//!
//! let mail = b"From: \"Alice B.\" <alice@example.org>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\nHello\r\n";
//! let (headers, body) = Headers::parse(mail, &Limits::default())?;
//! assert_eq!(body, b"Hello\r\n");
//! let from = headers.single("from")?.expect("a From field");
//! assert_eq!(header::parse_address_list(from.value_raw)?[0].as_str(), "alice@example.org");
//! assert_eq!(header::decoded(headers.single("Subject")?.expect("a Subject").value_raw), "café");
//! # Ok::<(), header::HeaderError>(())
//! ```

mod address;
mod content_type;
mod date;
mod encoded_word;
mod scan;

pub use address::{Address, parse_address_list, parse_addresses, parse_single_address};
pub use content_type::{ContentType, content_disposition, content_type};
pub use date::parse_date;
pub use encoded_word::decoded;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::limits::Limits;
use crate::mailbox::MailboxError;

/// One header field as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The field's name as written; names are the same without regard to ASCII case.
    pub name: &'a str,
    /// The whole field with its folding and its line end.
    pub raw: &'a [u8],
    /// What follows the colon, with folding, without the last line end.
    pub value_raw: &'a [u8],
}

/// The fields of a header section, in order.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    fields: Vec<Header<'a>>,
    bytes: &'a [u8],
    bare_lf: bool,
}

/// What is wrong with a header section or the value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The section is larger than [`Limits::header_bytes`].
    TooLarge {
        /// The limit in octets.
        limit: usize,
    },
    /// More fields than [`Limits::header_count`].
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A line that neither starts nor continues a field.
    NotAField {
        /// Where the line starts, in octets from the start of the message.
        offset: usize,
    },
    /// A carriage return without line feed, or a NUL.
    ControlCharacter {
        /// Where, in octets from the start of the message.
        offset: usize,
    },
    /// A field that may stand once stands several times.
    Duplicate {
        /// Its name as asked for.
        name: String,
    },
    /// The value does not follow the grammar of its field.
    Syntax {
        /// What was expected.
        expected: &'static str,
        /// Where, in characters from the start of the unfolded value.
        position: usize,
    },
    /// Comments nest deeper than 16 levels.
    CommentDepth,
    /// A mailbox in the value is none.
    Mailbox(MailboxError),
    /// A group, or not exactly one mailbox, where one mailbox is wanted.
    NotOneMailbox,
    /// A parameter that occurs twice.
    DuplicateParameter {
        /// Its name in lower case.
        name: String,
    },
}

impl<'a> Headers<'a> {
    /// Splits a message into its fields and its body. Lines may end in CRLF or, reported by
    /// [`Headers::bare_lf`], in LF alone.
    ///
    /// A message without empty line is all header.
    ///
    /// # Errors
    /// [`HeaderError::TooLarge`], [`HeaderError::TooMany`], [`HeaderError::NotAField`],
    /// [`HeaderError::ControlCharacter`].
    pub fn parse(message: &'a [u8], limits: &Limits) -> Result<(Self, &'a [u8]), HeaderError> {
        let mut fields: Vec<Header<'a>> = Vec::new();
        let mut bare_lf = false;
        // The field that is open: where it starts and where its colon is.
        let mut open: Option<(usize, usize)> = None;
        let mut position = 0;
        loop {
            let line = Line::at(message, position, limits.header_bytes)?;
            bare_lf |= line.bare_lf;
            let continues = line.text.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
            if continues && open.is_none() {
                return Err(HeaderError::NotAField { offset: position });
            }
            if !continues {
                if let Some((start, colon)) = open.take() {
                    if fields.len() >= limits.header_count {
                        return Err(HeaderError::TooMany { limit: limits.header_count });
                    }
                    fields.push(field(message, start, colon, position)?);
                }
                if line.text.is_empty() {
                    let (bytes, body) = message.split_at_checked(line.end).unwrap_or((message, &[]));
                    return Ok((Self { fields, bytes, bare_lf }, body));
                }
                let colon = line.text.iter().position(|octet| *octet == b':');
                let name = colon.and_then(|colon| line.text.get(..colon)).unwrap_or_default();
                let Some(colon) = colon.filter(|_| !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
                else {
                    return Err(HeaderError::NotAField { offset: position });
                };
                open = Some((position, position + colon));
            }
            position = line.end;
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header<'a>> {
        self.fields.iter()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields of that name, in order.
    pub fn get_all(&self, name: &str) -> impl DoubleEndedIterator<Item = &Header<'a>> {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// The field of that name, if there is one.
    ///
    /// # Errors
    /// [`HeaderError::Duplicate`] where there are several: which of them counts is not for us to guess.
    pub fn single(&self, name: &str) -> Result<Option<&Header<'a>>, HeaderError> {
        let mut fields = self.get_all(name);
        let first = fields.next();
        match fields.next() {
            None => Ok(first),
            Some(_) => Err(HeaderError::Duplicate { name: name.to_owned() }),
        }
    }

    /// The octets of the whole section with the empty line that ends it.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether any line of the section ends in LF without CR.
    #[must_use]
    pub const fn bare_lf(&self) -> bool {
        self.bare_lf
    }
}

/// The value of a field in one line: line ends before white space are dropped, white space at both ends too.
/// What is not UTF-8 becomes U+FFFD.
#[must_use]
pub fn unfold(value: &[u8]) -> String {
    let text: Vec<u8> = value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    String::from_utf8_lossy(&text).trim_matches([' ', '\t']).to_owned()
}

struct Line<'a> {
    text: &'a [u8],
    /// Behind the line end.
    end: usize,
    bare_lf: bool,
}

impl<'a> Line<'a> {
    // At the end of the message this is an empty line.
    fn at(message: &'a [u8], start: usize, limit: usize) -> Result<Self, HeaderError> {
        let rest = message.get(start..).unwrap_or_default();
        // Looks no farther than the limit reaches.
        let window = rest.get(..limit.saturating_sub(start)).unwrap_or(rest);
        let (text, end, bare_lf) = match window.iter().position(|octet| *octet == b'\n') {
            None if window.len() < rest.len() => return Err(HeaderError::TooLarge { limit }),
            None => (rest, message.len(), false),
            Some(feed) => {
                let line = rest.get(..feed).unwrap_or_default();
                match line.strip_suffix(b"\r") {
                    Some(text) => (text, start + feed + 1, false),
                    None => (line, start + feed + 1, true),
                }
            }
        };
        match text.iter().position(|octet| matches!(octet, b'\r' | b'\0')) {
            Some(position) => Err(HeaderError::ControlCharacter { offset: start + position }),
            None => Ok(Self { text, end, bare_lf }),
        }
    }
}

fn field(message: &[u8], start: usize, colon: usize, end: usize) -> Result<Header<'_>, HeaderError> {
    let malformed = HeaderError::NotAField { offset: start };
    let raw = message.get(start..end).ok_or(malformed.clone())?;
    let name = message.get(start..colon).and_then(|name| core::str::from_utf8(name).ok()).ok_or(malformed)?;
    let value = message.get(colon + 1..end).unwrap_or_default();
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    Ok(Header { name, raw, value_raw: value.strip_suffix(b"\r").unwrap_or(value) })
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "the header section exceeds {limit} octets"),
            Self::TooMany { limit } => write!(f, "the header section has more than {limit} fields"),
            Self::NotAField { offset } => write!(f, "the line at octet {offset} is no header field"),
            Self::ControlCharacter { offset } => {
                write!(f, "a carriage return without line feed, or NUL, at octet {offset} of the header")
            }
            Self::Duplicate { name } => write!(f, "the header field {name} occurs more than once"),
            Self::Syntax { expected, position } => {
                write!(f, "malformed header value: {expected} expected at character {position}")
            }
            Self::CommentDepth => f.write_str("comments in a header value nest too deep"),
            Self::Mailbox(error) => error.fmt(f),
            Self::NotOneMailbox => f.write_str("exactly one mailbox is wanted here"),
            Self::DuplicateParameter { name } => write!(f, "the parameter {name} occurs twice"),
        }
    }
}

impl core::error::Error for HeaderError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Mailbox(error) => Some(error),
            _ => None,
        }
    }
}

impl From<MailboxError> for HeaderError {
    fn from(error: MailboxError) -> Self {
        Self::Mailbox(error)
    }
}

#[cfg(test)]
mod tests;
