//! Why something was not done.

use core::fmt;

use aecm_core::directory::DirectoryError;
use aecm_core::header::HeaderError;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_smime::choose::ChooseError;
use aecm_smime::encrypt::EncryptError;
use aecm_smime::mime::MimeError;
use aecm_smime::open::OpenError;
use aecm_smime::sign::SignError;
use aecm_store::{Slot, StoreError};

use crate::transfer::TransferError;

/// Why something was not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The builder was not given a part it needs.
    Missing {
        /// Its name, that of the builder's method.
        part: &'static str,
    },
    /// Not a mail address.
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The mailbox has no signing or timestamping key of the suite that is needed; provision it first.
    NoSigningKey(Mailbox),
    /// The only signing or timestamping keys of the suite that is needed have revoked certificates; provision the
    /// mailbox again, which makes new keys.
    Revoked {
        /// The mailbox.
        mailbox: Mailbox,
        /// The suite.
        suite: Suite,
    },
    /// The certificate of the key that is to sign or stamp is not valid now; provision the mailbox again.
    CertificateNotValid {
        /// The mailbox.
        mailbox: Mailbox,
        /// When the certificate begins.
        from: Time,
        /// When it ends.
        until: Time,
    },
    /// The mailbox's timestamping certificate names no policy.
    NoTimestampPolicy(Mailbox),
    /// The cipher does not authenticate and the mail was not to be signed.
    SignatureRequired,
    /// The mail to be signed is not from this mailbox.
    NotFrom {
        /// The mailbox that was to sign.
        mailbox: Mailbox,
        /// Who stands in From; `None` where From is missing.
        found: Option<Mailbox>,
    },
    /// Somebody stands in To or Cc of a mail that is to be encrypted, and is not among its recipients.
    NotNamed {
        /// Who.
        mailbox: Mailbox,
    },
    /// Another call is provisioning this mailbox at this moment.
    Busy(Mailbox),
    /// The mail's header cannot be read.
    Header(HeaderError),
    /// A stamp was asked for on a mail that is not to be signed; there is nothing it could prove.
    NothingToStamp,
    /// The slot that was chosen to sign with cannot.
    DefaultSigner {
        /// The slot.
        slot: Slot,
        /// Why not.
        why: &'static str,
    },
    /// The mailbox has no such slot, or nothing in it that can be renewed or revoked.
    NothingThere {
        /// The mailbox.
        mailbox: Mailbox,
        /// What was asked for.
        what: String,
    },
    /// The binding to an external account cannot be used.
    ExternalAccount(aecm_acme::jws::EabError),
    /// What this library remembers in the store under that name is damaged.
    Record {
        /// The name.
        name: String,
    },
    /// The encrypting keys could not be given, asked for or taken.
    Transfer(TransferError),
    /// The service could not be asked what it offers.
    Discovery(aecm_acme::directory::FetchError),
    /// The trust anchors that a service names are no certificates.
    Anchors {
        /// Where it names them.
        url: String,
    },
    /// No certificates could be obtained, or the service refused.
    Provision(aecm_acme::client::ClientError),
    /// The store.
    Store(StoreError),
    /// The directory of certificates.
    Directory(DirectoryError),
    /// No protection fits all recipients.
    Choose(ChooseError),
    /// The mail to be sent cannot be taken apart or put together.
    Mime(MimeError),
    /// The signature.
    Sign(SignError),
    /// The encryption.
    Encrypt(EncryptError),
    /// The timestamp.
    Timestamp(aecm_timestamp::Error),
    /// The mail could not be evaluated.
    Open(OpenError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { part } => write!(f, "AecmBuilder::{part} was not called, and there is no default for it"),
            Self::Address { address, detail } => write!(f, "{address:?} is not a mail address: {detail}"),
            Self::NoSigningKey(mailbox) => {
                write!(f, "{mailbox} has no key of the suite and purpose that is needed; provision it first")
            }
            Self::Revoked { mailbox, suite } => write!(
                f,
                "the certificate of {mailbox} of suite {suite} that is needed was revoked; provision it again for a new key"
            ),
            Self::CertificateNotValid { mailbox, from, until } => write!(
                f,
                "the certificate of {mailbox} that is needed holds from {from} to {until} only; provision it again"
            ),
            Self::NoTimestampPolicy(mailbox) => {
                write!(f, "the timestamping certificate of {mailbox} names no policy to stamp under")
            }
            Self::SignatureRequired => f.write_str(
                "the chosen cipher does not authenticate its content: the mail has to be signed, or another cipher chosen",
            ),
            Self::NotFrom { mailbox, found: Some(found) } => {
                write!(f, "the mail is from {found}; {mailbox} cannot sign it")
            }
            Self::NotFrom { mailbox, found: None } => write!(f, "the mail has no From; {mailbox} cannot sign it"),
            Self::NotNamed { mailbox } => write!(
                f,
                "{mailbox} stands in To or Cc and could not read the mail: name it as a recipient, or ask for only_named()"
            ),
            Self::Busy(mailbox) => write!(f, "{mailbox} is being provisioned by another call; wait for that one"),
            Self::Header(error) => write!(f, "the mail's header cannot be read: {error}"),
            Self::NothingToStamp => {
                f.write_str("a timestamp proves the time of a signature: the mail has to be signed to be stamped")
            }
            Self::DefaultSigner { slot, why } => write!(
                f,
                "the slot {slot} was chosen to sign with and cannot: {why}; renew it, or choose with set_default_signer"
            ),
            Self::NothingThere { mailbox, what } => write!(f, "{mailbox} has no {what}"),
            Self::ExternalAccount(error) => write!(f, "{error}"),
            Self::Record { name } => write!(
                f,
                "the record {name:?} in the key store cannot be read; restore a backup, or delete that state"
            ),
            Self::Transfer(error) => write!(f, "{error}"),
            Self::Discovery(error) => write!(f, "the service could not be asked: {error}"),
            Self::Anchors { url } => write!(f, "the trust anchors at {url} cannot be read"),
            Self::Provision(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "{error}"),
            Self::Directory(error) => write!(f, "{error}"),
            Self::Choose(error) => write!(f, "{error}"),
            Self::Mime(error) => write!(f, "{error}"),
            Self::Sign(error) => write!(f, "{error}"),
            Self::Encrypt(error) => write!(f, "{error}"),
            Self::Timestamp(error) => write!(f, "{error}"),
            Self::Open(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::ExternalAccount(error) => Some(error),
            Self::Transfer(error) => Some(error),
            Self::Discovery(error) => Some(error),
            Self::Provision(error) => error.source(),
            Self::Store(error) => error.source(),
            Self::Choose(error) => error.source(),
            Self::Sign(error) => error.source(),
            Self::Timestamp(error) => error.source(),
            Self::Open(error) => error.source(),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),* $(,)?) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    aecm_acme::client::ClientError => Provision,
    aecm_acme::directory::FetchError => Discovery,
    TransferError => Transfer,
    StoreError => Store,
    DirectoryError => Directory,
    HeaderError => Header,
    ChooseError => Choose,
    MimeError => Mime,
    SignError => Sign,
    EncryptError => Encrypt,
    aecm_timestamp::Error => Timestamp,
    OpenError => Open,
}
