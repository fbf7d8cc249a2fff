//! Whom to believe: what the user gives, else what the service said at first use.

use std::path::PathBuf;

use aecm::core::certificate::Certificate;
use aecm::core::limits::Limits;
use clap::Args;

use crate::cli::online::discover::Discovered;
use crate::cli::online::settings::{AnchorPems, Settings};
use crate::cli::online::stop::{Done, Stop};
use crate::cli::{Io, certificates};

/// The roots, where the service is not to name its own.
#[derive(Args)]
pub(super) struct AnchorArgs {
    /// A root of the certificates that are issued, PEM or DER; may be given several times. Without any the
    /// service's own are taken at first use, and pinned
    #[arg(long, value_name = "F")]
    trust: Vec<PathBuf>,
    /// A root of the mailbox timestamping certificates; those of --trust where there is none
    #[arg(long, value_name = "F", requires = "trust")]
    timestamp_trust: Vec<PathBuf>,
    /// A root of the timestamp authorities; may be given several times
    #[arg(long, value_name = "F", requires = "trust")]
    tsa_trust: Vec<PathBuf>,
}

impl AnchorArgs {
    /// What was given, if anything was.
    pub(super) fn read(&self, io: &mut Io) -> Done<Option<AnchorPems>> {
        if self.trust.is_empty() {
            return Ok(None);
        }
        let smime = pems(&self.trust, io)?;
        let own = pems(&self.timestamp_trust, io)?;
        let mailbox_timestamp = if own.is_empty() { smime.clone() } else { own };
        Ok(Some(AnchorPems { smime, tsa: pems(&self.tsa_trust, io)?, mailbox_timestamp }))
    }
}

fn pems(paths: &[PathBuf], io: &mut Io) -> Done<Vec<String>> {
    let read = certificates::read_all(paths, &Limits::default(), io)?;
    Ok(read.iter().map(Certificate::to_pem).collect())
}

/// Where the anchors are from.
#[derive(Clone, Copy)]
pub(super) enum From {
    Given,
    PinnedNow,
    Pinned,
}

impl From {
    /// The member `anchors`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::PinnedNow => "pinned-now",
            Self::Pinned => "pinned",
        }
    }

    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Given => "certificates are believed under the anchors that were given",
            Self::PinnedNow => {
                "the service's own anchors were taken, over the connection that --tls-ca authenticates, and pinned"
            }
            Self::Pinned => "the service's anchors are those pinned at first use",
        }
    }
}

/// Puts the anchors into the settings, and says where they are from.
pub(super) fn settle(
    settings: &mut Settings,
    remembered: Option<&Settings>,
    given: Option<AnchorPems>,
    discovered: &Discovered,
) -> Done<From> {
    if let Some(given) = given {
        settings.anchors = given;
        settings.anchors_given = true;
        return Ok(From::Given);
    }
    if remembered.is_some_and(|remembered| remembered.anchors_given) {
        return Ok(From::Given);
    }
    let Some(named) = &discovered.anchors else {
        let message = format!("{} does not name its anchors: give them with --trust", settings.directory);
        return Err(Stop::error("no-anchors-given", message));
    };
    match remembered {
        None => {
            settings.anchors = named.clone();
            Ok(From::PinnedNow)
        }
        Some(remembered) if remembered.anchors == *named => Ok(From::Pinned),
        Some(_) => {
            let message = format!(
                "{} names other anchors than those pinned in the vault: ask its operator; give the new ones with \
                 --trust where they are right",
                settings.directory
            );
            Err(Stop::error("anchors-changed", message))
        }
    }
}
