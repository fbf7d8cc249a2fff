//! The `aecm` command: a thin face over the crates, with no protocol code of its own.
//!
//! [`run`] is the whole command as a function of its arguments and streams, so that tests and programs can call it
//! without a process. Each command is a file under `command/`; it gives an [`Outcome`] or a [`Failure`], and what
//! is printed, written and exited with is decided here alone.
//!
//! ```
//! use aecm_examples::cli::{Io, Sink, run};
//!
//! let (stdout, stderr) = (Sink::default(), Sink::default());
//! let mut io = Io::captured(b"no request".to_vec(), &stdout, &stderr);
//! assert_eq!(run(["aecm", "csr", "-", "--json"], &mut io), 2);
//! assert!(stdout.text().contains(r#""verdict":"error""#));
//! ```

mod args;
mod authority;
mod certificates;
mod chain;
mod command;
mod errors;
mod explain;
mod failure;
mod input;
mod io;
mod judged;
mod keys;
mod kind;
mod limits;
mod message;
mod online;
mod outcome;
mod outgoing;
mod output;
mod password;
mod recipients;
mod runtime;
mod secrets;
mod show;
mod sniff;
mod terminal;
mod text;
mod verifying;
mod words;

use std::ffi::{OsStr, OsString};

use clap::Parser as _;

pub use failure::Failure;
pub use io::{Io, Sink};
pub use outcome::Outcome;

use args::Arguments;

/// Runs the command with `arguments`, the program's name first; gives the exit status: 0 for `valid` and `accept`,
/// 1 for a verdict against, 2 for an error or a limit.
pub fn run<I, A>(arguments: I, io: &mut Io) -> u8
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    // Usage errors are told in JSON too, and then there is no parsed option to ask.
    let json = arguments.iter().skip(1).take_while(|word| *word != "--").any(|word| is_json(word));
    match Arguments::try_parse_from(without_json(&arguments)) {
        Ok(parsed) => {
            io.quiet = parsed.quiet;
            runtime::start_log(parsed.log.as_deref(), io);
            let outcome = command::run(parsed.command, io).unwrap_or_else(Outcome::from);
            output::finish(outcome, json, io)
        }
        Err(error) if error.use_stderr() => output::finish(Failure::usage(&error).into(), json, io),
        // --help and --version.
        Err(help) => output::help(&help.to_string(), json, io),
    }
}

/// `--json`, or `--json=…`, which is wrong and has to be told as was meant.
fn is_json(word: &OsStr) -> bool {
    word == "--json" || word.as_encoded_bytes().starts_with(b"--json=")
}

/// The arguments for the parser: its own `help` takes no options.
fn without_json(arguments: &[OsString]) -> Vec<OsString> {
    let asks_for_help = arguments.iter().skip(1).find(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let helps = asks_for_help.is_some_and(|word| word == "help");
    arguments.iter().filter(|word| !helps || *word != "--json").cloned().collect()
}
