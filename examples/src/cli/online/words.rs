//! One stable word for everything that can stop a command; docs/verdicts.md lists them under "Command line".

use aecm::acme::client::{ClientError, KeysError};
use aecm::acme::directory::FetchError;
use aecm::acme::machine::{Error as MachineError, StepName};
use aecm::core::embed::HttpError;
use aecm::store::StoreError;

use super::stop::Stop;
use crate::cli::Failure;

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::error(store(&error), error.to_string())
    }
}

impl From<aecm::Error> for Stop {
    fn from(error: aecm::Error) -> Self {
        use aecm::Error;
        match error {
            Error::Store(error) => error.into(),
            Error::Provision(error) => error.into(),
            Error::Mime(error) => Failure::from(error).into(),
            Error::Sign(error) => Failure::from(error).into(),
            Error::Encrypt(error) => Failure::from(error).into(),
            Error::Open(error) => Failure::from(error).into(),
            Error::Timestamp(error) => Failure::from(error).into(),
            Error::Discovery(ref fetch) => {
                Self::error(discovery(fetch), error.to_string()).with("step", "directory")
            }
            other => Self::error(facade(&other), other.to_string()),
        }
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        let stop = Self::error(client(&error), error.to_string());
        let stop = match step(&error) {
            Some(step) => stop.with("step", step_word(step)),
            None => stop,
        };
        match &error {
            ClientError::Machine(MachineError::ConsentRefused { terms_url }) => {
                stop.with("terms", terms_url.as_str())
            }
            _ => stop,
        }
    }
}

/// The word of an error that did not stop the whole call.
pub(in crate::cli) const fn of(error: &aecm::Error) -> &'static str {
    match error {
        aecm::Error::Store(error) => store(error),
        aecm::Error::Provision(error) => client(error),
        aecm::Error::Discovery(error) => discovery(error),
        other => facade(other),
    }
}

pub(in crate::cli) const fn store(error: &StoreError) -> &'static str {
    match error {
        StoreError::NoVault { .. } => "no-vault",
        StoreError::Exists { .. } => "not-a-vault",
        StoreError::WrongPassword => "wrong-password",
        StoreError::NotPrivate { .. } => "vault-not-private",
        StoreError::Corrupt { .. } => "vault-damaged",
        StoreError::RolledBack { .. } => "vault-rolled-back",
        StoreError::Version { .. } | StoreError::Parameters { .. } => "vault-unsupported",
        StoreError::Busy { .. } => "busy",
        StoreError::Io { .. } => "vault-unusable",
        _ => "vault",
    }
}

const fn facade(error: &aecm::Error) -> &'static str {
    use aecm::Error;
    match error {
        Error::Address { .. } => "address-malformed",
        Error::NoSigningKey(_) => "no-signing-key",
        Error::Revoked { .. } | Error::CertificateNotValid { .. } => "certificate-not-valid",
        Error::NotFrom { .. } => "not-from-mailbox",
        Error::NotNamed { .. } => "reader-not-named",
        Error::NothingThere { .. } => "nothing-there",
        Error::Busy(_) => "busy",
        Error::Header(_) => "malformed",
        Error::ExternalAccount(_) => "external-account-malformed",
        Error::Record { .. } => "vault-damaged",
        Error::Transfer(error) => error.word(),
        Error::Anchors { .. } => "service-answer",
        Error::Directory(_) => "certificate-directory",
        Error::Choose(_) => "no-protection-fits",
        _ => "system",
    }
}

const fn discovery(error: &FetchError) -> &'static str {
    match error {
        FetchError::Url(_) => "url-unusable",
        FetchError::Http(error) => http(error),
        _ => "service-answer",
    }
}

const fn client(error: &ClientError) -> &'static str {
    match error {
        ClientError::Deadline { .. } => "deadline",
        ClientError::Machine(error) => machine(error),
        ClientError::Keys(KeysError::Store(_)) | ClientError::State(_) | ClientError::Unwritable => "vault",
        ClientError::Damaged { .. } => "vault-damaged",
        ClientError::Mail(_) => "mailbox-unreadable",
        ClientError::NoAccount => "no-account",
        ClientError::NotOffered { .. } => "not-offered",
        ClientError::ServiceUnreachable { error } | ClientError::Http(error) => http(error),
        ClientError::Problem(_) => "refused-by-service",
        ClientError::Answer { .. } | ClientError::Url(_) => "service-answer",
        _ => "system",
    }
}

