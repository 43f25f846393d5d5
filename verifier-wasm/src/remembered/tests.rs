use std::collections::BTreeMap;

use super::*;
use crate::handle::Handle;
use crate::time::UnixSeconds;

/// Returns a distinct text for each number. No test parses the text.
fn token(number: u32) -> Box<[u8]> {
    let words = number.wrapping_mul(0x9e37_79b1);
    format!("header.payload-{number:08}.signature-{words:08x}-{number:08x}A").into_bytes().into()
}

fn terms() -> Terms {
    let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse().unwrap();
    let handle = Handle::new(1).unwrap();
    let time = UnixSeconds::ZERO;
    Terms {
        kid,
        issued_at: time,
        expires_at: time,
        not_before: None,
        gid: handle,
        sid: handle,
        unlisted_after: 0,
    }
}

/// Marks a token as requested. A request with a valid token does the same.
fn want(memory: &mut Memory, number: u32) -> bool {
    let Some(slot) = memory.find(&token(number)) else {
        return false;
    };
    memory.places[slot].is_wanted = true;
    true
}

/// Checks that every token held is in exactly one slot and one chain, and is counted once.
fn check(memory: &Memory) {
    let mut held = BTreeMap::new();
    for (chain, first) in memory.chains.iter().enumerate() {
        let mut slot = *first;
        while let Some(place) = memory.places.get(slot) {
            assert_eq!(memory.chain(place.mark), chain);
            assert_eq!(mark(&place.token), Some(place.mark));
            assert_eq!(held.insert(slot, place.token.len()), None, "a chain meets itself or another");
            slot = place.next;
        }
        assert_eq!(slot, END);
    }
    assert_eq!(held.values().sum::<usize>(), memory.bytes);
    assert_eq!(held.len() + memory.free.len(), memory.places.len());
    assert!(memory.places.len() <= memory.capacity);
    assert!(memory.free.iter().all(|slot| memory.places[*slot].token.is_empty()));
}

#[test]
fn a_token_is_found_only_if_every_byte_matches() {
    let mut memory = Memory::new(8);
    let known = token(7);
    let slot = memory.remember(known.clone(), terms());
    assert_eq!(memory.find(&known), slot);
    for at in 0..known.len() {
        let mut other = known.clone();
        other[at] ^= 1;
        assert_eq!(memory.find(&other), None, "another byte {at}");
    }
    for length in 0..known.len() {
        assert_eq!(memory.find(&known[..length]), None);
        assert_eq!(memory.find(&known[known.len() - length..]), None);
    }
    let longer = [&known[..], b"A"].concat();
    assert_eq!(memory.find(&longer), None);
}

/// The comparison combines words with XOR and OR. With XOR alone, two equal changes would cancel each other.
#[test]
fn two_equal_changes_do_not_cancel_each_other() {
    let known = [b'A'; 23];
    for (first, second) in (0..23).flat_map(|first| (0..first).map(move |second| (first, second))) {
        let mut other = known;
        other[first] ^= 1;
        other[second] ^= 1;
        assert!(!are_same(&known, &other), "the bytes {first} and {second}");
    }
}

/// All tokens in this test end with the same characters, so they have the same mark and chain. Only their beginnings
/// differ.
#[test]
fn tokens_with_the_same_end_are_distinguished() {
    let mut memory = Memory::new(8);
    let text = |number: usize| format!("payload-{number}.the-same-signature").into_bytes().into_boxed_slice();
    let slots: Vec<_> = (0..5).map(|number| memory.remember(text(number), terms())).collect();
    for (number, slot) in slots.iter().enumerate() {
        assert_eq!(memory.find(&text(number)), *slot);
    }
    assert_eq!(memory.find(&text(5)), None);
    check(&memory);
    // Removes the middle, the last and the first token of the chain.
    for number in [2, 0, 4] {
        memory.forget(slots[number].unwrap());
        check(&memory);
        assert_eq!(memory.find(&text(number)), None);
    }
    assert!(memory.find(&text(1)).is_some() && memory.find(&text(3)).is_some());
}

#[test]
fn a_token_remembered_twice_is_held_once() {
    let mut memory = Memory::new(8);
    memory.remember(token(1), terms());
    memory.remember(token(1), terms());
    check(&memory);
    assert_eq!(memory.places.len() - memory.free.len(), 1);
}

#[test]
fn a_token_is_not_remembered_without_room() {
    let mut memory = Memory::new(0);
    assert_eq!(memory.remember(token(1), terms()), None);
    assert_eq!(memory.find(&token(1)), None);
    let mut memory = Memory::new(1);
    assert_eq!(memory.remember(vec![b'A'; MAX_TOKEN_LEN + 1].into(), terms()), None);
    assert_eq!(memory.remember(Box::default(), terms()), None);
    assert_eq!(memory.remember(vec![b'A'; MAX_TOKEN_LEN].into(), terms()), Some(0));
    assert_eq!(memory.remember(token(1), terms()), Some(0), "the smallest memory continues to work");
    check(&memory);
}

#[test]
fn a_flood_of_good_tokens_does_not_displace_the_tokens_in_use() {
    let mut memory = Memory::new(64);
    let in_use = 0..16;
    for number in in_use.clone() {
        memory.remember(token(number), terms());
    }
    for number in 1000..3000 {
        // Each token in use is requested again before the hand has visited all tokens.
        if number % 32 == 0 {
            assert!(in_use.clone().all(|number| want(&mut memory, number)), "put out before {number}");
        }
        memory.remember(token(number), terms());
        check(&memory);
    }
    assert_eq!(memory.places.len(), 64);
    for number in 3000..3200 {
        memory.remember(token(number), terms());
    }
    assert!(!in_use.into_iter().any(|number| want(&mut memory, number)), "no longer in use");
}

#[test]
fn a_long_token_takes_the_room_of_several_tokens() {
    let mut memory = Memory::new(16);
    let long = |number: u32| vec![number.to_le_bytes()[0]; MAX_TOKEN_LEN].into_boxed_slice();
    for number in 0..100 {
        memory.remember(token(number), terms());
        memory.remember(long(number), terms());
        check(&memory);
        assert!(memory.bytes <= 16 * BYTES_A_TOKEN);
    }
}

#[test]
fn the_debug_text_shows_no_token() {
    let mut memory = Memory::new(4);
    memory.remember(token(1), terms());
    let shown = format!("{memory:?}");
    assert!(!shown.contains("payload") && !shown.contains("112, 97, 121"), "{shown}");
}

#[test]
fn c8_the_chains_grow_with_the_tokens() {
    let mut memory = Memory::new(20_000);
    memory.remember(token(0), terms());
    assert!(
        memory.chains.len() <= FIRST_CHAINS && memory.places.capacity() <= 8,
        "one token takes little room"
    );
    for number in 1..3000 {
        memory.remember(token(number), terms());
        if number % 7 == 0 {
            // Free slots are not in any chain.
            memory.forget(memory.find(&token(number - 3)).unwrap());
        }
        if number.is_power_of_two() || number % 500 == 0 {
            check(&memory);
        }
        assert!(
            (memory.places.len()..=memory.places.len().next_power_of_two().max(8))
                .contains(&memory.chains.len())
        );
    }
    check(&memory);
}
