//! The data that a verifier keeps from accepted lists.

use std::cmp::Ordering;
use std::time::Duration;

use serde::Serialize;

use crate::cursor::Cursor;
use crate::error::Error;
use crate::handle::Handle;
use crate::list::{HandleSet, RevocationList};
use crate::time::{HostTime, UnixSeconds};

/// The time `retain` is divided into this many parts. Handles that arrive within the same part may share a segment. The
/// verifier removes the handles of a segment together.
const BUCKETS_PER_RETAIN: u64 = 8;

/// A segment of at most this many bytes is merged with the next newer segment, even if the newer segment is much
/// smaller.
const SMALL_SEGMENT: usize = 4096;

/// The content of all lists accepted so far, except entries that are too old.
#[derive(Debug, Clone)]
pub(crate) struct HeldList {
    cursor: Cursor,
    /// The greatest `iat` of all accepted lists.
    as_of: UnixSeconds,
    cutoff: UnixSeconds,
    ttl_secs: u64,
    leeway_secs: u64,
    /// The `retain` of the newest list: the time for which the issuer keeps entries at present.
    retain_secs: u64,
    /// The longest `retain` of any list so far. Entries are kept for this time, because an issuer may lose the
    /// information that it has raised `retain`.
    longest_retain_secs: u64,
    /// The segments, oldest first. Each handle is in only one segment.
    segments: Vec<Segment>,
    /// The number of lists that brought handles. When this number changes, the verifier may hold handles that it did
    /// not hold before.
    times_brought: u64,
    clock: ProvenClock,
}

/// Handles that are removed together.
#[derive(Debug, Clone)]
struct Segment {
    /// The as-of time of the last list that contained one of these handles.
    brought: UnixSeconds,
    handles: HandleSet,
}

/// A clock that starts when a list arrives. At that moment, the true time is at least the list's `iat`. From then on,
/// the host's monotonic clock measures the elapsed time.
#[derive(Debug, Clone, Copy)]
struct ProvenClock {
    issued_at: UnixSeconds,
    heard: Duration,
}

impl ProvenClock {
    fn at(self, monotonic: Duration) -> UnixSeconds {
        self.issued_at.plus_secs(monotonic.saturating_sub(self.heard).as_secs())
    }
}

/// Whether a list brought anything new.
///
/// ```
/// use doorlist_verifier::{Error, LoadOutcome};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, list, now) = (verifier(), Key::number(1).list(&snapshot()), at(NOW));
/// assert_eq!(verifier.load(&list, now)?.outcome, LoadOutcome::Applied);
/// assert_eq!(verifier.load(&list, now)?.outcome, LoadOutcome::Unchanged);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadOutcome {
    /// The list was applied. Even a heartbeat is applied, because it brings a newer time.
    Applied,
    /// The verifier already held this list.
    Unchanged,
}

/// Decides whether a list may be applied to the held list.
///
/// # Errors
/// [`Error::ListRollback`] for an older list. [`Error::ListGap`] for a delta that begins after the held position.
pub(crate) fn judge(held: Option<&HeldList>, list: &RevocationList) -> Result<LoadOutcome, Error> {
    let gap = |since| Error::ListGap { since, held: held.map(|held| held.cursor) };
    let Some(held) = held else {
        return list.since.map_or(Ok(LoadOutcome::Applied), |since| Err(gap(since)));
    };
    let rollback = Error::ListRollback {
        held_epoch: held.cursor.epoch,
        held_sequence: held.cursor.seq,
        offered_epoch: list.epoch,
        offered_sequence: list.seq,
    };
    if list.epoch != held.cursor.epoch {
        // Sequence numbers of two epochs cannot be compared, so only the times show which list is newer.
        return match list.since {
            Some(since) => Err(gap(since)),
            None if list.issued_at < held.as_of => Err(rollback),
            None => Ok(LoadOutcome::Applied),
        };
    }
    // Compare the sequence numbers before the times. If the clock of a node's store is slow, a list with an older time
    // may still bring new entries.
    match (list.seq.cmp(&held.cursor.seq), list.issued_at.cmp(&held.as_of)) {
        (Ordering::Less, _) | (Ordering::Equal, Ordering::Less) => Err(rollback),
        (Ordering::Equal, Ordering::Equal) => Ok(LoadOutcome::Unchanged),
        _ => match list.since {
            Some(since) if since > held.cursor.seq => Err(gap(since)),
            _ => Ok(LoadOutcome::Applied),
        },
    }
}

