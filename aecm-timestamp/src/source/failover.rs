//! Several authorities, asked in order.

use core::fmt;
use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::time::Time;

use super::TimestampSource;
use crate::error::Error;

/// Several authorities: the first that gives a stamp is enough (THREATS T9).
#[derive(Clone, Default)]
pub struct Failover {
    sources: Vec<Arc<dyn TimestampSource>>,
}

impl Failover {
    /// Asks these, in this order.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn TimestampSource>>) -> Self {
        Self { sources }
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl TimestampSource for Failover {
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        let mut errors = Vec::new();
        for source in &self.sources {
            match source.stamp(digest, imprint, now).await {
                Ok(token) => return Ok(token),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Err(Error::NoAuthority) } else { Err(Error::AllFailed(errors)) }
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover").field("sources", &self.sources.len()).finish()
    }
}
