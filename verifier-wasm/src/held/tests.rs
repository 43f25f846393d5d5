use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::cursor::{Epoch, Seq};

mod every_order;

const START: u64 = 1_767_225_600;

fn list(epoch: u64, seq: u64, since: Option<u64>, iat: u64, retain_secs: u64) -> RevocationList {
    RevocationList {
        issuer: "https://issuer.example".into(),
        issued_at: UnixSeconds::saturating_new(iat),
        ttl_secs: 10,
        retain_secs,
        leeway_secs: 60,
        epoch: Epoch(epoch),
        seq: Seq::new(seq).unwrap(),
        since: since.map(|since| Seq::new(since).unwrap()),
        cutoff: UnixSeconds::ZERO,
        jwks: None,
        revoked: HandleSet::default(),
    }
}

fn host(monotonic: u64) -> HostTime {
    HostTime { wall: UnixSeconds::ZERO, monotonic: Duration::from_secs(monotonic) }
}

/// Handles in four blocks.
fn handle(short: u8) -> Handle {
    Handle::from_parts(1 + u64::from(short % 4), u16::from(short)).unwrap()
}

/// A list that arrives some time after the previous event.
#[derive(Debug, Clone)]
struct Arrival {
    after: u64,
    /// The list's sequence number, relative to the highest sequence number so far.
    advance: i64,
    /// The seconds between the list's `iat` and its arrival.
    age: u64,
    /// For a delta, its sequence number minus its `since`. `None` for a snapshot.
    delta_back: Option<u64>,
    new_epoch: bool,
    revoked: BTreeSet<u8>,
    retain: u64,
    cutoff: u64,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (
        0_u64..400,
        -2_i64..5,
        prop_oneof![3 => 0_u64..3, 1 => 0_u64..2000],
        proptest::option::of(0_u64..6),
        prop::bool::weighted(0.05),
        btree_set(any::<u8>(), 0..4),
        prop_oneof![4 => Just(1000_u64), 1 => 500_u64..1500],
        0_u64..100,
    )
        .prop_map(|(after, advance, age, delta_back, new_epoch, revoked, retain, cutoff)| Arrival {
            after,
            advance,
            age,
            delta_back,
            new_epoch,
            revoked,
            retain,
            cutoff,
        })
}

/// The state that the rules require for a handle that was on an accepted list.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The as-of time of the last list that named the handle.
    brought: u64,
    /// Becomes true when a list arrives whose `iat` is later than `brought` plus `retain`. From then on the verifier is
    /// allowed to remove the handle. When a list arrives whose `iat` is later than `brought` plus twice `retain`, the
    /// verifier must remove the handle.
    may_leave: bool,
}

/// The simplest model of the data that a verifier holds.
#[derive(Debug, Default)]
struct Model {
    position: Option<(u64, u64)>,
    as_of: u64,
    cutoff: u64,
    longest_retain: u64,
    entries: BTreeMap<u8, Entry>,
}

impl Model {
    fn takes(&self, epoch: u64, seq: u64, iat: u64, since: Option<u64>) -> bool {
        match self.position {
            None => since.is_none(),
            Some((held_epoch, _)) if held_epoch != epoch => since.is_none() && iat >= self.as_of,
            Some((_, held)) => {
                (seq > held || seq == held && iat >= self.as_of) && since.is_none_or(|since| since <= held)
            }
        }
    }

