//! One token, judged by this verifier and by `jsonwebtoken` with a claims check of its own. It is a bug if this
//! verifier accepts a token that the other refuses. The other direction is no bug: this profile is stricter.
//!
//! The input is `header␊payload␊edits`: both parts are signed as they are, then each pair of the edits replaces one
//! byte of the token.
//!
//! Deliberate differences in the direction that counts:
//! - `"alg":"Ed25519"` (RFC 9864): `jsonwebtoken` does not know this name, so it gets the header with `EdDSA`.

#![no_main]

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_fuzz::Checked;
use doorlist_fuzz::support::{AUDIENCE, ISSUER, Key, NOW, base64url};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

thread_local! {
    static CHECKED: RefCell<Checked> = RefCell::new(Checked::ready());
}

static KEY: LazyLock<DecodingKey> = LazyLock::new(|| {
    let x = Base64UrlUnpadded::encode_string(Key::number(1).public().as_bytes());
    DecodingKey::from_ed_components(&x).expect("a key")
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let [header, payload, edits] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let (Ok(header), Ok(payload)) = (str::from_utf8(header), str::from_utf8(payload)) else { return };
    let mut token = Key::number(1).sign(header, payload).into_bytes();
    for edit in edits.as_chunks::<2>().0 {
        let at = usize::from(edit[0]) * 7 % token.len();
        token[at] = edit[1];
    }
    let Ok(token) = str::from_utf8(&token) else { return };
    if CHECKED.with_borrow_mut(|checked| checked.verify(token)).is_ok() {
        assert_eq!(refusal(token), None, "{token}");
    }
});

/// Why the other verifier refuses the token.
fn refusal(token: &str) -> Option<String> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    // `jsonwebtoken` compares times with the host's clock, so the times are checked below.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let claims = match jsonwebtoken::decode::<Map<String, Value>>(&known_by_name(token), &KEY, &validation) {
        Ok(decoded) => decoded.claims,
        Err(error) => return Some(error.to_string()),
    };
    let time = |name: &str| claims.get(name).map(|time| time.as_f64());
    let now = NOW as f64;
    let is_in_time = matches!(time("exp"), Some(Some(exp)) if exp + 60.0 > now)
        && matches!(time("iat"), Some(Some(iat)) if iat <= now + 60.0)
        && match time("nbf") {
            None => true,
            Some(nbf) => nbf.is_some_and(|nbf| nbf <= now + 60.0),
        };
    (!is_in_time).then(|| "not valid now".to_owned())
}

/// The token under a header that `jsonwebtoken` knows, if it has the other name of the algorithm. The signature of the
/// token itself is checked first.
fn known_by_name(token: &str) -> Cow<'_, str> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { return token.into() };
    let header = Base64UrlUnpadded::decode_vec(header).unwrap_or_default();
    if serde_json::from_slice::<Value>(&header).is_ok_and(|header| header["alg"] != "Ed25519") {
        return token.into();
    }
    let message = &token[..token.len() - signature.len() - 1];
    let is_signed = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &KEY, Algorithm::EdDSA);
    assert!(is_signed.is_ok_and(|is_signed| is_signed), "the signature of {token}");
    Key::number(1).sign_parts(&base64url(r#"{"alg":"EdDSA","typ":"at+jwt"}"#), payload).into()
}
