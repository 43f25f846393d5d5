//! Cases about the lists that a verifier accepts. Each case ends with the valid token, to show that a refused list
//! changes nothing.

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{Epoch, RevocationList};

use super::*;

pub fn cases() -> Vec<Case> {
    let mut cases = order();
    cases.extend(trust());
    cases.extend(forms());
    cases.extend(values());
    cases.extend(handles());
    cases
}

fn order() -> Vec<Case> {
    let rollback = |offered: u64| json!({ "code": "ERR_LIST_ROLLBACK", "heldSequence": 100, "offeredSequence": offered });
    let gap = |since: u64| json!({ "code": "ERR_LIST_GAP", "since": since });
    let with = |mut list: RevocationList, epoch: u64, seconds_ago: u64| {
        list.epoch = Epoch(epoch);
        list.issued_at = secs(NOW - seconds_ago);
        list
    };
    vec![
        case("the same list twice").list(snapshot(), loaded(100, 0)),
        case("a heartbeat").list(delta(100, 100), loaded(100, 0)).expect(
            json!({ "freshness": { "asOf": NOW, "stale": false } }),
        ),
        case("a delta from the held position").list(delta(100, 105), loaded(105, 0)),
        case("a delta from before the held position").list(delta(7, 105), loaded(105, 0)),
        case("a delta from sequence 0").list(delta(0, 105), loaded(105, 0)),
        case("a newer snapshot").list(numbered(snapshot(), 105, 0), loaded(105, 0)),
        case("a lower sequence").list(numbered(snapshot(), 99, 0), rollback(99)),
        case("a lower sequence in a delta").list(delta(90, 99), rollback(99)),
        case("the same sequence, older").list(numbered(snapshot(), 100, 11), rollback(100)),
        case("a higher sequence, older: the sequence comes first")
            .list(numbered(snapshot(), 101, 300), loaded(101, 0))
            .expect(json!({ "freshness": { "asOf": NOW - 10 } })),
        case("a gap").list(delta(101, 105), gap(101)),
        case("a delta to a verifier without a list").no_list().list(delta(100, 105), gap(100)).refused("ERR_LIST_MISSING"),
        case("a gap, then a snapshot, then the delta")
            .list(delta(101, 105), gap(101))
            .list(numbered(snapshot(), 104, 5), loaded(104, 0))
            .list(delta(101, 105), loaded(105, 0)),
        case("another epoch's snapshot").list(
            with(numbered(snapshot(), 3, 0), 2, 0),
            json!({ "epoch": "0000000000000002", "sequence": 3, "entries": 0 }),
        ),
        case("another epoch's snapshot of the same second").list(
            with(snapshot(), 2, 10),
            json!({ "epoch": "0000000000000002", "sequence": 100, "entries": 0 }),
        ),
        case("another epoch's older snapshot").list(
            with(numbered(snapshot(), 500, 0), 2, 11),
            json!({ "code": "ERR_LIST_ROLLBACK", "heldEpoch": "0000000000000001", "offeredEpoch": "0000000000000002" }),
        ),
        case("another epoch's delta").list(with(delta(100, 101), 2, 0), gap(100)),
        case("no list at all").no_list().refused("ERR_LIST_MISSING"),
    ]
}

