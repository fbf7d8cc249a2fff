//! One MIME entity with its exact octets.

use std::borrow::Cow;

use aecm_core::header::{self, ContentType, Header, Headers};
use aecm_core::limits::Limits;

use super::MimeError;
use super::boundary::split;
use super::transfer::{from_base64, from_quoted_printable};

/// A message or a part of one: header fields and body, borrowed from the octets that came.
#[derive(Clone, Debug)]
pub struct Entity<'a> {
    octets: &'a [u8],
    headers: Headers<'a>,
    body: &'a [u8],
    content_type: Option<ContentType>,
    /// Content-Type stands twice or cannot be read.
    unreadable_type: bool,
}

/// The Content-Transfer-Encoding (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferEncoding {
    /// 7bit, 8bit or binary: the body is the content.
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

impl<'a> Entity<'a> {
    /// Reads the header; the body is looked at only when asked for. A Content-Type that stands twice or cannot
    /// be read makes the entity `application/octet-stream` ([`Entity::protection`] refuses it where it could
    /// hide a signature).
    ///
    /// # Errors
    /// [`MimeError::Header`] for a header that cannot be read or is beyond the limits.
    pub fn parse(octets: &'a [u8], limits: &Limits) -> Result<Self, MimeError> {
        let (headers, body) = Headers::parse(octets, limits)?;
        let read = match headers.single("content-type") {
            Ok(Some(field)) => header::content_type(field.value_raw).map(Some),
            Ok(None) => Ok(None),
            Err(twice) => Err(twice),
        };
        let unreadable_type = read.is_err();
        Ok(Self { octets, headers, body, content_type: read.unwrap_or(None), unreadable_type })
    }

    /// All octets of the entity, header and body, as they came.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The header.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// The body as it came, still in its transfer encoding.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// `type/subtype` in lower case; `text/plain` where there is no Content-Type (RFC 2045 §5.2),
    /// `application/octet-stream` where it cannot be read.
    #[must_use]
    pub fn essence(&self) -> &str {
        match &self.content_type {
            Some(content_type) => &content_type.essence,
            None if self.unreadable_type => "application/octet-stream",
            None => "text/plain",
        }
    }

    /// A parameter of the Content-Type; the name in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.content_type.as_ref()?.param(name)
    }

    /// Refuses a Content-Type that stands twice, names a parameter twice or cannot be read (THREATS M4).
    pub(super) fn readable_type(&self) -> Result<(), MimeError> {
        if self.unreadable_type {
            let why = "it stands twice, names a parameter twice, or is no media type";
            return Err(MimeError::Field { name: "Content-Type".to_owned(), why });
        }
        Ok(())
    }

    /// The Content-Transfer-Encoding.
    ///
    /// # Errors
    /// [`MimeError::TransferEncoding`] for an unknown one, [`MimeError::Field`] where it stands twice.
    pub fn transfer_encoding(&self) -> Result<TransferEncoding, MimeError> {
        let Some(field) = self.field("content-transfer-encoding")? else {
            return Ok(TransferEncoding::Identity);
        };
        let value = header::unfold(field.value_raw);
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Ok(TransferEncoding::Identity),
            "base64" => Ok(TransferEncoding::Base64),
            "quoted-printable" => Ok(TransferEncoding::QuotedPrintable),
            _ => Err(MimeError::TransferEncoding { encoding: "that is named" }),
        }
    }

    /// The body without its transfer encoding.
    ///
    /// # Errors
    /// [`MimeError::TransferEncoding`] when the body is not in its encoding.
    pub fn decoded(&self) -> Result<Cow<'a, [u8]>, MimeError> {
        Ok(match self.transfer_encoding()? {
            TransferEncoding::Identity => Cow::Borrowed(self.body),
            TransferEncoding::Base64 => Cow::Owned(from_base64(self.body)?),
            TransferEncoding::QuotedPrintable => Cow::Owned(from_quoted_printable(self.body)?),
        })
    }

    /// The exact octets of the parts of a multipart; empty for anything else.
    ///
    /// # Errors
    /// [`MimeError::Boundary`], [`MimeError::TooManyParts`].
    pub fn parts(&self, limits: &Limits) -> Result<Vec<&'a [u8]>, MimeError> {
        if !self.essence().starts_with("multipart/") {
            return Ok(Vec::new());
        }
        Ok(split(self.body, self.boundary()?.as_bytes(), limits.mime_parts)?.parts)
    }

    /// The boundary of a multipart (RFC 2046 §5.1.1).
    pub(super) fn boundary(&self) -> Result<&str, MimeError> {
        match self.parameter("boundary") {
            None => Err(MimeError::Boundary { why: "it has no boundary" }),
            Some("") => Err(MimeError::Boundary { why: "its boundary is empty" }),
            Some(boundary) if boundary.len() > 70 => {
                Err(MimeError::Boundary { why: "its boundary is longer than 70" })
            }
            Some(boundary) if boundary.ends_with(' ') => {
                Err(MimeError::Boundary { why: "its boundary ends with a space" })
            }
            Some(boundary) => Ok(boundary),
        }
    }

    /// The header fields in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Header<'a>> {
        self.headers.iter()
    }

    /// A field that may stand once.
    pub(super) fn field(&self, name: &str) -> Result<Option<&Header<'a>>, MimeError> {
        let twice = |_| MimeError::Field { name: name.to_owned(), why: "it stands twice" };
        self.headers.single(name).map_err(twice)
    }
}
