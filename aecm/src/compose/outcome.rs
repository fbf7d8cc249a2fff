//! What composing a mail came to.

use aecm_core::signature::SignatureAlgorithm;
use aecm_smime::choose::{Plan, Reason};
use aecm_store::Slot;

/// A mail ready to be sent, with what was decided and the parts it is made of.
#[derive(Debug)]
#[must_use = "this is the mail to be sent, and whether it was stamped"]
#[non_exhaustive]
pub struct Composed {
    /// The whole mail, CRLF line ends.
    pub mail: Vec<u8>,
    /// How it was encrypted; `None` when it was not.
    pub plan: Option<Plan>,
    /// Why this suite and cipher.
    pub reasons: Vec<Reason>,
    /// The signature's algorithm; `None` when it was not signed.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// The slot whose key signed; `None` when it was not signed.
    pub signer: Option<Slot>,
    /// What came of the authority's stamp; `None` when none was asked for.
    pub stamp: Option<Stamp>,
    /// The MIME entity that was signed, octet for octet.
    pub signed_entity: Option<Vec<u8>>,
    /// SignedData, DER.
    pub signed_data: Option<Vec<u8>>,
    /// EnvelopedData or AuthEnvelopedData, DER.
    pub enveloped_data: Option<Vec<u8>>,
}

/// What came of asking for a timestamp.
#[derive(Debug)]
pub enum Stamp {
    /// The mail carries a token of a timestamp authority.
    Stamped,
    /// It carries none, for this reason; it can be sent all the same.
    Failed(aecm_timestamp::Error),
}

impl Composed {
    pub(super) fn new(plan: Option<Plan>, reasons: Vec<Reason>) -> Self {
        Self {
            mail: Vec::new(),
            plan,
            reasons,
            signature_algorithm: None,
            signer: None,
            stamp: None,
            signed_entity: None,
            signed_data: None,
            enveloped_data: None,
        }
    }

    /// Whether a timestamp authority's token is in the mail.
    #[must_use]
    pub fn is_stamped(&self) -> bool {
        matches!(self.stamp, Some(Stamp::Stamped))
    }
}
