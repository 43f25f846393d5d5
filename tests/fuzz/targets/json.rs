//! Any bytes in the verifier's JSON parser and in `serde_json`: both accept the same texts and read the same values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

// The parser is private, so its source is compiled a second time here.
#[allow(dead_code)]
#[path = "../../../verifier-wasm/src"]
mod verifier {
    pub(crate) mod json;
}
#[path = "../../../verifier-wasm/src/json/tests/oracle.rs"]
mod oracle;
mod time {
    pub(crate) use doorlist_verifier::UnixSeconds;
}

use oracle::oracle;
use verifier::json::{self, JsonFlaw, parse_object};

fuzz_target!(|bytes: &[u8]| {
    // `serde_json` does not compute the last digit of the greatest doubles exactly, so it may refuse them.
    if bytes.windows(8).any(|digits| digits == b"17976931") {
        return;
    }
    match (parse_object(bytes), oracle(bytes)) {
        (Ok(ours), Ok(theirs)) => agree_on_members(&ours, &theirs),
        // If a text has two flaws, each parser may report a different one.
        (
            Err(JsonFlaw::Syntax | JsonFlaw::DuplicateName),
            Err(JsonFlaw::Syntax | JsonFlaw::DuplicateName),
        ) if serde_json::from_slice::<Value>(bytes).is_err() => {}
        (ours, theirs) => assert_eq!(ours.map(drop), theirs.map(drop)),
    }
});

fn agree_on_members(ours: &json::Members<'_>, theirs: &Map<String, Value>) {
    assert_eq!(ours.len(), theirs.len());
    for (name, theirs) in theirs {
        agree(ours.find(name).expect("a member"), theirs);
    }
}

/// Reads a value with all methods that the verifier uses.
fn agree(ours: json::Value<'_>, theirs: &Value) {
    assert_eq!(ours.text().as_deref(), theirs.as_str());
    match (ours.items(), theirs.as_array()) {
        (Some(ours), Some(theirs)) => {
            let ours: Vec<_> = ours.collect();
            assert_eq!(ours.len(), theirs.len());
            ours.into_iter().zip(theirs).for_each(|(ours, theirs)| agree(ours, theirs));
        }
        (None, None) => {}
        (ours, theirs) => panic!("an array for one alone: {} {}", ours.is_some(), theirs.is_some()),
    }
    match (ours.members(), theirs.as_object()) {
        (Some(ours), Some(theirs)) => agree_on_members(&ours, theirs),
        (None, None) => {}
        (ours, theirs) => panic!("an object for one alone: {} {}", ours.is_some(), theirs.is_some()),
    }
}
