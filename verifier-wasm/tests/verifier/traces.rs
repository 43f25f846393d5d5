//! Sequences of events for which earlier versions of the rules were wrong, applied to the verifier. The numbers are
//! from `issuer/TRACES.md`. Traces that concern only the issuer are not tested here.

use std::time::Duration;

use doorlist_verifier::{Epoch, Error, HostTime, RevocationList, Verifier};
use serde_json::json;

use crate::support::*;

fn load(verifier: &mut Verifier, list: &RevocationList, wall: u64) {
    verifier.load(&Key::number(1).list(list), at(wall)).expect("a list to take");
}

fn code(result: Result<impl std::fmt::Debug, Error>) -> &'static str {
    result.expect_err("refused").code()
}

fn token_of(number: u8) -> String {
    Key::number(number).token(&claims())
}

/// A cache delivers a genuine list that is 40 minutes old. If the verifier took its time from that list, it would
/// accept tokens that have expired in the last 40 minutes.
#[test]
fn trace_01_an_old_list_does_not_set_the_clock_back() {
    let mut verifier = verifier();
    let mut list = snapshot();
    list.issued_at = secs(NOW - 2400);
    load(&mut verifier, &list, NOW);
    assert_eq!(verifier.now(at(NOW)), secs(NOW));
    assert_eq!(verifier.status(at(NOW)).freshness.age_secs, Some(2400));
    let expired = claims_with(json!({ "iat": NOW - 2000, "exp": NOW - 1100 }));
    assert_eq!(code(verify(&mut verifier, &expired, NOW)), "ERR_JWT_EXPIRED");
}

/// If the tolerance were above the issuer's leeway, the token would be accepted for longer than its entry is kept.
#[test]
fn trace_07_no_clock_tolerance_is_longer_than_the_leeway_of_the_issuer() {
    let mut options = options();
    options.clock_tolerance_secs = Some(3600);
    let mut verifier = ready_with(options);
    let within = claims_with(json!({ "exp": NOW - 59 }));
    verify(&mut verifier, &within, NOW).expect("within the issuer's leeway");
    let past = claims_with(json!({ "exp": NOW - 60 }));
    assert_eq!(code(verify(&mut verifier, &past, NOW)), "ERR_JWT_EXPIRED");
}

/// The issuer lowered the token lifetime together with `retain`, although the rules forbid this. Older tokens have a
/// lifetime of an hour. They must not be accepted for longer than their entries are kept.
#[test]
fn trace_07_a_token_older_than_entries_are_kept_is_expired() {
    let mut verifier = ready();
    let hour_long = claims_with(json!({ "iat": NOW - 1080, "exp": NOW + 2520 }));
    assert_eq!(code(verify(&mut verifier, &hour_long, NOW)), "ERR_JWT_EXPIRED");

    let mut raised = delta(100, 101);
    raised.retain_secs = 3720;
    load(&mut verifier, &raised, NOW);
    verify(&mut verifier, &hour_long, NOW).expect("kept for long enough");
}

/// A key is retired while the verifier is offline. The change of the keys has its own entry, so the sequence number
/// shows that the list has changed. A delta that includes this entry also contains the keys.
#[test]
fn trace_08_a_change_of_trust_raises_the_sequence() {
    let mut verifier = verifier();
    verifier.add_jwks(&jwks_text(&[2])).unwrap();
    let mut both = snapshot();
    both.jwks = Some(jwks(&[1, 2]));
    load(&mut verifier, &both, NOW);
    verifier.verify(&token_of(2), at(NOW)).expect("not yet stolen");

    let mut crossing = delta(100, 101);
    crossing.jwks = Some(jwks(&[1]));
    load(&mut verifier, &crossing, NOW);
    assert_eq!(code(verifier.verify(&token_of(2), at(NOW))), "ERR_JWKS_NO_MATCHING_KEY");

    let mut cut_off = delta(101, 102);
    cut_off.cutoff = secs(NOW);
    load(&mut verifier, &cut_off, NOW);
    assert_eq!(code(verifier.verify(&token_of(1), at(NOW))), "ERR_JWT_REVOKED");
}

