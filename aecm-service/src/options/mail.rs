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

/// Whether the way to a mail server is encrypted (STARTTLS, RFC 3207).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpSecurity {
    /// Where the server offers it. Whose certificate it shows is not asked: against those who listen, not against
    /// those who stand between.
    #[default]
    Offered,
    /// Always, with a certificate of the host under these roots; without, the mail is given up.
    Required {
        /// PEM, one certificate or more; the system's roots where there is none.
        roots_pem: Option<String>,
    },
    /// Never: for loopback and trusted networks.
    Plain,
}

/// A mail server that takes the mail over SMTP (RFC 5321).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmtpDelivery {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the way is encrypted.
    pub security: SmtpSecurity,
    /// How often one mail is tried before it is given up; at least once. Refusals with a 5xx code are final.
    pub attempts: u32,
    /// How long to wait before the second attempt; doubled before each further one.
    pub pause: Duration,
    /// How long the server may take over one mail.
    pub timeout: Duration,
}

impl SmtpDelivery {
    /// Encrypted where the server offers it; five attempts, 1, 2, 4 and 8 seconds apart; 30 seconds for a mail.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            security: SmtpSecurity::default(),
            attempts: 5,
            pause: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
        }
    }
}
