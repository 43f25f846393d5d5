//! Errors of Redis. The text of an error never contains the server's own message, because that message may quote
//! secrets from a request.

use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use super::fitness::Unfit;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// An error of the server or of the connection.
    Redis(RedisError),
    /// The command was done, but no replica confirmed it in time.
    Unreplicated,
    /// Too many callers are already waiting.
    Crowded,
    /// There was no answer in time.
    Late,
    /// No server is known for these keys.
    Nowhere,
    /// The answer does not have the form of a Redis answer.
    Strange,
    /// The server is not fit to store revocations, or is not of the kind that the setting names.
    Unfit(Unfit),
}

impl<E: Into<RedisError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Redis(error.into())
    }
}

impl Trouble {
    /// Whether the server certainly did not run the command. In this case the command can be sent again, to the server
    /// that now has the keys.
    pub(super) fn was_refused(&self) -> bool {
        let refusals = [
            ServerErrorKind::Moved,
            ServerErrorKind::ReadOnly,
            ServerErrorKind::MasterDown,
            ServerErrorKind::ClusterDown,
            ServerErrorKind::TryAgain,
            ServerErrorKind::BusyLoading,
        ];
        match self {
            Self::Redis(error) => match error.kind() {
                ErrorKind::Server(kind) => refusals.contains(&kind),
                _ => error.code() == Some("NOREPLICAS"),
            },
            _ => false,
        }
    }

    /// Whether the connection ended before the answer came.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Redis(error) if error.is_connection_dropped())
    }

    /// Whether the error is a possible sign that another server is the master now.
    pub(super) fn is_of_place(&self) -> bool {
        match self {
            Self::Redis(error) => error.is_io_error() || self.was_refused(),
            Self::Late | Self::Nowhere => true,
            Self::Unreplicated | Self::Crowded | Self::Strange | Self::Unfit(_) => false,
        }
    }

    /// Whether the server does not know the script.
    pub(super) fn lacks_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// The address to which the keys are moving, if the answer is `ASK`.
    pub(super) fn ask_at(&self) -> Option<&str> {
        match self {
            Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => {
                error.redirect_node().map(|(address, _)| address)
            }
            _ => None,
        }
    }

    /// Whether the error says that no sentinel knows a master of this name.
    pub(super) fn is_unknown_name(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::MasterNameNotFoundBySentinel)
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::Redis(error) => error.code(),
            _ => None,
        }
    }

    /// Whether the server does not know the command or its arguments.
    pub(super) fn is_general(&self) -> bool {
        self.code() == Some("ERR")
    }

    /// Converts the error of a command into the store's error. `place` contains the names of the command's keys.
    pub(super) fn at(&self, place: &str) -> StoreError {
        match self.code() {
            Some("WRONGTYPE") => corrupt(place, "another program has stored something else there"),
            Some("CORRUPT") => corrupt(place, "a stored number is malformed"),
            _ if self.may_pass() => StoreError::Unavailable(self.describe()),
            _ => StoreError::Misconfigured(self.describe()),
        }
    }

    /// Converts the error of a server that was checked at the start, or that could not be reached, into the store's
    /// error.
    pub(super) fn of_server(&self, address: &str) -> StoreError {
        let (place, reason) = (address.to_owned(), self.describe());
        if self.may_pass() {
            StoreError::Away { place, reason }
        } else {
            StoreError::Misconfigured(format!("{place}: {reason}"))
        }
    }

    /// Whether a later attempt can succeed without a change by an operator. For example, the server may start, load its
    /// data or fail over.
    fn may_pass(&self) -> bool {
        match self {
            Self::Redis(error) => may_pass(error),
            Self::Unreplicated | Self::Crowded | Self::Late | Self::Nowhere => true,
            Self::Strange | Self::Unfit(_) => false,
        }
    }

    /// A sentence for the caller. The sentence contains the code of the server's message, but not the message itself.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Redis(error) => describe(error),
            Self::Unreplicated => {
                "no replica confirmed the write in time, so it does not count: try again".to_owned()
            }
            Self::Crowded => "too many requests wait for Redis".to_owned(),
            Self::Late => LATE.to_owned(),
            Self::Nowhere => "no Redis server has these keys at the moment".to_owned(),
            Self::Strange => STRANGE.to_owned(),
            Self::Unfit(unfit) => unfit.to_string(),
        }
    }
}

fn may_pass(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io => !is_of_tls(error),
        // A sentinel that has just started does not know its master yet, or names a master that is not running yet.
        ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::TryAgain
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask => true,
            _ => error.detail().is_some_and(|detail| detail.contains("max number of clients")),
        },
        ErrorKind::Extension => {
            matches!(error.code(), Some("NOREPLICAS" | "OOM" | "MISCONF" | "BUSY" | "NOEPOCH"))
        }
        _ => false,
    }
}

/// Whether TLS itself failed, for example because a certificate was refused. A connection that ends during the
/// handshake is not such a failure, because it is possible that the server behind a proxy is not running yet.
fn is_of_tls(error: &RedisError) -> bool {
    system_error(error)
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

fn system_error(error: &RedisError) -> Option<&io::Error> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?.downcast_ref::<io::Error>()
}

