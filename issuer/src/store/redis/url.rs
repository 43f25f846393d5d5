//! Parses `DOORLIST_STORE` if it names a Redis.

use std::fmt;

use crate::secret::SecretText;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// The address of a Redis, and the login for it. `Debug` does not show the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisUrl {
    pub(super) layout: Layout,
    pub(super) addresses: Vec<Address>,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretText>,
    pub(super) database: i64,
    pub(super) transport: Transport,
}

/// The kind of installation: one server, sentinels or a Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// One server, with or without replicas.
    Standalone,
    /// A master that the sentinels know by this name.
    Sentinel { master: String },
    /// A Redis Cluster.
    Cluster,
}

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Plain TCP, without encryption.
    Plain,
    /// TLS.
    Tls,
}

/// A host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The text is not a valid address of a Redis. The message says what to write. The message does not quote the text,
/// because the text may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedUrl(pub &'static str);

impl RedisUrl {
    /// Whether the URL has a user but no password.
    pub fn lacks_password(&self) -> bool {
        self.user.is_some() && self.password.is_none()
    }

    /// Whether the URL has a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether the connection uses TLS.
    pub fn is_encrypted(&self) -> bool {
        self.transport == Transport::Tls
    }

    /// Parses `text`. `None` if the scheme of `text` does not belong to Redis or Valkey.
    pub fn parse(text: &str) -> Option<Result<Self, MalformedUrl>> {
        let (scheme, rest) = text.split_once("://")?;
        if matches!(scheme, "valkey" | "valkeys") {
            return Some(Err(MalformedUrl("write redis:// or rediss://, for Valkey too")));
        }
        let (transport, layout) = scheme.split_once('+').unwrap_or((scheme, ""));
        let transport = match transport {
            "redis" => Transport::Plain,
            "rediss" => Transport::Tls,
            _ => return None,
        };
        Some(match layout {
            "" => Self::standalone(transport, rest),
            "sentinel" => Self::sentinel(transport, rest),
            "cluster" => Self::cluster(transport, rest),
            _ => {
                Err(MalformedUrl("write redis://, redis+sentinel:// or redis+cluster://, or rediss for TLS"))
            }
        })
    }

    fn standalone(transport: Transport, rest: &str) -> Result<Self, MalformedUrl> {
        let url = Self::of(transport, Layout::Standalone, PORT, rest)?;
        let (url, path) = url;
        if url.addresses.len() != 1 {
            return Err(MalformedUrl(
                "redis:// has one host; for several, write redis+sentinel:// or redis+cluster://",
            ));
        }
        Ok(Self { database: database(path.unwrap_or_default())?, ..url })
    }

    fn sentinel(transport: Transport, rest: &str) -> Result<Self, MalformedUrl> {
        let unnamed = MalformedUrl(
            "write the master's name after the sentinels: redis+sentinel://host:26379,host2:26379/mymaster",
        );
        let (url, path) = Self::of(transport, Layout::Standalone, SENTINEL_PORT, rest)?;
        let (master, number) = path.map(|path| path.split_once('/').unwrap_or((path, ""))).ok_or(unnamed)?;
        if master.is_empty() {
            return Err(unnamed);
        }
        let layout = Layout::Sentinel { master: master.to_owned() };
        Ok(Self { database: database(number)?, layout, ..url })
    }

    fn cluster(transport: Transport, rest: &str) -> Result<Self, MalformedUrl> {
        let (url, path) = Self::of(transport, Layout::Cluster, PORT, rest)?;
        match path {
            None | Some("" | "0") => Ok(url),
            Some(_) => {
                Err(MalformedUrl("a Cluster has no numbered databases: remove the path after the hosts"))
            }
        }
    }

    /// Parses the part of the URL before the path. Also returns the path.
    fn of(
        transport: Transport,
        layout: Layout,
        port: u16,
        rest: &str,
    ) -> Result<(Self, Option<&str>), MalformedUrl> {
        if rest.contains(['?', '#']) {
            return Err(MalformedUrl(
                "remove the query or fragment; in a password write %3F for ? and %23 for #",
            ));
        }
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let addresses =
            hosts.split(',').map(|host| address(host, port)).collect::<Result<Vec<_>, MalformedUrl>>()?;
        let (user, password) = credentials.map_or(Ok((None, None)), login)?;
        Ok((Self { layout, addresses, user, password, database: 0, transport }, path))
    }
}

