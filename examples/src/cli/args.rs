//! The command line as a whole, and the options that several commands share.

use std::path::PathBuf;

use aecm_core::limits::Limits;
use clap::{Args, Parser};

use super::command::Command;
use super::limits;

/// Automatic S/MIME: certificates, signed, timestamped and encrypted mail, with RSA, ECC and SM2.
///
/// Exit status: 0 when the verdict is valid or accept, 1 when it is against, 2 when there is none (an error, a
/// limit). FILE may be - for standard input; its form (S/MIME mail, DER, BER, PEM) is found by looking at it.
#[derive(Parser)]
#[command(name = "aecm", version, max_term_width = 100, propagate_version = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Print exactly one JSON object on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// No progress and no hints
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Log to stderr, for example info or aecm_acme=trace; secrets are never logged
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(super) log: Option<String>,
}

/// `--limits`
#[derive(Args, Clone, Debug, Default)]
pub(super) struct LimitArgs {
    /// Bounds of the work on outside data, as message_bytes=1000000,asn1_depth=16
    #[arg(long, value_name = "K=V,…", value_parser = limits::parse)]
    limits: Option<Limits>,
}

impl LimitArgs {
    /// The bounds to keep.
    pub(super) fn get(&self) -> Limits {
        self.limits.clone().unwrap_or_default()
    }
}

/// `--out`
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OutArgs {
    /// Write the result to this file, whole or not at all
    #[arg(long, short, value_name = "F")]
    pub(super) out: Option<PathBuf>,
}
