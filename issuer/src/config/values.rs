//! Values of settings: read once, valid from then on.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Uri};
use tracing_subscriber::filter::LevelFilter;

use crate::store::redis::{MalformedUrl, RedisUrl};

/// A value that a setting cannot have; says what it must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(&'static str);

/// The issuer's URL, in the one spelling that goes into `iss`: no trailing slash, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// The issuer that is found at an address, and has no other name.
    pub fn of_address(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the host: empty, or beginning with a slash.
    pub fn path(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// Whether tokens travel in the clear: plain http, and not within this machine.
    pub fn is_exposed(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let host = rest.split('/').next().unwrap_or(rest);
        !["127.", "[::1]", "localhost"].iter().any(|local| host.starts_with(local))
    }

    /// The URL of something below it; `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for IssuerUrl {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let uri: Uri = text.parse().map_err(|_| Unfit("write it as https://host or http://host:port"))?;
        if uri.scheme() != Some(&Scheme::HTTPS) && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(Unfit("an issuer begins with https:// or http://"));
        }
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(Unfit("an issuer has a host, and no user or password"));
        }
        if text.contains(['?', '#']) {
            return Err(Unfit("remove the query or fragment"));
        }
        if text.ends_with('/') {
            return Err(Unfit("remove the trailing slash"));
        }
        if text.len() > 255 {
            return Err(Unfit("an issuer has at most 255 characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A browser origin as the `Origin` header spells it (RFC 6454 §6.1): encrypted, or of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// The origin as a header's value.
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let unfit = Unfit(
            "an origin is https://host or https://host:port as browsers send it, in lower case and without a path; \
             http:// is for localhost only",
        );
        let text = text.trim();
        let (scheme, authority) = text.split_once("://").ok_or(unfit)?;
        let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']');
        if !authority.bytes().all(is_plain) {
            return Err(unfit);
        }
        let parsed: Authority = authority.parse().map_err(|_| unfit)?;
        let (host, port) = (parsed.host(), parsed.port_u16());
        let spelt = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        if host.is_empty() || spelt != authority {
            return Err(unfit);
        }
        match (scheme, port) {
            ("https", Some(443)) | ("http", Some(80)) => Err(Unfit(
                "an origin has no default port: leave out :443 of https and :80 of http, as browsers do",
            )),
            ("https", _) => HeaderValue::from_str(text).map(Self).map_err(|_| unfit),
            ("http", _) if is_local(host) => HeaderValue::from_str(text).map(Self).map_err(|_| unfit),
            _ => Err(unfit),
        }
    }
}

/// What browsers trust without TLS (Secure Contexts §3.1).
fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Text without the login of a URL in it, to be shown when it was refused.
pub fn without_login(text: &str) -> String {
    let Some((login, host)) = text.rsplit_once('@') else { return text.to_owned() };
    match login.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…@{host}"),
        None => format!("…@{host}"),
    }
}

/// Which backend, and where.
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
            return url.map(Self::Redis).map_err(|MalformedUrl(reason)| Unfit(reason));
        }
        match text.strip_prefix("embedded:") {
            Some("") | None => Err(Unfit(
                "write it as embedded:<file>, for example embedded:./doorlist.redb, or redis://host:port",
            )),
            Some(file) => Ok(Self::Embedded(file.into())),
        }
    }
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// A whole number of seconds within bounds.
pub(super) fn seconds(from: u64, to: u64) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync {
    move |text| {
        let seconds = text.parse().ok().filter(|seconds| (from..=to).contains(seconds));
        seconds.ok_or_else(|| format!("write a whole number of seconds from {from} to {to}, without a unit"))
    }
}

/// Where to listen; a name may stand for several addresses, and so is none.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Unfit> {
    text.parse().map_err(|_| Unfit("write an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787"))
}

/// Text of the `aud` claim.
pub(super) fn audience(text: &str) -> Result<String, Unfit> {
    let fits = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Unfit("an audience is 1 to 255 bytes without control characters"))
    }
}

/// A filter that `tracing` understands. To it a single word that is no level is a module, and the misspelt
/// level silences all others.
pub(super) fn log_filter(text: &str) -> Result<String, Unfit> {
    let is_word = text.chars().all(|character| character.is_ascii_alphanumeric());
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) if !is_word || text.parse::<LevelFilter>().is_ok() => Ok(text.to_owned()),
        _ => Err(Unfit("use error, warn, info, debug or a filter such as info,doorlist=debug")),
    }
}
