//! Tests that every backend must pass. The tests of each backend run [`all`] on new stores.

use std::sync::Arc;

use doorlist_verifier::{Cursor, Epoch, Handle, Seq, UnixSeconds};

use super::clock::ManualClock;
use super::{Commit, Committed, Readings, Store, StoreError, Swap, TALLY_SECS, TallyChange, Version};
use crate::domain::{
    Appended, AuditEvent, AuditKind, GroupEnd, LogEntry, LogSettings, NewEntry, Record, Revocation, Revoked,
    Subject,
};

/// Runs every case, each on its own store. `open` opens a store that uses the given clock.
pub(crate) async fn all<S: Store>(open: impl AsyncFn(ManualClock) -> S) {
    let fresh = async || {
        let clock = ManualClock::at(START);
        Case { store: Arc::new(open(clock.clone()).await), clock }
    };
    a_new_store_is_empty(fresh().await).await;
    a_commit_swaps_and_appends(fresh().await).await;
    several_records_come_in_their_order_and_news_after_them(fresh().await).await;
    a_conflict_swaps_nothing(fresh().await).await;
    of_many_swaps_of_one_state_one_wins(fresh().await).await;
    a_version_is_never_used_twice(fresh().await).await;
    sequences_grow_past_the_callers_and_the_clocks(fresh().await).await;
    the_clock_never_goes_back(fresh().await).await;
    news_wakes_who_waits(fresh().await).await;
    a_confirmation_tells_whole_from_missing(fresh().await).await;
    trimming_drops_the_beginning(fresh().await).await;
    limits_only_rise(fresh().await).await;
    a_cutoff_is_the_next_second_and_never_falls(fresh().await).await;
    a_restored_cutoff_keeps_its_time(fresh().await).await;
    the_key_ring_is_swapped_whole(fresh().await).await;
    the_installation_is_swapped_whole(fresh().await).await;
    subjects_come_in_pages(fresh().await).await;
    events_come_newest_first(fresh().await).await;
    tallies_are_swapped_together(fresh().await).await;
    of_many_swaps_of_one_tally_one_wins(fresh().await).await;
}

const START: u64 = 1_767_225_600;

struct Case<S> {
    store: Arc<S>,
    clock: ManualClock,
}

impl<S: Store> Case<S> {
    async fn commit(&self, commit: Commit) -> Committed {
        self.store.commit(commit).await.expect("a commit")
    }

    async fn append(&self, entry: NewEntry, seen: Seq) -> Cursor {
        self.commit(Commit { entries: vec![entry], seen, ..Commit::default() }).await.position
    }

    async fn swap(&self, name: &str, expected: Option<Version>, record: Record) -> bool {
        let swap = Some(Swap { sub: subject(name), expected, record });
        self.commit(Commit { swap, ..Commit::default() }).await.swapped
    }

    async fn read(&self, name: &str) -> Option<(Version, Record)> {
        self.store.read(&subject(name), Seq::ZERO).await.expect("a reading").record
    }

    async fn log(&self) -> Vec<LogEntry> {
        self.store.log_since(Seq::ZERO).await.expect("the log").entries
    }

    async fn settings(&self) -> LogSettings {
        self.store.settings().await.expect("settings")
    }
}

fn subject(name: &str) -> Subject {
    name.try_into().expect("a subject")
}

fn record(gid: u64) -> Record {
    Record::new(handle(gid))
}

fn handle(number: u64) -> Handle {
    Handle::new(number).expect("a handle")
}

fn revoked(gid: u64) -> NewEntry {
    let revocation = Revocation::Group { gid: handle(gid), next: handle(gid + 1), and: GroupEnd::Kick };
    NewEntry::Revoked(Revoked { sub: subject("alice"), revocation })
}

fn after(seq: Seq, by: u64) -> Seq {
    Seq::new(seq.get() + by).expect("a sequence")
}

