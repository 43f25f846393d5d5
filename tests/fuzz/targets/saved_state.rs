//! Any text as saved trust: what a verifier restores after a restart. A refused text must change nothing.

#![no_main]

use doorlist_fuzz::support::{options, verifier};
use doorlist_verifier::error::KeyFlaw;
use doorlist_verifier::{Error, Verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut configured = verifier();
    let before = configured.trust();
    match configured.restore_trust(text) {
        Ok(()) => {
            // What is saved is restored exactly.
            let saved = configured.trust();
            let mut next = Verifier::new(options()).expect("valid options");
            next.restore_trust(&saved).expect("our own");
            assert_eq!(next.trust(), saved);
        }
        // With too many keys, the dropped keys of the text are distrusted nevertheless.
        Err(Error::Jwks { reason: KeyFlaw::TooMany }) => {}
        Err(_) => assert_eq!(configured.trust(), before),
    }
});
