//! Not waiting for ever for a timestamp authority.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use super::Compose;

impl Compose<'_> {
    /// What `work` gives, unless the deadline for stamps is over first (THREATS T9).
    pub(super) async fn within_patience<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let parts = self.mailbox.aecm().parts();
        let (mut work, mut limit) = (pin!(work), pin!(parts.sleep.sleep(parts.stamp_deadline)));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => limit.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}
