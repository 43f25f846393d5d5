//! Small counters that may be lost: the login brake uses them. They are not records, and no promise depends on them.
//!
//! Strangers choose the names, for example with invented usernames. So the number of counters is limited: they are kept
//! in two generations. A change writes into the current generation. When that one is full or old, it becomes the
//! previous one, and the counters in the one before are dropped. A counter that is still written is therefore never
//! dropped, and a stranger who wants to drop another one must write [`MAX_TALLIES`] counters first.

use std::collections::HashMap;

use doorlist_verifier::UnixSeconds;

/// The name of a counter: a keyed hash, so that it shows neither an account nor an address.
pub type TallyName = [u8; 16];

/// Largest number of counters in one of the two generations.
pub const MAX_TALLIES: usize = 100_000;
/// A counter is kept for at least this long after its last change, if there are not too many counters.
pub const TALLY_SECS: u64 = 3600;

/// The values of some counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallies {
    /// The store's clock when the counters were read. In a store with several servers, this clock can go back after a
    /// failover.
    pub now: UnixSeconds,
    /// The values, in the order of the names. Empty if the store has no such counter.
    pub values: Vec<Vec<u8>>,
}

/// A change of one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyChange {
    /// The name of the counter.
    pub name: TallyName,
    /// The value that was read. Empty if there was no such counter.
    pub expected: Vec<u8>,
    /// The new value. Empty if the counter is no longer needed.
    pub value: Vec<u8>,
}

/// The counters in the memory of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct TallyTable {
    began: UnixSeconds,
    current: HashMap<TallyName, Vec<u8>>,
    previous: HashMap<TallyName, Vec<u8>>,
}

impl TallyTable {
    pub(crate) fn read(&self, names: &[TallyName], now: UnixSeconds) -> Tallies {
        Tallies { now, values: names.iter().map(|name| self.value(name).to_vec()).collect() }
    }

    /// Does all changes, or none if a counter does not have the expected value.
    pub(crate) fn swap(&mut self, changes: Vec<TallyChange>, now: UnixSeconds) -> bool {
        if changes.iter().any(|change| self.value(&change.name) != change.expected) {
            return false;
        }
        if self.current.len() >= MAX_TALLIES || self.began.plus_secs(TALLY_SECS) <= now {
            self.previous = std::mem::take(&mut self.current);
            self.began = now;
        }
        for TallyChange { name, value, .. } in changes {
            self.current.insert(name, value);
        }
        true
    }

    fn value(&self, name: &TallyName) -> &[u8] {
        self.current.get(name).or_else(|| self.previous.get(name)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u32) -> TallyName {
        let mut name = [0; 16];
        name[..4].copy_from_slice(&number.to_be_bytes());
        name
    }

    fn change(number: u32, expected: &[u8], value: &[u8]) -> TallyChange {
        TallyChange { name: name(number), expected: expected.to_vec(), value: value.to_vec() }
    }

    fn at(secs: u64) -> UnixSeconds {
        UnixSeconds::saturating_new(secs)
    }

    #[test]
    fn trace_52_invented_names_fill_no_memory_and_drop_no_counter_in_use() {
        let mut table = TallyTable::default();
        assert!(table.swap(vec![change(0, b"", b"victim")], at(10_000)));
        assert!(table.swap(vec![change(1, b"", b"idle")], at(10_000)));
        for number in 2..300_000 {
            assert!(table.swap(vec![change(number, b"", b"x")], at(10_000)));
            if number % 90_000 == 0 {
                assert!(table.swap(vec![change(0, b"victim", b"victim")], at(10_000)));
            }
        }
        assert!(table.current.len() <= MAX_TALLIES && table.previous.len() <= MAX_TALLIES);
        let read = table.read(&[name(0), name(1)], at(10_000));
        assert_eq!(read.values, [b"victim".to_vec(), Vec::new()]);
    }

    #[test]
    fn a_counter_is_kept_for_an_hour_and_not_for_ever() {
        let mut table = TallyTable::default();
        assert!(table.swap(vec![change(0, b"", b"one")], at(10_000)));
        assert!(table.swap(vec![change(1, b"", b"two")], at(10_000 + TALLY_SECS)));
        assert_eq!(table.read(&[name(0)], at(0)).values, [b"one".to_vec()]);
        assert!(table.swap(vec![change(1, b"two", b"three")], at(10_000 + 2 * TALLY_SECS)));
        assert_eq!(table.read(&[name(0), name(1)], at(0)).values, [Vec::new(), b"three".to_vec()]);
    }
}
