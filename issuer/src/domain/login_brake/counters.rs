//! The two kinds of counters.

use serde::{Deserialize, Serialize};

use super::{FREE, HOUR_SECS, LONGEST_WAIT_SECS, RESERVED_SECS, TRIES};

/// A counter that lets a number of attempts through at once, and later attempts at a fixed rate (the generic cell rate
/// algorithm). It needs one time only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// The time at which all attempts so far are used up at the fixed rate. Each attempt adds one interval.
    #[serde(rename = "f")]
    pub full_until: u64,
    /// In the counter of an account: how often an operator cleared the account's counters.
    #[serde(rename = "e", default)]
    pub era: u32,
}

impl Flow {
    /// Seconds until one more attempt is allowed.
    pub(super) fn wait_secs(&self, now: u64, interval_secs: u64, burst: u64) -> u64 {
        self.full_until.saturating_sub(now).saturating_sub(interval_secs * (burst - 1))
    }

    pub(super) fn add(&mut self, now: u64, interval_secs: u64) {
        self.full_until = self.full_until.max(now) + interval_secs;
    }

    pub(super) fn remove(&mut self, interval_secs: u64) {
        self.full_until = self.full_until.saturating_sub(interval_secs);
    }

    pub(super) fn normalize(&mut self, now: u64, most_secs: u64) {
        self.full_until = self.full_until.min(now + most_secs);
    }
}

/// Attempts in a row. The streak ends with a right password, or an hour after its last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Streak {
    /// The number of attempts.
    #[serde(rename = "n")]
    pub attempts: u32,
    /// The time of the last attempt or reservation.
    #[serde(rename = "l")]
    pub last: u64,
    /// The time of the reserved place; 0 if there is no reserved place.
    #[serde(rename = "r", default)]
    pub reserved: u64,
    /// The era of the account when the streak began. A streak of another era does not count.
    #[serde(rename = "e", default)]
    pub era: u32,
}

impl Streak {
    /// Seconds until one more attempt is allowed.
    pub(super) fn wait_secs(&self, now: u64, factor: u32) -> u64 {
        let wait_secs = match self.attempts / factor {
            few if few < FREE => 0,
            many if many < TRIES => 1 << (many - FREE),
            _ => HOUR_SECS,
        };
        (self.last + wait_secs).saturating_sub(now)
    }

    /// Whether the streak has no attempts left.
    pub(super) fn is_used_up(&self, factor: u32) -> bool {
        self.attempts / factor >= TRIES
    }

    pub(super) fn count(&mut self, now: u64) {
        self.attempts = self.attempts.saturating_add(1);
        self.last = now;
    }

    pub(super) fn uncount(&mut self) {
        self.attempts = self.attempts.saturating_sub(1);
    }

    pub(super) fn reserve(&mut self, now: u64, at: u64) {
        self.reserved = at;
        self.last = self.last.max(now);
    }

    pub(super) fn cleared(self) -> Self {
        Self { era: self.era, ..Self::default() }
    }

    pub(super) fn normalize(&mut self, now: u64, era: u32) {
        self.last = self.last.min(now);
        if self.era != era || self.last + HOUR_SECS <= now {
            *self = Self { era, ..Self::default() };
        }
        self.reserved = self.reserved.min(now + LONGEST_WAIT_SECS);
        if self.reserved + RESERVED_SECS < now {
            self.reserved = 0;
        }
    }
}
