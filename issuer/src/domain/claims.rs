//! The claims that a caller adds to tokens, and the limits of these claims.

use doorlist_verifier::claims::REGISTERED_CLAIMS;
use serde_json::Value;

use super::CustomClaims;

/// Maximum size of a caller's claims, in bytes of JSON. Clients send tokens in an HTTP header, and servers limit the
/// size of headers.
pub const MAX_CUSTOM_CLAIMS_LEN: usize = 2048;
/// Maximum number of nesting levels of a caller's claims. Records and tokens contain the claims and add more levels.
/// The JSON reader accepts at most 127 levels. If the issuer could not read a record, the issuer could not kick the
/// subject.
pub const MAX_CUSTOM_CLAIMS_DEPTH: usize = 32;

/// Why a caller's claims cannot go into a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitClaims {
    /// The claims are too long.
    #[error("the claims are {len} bytes of JSON; at most {MAX_CUSTOM_CLAIMS_LEN} are allowed")]
    TooLong {
        /// The length of the claims in bytes.
        len: usize,
    },
    /// The claims are nested too deeply.
    #[error("the claims are nested more than {MAX_CUSTOM_CLAIMS_DEPTH} levels deep")]
    TooDeep,
    /// A caller's claim has a name that is reserved for the issuer.
    #[error("the claim `{0}` is reserved for the issuer")]
    Registered(String),
}

/// Merges the claims of a session and of its subject into the claims of a token. If the session and the subject have a
/// claim of the same name, the token carries the subject's claim. A null in the subject's claims removes the claim of
/// that name (as in RFC 7396).
pub fn merged(session: &CustomClaims, subject: &CustomClaims) -> CustomClaims {
    let mut claims = session.clone();
    for (name, claim) in subject {
        match claim {
            Value::Null => drop(claims.remove(name)),
            claim => drop(claims.insert(name.clone(), claim.clone())),
        }
    }
    claims
}

/// Checks a caller's claims before the claims are stored in a record.
///
/// # Errors
///
/// [`UnfitClaims`] if the claims are too long or nested too deeply, or if a claim has a name that is reserved for the
/// issuer.
pub fn check_custom_claims(claims: &CustomClaims) -> Result<(), UnfitClaims> {
    if let Some(name) = claims.keys().find(|name| REGISTERED_CLAIMS.contains(&name.as_str())) {
        return Err(UnfitClaims::Registered(name.clone()));
    }
    if !claims.values().all(|claim| is_within(MAX_CUSTOM_CLAIMS_DEPTH - 1, claim)) {
        return Err(UnfitClaims::TooDeep);
    }
    check_len(claims)
}

/// Checks the length of all the caller's claims in a token.
///
/// # Errors
///
/// [`UnfitClaims::TooLong`] if the claims are longer than [`MAX_CUSTOM_CLAIMS_LEN`] bytes of JSON.
pub fn check_len(claims: &CustomClaims) -> Result<(), UnfitClaims> {
    let len = serde_json::to_vec(claims).map_or(usize::MAX, |json| json.len());
    if len > MAX_CUSTOM_CLAIMS_LEN { Err(UnfitClaims::TooLong { len }) } else { Ok(()) }
}

fn is_within(levels: usize, value: &Value) -> bool {
    let fits = |inner| is_within(levels - 1, inner);
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(fits),
        Value::Object(members) => levels > 0 && members.values().all(fits),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> CustomClaims {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_subject_s_claims_replace_those_of_its_sessions() {
        let merged = |session, subject| Value::Object(merged(&claims(session), &claims(subject)));
        assert_eq!(merged(json!({"a": 1}), json!({})), json!({"a": 1}));
        assert_eq!(merged(json!({}), json!({"a": 1})), json!({"a": 1}));
        assert_eq!(
            merged(json!({"a": 1, "b": 2}), json!({"b": {"c": 3}, "d": 4})),
            json!({"a": 1, "b": {"c": 3}, "d": 4})
        );
        assert_eq!(
            merged(json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 3}})),
            json!({"a": {"x": 3}}),
            "as a whole"
        );
        assert_eq!(merged(json!({"a": 1, "b": null}), json!({"a": null, "c": null})), json!({"b": null}));
    }

    #[test]
    fn a_caller_cannot_set_the_issuer_s_claims() {
        for name in REGISTERED_CLAIMS {
            let unfit = check_custom_claims(&claims(json!({ name: 1 }))).unwrap_err();
            assert_eq!(unfit, UnfitClaims::Registered(name.to_owned()));
        }
        let unfit = check_custom_claims(&claims(json!({ "x": "y".repeat(2048) }))).unwrap_err();
        assert_eq!(unfit, UnfitClaims::TooLong { len: 2056 });
        assert_eq!(check_custom_claims(&claims(json!({"role": "editor"}))), Ok(()));
        let longest = claims(json!({ "x": "y".repeat(MAX_CUSTOM_CLAIMS_LEN - r#"{"x":""}"#.len()) }));
        assert_eq!(check_custom_claims(&longest), Ok(()));
    }

    #[test]
    fn claims_that_are_nested_too_deeply_for_a_record_are_refused() {
        let nested = |levels: usize, mut value: Value| {
            for level in 0..levels {
                value = if level % 2 == 0 { json!([value]) } else { json!({ "x": value }) };
            }
            claims(json!({ "x": value }))
        };
        assert_eq!(check_custom_claims(&nested(MAX_CUSTOM_CLAIMS_DEPTH - 1, json!(1))), Ok(()));
        assert_eq!(
            check_custom_claims(&nested(MAX_CUSTOM_CLAIMS_DEPTH, json!(1))),
            Err(UnfitClaims::TooDeep)
        );
        for empty in [json!([]), json!({})] {
            let unfit = check_custom_claims(&nested(MAX_CUSTOM_CLAIMS_DEPTH - 1, empty));
            assert_eq!(unfit, Err(UnfitClaims::TooDeep), "an empty value is a level too");
        }
    }
}
