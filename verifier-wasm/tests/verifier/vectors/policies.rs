//! Cases about the options of a verifier.

use super::*;

pub fn cases() -> Vec<Case> {
    let mut cases = missing_and_stale();
    cases.extend(outages());
    cases.extend(impossible());
    cases
}

fn missing_and_stale() -> Vec<Case> {
    vec![
        case("no list, default").no_list().refused("ERR_LIST_MISSING"),
        case("no list, allowed").no_list().policy(json!({ "onMissing": "allow" })).expect(json!({
            "payload": { "sub": "alice" },
            "revocation": "unknown",
            "freshness": { "asOf": null, "age": null, "stale": true },
        })),
        case("no list and an expired token: reported as expired")
            .no_list()
            .claims(json!({ "exp": NOW - 600 }))
            .refused("ERR_JWT_EXPIRED"),
        aged("a list of three ttl is not stale", 30).expect(fresh(30, false)),
        aged("a list of more than three ttl is stale, and allowed", 31).expect(fresh(31, true)),
        aged("the ttl of the last list applies", 31)
            .list_at(
                NOW - 31,
                {
                    let mut list = delta(100, 101);
                    list.issued_at = secs(NOW - 31);
                    list.ttl_secs = 11;
                    list
                },
                loaded(101, 0),
            )
            .expect(fresh(31, false)),
        aged("stale and denied", 31).policy(json!({ "onStale": "deny" })).expect(json!({
            "code": "ERR_LIST_STALE", "age": 31, "maxStaleness": 30, "asOf": NOW - 31,
        })),
        aged("stale lists are denied, and the list is not stale", 30)
            .policy(json!({ "onStale": "deny" }))
            .expect(fresh(30, false)),
        aged("a longer maxStaleness", 3600)
            .policy(json!({ "maxStaleness": 3600, "onStale": "deny" }))
            .claims(json!({ "iat": NOW - 3600 - 1020 }))
            .expect(fresh(3600, false)),
        aged("a shorter maxStaleness", 6)
            .policy(json!({ "maxStaleness": 5, "onStale": "deny" }))
            .refused("ERR_LIST_STALE"),
        aged("a stale list is denied and the token is revoked: reported as revoked", 31)
            .list_at(
                NOW - 31,
                {
                    let mut list = delta(100, 101);
                    list.issued_at = secs(NOW - 31);
                    list.revoked = revoking(&[SID]);
                    list
                },
                loaded(101, 1),
            )
            .policy(json!({ "onStale": "deny" }))
            .refused("ERR_JWT_REVOKED"),
    ]
}

/// A case in which the last list is `age` seconds old.
fn aged(name: &str, age: u64) -> Case {
    let mut list = snapshot();
    list.issued_at = secs(NOW - age);
    case(name).no_list().list_at(NOW - age, list, loaded(100, 0))
}

fn fresh(age: u64, stale: bool) -> Value {
    json!({ "payload": { "sub": "alice" }, "freshness": { "asOf": NOW - age, "age": age, "stale": stale } })
}

