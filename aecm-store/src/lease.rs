//! The right to do something alone.

use core::fmt;

/// Held while one task does what no other may do at the same time, in any process that uses the store; from
/// [`KeyStore::lease`](crate::KeyStore::lease). It ends when this is dropped, or the process dies.
#[must_use = "the lease ends when this is dropped"]
pub struct Lease {
    _guard: Box<dyn Send + Sync>,
}

impl Lease {
    /// For stores: a lease that lasts until `guard` is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
