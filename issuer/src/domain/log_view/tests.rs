use doorlist_verifier::Epoch;

use super::*;
use crate::domain::Revoked;
use crate::domain::fixtures::{alice, at, handle};

fn seq(number: u64) -> Seq {
    Seq::new(number).expect("a sequence")
}

fn settings() -> LogSettings {
    LogSettings { epoch: Epoch(1), retain_secs: 100, cutoff: at(0), sessions_since: at(0) }
}

/// A page of the entries `from ..= to`. Entry n has the time n and the handle n.
fn page(from: u64, to: u64) -> LogPage {
    let entries = (from..=to).map(|number| {
        let revocation =
            Revocation::Group { gid: handle(number), next: handle(number + 1), and: GroupEnd::Kick };
        let revoked = Revoked { sub: alice(), revocation };
        LogEntry { seq: seq(number), at: at(number), entry: Appended::Revoked(revoked) }
    });
    LogPage { entries: entries.collect(), continues: true, last: seq(to), settings: settings(), now: at(to) }
}

fn numbers(view: &LogView) -> Vec<u64> {
    view.handles_since(Seq::ZERO).map(Handle::get).collect()
}

#[test]
fn pages_may_overlap_or_arrive_late() {
    let mut view = LogView::new(&page(1, 3));
    assert_eq!(view.apply(&page(2, 6)), Applied::News);
    assert_eq!(view.apply(&page(4, 5)), Applied::Nothing);
    assert_eq!(numbers(&view), [1, 2, 3, 4, 5, 6]);
    assert_eq!(view.position().seq, seq(6));
    assert_eq!(view.of(&alice()).revoked.len(), 6);
    assert_eq!(view.handles_since(seq(4)).map(Handle::get).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_log_that_does_not_continue_is_not_applied() {
    let mut view = LogView::new(&page(1, 3));
    let other = LogSettings { epoch: Epoch(2), ..settings() };
    assert_eq!(view.apply(&LogPage { settings: other, ..page(4, 5) }), Applied::Broken);
    assert_eq!(view.apply(&LogPage { continues: false, ..page(4, 5) }), Applied::Broken);
    assert_eq!(numbers(&view), [1, 2, 3]);
}

#[test]
fn the_settings_of_the_log_never_decrease() {
    let mut view = LogView::new(&page(1, 1));
    let raised = LogSettings { retain_secs: 200, cutoff: at(7), ..settings() };
    assert_eq!(view.apply(&LogPage { settings: raised, ..page(2, 1) }), Applied::News);
    assert_eq!(view.apply(&page(2, 1)), Applied::Nothing);
    assert_eq!(*view.settings(), raised);
}

#[test]
fn entries_older_than_retain_are_dropped() {
    let mut view = LogView::new(&page(10, 20));
    assert_eq!((view.floor(), view.expired_through(at(110))), (seq(10), None));
    assert_eq!(view.expired_through(at(115)), Some(seq(14)));
    assert_eq!(view.subjects_through(seq(14)), [alice()]);
    view.trim(seq(14));
    assert_eq!(numbers(&view), (15..=20).collect::<Vec<_>>());
    assert_eq!((view.floor(), view.position().seq, view.of(&alice()).revoked.len()), (seq(14), seq(20), 6));
    assert_eq!((view.len(), view.is_empty()), (6, false));
    view.trim(seq(20));
    assert_eq!((view.len(), view.is_empty()), (0, true));
    assert!(view.by_subject.is_empty(), "no memory is kept for a subject without entries");
}

#[test]
fn the_last_change_of_the_keys_is_remembered() {
    let mut view = LogView::new(&page(1, 3));
    assert_eq!(view.last_key_change(), Seq::ZERO);
    let key = Appended::Key { kid: "kid".into() };
    view.apply(&LogPage { entries: vec![LogEntry { seq: seq(4), at: at(4), entry: key }], ..page(4, 4) });
    view.apply(&page(5, 6));
    assert_eq!(view.last_key_change(), seq(4));
    view.renew(&page(5, 6));
    assert_eq!(view.last_key_change(), seq(4), "also after the entry is gone");
}

#[test]
fn only_young_entries_that_are_not_marks_count_as_lost() {
    let mut view = LogView::new(&page(1, 9));
    view.apply(&LogPage {
        entries: vec![LogEntry { seq: seq(10), at: at(10), entry: Appended::Mark }],
        ..page(10, 10)
    });
    let lost = |log: &LogPage| view.lost_by(log).map(|lost| lost.seq.get()).collect::<Vec<_>>();
    let log = LogPage { last: seq(9), ..page(1, 5) };
    assert_eq!(lost(&log), [6, 7, 8, 9]);
    assert_eq!(lost(&LogPage { now: at(107), ..log.clone() }), [7, 8, 9]);
    assert_eq!(
        lost(&LogPage { settings: LogSettings { retain_secs: 50, ..settings() }, now: at(107), ..log }),
        [7, 8, 9]
    );
}

#[test]
fn renewing_would_forget_lost_entries_but_not_newer_ones() {
    let mut view = LogView::new(&page(1, 3));
    view.apply(&page(4, 9));
    assert!(!view.would_forget(&page(1, 7)));
    assert!(view.would_forget(&LogPage { last: seq(8), ..page(1, 7) }));
    let other = LogSettings { epoch: Epoch(2), ..settings() };
    assert!(view.would_forget(&LogPage { settings: other, ..page(1, 7) }));
    assert!(!view.would_forget(&LogPage { settings: other, ..page(1, 9) }));
}

#[test]
fn renewing_keeps_newer_entries() {
    let mut view = LogView::new(&page(1, 3));
    view.apply(&page(4, 9));
    view.renew(&page(5, 7));
    assert_eq!(numbers(&view), [5, 6, 7, 8, 9]);
    assert_eq!((view.position().seq, view.floor()), (seq(9), seq(5)));
    let other = LogPage { settings: LogSettings { epoch: Epoch(2), ..settings() }, ..page(2, 3) };
    view.renew(&other);
    assert_eq!((numbers(&view), view.position()), (vec![2, 3], other.position()));
}

#[test]
fn the_share_of_a_subject_counts_each_handle_once_until_it_expires() {
    let view = LogView::new(&page(1, 3));
    let log = view.of(&alice());
    assert_eq!(log.full_for_secs(4, at(3)), None);
    assert_eq!(log.full_for_secs(3, at(3)), Some(1 + 100 + 1 - 3));
    assert_eq!(log.full_for_secs(2, at(3)), Some(2 + 100 + 1 - 3));
    assert_eq!(log.full_for_secs(3, at(101)), Some(1));
    assert_eq!(log.full_for_secs(3, at(102)), None);
}
