//! Writes `tests/vectors/messages/errors.json`, which contains the message of each error. From an error's code and
//! evidence, `js/src/messages.ts` must write the same message.

use doorlist_verifier::error::{ClaimFlaw, FormFlaw, KeyFlaw, ListFlaw, RevokedBy};
use doorlist_verifier::{Cursor, Error};

use super::*;

fn errors() -> Vec<Error> {
    let (claim_missing, check_failed) = (ClaimFlaw::Missing, ClaimFlaw::CheckFailed);
    let cursor: Cursor = "0000000000000001:7".parse().expect("a cursor");
    let wrong_issuer = |actual: &str| Error::Issuer {
        claim: "iss",
        reason: check_failed,
        expected: ISSUER.into(),
        actual: actual.into(),
    };
    let wrong_audience = |actual: &[&str]| Error::Audience {
        claim: "aud",
        reason: check_failed,
        expected: vec![AUDIENCE.into()],
        actual: actual.iter().map(ToString::to_string).collect(),
    };
    let too_early = |claim| Error::TooEarly {
        claim,
        reason: check_failed,
        time: secs(NOW + 61),
        now: secs(NOW),
        clock_tolerance: 60,
    };
    let expired = |at| Error::Expired { expires_at: secs(at), now: secs(NOW), clock_tolerance: 0 };
    let revoked = |by, handle| Error::Revoked { by, handle, as_of: secs(NOW - 10) };
    let list = |reason, claim| Error::ListInvalid { reason, claim };
    let gap = |held| Error::ListGap { since: cursor.seq, held };
    let mut errors = vec![
        Error::TooLong { length: 8193, limit: 8192 },
        Error::Algorithm,
        Error::UnknownKey { kid: Key::number(1).public().kid(), trusted: 0 },
        Error::UnknownKey { kid: Key::number(1).public().kid(), trusted: 2 },
        Error::Signature,
        Error::Payload,
        Error::Claim { claim: "sub", reason: claim_missing },
        Error::Claim { claim: "exp", reason: ClaimFlaw::Invalid },
        Error::Type { claim: "typ", reason: check_failed },
        wrong_issuer("https://other.example"),
        wrong_issuer("https://ex\"ample\\\n\u{202e}é😀"),
        wrong_issuer(&"x".repeat(101)),
        wrong_audience(&["billing"]),
        wrong_audience(&["1", "2", "3", "4", "5"]),
        wrong_audience(&["1", "2", "3", "4", "5", "6"]),
        too_early("nbf"),
        too_early("iat"),
        revoked(RevokedBy::Gid, Some(handle(GID))),
        revoked(RevokedBy::Sid, Some(handle(SID))),
        revoked(RevokedBy::Cutoff, None),
        Error::ListMissing,
        Error::ListStale { as_of: secs(NOW - 100), age: 100, max_staleness: 90 },
        list(ListFlaw::TooLong, None),
        list(ListFlaw::Form, None),
        list(ListFlaw::Type, None),
        list(ListFlaw::Payload, None),
        list(ListFlaw::Missing, Some("seq")),
        list(ListFlaw::Malformed, Some("epoch")),
        list(ListFlaw::Issuer, Some("iss")),
        list(ListFlaw::Future, Some("iat")),
        Error::ListRollback {
            held_epoch: cursor.epoch,
            held_sequence: cursor.seq,
            offered_epoch: cursor.epoch,
            offered_sequence: cursor.seq,
        },
        gap(None),
        gap(Some(cursor)),
        Error::Options { option: "audience", reason: "must contain at least one name, and no empty name" },
    ];
    // These times are the first second, a leap day, the last second of February and the first second of March in a year
    // without a leap day, the last second of a year, and the last second that a token may contain.
    let times = [0, 951_782_400, 4_107_542_399, 4_107_542_400, 1_798_761_599, 253_402_300_799];
    errors.extend(times.map(expired));
    errors.extend(
        [
            FormFlaw::Parts,
            FormFlaw::Encoding,
            FormFlaw::Header,
            FormFlaw::Scheme,
            FormFlaw::Quotes,
            FormFlaw::WhiteSpace,
            FormFlaw::KeyId,
        ]
        .map(|reason| Error::Form { reason }),
    );
    errors.extend(
        [
            KeyFlaw::Form,
            KeyFlaw::Private,
            KeyFlaw::Point,
            KeyFlaw::SmallOrder,
            KeyFlaw::KeyId,
            KeyFlaw::TooMany,
        ]
        .map(|reason| Error::Jwks { reason }),
    );
    errors
}

/// The kind of an error. It consists of the properties that select the error's message.
fn kind(error: &Error) -> String {
    let Value::Object(mut evidence) = serde_json::to_value(error).expect("serialises") else {
        return error.code().into();
    };
    evidence.retain(|name, _| ["reason", "by"].contains(&name.as_str()));
    format!("{} {evidence:?}", error.code())
}

#[test]
fn d6_messages_are_as_generated() {
    let all: Vec<Value> =
        errors().iter().map(|error| sorted(&serde_json::to_value(error.report()).unwrap())).collect();
    generated("messages/errors.json", &all);
}

/// `errors.json` has a message for every error that a vector expects.
#[test]
fn d6_every_error_of_the_vectors_has_a_message() {
    let covered: std::collections::BTreeSet<String> = errors().iter().map(kind).collect();
    for (file, cases) in files() {
        for case in cases {
            for (_, error) in refused(&case) {
                assert!(covered.contains(&kind(&error)), "{file}: {}: {error:?}", case.name);
            }
        }
    }
}

/// A message contains the expected value, the actual value and the next step. Times are in RFC 3339 format.
#[test]
fn d6_a_message_has_the_expected_value_the_actual_value_and_the_next_step() {
    let [expired, ..] = [Error::Expired { expires_at: secs(NOW - 61), now: secs(NOW), clock_tolerance: 60 }];
    assert_eq!(
        expired.to_string(),
        "the token expired at 2025-12-31T23:58:59Z (current time 2026-01-01T00:00:00Z, clock tolerance 60 s)"
    );
    let mut verifier = ready();
    let error = verify(&mut verifier, &claims_with(json!({ "aud": "billing" })), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token is for \"billing\" (`aud`), but \"api\" is expected: \
         ask the issuer for that audience, or change the option `audience`"
    );
}
