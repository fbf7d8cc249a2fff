//! Why the choice fell as it did, and why there is none.

use core::fmt;

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;

use crate::cipher::ContentCipher;
use crate::cms::Form;
use crate::encrypt::UnusableCertificate;

/// One reason of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Everybody has a usable SM2 certificate and declares SM4.
    EverybodyDeclaresSm4,
    /// This mailbox has no SM2 encryption certificate.
    NoSm2Certificate {
        /// The mailbox.
        mailbox: Mailbox,
    },
    /// This mailbox has SM2 encryption certificates and none is usable.
    Sm2CertificateUnusable {
        /// The mailbox.
        mailbox: Mailbox,
        /// Why the newest is not.
        why: UnusableCertificate,
    },
    /// This mailbox declares no SM4.
    Sm4NotDeclared {
        /// The mailbox.
        mailbox: Mailbox,
    },
    /// Everybody declares SM4, but no mode of it is declared by all.
    NoCommonSm4Mode,
    /// SM4-CBC, because this mailbox does not declare SM4-GCM.
    Sm4GcmNotDeclared {
        /// The mailbox.
        mailbox: Mailbox,
    },
    /// The user asked for the suite.
    SuiteAskedFor {
        /// The suite.
        suite: Suite,
    },
    /// The user asked for the cipher.
    CipherAskedFor {
        /// The cipher.
        cipher: ContentCipher,
    },
    /// The user asked for the form, which settles suite and cipher.
    FormAskedFor {
        /// The form.
        form: Form,
    },
    /// The cipher does not authenticate, so the mail has to be signed inside (THREATS M5).
    SignatureInside,
    /// The sender cannot sign with the suite the recipients could read.
    SigningSuiteAbsent {
        /// The suite.
        suite: Suite,
    },
}

impl Reason {
    /// The stable kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::EverybodyDeclaresSm4 => "everybody-declares-sm4",
            Self::NoSm2Certificate { .. } => "no-sm2-certificate",
            Self::Sm2CertificateUnusable { .. } => "sm2-certificate-unusable",
            Self::Sm4NotDeclared { .. } => "sm4-not-declared",
            Self::NoCommonSm4Mode => "no-common-sm4-mode",
            Self::Sm4GcmNotDeclared { .. } => "sm4-gcm-not-declared",
            Self::SuiteAskedFor { .. } => "suite-asked-for",
            Self::CipherAskedFor { .. } => "cipher-asked-for",
            Self::FormAskedFor { .. } => "form-asked-for",
            Self::SignatureInside => "signature-inside",
            Self::SigningSuiteAbsent { .. } => "signing-suite-absent",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EverybodyDeclaresSm4 => f.write_str("everybody has an SM2 certificate that declares SM4"),
            Self::NoSm2Certificate { mailbox } => write!(f, "{mailbox} has no SM2 encryption certificate"),
            Self::Sm2CertificateUnusable { mailbox, why } => {
                write!(f, "the SM2 encryption certificate of {mailbox} cannot be used: {why}")
            }
            Self::Sm4NotDeclared { mailbox } => write!(f, "{mailbox} does not declare SM4"),
            Self::NoCommonSm4Mode => f.write_str("no mode of SM4 is declared by everybody"),
            Self::Sm4GcmNotDeclared { mailbox } => {
                write!(f, "SM4-CBC is used because {mailbox} does not declare SM4-GCM")
            }
            Self::SuiteAskedFor { suite } => write!(f, "suite {suite} was asked for"),
            Self::CipherAskedFor { cipher } => write!(f, "cipher {} was asked for", cipher.word()),
            Self::FormAskedFor { form } => write!(f, "form {form} was asked for"),
            Self::SignatureInside => {
                f.write_str("the cipher does not authenticate, so the mail has to be signed inside")
            }
            Self::SigningSuiteAbsent { suite } => {
                write!(f, "the sender has no signing certificate of suite {suite}")
            }
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChooseError {
    /// No recipient was named.
    NoRecipient,
    /// A mailbox has no usable certificate of the suite everybody needs.
    MissingCertificate {
        /// The mailbox.
        mailbox: Mailbox,
        /// The suite.
        suite: Suite,
        /// Why its newest certificate cannot be used; none where there is none.
        why: Option<UnusableCertificate>,
        /// What led to the suite.
        reasons: Vec<Reason>,
    },
    /// The form asked for cannot hold the suite or the cipher asked for.
    Form {
        /// The form.
        form: Form,
    },
    /// The cipher asked for is never written.
    ReadOnlyCipher {
        /// The cipher.
        cipher: ContentCipher,
    },
    /// The sender cannot sign at all, and the plan needs a signature inside.
    NoSigningSuite,
}

impl fmt::Display for ChooseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecipient => f.write_str("no recipient is named"),
            Self::MissingCertificate { mailbox, suite, why, reasons } => {
                write!(f, "{mailbox} has no usable {suite} encryption certificate")?;
                if let Some(why) = why {
                    write!(f, " ({why})")?;
                }
                for (index, reason) in reasons.iter().enumerate() {
                    write!(f, "{} {reason}", if index == 0 { "; it is needed because" } else { "," })?;
                }
                f.write_str("; get its certificate or leave it out")
            }
            Self::Form { form } => write!(f, "form {form} cannot hold the suite or cipher that is asked for"),
            Self::ReadOnlyCipher { cipher } => {
                write!(f, "{} is read but never written; choose another cipher", cipher.word())
            }
            Self::NoSigningSuite => {
                f.write_str("the cipher needs a signature inside, and the sender has no signing certificate")
            }
        }
    }
}

impl core::error::Error for ChooseError {}
