//! What the outage grace promises, over arbitrary histories: the business runs on while the issuer is away, and not a
//! second longer, and never for who is revoked.

use doorlist_verifier::{HostTime, Standing, Verified};
use proptest::prelude::*;

use crate::histories::*;
use crate::remembered::said;

/// What was accepted, with what was known then: looked at whole, and again by a verifier that remembers.
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

    /// To the second: `exp` and the longer of grace and leeway, which is less than their sum.
    #[test]
    fn no_token_outlives_the_grace(history in history()) {
        each_accepted(&history, |past, at, token, _| {
            let now = past.now(at);
            let is_in_grace = past.grace().is_some_and(|grace| now <= token.exp + grace);
            assert!(is_in_grace || now < token.exp + past.leeway());
        });
    }

    #[test]
    fn without_the_option_no_token_outlives_its_expiry(history in history_without_grace()) {
        each_accepted(&history, |past, at, token, _| {
            assert!(past.now(at) < token.exp + past.leeway());
        });
    }

    /// Trace 11: what is revoked leaves by a newer list alone. A cut-off and a dropped key hold for ever.
    #[test]
    fn nothing_revoked_is_accepted_in_the_grace_or_out_of_it(history in history()) {
        World::play(&history, |past, _, Asked { token, whole, again, vetted }| {
            let is_revoked = past.listed(&token) == Listed::Surely || token.iat < past.cutoff();
            if is_revoked || past.has_forgotten(token.iat) || !past.trusts(&token) {
                assert!(whole.is_err() && again.is_err() && vetted.is_err());
            }
        });
    }

    #[test]
    fn an_answer_in_the_grace_says_so_and_no_other_does(history in history()) {
        each_accepted(&history, |past, at, token, verified| {
            assert_eq!(verified.outage, past.now(at) >= token.exp + past.leeway());
        });
    }

    /// Else the promises above would be kept by who refuses everybody.
    #[test]
    fn nobody_is_refused_without_a_reason(history in history()) {
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

    /// Whose tokens somebody else verifies loses nothing but the grace: `exp` is the other's to check.
    #[test]
    fn claims_fare_as_their_token_does(history in history()) {
        World::play(&history, |_, _, Asked { whole, vetted, .. }| {
            let whole = whole.map(|verified| said(verified).2);
            if let Ok(standing) = whole {
                assert_eq!(vetted, Ok(Standing { outage: false, ..standing }));
            }
        });
    }
}
