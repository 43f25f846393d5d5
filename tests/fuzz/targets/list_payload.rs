//! Any bytes as the payload of a list, or, if they do not begin with `{`, as a set of handles.

#![no_main]

use doorlist_verifier::{HandleSet, RevocationList};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"{") {
        let Ok(list) = RevocationList::decode(bytes) else { return };
        let written = serde_json::to_vec(&list).expect("a list serialises");
        assert_eq!(RevocationList::decode(&written).expect("our own"), list);
        assert!(list.since.is_none_or(|since| since <= list.seq));
        handles(list.revoked.as_bytes());
    } else {
        handles(bytes);
    }
});

fn handles(bytes: &[u8]) {
    let Ok(set) = HandleSet::decode(bytes) else { return };
    let handles: Vec<_> = set.iter().collect();
    assert!(handles.is_sorted_by(|a, b| a < b) && handles.len() == set.len());
    assert_eq!(HandleSet::from_handles(handles.iter().copied()), set, "two spellings of one set");
    for handle in handles.iter().take(64) {
        assert!(set.contains(*handle));
    }
    let odd = HandleSet::from_handles(handles.iter().copied().filter(|handle| handle.get() % 2 == 1));
    let even = set.difference(&odd);
    assert!(!odd.intersects(&even) && odd.union(&even) == set);
}