/// In most cases the last list is ten minutes old. Its `ttl` is 10 s, so there is an outage. The grace is an hour.
fn outages() -> Vec<Case> {
    let grace = json!({ "outageGrace": 3600 });
    let expired = |ago: u64| json!({ "iat": NOW - ago - 900, "exp": NOW - ago });
    let by_grace =
        || json!({ "payload": { "sub": "alice" }, "outage": true, "freshness": { "stale": true } });
    let by_clock = || json!({ "payload": { "sub": "alice" }, "outage": false });
    vec![
        aged("outage: expired, grace", 600).policy(grace.clone()).claims(expired(300)).expect(by_grace()),
        aged("outage: expired, no grace", 600).claims(expired(300)).refused("ERR_JWT_EXPIRED"),
        aged("outage: not expired needs no grace", 600).policy(grace.clone()).expect(by_clock()),
        aged("outage: expired within the leeway needs no grace", 600)
            .policy(grace.clone())
            .claims(expired(30))
            .expect(by_clock()),
        aged("outage: last second of the grace", 5000)
            .policy(grace.clone())
            .claims(expired(3600))
            .expect(by_grace()),
        aged("outage: a second past the grace", 5000)
            .policy(grace.clone())
            .claims(expired(3601))
            .refused("ERR_JWT_EXPIRED"),
        aged("outage: three ttl without a list are no outage", 30)
            .policy(grace.clone())
            .claims(json!({ "exp": NOW - 20 }))
            .policy(json!({ "clockTolerance": 0 }))
            .refused("ERR_JWT_EXPIRED"),
        aged("outage: a second more than three ttl is an outage", 31)
            .policy(grace.clone())
            .claims(json!({ "exp": NOW - 20 }))
            .policy(json!({ "clockTolerance": 0 }))
            .expect(by_grace()),
        aged("outage: the last list is of the second of exp", 600)
            .policy(grace.clone())
            .claims(expired(600))
            .refused("ERR_JWT_EXPIRED"),
        aged("outage: the last list is from before exp", 600)
            .policy(grace.clone())
            .claims(expired(599))
            .expect(by_grace()),
        aged("outage: a newer list ends the outage", 600)
            .policy(grace.clone())
            .claims(expired(300))
            .list(delta(100, 100), loaded(100, 0))
            .refused("ERR_JWT_EXPIRED"),
        aged("outage: a revoked token stays revoked", 600)
            .list_at(
                NOW - 600,
                {
                    let mut list = delta(100, 101);
                    list.issued_at = secs(NOW - 600);
                    list.revoked = revoking(&[GID]);
                    list
                },
                loaded(101, 1),
            )
            .policy(grace.clone())
            .claims(expired(300))
            .refused("ERR_JWT_REVOKED"),
        aged("outage: a token from before the cut-off stays void", 600)
            .list_at(
                NOW - 600,
                {
                    let mut list = delta(100, 101);
                    list.issued_at = secs(NOW - 600);
                    list.cutoff = secs(NOW - 599);
                    list
                },
                loaded(101, 0),
            )
            .policy(grace.clone())
            .claims(expired(300))
            .refused("ERR_JWT_REVOKED"),
        aged("outage: a list older than maxStaleness is denied", 600)
            .policy(changed(grace.clone(), json!({ "onStale": "deny", "maxStaleness": 599 })))
            .claims(expired(300))
            .refused("ERR_LIST_STALE"),
        aged("outage: a list within maxStaleness is allowed", 600)
            .policy(changed(grace.clone(), json!({ "onStale": "deny", "maxStaleness": 600 })))
            .claims(expired(300))
            .expect(json!({ "outage": true, "freshness": { "stale": false } })),
        case("outage: no list, no grace")
            .no_list()
            .policy(changed(grace, json!({ "onMissing": "allow" })))
            .claims(expired(300))
            .refused("ERR_JWT_EXPIRED"),
    ]
}

fn impossible() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        ("an empty issuer", json!({ "issuer": "" })),
        ("no issuer", json!({ "issuer": null })),
        ("no audience", json!({ "audience": null })),
        ("an empty audience", json!({ "audience": "" })),
        ("an empty array of audiences", json!({ "audience": [] })),
        ("an array with an empty audience", json!({ "audience": [""] })),
        ("an audience that is a number", json!({ "audience": 1 })),
        ("a negative tolerance", json!({ "clockTolerance": -1 })),
        ("a fractional tolerance", json!({ "clockTolerance": 1.5 })),
        ("a tolerance that is a text", json!({ "clockTolerance": "5" })),
        ("a tolerance of more than a year", json!({ "clockTolerance": 31_536_001 })),
        ("a grace of more than a year", json!({ "outageGrace": 31_536_001 })),
        ("an unknown policy", json!({ "onStale": "ignore" })),
        ("an unknown option", json!({ "maxAge": 5 })),
        ("a grace that denying stale lists makes useless", json!({ "outageGrace": 60, "onStale": "deny" })),
        ("a cache of more than a million", json!({ "cacheSize": 1_000_001 })),
    ]
    .into_iter()
    .map(|(name, changes)| {
        case(&format!("options: {name}")).policy(changes).unmakeable("ERR_OPTIONS_INVALID")
    })
    .collect();
    cases.push(case("options: all options set").policy(json!({
        "clockTolerance": 5, "maxStaleness": 60, "onStale": "deny", "onMissing": "deny", "outageGrace": 60,
        "cacheSize": 0,
    })));
    cases
}