impl HeldList {
    /// Creates the held list from the first list that the verifier accepts.
    pub(crate) fn new(list: RevocationList, at: HostTime) -> Self {
        let mut held = Self {
            cursor: list.cursor(),
            as_of: list.issued_at,
            cutoff: list.cutoff,
            ttl_secs: list.ttl_secs,
            leeway_secs: list.leeway_secs,
            retain_secs: list.retain_secs,
            longest_retain_secs: list.retain_secs,
            segments: Vec::new(),
            times_brought: 0,
            clock: ProvenClock { issued_at: list.issued_at, heard: at.monotonic },
        };
        held.bring(list.revoked);
        held
    }

    /// Applies a list that [`judge`] accepted.
    ///
    /// A snapshot only adds handles, like a delta. A snapshot must not remove handles, because a snapshot may lack
    /// revoked handles after a failover (traces 22, 3). A handle is removed only because of its age, and only when a
    /// newer list proves the current time (trace 11).
    pub(crate) fn apply(&mut self, list: RevocationList, at: HostTime) {
        self.cursor = list.cursor();
        self.as_of = self.as_of.max(list.issued_at);
        self.cutoff = self.cutoff.max(list.cutoff);
        self.ttl_secs = list.ttl_secs;
        self.leeway_secs = list.leeway_secs;
        self.retain_secs = list.retain_secs;
        self.longest_retain_secs = self.longest_retain_secs.max(list.retain_secs);
        let clock = ProvenClock { issued_at: list.issued_at, heard: at.monotonic };
        if clock.at(at.monotonic) > self.clock.at(at.monotonic) {
            self.clock = clock;
        }
        let retain_secs = self.longest_retain_secs;
        self.segments.retain(|segment| segment.brought.plus_secs(retain_secs) >= list.issued_at);
        self.bring(list.revoked);
    }

    /// The verifier's time: the later of two times, which are the host's wall clock and the time that lists prove.
    pub(crate) fn now(&self, at: HostTime) -> UnixSeconds {
        at.wall.max(self.clock.at(at.monotonic))
    }

    pub(crate) const fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub(crate) const fn as_of(&self) -> UnixSeconds {
        self.as_of
    }

    pub(crate) const fn cutoff(&self) -> UnixSeconds {
        self.cutoff
    }

    pub(crate) const fn ttl_secs(&self) -> u64 {
        self.ttl_secs
    }

    pub(crate) const fn leeway_secs(&self) -> u64 {
        self.leeway_secs
    }

    pub(crate) const fn retain_secs(&self) -> u64 {
        self.retain_secs
    }

    /// The number of handles that the verifier holds.
    pub(crate) fn entries(&self) -> usize {
        self.segments.iter().map(|segment| segment.handles.len()).fold(0, usize::saturating_add)
    }

    /// The number of lists that brought handles. While this number does not change, the verifier adds no handle.
    pub(crate) const fn times_brought(&self) -> u64 {
        self.times_brought
    }

    /// Whether the handle is revoked.
    pub(crate) fn contains(&self, handle: Handle) -> bool {
        self.segments.iter().any(|segment| segment.handles.contains(handle))
    }

    /// Adds handles in a new segment. If a handle is already held, it moves to this segment and is kept for a full
    /// `retain` again. This is necessary, because the handle's entry may have been restored to the revocation log. In
    /// the meantime, the issuer may have issued tokens with the handle.
    fn bring(&mut self, handles: HandleSet) {
        if handles.is_empty() {
            return;
        }
        self.times_brought = self.times_brought.saturating_add(1);
        for segment in &mut self.segments {
            if segment.handles.intersects(&handles) {
                segment.handles = segment.handles.difference(&handles);
            }
        }
        self.segments.retain(|segment| !segment.handles.is_empty());
        self.segments.push(Segment { brought: self.as_of, handles });
        self.merge_newest();
    }

    /// Merges segments, so that there are only a few. A large segment is merged only with a newer segment that has at
    /// least half the size of the large segment. So a small delta to a large list costs little.
    fn merge_newest(&mut self) {
        while let [.., older, newest] = self.segments.as_mut_slice() {
            let limit = SMALL_SEGMENT.max(newest.handles.as_bytes().len().saturating_mul(2));
            let same_bucket =
                bucket(older, self.longest_retain_secs) == bucket(newest, self.longest_retain_secs);
            if !same_bucket || older.handles.as_bytes().len() > limit {
                return;
            }
            older.handles = older.handles.union(&newest.handles);
            older.brought = newest.brought;
            self.segments.pop();
        }
    }
}

fn bucket(segment: &Segment, retain_secs: u64) -> u64 {
    let width = retain_secs.div_ceil(BUCKETS_PER_RETAIN).max(1);
    segment.brought.as_secs().checked_div(width).unwrap_or(0)
}

#[cfg(test)]
mod tests;
