#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod embed;
mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod issue;
mod request;
pub mod response;
pub mod source;
mod tst_info;
pub mod verify;

pub use self::{
    embed::{imprint_digest, stamp_signature},
    error::{Error, RequestError},
    issue::Unit,
    request::Request,
    response::parse_response,
    source::{Exchange, Failover, HttpSource, LocalSource, TimestampSource, Unverified},
    tst_info::TstInfo,
    verify::{Claims, MailboxBound, Subject, TimestampPolicy, Token, TrustWindow, Verifier, verify_response},
};
