//! The commands, a file each.

mod cert;
mod challenge_mail;
mod compose;
mod csr;
mod decrypt;
mod device;
mod encrypt;
mod escrow;
mod inspect;
mod key;
mod open;
mod p12;
mod provision;
mod renew;
mod revoke;
mod serve;
mod sign;
mod status;
pub(super) mod timestamp;
mod verify;

use clap::Subcommand;

use super::{Failure, Io, Outcome};

/// What can be asked for.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show what is inside any file: CMS, certificates, keys, timestamps, mail
    Inspect(inspect::Inspect),
    /// Verify the signature of a mail or of CMS
    Verify(Box<verify::Verify>),
    /// Decrypt a mail or CMS
    Decrypt(Box<decrypt::Decrypt>),
    /// Open a mail: decrypt and verify every layer
    Open(Box<open::Open>),
    /// Sign a file, or make a signed mail
    Sign(Box<sign::Sign>),
    /// Encrypt a file or mail to the holders of certificates
    Encrypt(Box<encrypt::Encrypt>),
    /// Timestamps: request, verify, serve
    Timestamp(timestamp::Timestamp),
    /// Certificates: verify
    Cert(cert::Cert),
    /// Show what a private key is, and convert it
    Key(Box<key::Key>),
    /// Show the keys and certificates of a PKCS#12 file, and convert it
    P12(Box<p12::P12>),
    /// Show a certification request and check that its key signed it
    Csr(csr::Csr),
    /// Say whether a mail is the challenge mail of an order
    ChallengeMail(challenge_mail::ChallengeMailCommand),
    /// Obtain the certificates of a mailbox
    Provision(provision::Provision),
    /// Show what the mailboxes of a vault have
    Status(status::Status),
    /// Follow certificates with new ones before they run out
    Renew(renew::Renew),
    /// Take certificates back
    Revoke(revoke::Revoke),
    /// The devices of a mailbox's owner, and handing the encrypting keys from one to another
    Device(device::DeviceCommand),
    /// Leave the encrypting keys with the service, or take them out
    Escrow(escrow::Escrow),
    /// Sign, timestamp and encrypt a mail for its readers
    Compose(compose::ComposeCommand),
    /// Run the service: certificates for mailboxes, timestamps, challenge mails
    Serve(serve::Serve),
}

/// Does it.
pub(super) fn run(command: Command, io: &mut Io) -> Result<Outcome, Failure> {
    match command {
        Command::Inspect(command) => command.run(io),
        Command::Verify(command) => command.run(io),
        Command::Decrypt(command) => command.run(io),
        Command::Open(command) => command.run(io),
        Command::Sign(command) => command.run(io),
        Command::Encrypt(command) => command.run(io),
        Command::Timestamp(command) => command.run(io),
        Command::Cert(command) => command.run(io),
        Command::Key(command) => command.run(io),
        Command::P12(command) => command.run(io),
        Command::Csr(command) => command.run(io),
        Command::ChallengeMail(command) => command.run(io),
        Command::Provision(command) => command.run(io),
        Command::Status(command) => command.run(io),
        Command::Renew(command) => command.run(io),
        Command::Revoke(command) => command.run(io),
        Command::Device(command) => command.run(io),
        Command::Escrow(command) => command.run(io),
        Command::Compose(command) => command.run(io),
        Command::Serve(command) => command.run(io),
    }
}
