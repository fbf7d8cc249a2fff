//! `tag=value` lists (RFC 6376 §3.2), in DKIM-Signature fields and in key records.

use std::fmt;
use std::ops::Range;

// More than any real list; the rest of the RFC defines fewer than twenty tags.
const MAX_TAGS: usize = 64;

/// Why a text is not a tag list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TagListError {
    /// Something without a name, without `=`, or an empty element between two semicolons.
    Malformed {
        /// Octets from the start of the list.
        offset: usize,
    },
    /// An octet no tag value may hold.
    Octet {
        /// Octets from the start of the list.
        offset: usize,
        /// The octet.
        octet: u8,
    },
    /// A tag twice; the RFC makes the whole list void.
    Duplicate {
        /// The tag's name.
        tag: String,
    },
    /// More tags than are read.
    TooMany,
}

impl fmt::Display for TagListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { offset } => write!(f, "no `tag=value` at octet {offset} of the tag list"),
            Self::Octet { offset, octet } => write!(f, "octet {octet:#04x} at {offset} of the tag list"),
            Self::Duplicate { tag } => write!(f, "tag `{tag}` occurs twice"),
            Self::TooMany => write!(f, "more than {MAX_TAGS} tags"),
        }
    }
}

impl std::error::Error for TagListError {}

/// A tag list, read.
#[derive(Clone, Debug)]
pub(super) struct TagList<'a> {
    tags: Vec<Tag<'a>>,
}

#[derive(Clone, Debug)]
struct Tag<'a> {
    name: &'a str,
    value: &'a str,
    span: Range<usize>,
}

impl<'a> TagList<'a> {
    /// Reads `text`, in which folding (CRLF before white space) is white space.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, TagListError> {
        for (offset, octet) in text.iter().enumerate() {
            if !matches!(octet, b'\t' | b'\r' | b'\n' | 0x20..=0x7e) {
                return Err(TagListError::Octet { offset, octet: *octet });
            }
        }
        let text = std::str::from_utf8(text).map_err(|_| TagListError::Malformed { offset: 0 })?;
        let mut tags: Vec<Tag<'a>> = Vec::new();
        let mut offset = 0;
        for element in text.split(';') {
            let start = offset;
            offset += element.len() + 1;
            let Some((name, value)) = element.split_once('=') else {
                // One semicolon may end the list.
                if offset > text.len() && element.trim_ascii().is_empty() && !tags.is_empty() {
                    break;
                }
                return Err(TagListError::Malformed { offset: start });
            };
            let span = start + name.len() + 1..start + element.len();
            let name = name.trim_ascii();
            let well_named = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !well_named {
                return Err(TagListError::Malformed { offset: start });
            }
            if tags.iter().any(|tag| tag.name == name) {
                return Err(TagListError::Duplicate { tag: name.to_owned() });
            }
            if tags.len() == MAX_TAGS {
                return Err(TagListError::TooMany);
            }
            tags.push(Tag { name, value: value.trim_ascii(), span });
        }
        Ok(Self { tags })
    }

    /// The value of a tag, white space around it gone.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.value)
    }

    /// Where the value of a tag stands in the text, white space around it included.
    pub(super) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.span.clone())
    }

    /// The name of the first tag.
    pub(super) fn first_name(&self) -> Option<&'a str> {
        self.tags.first().map(|tag| tag.name)
    }
}

/// The elements of a colon-separated value, white space around each gone.
pub(super) fn colon_list(value: &str) -> impl Iterator<Item = &str> {
    value.split(':').map(str::trim_ascii)
}

/// Decodes base64 in which folding white space may stand anywhere (`base64string`, §2.10).
pub(super) fn base64(value: &str) -> Option<Vec<u8>> {
    use base64ct::Encoding;
    let compact: String = value.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    base64ct::Base64::decode_vec(&compact).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_inner_white_space_and_lose_the_outer() {
        let text = b" v = 1 ;\r\n\th= From :\r\n To; b=a b\r\n c ";
        let list = TagList::parse(text).unwrap();
        assert_eq!(list.get("v"), Some("1"));
        assert_eq!(colon_list(list.get("h").unwrap()).collect::<Vec<_>>(), ["From", "To"]);
        assert_eq!(list.get("b"), Some("a b\r\n c"));
        assert_eq!(&text[list.span("b").unwrap()], b"a b\r\n c ");
        assert_eq!(list.get("B"), None);
        assert_eq!(list.first_name(), Some("v"));
    }

    #[test]
    fn one_trailing_semicolon_and_empty_values() {
        let list = TagList::parse(b"p=; t=;").unwrap();
        assert_eq!((list.get("p"), list.get("t")), (Some(""), Some("")));
        assert_eq!(TagList::parse(b"a=b=c==").unwrap().get("a"), Some("b=c=="));
    }

    #[test]
    fn what_is_not_a_tag_list() {
        for (text, error) in [
            (b"".as_slice(), TagListError::Malformed { offset: 0 }),
            (b";", TagListError::Malformed { offset: 0 }),
            (b"a=1;;", TagListError::Malformed { offset: 4 }),
            (b"a=1;;b=2", TagListError::Malformed { offset: 4 }),
            (b"a=1; b", TagListError::Malformed { offset: 4 }),
            (b"=1", TagListError::Malformed { offset: 0 }),
            (b"1a=1", TagListError::Malformed { offset: 0 }),
            (b"_a=1", TagListError::Malformed { offset: 0 }),
            (b"a b=1", TagListError::Malformed { offset: 0 }),
            (b"a-b=1", TagListError::Malformed { offset: 0 }),
            (b"a=1; a=1", TagListError::Duplicate { tag: "a".to_owned() }),
            (b"a=1; b=2; a =3", TagListError::Duplicate { tag: "a".to_owned() }),
            (b"a=\x00", TagListError::Octet { offset: 2, octet: 0 }),
            (b"a=\xc3\xa4", TagListError::Octet { offset: 2, octet: 0xc3 }),
            (b"a=\x7f", TagListError::Octet { offset: 2, octet: 0x7f }),
        ] {
            assert_eq!(TagList::parse(text).unwrap_err(), error, "{:?}", String::from_utf8_lossy(text));
        }
        let many: String = (0..=MAX_TAGS).map(|number| format!("t{number}=;")).collect();
        assert_eq!(TagList::parse(many.as_bytes()).unwrap_err(), TagListError::TooMany);
    }

    #[test]
    fn base64_with_folding() {
        assert_eq!(base64("aGVs\r\n\tbG8 ="), Some(b"hello".to_vec()));
        for bad in ["aGVsbG8", "aGVs*G8=", "=", "aGVsbG9="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }
}