async fn a_new_store_is_empty<S: Store>(case: Case<S>) {
    assert_eq!(case.read("alice").await, None);
    let log = case.store.log_since(Seq::ZERO).await.expect("the log");
    assert!(log.entries.is_empty());
    assert_eq!((log.last, log.now.as_secs()), (Seq::ZERO, START));
    assert_eq!((log.settings.cutoff, log.settings.sessions_since), (UnixSeconds::ZERO, UnixSeconds::ZERO));
    assert_eq!(case.store.keys().await, Ok(None));
    assert!(case.store.subjects(None, 10).await.expect("a page").is_empty());
    assert_eq!(case.store.audit(None, 10).await, Ok(Vec::new()));
}

async fn a_commit_swaps_and_appends<S: Store>(case: Case<S>) {
    let committed = case
        .commit(Commit {
            entries: vec![revoked(1), NewEntry::Mark],
            swap: Some(Swap { sub: subject("alice"), expected: None, record: record(2) }),
            ..Commit::default()
        })
        .await;
    assert!(committed.swapped);
    let reading = case.store.read(&subject("alice"), Seq::ZERO).await.expect("a reading");
    assert_eq!(reading.record.map(|(_, record)| record), Some(record(2)));
    assert_eq!(reading.news.position(), committed.position);
    let [first, second] = &reading.news.entries[..] else { panic!("not two entries") };
    assert!(first.seq < second.seq && second.seq == committed.position.seq);
    assert_eq!((first.at.as_secs(), &second.entry), (START, &Appended::Mark));
    let page = case.store.read(&subject("alice"), first.seq).await.expect("a reading").news;
    assert_eq!(page.entries, std::slice::from_ref(second));
}

async fn several_records_come_in_their_order_and_news_after_them<S: Store>(case: Case<S>) {
    let names: Vec<_> = (1..=40).map(|number| format!("subject-{}", 41 - number)).collect();
    for (name, gid) in names.iter().zip(1..).filter(|(_, gid)| gid % 5 != 0) {
        assert!(case.swap(name, None, record(gid)).await);
    }
    let first = case.append(NewEntry::Mark, Seq::ZERO).await;
    let second = case.append(NewEntry::Mark, first.seq).await;
    let subjects: Vec<_> = names.iter().map(|name| subject(name)).collect();
    let Readings { records, news } =
        case.store.read_several(&subjects, first.seq).await.expect("the records");
    assert_eq!(records.len(), names.len());
    for ((found, gid), name) in records.into_iter().zip(1..).zip(&names) {
        let found = found.expect("a result");
        assert_eq!(found.as_ref().map(|(_, record)| record), Some(&record(gid)).filter(|_| gid % 5 != 0));
        assert_eq!(found, case.read(name).await, "the version is the one that a swap needs");
    }
    assert_eq!((news.position(), news.entries.len()), (second, 1));
}

async fn a_conflict_swaps_nothing<S: Store>(case: Case<S>) {
    assert!(case.swap("alice", None, record(1)).await);
    let (version, _) = case.read("alice").await.expect("a record");
    assert!(!case.swap("alice", None, record(2)).await);
    assert!(case.swap("alice", Some(version), record(3)).await);
    assert!(!case.swap("alice", Some(version), record(4)).await);
    assert!(!case.swap("bob", Some(version), record(5)).await);
    assert_eq!(case.read("alice").await.expect("a record").1, record(3));
    assert_eq!(case.read("bob").await, None);
}

async fn of_many_swaps_of_one_state_one_wins<S: Store>(case: Case<S>) {
    assert!(case.swap("alice", None, record(1)).await);
    let (version, _) = case.read("alice").await.expect("a record");
    let swaps = (2..52).map(|gid| case.swap("alice", Some(version), record(gid)));
    let others = (0..50).map(|number| {
        let name = format!("subject-{number:02}");
        let case = &case;
        async move { case.swap(&name, None, record(1)).await }
    });
    let (won, made) =
        tokio::join!(futures_util::future::join_all(swaps), futures_util::future::join_all(others));
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    assert!(made.into_iter().all(|made| made), "a conflict does not affect other commits");
}

