//! Confirmations: the store accepts a write. This proves that the store lost no entry that this node has read.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorlist_verifier::{Cursor, UnixSeconds};
use tokio::sync::watch;
use tokio::time::Instant;

use super::LogCopy;
use crate::store::StoreError;

/// Maximum number of attempts at one confirmation, if each attempt finds that an entry is missing.
const TRIES: usize = 3;

/// The position of the node's copy of the revocation log, and when the store last confirmed that nothing is
/// missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// The position of the node's copy.
    pub position: Cursor,
    /// The store's time of the last confirming write that found nothing missing. A list that is signed now has this
    /// time as its `iat`.
    pub confirmed_at: UnixSeconds,
    /// The time at which the last confirming write that found nothing missing was sent. The time is from this host's
    /// monotonic clock.
    pub confirmed: Instant,
    /// Seconds by which this host's clock differed from the store's clock at the last confirming write.
    pub clock_skew_secs: u64,
}

impl Confirmed {
    /// Whether the confirmation is younger than `heartbeat`. If it is not, the node must not sign a list.
    pub fn is_fresh(&self, heartbeat: Duration) -> bool {
        self.confirmed.elapsed() < heartbeat
    }
}

/// A confirming write that found nothing missing. It does not count as a confirmation until it is passed to
/// [`LogCopy::accept`].
#[must_use]
pub(in crate::desk) struct Proof {
    at: UnixSeconds,
    sent: Instant,
    clock_skew_secs: u64,
}

impl LogCopy {
    /// The position of the copy, and the time of the last confirmation.
    pub(in crate::desk) fn last_confirmed(&self) -> Confirmed {
        *self.confirmed.borrow()
    }

    /// Reports every change of [`Self::last_confirmed`]: new entries of the revocation log, and confirmations.
    pub(in crate::desk) fn watch(&self) -> watch::Receiver<Confirmed> {
        self.confirmed.subscribe()
    }

    /// Sends a write that compares the store's epoch and last sequence with the copy. If the store lost entries, puts
    /// these entries back and sends the write again. If the store has new entries, reads them.
    pub(in crate::desk) async fn prove(&self) -> Result<Proof, StoreError> {
        for _ in 0..TRIES {
            let (sent, host) = (Instant::now(), host_secs());
            let confirmation = self.store.confirm(self.position()).await?;
            let clock_skew_secs = skew_secs(host..=host_secs(), confirmation.now);
            if !confirmation.whole {
                self.restore().await?;
                continue;
            }
            if confirmation.position.seq > self.position().seq {
                self.catch_up().await?;
                if confirmation.position.seq > self.position().seq {
                    // The confirmed position is still ahead of the copy: a failover lost the newer entries before this
                    // node read them.
                    continue;
                }
            }
            return Ok(Proof { at: confirmation.now, sent, clock_skew_secs });
        }
        Err(StoreError::Unavailable("the store keeps losing the last entries of the revocation log".into()))
    }

    /// Makes `proof` the last confirmation. If the node put entries back before the proof was made, the caller must
    /// first heal the records of the subjects of these entries.
    pub(in crate::desk) fn accept(&self, proof: Proof) -> Confirmed {
        self.confirmed.send_modify(|confirmed| {
            confirmed.confirmed_at = confirmed.confirmed_at.max(proof.at);
            confirmed.confirmed = proof.sent;
            confirmed.clock_skew_secs = proof.clock_skew_secs;
        });
        self.last_confirmed()
    }
}

fn host_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the seconds by which the store's time is before or after the interval `asked`. This interval begins with the
/// host's request and ends with the store's answer. The host's time can change by seconds while the answer is on its
/// way. If the leeway is zero, one second of this change would already count as a wrong clock. So this function uses
/// the interval.
fn skew_secs(asked: RangeInclusive<u64>, store: UnixSeconds) -> u64 {
    let store = store.as_secs();
    asked.start().saturating_sub(store).max(store.saturating_sub(*asked.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_request_is_not_skew() {
        let skew = |asked, store| skew_secs(asked, UnixSeconds::saturating_new(store));
        for store in 100..=103 {
            assert_eq!(skew(100..=103, store), 0);
        }
        assert_eq!(skew(100..=103, 95), 5);
        assert_eq!(skew(100..=103, 110), 7);
    }
}
