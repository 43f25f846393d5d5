//! The host's clock, which tests can replace.

use std::fmt;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use doorlist_verifier::UnixSeconds;

/// The source of time for an embedded store.
pub trait HostClock: fmt::Debug + Send + Sync + 'static {
    /// Microseconds since the UNIX epoch. The value may jump in either direction.
    fn micros(&self) -> u64;
}

/// The operating system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl HostClock for SystemClock {
    fn micros(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// The store's clock. It follows the host's clock but never goes back. The store saves the time with each write, and
/// the clock starts at the saved time. So the clock does not go back after a restart either.
///
/// While a transaction is being written to disk, the clock stands still for readers. So a reader that does not yet
/// see a cut-off of this transaction gets a time before the cut-off.
#[derive(Debug)]
pub(crate) struct StoreClock {
    host: Arc<dyn HostClock>,
    time: Mutex<Time>,
}

#[derive(Debug)]
struct Time {
    latest_micros: u64,
    held: bool,
}

impl StoreClock {
    pub(crate) fn new(host: Arc<dyn HostClock>, floor_micros: u64) -> Self {
        Self { host, time: Mutex::new(Time { latest_micros: floor_micros, held: false }) }
    }

    /// The time for a reader. The reader must call this before it reads the data.
    pub(crate) fn now(&self) -> UnixSeconds {
        let mut time = self.locked();
        if !time.held {
            time.latest_micros = time.latest_micros.max(self.host.micros());
        }
        seconds(time.latest_micros)
    }

    /// The time for a transaction. After this call the clock stands still until [`Self::go_on`].
    pub(super) fn hold(&self) -> u64 {
        let mut time = self.locked();
        time.latest_micros = time.latest_micros.max(self.host.micros());
        time.held = true;
        time.latest_micros
    }

    /// The time for a store whose writes are visible at once.
    #[cfg(test)]
    pub(crate) fn tick(&self) -> u64 {
        let micros = self.hold();
        self.go_on();
        micros
    }

    /// Lets the clock run again. Call this when every reader can see the data that the transaction wrote.
    pub(super) fn go_on(&self) {
        self.locked().held = false;
    }

    fn locked(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn seconds(micros: u64) -> UnixSeconds {
    UnixSeconds::saturating_new(micros / 1_000_000)
}

/// A clock that moves only when a test moves it.
#[cfg(test)]
#[derive(Debug, Clone)]
pub(crate) struct ManualClock(Arc<AtomicU64>);

#[cfg(test)]
impl ManualClock {
    pub(crate) fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds * 1_000_000)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::AcqRel);
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds * 1_000_000, Ordering::Release);
    }
}

#[cfg(test)]
impl HostClock for ManualClock {
    fn micros(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stands_still_during_a_transaction() {
        let host = ManualClock::at(100);
        let clock = StoreClock::new(Arc::new(host.clone()), 0);
        let stamp = clock.hold();
        host.advance(1);
        assert_eq!((stamp, clock.now().as_secs()), (100_000_000, 100), "a cut-off now would be 101");
        clock.go_on();
        assert_eq!(clock.now().as_secs(), 101);
    }

    #[test]
    fn the_time_is_never_before_its_floor() {
        let host = ManualClock::at(100);
        let clock = StoreClock::new(Arc::new(host.clone()), 200_000_000);
        assert_eq!(clock.now().as_secs(), 200);
        host.set(300);
        assert_eq!(clock.now().as_secs(), 300);
        host.set(250);
        assert_eq!((clock.now().as_secs(), clock.hold()), (300, 300_000_000));
    }
}
