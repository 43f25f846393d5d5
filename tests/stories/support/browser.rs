//! A simple browser for tests of cookies. The browser sends the headers of a page's request, and keeps the cookies of
//! the answer.

use std::sync::Mutex;

use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::http::{Reply, send};
use super::issuer::Issuer;

/// The origin that a browser reports in a request.
#[derive(Debug, Clone, Copy)]
pub enum Page<'a> {
    /// A page of the issuer's own origin.
    Own,
    /// A page of another origin; `site` is its `Sec-Fetch-Site`.
    Other { origin: &'a str, site: &'a str },
    /// A client that does not report an origin.
    Unknown,
}

/// A page of an unrelated site.
pub const STRANGER: Page<'static> = Page::Other { origin: "https://evil.example", site: "cross-site" };

/// A browser, see the [module](self). It sends its cookies with every request, like a browser that does not support
/// `SameSite`.
#[derive(Debug, Default)]
pub struct Browser {
    cookie: Mutex<Option<Cookie>>,
    device: Mutex<Option<Cookie>>,
}

/// A cookie from a `Set-Cookie` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// The attributes after the value, in lower case.
    pub attributes: Vec<String>,
}

impl Cookie {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a name and a value");
        let attributes = parts.map(str::to_ascii_lowercase).collect();
        Self { name: name.to_owned(), value: value.to_owned(), attributes }
    }

    /// The cookie's `Max-Age` in seconds.
    pub fn max_age(&self) -> u64 {
        let age = self.attributes.iter().find_map(|attribute| attribute.strip_prefix("max-age="));
        age.and_then(|age| age.parse().ok()).expect("a Max-Age")
    }
}

impl Reply {
    /// The cookie with a refresh token that this answer sets, if any.
    #[track_caller]
    pub fn cookie(&self) -> Option<Cookie> {
        self.only_cookie(|name| !name.contains("-device-"))
    }

    /// The cookie with a device token that this answer sets, if any.
    #[track_caller]
    pub fn device_cookie(&self) -> Option<Cookie> {
        self.only_cookie(|name| name.contains("-device-"))
    }

    #[track_caller]
    fn only_cookie(&self, is_named: impl Fn(&str) -> bool) -> Option<Cookie> {
        let set = self.headers.get_all(SET_COOKIE).into_iter();
        let cookies = set.map(|value| Cookie::parse(value.to_str().expect("printable")));
        let mut cookies = cookies.filter(|cookie| is_named(&cookie.name));
        let cookie = cookies.next();
        assert!(cookies.next().is_none(), "at most one cookie of each kind");
        cookie
    }
}

impl Browser {
    /// `POST /login` in cookie mode.
    pub async fn login(&self, issuer: &Issuer, page: Page<'_>, username: &str, password: &str) -> Reply {
        let body = json!({ "username": username, "password": password, "token_delivery": "cookie" });
        self.send(issuer.request(Method::POST, "/login").json(&body), page).await
    }

    /// Creates an account and signs in to it on the issuer's own page.
    pub async fn signed_in(issuer: &Issuer, username: &str) -> Self {
        issuer.add_account(username, "wonderland").await;
        let browser = Self::default();
        browser.login(issuer, Page::Own, username, "wonderland").await.ok();
        browser
    }

    /// `POST /token` with only the cookie.
    pub async fn refresh(&self, issuer: &Issuer, page: Page<'_>) -> Reply {
        self.form(issuer, page, "/token", &[("grant_type", "refresh_token")]).await
    }

    /// `POST` of a form.
    pub async fn form(&self, issuer: &Issuer, page: Page<'_>, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send(issuer.request(Method::POST, path).form(form), page).await
    }

    /// A `POST` without a body.
    pub async fn post(&self, issuer: &Issuer, page: Page<'_>, path: &str) -> Reply {
        self.send(issuer.request(Method::POST, path), page).await
    }

    /// The cookie with the device token that the browser holds.
    pub fn device_cookie(&self) -> Option<Cookie> {
        self.device.lock().expect("no thread panicked").clone()
    }

    /// The cookie with the refresh token that the browser holds.
    pub fn cookie(&self) -> Option<Cookie> {
        self.cookie.lock().expect("no thread panicked").clone()
    }

    async fn send(&self, request: RequestBuilder, page: Page<'_>) -> Reply {
        let request = match page {
            Page::Own => request.header("sec-fetch-site", "same-origin"),
            Page::Other { origin, site } => request.header(ORIGIN, origin).header("sec-fetch-site", site),
            Page::Unknown => request,
        };
        let request = match self.cookie() {
            Some(Cookie { name, value, .. }) => request.header(COOKIE, format!("theme=dark; {name}={value}")),
            None => request,
        };
        let request = match self.device_cookie() {
            Some(Cookie { name, value, .. }) => request.header(COOKIE, format!("{name}={value}")),
            None => request,
        };
        let reply = send(request).await;
        if let Some(device) = reply.device_cookie() {
            *self.device.lock().expect("no thread panicked") = Some(device);
        }
        if let Some(cookie) = reply.cookie() {
            *self.cookie.lock().expect("no thread panicked") = (cookie.max_age() > 0).then_some(cookie);
        }
        reply
    }
}
