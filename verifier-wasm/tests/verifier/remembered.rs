//! Tests that a verifier with a memory gives the same results as a verifier without a memory.

use std::time::Duration;

use doorlist_verifier::remembered::{Known, Memory};
use doorlist_verifier::{Error, HostTime, Verdict, Verified, Verifier};
use proptest::prelude::*;

use crate::histories::*;
use crate::support::*;

/// A verifier, used in the same way as in the WebAssembly bindings. Accepted tokens are remembered, and the memory is
/// tried first.
pub struct Remembering {
    pub verifier: Verifier,
    memory: Memory,
    /// The results of accepted tokens, by slot.
    first: Vec<Option<Verified>>,
    /// The number of checks in which the memory gave the result.
    seconds: usize,
}

impl Remembering {
    pub fn new(verifier: Verifier, capacity: usize) -> Self {
        Self { verifier, memory: Memory::new(capacity), first: Vec::new(), seconds: 0 }
    }

    pub fn verify(&mut self, token: &str, at: HostTime) -> Result<Verified, Error> {
        self.again(token, at).map_or_else(|| self.whole(token, at), Ok)
    }

    /// Returns the result from the memory. `None` if a full check is needed.
    pub fn again(&mut self, token: &str, at: HostTime) -> Option<Verified> {
        let Known { slot, standing } = self.memory.verify_again(token.as_bytes(), &self.verifier, at)?;
        self.seconds += 1;
        let first = self.first[slot].clone().expect("a slot that was answered before");
        let Verdict { revocation, freshness, outage } = standing;
        Some(Verified { revocation, freshness, outage, ..first })
    }

    /// Returns the result of a full check, and remembers an accepted token.
    pub fn whole(&mut self, token: &str, at: HostTime) -> Result<Verified, Error> {
        let verified = self.verifier.verify(token, at)?;
        if let Some(slot) = self.memory.remember(token.as_bytes().into(), verified.terms) {
            self.first.resize(self.first.len().max(slot + 1), None);
            self.first[slot] = Some(verified.clone());
        }
        Ok(verified)
    }
}

/// The part of a result that users see, without the data for the memory.
pub fn said(verified: Verified) -> (String, String, Verdict) {
    let Verified { header_json, payload_json, revocation, freshness, outage, .. } = verified;
    (header_json, payload_json, Verdict { revocation, freshness, outage })
}

proptest! {
    #[test]
    fn a_remembered_token_gets_the_same_answer(history in history()) {
        World::play(&history, |_, _, Asked { whole, again, .. }| assert_eq!(again.map(said), whole.map(said)));
    }
}

/// A memory that never finds a token would pass the test above. This test finds such a memory.
#[test]
fn a_remembered_token_is_not_fully_checked_again() {
    let mut verifier = Remembering::new(ready(), 10);
    let token = Key::number(1).token(&claims());
    for _ in 0..3 {
        verifier.verify(&token, at(NOW)).unwrap();
    }
    assert_eq!(verifier.seconds, 2);

    // A list revokes a handle that the remembered token does not have. At the next check, the verifier searches for the
    // token's handles again, and accepts the token.
    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[77]);
    verifier.verifier.load(&Key::number(1).list(&kick), at(NOW)).unwrap();
    verifier.verify(&token, at(NOW)).unwrap();
    assert_eq!(verifier.seconds, 3);

    let mut kick = delta(101, 102);
    kick.revoked = revoking(&[SID]);
    verifier.verifier.load(&Key::number(1).list(&kick), at(NOW)).unwrap();
    assert_eq!(verifier.verify(&token, at(NOW)).unwrap_err().code(), "ERR_JWT_REVOKED");
    assert_eq!(verifier.seconds, 3);
}

/// An expired token is forgotten. If the clock then goes back, the token passes the full check again.
#[test]
fn an_expired_token_is_forgotten_and_fully_checked_again_if_the_clock_goes_back() {
    let mut verifier = Remembering::new(ready(), 10);
    let token = Key::number(1).token(&claims());
    let host = |wall: u64| HostTime { wall: secs(wall), monotonic: Duration::from_secs(NOW) };
    verifier.verify(&token, host(NOW)).unwrap();
    // The token expires at exactly this second, and the memory then forgets it. After the clock goes back, a full check
    // accepts the token, and the memory remembers it again.
    verifier.verify(&token, host(NOW + 899)).unwrap();
    assert_eq!(verifier.seconds, 1);
    assert_eq!(verifier.verify(&token, host(NOW + 900)).unwrap_err().code(), "ERR_JWT_EXPIRED");
    verifier.verify(&token, host(NOW)).unwrap();
    assert_eq!(verifier.seconds, 1);
    verifier.verify(&token, host(NOW)).unwrap();
    assert_eq!(verifier.seconds, 2);
}
