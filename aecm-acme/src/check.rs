//! The issued certificate is held against what was asked for before it is stored (THREATS N7).

use core::fmt;
use core::time::Duration;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::path::{self, Anchors, PathFailure, PathOptions, PathPurpose};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use crate::csr::exceeds;

/// How long a certificate may be valid unless the embedder says otherwise: the longest a CA/B Forum profile
/// allows (S/MIME BR §6.3.2, Legacy: 1185 days).
pub const LONGEST_VALIDITY: Duration = Duration::from_secs(1_185 * 86_400);

/// How far the clocks of client and CA may be apart at the start of validity.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The one mailbox.
    pub mailbox: &'a Mailbox,
    /// The algorithm family.
    pub suite: Suite,
    /// The one purpose.
    pub purpose: Purpose,
    /// The key of the CSR.
    pub key: &'a PublicKey,
    /// The key of the account, which must never be certified (N8).
    pub account_key: &'a PublicKey,
    /// Whom the embedder trusts to issue this kind of certificate.
    pub anchors: &'a Anchors,
    /// The present time.
    pub now: Time,
    /// The longest validity that is taken; [`LONGEST_VALIDITY`] by default.
    pub longest_validity: Duration,
}

/// Why an issued certificate is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// The answer has no certificate.
    Empty,
    /// The certificate is for another key than the CSR's.
    OtherKey,
    /// The certificate is for the account's key (N8).
    AccountKey,
    /// The key is of another algorithm family than was asked for.
    OtherSuite,
    /// The certificate is not for the mailbox, or not for it alone.
    Mailboxes {
        /// The mailboxes it names.
        found: Vec<Mailbox>,
    },
    /// It is a CA certificate.
    CertificateAuthority,
    /// keyUsage is missing or not that of the one purpose.
    KeyUsage {
        /// The bits, numbered as in RFC 5280 §4.2.1.3; none where the extension is missing.
        found: u16,
    },
    /// extKeyUsage is missing or not that of the one purpose.
    ExtendedKeyUsage,
    /// It is not valid now.
    NotValidNow {
        /// Start of validity.
        not_before: Time,
        /// End of validity.
        not_after: Time,
    },
    /// It is valid for too long.
    TooLong {
        /// Its validity, in days.
        days: u64,
        /// The longest that is taken, in days.
        limit: u64,
    },
    /// There is no path to an anchor of that kind.
    Path {
        /// The reason as a word.
        reason: &'static str,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the issued certificate was not taken: ")?;
        match self {
            Self::Empty => f.write_str("there is none"),
            Self::OtherKey => f.write_str("it is for another key"),
            Self::AccountKey => f.write_str("it is for the ACME account key"),
            Self::OtherSuite => f.write_str("its key is of the other algorithm family"),
            Self::Mailboxes { found } => {
                f.write_str("it has to name the mailbox alone and names")?;
                if found.is_empty() {
                    f.write_str(" none")?;
                }
                found.iter().take(8).try_for_each(|mailbox| write!(f, " {mailbox}"))
            }
            Self::CertificateAuthority => f.write_str("it is a CA certificate"),
            Self::KeyUsage { found } => {
                write!(f, "its keyUsage is not for the one purpose (bits {found:#b})")
            }
            Self::ExtendedKeyUsage => f.write_str("its extKeyUsage is not for the one purpose"),
            Self::NotValidNow { not_before, not_after } => {
                write!(f, "it is valid from {not_before} to {not_after}, not now")
            }
            Self::TooLong { days, limit } => {
                write!(f, "it is valid for {days} days; at most {limit} are taken")
            }
            Self::Path { reason } => write!(f, "its issuer is not trusted for this kind: {reason}"),
        }
    }
}

impl core::error::Error for CheckError {}

