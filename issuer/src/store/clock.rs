//! The host's clock, as something that can be replaced.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use doorlist_verifier::UnixSeconds;

/// Where an embedded store gets its time from.
pub trait HostClock: fmt::Debug + Send + Sync + 'static {
    /// Microseconds since the UNIX epoch; may jump.
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

/// The store's clock: the host's, never backwards, and never before a floor that outlives the process.
#[derive(Debug)]
pub(super) struct StoreClock {
    host: Arc<dyn HostClock>,
    floor: AtomicU64,
}

impl StoreClock {
    pub(super) fn new(host: Arc<dyn HostClock>, floor_micros: u64) -> Self {
        Self { host, floor: AtomicU64::new(floor_micros) }
    }

    pub(super) fn micros(&self) -> u64 {
        let host = self.host.micros();
        self.floor.fetch_max(host, Ordering::AcqRel).max(host)
    }

    pub(super) fn now(&self) -> UnixSeconds {
        seconds(self.micros())
    }
}

pub(super) fn seconds(micros: u64) -> UnixSeconds {
    UnixSeconds::saturating_new(micros / 1_000_000)
}

/// A clock that stands still until it is moved.
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