    fn apply(&mut self, list: &RevocationList, revoked: &BTreeSet<u8>) {
        let iat = list.issued_at.as_secs();
        self.position = Some((list.epoch.0, list.seq.get()));
        self.as_of = self.as_of.max(iat);
        self.cutoff = self.cutoff.max(list.cutoff.as_secs());
        self.longest_retain = self.longest_retain.max(list.retain_secs);
        let retain = self.longest_retain;
        self.entries.retain(|_, entry| entry.brought + 2 * retain >= iat);
        for entry in self.entries.values_mut() {
            entry.may_leave |= entry.brought + retain < iat;
        }
        for short in revoked {
            self.entries.insert(*short, Entry { brought: self.as_of, may_leave: false });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The lists arrive in any order, and their ages differ. A verifier accepts a list if FORMAT.md §7 allows it, and
    /// refuses all other lists. An entry is removed only by a newer list, and only after `retain`. The as-of time, the
    /// cut-off and the verifier's time never decrease.
    #[test]
    fn lists_are_accepted_and_entries_removed_according_to_the_rules(arrivals in vec(arrival(), 1..60)) {
        let mut held: Option<HeldList> = None;
        let mut model = Model::default();
        let (mut now, mut epoch, mut highest) = (START, 1, 100_u64);
        let mut last_time = UnixSeconds::ZERO;
        for arrival in arrivals {
            now += arrival.after;
            epoch += u64::from(arrival.new_epoch);
            let seq = highest.saturating_add_signed(arrival.advance);
            highest = highest.max(seq);
            let since = arrival.delta_back.map(|back| seq.saturating_sub(back));
            let iat = now - arrival.age;
            let mut list = list(epoch, seq, since, iat, arrival.retain);
            list.cutoff = UnixSeconds::saturating_new(START + arrival.cutoff);
            list.revoked = HandleSet::from_handles(arrival.revoked.iter().map(|short| handle(*short)));

            let judged = judge(held.as_ref(), &list);
            prop_assert_eq!(judged.is_ok(), model.takes(epoch, seq, iat, since), "{:?}", judged);
            if judged == Ok(LoadOutcome::Applied) {
                model.apply(&list, &arrival.revoked);
                match &mut held {
                    Some(held) => held.apply(list, host(now)),
                    None => held = Some(HeldList::new(list, host(now))),
                }
            }

            let Some(held) = &held else { continue };
            prop_assert_eq!(held.as_of().as_secs(), model.as_of);
            prop_assert_eq!(held.cutoff().as_secs(), model.cutoff);
            let time = held.now(host(now));
            prop_assert!(time >= last_time.max(held.as_of()), "time went back");
            last_time = time;
            for short in 0..=u8::MAX {
                match model.entries.get(&short) {
                    None => prop_assert!(!held.contains(handle(short)), "{} was never brought or has left", short),
                    Some(entry) if entry.may_leave => {}
                    Some(entry) => prop_assert!(held.contains(handle(short)), "{} left: {:?}", short, entry),
                }
            }
            let distinct = (0..=u8::MAX).filter(|short| held.contains(handle(*short))).count();
            prop_assert_eq!(held.entries(), distinct, "a handle is in one segment");
        }
    }
}

/// With one kick per second for an hour, the number of segments stays small. So the cost of a search stays small too.
#[test]
fn the_number_of_segments_stays_small() {
    let mut held = HeldList::new(list(1, 0, None, START, 1020), host(0));
    let mut most = 0;
    for second in 1..3600 {
        let mut delta = list(1, second, Some(second - 1), START + second, 1020);
        delta.revoked = HandleSet::from_handles(Handle::from_parts(second % 7, second as u16));
        held.apply(delta, host(second));
        most = most.max(held.segments.len());
        assert!(held.entries() <= 1020 + 1020 / 8 + 1, "{} entries", held.entries());
    }
    assert!(most <= 12, "{most} segments");
}

/// Applying a small delta to a large list does not rewrite the large segment.
#[test]
fn a_large_segment_is_not_rewritten() {
    let mut first = list(1, 0, None, START, 1020);
    first.revoked = HandleSet::from_handles((1..=20_000).filter_map(|number| Handle::new(number * 7)));
    let mut held = HeldList::new(first, host(0));
    let before = held.segments[0].handles.as_bytes().as_ptr();
    for second in 1..50 {
        let mut delta = list(1, second, Some(0), START + second, 1020);
        delta.revoked = HandleSet::from_handles((1..=second).filter_map(|number| Handle::new(number << 40)));
        held.apply(delta, host(second));
    }
    assert_eq!(held.segments[0].handles.as_bytes().as_ptr(), before);
    assert_eq!(held.segments.len(), 2);
}
