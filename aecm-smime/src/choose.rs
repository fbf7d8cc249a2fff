//! Which suite, cipher and certificates a mail goes out with (STANDARDS A8, A24, A25).
//!
//! Without an override: SM2 and SM4 when *everybody*, the sender's own copy included, has a usable SM2
//! encryption certificate that declares SM4, and otherwise everybody's classic certificate with AES-256-GCM.
//! Capabilities come from certificates and verified signed messages only (THREATS K9); every choice has its
//! reasons.
//!
//! ```
//! use aecm_smime::choose::{Choice, ChooseError, Correspondent};
//!
//! let alice = Correspondent::new("alice@example.test".parse()?, Vec::new());
//! let bob = Correspondent::new("bob@example.org".parse()?, Vec::new());
//! match Choice::new().plan(&alice, &[bob]) {
//!     Err(ChooseError::MissingCertificate { mailbox, .. }) => assert_eq!(mailbox.as_str(), "bob@example.org"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod correspondent;
mod plan;
mod reason;

use aecm_core::suite::Suite;
use aecm_core::time::Time;

use crate::cipher::ContentCipher;
use crate::cms::Form;

pub use self::correspondent::Correspondent;
pub use self::plan::{Plan, PlannedRecipient};
pub use self::reason::{ChooseError, Reason};

/// What the user asks for; everything not asked for is chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    suite: Option<Suite>,
    cipher: Option<ContentCipher>,
    form: Form,
    at: Option<Time>,
    rsa_pkcs1: bool,
    own_copy: bool,
    sign_with: Vec<Suite>,
}

impl Choice {
    /// Everything automatic: both signing suites at hand, an own copy, RSA-OAEP, RFC 5652 form, validity of
    /// certificates not looked at.
    #[must_use]
    pub fn new() -> Self {
        Self {
            suite: None,
            cipher: None,
            form: Form::Rfc5652,
            at: None,
            rsa_pkcs1: false,
            own_copy: true,
            sign_with: Suite::ALL.to_vec(),
        }
    }

    /// The suite, whatever the recipients declare. Their certificates of that suite are needed.
    #[must_use]
    pub const fn suite(mut self, suite: Suite) -> Self {
        self.suite = Some(suite);
        self
    }

    /// The content cipher, whatever the recipients declare.
    #[must_use]
    pub const fn cipher(mut self, cipher: ContentCipher) -> Self {
        self.cipher = Some(cipher);
        self
    }

    /// The wire form. GB/T 35275 needs SM2 for everybody and SM4-CBC, and so a signature inside.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The time at which certificates have to be valid.
    #[must_use]
    pub const fn at(mut self, at: Time) -> Self {
        self.at = Some(at);
        self
    }

    /// RSA PKCS#1 v1.5 instead of OAEP, for recipients who read nothing better.
    #[must_use]
    pub const fn rsa_pkcs1(mut self, rsa_pkcs1: bool) -> Self {
        self.rsa_pkcs1 = rsa_pkcs1;
        self
    }

    /// Whether the sender's own encryption certificate is among the recipients, so that the sent mail can be
    /// read again.
    #[must_use]
    pub const fn own_copy(mut self, own_copy: bool) -> Self {
        self.own_copy = own_copy;
        self
    }

    /// The suites the sender can sign with; the first stands in where the wanted one is absent.
    #[must_use]
    pub fn sign_with(mut self, suites: &[Suite]) -> Self {
        self.sign_with = suites.to_vec();
        self
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::new()
    }
}
