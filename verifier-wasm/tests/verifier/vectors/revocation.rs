//! Cases about handles and the cut-off, and how long they apply.

use doorlist_verifier::RevocationList;

use super::*;

pub fn cases() -> Vec<Case> {
    vec![
        kicked("gid revoked", &[GID]).expect(revoked("gid", GID)),
        kicked("sid revoked", &[SID]).expect(revoked("sid", SID)),
        kicked("gid and sid revoked", &[GID, SID]).expect(revoked("gid", GID)),
        kicked("neighbours in the block revoked", &[GID - 1, SID + 1]),
        kicked(
            "the same position in other blocks revoked",
            &[GID + (1 << 16), GID - (1 << 16), GID | 1 << 63],
        ),
        kicked("first of a group", &[GID, GID + 2, GID + 3]).expect(revoked("gid", GID)),
        kicked("last of a group", &[GID - 1, GID - 2, GID]).expect(revoked("gid", GID)),
        kicked("one of a thousand blocks", &blocks(1000, Some(GID))).expect(revoked("gid", GID)),
        kicked("none of a thousand blocks", &blocks(1000, None)),
        case("highest handle revoked")
            .list(listed(delta(100, 101), &[u64::MAX]), loaded(101, 1))
            .claims(json!({ "gid": "ffffffffffffffff" }))
            .expect(revoked("gid", u64::MAX)),
        case("in the snapshot").no_list().list(listed(snapshot(), &[GID]), loaded(100, 1)).expect(
            json!({ "code": "ERR_JWT_REVOKED", "by": "gid", "handle": handle(GID), "asOf": NOW - 10 }),
        ),
        case("a cut-off after the token")
            .list(cut_off(NOW - 59), loaded(101, 0))
            .expect(json!({ "code": "ERR_JWT_REVOKED", "by": "cutoff" })),
        case("a cut-off in the token's second").list(cut_off(NOW - 60), loaded(101, 0)),
        case("a cut-off never becomes earlier")
            .list(cut_off(NOW - 59), loaded(101, 0))
            .list(delta(101, 102), loaded(102, 0))
            .expect(json!({ "code": "ERR_JWT_REVOKED", "by": "cutoff" })),
        case("expired and revoked: reported as expired")
            .list(listed(delta(100, 101), &[GID]), loaded(101, 1))
            .claims(json!({ "exp": NOW - 600 }))
            .refused("ERR_JWT_EXPIRED"),
        kicked("a later delta without the handle", &[GID])
            .list(delta(101, 102), loaded(102, 1))
            .expect(revoked("gid", GID)),
        kicked("a later snapshot without the handle", &[GID])
            .list(later(snapshot(), 102), loaded(102, 1))
            .expect(revoked("gid", GID)),
        kicked("a snapshot of another epoch without the handle", &[GID])
            .list(
                {
                    let mut list = later(snapshot(), 1);
                    list.epoch = doorlist_verifier::Epoch(2);
                    list
                },
                json!({ "epoch": "0000000000000002", "sequence": 1, "entries": 1 }),
            )
            .expect(revoked("gid", GID)),
        kicked("the same entry again", &[GID])
            .list(listed(delta(100, 102), &[GID]), loaded(102, 1))
            .expect(revoked("gid", GID)),
        held_since(1020, "an entry stays for retain")
            .list(delta(100, 101), loaded(101, 1))
            .expect(revoked("gid", GID)),
        held_since(1021, "a newer list removes an entry after retain").list(delta(100, 101), loaded(101, 0)),
        held_since(5000, "the clock alone removes no entry")
            .expect(json!({ "code": "ERR_JWT_REVOKED", "by": "gid" })),
        held_since(1021, "an entry that arrives again stays for another retain")
            .list(listed(delta(100, 101), &[GID]), loaded(101, 1))
            .expect(revoked("gid", GID)),
        held_since(1021, "a list with a shorter retain removes an entry after the longest retain").list(
            {
                let mut list = delta(100, 101);
                list.retain_secs = 900;
                list
            },
            loaded(101, 0),
        ),
        held_since(1000, "a list with a shorter retain removes no entry before the longest retain")
            .list(
                {
                    let mut list = delta(100, 101);
                    list.retain_secs = 900;
                    list
                },
                loaded(101, 1),
            )
            .expect(revoked("gid", GID)),
    ]
}

/// A case with a valid snapshot, followed by a delta that contains these handles.
fn kicked(name: &str, handles: &[u64]) -> Case {
    let distinct: std::collections::BTreeSet<_> = handles.iter().collect();
    case(name).list(listed(delta(100, 101), handles), loaded(101, distinct.len()))
}

/// A case with a snapshot that contains the token's group. The snapshot was loaded `age` seconds before [`NOW`].
fn held_since(age: u64, name: &str) -> Case {
    let mut list = listed(snapshot(), &[GID]);
    list.issued_at = secs(NOW - age);
    case(name).no_list().list_at(NOW - age, list, loaded(100, 1))
}

fn listed(mut list: RevocationList, handles: &[u64]) -> RevocationList {
    list.revoked = revoking(handles);
    list
}

fn cut_off(time: u64) -> RevocationList {
    let mut list = delta(100, 101);
    list.cutoff = secs(time);
    list
}

fn later(mut list: RevocationList, to: u64) -> RevocationList {
    list.issued_at = secs(NOW);
    list.seq = seq(to);
    list
}

fn blocks(count: u64, and: Option<u64>) -> Vec<u64> {
    (1..=count).map(|block| block << 16 | 7).chain(and).collect()
}

fn revoked(by: &str, number: u64) -> Value {
    json!({ "code": "ERR_JWT_REVOKED", "by": by, "handle": handle(number) })
}
