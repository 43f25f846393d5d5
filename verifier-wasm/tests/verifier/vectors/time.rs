//! Cases about `exp`, `nbf`, `iat`, and the clock that applies. The list in these cases allows 60 s of leeway.

use super::*;

const EXPIRED: &str = "ERR_JWT_EXPIRED";

pub fn cases() -> Vec<Case> {
    let mut cases = edges();
    cases.extend(clocks());
    cases
}

fn edges() -> Vec<Case> {
    let strict = json!({ "clockTolerance": 0 });
    vec![
        case("expired long ago").claims(json!({ "exp": NOW - 600 })).expect(json!({
            "code": EXPIRED, "expiresAt": NOW - 600, "now": NOW,
        })),
        case("the last second within the leeway").claims(json!({ "exp": NOW - 59 })),
        case("the first second after the leeway").claims(json!({ "exp": NOW - 60 })).refused(EXPIRED),
        case("no tolerance: the last second").claims(json!({ "exp": NOW + 1 })).policy(strict.clone()),
        case("no tolerance: the second of exp")
            .claims(json!({ "exp": NOW }))
            .policy(strict.clone())
            .refused(EXPIRED),
        case("a clockTolerance smaller than the leeway")
            .claims(json!({ "exp": NOW - 5 }))
            .policy(json!({ "clockTolerance": 5 }))
            .refused(EXPIRED),
        case("within a clockTolerance smaller than the leeway")
            .claims(json!({ "exp": NOW - 4 }))
            .policy(json!({ "clockTolerance": 5 })),
        case("a clockTolerance above the list's leeway is reduced to it")
            .claims(json!({ "exp": NOW - 60 }))
            .policy(json!({ "clockTolerance": 3600 }))
            .refused(EXPIRED),
        case("without a list, clockTolerance applies")
            .no_list()
            .claims(json!({ "exp": NOW - 3599 }))
            .policy(json!({ "clockTolerance": 3600, "onMissing": "allow" }))
            .expect(json!({ "revocation": "unknown" })),
        case("without a list, the leeway is 60 s")
            .no_list()
            .claims(json!({ "exp": NOW - 59 }))
            .policy(json!({ "onMissing": "allow" }))
            .expect(json!({ "revocation": "unknown" })),
        case("without a list, the leeway is at most 60 s")
            .no_list()
            .claims(json!({ "exp": NOW - 60 }))
            .policy(json!({ "onMissing": "allow" }))
            .refused(EXPIRED),
        case("the leeway of the last list applies")
            .list(
                {
                    let mut list = delta(100, 101);
                    list.leeway_secs = 5;
                    list
                },
                loaded(101, 0),
            )
            .claims(json!({ "exp": NOW - 5 }))
            .refused(EXPIRED),
        case("nbf within the leeway").claims(json!({ "nbf": NOW + 60 })),
        case("nbf after the leeway").claims(json!({ "nbf": NOW + 61 })).expect(too_early(
            "nbf",
            NOW + 61,
            60,
        )),
        case("no tolerance: nbf now").claims(json!({ "nbf": NOW })).policy(strict.clone()),
        case("iat within the leeway").claims(json!({ "iat": NOW + 60 })),
        case("iat after the leeway").claims(json!({ "iat": NOW + 61 })).expect(too_early(
            "iat",
            NOW + 61,
            60,
        )),
        case("no tolerance: iat a second ahead, as after a cut-off")
            .claims(json!({ "iat": NOW + 1 }))
            .policy(strict.clone()),
        case("no tolerance: iat further ahead")
            .claims(json!({ "iat": NOW + 2 }))
            .policy(strict)
            .expect(too_early("iat", NOW + 2, 0)),
        case("exp in the year 9999, issued as long ago as entries are kept")
            .claims(json!({ "iat": NOW - 10 - 1020, "exp": 253_402_300_799_u64 })),
        case("exp in the year 9999, issued longer ago than entries are kept")
            .claims(json!({ "iat": NOW - 11 - 1020, "exp": 253_402_300_799_u64 }))
            .refused(EXPIRED),
    ]
}

fn clocks() -> Vec<Case> {
    let ahead = |secs| {
        let mut list = snapshot();
        list.issued_at = crate::support::secs(NOW + secs);
        list
    };
    let mut old = snapshot();
    old.issued_at = crate::support::secs(NOW - 2400);
    vec![
        case("a list an hour ahead of a slow host proves that the token expired")
            .no_list()
            .list(ahead(3600), loaded(100, 0))
            .refused(EXPIRED),
        case("a list ahead of a slow host proves that the token is valid already")
            .no_list()
            .list(ahead(600), loaded(100, 0))
            .claims(json!({ "iat": NOW + 570, "nbf": NOW + 570, "exp": NOW + 1470 })),
        case("an old list from a cache does not set the clock back")
            .no_list()
            .list(old.clone(), loaded(100, 0))
            .claims(json!({ "iat": NOW - 1100, "exp": NOW - 200 }))
            .refused(EXPIRED),
        case("an old list says how old it is")
            .no_list()
            .list(old, loaded(100, 0))
            .expect(json!({ "freshness": { "asOf": NOW - 2400, "age": 2400, "stale": true } })),
        case("a list almost a day ahead is accepted")
            .no_list()
            .list(ahead(86_000), loaded(100, 0))
            .refused(EXPIRED),
        case("a list more than a day ahead is refused").list(
            {
                let mut list = ahead(86_401);
                list.seq = seq(101);
                list
            },
            json!({ "code": "ERR_LIST_INVALID", "reason": "future" }),
        ),
    ]
}
