//! The address of a mailbox: the addr-spec of RFC 5322 §3.4.1 in the grammar of RFC 5321 §4.1.2, with the
//! UTF-8 of RFC 6531.
//!
//! ```
//! use aecm_core::mailbox::Mailbox;
//!
//! let mailbox: Mailbox = "Alice@Example.ORG".parse()?;
//! assert_eq!(mailbox.as_str(), "Alice@example.org");
//! assert!(mailbox.matches(&"Alice@EXAMPLE.org".parse()?));
//! assert!(!mailbox.matches(&"alice@example.org".parse()?));
//! # Ok::<(), aecm_core::mailbox::MailboxError>(())
//! ```

mod punycode;

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// Octets of a local part (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_OCTETS: usize = 64;
/// Octets of a domain (RFC 1035 §2.3.4 without the root's).
pub const MAX_DOMAIN_OCTETS: usize = 253;
/// Octets of a whole address (RFC 5321 §4.5.3.1.3 without the angle brackets).
pub const MAX_OCTETS: usize = 254;

/// A mailbox address: local part as written, domain in ASCII lower case.
///
/// A local part that was quoted without need is kept without quotes, so that one mailbox has one form.
/// Address literals (`[192.0.2.1]`), comments and white space are refused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mailbox {
    text: String,
    at: usize,
}

/// Why a text is not the address of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxError {
    /// There is no `@` behind the local part.
    NoAt,
    /// The local part or a label of the domain is empty.
    EmptyPart,
    /// The local part has a character that must not stand there (unquoted).
    LocalCharacter(char),
    /// The quoted local part does not end.
    Unterminated,
    /// The domain has a character that must not stand there.
    DomainCharacter(char),
    /// A label of the domain begins or ends with a hyphen.
    Hyphen,
    /// The address, or a part of it, is too long.
    TooLong {
        /// How long it is, in octets.
        octets: usize,
        /// How long it may be, in octets.
        limit: usize,
    },
}

impl Mailbox {
    /// From the meaning of a local part (without quotes) and a domain.
    ///
    /// # Errors
    /// [`MailboxError`] where either is not allowed.
    pub fn from_parts(local: &str, domain: &str) -> Result<Self, MailboxError> {
        if local.is_empty() {
            return Err(MailboxError::EmptyPart);
        }
        // A control character or one that shows nothing is as bad within quotes as without.
        if let Some(bad) = local.chars().find(|c| c.is_control() || is_deceptive(*c)) {
            return Err(MailboxError::LocalCharacter(bad));
        }
        let mut text = String::with_capacity(local.len() + domain.len() + 1);
        if is_dot_atom(local) {
            text.push_str(local);
        } else {
            text.push('"');
            for character in local.chars() {
                if matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('"');
        }
        let at = text.len();
        limit(at, MAX_LOCAL_OCTETS)?;
        text.push('@');
        check_domain(domain)?;
        text.push_str(domain);
        text.make_ascii_lowercase_from(at);
        limit(text.len(), MAX_OCTETS)?;
        Ok(Self { text, at })
    }

    /// The local part as it is written in an address: quoted only where it must be.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The domain, ASCII letters in lower case; U-labels as they were given.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The domain with every label in ASCII: U-labels as A-labels (RFC 5890), without Unicode mapping.
    #[must_use]
    pub fn ascii_domain(&self) -> Cow<'_, str> {
        punycode::to_ascii(self.domain())
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of it is ASCII, so that it fits an rfc822Name; otherwise it wants a SmtpUTF8Mailbox.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// Whether both name the same mailbox: local parts octet for octet, domains without regard to ASCII case
    /// and with U-labels equal to their A-labels (RFC 5280 §7.5, RFC 9598 §5).
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.local() == other.local() && self.ascii_domain() == other.ascii_domain()
    }
}

impl FromStr for Mailbox {
    type Err = MailboxError;