async fn a_version_is_never_used_twice<S: Store>(case: Case<S>) {
    assert!(case.swap("alice", None, record(1)).await);
    let (first, _) = case.read("alice").await.expect("a record");
    assert!(case.store.forget(&subject("alice"), first).await.expect("an answer"));
    assert!(!case.store.forget(&subject("alice"), first).await.expect("an answer"));
    assert_eq!(case.read("alice").await, None);
    assert!(case.swap("alice", None, record(2)).await);
    assert!(!case.swap("alice", Some(first), record(3)).await);
    assert!(!case.store.forget(&subject("alice"), first).await.expect("an answer"));
    assert_eq!(case.read("alice").await.expect("a record").1, record(2));
}

/// Trace 2: no two entries get the same sequence number, even if a failover has lost one of the two entries.
async fn sequences_grow_past_the_callers_and_the_clocks<S: Store>(case: Case<S>) {
    let first = case.append(NewEntry::Mark, Seq::ZERO).await.seq;
    assert_eq!(first.get(), START * 1_000_000);
    let second = case.append(NewEntry::Mark, Seq::ZERO).await.seq;
    assert_eq!(second, after(first, 1));
    let third = case.append(NewEntry::Mark, after(second, 500)).await.seq;
    assert_eq!(third, after(second, 501));
    case.clock.advance(10);
    let fourth = case.append(NewEntry::Mark, Seq::ZERO).await.seq;
    assert_eq!(fourth.get(), (START + 10) * 1_000_000);
}

async fn the_clock_never_goes_back<S: Store>(case: Case<S>) {
    case.clock.advance(100);
    let late = case.store.log_since(Seq::ZERO).await.expect("the log").now;
    case.clock.set(START - 1000);
    assert_eq!(case.store.log_since(Seq::ZERO).await.expect("the log").now, late);
    case.append(NewEntry::Mark, Seq::ZERO).await;
    assert_eq!(case.log().await[0].at, late);
}

async fn news_wakes_who_waits<S: Store>(case: Case<S>) {
    let store = case.store.clone();
    let waiting = tokio::spawn(async move { store.wait_for_news(Seq::ZERO).await });
    let position = case.append(NewEntry::Mark, Seq::ZERO).await;
    waiting.await.expect("no panic").expect("news");
    // The revocation log already has a later entry, so this call returns at once.
    case.store.wait_for_news(Seq::new(position.seq.get() - 1).expect("a sequence")).await.expect("news");
}

async fn a_confirmation_tells_whole_from_missing<S: Store>(case: Case<S>) {
    let epoch = case.settings().await.epoch;
    let confirm = async |epoch, seq| case.store.confirm(Cursor { epoch, seq }).await.expect("an answer");
    assert!(confirm(epoch, Seq::ZERO).await.whole);
    let first = case.append(revoked(1), Seq::ZERO).await.seq;
    let second = case.append(revoked(2), Seq::ZERO).await.seq;
    let last = case.append(revoked(3), after(second, 7)).await.seq;
    let at_end = confirm(epoch, last).await;
    assert!(at_end.whole);
    assert_eq!((at_end.position, at_end.now.as_secs()), (Cursor { epoch, seq: last }, START));
    assert!(confirm(epoch, first).await.whole, "there are only new entries");
    assert!(!confirm(epoch, after(second, 1)).await.whole, "the store never had this entry, or lost it");
    assert!(!confirm(epoch, after(last, 1)).await.whole, "the store is behind the node");
    assert!(!confirm(Epoch(epoch.0.wrapping_add(1)), last).await.whole, "the epochs differ");
    let continues = async |seq| case.store.log_since(seq).await.expect("the log").continues;
    assert!(continues(Seq::ZERO).await && continues(first).await && continues(last).await);
    assert!(!continues(after(second, 1)).await && !continues(after(last, 1)).await);
    case.store.trim(second).await.expect("an answer");
    assert!(continues(Seq::ZERO).await && continues(first).await);
    assert!(confirm(epoch, first).await.whole, "a trimmed entry is not missing");
}

