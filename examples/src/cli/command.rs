//! The commands, a file each.

mod challenge_mail;
mod csr;
mod provision;
mod serve;

use clap::Subcommand;

use super::{Failure, Io, Outcome};

/// What can be asked for.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show a certification request and check that its key signed it
    Csr(csr::Csr),
    /// Say whether a mail is the challenge mail of an order
    ChallengeMail(challenge_mail::ChallengeMailCommand),
    /// Obtain the certificates of a mailbox
    Provision(provision::Provision),
    /// Run the service: certificates for mailboxes, timestamps, challenge mails
    Serve(serve::Serve),
}

/// Does it.
pub(super) fn run(command: Command, io: &mut Io) -> Result<Outcome, Failure> {
    match command {
        Command::Csr(command) => command.run(io),
        Command::ChallengeMail(command) => command.run(io),
        Command::Provision(command) => command.run(io),
        Command::Serve(command) => command.run(io),
    }
}
