//! The `aecm` command ([`cli`]), and what several examples share: aligned tables, a progress line, a folder of
//! artefacts.
//!
//! The examples themselves are one runnable file each under `examples/`.
#![forbid(unsafe_code)]

pub mod artefacts;
pub mod cli;
pub mod progress;
pub mod table;
