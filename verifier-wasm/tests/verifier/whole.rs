//! Tests the verifier as a whole, with a token, a list and a kick. This file also contains tests that are too large for
//! vectors.

use doorlist_verifier::error::{FormFlaw, ListFlaw};
use doorlist_verifier::list::MAX_LIST_LEN;
use doorlist_verifier::{Error, HandleSet, LoadOutcome, RevocationStatus, Verifier};

use crate::support::*;

#[test]
fn a_good_token_is_accepted_until_its_group_is_revoked() {
    let mut verifier = ready();
    let verified = verify(&mut verifier, &claims(), NOW).expect("a valid token");
    assert_eq!(verified.claims.subject, "alice");
    assert_eq!(verified.revocation, RevocationStatus::NotRevoked);
    assert_eq!(verified.payload_json, text(&claims()));
    assert_eq!((verified.freshness.age_secs, verified.freshness.stale), (Some(10), false));

    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[GID]);
    let loaded = verifier.load(&Key::number(1).list(&kick), at(NOW)).expect("a good delta");
    assert_eq!((loaded.sequence.get(), loaded.entries), (101, 1));
    let error = verify(&mut verifier, &claims(), NOW).expect_err("revoked");
    assert!(matches!(error, Error::Revoked { .. }), "{error:?}");
    assert_eq!(
        serde_json::to_value(error.report()).unwrap(),
        serde_json::json!({
            "code": "ERR_JWT_REVOKED",
            "message": "revoked: the token's group is on the revocation list (list as of 2026-01-01T00:00:00Z)",
            "evidence": { "by": "gid", "handle": "0000000000ab0001", "asOf": NOW },
        })
    );
}

#[test]
fn a_list_is_not_read_past_its_limit() {
    let mut verifier = verifier();
    let mut text = "A".repeat(MAX_LIST_LEN);
    assert_eq!(reason(verifier.load(&text, at(NOW)).unwrap_err()), ListFlaw::Form);
    text.push('A');
    assert_eq!(reason(verifier.load(&text, at(NOW)).unwrap_err()), ListFlaw::TooLong);
}

/// A header is read before any signature is checked, and parsed JSON takes many times more memory than its text. So the
/// length of a header is limited.
#[test]
fn a_header_is_not_read_past_its_limit() {
    let mut verifier = ready();
    let key = Key::number(1);
    let padded = |length: usize| {
        let header = text(&key.header());
        let blanks = length / 4 * 3 - header.len();
        key.sign(&(header + &" ".repeat(blanks)), &text(&claims()))
    };
    assert!(verifier.verify(&padded(1024), at(NOW)).is_ok());
    let error = verifier.verify(&padded(1028), at(NOW)).expect_err("too long a header");
    assert_eq!(error, Error::Form { reason: FormFlaw::Header });
    let error = verifier.load(&format!("{}.e30.AA", "A".repeat(1 << 20)), at(NOW)).expect_err("no list");
    assert_eq!(reason(error), ListFlaw::Form);
}

fn reason(error: Error) -> ListFlaw {
    match error {
        Error::ListInvalid { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// A list with 100,000 handles, followed by a small delta.
#[test]
fn a_list_of_100000_handles_and_a_delta_are_applied() {
    let mut verifier = verifier();
    let mut list = snapshot();
    list.revoked = HandleSet::from_handles((1..=100_000).map(|number| handle(number * 655)));
    assert_eq!(verifier.load(&Key::number(1).list(&list), at(NOW)).unwrap().entries, 100_000);
    let mut small = delta(100, 101);
    small.revoked = revoking(&[1, 655, 1310, u64::MAX]);
    assert_eq!(verifier.load(&Key::number(1).list(&small), at(NOW)).unwrap().entries, 100_002);
    for (number, listed) in [(655, true), (656, false), (65_500_000, true), (65_500_655, false), (1, true)] {
        let token = claims_with(serde_json::json!({ "sid": handle(number) }));
        assert_eq!(verify(&mut verifier, &token, NOW).is_err(), listed, "{number}");
    }
}

#[test]
fn loading_reports_whether_the_list_was_new() {
    let mut verifier = verifier();
    let list = Key::number(1).list(&snapshot());
    assert_eq!(verifier.load(&list, at(NOW)).unwrap().outcome, LoadOutcome::Applied);
    assert_eq!(verifier.load(&list, at(NOW)).unwrap().outcome, LoadOutcome::Unchanged);
    let heartbeat = Key::number(1).list(&delta(100, 100));
    assert_eq!(verifier.load(&heartbeat, at(NOW)).unwrap().outcome, LoadOutcome::Applied);
}

/// A verifier starts from saved data, without a network. It first restores the trusted keys, and then loads the
/// snapshot. The restored keys verify the snapshot's signature.
#[test]
fn a_verifier_restarts_without_a_network_from_saved_data() {
    let mut before = verifier();
    let mut list = snapshot();
    list.jwks = Some(jwks(&[1, 2]));
    list.revoked = revoking(&[SID]);
    let list = Key::number(1).list(&list);
    before.load(&list, at(NOW)).unwrap();

    let mut after = Verifier::new(options()).unwrap();
    assert_eq!(after.load(&list, at(NOW + 60)).unwrap_err().code(), "ERR_JWKS_NO_MATCHING_KEY");
    after.restore_trust(&before.trust()).unwrap();
    after.load(&list, at(NOW + 60)).unwrap();
    assert_eq!(verify(&mut after, &claims(), NOW + 60).unwrap_err().code(), "ERR_JWT_REVOKED");
    assert_eq!(after.status(at(NOW + 60)).keys, before.status(at(NOW)).keys);

    for broken in
        ["{}", r#"{"keys":[]}"#, r#"{"keys":[],"dropped":["x"]}"#, r#"{"keys":[],"dropped":[1]}"#, "[]"]
    {
        assert_eq!(after.restore_trust(broken).unwrap_err().code(), "ERR_JWKS_INVALID", "{broken}");
    }
    after
        .verify(&Key::number(2).token(&claims_with(serde_json::json!({ "sid": handle(9) }))), at(NOW))
        .unwrap();
}
