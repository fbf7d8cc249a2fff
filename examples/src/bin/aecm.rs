//! The `aecm` command; see `aecm --help`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use aecm_examples::cli::{Io, run};

fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), &mut Io::system()))
}
