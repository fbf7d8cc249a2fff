//! Leases.

use super::{Failure, Kept, Open, opened, refused};
use crate::error::StoreError;

pub(super) async fn run(open: Open<'_>) -> Result<(), Failure> {
    const ALONE: &str = "a lease is held by one at a time";
    let store = opened(open)?;
    let busy = |wanted: &'static str| move |error: &StoreError| matches!(error, StoreError::Busy { name } if name == wanted);
    let held = store.lease("provision/alice").await.kept("a lease is given")?;
    let other = store.lease("provision/bob").await.kept("leases of other names are given meanwhile")?;
    refused(store.lease("provision/alice").await, ALONE, busy("provision/alice"))?;
    refused(opened(open)?.lease("provision/alice").await, ALONE, busy("provision/alice"))?;
    store.save_state("lease/1", b"during").await.kept("a lease shuts out no changes")?;
    opened(open)?
        .entries(&super::mailbox("lease@example.test")?)
        .await
        .kept("a lease shuts out no readers")?;
    drop(held);
    let again = opened(open)?.lease("provision/alice").await.kept("a lease ends when it is dropped")?;
    refused(opened(open)?.lease("provision/bob").await, ALONE, busy("provision/bob"))?;
    refused(store.lease("provision/alice").await, ALONE, busy("provision/alice"))?;
    drop((again, other));
    for name in ["", &"n".repeat(1001)] {
        refused(store.lease(name).await, "an impossible name is refused", |error| {
            matches!(error, StoreError::TooLarge { .. })
        })?;
    }
    Ok(())
}