const fn http(error: &HttpError) -> &'static str {
    match error {
        HttpError::Url { .. } => "url-unusable",
        _ => "service-unreachable",
    }
}

const fn machine(error: &MachineError) -> &'static str {
    match error {
        MachineError::Url(_) => "url-unusable",
        MachineError::ConsentRefused { .. } => "terms-not-agreed",
        MachineError::Http { error, .. } => http(error),
        MachineError::Problem { .. } | MachineError::UserActionRequired { .. } => "refused-by-service",
        MachineError::AccountStatus { .. } => "account-closed",
        MachineError::ExternalAccountRequired => "external-account-required",
        MachineError::ProfileNotOffered { .. }
        | MachineError::NoChallenge { .. }
        | MachineError::NoSubmission { .. } => "not-offered",
        MachineError::NoChallengeMail { .. } | MachineError::TooManyMails { .. } => "no-challenge-mail",
        MachineError::ChallengeFailed { .. } => "challenge-failed",
        MachineError::OrderInvalid { .. } | MachineError::OrderExpired => "order-failed",
        MachineError::Chain { .. } | MachineError::Certificate(_) => "certificate-refused",
        MachineError::Redirect { .. }
        | MachineError::Status { .. }
        | MachineError::Nonces { .. }
        | MachineError::Json { .. }
        | MachineError::HeaderMissing { .. }
        | MachineError::Inconsistent { .. }
        | MachineError::Token(_)
        | MachineError::Stuck { .. } => "service-answer",
        _ => "system",
    }
}

/// Where in the flow it happened, where that is known.
const fn step(error: &ClientError) -> Option<StepName> {
    match error {
        ClientError::Deadline { step }
        | ClientError::Machine(
            MachineError::Http { step, .. }
            | MachineError::Redirect { step, .. }
            | MachineError::Status { step, .. }
            | MachineError::Problem { step, .. }
            | MachineError::Nonces { step }
            | MachineError::Json { step, .. }
            | MachineError::HeaderMissing { step, .. }
            | MachineError::Inconsistent { step, .. }
            | MachineError::Stuck { step },
        ) => Some(*step),
        ClientError::Machine(error) => match error {
            MachineError::ConsentRefused { .. } => Some(StepName::Consent),
            MachineError::AccountStatus { .. } | MachineError::ExternalAccountRequired => {
                Some(StepName::Account)
            }
            MachineError::ProfileNotOffered { .. } => Some(StepName::NewOrder),
            MachineError::NoChallenge { .. } | MachineError::NoSubmission { .. } | MachineError::Token(_) => {
                Some(StepName::Authorization)
            }
            MachineError::NoChallengeMail { .. } | MachineError::TooManyMails { .. } => Some(StepName::Mail),
            MachineError::ChallengeFailed { .. } => Some(StepName::Respond),
            MachineError::OrderInvalid { .. } | MachineError::OrderExpired => Some(StepName::Order),
            MachineError::Csr(_) | MachineError::CsrMismatch { .. } => Some(StepName::Csr),
            MachineError::Chain { .. } | MachineError::Certificate(_) => Some(StepName::Download),
            _ => None,
        },
        ClientError::Mail(_) => Some(StepName::Mail),
        ClientError::Compose(_) | ClientError::NoSender => Some(StepName::Reply),
        _ => None,
    }
}

/// The word of a step, the member `step`.
pub(in crate::cli) const fn step_word(step: StepName) -> &'static str {
    match step {
        StepName::Directory => "directory",
        StepName::Consent => "consent",
        StepName::Account => "account",
        StepName::NewOrder => "new-order",
        StepName::Order => "order",
        StepName::Authorization => "authorization",
        StepName::Mail => "challenge-mail",
        StepName::Reply => "reply-mail",
        StepName::Respond => "challenge",
        StepName::Csr => "csr",
        StepName::Finalize => "finalize",
        StepName::Download => "download",
        StepName::Install => "install",
        StepName::Done => "done",
        _ => "unknown",
    }
}
