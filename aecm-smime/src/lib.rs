#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod capabilities;
pub mod choose;
pub mod cipher;
pub mod cms;
pub mod decrypt;
pub mod encrypt;
mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod inspect;
pub mod mime;
pub mod open;
pub mod sign;
mod tolerance;
pub mod verify;

pub use self::{error::Error, tolerance::Tolerance};
