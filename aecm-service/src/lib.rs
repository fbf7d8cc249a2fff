#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acme;
pub mod ca;
mod envelope;
mod error;
mod folder;
mod hex;
mod identity;
pub mod mail;
mod net;
mod options;
mod service;
mod tsa;

pub use error::Error;
pub use folder::StateError;
pub use options::{
    AcmeOptions, ChallengeMailTime, EscrowOptions, ExternalAccount, ExternalAccountError, ExternalSubject,
    MailDelivery, ServiceOptions, SmtpDelivery, SmtpSecurity, TokenPart1Bytes, TokenSubmission,
};
pub use service::Service;
