#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[allow(unsafe_code, reason = "the one room for it; see there")]
mod backend;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod self_test;
pub mod sm2;
pub mod sm3;
pub mod sm4;

pub use self::{error::Error, self_test::self_test};