/// A verifier loads a list of a node whose clock is two minutes fast, and then moves to a node whose clock is right.
/// The lists of the second node have earlier times, although they contain newer kicks.
#[test]
fn trace_09_the_sequence_comes_before_the_time() {
    let mut verifier = verifier();
    let mut fast = snapshot();
    fast.issued_at = secs(NOW + 120);
    load(&mut verifier, &fast, NOW);
    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[GID]);
    load(&mut verifier, &kick, NOW);
    assert_eq!(code(verify(&mut verifier, &claims(), NOW)), "ERR_JWT_REVOKED");
}

/// An issuer starts while its clock is set to 2035. If the verifier accepted the list of this issuer, it would refuse
/// every other list until 2035.
#[test]
fn trace_09_a_list_from_the_far_future_is_refused() {
    let mut verifier = ready();
    let mut list = snapshot();
    list.seq = seq(200);
    list.issued_at = secs(NOW + 10 * 365 * 86_400);
    assert_eq!(code(verifier.load(&Key::number(1).list(&list), at(NOW))), "ERR_LIST_INVALID");
    list.issued_at = secs(NOW + 86_401);
    assert_eq!(code(verifier.load(&Key::number(1).list(&list), at(NOW))), "ERR_LIST_INVALID");
    load(&mut verifier, &delta(100, 101), NOW);
    verify(&mut verifier, &claims(), NOW).expect("nothing happened");
}

/// The limit is measured from the host's own clock. If it were measured from the time that lists prove, each list of a
/// series could move the limit a day further.
#[test]
fn trace_09_lists_do_not_ratchet_the_clock() {
    let mut verifier = verifier();
    let mut list = snapshot();
    list.issued_at = secs(NOW + 86_400);
    load(&mut verifier, &list, NOW);
    assert_eq!(verifier.now(at(NOW)), secs(NOW + 86_400));
    list.issued_at = secs(NOW + 2 * 86_400);
    list.seq = seq(101);
    assert_eq!(code(verifier.load(&Key::number(1).list(&list), at(NOW))), "ERR_LIST_INVALID");
}

/// The issuer is down for an hour. If the verifier removed the entry by its own clock, the outage grace would let the
/// kicked user in again.
#[test]
fn trace_11_outage_grace_does_not_readmit_kicked_users() {
    let mut options = options();
    options.outage_grace_secs = Some(7200);
    let mut verifier = ready_with(options);
    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[GID]);
    load(&mut verifier, &kick, NOW);
    let other = claims_with(json!({ "gid": handle(77) }));
    for later in [0, 600, 1800, 3600, 7200] {
        assert_eq!(code(verify(&mut verifier, &claims(), NOW + later)), "ERR_JWT_REVOKED", "{later} s later");
        let verified = verify(&mut verifier, &other, NOW + later).expect("not kicked");
        assert_eq!(verified.outage, later > 840 + 60, "{later} s later");
    }
}

/// A token is stolen at 12:00:00.2, and an operator requests a cut-off at 12:00:00.7. The cut-off becomes the next full
/// second, and tokens that are issued afterwards are stamped with this second. Every verifier must accept these tokens
/// at once, even with a tolerance of zero.
#[test]
fn trace_12_a_cut_off_voids_earlier_tokens_of_the_same_second() {
    let mut options = options();
    options.clock_tolerance_secs = Some(0);
    let mut verifier = ready_with(options);
    let mut cut_off = delta(100, 101);
    cut_off.cutoff = secs(NOW + 1);
    load(&mut verifier, &cut_off, NOW);
    let stolen = claims_with(json!({ "iat": NOW }));
    assert_eq!(code(verify(&mut verifier, &stolen, NOW)), "ERR_JWT_REVOKED");
    let fresh = claims_with(json!({ "iat": NOW + 1 }));
    verify(&mut verifier, &fresh, NOW).expect("issued after the cut-off");
}

