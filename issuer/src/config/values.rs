//! Types for the values of settings. A value is checked once, when it is parsed.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::HeaderValue;
use tracing_subscriber::filter::LevelFilter;
use url::{Host, Url};

use crate::store::redis::{MalformedUrl, RedisUrl};

/// A value that a setting does not accept. The message says how to write a valid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(Cow<'static, str>);

impl From<&'static str> for Unfit {
    fn from(reason: &'static str) -> Self {
        Self(reason.into())
    }
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self(reason.into())
    }
}

/// The issuer's URL. Verifiers compare `iss` as text, so only one spelling is accepted. This spelling is the normal
/// form of the URL standard: lower-case scheme and host, punycode, no default port, no dot segments. It also has no
/// empty segments, trailing slash, user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl(Url, String);

impl IssuerUrl {
    /// The default URL of an issuer, made from the address on which the issuer listens. `None` if no URL can contain
    /// the address.
    pub fn of_address(address: SocketAddr) -> Option<Self> {
        let url = Url::parse(&format!("http://{address}")).ok()?;
        let text = canonical(url.clone());
        Some(Self(url, text))
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.1
    }

    /// The path: empty, or text that begins with a slash.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The host, followed by the port if it is not the default port. A `Host` header with this value names this issuer.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Whether the URL is https.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether tokens would cross a network unencrypted: the URL is http, and the host is not this machine.
    pub fn is_exposed(&self) -> bool {
        !self.is_encrypted() && !self.is_local()
    }

    /// Whether the host is this machine.
    pub fn is_local(&self) -> bool {
        is_local(&self.0)
    }

    /// The URL of a resource of this issuer: the issuer's URL, followed by `path`. The path must begin with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.1)
    }
}

impl FromStr for IssuerUrl {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let malformed =
            "an issuer begins with https:// or http://: write it as https://host or http://host:port";
        let url = Url::parse(text).map_err(|_| Unfit::from(malformed))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(malformed.into());
        }
        // Check the original text as well. If the user is empty, the parser drops the `@`.
        if url.authority().contains('@') || authority_of(text).contains('@') {
            return Err("an issuer has a host, but no user or password".into());
        }
        if text.contains(['?', '#']) {
            return Err("remove the query or fragment".into());
        }
        if is_unspecified(&url) || url.port() == Some(0) {
            return Err(
                "this is an address to listen on, which no client can connect to: write the host name".into(),
            );
        }
        let canonical = canonical(url.clone());
        if text.strip_suffix('/') == Some(&canonical) {
            return Err(format!("remove the trailing slash: {canonical}").into());
        }
        if text != canonical {
            return Err(format!(
                "verifiers compare this URL as text, so only one spelling is accepted: write {canonical}"
            )
            .into());
        }
        if text.len() > 255 {
            return Err("an issuer has at most 255 characters".into());
        }
        Ok(Self(url, canonical))
    }
}

/// The only accepted spelling of a URL that has no query and no fragment.
fn canonical(mut url: Url) -> String {
    let segments: Vec<_> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let path = segments.join("/");
    url.set_path(&path);
    url.as_str().trim_end_matches('/').to_owned()
}

/// The part of the text between the scheme and the path.
fn authority_of(text: &str) -> &str {
    let rest = text.split_once(':').map_or(text, |(_, rest)| rest).trim_start_matches(['/', '\\']);
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn is_unspecified(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_unspecified(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Whether browsers trust this host without TLS (Secure Contexts §3.1).
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.fmt(f)
    }
}

/// A browser origin, spelt as in the `Origin` header (RFC 6454 §6.1). The scheme is https, or http for a host on this
/// machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// The value of an `Origin` header.
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let unfit = || {
            Unfit::from(
                "an origin is https://host or https://host:port as browsers send it, in lower case and without a \
                 path; http:// is for localhost only",
            )
        };
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| unfit())?;
        let spelt = url.origin().ascii_serialization();
        let (_, authority) = spelt.split_once("://").ok_or_else(unfit)?;
        let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']');
        if !authority.bytes().all(is_plain) {
            return Err(unfit());
        }
        match url.scheme() {
            "https" => {}
            "http" if is_local(&url) => {}
            _ => return Err(unfit()),
        }
        if spelt != text {
            return Err(format!(
                "browsers send this origin as {spelt}: write it in lower case, without user or path; leave \
                 out :443 of https and :80 of http"
            )
            .into());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| unfit())
    }
}

/// Removes the user and password of a URL from a value that was refused. An error message may then show the value.
pub fn without_login(text: &str) -> String {
    let Some((login, host)) = text.rsplit_once('@') else { return text.to_owned() };
    match login.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…@{host}"),
        None => format!("…@{host}"),
    }
}

/// The kind of the store, and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// `embedded:<file>`
    Embedded(PathBuf),
    /// `redis://…`, `redis+sentinel://…`, `redis+cluster://…`, and `rediss` for TLS.
    Redis(RedisUrl),
}

impl FromStr for StoreUrl {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        if let Some(url) = RedisUrl::parse(text) {
            return url.map(Self::Redis).map_err(|MalformedUrl(reason)| reason.into());
        }
        match text.strip_prefix("embedded:") {
            Some("") | None => {
                Err("write it as embedded:<file>, for example embedded:./doorlist.redb, or redis://host:port"
                    .into())
            }
            Some(file) if file.contains(char::is_control) => {
                Err("a file name must not have control characters".into())
            }
            Some(file) => Ok(Self::Embedded(file.into())),
        }
    }
}

/// The format of the log output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// JSON for programs.
    Json,
}

/// Parses a whole number of seconds between `from` and `to`, inclusive.
pub(super) fn seconds(from: u64, to: u64) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync {
    move |text| {
        let seconds = text.parse().ok().filter(|seconds| (from..=to).contains(seconds));
        seconds.ok_or_else(|| format!("write a whole number of seconds from {from} to {to}, without a unit"))
    }
}

/// Parses the address to listen on. A host name is refused, because one host name may stand for several addresses.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Unfit> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787".into())
}

/// Parses the `aud` claim.
pub(super) fn audience(text: &str) -> Result<String, Unfit> {
    let fits = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
    if !fits {
        return Err("an audience is 1 to 255 bytes without control characters".into());
    }
    if text.trim() != text {
        return Err("verifiers compare the audience as text: remove the white space around it".into());
    }
    Ok(text.to_owned())
}

/// Parses a filter for `tracing`. If the filter is a single word, the word must be a level. `tracing` would treat any
/// other word, for example a misspelt level, as the name of a module, and hide the events of all other modules.
pub(super) fn log_filter(text: &str) -> Result<String, Unfit> {
    let is_word = text.chars().all(|character| character.is_ascii_alphanumeric());
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) if !is_word || text.parse::<LevelFilter>().is_ok() => Ok(text.to_owned()),
        _ => Err("use error, warn, info, debug or a filter such as info,doorlist=debug".into()),
    }
}