async fn trimming_drops_the_beginning<S: Store>(case: Case<S>) {
    let first = case.append(revoked(1), Seq::ZERO).await.seq;
    let last = case.append(revoked(2), Seq::ZERO).await.seq;
    case.store.trim(first).await.expect("an answer");
    assert_eq!(case.log().await.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [last]);
    case.store.trim(last).await.expect("an answer");
    let log = case.store.log_since(Seq::ZERO).await.expect("the log");
    assert!(log.entries.is_empty());
    assert_eq!(log.last, last);
}

async fn limits_only_rise<S: Store>(case: Case<S>) {
    let found = case.settings().await;
    let time = |seconds| UnixSeconds::new(seconds).expect("a time");
    let wanted = LogSettings { retain_secs: 1020, cutoff: time(7), sessions_since: time(5), ..found };
    assert_eq!(case.store.merge_settings(wanted).await, Ok(wanted));
    let lower = LogSettings { retain_secs: 100, cutoff: time(8), sessions_since: time(4), ..found };
    let merged = LogSettings { cutoff: time(8), ..wanted };
    assert_eq!(case.store.merge_settings(lower).await, Ok(merged));
    let foreign = LogSettings { epoch: Epoch(found.epoch.0.wrapping_add(1)), ..merged };
    assert_eq!(case.store.merge_settings(foreign).await, Ok(merged), "the store's epoch does not change");
    assert_eq!(case.settings().await, merged);
}

/// Trace 12: a cut-off at 12:00:00.7 must void a token of 12:00:00.2. So the cut-off is set to the next second.
async fn a_cutoff_is_the_next_second_and_never_falls<S: Store>(case: Case<S>) {
    case.append(NewEntry::Cutoff { end_sessions: false }, Seq::ZERO).await;
    let settings = case.settings().await;
    assert_eq!((settings.cutoff.as_secs(), settings.sessions_since), (START + 1, UnixSeconds::ZERO));
    // A token that is issued after the first cut-off, but in the same second, has the first cut-off as its `iat`. The
    // second cut-off must void this token too.
    case.append(NewEntry::Cutoff { end_sessions: false }, Seq::ZERO).await;
    assert_eq!(case.settings().await.cutoff.as_secs(), START + 2);
    case.clock.advance(5);
    case.append(NewEntry::Cutoff { end_sessions: true }, Seq::ZERO).await;
    let settings = case.settings().await;
    assert_eq!((settings.cutoff.as_secs(), settings.sessions_since.as_secs()), (START + 6, START + 6));
    let last = case.log().await.pop().expect("an entry").entry;
    assert_eq!(last, Appended::Cutoff { cutoff: settings.cutoff, end_sessions: true });
}

async fn a_restored_cutoff_keeps_its_time<S: Store>(case: Case<S>) {
    let cutoff = UnixSeconds::new(START - 50).expect("a time");
    let entry = Appended::Cutoff { cutoff, end_sessions: true };
    case.append(NewEntry::Restored(entry.clone()), Seq::ZERO).await;
    let settings = case.settings().await;
    assert_eq!((settings.cutoff, settings.sessions_since), (cutoff, cutoff));
    assert_eq!(case.log().await[0].entry, entry);
}

async fn the_key_ring_is_swapped_whole<S: Store>(case: Case<S>) {
    let key = || vec![NewEntry::Key { kid: "kid".into() }];
    let swap = async |expected, ring: &[u8], entries| {
        case.store.swap_keys(expected, ring.to_vec(), entries, Seq::ZERO).await.expect("an answer")
    };
    assert!(swap(None, b"one", key()).await.swapped);
    let (version, ring) = case.store.keys().await.expect("an answer").expect("a ring");
    assert_eq!(ring, b"one");
    assert!(!swap(None, b"two", Vec::new()).await.swapped);
    assert!(swap(Some(version), b"three", Vec::new()).await.swapped);
    assert!(!swap(Some(version), b"four", Vec::new()).await.swapped);
    assert_eq!(case.store.keys().await.expect("an answer").expect("a ring").1, b"three");
    assert_eq!(case.log().await[0].entry, Appended::Key { kid: "kid".into() });
}

