//! Cases about the keys that a verifier trusts.

use doorlist_verifier::RevocationList;

use super::*;

const UNUSABLE: &str = "ERR_JWKS_INVALID";
const UNKNOWN: &str = "ERR_JWKS_NO_MATCHING_KEY";

pub fn cases() -> Vec<Case> {
    let mut cases = rotation();
    cases.extend(sets());
    cases
}

fn rotation() -> Vec<Case> {
    let rotated = |keys: &[u8]| {
        let mut list = delta(100, 101);
        list.jwks = Some(jwks(keys));
        list
    };
    let token_of = |number| Key::number(number).token(&crate::support::claims());
    let signed_by = |number: u8, list: &RevocationList| Key::number(number).list(list);
    vec![
        case("a key that is in no set and in no list")
            .token(token_of(2))
            .expect(json!({ "code": UNKNOWN, "kid": Key::number(2).kid() })),
        case("a key announced by a list").list(rotated(&[1, 2]), loaded(101, 0)).token(token_of(2)),
        case("a key retired by a list")
            .jwks(serde_json::to_value(jwks(&[1, 2])).unwrap())
            .no_list()
            .list(
                {
                    let mut list = snapshot();
                    list.jwks = Some(jwks(&[1, 2]));
                    list
                },
                loaded(100, 0),
            )
            .list(signed_by(2, &rotated(&[2])), loaded(101, 0))
            .refused(UNKNOWN),
        case("a configured key that the list does not have")
            .jwks(serde_json::to_value(jwks(&[1, 2])).unwrap())
            .token(token_of(2))
            .refused(UNKNOWN),
        case("a list signed by a retired key")
            .jwks(serde_json::to_value(jwks(&[1, 2])).unwrap())
            .no_list()
            .list(
                {
                    let mut list = snapshot();
                    list.jwks = Some(jwks(&[2]));
                    signed_by(2, &list)
                },
                loaded(100, 0),
            )
            .list(delta(100, 101), refusal(UNKNOWN))
            .token(token_of(2)),
        case("a delta without keys changes no key").list(delta(100, 101), loaded(101, 0)),
        case("a key that a list dropped and a later list brings back")
            .jwks(serde_json::to_value(jwks(&[1, 2])).unwrap())
            .no_list()
            .list(
                {
                    let mut list = snapshot();
                    list.jwks = Some(jwks(&[2]));
                    signed_by(2, &list)
                },
                loaded(100, 0),
            )
            .list(signed_by(2, &rotated(&[1, 2])), loaded(101, 0)),
        case("a token signed by the reserve key")
            .jwks(serde_json::to_value(jwks(&[1, 2])).unwrap())
            .no_list()
            .list(
                {
                    let mut list = snapshot();
                    list.jwks = Some(jwks(&[1, 2]));
                    list
                },
                loaded(100, 0),
            )
            .token(token_of(2)),
    ]
}

fn sets() -> Vec<Case> {
    let good = || serde_json::to_value(Key::number(1).public()).unwrap();
    let set_of = |changes: Value| json!({ "keys": [changed(good(), changes)] });
    let beside = |other: Value| json!({ "keys": [other, good()] });
    let mut cases: Vec<Case> = [
        (
            "an RSA key beside a good key",
            beside(json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa" })),
        ),
        ("an X25519 key beside a good key", beside(changed(good(), json!({ "crv": "X25519" })))),
        ("an Ed448 key beside a good key", beside(json!({ "kty": "OKP", "crv": "Ed448", "x": "AAAA" }))),
        ("a key for encryption beside a good key", beside(changed(good(), json!({ "use": "enc" })))),
        ("a key of another alg beside a good key", beside(changed(good(), json!({ "alg": "ES256" })))),
        ("a key of no known type beside a good key", beside(json!({}))),
        ("the same key twice", beside(good())),
        ("a key with alg Ed25519", set_of(json!({ "alg": "Ed25519" }))),
        ("a key with neither alg nor use", set_of(json!({ "alg": null, "use": null }))),
        (
            "additional members",
            json!({ "keys": [changed(good(), json!({ "x5t": "AA", "ext": true }))], "next": 1 }),
        ),
    ]
    .into_iter()
    .map(|(name, jwks)| case(&format!("key set: {name}")).jwks(jwks))
    .collect();
    cases.push(case("key set: empty").jwks(json!({ "keys": [] })).no_list().refused(UNKNOWN));

    let mut unusable = vec![
        ("no keys", json!({})),
        ("keys not an array", json!({ "keys": good() })),
        ("a key that is a string", json!({ "keys": ["key"] })),
        ("a private key", set_of(json!({ "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }))),
        ("a private key of another type", beside(json!({ "kty": "EC", "d": "AA" }))),
        ("no x", set_of(json!({ "x": null }))),
        ("x too short", set_of(json!({ "x": "AAAA" }))),
        ("x padded", set_of(json!({ "x": format!("{}=", good()["x"].as_str().unwrap()) }))),
        ("x not on the curve", set_of(json!({ "x": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }))),
        ("no kid", set_of(json!({ "kid": null }))),
        ("a kid that is not a thumbprint", set_of(json!({ "kid": "key-1" }))),
        ("the kid of another key", set_of(json!({ "kid": Key::number(2).kid() }))),
        ("seventeen keys", serde_json::to_value(jwks(&(1..=17).collect::<Vec<_>>())).unwrap()),
    ];
    // The points of order 1, 2, 4 and 8, in their canonical encodings.
    unusable.extend(
        [
            ("small order: the neutral point", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("small order: of order 2", "7P_______________________________________38"),
            ("small order: of order 4", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("small order: of order 8", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"),
        ]
        .map(|(name, x)| (name, set_of(json!({ "x": x })))),
    );
    cases.extend(
        unusable
            .into_iter()
            .map(|(name, jwks)| case(&format!("key set: {name}")).jwks(jwks).unmakeable(UNUSABLE)),
    );
    cases
}
