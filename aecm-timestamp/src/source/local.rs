//! A mailbox's own timestamping key.

use core::fmt;
use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::time::Time;
use aecm_smime::sign::SigningIdentity;

use super::TimestampSource;
use crate::error::Error;
use crate::issue::{Unit, random_serial};
use crate::request::Request;

/// Stamps with the key of a mailbox's timestamping slot.
///
/// Such a stamp is self-asserted: it says what the owner of the mailbox says, and [`Verifier`](crate::Verifier)
/// never takes it as proof of a time (A10).
#[derive(Clone)]
pub struct LocalSource {
    unit: Unit,
    rng: Arc<dyn Rng>,
}

impl LocalSource {
    /// Stamps with `identity` under the policy `policy`.
    #[must_use]
    pub fn new(identity: SigningIdentity, policy: ObjectIdentifier, rng: Arc<dyn Rng>) -> Self {
        Self { unit: Unit::new(identity, policy), rng }
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl TimestampSource for LocalSource {
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; 8];
        self.rng.fill(&mut nonce)?;
        let serial = random_serial(&*self.rng)?;
        self.unit.token(&Request::new(digest, imprint, nonce)?, now, &serial).await
    }
}

impl fmt::Debug for LocalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSource").field("unit", &self.unit).finish_non_exhaustive()
    }
}
