//! DKIM (RFC 6376 with RFC 8301): verifying and making rsa-sha256 signatures of mails.
//!
//! Verifying is two steps around one DNS look-up, so that a machine without I/O can drive it: [`prepare`]
//! names the TXT records that decide, [`Pending::check`] gives the verdict on every signature. [`verify`]
//! does both over an [`aecm_core::embed::TxtResolver`].
//!
//! What is decided here and not by the RFC: rsa-sha256 only; a signature with `l=` passes only where it covers
//! the whole body; keys of domains that are "testing" (`t=y`) prove nothing; two key records under one name are
//! none; at most [`MAX_SIGNATURES`] signatures are looked at.

mod canonical;
pub(crate) mod fields;
mod key_record;
pub(crate) mod name;
mod report;
mod sign;
mod signature;
mod static_txt;
mod tag_list;
mod verify;

pub use self::canonical::Canonicalization;
pub use self::fields::MessageError;
pub use self::key_record::{KeyRecord, KeyRecordError};
pub use self::report::{Covered, Failure, Pass, Report, STRONG_KEY_BITS, SignatureReport};
pub use self::sign::{SignError, SignOptions, ToSign};
pub use self::signature::{Signature, SignatureError};
pub use self::static_txt::{StaticTxt, StaticTxtError};
pub use self::tag_list::TagListError;
pub use self::verify::{MAX_SIGNATURES, Pending, Records, VerifyOptions, prepare, verify};

#[cfg(test)]
pub(crate) mod tests;
