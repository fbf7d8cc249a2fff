//! Tests over the public interface: edge vectors, pieces of real messages, an independent implementation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod differential;
mod mass;
mod peers;
mod sm2_batch;
mod sm2_decryption;
mod sm2_keys;
mod sm2_signature;
mod sm3;
mod sm4;
mod support;
