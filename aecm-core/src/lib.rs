#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod certificate;
pub mod crl;
pub mod digest;
pub mod directory;
pub mod ecdh;
pub mod embed;
#[doc(hidden)]
pub mod fuzzing;
pub mod header;
pub mod key;
pub mod limits;
pub mod mailbox;
pub mod ocsp;
pub mod oid;
pub mod password;
pub mod path;
pub mod public_key;
pub mod signature;
pub mod software;
pub mod suite;
pub mod time;
pub mod tlv;
