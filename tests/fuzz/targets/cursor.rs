//! Any text as a cursor, an epoch, a handle or a key id. Each value has exactly one spelling.

#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use doorlist_verifier::{Cursor, Epoch, Handle, KeyId, Seq};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(cursor) = one_spelling::<Cursor>(text) {
        assert!(cursor.seq <= Seq::MAX);
    }
    one_spelling::<Epoch>(text);
    one_spelling::<KeyId>(text);
    if let Some(handle) = one_spelling::<Handle>(text) {
        assert_ne!(handle.get(), 0);
    }
});

fn one_spelling<T: FromStr + Display>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    assert_eq!(value.to_string(), text);
    Some(value)
}