fn trust() -> Vec<Case> {
    let good = Key::number(1).list(&numbered(snapshot(), 101, 0));
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let (_, other_signature) =
        good_token().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut self_trusting = numbered(snapshot(), 101, 0);
    self_trusting.jwks = Some(jwks(&[1, 2]));
    let mut other_issuer = numbered(snapshot(), 101, 0);
    other_issuer.issuer = "https://other.example".into();
    let list_header = |changes| {
        let header = json!({ "alg": "EdDSA", "kid": Key::number(1).kid(), "typ": "revocation-list+jwt" });
        Key::number(1).sign(
            &text(&changed(header, changes)),
            &text(&serde_json::to_value(numbered(snapshot(), 101, 0)).unwrap()),
        )
    };
    let payload = base64url(&text(&serde_json::to_value(numbered(snapshot(), 102, 0)).unwrap()));
    let (header, _) = signed_part.split_once('.').unwrap();
    vec![
        case("list: signed by a key that only this list contains").list(
            Key::number(2).list(&self_trusting),
            json!({ "code": "ERR_JWKS_NO_MATCHING_KEY", "kid": Key::number(2).kid() }),
        ),
        case("list: the signature of another payload").list(
            format!("{signed_part}.{other_signature}"),
            refusal("ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
        ),
        case("list: another payload with a good signature").list(
            format!("{header}.{payload}.{signature}"),
            refusal("ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
        ),
        case("list: another issuer").list(other_issuer, invalid("issuer")),
        case("list: a token as list").list(good_token(), invalid("type")),
        case("list: typ application/revocation-list+jwt")
            .list(list_header(json!({ "typ": "application/revocation-list+jwt" })), invalid("type")),
        case("list: alg none")
            .list(list_header(json!({ "alg": "none" })), refusal("ERR_JOSE_ALG_NOT_ALLOWED")),
        case("list: alg Ed25519").list(list_header(json!({ "alg": "Ed25519" })), loaded(101, 0)),
        case("list: crit").list(list_header(json!({ "crit": ["exp"] })), invalid("form")),
        case("list: an embedded key")
            .list(list_header(json!({ "jwk": Key::number(1).public() })), invalid("form")),
        case("list: padding").list(format!("{good}=="), invalid("form")),
    ]
}

fn forms() -> Vec<Case> {
    let sign = |payload: &str| {
        let header = json!({ "alg": "EdDSA", "kid": Key::number(1).kid(), "typ": "revocation-list+jwt" });
        Key::number(1).sign(&text(&header), payload)
    };
    let good = text(&serde_json::to_value(numbered(snapshot(), 101, 0)).unwrap());
    let with = |member: &str| format!("{},{member}}}", good.strip_suffix('}').unwrap());
    vec![
        case("list: an empty text").list(String::new(), invalid("form")),
        case("list: not a JWT").list("not a list".to_owned(), invalid("form")),
        case("list: two parts").list("e30.e30".to_owned(), invalid("form")),
        case("list: payload not JSON").list(sign("revoked"), invalid("payload")),
        case("list: payload an array").list(sign("[]"), invalid("payload")),
        case("list: a claim twice").list(sign(&with(r#""seq":102"#)), invalid("payload")),
        case("list: an unknown claim twice").list(sign(&with(r#""x":1,"x":2"#)), invalid("payload")),
        case("list: an unknown claim").list(sign(&with(r#""x":{"y":1}"#)), loaded(101, 0)),
    ]
}

fn values() -> Vec<Case> {
    let changed_list = |changes: Value| {
        let list = serde_json::to_value(numbered(snapshot(), 101, 0)).unwrap();
        Key::number(1).list_of(&changed(list, changes))
    };
    let mut cases: Vec<Case> =
        ["iss", "iat", "ttl", "retain", "leeway", "epoch", "seq", "cutoff", "revoked", "jwks"]
            .map(|claim| {
                case(&format!("list: no {claim}")).list(
                    changed_list(json!({ claim: null })),
                    json!({ "code": "ERR_LIST_INVALID", "reason": "missing", "claim": claim }),
                )
            })
            .into();
    let mut private = serde_json::to_value(jwks(&[1])).unwrap();
    private["keys"][0]["d"] = json!(Key::number(1).kid());
    let malformed = [
        ("iss", json!("")),
        ("iss", json!(1)),
        ("iat", json!(1.5)),
        ("iat", json!(-1)),
        ("iat", json!(253_402_300_800_u64)),
        ("ttl", json!(0)),
        ("ttl", json!(86_401)),
        ("ttl", json!("10")),
        ("retain", json!(0)),
        ("retain", json!(315_360_001)),
        ("leeway", json!(3601)),
        ("leeway", json!(-1)),
        ("epoch", json!(1)),
        ("epoch", json!("1")),
        ("epoch", json!("000000000000000A")),
        ("seq", json!("101")),
        ("seq", json!(9_007_199_254_740_992_u64)),
        ("seq", json!(1e3)),
        ("since", json!(102)),
        ("since", json!("100")),
        ("since", json!(-1)),
        ("cutoff", json!(0.5)),
        ("cutoff", json!("0")),
        ("jwks", json!([])),
        ("jwks", json!({ "keys": [] })),
        ("jwks", json!({ "keys": [{ "kty": "EC" }] })),
        ("jwks", private),
        ("jwks", serde_json::to_value(jwks(&(1..=17).collect::<Vec<_>>())).unwrap()),
        ("revoked", json!([])),
        ("revoked", json!(0)),
    ];
    cases.extend(malformed.into_iter().map(|(claim, value)| {
        let shown = value.to_string();
        let shown = match shown.len() {
            0..=60 => shown.as_str(),
            61..=600 => "with a private key",
            _ => "of seventeen keys",
        };
        case(&format!("list: {claim} {shown}")).list(
            changed_list(json!({ claim: value })),
            json!({ "code": "ERR_LIST_INVALID", "reason": "malformed", "claim": claim }),
        )
    }));
    cases
}

fn handles() -> Vec<Case> {
    let good = revoking(&[GID + 4, GID + 5, GID + (9 << 16)]);
    let bytes = good.as_bytes();
    let group = |block: u8, positions: &[u8]| {
        let mut group = vec![0, 0, 0, 0, 0, block, 0, positions.len() as u8 - 1];
        group.extend(positions.iter().flat_map(|position| [0, *position]));
        group
    };
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let list_of = |revoked: &str| {
        let list = serde_json::to_value(delta(100, 101)).unwrap();
        Key::number(1).list_of(&changed(list, json!({ "revoked": revoked })))
    };
    let mut cases = vec![
        case("handles: well encoded").list(list_of(&encode(bytes)), loaded(101, 3)),
        case("handles: a full block").list(
            list_of(&encode(
                revoking(&(0..=0xffff).map(|position| 7 << 16 | position).collect::<Vec<_>>()).as_bytes(),
            )),
            loaded(101, 65_536),
        ),
    ];
    let claimed_more = [&[0, 0, 0, 0, 0, 1, 0xff, 0xff], [0, 1].as_slice()].concat();
    cases.extend(
        [
            ("a byte left over", encode(&[bytes, &[0]].concat())),
            ("a byte missing", encode(&bytes[..bytes.len() - 1])),
            ("a position missing", encode(&bytes[..bytes.len() - 2])),
            ("only a block", encode(&[0, 0, 0, 0, 0, 1])),
            ("a count without positions", encode(&[0, 0, 0, 0, 0, 1, 0, 0])),
            ("a count far above the number of positions", encode(&claimed_more)),
            ("positions descending", encode(&group(1, &[2, 1]))),
            ("a position twice", encode(&group(1, &[2, 2]))),
            ("blocks descending", encode(&[group(2, &[1]), group(1, &[1])].concat())),
            ("a block twice", encode(&[group(1, &[1]), group(1, &[2])].concat())),
            ("the handle 0", encode(&group(0, &[0]))),
            ("padding", format!("{}=", encode(&group(1, &[1, 2])))),
            // The encoded set has ten bytes, so the last character, `Q`, has four spare bits.
            ("spare bits", format!("{}R", encode(&group(1, &[1])).strip_suffix('Q').unwrap())),
            ("white space", format!(" {}", encode(bytes))),
        ]
        .map(|(name, revoked)| {
            case(&format!("handles: {name}")).list(
                list_of(&revoked),
                json!({ "code": "ERR_LIST_INVALID", "reason": "malformed", "claim": "revoked" }),
            )
        }),
    );
    cases
}

fn numbered(mut list: RevocationList, to: u64, seconds_ago: u64) -> RevocationList {
    list.seq = seq(to);
    list.issued_at = secs(NOW - seconds_ago);
    list
}

fn invalid(reason: &str) -> Value {
    json!({ "code": "ERR_LIST_INVALID", "reason": reason })
}

fn good_token() -> String {
    Key::number(1).token(&crate::support::claims())
}
