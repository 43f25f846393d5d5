//! Cases about the content of a payload.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::*;

const MANDATORY: [&str; 9] = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "gid", "sid"];

pub fn cases() -> Vec<Case> {
    let mut cases = good();
    cases.extend(payloads());
    cases.extend(MANDATORY.map(|claim| {
        case(&format!("no {claim}")).claims(json!({ claim: null })).expect(claim_error(claim, "missing"))
    }));
    cases.extend(MANDATORY.into_iter().chain(["nbf", "scope"]).map(|claim| {
        case(&format!("{claim} null")).token(replaced(claim, "null")).expect(claim_error(claim, "invalid"))
    }));
    cases.extend(texts());
    cases.extend(times());
    cases.extend(parties());
    cases
}

fn good() -> Vec<Case> {
    vec![
        case("scope, nbf and custom claims")
            .claims(json!({
                "scope": "read write",
                "nbf": NOW - 60,
                "roles": ["admin", { "of": ["a", "b"] }],
                "ratio": 0.5,
                "name": "Zoë \u{1f600}",
                "nothing": { "at": [] },
            }))
            .expect(json!({ "payload": { "scope": "read write", "ratio": 0.5, "name": "Zoë \u{1f600}" } })),
        case("the same name in different objects")
            .claims(json!({ "a": { "sub": "x" }, "b": { "sub": "y" } })),
        case("a claim named __proto__ is a claim").token(inserted(r#""__proto__":{"sub":"mallory"}"#)),
        case("a subject of 255 bytes")
            .claims(json!({ "sub": "x".repeat(255) }))
            .expect(json!({ "payload": { "sub": "x".repeat(255) } })),
        case("white space between the claims").token(Key::number(1).sign(
            &text(&Key::number(1).header()),
            &serde_json::to_string_pretty(&sorted(&crate::support::claims())).unwrap(),
        )),
    ]
}

fn payloads() -> Vec<Case> {
    let key = Key::number(1);
    let good = text(&crate::support::claims());
    let deep = format!(r#""deep":{}{}"#, "[".repeat(200), "]".repeat(200));
    let mut cases: Vec<Case> = [
        ("exp twice", inserted(&format!(r#""exp":{}"#, NOW + 840))),
        ("gid twice, with another value first", inserted(r#""gid":"00000000000000ff""#)),
        ("a custom claim twice", inserted(r#""a":1,"a":2"#)),
        ("a name twice in a nested object", inserted(r#""a":{"b":1,"b":1}"#)),
        ("a name twice in an array's object", inserted(r#""a":[[{"b":1,"b":1}]]"#)),
        ("sub twice, once escaped", inserted(r#""s\u0075b":"mallory""#)),
        ("nested too deep", inserted(&deep)),
        ("half of a surrogate pair", inserted(r#""a":"\ud800""#)),
        ("a number outside the range of a double", inserted(r#""a":1e999"#)),
        ("nothing", key.sign(&text(&key.header()), "")),
        ("an array", key.sign(&text(&key.header()), "[]")),
        ("a string", key.sign(&text(&key.header()), r#""alice""#)),
        ("null", key.sign(&text(&key.header()), "null")),
        ("cut short", key.sign(&text(&key.header()), &good[..good.len() - 1])),
        ("more text after the JSON", key.sign(&text(&key.header()), &format!("{good}{good}"))),
        ("a byte order mark", key.sign(&text(&key.header()), &format!("\u{feff}{good}"))),
        ("a control character in a string", inserted("\"a\":\"\n\"")),
        ("not a number", inserted(r#""a":NaN"#)),
    ]
    .into_iter()
    .map(|(name, token)| case(&format!("payload: {name}")).token(token).refused("ERR_JWT_INVALID"))
    .collect();
    let not_utf8 = [good.trim_end_matches('}').as_bytes(), b",\"a\":\"\xff\"}"].concat();
    let header = base64url(&text(&key.header()));
    cases.push(
        case("payload: not UTF-8")
            .token(key.sign_parts(&header, &Base64UrlUnpadded::encode_string(&not_utf8)))
            .refused("ERR_JWT_INVALID"),
    );
    cases
}

fn texts() -> Vec<Case> {
    let invalid = [
        ("iss", json!("")),
        ("iss", json!(1)),
        ("iss", json!([ISSUER])),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!([AUDIENCE, ""])),
        ("aud", json!([AUDIENCE, 1])),
        ("aud", json!({ "api": true })),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("client_id", json!("")),
        ("client_id", json!(["web"])),
        ("gid", json!("")),
        ("gid", json!(GID)),
        ("gid", json!("ab0001")),
        ("gid", json!("0000000000AB0001")),
        ("gid", json!("0000000000000000")),
        ("gid", json!("0x00000000ab0001")),
        ("gid", json!("00000000000ab0001")),
        ("sid", json!("")),
        ("sid", json!("0000000000AB0002")),
        ("sid", json!("0000000000000000")),
        ("sid", json!(" 000000000ab0002")),
        ("scope", json!("")),
        ("scope", json!(["read"])),
    ];
    invalid
        .into_iter()
        .map(|(claim, value)| {
            let shown = value.to_string();
            let shown = if shown.len() > 40 { "of 256 bytes" } else { &shown };
            case(&format!("{claim} {shown}"))
                .claims(json!({ claim: value }))
                .expect(claim_error(claim, "invalid"))
        })
        .collect()
}

fn times() -> Vec<Case> {
    let mut cases = vec![
        case("exp in the last second of the year 9999").claims(json!({ "exp": 253_402_300_799_u64 })),
        case("nbf 0").claims(json!({ "nbf": 0 })),
    ];
    for claim in ["exp", "iat", "nbf"] {
        for number in [
            "1767225600.5",
            "1767225600.0",
            "1.7672256e9",
            "1767225600e0",
            "-1",
            "-0",
            "253402300800",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            "\"1767225600\"",
            "true",
            "[1767225600]",
        ] {
            cases.push(
                case(&format!("{claim} {number}"))
                    .token(replaced(claim, number))
                    .expect(claim_error(claim, "invalid")),
            );
        }
    }
    cases
}

fn parties() -> Vec<Case> {
    let other_issuer = |issuer: &str| unexpected("iss", &issuer.into(), &ISSUER.into());
    let other_audience = |actual: Value| unexpected("aud", &actual, &json!([AUDIENCE]));
    let slash_more = format!("{ISSUER}/");
    vec![
        case("another issuer")
            .claims(json!({ "iss": "https://other.example" }))
            .expect(other_issuer("https://other.example")),
        case("the issuer with an additional slash at the end")
            .claims(json!({ "iss": slash_more }))
            .expect(other_issuer(&slash_more)),
        case("another audience")
            .claims(json!({ "aud": "billing" }))
            .expect(other_audience(json!(["billing"]))),
        case("an audience that begins like the expected one")
            .claims(json!({ "aud": "api2" }))
            .expect(other_audience(json!(["api2"]))),
        case("one of several audiences").claims(json!({ "aud": ["billing", AUDIENCE] })),
        case("none of several audiences")
            .claims(json!({ "aud": ["billing", "mail"] }))
            .expect(other_audience(json!(["billing", "mail"]))),
        case("a verifier that accepts several audiences")
            .policy(json!({ "audience": ["billing", AUDIENCE] })),
        case("a verifier that accepts only other audiences")
            .policy(json!({ "audience": ["billing", "mail"] }))
            .expect(unexpected("aud", &json!([AUDIENCE]), &json!(["billing", "mail"]))),
        {
            let mut case = case("a verifier that accepts any audience").claims(json!({ "aud": "anything" }));
            case.policy["audience"] = Value::Null;
            case
        },
    ]
}

/// A signed token in which this claim has exactly this text as its value. The text may be a text that no JSON library
/// writes.
fn replaced(claim: &str, value: &str) -> String {
    let claims = claims_with(json!({ claim: "@" }));
    let payload = text(&claims).replace(r#""@""#, value);
    Key::number(1).sign(&text(&Key::number(1).header()), &payload)
}

/// A signed token. Its payload contains these members after the usual members.
fn inserted(members: &str) -> String {
    let claims = text(&crate::support::claims());
    let payload = format!("{},{members}}}", claims.trim_end_matches('}'));
    Key::number(1).sign(&text(&Key::number(1).header()), &payload)
}