/// The only key in use is retired at once. The reserve key was trusted from the start. So an offline verifier accepts a
/// list that the reserve key signed. A token that was accepted a moment ago is refused at its next check.
#[test]
fn trace_16_after_a_stolen_key_is_retired_the_reserve_key_is_trusted() {
    let mut verifier = verifier();
    verifier.add_jwks(&jwks_text(&[1, 2])).unwrap();
    let mut first = snapshot();
    first.jwks = Some(jwks(&[1, 2]));
    load(&mut verifier, &first, NOW);
    let forged = token_of(1);
    verifier.verify(&forged, at(NOW)).expect("the key was not known to be stolen");

    let mut retiring = delta(100, 101);
    retiring.jwks = Some(jwks(&[2, 3]));
    verifier.load(&Key::number(2).list(&retiring), at(NOW)).expect("signed by the reserve");
    assert_eq!(code(verifier.verify(&forged, at(NOW))), "ERR_JWKS_NO_MATCHING_KEY");
    verifier.verify(&token_of(2), at(NOW)).expect("the reserve took over");
    verifier.verify(&token_of(3), at(NOW)).expect("a new reserve");
}

/// After a failover, a node's snapshot lacks an entry until another node restores it.
#[test]
fn trace_22_a_snapshot_removes_no_revocation() {
    for epoch in [1, 2] {
        let mut verifier = verifier();
        let mut list = snapshot();
        list.revoked = revoking(&[GID]);
        load(&mut verifier, &list, NOW);
        let mut without = snapshot();
        without.epoch = Epoch(epoch);
        without.seq = seq(200);
        without.issued_at = secs(NOW);
        load(&mut verifier, &without, NOW);
        assert_eq!(code(verify(&mut verifier, &claims(), NOW)), "ERR_JWT_REVOKED");
    }
}

/// A cached key set still contains a retired key.
#[test]
fn trace_23_a_key_set_brings_no_dropped_key_back() {
    let mut verifier = verifier();
    verifier.add_jwks(&jwks_text(&[2])).unwrap();
    load(&mut verifier, &snapshot(), NOW);
    assert_eq!(verifier.add_jwks(&jwks_text(&[1, 2])).unwrap(), 0);
    assert_eq!(code(verifier.verify(&token_of(2), at(NOW))), "ERR_JWKS_NO_MATCHING_KEY");

    // After a restart, the retired key is still not trusted.
    let mut restarted = Verifier::new(options()).unwrap();
    restarted.restore_trust(&verifier.trust()).unwrap();
    assert_eq!(restarted.add_jwks(&jwks_text(&[1, 2, 3])).unwrap(), 1);
    load(&mut restarted, &snapshot(), NOW);
    assert_eq!(code(restarted.verify(&token_of(2), at(NOW))), "ERR_JWKS_NO_MATCHING_KEY");

    // A later list may make the retired key trusted again, because the issuer signed the later list.
    let mut back = delta(100, 101);
    back.jwks = Some(jwks(&[1, 2]));
    load(&mut verifier, &back, NOW);
    verifier.verify(&token_of(2), at(NOW)).expect("trusted again");
}

/// After a list has proved a time, the host's monotonic clock measures the time that has passed since then. The wall
/// clock has no influence.
#[test]
fn the_time_of_a_list_advances_with_the_monotonic_clock() {
    let mut verifier = verifier();
    let mut list = snapshot();
    list.issued_at = secs(NOW + 3600);
    let host =
        |wall: u64, monotonic: u64| HostTime { wall: secs(wall), monotonic: Duration::from_secs(monotonic) };
    verifier.load(&Key::number(1).list(&list), host(NOW, 5)).unwrap();
    assert_eq!(verifier.now(host(NOW, 5)), secs(NOW + 3600));
    assert_eq!(verifier.now(host(NOW - 5000, 65)), secs(NOW + 3660));
    assert_eq!(verifier.now(host(NOW + 9000, 65)), secs(NOW + 9000));
    let mut older = delta(100, 101);
    older.issued_at = secs(NOW + 10);
    verifier.load(&Key::number(1).list(&older), host(NOW, 70)).unwrap();
    assert_eq!(verifier.now(host(NOW, 70)), secs(NOW + 3665));
}
