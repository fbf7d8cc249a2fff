//! MIME as S/MIME needs it: exact octets on the way in, one canonical form on the way out.
//!
//! Reading: [`Entity`] keeps the octets of every part as they came, [`Entity::protection`] says whether an
//! entity is multipart/signed or application/pkcs7-mime, [`protected_headers`] reads header protection
//! (RFC 9788). Writing: [`Outgoing`] takes a real message apart, [`Outgoing::payload`] gives the canonical
//! 7-bit entity that is signed or encrypted, [`multipart_signed`] and [`pkcs7_mime`] wrap CMS, and
//! [`Outgoing::message`] puts the outer header back.
//!
//! ```
//! use aecm_core::limits::Limits;
//! use aecm_smime::mime::{HeaderProtection, Outgoing};
//!
//! let mail = b"From: alice@example.test\r\nTo: bob@example.org\r\nSubject: Tea?\r\n\r\nAt five.\r\n";
//! let mail = Outgoing::parse(mail, &Limits::default())?;
//! let payload = String::from_utf8(mail.payload(HeaderProtection::Cipher)?).unwrap();
//! assert!(payload.contains("Subject: Tea?\r\n"));
//! assert!(payload.contains("HP-Outer: Subject: [...]\r\n"));
//! assert!(payload.contains("hp=\"cipher\""));
//! let whole = String::from_utf8(mail.message(HeaderProtection::Cipher, payload.as_bytes())).unwrap();
//! assert!(whole.contains("\r\nSubject: [...]\r\n"));
//! # Ok::<(), aecm_smime::mime::MimeError>(())
//! ```

mod binary;
mod boundary;
mod canonical;
mod entity;
mod error;
mod outgoing;
mod protect;
mod seven_bit;
mod structure;
mod transfer;
mod wrap;

pub use self::canonical::canonical_line_ends;
pub use self::entity::{Entity, TransferEncoding};
pub use self::error::MimeError;
pub use self::outgoing::{HeaderProtection, Outgoing};
pub use self::protect::{ProtectedHeaders, ProtectionMode, protected_headers};
pub use self::seven_bit::seven_bit;
pub use self::structure::{CmsKind, Protection, covert_parts};
pub use self::wrap::{micalg, multipart_signed, pkcs7_mime};
