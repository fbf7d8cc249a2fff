//! The commands, a file each.

mod challenge_mail;
mod compose;
mod csr;
mod provision;
mod serve;
mod status;

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
    /// Show what the mailboxes of a vault have
    Status(status::Status),
    /// Sign, timestamp and encrypt a mail for its readers
    Compose(compose::ComposeCommand),
    /// Run the service: certificates for mailboxes, timestamps, challenge mails
    Serve(serve::Serve),
}

/// Does it.
pub(super) fn run(command: Command, io: &mut Io) -> Result<Outcome, Failure> {
    match command {
        Command::Csr(command) => command.run(io),
        Command::ChallengeMail(command) => command.run(io),
        Command::Provision(command) => command.run(io),
        Command::Status(command) => command.run(io),
        Command::Compose(command) => command.run(io),
        Command::Serve(command) => command.run(io),
    }
}