fn login(credentials: &str) -> Result<(Option<String>, Option<SecretText>), MalformedUrl> {
    let Some((user, password)) = credentials.split_once(':') else {
        if credentials.is_empty() {
            return Err(MalformedUrl("write user:password@ before the host, or remove the @"));
        }
        // The password is in a file. If there is no such file, the check of the settings refuses the URL.
        return Ok((Some(decoded(credentials)?), None));
    };
    let user = decoded(user)?;
    let password = decoded(password)?;
    if password.is_empty() {
        return Err(MalformedUrl("the password before the @ is empty"));
    }
    Ok((Some(user).filter(|user| !user.is_empty()), Some(password.into())))
}

fn address(text: &str, port: u16) -> Result<Address, MalformedUrl> {
    let unfit = MalformedUrl("write redis://host:port, with IPv6 addresses in brackets");
    let (host, after) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(unfit)?,
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    let port = match after.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(unfit)?,
        None if after.is_empty() => port,
        None => return Err(unfit),
    };
    if host.is_empty() || host.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(unfit);
    }
    Ok(Address { host: host.to_owned(), port })
}

fn database(path: &str) -> Result<i64, MalformedUrl> {
    if path.is_empty() {
        return Ok(0);
    }
    let number = path.parse().ok().filter(|number| (0..=9999).contains(number));
    number.ok_or(MalformedUrl(
        "the path after the host must be the number of a database, such as redis://host:6379/0",
    ))
}

/// Decodes percent-encoded text (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<String, MalformedUrl> {
    let unfit = MalformedUrl("write a % in the user or password as %25");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => {
                let (high, low) = digit(rest.next()).zip(digit(rest.next())).ok_or(unfit)?;
                u8::try_from(high << 4 | low).map_err(|_| unfit)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RedisUrl, String> {
        RedisUrl::parse(text).expect("the scheme belongs to Redis").map_err(|error| error.to_string())
    }

    fn shown(addresses: &[Address]) -> Vec<String> {
        addresses.iter().map(Address::to_string).collect()
    }

    #[test]
    fn every_layout_has_its_own_url_scheme() {
        let plain = parse("redis://localhost").expect("an address");
        assert_eq!(
            (plain.layout, shown(&plain.addresses)),
            (Layout::Standalone, vec!["localhost:6379".into()])
        );
        assert_eq!((plain.database, plain.transport), (0, Transport::Plain));

        let full = parse("rediss://doorlist:p%40ss%3Aword@[::1]:7000/3").expect("an address");
        assert_eq!((full.database, full.transport), (3, Transport::Tls));
        assert_eq!(shown(&full.addresses), ["[::1]:7000"]);
        assert_eq!(full.user.as_deref(), Some("doorlist"));
        assert_eq!(full.password.as_ref().map(SecretText::expose), Some("p@ss:word"));

        let sentinel = parse("redis+sentinel://:secret@a:1,b/mymaster/2").expect("an address");
        assert_eq!(sentinel.layout, Layout::Sentinel { master: "mymaster".to_owned() });
        assert_eq!(
            (shown(&sentinel.addresses), sentinel.database),
            (vec!["a:1".into(), "b:26379".into()], 2)
        );
        assert_eq!((sentinel.user, sentinel.password.is_some()), (None, true));

        let cluster = parse("rediss+cluster://a:1,b:2,c").expect("an address");
        assert_eq!((cluster.layout, cluster.transport), (Layout::Cluster, Transport::Tls));
        assert_eq!(shown(&cluster.addresses), ["a:1", "b:2", "c:6379"]);
        assert!(RedisUrl::parse("embedded:file").is_none());
    }

    #[test]
    fn a_wrong_url_is_refused_with_the_right_form() {
        for (text, reason) in [
            ("redis://", "write redis://host:port"),
            ("redis://host:port", "write redis://host:port"),
            ("redis://::1", "IPv6 addresses in brackets"),
            ("redis://host:0", "write redis://host:port"),
            ("redis://a,b", "redis+sentinel:// or redis+cluster://"),
            ("redis://host/one", "the number of a database"),
            ("redis://host?db=1", "remove the query"),
            ("redis://@host", "user:password@"),
            ("redis://user:@host", "is empty"),
            ("redis://user:100%@host", "as %25"),
            ("redis+sentinel://host:26379", "the master's name"),
            ("redis+cluster://host/1", "no numbered databases"),
            ("redis+ring://host", "redis+cluster://"),
            ("valkey://host", "for Valkey too"),
        ] {
            let refusal = parse(text).expect_err(text);
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }

    #[test]
    fn the_debug_text_of_a_url_shows_no_password() {
        let shown = format!("{:?}", parse("redis://alice:wonderland@host").expect("an address"));
        assert!(shown.contains("alice") && !shown.contains("wonderland"), "{shown}");
    }
}
