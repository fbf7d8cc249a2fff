#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod brief;
pub mod check;
pub mod client;
pub mod csr;
pub mod directory;
pub mod dkim;
pub mod email;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod jws;
pub mod machine;
pub mod mail;
pub mod plan;
pub mod token;
pub mod url;
pub mod wire;
