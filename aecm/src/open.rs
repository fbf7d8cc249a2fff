//! Receiving: from a mail as it came to its content and a verdict.

use std::sync::Arc;

use aecm_smime::decrypt::{BareKey, DecryptError, Recipient};
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
        let options = || {
            OpenOptions::new(&trust.smime, &trust.policy)
                .keys(&keys)
                .at(self.aecm().clock().now())
                .timestamps(&verifier)
        };
        let error = match open(raw, &options()).await {
            Err(error @ OpenError::Decrypt(DecryptError::NoMatchingKey)) => error,
            opened => return Ok(opened?),
        };
        // The mailbox's key may have another certificate by now, which another device obtained. Only what opens
        // counts: else the mail is for nobody here, as before.
        let bare = bare_keys(&keys);
        if let Ok(opened) = open(raw, &options().bare_keys(&bare)).await
            && !opened.withheld
        {
            return Ok(opened);
        }
        // Perhaps it was for the key that could not be loaded: that is what the user has to know.
        Err(damaged.map_or_else(|| error.into(), Error::from))
    }
}

/// Each key once.
fn bare_keys(recipients: &[Recipient]) -> Vec<BareKey> {
    let mut keys: Vec<BareKey> = Vec::new();
    for recipient in recipients {
        if !keys.iter().any(|known| known.key().public_key() == recipient.key.public_key()) {
            keys.push(BareKey::new(Arc::clone(&recipient.key)));
        }
    }
    keys
}
