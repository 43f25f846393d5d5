//! What went wrong, in words that hold nothing of what was sent: a server's own message may quote it.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::store::StoreError;

/// A sentence for whoever asked. What the server says itself is left out but for its code.
pub(super) fn describe(error: &RedisError) -> String {
    let said = match error.kind() {
        ErrorKind::Server(kind) => server(kind),
        ErrorKind::Extension => None,
        ErrorKind::AuthenticationFailed => return wrong_password(),
        ErrorKind::Io => return io(error),
        ErrorKind::MasterNameNotFoundBySentinel => {
            return "the sentinels know no master of this name: correct it in DOORLIST_STORE".to_owned();
        }
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
            return "what answers there does not answer as Redis does".to_owned();
        }
        kind => return format!("it cannot be asked ({kind:?})"),
    };
    let code = error.code().unwrap_or("ERR");
    let said = said.or_else(|| extension(code));
    said.map_or_else(|| format!("Redis answers {code}"), |said| format!("{said} ({code})"))
}

fn server(kind: ServerErrorKind) -> Option<&'static str> {
    Some(match kind {
        ServerErrorKind::BusyLoading => "Redis is still loading its data",
        ServerErrorKind::ReadOnly => "this Redis is a replica and takes no writes",
        ServerErrorKind::MasterDown => "this Redis is a replica whose master is away",
        ServerErrorKind::ClusterDown => "the Cluster is down",
        ServerErrorKind::TryAgain => "the Cluster is moving these keys",
        ServerErrorKind::Moved | ServerErrorKind::Ask => "the Cluster keeps sending us elsewhere",
        ServerErrorKind::CrossSlot => "these keys are not in one slot",
        ServerErrorKind::NoPerm => "the user lacks a permission: see the README for those it needs",
        _ => return None,
    })
}

fn extension(code: &str) -> Option<&'static str> {
    Some(match code {
        "NOREPLICAS" => "Redis has not enough good replicas to write",
        "OOM" => "Redis is out of memory: raise maxmemory",
        "MISCONF" => "Redis cannot save to disk and takes no writes",
        "BUSY" => "Redis is busy with a script",
        "NOAUTH" => "Redis wants a password: write it into DOORLIST_STORE as redis://user:password@host",
        "WRONGPASS" => return Some("the user or password in DOORLIST_STORE is wrong"),
        "NOEPOCH" => "the store was emptied a moment ago",
        _ => return None,
    })
}

fn wrong_password() -> String {
    "the user or password in DOORLIST_STORE is wrong, or missing".to_owned()
}

fn io(error: &RedisError) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    // An error of the operating system or of TLS.
    error.to_string()
}

/// The error of a command on `place`.
pub(super) fn store_error(error: &RedisError, place: &str) -> StoreError {
    match error.code() {
        Some("WRONGTYPE") => corrupt(place, "another program keeps something else there"),
        Some("CORRUPT") => corrupt(place, error.detail().unwrap_or("damaged")),
        _ => StoreError::Unavailable(describe(error)),
    }
}

pub(super) fn corrupt(place: &str, reason: &str) -> StoreError {
    StoreError::Corrupt { place: place.to_owned(), reason: reason.to_owned() }
}

/// Whether the command cannot have been done, so that it may be sent anew to wherever it belongs.
pub(super) fn was_refused(error: &RedisError) -> bool {
    let refusals = [
        ServerErrorKind::Moved,
        ServerErrorKind::ReadOnly,
        ServerErrorKind::MasterDown,
        ServerErrorKind::ClusterDown,
        ServerErrorKind::BusyLoading,
    ];
    match error.kind() {
        ErrorKind::Server(kind) => refusals.contains(&kind),
        _ => error.code() == Some("NOREPLICAS"),
    }
}

/// A server's error inside an answer, as an error.
pub(super) fn in_answer(value: Value) -> Result<Value, RedisError> {
    match value {
        Value::ServerError(error) => Err(error.into()),
        value => Ok(value),
    }
}
