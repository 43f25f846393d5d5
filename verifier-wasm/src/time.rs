//! The types for times. The caller passes all times to the verifier, because the verifier has no clock of its own.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// A UNIX timestamp in whole seconds, `0 ..= 253402300799`. The maximum is the end of the year 9999.
///
/// RFC 7519 §2 allows a NumericDate to be fractional or negative; this profile does not.
///
/// ```
/// use doorlist_verifier::UnixSeconds;
///
/// let issued_at = UnixSeconds::new(1_767_225_600).unwrap();
/// let expires_at = issued_at.plus_secs(900);
/// assert_eq!(expires_at.as_secs(), 1_767_226_500);
/// assert_eq!(expires_at.secs_since(issued_at), 900);
/// assert_eq!(issued_at.secs_since(expires_at), 0);
/// assert_eq!(UnixSeconds::ZERO.minus_secs(1), UnixSeconds::ZERO);
/// assert_eq!(UnixSeconds::new(u64::MAX), None);
/// assert_eq!(UnixSeconds::saturating_new(u64::MAX), UnixSeconds::MAX);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// The UNIX epoch.
    pub const ZERO: Self = Self(0);
    /// 9999-12-31T23:59:59Z, the last second that all date libraries can represent.
    pub const MAX: Self = Self(253_402_300_799);

    /// Creates a timestamp, or returns `None` above [`Self::MAX`].
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= Self::MAX.0 { Some(Self(seconds)) } else { None }
    }

    /// Creates a timestamp. A number above [`Self::MAX`] becomes [`Self::MAX`].
    pub const fn saturating_new(seconds: u64) -> Self {
        match Self::new(seconds) {
            Some(time) => time,
            None => Self::MAX,
        }
    }

    /// Seconds since the UNIX epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time plus `seconds`, limited to [`Self::MAX`].
    #[must_use]
    pub const fn plus_secs(self, seconds: u64) -> Self {
        Self::saturating_new(self.0.saturating_add(seconds))
    }

    /// This time minus `seconds`, or zero if the result would be negative.
    #[must_use]
    pub const fn minus_secs(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this time, or zero if `earlier` is the later time.
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        Self::new(seconds).ok_or_else(|| D::Error::custom("a time past the year 9999"))
    }
}

/// The times of the host's two clocks: the wall clock, and a clock that never goes back.
///
/// ```
/// use std::time::Duration;
///
/// use doorlist_verifier::{HostTime, UnixSeconds};
///
/// // A fixed time, for a test of the service.
/// let now = HostTime { wall: UnixSeconds::saturating_new(1_767_225_600), monotonic: Duration::ZERO };
/// assert_eq!(now.wall.to_string(), "1767225600");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTime {
    /// The time of the host's wall clock. This clock may be wrong, and may jump.
    pub wall: UnixSeconds,
    /// The time that has passed since an arbitrary moment of this process. This time never goes back.
    pub monotonic: Duration,
}

impl HostTime {
    /// The times of the standard library's two clocks. A `wall` before 1970 counts as 1970.
    ///
    /// ```
    /// use std::time::{Instant, SystemTime};
    ///
    /// use doorlist_verifier::HostTime;
    ///
    /// let started = Instant::now(); // once in a process
    /// let now = HostTime::new(SystemTime::now(), started.elapsed());
    /// # assert!(now.wall.as_secs() > 1_700_000_000);
    /// ```
    pub fn new(wall: SystemTime, monotonic: Duration) -> Self {
        let seconds = wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { wall: UnixSeconds::saturating_new(seconds), monotonic }
    }
}
