//! Tests with random histories: lists move the verifier's time forward, and never back. The histories contain caches
//! that deliver old lists again, hosts whose clocks jump, and lists of any age, including lists from the future.

use doorlist_verifier::error::ListFlaw;
use doorlist_verifier::{Error, LoadOutcome};
use proptest::prelude::*;

use crate::histories::*;

/// The maximum number of seconds by which a list may be ahead of the host's clock.
const DAY: u64 = 86_400;

proptest! {
    /// Trace 1. The verifier's time is the latest of these times: the host's clock and, for each accepted list, the
    /// list's `iat` plus the time that has passed since the list arrived.
    #[test]
    fn the_time_is_the_latest_of_the_host_and_every_list(history in history()) {
        let mut world = World::new(&history);
        for event in &history.events {
            world.step(event);
            assert_eq!(world.verifier().now(world.at).as_secs(), world.past.now(world.at));
        }
    }

    #[test]
    fn no_list_sets_the_clock_or_the_as_of_time_back(history in history()) {
        let mut world = World::new(&history);
        for event in &history.events {
            let before = (world.verifier().status(world.at), world.verifier().now(world.at));
            let Happened::Offered(offered) = world.step(event) else { continue };
            let after = (world.verifier().status(world.at), world.verifier().now(world.at));
            assert!(after.1 >= before.1);
            assert!(after.0.freshness.as_of >= before.0.freshness.as_of);
            assert_eq!(after.0.freshness.as_of.map(|as_of| as_of.as_secs()), world.past.as_of());
            if offered.outcome != Ok(LoadOutcome::Applied) {
                assert_eq!(after, before);
            }
        }
    }

    /// Trace 9. The limit is measured from the host's own clock, not from the time that lists prove.
    #[test]
    fn a_list_from_more_than_a_day_ahead_is_refused(history in history()) {
        let mut world = World::new(&history);
        for event in &history.events {
            let Happened::Offered(offered) = world.step(event) else { continue };
            let is_ahead = offered.list.issued_at > world.at.wall.plus_secs(DAY);
            let is_called_so = matches!(offered.outcome, Err(Error::ListInvalid { reason: ListFlaw::Future, .. }));
            assert!(!is_called_so || is_ahead);
            assert!(!is_ahead || offered.outcome.is_err());
        }
    }

    /// Trace 1. All lists are at least 40 minutes old, like lists from a cache. The host's clock is right.
    #[test]
    fn no_expired_token_is_accepted_because_of_an_old_list(history in history_of_old_lists(2400)) {
        World::play(&history, |past, at, Asked { token, whole, again, .. }| {
            let is_refused = whole.is_err() && again.is_err();
            assert!(is_refused || at.wall.as_secs() < token.exp + past.leeway());
        });
    }
}
