//! The cookies in which a browser keeps its refresh token and its device token. No script can read them, and no other
//! site can make the browser send them.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use crate::secret::SecretText;

/// Names, writes and finds the cookie.
///
/// With the prefix `__Host-`, a browser accepts the cookie only over TLS (or from this machine), and only without
/// `Domain` and with `Path=/`. So the cookie belongs to one host, and no subdomain can replace it (RFC 6265bis
/// §4.1.3.2). Cookies do not distinguish ports or paths. The cookie's name therefore depends on the issuer's name, so
/// that two installations on one host do not sign out each other's users.
#[derive(Debug, Clone)]
pub struct TokenCookie {
    name: String,
}

/// A request has the cookie more than once. No browser sends the cookie more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request has the refresh cookie more than once")]
pub struct Repeated;

impl TokenCookie {
    /// The cookie with the refresh token of one issuer (the `iss` claim of its access tokens).
    pub fn of_refresh(issuer: &str) -> Self {
        Self::named("doorlist", issuer)
    }

    /// The cookie with the device token.
    pub fn of_device(issuer: &str) -> Self {
        Self::named("doorlist-device", issuer)
    }

    fn named(name: &str, issuer: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(issuer).into();
        let [a, b, c, d, ..] = hash;
        Self { name: format!("__Host-{name}-{:08x}", u32::from_be_bytes([a, b, c, d])) }
    }

    /// A `Set-Cookie` value with a token that can be used for this many seconds.
    pub fn holding(&self, token: &str, max_age_secs: u64) -> HeaderValue {
        self.set(token, max_age_secs)
    }

    /// A `Set-Cookie` value that deletes the cookie.
    pub fn gone(&self) -> HeaderValue {
        self.set("", 0)
    }

    /// The token in the request's cookie; `None` if the cookie is missing or empty.
    ///
    /// # Errors
    ///
    /// [`Repeated`] if the cookie is present more than once.
    pub fn find(&self, headers: &HeaderMap) -> Result<Option<SecretText>, Repeated> {
        // The header is read as bytes, because the header may also hold another application's cookie in any encoding.
        let lines = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes);
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
        let mut found = pairs.filter_map(|pair| pair.strip_prefix(self.name.as_bytes())?.strip_prefix(b"="));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Repeated),
            (token, None) => Ok(token
                .filter(|token| !token.is_empty())
                .map(|token| String::from_utf8_lossy(token).into_owned().into())),
        }
    }

    fn set(&self, value: &str, max_age_secs: u64) -> HeaderValue {
        let name = &self.name;
        let text =
            format!("{name}={value}; Path=/; Max-Age={max_age_secs}; Secure; HttpOnly; SameSite=Strict");
        let mut header = HeaderValue::try_from(text).expect("tokens are base64url");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Result<Option<String>, Repeated> {
        let value = |line: &str| HeaderValue::from_bytes(line.as_bytes()).expect("a header");
        let lines = lines.iter().map(|line| (header::COOKIE, value(line)));
        let found = TokenCookie { name: "__Host-d".into() }.find(&lines.collect())?;
        Ok(found.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn the_cookie_is_found_among_others_and_refused_if_repeated() {
        let token = || Ok(Some("abc-_".to_owned()));
        assert_eq!(found(&["__Host-d=abc-_"]), token());
        assert_eq!(found(&["a=b;  __Host-d=abc-_;c"]), token());
        assert_eq!(found(&["a=b", "__Host-d=abc-_"]), token());
        for none in ["", "__Host-d", "__Host-d=", "__host-d=x", "Host-d=x", "x__Host-d=x", "a=__Host-d=x"] {
            assert_eq!(found(&[none]), Ok(None), "{none}");
        }
        assert_eq!(found(&["__Host-d=a; __Host-d=b"]), Err(Repeated));
        assert_eq!(found(&["__Host-d=a", "__Host-d="]), Err(Repeated));
    }

    /// Any page of this host or of a sibling domain can set a cookie in any encoding. Such a cookie must not sign a
    /// user out.
    #[test]
    fn a_foreign_cookie_in_any_encoding_does_not_hide_the_refresh_cookie() {
        let token = || Ok(Some("abc-_".to_owned()));
        assert_eq!(found(&["name=José; __Host-d=abc-_"]), token());
        assert_eq!(found(&["__Host-d=abc-_; 名=x"]), token());
        assert_eq!(found(&["\u{2000}__Host-d=x"]), Ok(None), "the prefix protects it in ASCII alone");
        assert_eq!(found(&["\u{2000}__Host-d=x; __Host-d=abc-_"]), token());
        assert_eq!(found(&["__Host-d=é"]), Ok(Some("é".to_owned())), "no token, to be taken away");
    }

    #[test]
    fn the_debug_text_of_headers_does_not_show_the_cookie() {
        let header = TokenCookie::of_refresh("i").holding("abc", 1);
        assert!(!format!("{header:?}").contains("abc"));
    }

    #[test]
    fn two_issuers_on_one_host_have_different_cookies() {
        let [a, b] = ["https://id.example/a", "https://id.example/b"]
            .map(|issuer| TokenCookie::of_refresh(issuer).name);
        assert_ne!(a, b);
        assert_eq!(a.len(), "__Host-doorlist-01234567".len());
    }
}
