//! Opening a mail: every layer from the outside in, and one verdict on the whole.
//!
//! A mail may be encrypted around signed, signed around encrypted, and so on. [`open`] decrypts with the keys
//! at hand, verifies each signature, binds the signer to From, and says what of it covers the message as a
//! whole. Content leaves only when a tag or a signature vouches for it (DESIGN, rule 5).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use aecm_core::{certificate::Certificate, path::Anchors, time::Time};
//! use aecm_smime::open::{OpenOptions, open};
//! use aecm_smime::verify::{Policy, Verdict};
//!
//! let mail = include_bytes!("../tests/vectors/eml/openssl30-rsa-multipart.eml");
//! let root = Certificate::from_pem(include_str!("../tests/vectors/eml/keys/rsa-ca.crt"))?;
//! let (anchors, policy) = (Anchors::new(vec![root]), Policy::modern());
//! let options = OpenOptions::new(&anchors, &policy).at(Time::from_rfc3339("2026-12-01T00:00:00Z"));
//! let opened = open(mail, &options).await?;
//! assert_eq!(opened.verdict, Verdict::Valid);
//! assert!(opened.content.is_some_and(|content| content.ends_with(b"hello peer world\r\n")));
//! # Ok(())
//! # }
//! ```

mod error;
mod identity;
mod layers;
mod report;

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::path::{Anchors, PolicySettings, Revocation};
use aecm_core::time::Time;
use aecm_sm::sm2::CiphertextForm;

use crate::decrypt::{BareKey, DecryptError, Password, Recipient, SecretKey};
use crate::verify::{Policy, TokenVerifier};

pub use self::error::OpenError;
pub use self::layers::{CompressedLayer, EncryptedLayer, Layer, SignedLayer};
pub use self::report::{Opened, SentAt};

/// What a mail is opened with.
#[derive(Clone)]
pub struct OpenOptions<'a> {
    pub(crate) anchors: &'a Anchors,
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a [Recipient],
    pub(crate) bare_keys: &'a [BareKey],
    pub(crate) secret_keys: &'a [SecretKey],
    pub(crate) passwords: &'a [Password],
    pub(crate) sm2_form: Option<CiphertextForm>,
    pub(crate) policies: PolicySettings,
    pub(crate) revocation: Revocation,
    pub(crate) intermediates: &'a [Certificate],
    pub(crate) at: Option<Time>,
    pub(crate) timestamps: Option<&'a dyn TokenVerifier>,
    pub(crate) email: Option<Mailbox>,
    pub(crate) rewriters: Vec<Mailbox>,
    pub(crate) accept_unauthenticated: bool,
    pub(crate) decompress: bool,
}

impl<'a> OpenOptions<'a> {
    /// With these anchors of signing certificates and this policy: no keys, validity dates not looked at, no
    /// timestamps. The limits are those of the policy.
    #[must_use]
    pub fn new(anchors: &'a Anchors, policy: &'a Policy) -> Self {
        Self {
            anchors,
            policy,
            keys: &[],
            bare_keys: &[],
            secret_keys: &[],
            passwords: &[],
            sm2_form: None,
            policies: PolicySettings::default(),
            revocation: Revocation::default(),
            intermediates: &[],
            at: None,
            timestamps: None,
            email: None,
            rewriters: Vec::new(),
            accept_unauthenticated: false,
            decompress: false,
        }
    }

    /// The keys to decrypt with, those of expired certificates included (THREATS E8).
    #[must_use]
    pub fn keys(mut self, keys: &'a [Recipient]) -> Self {
        self.keys = keys;
        self
    }

    /// Keys without a certificate to decrypt with, tried after those that have one.
    #[must_use]
    pub fn bare_keys(mut self, keys: &'a [BareKey]) -> Self {
        self.bare_keys = keys;
        self
    }

    /// Symmetric keys to decrypt with.
    #[must_use]
    pub fn secret_keys(mut self, keys: &'a [SecretKey]) -> Self {
        self.secret_keys = keys;
        self
    }