/// Checks `chain` (leaf first) and gives the path to the anchor.
///
/// Key usage is that of one purpose (STANDARDS A20): signing bits and encrypting bits never together; an
/// encrypting SM2 certificate may have more encrypting bits than were asked for.
///
/// # Errors
/// [`CheckError`], the first rule that is broken.
pub fn check(
    chain: &[Certificate],
    expected: &Expected<'_>,
    limits: &Limits,
) -> Result<Vec<Certificate>, CheckError> {
    let (leaf, intermediates) = chain.split_first().ok_or(CheckError::Empty)?;
    if leaf.spki_der() == expected.account_key.spki_der() {
        return Err(CheckError::AccountKey);
    }
    // Compared as numbers: a CA may encode the parameters of the same key in its own way.
    let key = leaf.public_key().filter(|key| *key == expected.key).ok_or(CheckError::OtherKey)?;
    if key.suite() != expected.suite {
        return Err(CheckError::OtherSuite);
    }
    let mailboxes = leaf.san_mailboxes();
    if !matches!(mailboxes.as_slice(), [one] if one.matches(expected.mailbox)) {
        return Err(CheckError::Mailboxes { found: mailboxes });
    }
    if leaf.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return Err(CheckError::CertificateAuthority);
    }
    let usage = leaf.key_usage().ok_or(CheckError::KeyUsage { found: 0 })?;
    if !usage_fits(usage, expected.purpose, key.kind()) {
        return Err(CheckError::KeyUsage { found: usage.bits() });
    }
    let extended = leaf.extended_key_usage().ok_or(CheckError::ExtendedKeyUsage)?;
    let extended_fits = match expected.purpose {
        Purpose::Sign | Purpose::Encrypt => {
            extended.has(&oid::EMAIL_PROTECTION)
                && !extended.has(&oid::TIME_STAMPING)
                && !extended.has(&oid::ANY_EXTENDED_KEY_USAGE)
        }
        Purpose::Timestamp => extended.is_only(&oid::TIME_STAMPING),
    };
    if !extended_fits {
        return Err(CheckError::ExtendedKeyUsage);
    }
    let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
    if not_before > expected.now.plus(CLOCK_SKEW) || not_after <= expected.now {
        return Err(CheckError::NotValidNow { not_before, not_after });
    }
    let validity = not_after.since(not_before);
    if validity > expected.longest_validity {
        let days = |duration: Duration| duration.as_secs() / 86_400;
        return Err(CheckError::TooLong { days: days(validity), limit: days(expected.longest_validity) });
    }
    let purpose = match expected.purpose {
        Purpose::Sign => PathPurpose::SignMail,
        Purpose::Encrypt => PathPurpose::EncryptMail,
        Purpose::Timestamp => PathPurpose::MailboxTimestamp,
    };
    // A leaf whose validity begins within the skew is judged at its own start.
    let at = expected.now.max(not_before);
    let options = PathOptions::new(purpose, Some(at), limits.clone());
    path::validate(leaf, intermediates, expected.anchors, &options)
        .map(|path| path.chain)
        .map_err(|PathFailure { reason, .. }| CheckError::Path { reason: reason.word() })
}

fn usage_fits(usage: KeyUsage, purpose: Purpose, key: KeyKind) -> bool {
    let (needed, allowed) = match (purpose, key) {
        (Purpose::Sign | Purpose::Timestamp, _) => {
            (KeyUsage::DIGITAL_SIGNATURE, KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION)
        }
        (Purpose::Encrypt, KeyKind::P256 | KeyKind::P384) => (
            KeyUsage::KEY_AGREEMENT,
            KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY,
        ),
        (Purpose::Encrypt, KeyKind::Sm2) => (
            KeyUsage::KEY_ENCIPHERMENT,
            KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT,
        ),
        (Purpose::Encrypt, _) => {
            (KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT)
        }
    };
    usage.contains(needed) && !exceeds(usage, allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    // A20 and N7: single usage, containment for SM2.
    #[test]
    fn usages_of_one_purpose_only() {
        use KeyKind::{P256, Sm2};
        let rsa = KeyKind::Rsa { bits: 2048 };
        let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        let agreement_too = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT;
        for (usage, purpose, key, fits) in [
            (KeyUsage::DIGITAL_SIGNATURE, Purpose::Sign, P256, true),
            (KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION, Purpose::Sign, rsa, true),
            (KeyUsage::NON_REPUDIATION, Purpose::Sign, rsa, false),
            (both, Purpose::Sign, rsa, false),
            (both, Purpose::Encrypt, rsa, false),
            (KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN, Purpose::Sign, P256, false),
            (KeyUsage::KEY_ENCIPHERMENT, Purpose::Encrypt, rsa, true),
            (agreement_too, Purpose::Encrypt, rsa, false),
            (agreement_too, Purpose::Encrypt, Sm2, true),
            (KeyUsage::KEY_AGREEMENT, Purpose::Encrypt, Sm2, false),
            (both, Purpose::Encrypt, Sm2, false),
            (KeyUsage::KEY_AGREEMENT, Purpose::Encrypt, P256, true),
            (KeyUsage::KEY_ENCIPHERMENT, Purpose::Encrypt, P256, false),
            (KeyUsage::DIGITAL_SIGNATURE, Purpose::Timestamp, Sm2, true),
            (KeyUsage::DIGITAL_SIGNATURE | KeyUsage::CRL_SIGN, Purpose::Timestamp, Sm2, false),
        ] {
            assert_eq!(usage_fits(usage, purpose, key), fits, "{usage:?} {purpose} {key:?}");
        }
    }
}
