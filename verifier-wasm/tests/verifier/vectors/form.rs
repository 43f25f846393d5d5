//! Cases about the compact form and the header.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

const FORM: &str = "ERR_JWS_INVALID";
const SIGNATURE: &str = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
const ALGORITHM: &str = "ERR_JOSE_ALG_NOT_ALLOWED";

pub fn cases() -> Vec<Case> {
    let mut cases = good();
    cases.extend(parts());
    cases.extend(encodings());
    cases.extend(mistakes());
    cases.extend(sizes());
    cases.extend(algorithms());
    cases.extend(headers());
    cases.extend(signatures());
    cases
}

fn good() -> Vec<Case> {
    let with_header = |changes| signed_header(changed(Key::number(1).header(), changes));
    vec![
        case("a good token").expect(json!({
            "payload": crate::support::claims(),
            "protectedHeader": Key::number(1).header(),
            "revocation": "not_revoked",
            "freshness": { "asOf": NOW - 10, "age": 10, "stale": false },
        })),
        case("alg Ed25519, the name of RFC 9864").token(with_header(json!({ "alg": "Ed25519" }))),
        case("typ application/at+jwt").token(with_header(json!({ "typ": "application/at+jwt" }))),
        case("white space in the header's JSON").token(
            Key::number(1)
                .sign(&format!(" {} ", text(&Key::number(1).header())), &text(&crate::support::claims())),
        ),
    ]
}

fn parts() -> Vec<Case> {
    let token = good_token();
    let (signed_part, _) = token.rsplit_once('.').unwrap();
    [
        ("an empty text", String::new()),
        ("no token at all", "not a token".to_owned()),
        ("one part", base64url(&text(&Key::number(1).header()))),
        ("two parts", signed_part.to_owned()),
        ("four parts", format!("{token}.AAAA")),
        ("an additional dot at the end", format!("{token}.")),
        ("only dots", "..".to_owned()),
        ("a JWE of five parts", "e30.e30.e30.e30.e30".to_owned()),
    ]
    .map(|(name, token)| case(name).token(token).refused(FORM))
    .into()
}

/// A valid token with text that callers often leave around it. The verifier refuses the whole text, because a token has
/// only one spelling. The reason in the error says which text to remove.
fn mistakes() -> Vec<Case> {
    let token = good_token();
    [
        ("the scheme of the Authorization header before the token", format!("Bearer {token}"), "scheme"),
        ("the scheme in lower case", format!("bearer {token}"), "scheme"),
        ("the scheme alone", "Bearer ".to_owned(), "scheme"),
        ("quotes around the token", format!("\"{token}\""), "quotes"),
        ("single quotes around the token", format!("'{token}'"), "quotes"),
        ("a line break after the token", format!("{token}\n"), "white_space"),
        ("white space before the token", format!(" {token}"), "white_space"),
        ("a token in the middle of a sentence", format!("token {token}"), "encoding"),
    ]
    .map(|(name, token, reason)| case(name).token(token).expect(json!({ "code": FORM, "reason": reason })))
    .into()
}

