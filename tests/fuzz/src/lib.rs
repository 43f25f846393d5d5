//! Shared by the fuzz targets: a small issuer with fixed keys, and a verifier that holds its list.

#[path = "../../../verifier-wasm/tests/verifier/support.rs"]
pub mod support;

use doorlist_verifier::remembered::Memory;
use doorlist_verifier::{Error, Verified, Verifier};

use support::*;

/// A verifier that is used for many inputs, so that an input costs no set-up.
pub struct Checked {
    pub verifier: Verifier,
    memory: Memory,
}

impl Checked {
    /// A verifier that trusts key 1 and holds a list.
    pub fn ready() -> Self {
        Self { verifier: ready(), memory: Memory::new(64) }
    }

    /// Verifies a token at [`NOW`]. Panics if a second check gives another answer, if the memory does, or if an error
    /// shows a part of the token.
    pub fn verify(&mut self, token: &str) -> Result<Verified, Error> {
        let first = self.verifier.verify(token, at(NOW));
        match &first {
            Ok(verified) => {
                let again = self.verifier.verify(token, at(NOW)).expect("accepted before");
                assert_eq!(again, *verified);
                self.memory.remember(token.as_bytes().into(), verified.terms);
                let known = self.memory.verify_again(token.as_bytes(), &self.verifier, at(NOW));
                let standing = known.expect("accepted before").standing;
                assert_eq!(standing.revocation, verified.revocation);
                assert_eq!(standing.freshness, verified.freshness);
                assert_eq!(standing.outage, verified.outage);
            }
            Err(error) => {
                assert!(self.memory.verify_again(token.as_bytes(), &self.verifier, at(NOW)).is_none());
                shows_nothing_of(token, error);
            }
        }
        first
    }
}

/// Panics if the error shows the signature or another long part of the text that it refuses.
pub fn shows_nothing_of(text: &str, error: &Error) {
    // Only a text of three parts can be a token or a list.
    if text.split('.').count() != 3 {
        return;
    }
    let told = format!("{error} {error:?}");
    let leaked = text.split('.').find(|part| part.len() > 40 && told.contains(part));
    assert_eq!(leaked, None, "{told}");
}

/// Signs a header and a payload that are separated by the first line feed. Without a line feed, the whole text is the
/// payload and the header is a valid one.
pub fn signed(text: &str, key: &Key) -> String {
    match text.split_once('\n') {
        Some((header, payload)) => key.sign(header, payload),
        None => key.sign(&support::text(&key.header()), text),
    }
}
