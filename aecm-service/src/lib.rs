#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acme;
pub mod ca;
mod error;
pub mod mail;
mod net;
mod options;
mod service;
mod tsa;

pub use error::Error;
pub use options::{AcmeOptions, ServiceOptions, TokenSubmission};
pub use service::Service;
