//! Where mail goes.

use std::path::PathBuf;
use std::time::Duration;

/// One way that mail leaves the service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MailDelivery {
    /// Into the mailboxes that were opened at the [`PostOffice`](crate::mail::PostOffice).
    Memory,
    /// Into one Maildir for everybody (`tmp`, `new`, `cur` are made in this folder); To tells the mailboxes
    /// apart.
    Maildir(PathBuf),
    /// To a mail server.
    Smtp(SmtpDelivery),
}

/// A mail server that takes the mail over SMTP (RFC 5321), in the clear: for loopback and trusted networks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmtpDelivery {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How often one mail is tried before it is given up; at least once. Refusals with a 5xx code are final.
    pub attempts: u32,
    /// How long to wait before the second attempt; doubled before each further one.
    pub pause: Duration,
    /// How long the server may take over one mail.
    pub timeout: Duration,
}

impl SmtpDelivery {
    /// Five attempts, 1, 2, 4 and 8 seconds apart; 30 seconds for a mail.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            attempts: 5,
            pause: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
        }
    }
}
