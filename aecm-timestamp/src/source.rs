//! Where stamps come from: authorities over HTTP, several in order, or a mailbox's own key.

mod failover;
mod http;
mod local;

pub use self::{
    failover::Failover,
    http::{Exchange, HttpSource, Unverified},
    local::LocalSource,
};

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::MaybeSendSync;
use aecm_core::time::Time;

use crate::error::Error;

/// Gives a token over a digest.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait TimestampSource: MaybeSendSync {
    /// A token, a whole ContentInfo, over `imprint`, a value of `digest`. `now` is the present time.
    ///
    /// # Errors
    /// [`Error`] when no stamp was to be had; nothing is ever given instead of one.
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error>;
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl<T: TimestampSource + ?Sized> TimestampSource for std::sync::Arc<T> {
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        (**self).stamp(digest, imprint, now).await
    }
}