fn encodings() -> Vec<Case> {
    let key = Key::number(1);
    let token = good_token();
    let [header, payload, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    // Changes the last character so that its unused bits are not zero. The result is a second spelling of the same
    // bytes.
    let spare_bits = |part: &str| {
        let (kept, last) = part.split_at(part.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let value = alphabet.find(last).unwrap();
        format!("{kept}{}", &alphabet[value + 1..value + 2])
    };
    // If the length is two bytes above a multiple of three, the last character has two spare bits.
    let uneven = |text: String| base64url(&format!("{text}{}", " ".repeat((5 - text.len() % 3) % 3)));
    let uneven_header = uneven(text(&key.header()));
    let uneven_payload = uneven(text(&crate::support::claims()));
    let in_the_middle = |part: &str, what: &str| format!("{}{what}{}", &part[..8], &part[8..]);
    [
        ("padding after the header", key.sign_parts(&format!("{uneven_header}="), payload)),
        ("padding after the payload", key.sign_parts(header, &format!("{uneven_payload}="))),
        ("padding after the signature", format!("{token}==")),
        ("spare bits in the header", key.sign_parts(&spare_bits(&uneven_header), payload)),
        ("spare bits in the payload", key.sign_parts(header, &spare_bits(&uneven_payload))),
        ("spare bits in the signature", format!("{header}.{payload}.{}", spare_bits(signature))),
        ("a space before the first part", format!(" {token}")),
        ("a line feed after the last part", format!("{token}\n")),
        ("a line feed in the payload", key.sign_parts(header, &in_the_middle(payload, "\n"))),
        ("a space in the signature", format!("{header}.{payload}.{}", in_the_middle(signature, " "))),
        ("a NUL in the header", key.sign_parts(&in_the_middle(header, "\0"), payload)),
        (
            "the other base64 alphabet",
            key.sign_parts(header, &format!("{}+/8", &payload[..payload.len() - 3])),
        ),
        ("a character that is not ASCII", key.sign_parts(header, &in_the_middle(payload, "é"))),
        ("a last base64 group of only one character", format!("{header}.{payload}.{}", &signature[..85])),
    ]
    .map(|(name, token)| case(name).token(token).refused(FORM))
    .into()
}

fn sizes() -> Vec<Case> {
    vec![
        case("the longest token, 8192 characters").token(token_of_length(8192)),
        case("a token of 8193 characters").token(token_of_length(8193)).refused(FORM),
        case("a huge token").token(token_of_length(100_000)).refused(FORM),
        case("a huge text without dots").token("A".repeat(100_000)).refused(FORM),
    ]
}

/// A valid token of this length. The additional claim `fill` makes the token longer. Some lengths are impossible with
/// this claim alone. For such a length, the header also ends with a space.
fn token_of_length(length: usize) -> String {
    let key = Key::number(1);
    let fill = (length - 600) * 3 / 4;
    (0..200)
        .flat_map(|more| ["", " "].map(|space| (more, space)))
        .map(|(more, space)| {
            let claims = claims_with(json!({ "fill": "x".repeat(fill + more) }));
            key.sign(&format!("{}{space}", text(&key.header())), &text(&claims))
        })
        .find(|token| token.len() == length)
        .expect("some filling fits")
}

fn algorithms() -> Vec<Case> {
    let key = Key::number(1);
    let header_of = |alg: &str| base64url(&text(&changed(key.header(), json!({ "alg": alg }))));
    let payload = base64url(&text(&crate::support::claims()));
    let mut cases: Vec<Case> = [
        ("alg none, without a signature", format!("{}.{payload}.", header_of("none"))),
        ("alg none, with a good signature", key.sign_parts(&header_of("none"), &payload)),
        ("alg nOnE", format!("{}.{payload}.", header_of("nOnE"))),
        ("alg none and nothing else in the header", format!("{}.{payload}.", base64url(r#"{"alg":"none"}"#))),
        (
            "alg HS256 keyed with the public key's bytes",
            hs256(&header_of("HS256"), &payload, key.public().as_bytes()),
        ),
        (
            "alg HS256 keyed with the public key's JWK",
            hs256(&header_of("HS256"), &payload, serde_json::to_string(&key.public()).unwrap().as_bytes()),
        ),
        ("alg HS256 with an empty key", hs256(&header_of("HS256"), &payload, b"")),
    ]
    .into_iter()
    .map(|(name, token)| case(name).token(token).refused(ALGORITHM))
    .collect();
    cases.extend(["RS256", "ES256", "ES256K", "Ed448", "EdDSA ", "eddsa", "ED25519", ""].map(|alg| {
        case(&format!("alg {alg:?}, signed with Ed25519"))
            .token(key.sign_parts(&header_of(alg), &payload))
            .refused(ALGORITHM)
    }));
    cases
}

fn hs256(header: &str, payload: &str, key: &[u8]) -> String {
    let signed_part = format!("{header}.{payload}");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(signed_part.as_bytes());
    format!("{signed_part}.{}", Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes()))
}

fn headers() -> Vec<Case> {
    let key = Key::number(1);
    let thief = Key::number(9);
    let thief_jwk = serde_json::to_value(thief.public()).unwrap();
    let kid = key.kid();
    let mut cases: Vec<Case> = [
        ("an empty crit", json!({ "crit": [] })),
        ("crit with an unknown name", json!({ "crit": ["exp"], "exp": NOW })),
        ("an unencoded payload, RFC 7797", json!({ "crit": ["b64"], "b64": false })),
        ("the right key as jwk", json!({ "jwk": key.public() })),
        ("jku", json!({ "jku": "https://mallory.example/jwks.json" })),
        ("x5u", json!({ "x5u": "https://mallory.example/cert.pem" })),
        ("x5c", json!({ "x5c": ["AAAA"] })),
        ("x5t", json!({ "x5t": "AAAAAAAAAAAAAAAAAAAAAAAAAAA" })),
        ("x5t#S256", json!({ "x5t#S256": kid })),
        ("cty", json!({ "cty": "json" })),
        ("zip", json!({ "zip": "DEF" })),
        ("an unknown member", json!({ "x": 1 })),
    ]
    .into_iter()
    .map(|(name, changes)| {
        case(&format!("header with {name}"))
            .token(signed_header(changed(key.header(), changes)))
            .refused(FORM)
    })
    .collect();
    cases.push(
        case("header with the thief's key as jwk, signed with it, under the right kid")
            .token(thief.sign(
                &text(&changed(key.header(), json!({ "jwk": thief_jwk }))),
                &text(&crate::support::claims()),
            ))
            .refused(FORM),
    );
    cases.extend(
        [
            ("alg twice", format!(r#"{{"alg":"EdDSA","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#)),
            (
                "alg twice, none first",
                format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#),
            ),
            ("kid twice", format!(r#"{{"alg":"EdDSA","kid":"{kid}","kid":"{kid}","typ":"at+jwt"}}"#)),
            (
                "typ twice, escaped",
                format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt","t\u0079p":"at+jwt"}}"#),
            ),
            (
                "an unknown member twice",
                format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt","x":1,"x":1}}"#),
            ),
            ("no alg", format!(r#"{{"kid":"{kid}","typ":"at+jwt"}}"#)),
            ("alg null", format!(r#"{{"alg":null,"kid":"{kid}","typ":"at+jwt"}}"#)),
            ("alg a number", format!(r#"{{"alg":1,"kid":"{kid}","typ":"at+jwt"}}"#)),
            ("alg an array", format!(r#"{{"alg":["EdDSA"],"kid":"{kid}","typ":"at+jwt"}}"#)),
            ("no kid", r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned()),
            ("kid null", r#"{"alg":"EdDSA","kid":null,"typ":"at+jwt"}"#.to_owned()),
            ("kid a number", r#"{"alg":"EdDSA","kid":1,"typ":"at+jwt"}"#.to_owned()),
            ("kid empty", r#"{"alg":"EdDSA","kid":"","typ":"at+jwt"}"#.to_owned()),
            ("kid that is not a thumbprint", r#"{"alg":"EdDSA","kid":"key-1","typ":"at+jwt"}"#.to_owned()),
            ("no typ", format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#)),
            ("typ null", format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":null}}"#)),
            ("an array", "[]".to_owned()),
            ("a string", r#""EdDSA""#.to_owned()),
            ("an empty text", String::new()),
            ("a byte order mark", format!("\u{feff}{}", text(&key.header()))),
            ("more text after the JSON", format!("{}x", text(&key.header()))),
            ("a trailing comma", format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt",}}"#)),
            ("a comment", format!(r#"{{"alg":"EdDSA",/**/"kid":"{kid}","typ":"at+jwt"}}"#)),
        ]
        .map(|(name, header)| {
            case(&format!("header: {name}"))
                .token(key.sign(&header, &text(&crate::support::claims())))
                .refused(FORM)
        }),
    );
    cases.extend(["JWT", "AT+JWT", "at+jwt ", "revocation-list+jwt", "application/jwt"].map(|typ| {
        case(&format!("typ {typ:?}"))
            .token(signed_header(changed(key.header(), json!({ "typ": typ }))))
            .expect(misfit("typ"))
    }));
    cases.push(case("a list as token").token(key.list(&snapshot())).expect(misfit("typ")));
    cases
}

fn signatures() -> Vec<Case> {
    let key = Key::number(1);
    let token = good_token();
    let (signed_part, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let with = |signature: &[u8]| format!("{signed_part}.{}", Base64UrlUnpadded::encode_string(signature));
    let other_payload = base64url(&text(&claims_with(json!({ "sub": "mallory" }))));
    let header = base64url(&text(&key.header()));
    let of_other = token.rsplit_once('.').unwrap().1;
    let changed_at = |index: usize| {
        let mut signature = signature.clone();
        signature[index] ^= 1;
        with(&signature)
    };
    [
        ("the signature of another payload", format!("{header}.{other_payload}.{of_other}")),
        (
            "a signature of another key under the right kid",
            Key::number(2).sign(&text(&key.header()), &text(&crate::support::claims())),
        ),
        ("no signature", format!("{signed_part}.")),
        ("a signature of zeros", with(&[0; 64])),
        ("a signature one byte short", with(&signature[..63])),
        ("a signature one byte long", with(&[signature.as_slice(), &[0]].concat())),
        ("a bit of R changed", changed_at(0)),
        ("a bit of s changed", changed_at(32)),
        ("s plus the group's order", with(&plus_order(&signature))),
    ]
    .map(|(name, token)| case(name).token(token).refused(SIGNATURE))
    .into()
}

/// The same signature with `s + ℓ` instead of `s`. The equation of RFC 8032 §5.1.7 holds for this signature, but the
/// same section refuses such a large `s`.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut changed = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in changed[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    changed
}

fn good_token() -> String {
    Key::number(1).token(&crate::support::claims())
}

fn signed_header(header: Value) -> String {
    Key::number(1).sign(&text(&header), &text(&crate::support::claims()))
}
