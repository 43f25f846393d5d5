//! Parses the answers of the scripts.

use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};
use redis::{FromRedisValue, Value, from_redis_value};
use serde::de::DeserializeOwned;

use super::error::corrupt;
use crate::domain::{LogEntry, LogSettings, Record};
use crate::store::clock::seconds;
use crate::store::{AuditRow, StoreError, Version};

/// The head of the revocation log: `{ epoch, last, retain, cutoff, sessions_since, clock in µs }`.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) last: Seq,
    pub(super) settings: LogSettings,
    /// The store's clock, in microseconds since the UNIX epoch.
    pub(super) micros: u64,
}

/// The epoch of an empty store.
pub(super) const NO_EPOCH: Epoch = Epoch(0);

impl State {
    pub(super) fn read(answer: Value, head: &str) -> Result<Self, StoreError> {
        let (epoch, last, retain_secs, cutoff, sessions_since, micros): (String, u64, u64, u64, u64, u64) =
            converted(answer, head)?;
        let epoch = match epoch.as_str() {
            "" => NO_EPOCH,
            epoch => epoch.parse().map_err(|_| corrupt(head, "the epoch is not 16 hex digits"))?,
        };
        let time = |secs| UnixSeconds::new(secs).ok_or_else(|| corrupt(head, "a time after the year 9999"));
        let (cutoff, sessions_since) = (time(cutoff)?, time(sessions_since)?);
        Ok(Self {
            last: sequence(last, head)?,
            settings: LogSettings { epoch, retain_secs, cutoff, sessions_since },
            micros,
        })
    }

    pub(super) fn now(&self) -> UnixSeconds {
        seconds(self.micros)
    }

    pub(super) fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }
}

/// Parses `{ version, payload }`, or `{}` if there is no value.
pub(super) fn versioned(answer: Value, place: &str) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
    let mut parts = converted::<Vec<Vec<u8>>>(answer, place)?.into_iter();
    let (Some(version), Some(payload)) = (parts.next(), parts.next()) else { return Ok(None) };
    let version =
        std::str::from_utf8(&version).ok().and_then(|version| u64::from_str_radix(version, 16).ok());
    Ok(Some((Version(version.ok_or_else(|| corrupt(place, "the version is missing"))?), payload)))
}

/// Parses `{ version, payload }` with a record as the payload.
pub(super) fn stored(answer: Value, place: &str) -> Result<Option<(Version, Record)>, StoreError> {
    let record = versioned(answer, place)?;
    record.map(|(version, bytes)| Ok((version, json(&bytes, place)?))).transpose()
}

/// Parses `{ continues, state, entries }`.
pub(super) fn page(answer: Value, head: &str, log: &str) -> Result<(bool, State, Vec<LogEntry>), StoreError> {
    let (continues, state, entries): (bool, Value, Vec<StreamRow>) = converted(answer, head)?;
    let entries = entries.into_iter().map(|row| log_entry(row, log)).collect::<Result<_, _>>()?;
    Ok((continues, State::read(state, head)?, entries))
}

/// An entry of a stream: its id, and a list in which field names and values alternate.
pub(super) type StreamRow = (String, Vec<Vec<u8>>);

fn log_entry((id, fields): StreamRow, log: &str) -> Result<LogEntry, StoreError> {
    let place = format!("{log} {id}");
    let at = time_of(&fields, &place)?;
    let seq = sequence(number_of(&id, &place)?, &place)?;
    Ok(LogEntry { seq, at, entry: json(field(&fields, "entry", &place)?, &place)? })
}

pub(super) fn audit_row((id, fields): StreamRow, audit: &str) -> Result<AuditRow, StoreError> {
    let place = format!("{audit} {id}");
    let (number, at) = (number_of(&id, &place)?, time_of(&fields, &place)?);
    Ok(AuditRow { number, at, event: json(field(&fields, "event", &place)?, &place)? })
}

/// Parses JSON. The error does not contain serde's message, because this message quotes the stored text. The stored
/// text may be a secret.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8], place: &str) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| corrupt(place, &format!("unexpected content from column {}", error.column())))
}

pub(super) fn converted<T: FromRedisValue>(answer: Value, place: &str) -> Result<T, StoreError> {
    from_redis_value(answer).map_err(|_| corrupt(place, "a value of an unexpected form"))
}

fn sequence(number: u64, place: &str) -> Result<Seq, StoreError> {
    Seq::new(number).ok_or_else(|| corrupt(place, "a sequence above 2^53 - 1"))
}

/// Parses the number in `<number>-0`.
fn number_of(id: &str, place: &str) -> Result<u64, StoreError> {
    let number = id.strip_suffix("-0").and_then(|number| number.parse().ok());
    number.ok_or_else(|| corrupt(place, "an id of an unexpected form"))
}

fn time_of(fields: &[Vec<u8>], place: &str) -> Result<UnixSeconds, StoreError> {
    let at = std::str::from_utf8(field(fields, "at", place)?).ok().and_then(|at| at.parse().ok());
    at.and_then(UnixSeconds::new).ok_or_else(|| corrupt(place, "the time is missing or malformed"))
}

fn field<'a>(fields: &'a [Vec<u8>], name: &str, place: &str) -> Result<&'a [u8], StoreError> {
    let found = fields.chunks_exact(2).find(|pair| pair[0] == name.as_bytes());
    found.map(|pair| pair[1].as_slice()).ok_or_else(|| corrupt(place, "a field is missing"))
}
