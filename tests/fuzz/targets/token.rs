//! Any text as an access token. A text that begins with `!` is signed first, because random bytes have no valid
//! signature: `!header␊payload`, or `!payload`.

#![no_main]

use std::cell::RefCell;

use doorlist_fuzz::support::{AUDIENCE, ISSUER, Key, NOW};
use doorlist_fuzz::{Checked, signed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

thread_local! {
    static CHECKED: RefCell<Checked> = RefCell::new(Checked::ready());
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    CHECKED.with_borrow_mut(|checked| match text.strip_prefix('!') {
        Some(parts) => {
            let token = signed(parts, &Key::number(1));
            if let Ok(verified) = checked.verify(&token) {
                is_acceptable(&verified.header_json, &verified.payload_json);
            }
            // Key 2 is not trusted, so none of its tokens is accepted.
            let foreign = signed(parts, &Key::number(2));
            assert!(checked.verify(&foreign).is_err());
        }
        None => {
            if let Ok(verified) = checked.verify(text) {
                is_acceptable(&verified.header_json, &verified.payload_json);
            }
        }
    });
});

/// The rules that every accepted token satisfies, read with another JSON parser.
fn is_acceptable(header: &str, payload: &str) {
    let header: Value = serde_json::from_str(header).expect("JSON");
    assert!(["EdDSA", "Ed25519"].iter().any(|alg| header["alg"] == *alg), "{header}");
    let claims: Value = serde_json::from_str(payload).expect("JSON");
    let audience = &claims["aud"];
    let is_meant =
        audience == AUDIENCE || audience.as_array().is_some_and(|names| names.contains(&AUDIENCE.into()));
    assert!(claims["iss"] == ISSUER && is_meant, "{claims}");
    let time = |name: &str| claims[name].as_u64();
    assert!(time("exp").expect("exp") + 60 > NOW, "{claims}");
    assert!(time("iat").expect("iat") <= NOW + 60, "{claims}");
    assert!(claims.get("nbf").is_none() || time("nbf").expect("nbf") <= NOW + 60, "{claims}");
}
