//! What protects an entity: multipart/signed, application/pkcs7-mime, or nothing.

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};

use super::MimeError;
use super::boundary::split;
use super::entity::{Entity, TransferEncoding};
use crate::cms;
use crate::tolerance::{Tolerance, note};

/// A kind of CMS message (its outer content type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CmsKind {
    /// SignedData.
    SignedData,
    /// EnvelopedData.
    EnvelopedData,
    /// AuthEnvelopedData.
    AuthEnvelopedData,
    /// EncryptedData.
    EncryptedData,
    /// CompressedData.
    CompressedData,
    /// Another one.
    Other(ObjectIdentifier),
}

impl CmsKind {
    /// From the contentType of a ContentInfo, of either arc (RFC 5652, GB/T 35275).
    #[must_use]
    pub fn from_oid(content_type: &ObjectIdentifier) -> Self {
        match *content_type {
            oid::SIGNED_DATA | oid::GM_SIGNED_DATA => Self::SignedData,
            oid::ENVELOPED_DATA | oid::GM_ENVELOPED_DATA => Self::EnvelopedData,
            oid::AUTH_ENVELOPED_DATA => Self::AuthEnvelopedData,
            oid::ENCRYPTED_DATA | oid::GM_ENCRYPTED_DATA => Self::EncryptedData,
            oid::COMPRESSED_DATA => Self::CompressedData,
            other => Self::Other(other),
        }
    }

    /// The smime-type parameter and file name (RFC 8551 §3.2.2).
    pub(super) const fn smime_type(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::SignedData => Some(("signed-data", "smime.p7m")),
            Self::EnvelopedData => Some(("enveloped-data", "smime.p7m")),
            Self::AuthEnvelopedData => Some(("authEnveloped-data", "smime.p7m")),
            Self::CompressedData => Some(("compressed-data", "smime.p7z")),
            Self::EncryptedData | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for CmsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedData => f.write_str("SignedData"),
            Self::EnvelopedData => f.write_str("EnvelopedData"),
            Self::AuthEnvelopedData => f.write_str("AuthEnvelopedData"),
            Self::EncryptedData => f.write_str("EncryptedData"),
            Self::CompressedData => f.write_str("CompressedData"),
            Self::Other(content_type) => match oid::name(content_type) {
                Some(name) => f.write_str(name),
                None => write!(f, "content type {content_type}"),
            },
        }
    }
}

/// What protects an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection<'a> {
    /// Nothing that S/MIME knows.
    None,
    /// multipart/signed with a detached CMS signature.
    ClearSigned {
        /// The exact octets of the first part: from its header to before the line end of the boundary.
        content: &'a [u8],
        /// SignedData.
        signature: Vec<u8>,
        /// The micalg parameter, a hint.
        micalg: Option<String>,
        /// What was forgiven.
        tolerances: Vec<Tolerance>,
    },
    /// application/pkcs7-mime or what stands for it.
    Cms {
        /// What the CMS message is by its own content type.
        kind: CmsKind,
        /// The CMS message.
        cms: Vec<u8>,
        /// What was forgiven.
        tolerances: Vec<Tolerance>,
    },
}

