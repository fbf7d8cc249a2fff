//! `aecm timestamp …`: RFC 3161 requests, answers and a small authority.

mod request;
mod serve;
mod verify;

pub(in crate::cli) use verify::Told;

use clap::{Args, Subcommand};

use crate::cli::{Failure, Io, Outcome};

/// Makes timestamp requests, verifies timestamps, serves them.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(in crate::cli) struct Timestamp {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a request, and send it where --url names an authority
    Request(Box<request::Request>),
    /// Verify an answer or a bare token
    Verify(Box<verify::Verify>),
    /// Stamp what is asked for, over HTTP on loopback
    Serve(Box<serve::Serve>),
}

impl Timestamp {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        match self.what {
            What::Request(command) => command.run(io),
            What::Verify(command) => command.run(io),
            What::Serve(command) => command.run(io),
        }
    }
}

/// 64 hexadecimal digits on the command line: a SHA-256.
fn sha256(text: &str) -> Result<[u8; 32], String> {
    crate::cli::show::unhex(text)
        .and_then(|octets| octets.try_into().ok())
        .ok_or_else(|| "a SHA-256 has 64 hexadecimal digits".to_owned())
}
