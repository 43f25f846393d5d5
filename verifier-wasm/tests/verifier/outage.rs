//! Tests the promises of the outage grace with random histories. While the issuer is unreachable, tokens are accepted
//! for at most the configured time. Revoked tokens are never accepted.

use doorlist_verifier::{HostTime, Verdict, Verified};
use proptest::prelude::*;

use crate::histories::*;
use crate::remembered::said;

/// Calls `promise` for each accepted token, with the state at that time. Each token is checked twice: once in full, and
/// once by a verifier with a memory.
fn each_accepted(history: &History, mut promise: impl FnMut(&Past, HostTime, Token, &Verified)) {
    World::play(history, |past, at, Asked { token, whole, again, .. }| {
        for verified in [whole, again].iter().flatten() {
            promise(past, at, token, verified);
        }
    });
}

proptest! {
    #[test]
    fn no_token_outlives_its_expiry_while_a_fresh_list_is_known(history in history()) {
        each_accepted(&history, |past, at, token, _| {
            assert!(past.is_outage(at) || past.now(at) < token.exp + past.leeway());
        });
    }

    /// A token is accepted at most until `exp` plus the longer of grace and leeway, exact to the second. Grace and
    /// leeway are not added together.
    #[test]
    fn no_token_outlives_the_grace(history in history()) {
        each_accepted(&history, |past, at, token, _| {
            let now = past.now(at);
            let is_in_grace = past.grace().is_some_and(|grace| now <= token.exp + grace);
            assert!(is_in_grace || now < token.exp + past.leeway());
        });
    }

    #[test]
    fn without_outage_grace_no_token_outlives_its_expiry(history in history_without_grace()) {
        each_accepted(&history, |past, at, token, _| {
            assert!(past.now(at) < token.exp + past.leeway());
        });
    }

    /// Trace 11: only a newer list removes a revoked handle. A cut-off applies for ever. A dropped key is distrusted
    /// until a later list contains the key again.
    #[test]
    fn no_revoked_token_is_accepted_during_the_grace_or_outside_it(history in history()) {
        World::play(&history, |past, _, Asked { token, whole, again, vetted }| {
            let is_revoked = past.listed(&token) == Listed::Surely || token.iat < past.cutoff();
            if is_revoked || past.has_forgotten(token.iat) || !past.trusts(&token) {
                assert!(whole.is_err() && again.is_err() && vetted.is_err());
            }
        });
    }

    #[test]
    fn only_an_answer_during_the_grace_reports_an_outage(history in history()) {
        each_accepted(&history, |past, at, token, verified| {
            assert_eq!(verified.outage, past.now(at) >= token.exp + past.leeway());
        });
    }

    /// A verifier that refuses every token would pass the tests above. This test finds such a verifier.
    #[test]
    fn no_token_is_refused_without_a_reason(history in history()) {
        World::play(&history, |past, at, Asked { token, whole, vetted, .. }| {
            let (now, leeway) = (past.now(at), past.leeway());
            let is_known = past.trusts(&token) && past.listed(&token) == Listed::Never;
            let is_early = token.iat > now + leeway.max(1);
            let is_void = token.iat < past.cutoff() || past.has_forgotten(token.iat);
            if !is_known || is_early || is_void || past.is_refused_by_policy(at) {
                return;
            }
            assert!(vetted.is_ok());
            let is_in_grace = past.grace().is_some_and(|grace| now <= token.exp + grace)
                && past.is_outage(at)
                && past.as_of() < Some(token.exp);
            let is_in_time = token.nbf.is_none_or(|nbf| nbf <= now + leeway) && (now < token.exp + leeway || is_in_grace);
            assert_eq!(whole.is_ok(), is_in_time && !token.is_broken);
        });
    }

    /// If another library verifies a token, `check_vetted` gives the same result as `verify`. The outage grace is an
    /// exception, because the other library checks `exp`.
    #[test]
    fn claims_get_the_same_result_as_their_token(history in history()) {
        World::play(&history, |_, _, Asked { whole, vetted, .. }| {
            let whole = whole.map(|verified| said(verified).2);
            if let Ok(standing) = whole {
                assert_eq!(vetted, Ok(Verdict { outage: false, ..standing }));
            }
        });
    }
}
