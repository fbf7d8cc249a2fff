//! The commands of `aecm` that work on files, row by row of their page, driven in process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod cli {
    mod bad;
    mod cert;
    mod csr;
    mod decrypt;
    mod encrypt;
    mod help;
    mod inspect;
    mod keys;
    mod mutated;
    mod open;
    mod page;
    mod sign;
    mod support;
    mod timestamp;
    mod verify;
    mod words;
}
