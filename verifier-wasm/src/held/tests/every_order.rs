//! Every order of up to three lists of a small alphabet: no random choice, so nothing in this scope is left out.

use super::*;

/// The entry that the revocation log of epoch 1 has at sequence number 1.
const ENTRY: u8 = 7;
const RETAIN: u64 = 2;

/// A path through the lists, and what the rules require after it.
#[derive(Clone)]
struct Path {
    held: Option<HeldList>,
    /// The time until which [`ENTRY`] must be held, after a list brought it.
    kept_until: Option<u64>,
    /// Whether a list proved that this time is over.
    is_over: bool,
}

/// All lists that an honest issuer can sign in this scope: two epochs, three positions, three times, snapshots and
/// deltas. The log of epoch 2 lacks the entry, as after a failover that lost it.
fn alphabet() -> Vec<RevocationList> {
    let mut lists = Vec::new();
    for (epoch, seq, iat) in (1..3)
        .flat_map(|epoch| (0..3).flat_map(move |seq| [0, 1, 3].into_iter().map(move |iat| (epoch, seq, iat))))
    {
        for since in std::iter::once(None).chain((0..=seq).map(Some)) {
            let mut list = list(epoch, seq, since, START + iat, RETAIN);
            if epoch == 1 && seq >= 1 && since.is_none_or(|since| since < 1) {
                list.revoked = HandleSet::from_handles([handle(ENTRY)]);
            }
            lists.push(list);
        }
    }
    lists
}

#[test]
fn in_every_order_of_three_lists_no_entry_is_skipped_and_nothing_goes_back() {
    let alphabet = alphabet();
    assert_eq!(alphabet.len(), 54);
    let mut accepted = 0;
    walk(&Path { held: None, kept_until: None, is_over: false }, &alphabet, 3, &mut accepted);
    assert!(accepted > 1000, "{accepted} of all paths were accepted to their end");
}

fn walk(path: &Path, alphabet: &[RevocationList], left: usize, accepted: &mut usize) {
    if left == 0 {
        *accepted += 1;
        return;
    }
    for list in alphabet {
        if let Some(next) = step(path, list) {
            walk(&next, alphabet, left - 1, accepted);
        }
    }
}

/// Offers a list. Returns the path after it, or `None` if the list brought nothing.
fn step(path: &Path, list: &RevocationList) -> Option<Path> {
    let outcome = judge(path.held.as_ref(), list);
    let Some(held) = &path.held else {
        assert_eq!(outcome.is_ok(), list.since.is_none(), "the first list is a snapshot: {list:?}");
        outcome.ok()?;
        let held = HeldList::new(list.clone(), host(0));
        return Some(checked(Path { held: Some(held), ..path.clone() }, list));
    };
    let is_same_epoch = list.epoch == held.cursor.epoch;
    let is_same = list.cursor() == held.cursor && list.issued_at == held.as_of;
    assert_eq!(outcome == Ok(LoadOutcome::Unchanged), is_same, "{list:?} on {held:?}");
    let begins_too_late = list.since.is_some_and(|since| !is_same_epoch || since > held.cursor.seq);
    let is_older = if is_same_epoch {
        (list.seq, list.issued_at) < (held.cursor.seq, held.as_of)
    } else {
        list.issued_at < held.as_of
    };
    assert_eq!(outcome.is_err(), !is_same && (begins_too_late || is_older), "{list:?} on {held:?}");
    if outcome != Ok(LoadOutcome::Applied) {
        return None;
    }
    let mut next = path.clone();
    next.held.as_mut()?.apply(list.clone(), host(0));
    Some(checked(next, list))
}

/// Asserts what must hold after each accepted list.
fn checked(mut path: Path, list: &RevocationList) -> Path {
    let held = path.held.as_ref().expect("a list was accepted");
    assert_eq!(held.cursor, list.cursor());
    assert!(held.as_of >= list.issued_at, "the as-of time does not go back");
    if path.kept_until.is_some_and(|until| list.issued_at.as_secs() > until) {
        (path.kept_until, path.is_over) = (None, true);
    }
    if list.revoked.contains(handle(ENTRY)) {
        path.kept_until = Some(held.as_of.as_secs() + RETAIN);
    }
    let covers_the_entry = list.epoch == Epoch(1) && list.seq.get() >= 1 && !path.is_over;
    if path.kept_until.is_some() || covers_the_entry {
        assert!(held.contains(handle(ENTRY)), "the entry was forgotten: {list:?}, {held:?}");
    }
    path
}