/// Converts an error message of the system. If a host name does not resolve, the result says that the name is possibly
/// misspelt or does not exist yet.
fn of_system(said: &str) -> String {
    const LOOKUP: &str = "failed to lookup address information: ";
    const UNKNOWN: [&str; 4] = [
        "Name or service not known",
        "Name does not resolve",
        "No address associated",
        "nodename nor servname provided",
    ];
    match said.split_once(LOOKUP) {
        Some((_, why)) if UNKNOWN.iter().any(|unknown| why.starts_with(unknown)) => {
            format!("the host name does not resolve (NXDOMAIN): {why}")
        }
        Some((_, why)) => format!("the host name cannot be looked up: {why}"),
        None => said.to_owned(),
    }
}

const LATE: &str = "Redis does not answer in time";
const STRANGE: &str = "the server does not answer like Redis";
const WRONG_LOGIN: &str = "the user or password in DOORLIST_STORE is wrong, or missing, or the password in DOORLIST_STORE_PASSWORD_FILE is wrong";

fn describe(error: &RedisError) -> String {
    let said = match error.kind() {
        ErrorKind::Server(kind) => server(kind),
        ErrorKind::Extension => extension(error.code().unwrap_or_default()),
        ErrorKind::AuthenticationFailed => return WRONG_LOGIN.to_owned(),
        ErrorKind::Io if error.is_timeout() => return LATE.to_owned(),
        // An error of the operating system or of TLS.
        ErrorKind::Io => return of_system(&error.to_string()),
        ErrorKind::MasterNameNotFoundBySentinel => {
            return "no reachable sentinel knows a master of this name: check DOORLIST_STORE".to_owned();
        }
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => return STRANGE.to_owned(),
        kind => return format!("the request to Redis failed ({kind:?})"),
    };
    let code = error.code().unwrap_or("ERR");
    said.map_or_else(|| format!("Redis answers {code}"), |said| format!("{said} ({code})"))
}

fn server(kind: ServerErrorKind) -> Option<&'static str> {
    Some(match kind {
        ServerErrorKind::BusyLoading => "Redis is still loading its data",
        ServerErrorKind::ReadOnly => "this Redis is a replica and takes no writes",
        ServerErrorKind::MasterDown => "this Redis is a replica that has lost its master",
        ServerErrorKind::ClusterDown => "the Cluster is down",
        ServerErrorKind::TryAgain => "the Cluster is moving these keys",
        ServerErrorKind::Moved | ServerErrorKind::Ask => "the Cluster redirects the request again and again",
        ServerErrorKind::CrossSlot => "these keys are not in one slot",
        ServerErrorKind::NoPerm => "the user lacks a permission: the README lists the ones that it needs",
        _ => return None,
    })
}

fn extension(code: &str) -> Option<&'static str> {
    Some(match code {
        "NOREPLICAS" => "Redis has too few connected replicas to accept a write",
        "OOM" => "Redis is out of memory: raise maxmemory",
        "MISCONF" => "Redis cannot save to disk and takes no writes",
        "BUSY" => "Redis is busy with a script",
        "NOAUTH" => {
            "Redis requires a password: write it into DOORLIST_STORE as redis://user:password@host, or into the file in DOORLIST_STORE_PASSWORD_FILE"
        }
        "WRONGPASS" => WRONG_LOGIN,
        "NOEPOCH" => "the store was emptied a moment ago",
        _ => return None,
    })
}

pub(super) fn corrupt(place: &str, reason: &str) -> StoreError {
    StoreError::Corrupt { place: place.to_owned(), reason: reason.to_owned() }
}

/// Returns the first answer, or `Err` if it is a server error.
pub(super) fn only(answers: impl IntoIterator<Item = Value>) -> Result<Value, Trouble> {
    match answers.into_iter().next() {
        Some(Value::ServerError(error)) => Err(error.into()),
        Some(value) => Ok(value),
        None => Err(Trouble::Strange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A very old server, or a proxy that does not speak Redis, quotes a command that it does not know. The quoted
    /// text may contain a password.
    #[test]
    fn the_text_of_a_server_error_is_not_passed_on() {
        let parse = |line: &str| match redis::parse_redis_value(line.as_bytes()) {
            Ok(Value::ServerError(error)) => Trouble::from(error),
            other => panic!("{other:?}"),
        };
        for line in [
            "-ERR unknown command 'AUTH', with args beginning with: 'wonderland'\r\n",
            "-STRANGE wonderland\r\n",
            "-WRONGTYPE wonderland\r\n",
            "-CORRUPT wonderland\r\n",
        ] {
            let said = parse(line).at("a key").to_string();
            assert!(!said.contains("wonderland"), "{said}");
        }
        assert_eq!(parse("-STRANGE x\r\n").describe(), "Redis answers STRANGE");
        assert!(parse("-TRYAGAIN x\r\n").was_refused());
        assert!(parse("-NOREPLICAS x\r\n").was_refused() && !parse("-OOM x\r\n").was_refused());
    }
}
