//! Cut points: the few positions in the revocation log at which deltas begin.

use std::collections::VecDeque;

use doorlist_verifier::{Cursor, Epoch, Seq};

use crate::domain::LogView;

/// The sequences of the entries in the revocation log. Every delta begins at one of these sequences.
///
/// A delta holds the last 0, 1, 4, 16, 64, … entries. For example, a client that lacks five entries gets sixteen. So
/// the number of different deltas of one state is only about log₄ of the number of entries. Each delta is encoded and
/// signed at most once. A client gets at most four times as many entries as it lacks.
#[derive(Debug, Clone)]
pub struct CutPoints {
    lineage: Epoch,
    /// The entries after this sequence are known. A client with an earlier cursor gets no delta.
    floor: Seq,
    entries: VecDeque<Seq>,
    last: Seq,
}

impl CutPoints {
    /// Cut points without entries. A client whose cursor is before `floor` gets no delta.
    pub fn new(lineage: Epoch, floor: Seq) -> Self {
        Self { lineage, floor, entries: VecDeque::new(), last: Seq::ZERO }
    }

    /// Adds the entries that were appended to the revocation log after the last call. Removes the entries that were
    /// trimmed.
    pub fn follow(&mut self, log: &LogView) {
        let position = log.position();
        if position.epoch != self.lineage {
            *self = Self::new(position.epoch, log.floor());
        }
        self.advance(log.floor(), log.since(self.last).map(|entry| entry.seq), position.seq);
    }

    /// Adds the entries that were appended after the last call, up to `last`. Removes the entries up to `floor`.
    fn advance(&mut self, floor: Seq, entries: impl IntoIterator<Item = Seq>, last: Seq) {
        self.floor = self.floor.max(floor);
        self.entries.extend(entries);
        self.last = self.last.max(last);
        let trimmed = self.entries.partition_point(|seq| *seq <= self.floor);
        self.entries.drain(..trimmed);
    }

    /// Returns the sequence at which a delta begins, for a client with the cursor `held`. This sequence is at or before
    /// the cursor. `None` if the client needs a snapshot.
    pub fn cut(&self, held: Cursor) -> Option<Seq> {
        let Cursor { epoch, seq: held } = held;
        if epoch != self.lineage || held < self.floor || held > self.last {
            return None;
        }
        let lacking = self.entries.len() - self.entries.partition_point(|seq| *seq <= held);
        let mut told = lacking.min(1);
        while told < lacking {
            told *= 4;
        }
        match self.entries.len().checked_sub(told)? {
            0 => Some(self.floor),
            before => Some(self.entries[before - 1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn seq(number: u64) -> Seq {
        Seq::new(number).expect("small")
    }

    fn cut(cuts: &CutPoints, held: u64) -> Option<u64> {
        cuts.cut(Cursor { epoch: Epoch(1), seq: seq(held) }).map(Seq::get)
    }

    fn cuts(floor: u64, entries: impl IntoIterator<Item = u64>, last: u64) -> CutPoints {
        let mut cuts = CutPoints::new(Epoch(1), seq(floor));
        cuts.advance(seq(floor), entries.into_iter().map(seq), seq(last));
        cuts
    }

    #[test]
    fn a_client_that_lacks_nothing_gets_an_empty_delta() {
        let cuts = cuts(10, [20, 30, 40], 50);
        assert_eq!(cut(&cuts, 50), Some(40));
        assert_eq!(cut(&cuts, 40), Some(40));
    }

    #[test]
    fn a_cursor_is_rounded_down() {
        let cuts = cuts(10, [20, 30, 40, 50, 60], 60);
        assert_eq!(cut(&cuts, 50), Some(50), "one lacking");
        assert_eq!(cut(&cuts, 55), Some(50));
        assert_eq!(cut(&cuts, 40), Some(20), "two lacking, four sent");
        assert_eq!(cut(&cuts, 20), Some(20));
        assert_eq!(cut(&cuts, 10), None, "five lacking, and there are no sixteen");
        assert_eq!(cut(&cuts, 9), None, "older than what is known");
        assert_eq!(cut(&cuts, 61), None, "newer than what is known");
        assert_eq!(cuts.cut(Cursor { epoch: Epoch(2), seq: seq(50) }), None, "of another lineage");
    }

    #[test]
    fn the_only_delta_of_an_empty_log_starts_at_its_floor() {
        let cuts = cuts(10, [], 12);
        assert_eq!(
            [9, 10, 11, 12, 13].map(|held| cut(&cuts, held)),
            [None, Some(10), Some(10), Some(10), None]
        );
    }

    proptest! {
        /// Trace 17: many different cursors share a few deltas.
        #[test]
        fn there_are_few_deltas_and_each_contains_all_missing_entries(
            gaps in prop::collection::vec(1u64..5, 0..600),
            trimmed in 0u64..500,
        ) {
            let entries: Vec<u64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let last = entries.last().copied().unwrap_or(0);
            let cuts = cuts(trimmed.min(last), entries.clone(), last);
            let mut made = BTreeSet::new();
            for held in 0..=last {
                let Some(cut) = cut(&cuts, held) else { continue };
                let lacking = entries.iter().filter(|entry| **entry > held).count();
                let told = entries.iter().filter(|entry| **entry > cut).count();
                prop_assert!(cut <= held);
                prop_assert!(told >= lacking && told <= 4 * lacking);
                made.insert(cut);
            }
            prop_assert!(made.len() <= 2 + (entries.len().max(1)).ilog(4) as usize + 1, "{made:?}");
        }
    }
}