    /// Passwords to decrypt with.
    #[must_use]
    pub fn passwords(mut self, passwords: &'a [Password]) -> Self {
        self.passwords = passwords;
        self
    }

    /// The form of SM2 ciphertexts, whatever the message says.
    #[must_use]
    pub fn sm2_form(mut self, form: impl Into<Option<CiphertextForm>>) -> Self {
        self.sm2_form = form.into();
        self
    }

    /// The certificate policies that paths have to be valid for (RFC 5280 §6.1.1).
    #[must_use]
    pub fn path_policies(mut self, policies: PolicySettings) -> Self {
        self.policies = policies;
        self
    }

    /// CRLs and OCSP responses about the certificates of signers.
    #[must_use]
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// More certificates to build paths with, untrusted.
    #[must_use]
    pub fn intermediates(mut self, intermediates: &'a [Certificate]) -> Self {
        self.intermediates = intermediates;
        self
    }

    /// When the certificates have to be valid, unless a timestamp proves an earlier time. `None` skips dates.
    #[must_use]
    pub fn at(mut self, at: impl Into<Option<Time>>) -> Self {
        self.at = at.into();
        self
    }

    /// Who verifies timestamp tokens.
    #[must_use]
    pub fn timestamps(mut self, verifier: &'a dyn TokenVerifier) -> Self {
        self.timestamps = Some(verifier);
        self
    }

    /// The mailbox that should have signed, instead of the From of the mail.
    #[must_use]
    pub fn email(mut self, mailbox: &Mailbox) -> Self {
        self.email = Some(mailbox.clone());
        self
    }

    /// Mailboxes of mailing lists and gateways that may stand in the outer From of a mail whose protected
    /// From is another (THREATS M1).
    #[must_use]
    pub fn rewriters(mut self, mailboxes: &[Mailbox]) -> Self {
        self.rewriters = mailboxes.to_vec();
        self
    }

    /// Whether to look into CompressedData (RFC 3274), within the limits on decompression. Off unless asked for, as
    /// nearly no mail has it (THREATS E7): it is then an unsupported layer.
    #[must_use]
    pub fn decompress(mut self, decompress: bool) -> Self {
        self.decompress = decompress;
        self
    }

    /// Whether to hand out content for which neither a tag nor a valid signature vouches. The verdict says so
    /// all the same. Never render such content as HTML and load nothing for it (THREATS M5).
    #[must_use]
    pub fn accept_unauthenticated(mut self, accept: bool) -> Self {
        self.accept_unauthenticated = accept;
        self
    }
}

impl fmt::Debug for OpenOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("anchors", &self.anchors.certificates().len())
            .field("keys", &self.keys.len())
            .field("at", &self.at)
            .field("email", &self.email)
            .field("accept_unauthenticated", &self.accept_unauthenticated)
            .finish_non_exhaustive()
    }
}

/// Opens a mail (or a MIME entity): decrypts and verifies every layer and sums up.
///
/// The summary is that of the innermost signature, which is the one over the content; a signature further out
/// that is broken makes the mail invalid, one of somebody else (a gateway) is only listed. A signature that
/// covers but a part of the mail gives [`Partial`](crate::verify::Verdict::Partial) (THREATS M2). CBC content
/// without a valid signature inside gives [`Unauthenticated`](crate::verify::Verdict::Unauthenticated).
///
/// # Errors
/// [`OpenError`] where the mail could not be evaluated: it cannot be read, no key fits, decryption failed, a
/// limit was met. What was evaluated and not trusted is a verdict.
///
/// # Cancel safety
/// Nothing is kept; dropping the future forgets the content.
pub async fn open(mail: &[u8], options: &OpenOptions<'_>) -> Result<Opened, OpenError> {
    let walked = layers::walk(mail, options).await?;
    let bendable = walked.unauthenticated;
    match report::judge(mail, walked, options) {
        // As in `walk`: what is wrong inside is not told from a wrong key (THREATS E1).
        Err(error) if bendable && !error.is_limit() => Err(DecryptError::Failed.into()),
        judged => judged,
    }
}