impl<'a> Entity<'a> {
    /// What protects this entity as a whole.
    ///
    /// x-pkcs7 types, an absent or wrong smime-type and application/octet-stream with a .p7m name are read
    /// and named as tolerances; what the message is, its own content type decides (STANDARDS §4.8).
    ///
    /// # Errors
    /// [`MimeError`] for a multipart/signed that is not two parts (THREATS M4) and a body that is no CMS.
    pub fn protection(&self, limits: &Limits) -> Result<Protection<'a>, MimeError> {
        if self.readable_type().is_err() {
            // A parser that reads it otherwise may see a signature where this one does not.
            let hides =
                |text: &[u8]| [&b"pkcs7"[..], b"multipart/signed"].iter().any(|word| contains(text, word));
            let hiding = self.headers().get_all("content-type").any(|field| hides(field.raw));
            return if hiding {
                self.readable_type().map(|()| Protection::None)
            } else {
                Ok(Protection::None)
            };
        }
        match self.essence() {
            "multipart/signed" => self.clear_signed(limits),
            "application/pkcs7-mime" => self.cms(limits, Vec::new()),
            "application/x-pkcs7-mime" => self.cms(limits, vec![Tolerance::XPkcs7Type]),
            "application/octet-stream" if self.is_named_p7m()? => {
                self.cms(limits, vec![Tolerance::SmimeTypeSniffed])
            }
            _ => Ok(Protection::None),
        }
    }

    fn clear_signed(&self, limits: &Limits) -> Result<Protection<'a>, MimeError> {
        let mut tolerances = Vec::new();
        let protocol = self.parameter("protocol").map(str::to_ascii_lowercase);
        match protocol.as_deref() {
            None | Some("application/pkcs7-signature") => {}
            Some("application/x-pkcs7-signature") => note(&mut tolerances, Tolerance::XPkcs7Type),
            // OpenPGP and others: not ours.
            Some(_) => return Ok(Protection::None),
        }
        let wrong = |why| Err(MimeError::MultipartSigned { why });
        // RFC 2045 §6.4: readers differ in what they then take for the parts.
        if self.transfer_encoding()? != TransferEncoding::Identity {
            return wrong("it has a transfer encoding, which a multipart must not have");
        }
        let pieces = split(self.body(), self.boundary()?.as_bytes(), limits.mime_parts)?;
        if !pieces.closed {
            return wrong("the closing boundary is missing");
        }
        let [content, signature] = pieces.parts.as_slice() else {
            return wrong("it has not exactly two parts");
        };
        let signature = Entity::parse(signature, limits)?;
        match signature.essence() {
            "application/pkcs7-signature" => {}
            "application/x-pkcs7-signature" => note(&mut tolerances, Tolerance::XPkcs7Type),
            _ if protocol.is_none() => return Ok(Protection::None),
            _ => return wrong("the second part is not of the type protocol names"),
        }
        let micalg = self.parameter("micalg").map(str::to_owned);
        let signature = signature.decoded()?.into_owned();
        Ok(Protection::ClearSigned { content, signature, micalg, tolerances })
    }

    fn cms(&self, limits: &Limits, mut tolerances: Vec<Tolerance>) -> Result<Protection<'a>, MimeError> {
        let cms = self.decoded()?.into_owned();
        let content_type = match cms::content_type(&cms, limits) {
            Ok(content_type) => content_type,
            // octet-stream with a suggestive name promised nothing.
            Err(_) if self.essence() == "application/octet-stream" => return Ok(Protection::None),
            Err(_) => return Err(MimeError::NotCms),
        };
        let kind = CmsKind::from_oid(&content_type);
        let named = self.parameter("smime-type").map(str::to_ascii_lowercase);
        let fits = match (named.as_deref(), kind) {
            (Some(named), CmsKind::SignedData) => matches!(named, "signed-data" | "certs-only"),
            (Some(named), CmsKind::EnvelopedData) => named == "enveloped-data",
            (Some(named), CmsKind::AuthEnvelopedData) => named == "authenveloped-data",
            (Some(named), CmsKind::CompressedData) => named == "compressed-data",
            (Some(_), CmsKind::EncryptedData | CmsKind::Other(_)) => true,
            (None, _) => false,
        };
        if !fits {
            note(&mut tolerances, Tolerance::SmimeTypeSniffed);
        }
        Ok(Protection::Cms { kind, cms, tolerances })
    }

    fn is_named_p7m(&self) -> Result<bool, MimeError> {
        let is_p7m = |text: &[u8]| contains(text, b".p7m");
        let disposition = self.field("content-disposition")?;
        let named = self.parameter("name").is_some_and(|name| is_p7m(name.as_bytes()));
        Ok(named || disposition.is_some_and(|field| is_p7m(field.raw)))
    }
}

/// Whether `word`, in lower case, occurs in `text`, ASCII case ignored.
fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// The parts *inside* `entity` that are signed or encrypted by themselves, by their part numbers from 1
/// ("2", "1.3"; IMAP's way to count). They say nothing about the message around them (THREATS M2).
///
/// # Errors
/// [`MimeError::TooManyParts`] and [`MimeError::TooDeep`]; parts that cannot be read otherwise are passed
/// over, they protect nothing.
pub fn covert_parts(entity: &Entity<'_>, limits: &Limits) -> Result<Vec<String>, MimeError> {
    let mut found = Vec::new();
    let mut count = 0;
    walk(entity, limits, &mut Vec::new(), &mut count, &mut found)?;
    Ok(found)
}

fn walk(
    entity: &Entity<'_>,
    limits: &Limits,
    path: &mut Vec<String>,
    count: &mut usize,
    found: &mut Vec<String>,
) -> Result<(), MimeError> {
    let inner = if entity.essence() == "message/rfc822" {
        vec![entity.body()]
    } else {
        match entity.parts(limits) {
            Err(too_many @ MimeError::TooManyParts { .. }) => return Err(too_many),
            parts => parts.unwrap_or_default(),
        }
    };
    for (index, octets) in inner.into_iter().enumerate() {
        *count += 1;
        if *count > limits.mime_parts {
            return Err(MimeError::TooManyParts { limit: limits.mime_parts });
        }
        if path.len() >= limits.mime_depth {
            return Err(MimeError::TooDeep { limit: limits.mime_depth });
        }
        let Ok(part) = Entity::parse(octets, limits) else { continue };
        path.push((index + 1).to_string());
        match part.protection(limits) {
            Ok(Protection::ClearSigned { .. } | Protection::Cms { .. }) => found.push(path.join(".")),
            _ => walk(&part, limits, path, count, found)?,
        }
        path.pop();
    }
    Ok(())
}
