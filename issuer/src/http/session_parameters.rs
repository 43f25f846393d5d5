//! Checks the parameters of a new session against their limits.

use super::ApiError;
use crate::desk::OpenSession;
use crate::domain::CustomClaims;
use crate::domain::claims::check_custom_claims;

/// The `client_id` of a session if the request contains no `client_id`.
const DEFAULT_CLIENT_ID: &str = "default";
/// Largest length of a `client_id` or a device name, in bytes.
const MAX_NAME_LEN: usize = 255;
/// Largest length of a scope, in bytes.
const MAX_SCOPE_LEN: usize = 1024;

/// Checks the parameters of a new session and combines them.
///
/// # Errors
///
/// 400 if a parameter is too long or malformed. The message names the parameter.
pub fn open_session(
    client_id: Option<String>,
    scope: Option<String>,
    device: Option<String>,
    claims: CustomClaims,
) -> Result<OpenSession, ApiError> {
    let client_id = client_id.unwrap_or_else(|| DEFAULT_CLIENT_ID.to_owned());
    if !is_name(&client_id) {
        return Err(ApiError::invalid_request("client_id is 1 to 255 bytes without control characters"));
    }
    if device.as_deref().is_some_and(|device| !is_name(device)) {
        return Err(ApiError::invalid_request("device is 1 to 255 bytes without control characters"));
    }
    if scope.as_deref().is_some_and(|scope| !is_scope(scope)) {
        return Err(ApiError::new(
            axum::http::StatusCode::BAD_REQUEST,
            "invalid_scope",
            "scope is at most 1024 bytes of words as in RFC 6749 §3.3, separated by single spaces",
        ));
    }
    check_custom_claims(&claims).map_err(|unfit| ApiError::invalid_request(unfit.to_string()))?;
    Ok(OpenSession { client_id, scope, device, claims })
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// RFC 6749 §3.3: `scope-token *( SP scope-token )`.
fn is_scope(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    text.len() <= MAX_SCOPE_LEN && text.split(' ').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(client_id: Option<&str>, scope: Option<&str>, device: Option<&str>) -> bool {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        open_session(owned(client_id), owned(scope), owned(device), CustomClaims::new()).is_ok()
    }

    #[test]
    fn names_and_scopes_have_limits() {
        let long = "x".repeat(256);
        assert!(opens(None, None, None));
        assert!(opens(Some("app"), Some("read write:all"), Some("Алисин телефон")));
        assert!(
            !opens(Some(""), None, None)
                && !opens(Some(&long), None, None)
                && !opens(Some("a\nb"), None, None)
        );
        assert!(!opens(None, None, Some("")) && !opens(None, None, Some(&long)));
        for scope in ["", " ", "a  b", "a\"b", "a\\b", "ä", &"x".repeat(1025)] {
            assert!(!opens(None, Some(scope), None), "{scope}");
        }
    }
}
