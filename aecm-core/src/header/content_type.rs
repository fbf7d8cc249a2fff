//! Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183).

use alloc::string::String;
use alloc::vec::Vec;

use super::scan::Scanner;
use super::{HeaderError, unfold};

/// A media type, or a disposition, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype` (or the disposition) in lower case.
    pub essence: String,
    /// Names in lower case and values, without quotation marks, in order. No name occurs twice.
    pub params: Vec<(String, String)>,
}

impl ContentType {
    /// The parameter of that name (in lower case).
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What stands before the slash.
    #[must_use]
    pub fn type_(&self) -> &str {
        self.essence.split_once('/').map_or(self.essence.as_str(), |(kind, _)| kind)
    }
}

/// Reads the value of a Content-Type field.
///
/// Unquoted values may have `/`, `=`, `?` and the like, which many senders do not quote.
///
/// ```
/// let value = b" multipart/signed; micalg=sha-256;\r\n boundary=\"a b\"; protocol=application/pkcs7-signature";
/// let read = aecm_core::header::content_type(value)?;
/// assert_eq!(read.essence, "multipart/signed");
/// assert_eq!(read.param("boundary"), Some("a b"));
/// assert_eq!(read.param("protocol"), Some("application/pkcs7-signature"));
/// # Ok::<(), aecm_core::header::HeaderError>(())
/// ```
///
/// # Errors
/// [`HeaderError::Syntax`]; [`HeaderError::DuplicateParameter`], which could hide another boundary from us than
/// from others.
pub fn content_type(value: &[u8]) -> Result<ContentType, HeaderError> {
    read(value, true)
}

/// Reads the value of a Content-Disposition field.
///
/// # Errors
/// As [`content_type`].
pub fn content_disposition(value: &[u8]) -> Result<ContentType, HeaderError> {
    read(value, false)
}

fn read(value: &[u8], slash: bool) -> Result<ContentType, HeaderError> {
    let text = unfold(value);
    let mut scanner = Scanner::new(&text);
    let mut essence = token(&mut scanner, "a type")?;
    if slash {
        if !scanner.eat('/') {
            return scanner.expected("`/`");
        }
        essence.push('/');
        essence.push_str(&token(&mut scanner, "a subtype")?);
    }
    essence.make_ascii_lowercase();
    let mut params: Vec<(String, String)> = Vec::new();
    loop {
        scanner.skip()?;
        match scanner.peek() {
            None => return Ok(ContentType { essence, params }),
            Some(';') => {
                scanner.next();
                scanner.skip()?;
                if matches!(scanner.peek(), None | Some(';')) {
                    continue;
                }
            }
            Some(_) => return scanner.expected("`;`"),
        }
        let mut name = token(&mut scanner, "a parameter's name")?;
        name.make_ascii_lowercase();
        if !scanner.eat('=') {
            return scanner.expected("`=`");
        }
        scanner.skip()?;
        let value = if scanner.peek() == Some('"') {
            scanner.quoted()?
        } else {
            let value = scanner.take(|c| c.is_ascii_graphic() && !";\"(),\\".contains(c));
            if value.is_empty() {
                return scanner.expected("a parameter's value");
            }
            value
        };
        if params.iter().any(|(known, _)| *known == name) {
            return Err(HeaderError::DuplicateParameter { name });
        }
        params.push((name, value));
    }
}

// RFC 2045 §5.1, with comments and white space around.
fn token(scanner: &mut Scanner<'_>, what: &'static str) -> Result<String, HeaderError> {
    scanner.skip()?;
    let token = scanner.take(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c));
    if token.is_empty() {
        return scanner.expected(what);
    }
    scanner.skip()?;
    Ok(token)
}
