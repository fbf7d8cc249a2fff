//! Time that passes only where somebody sleeps and nobody works: the earliest sleeper wakes when no request is
//! with the real service.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::core::embed::{Clock, Sleep, SystemClock};
use aecm::core::time::Time;
use tokio::sync::Notify;

#[derive(Default)]
struct State {
    /// Milliseconds since 1970.
    now: i64,
    next: u64,
    /// Who sleeps, by the time of waking.
    sleepers: BTreeSet<(i64, u64)>,
    busy: usize,
}

pub struct VirtualClock {
    state: Mutex<State>,
    changed: Notify,
}

impl VirtualClock {
    pub fn new() -> Arc<Self> {
        let now = SystemClock.now().unix() * 1_000;
        Arc::new(Self { state: Mutex::new(State { now, ..State::default() }), changed: Notify::new() })
    }

    /// No time passes while this is held.
    pub fn work(&self) -> Work<'_> {
        self.state.lock().unwrap().busy += 1;
        Work(self)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        Time::from_unix(self.state.lock().unwrap().now / 1_000)
    }
}

#[async_trait::async_trait]
impl Sleep for VirtualClock {
    async fn sleep(&self, duration: Duration) {
        let sleeper = {
            let mut state = self.state.lock().unwrap();
            state.next += 1;
            let until = state.now + i64::try_from(duration.as_millis()).unwrap();
            let key = (until, state.next);
            state.sleepers.insert(key);
            Sleeper { clock: self, key }
        };
        // Whoever is polled after this one may want to wake earlier.
        tokio::task::yield_now().await;
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state.lock().unwrap();
                if state.busy == 0 && state.sleepers.first() == Some(&sleeper.key) {
                    state.now = state.now.max(sleeper.key.0);
                    return;
                }
            }
            changed.await;
        }
    }
}

/// A sleeper that is dropped sleeps no more.
struct Sleeper<'a> {
    clock: &'a VirtualClock,
    key: (i64, u64),
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.state.lock().unwrap().sleepers.remove(&self.key);
        self.clock.changed.notify_waiters();
    }
}

pub struct Work<'a>(&'a VirtualClock);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().busy -= 1;
        self.0.changed.notify_waiters();
    }
}

/// When the client's clock jumps, and by how many seconds.
pub type Jump = Arc<Mutex<Option<(Time, i64)>>>;

/// The client's clock: that of the service until it jumps.
pub struct Skewed {
    pub clock: Arc<VirtualClock>,
    pub jump: Jump,
}

impl Clock for Skewed {
    fn now(&self) -> Time {
        let now = self.clock.now();
        match *self.jump.lock().unwrap() {
            Some((at, by)) if now >= at => Time::from_unix(now.unix() + by),
            _ => now,
        }
    }
}