async fn the_installation_is_swapped_whole<S: Store>(case: Case<S>) {
    let read = async || case.store.installation().await.expect("an answer");
    let swap = async |expected, bytes: &[u8]| {
        case.store.swap_installation(expected, bytes.to_vec()).await.expect("an answer")
    };
    assert_eq!(read().await, None);
    assert!(swap(None, b"one").await);
    let (version, bytes) = read().await.expect("a stored installation");
    assert_eq!(bytes, b"one");
    assert!(!swap(None, b"two").await);
    assert!(swap(Some(version), b"three").await);
    assert!(!swap(Some(version), b"four").await);
    assert_eq!(read().await.expect("a stored installation").1, b"three");
    assert_eq!(case.store.keys().await, Ok(None), "the key ring is stored separately");
    assert!(case.log().await.is_empty());
}

async fn subjects_come_in_pages<S: Store>(case: Case<S>) {
    for name in ["carol", "alice", "bob", "élodie"] {
        assert!(case.swap(name, None, record(1)).await);
    }
    let page = async |after: Option<&str>, limit| {
        let after = after.map(subject);
        let rows = case.store.subjects(after.as_ref(), limit).await.expect("a page");
        rows.iter().map(|row| row.sub.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, ["alice", "bob"]);
    assert_eq!(page(Some("bob"), 2).await, ["carol", "élodie"]);
    assert_eq!(page(Some("bobby"), 1).await, ["carol"]);
    assert!(page(Some("élodie"), 2).await.is_empty());
}

async fn events_come_newest_first<S: Store>(case: Case<S>) {
    for gid in 1..=3 {
        let audit = vec![AuditEvent::of(AuditKind::Kicked, &subject("alice"), handle(gid))];
        case.commit(Commit { audit, ..Commit::default() }).await;
    }
    let events = case.store.audit(None, 2).await.expect("events");
    let handles: Vec<_> = events.iter().map(|row| row.event.handle).collect();
    assert_eq!(handles, [Some(handle(3)), Some(handle(2))]);
    assert_eq!(events[0].at.as_secs(), START);
    let older: Result<Vec<_>, StoreError> = case.store.audit(Some(events[1].number), 2).await;
    assert_eq!(older.expect("events")[0].event.handle, Some(handle(1)));
}

fn tally(number: u8, expected: &[u8], value: &[u8]) -> TallyChange {
    TallyChange { name: [number; 16], expected: expected.to_vec(), value: value.to_vec() }
}

async fn tallies_are_swapped_together<S: Store>(case: Case<S>) {
    let read = async || case.store.tallies(&[[1; 16], [2; 16]]).await.expect("the counters");
    let swap =
        async |changes: &[TallyChange]| case.store.swap_tallies(changes.to_vec()).await.expect("an answer");
    let first = read().await;
    assert_eq!((first.now.as_secs(), first.values), (START, vec![Vec::new(), Vec::new()]));
    assert!(swap(&[tally(1, b"", b"a"), tally(2, b"", b"\0\xff")]).await);
    assert!(!swap(&[tally(1, b"a", b"b"), tally(2, b"", b"c")]).await, "the second one has another value");
    assert_eq!(read().await.values, [b"a".to_vec(), b"\0\xff".to_vec()]);
    case.clock.advance(TALLY_SECS);
    // This swap starts a new generation. The counters of the previous one are still read.
    assert!(swap(&[tally(1, b"a", b"b")]).await);
    assert_eq!(read().await.values, [b"b".to_vec(), b"\0\xff".to_vec()]);
    case.clock.advance(TALLY_SECS);
    assert!(swap(&[tally(1, b"b", b"")]).await);
    let last = read().await;
    assert_eq!((last.now.as_secs(), last.values), (START + 2 * TALLY_SECS, vec![Vec::new(), Vec::new()]));
}

async fn of_many_swaps_of_one_tally_one_wins<S: Store>(case: Case<S>) {
    let swaps = (0..50).map(|number| case.store.swap_tallies(vec![tally(1, b"", &[number])]));
    let won = futures_util::future::join_all(swaps).await;
    assert_eq!(won.into_iter().filter(|won| *won == Ok(true)).count(), 1);
}
