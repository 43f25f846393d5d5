//! Tests the revocation check of tokens that another library verified.

use doorlist_verifier::error::{ClaimFlaw, RevokedBy};
use doorlist_verifier::{
    Error, MissingListPolicy, Options, RevocationStatus, StalePolicy, Verifier, VettedClaims,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

/// The vetted form of [`claims`], with the `kid` of key 1.
fn vetted() -> VettedClaims {
    vetted_with(json!({}))
}

fn vetted_with(changes: Value) -> VettedClaims {
    decode(&changed(claims_with(json!({ "kid": Key::number(1).kid() })), changes)).expect("good claims")
}

fn decode(claims: &Value) -> Result<VettedClaims, Error> {
    VettedClaims::decode(text(claims).as_bytes())
}

fn check(verifier: &Verifier, claims: &VettedClaims) -> Result<RevocationStatus, Error> {
    verifier.check_vetted(claims, at(NOW)).map(|standing| standing.revocation)
}

#[test]
fn claims_are_accepted_until_their_group_session_or_time_is_revoked() {
    let mut verifier = ready();
    let standing = verifier.check_vetted(&vetted(), at(NOW)).expect("not revoked");
    assert_eq!(standing.revocation, RevocationStatus::NotRevoked);
    assert_eq!(
        (standing.freshness.age_secs, standing.freshness.stale, standing.outage),
        (Some(10), false, false)
    );

    let mut list = delta(100, 101);
    list.revoked = revoking(&[GID, 7]);
    verifier.load(&Key::number(1).list(&list), at(NOW)).unwrap();
    for (changes, by, listed) in
        [(json!({}), RevokedBy::Gid, GID), (json!({ "gid": handle(8), "sid": handle(7) }), RevokedBy::Sid, 7)]
    {
        let revoked = Error::Revoked { by, handle: Some(handle(listed)), as_of: secs(NOW) };
        assert_eq!(check(&verifier, &vetted_with(changes)), Err(revoked));
    }

    let mut cutoff = delta(101, 102);
    cutoff.cutoff = secs(NOW);
    verifier.load(&Key::number(1).list(&cutoff), at(NOW)).unwrap();
    let others = json!({ "gid": handle(8), "sid": handle(9) });
    let revoked = Error::Revoked { by: RevokedBy::Cutoff, handle: None, as_of: secs(NOW) };
    assert_eq!(check(&verifier, &vetted_with(others.clone())), Err(revoked));
    let later = vetted_with(changed(others, json!({ "iat": NOW })));
    assert_eq!(check(&verifier, &later), Ok(RevocationStatus::NotRevoked));
}

/// A token whose `iat` is in the future is refused, because neither a cut-off nor the retention limit would apply to
/// it.
#[test]
fn a_token_that_was_issued_in_the_future_is_refused() {
    let verifier = ready();
    let issued = |ahead| check(&verifier, &vetted_with(json!({ "iat": NOW + ahead })));
    assert_eq!(issued(60), Ok(RevocationStatus::NotRevoked));
    assert!(matches!(issued(61), Err(Error::TooEarly { claim: "iat", .. })));
}

#[test]
fn claims_of_another_issuer_are_refused() {
    let other = "https://other.example";
    let error = check(&ready(), &vetted_with(json!({ "iss": other }))).unwrap_err();
    let (expected, actual) = (ISSUER.into(), other.into());
    assert_eq!(error, Error::Issuer { claim: "iss", reason: ClaimFlaw::CheckFailed, expected, actual });
}

#[test]
fn a_named_key_must_still_be_trusted() {
    let mut verifier = ready();
    let mut rotated = delta(100, 101);
    rotated.jwks = Some(jwks(&[2]));
    verifier.load(&Key::number(1).list(&rotated), at(NOW)).unwrap();
    assert_eq!(
        check(&verifier, &vetted()),
        Err(Error::UnknownKey { kid: Key::number(1).public().kid(), trusted: 1 })
    );
    assert_eq!(check(&verifier, &vetted_with(json!({ "kid": null }))), Ok(RevocationStatus::NotRevoked));
}

#[test]
fn a_token_older_than_the_kept_entries_counts_as_expired() {
    let mut verifier = ready();
    let mut short = delta(100, 100);
    short.retain_secs = 59;
    verifier.load(&Key::number(1).list(&short), at(NOW)).unwrap();
    let expired = Error::Expired { expires_at: secs(NOW - 1), now: secs(NOW), clock_tolerance: 60 };
    assert_eq!(check(&verifier, &vetted()), Err(expired));
}

#[test]
fn the_policies_apply_to_vetted_claims_too() {
    let strict =
        ready_with(Options { on_stale: StalePolicy::Deny, max_staleness_secs: Some(9), ..options() });
    assert_eq!(check(&strict, &vetted()).unwrap_err().code(), "ERR_LIST_STALE");
    assert_eq!(check(&verifier(), &vetted()), Err(Error::ListMissing));
    let careless = verifier_with(Options { on_missing: MissingListPolicy::Allow, ..options() });
    assert_eq!(check(&careless, &vetted()), Ok(RevocationStatus::Unknown));
}

#[test]
fn vetted_claims_are_read_like_those_of_a_token() {
    let good = claims_with(json!({ "kid": Key::number(1).kid(), "aud": 7, "own": [null] }));
    assert_eq!(decode(&good), Ok(vetted()));
    for claim in ["iss", "iat", "gid", "sid"] {
        let missing = decode(&changed(good.clone(), json!({ claim: null })));
        assert_eq!(missing, Err(Error::Claim { claim, reason: ClaimFlaw::Missing }));
        for value in [json!([]), json!(-1), json!(1.5), json!("A")] {
            if claim == "iss" && value.is_string() {
                continue;
            }
            let invalid = decode(&changed(good.clone(), json!({ claim: value })));
            assert_eq!(invalid, Err(Error::Claim { claim, reason: ClaimFlaw::Invalid }));
        }
    }
    let kid = decode(&changed(good, json!({ "kid": "short" })));
    assert_eq!(kid, Err(Error::Claim { claim: "kid", reason: ClaimFlaw::Invalid }));
    for not_an_object in ["", "[]", r#"{"iss":"a","iss":"b"}"#] {
        assert_eq!(VettedClaims::decode(not_an_object.as_bytes()), Err(Error::Payload), "{not_an_object}");
    }
}

proptest! {
    /// If a token is otherwise valid, the check of only its claims gives the same result as the check of the token.
    /// This holds for any combination of revocations.
    #[test]
    fn a_token_and_its_claims_get_the_same_result(
        revoked in prop::collection::vec(GID - 1..SID + 2, 0..3),
        cutoff in prop::option::of(NOW - 62..NOW - 58),
        retain in 56_u64..64,
        dropped in any::<bool>(),
    ) {
        let mut verifier = ready();
        let mut list = delta(100, 101);
        list.revoked = revoking(&revoked);
        list.cutoff = secs(cutoff.unwrap_or(0));
        list.retain_secs = retain;
        list.jwks = Some(jwks(if dropped { &[2] } else { &[1, 2] }));
        verifier.load(&Key::number(1).list(&list), at(NOW)).unwrap();
        let whole = verify(&mut verifier, &claims(), NOW).map(|verified| (verified.revocation, verified.freshness));
        let asked = verifier.check_vetted(&vetted(), at(NOW)).map(|standing| (standing.revocation, standing.freshness));
        prop_assert_eq!(whole, asked);
    }
}
