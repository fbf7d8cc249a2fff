//! Receiving: from a mail as it came to its content and a verdict.

use aecm_smime::decrypt::DecryptError;
use aecm_smime::open::{OpenError, OpenOptions, Opened, open};
use aecm_timestamp::Verifier;

use crate::error::Error;
use crate::mailbox::Mailbox;

impl Mailbox {
    /// Opens a mail: decrypts with every key the mailbox has or had, verifies every signature and timestamp, and
    /// compares the signer with From.
    ///
    /// Content that nothing vouches for (CBC without a valid signature inside) is withheld; see
    /// [`aecm_smime::open`] to ask for it.
    ///
    /// # Errors
    /// [`Error::Open`] when the mail could not be evaluated; what was evaluated and not trusted is a verdict.
    pub async fn open(&self, raw: &[u8]) -> Result<Opened, Error> {
        let (keys, damaged) = self.recipients().await?;
        let trust = self.aecm().trust();
        let verifier = Verifier::new(self.aecm().timestamp_policy());
        let options = OpenOptions::new(&trust.smime, &trust.policy)
            .keys(&keys)
            .at(self.aecm().clock().now())
            .timestamps(&verifier);
        match (open(raw, &options).await, damaged) {
            // Perhaps it was for the key that could not be loaded: that is what the user has to know.
            (Err(OpenError::Decrypt(DecryptError::NoMatchingKey)), Some(error)) => Err(error.into()),
            (opened, _) => Ok(opened?),
        }
    }
}