    fn from_str(text: &str) -> Result<Self, MailboxError> {
        // Before anything is copied.
        limit(text.len(), 2 * MAX_OCTETS)?;
        let Some(quoted) = text.strip_prefix('"') else {
            let (local, domain) = text.rsplit_once('@').ok_or(MailboxError::NoAt)?;
            if local.is_empty() || local.split('.').any(str::is_empty) {
                return Err(MailboxError::EmptyPart);
            }
            if let Some(bad) = local.chars().find(|c| *c != '.' && !is_atext(*c)) {
                return Err(MailboxError::LocalCharacter(bad));
            }
            return Self::from_parts(local, domain);
        };
        let mut local = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next().ok_or(MailboxError::Unterminated)? {
                '"' => break,
                '\\' => local.push(characters.next().ok_or(MailboxError::Unterminated)?),
                other => local.push(other),
            }
        }
        let domain = characters.as_str().strip_prefix('@').ok_or(MailboxError::NoAt)?;
        Self::from_parts(&local, domain)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({})", self.text)
    }
}

impl fmt::Display for MailboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a mailbox address: ")?;
        match self {
            Self::NoAt => f.write_str("`@` is missing after the local part"),
            Self::EmptyPart => f.write_str("the local part or a label of the domain is empty"),
            Self::LocalCharacter(c) => write!(f, "{c:?} must not stand in the local part"),
            Self::Unterminated => f.write_str("the closing quotation mark of the local part is missing"),
            Self::DomainCharacter(c) => write!(f, "{c:?} must not stand in the domain"),
            Self::Hyphen => f.write_str("a label of the domain begins or ends with a hyphen"),
            Self::TooLong { octets, limit } => write!(f, "{octets} octets where {limit} are allowed"),
        }
    }
}

impl core::error::Error for MailboxError {}

/// A character of an atom: RFC 5322 §3.2.3, RFC 6532 §3.2.
pub(crate) fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control() && !is_deceptive(c))
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn check_domain(domain: &str) -> Result<(), MailboxError> {
    limit(domain.len(), MAX_DOMAIN_OCTETS)?;
    for label in domain.split('.') {
        if label.is_empty() {
            return Err(MailboxError::EmptyPart);
        }
        let allowed = |c: char| {
            c.is_ascii_alphanumeric()
                || c == '-'
                || (!c.is_ascii() && !c.is_control() && !is_deceptive(c) && !is_dot_or_fullwidth(c))
        };
        if let Some(bad) = label.chars().find(|c| !allowed(*c)) {
            return Err(MailboxError::DomainCharacter(bad));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(MailboxError::Hyphen);
        }
        limit(punycode::to_ascii(label).len(), 63)?;
    }
    limit(punycode::to_ascii(domain).len(), MAX_DOMAIN_OCTETS)
}

// Characters that show nothing, reorder what is shown, or are no characters (M1).
fn is_deceptive(c: char) -> bool {
    let invisible = matches!(u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xffff
        | 0xe0000..=0xe0fff);
    let no_character = matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
        || matches!(u32::from(c), 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xf0000..=0x0010_ffff);
    invisible || no_character || (c != ' ' && c.is_whitespace())
}

// What UTS 46 maps to other characters of a domain name, the dot among them.
fn is_dot_or_fullwidth(c: char) -> bool {
    matches!(u32::from(c), 0x2024 | 0x3002 | 0xfe52 | 0xff01..=0xff64)
}

fn limit(octets: usize, limit: usize) -> Result<(), MailboxError> {
    if octets > limit { Err(MailboxError::TooLong { octets, limit }) } else { Ok(()) }
}

trait LowercaseFrom {
    fn make_ascii_lowercase_from(&mut self, start: usize);
}

impl LowercaseFrom for String {
    fn make_ascii_lowercase_from(&mut self, start: usize) {
        if let Some(tail) = self.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    }
}

#[cfg(test)]
mod tests;
