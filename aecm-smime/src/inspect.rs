//! Looking into CMS and any other ASN.1 without judging it: what is inside, with sizes, identifiers named.
//!
//! [`cms`] knows the content types of CMS and names their fields, signers and recipients; what it does not know it
//! shows by its tags. [`asn1`] shows any DER or BER by its tags: certificates, requests, CRLs, keys.
//!
//! ```
//! use aecm_core::limits::Limits;
//! use aecm_smime::inspect;
//!
//! let message = include_bytes!("../tests/vectors/signed/openssl30-two-signers.der");
//! let tree = inspect::cms(message, &Limits::default())?;
//! assert_eq!(tree.name, "id-signedData");
//! let signers = tree.children.iter().filter(|node| node.name == "SignerInfo");
//! assert_eq!(signers.count(), 2);
//! # Ok::<(), aecm_smime::Error>(())
//! ```

mod asn1;
mod cms;

use core::fmt;

use aecm_core::oid::{self, ObjectIdentifier};

pub use self::asn1::asn1;
pub use self::cms::cms;

/// Something inside, and what is inside that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What it is: a type of its standard (`SignerInfo`), the name of a content type, or an ASN.1 type.
    pub name: String,
    /// The identifier that says what it is.
    pub oid: Option<ObjectIdentifier>,
    /// What it says, where that is short: a name, a number, the begin of octets in hex.
    pub value: Option<String>,
    /// Octets, with tag and length where it has them.
    pub size: usize,
    /// What is inside, in order.
    pub children: Vec<Self>,
}

impl Node {
    pub(crate) fn new(name: impl Into<String>, size: usize) -> Self {
        Self { name: name.into(), size, ..Self::default() }
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    pub(crate) fn oid(mut self, oid: ObjectIdentifier) -> Self {
        self.oid = Some(oid);
        self
    }

    pub(crate) fn with(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The name of the identifier, where it is known.
    #[must_use]
    pub fn oid_name(&self) -> Option<&'static str> {
        self.oid.as_ref().and_then(oid::name)
    }

    /// How many nodes there are, this one included.
    #[must_use]
    pub fn count(&self) -> usize {
        let mut count = 0_usize;
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            count += 1;
            open.extend(&node.children);
        }
        count
    }
}

/// The tree as text, one line a node, indented by two spaces a level.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open = vec![(self, 0_usize)];
        while let Some((node, depth)) = open.pop() {
            write!(f, "{:indent$}{}", "", node.name, indent = depth * 2)?;
            if let Some(oid) = &node.oid {
                match node.oid_name() {
                    Some(name) if name != node.name => write!(f, " {name} ({oid})")?,
                    _ => write!(f, " ({oid})")?,
                }
            }
            if let Some(value) = &node.value {
                write!(f, " {value}")?;
            }
            writeln!(f, ", {} octets", node.size)?;
            open.extend(node.children.iter().rev().map(|child| (child, depth + 1)));
        }
        Ok(())
    }
}

/// The name of an identifier, or its numbers.
pub(crate) fn named(oid: &ObjectIdentifier) -> String {
    oid::name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// The begin of some octets in hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    const SHOWN: usize = 32;
    let mut text: String = octets.iter().take(SHOWN).map(|octet| format!("{octet:02x}")).collect();
    if octets.len() > SHOWN {
        text.push('…');
    }
    text
}

/// Text of a message, safe to show on a terminal: control characters replaced, long text cut.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 256;
    let safe = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut out: String = text.chars().take(SHOWN).map(safe).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}
