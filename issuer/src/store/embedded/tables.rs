//! The names of the tables in the file, and the layouts of their values.

use redb::TableDefinition;

use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};
use serde::de::DeserializeOwned;

use super::super::{StoreError, Version};
use crate::domain::{LogSettings, Record};

/// Key: subject. Value: version (8 bytes, little-endian) ‖ [`Record`] as JSON.
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// The revocation log. Key: sequence number. Value: [`crate::domain::LogEntry`] as JSON.
pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
/// Key: number. Value: [`crate::store::AuditRow`] as JSON.
pub(super) const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// Holds [`HEAD`], [`KEYS`] and [`INSTALLATION`].
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// In [`META`]: the [`Head`].
pub(super) const HEAD: &str = "head";
/// In [`META`]: version (8 bytes, little-endian) ‖ the encrypted key ring.
pub(super) const KEYS: &str = "keys";

/// In [`META`]: version (8 bytes, little-endian) ‖ the installation's record.
pub(super) const INSTALLATION: &str = "installation";

/// A marker of 8 bytes, followed by nine little-endian numbers of 8 bytes each:
///
/// ```text
/// "doorlst1" | epoch | last seq | trimmed seq | retain | cutoff | sessions since | clock µs
///            | last version | last audit
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) settings: LogSettings,
    pub(super) last: Seq,
    pub(super) trimmed: Seq,
    /// The time that the store's clock showed at the last write.
    pub(super) clock_micros: u64,
    pub(super) last_version: u64,
    pub(super) last_audit: u64,
}

const MAGIC: u64 = u64::from_le_bytes(*b"doorlst1");
const HEAD_LEN: usize = 10 * 8;

impl Head {
    pub(super) fn new(epoch: Epoch) -> Self {
        let settings = LogSettings {
            epoch,
            retain_secs: 0,
            cutoff: UnixSeconds::ZERO,
            sessions_since: UnixSeconds::ZERO,
        };
        Self {
            settings,
            last: Seq::ZERO,
            trimmed: Seq::ZERO,
            clock_micros: 0,
            last_version: 0,
            last_audit: 0,
        }
    }

    pub(super) fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }

    pub(super) fn encode(&self) -> [u8; HEAD_LEN] {
        let numbers = [
            MAGIC,
            self.settings.epoch.0,
            self.last.get(),
            self.trimmed.get(),
            self.settings.retain_secs,
            self.settings.cutoff.as_secs(),
            self.settings.sessions_since.as_secs(),
            self.clock_micros,
            self.last_version,
            self.last_audit,
        ];
        let mut bytes = [0; HEAD_LEN];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let strange = |reason| corrupt("meta/head", reason);
        let bytes: &[u8; HEAD_LEN] = bytes.try_into().map_err(|_| strange("not 80 bytes"))?;
        let mut numbers = bytes.chunks_exact(8).map(little_endian);
        let mut next = || numbers.next().unwrap_or_default();
        if next() != MAGIC {
            return Err(strange("written by another program or another version"));
        }
        let epoch = Epoch(next());
        let last = Seq::new(next()).ok_or_else(|| strange("a sequence above 2^53 - 1"))?;
        let trimmed = Seq::new(next()).ok_or_else(|| strange("a sequence above 2^53 - 1"))?;
        let retain_secs = next();
        let cutoff = UnixSeconds::new(next()).ok_or_else(|| strange("a time after the year 9999"))?;
        let sessions_since = UnixSeconds::new(next()).ok_or_else(|| strange("a time after the year 9999"))?;
        let settings = LogSettings { epoch, retain_secs, cutoff, sessions_since };
        let (clock_micros, last_version, last_audit) = (next(), next(), next());
        Ok(Self { settings, last, trimmed, clock_micros, last_version, last_audit })
    }
}

/// Puts the version in front of the payload. Records, the key ring and the installation's record have this layout.
pub(super) fn with_version(version: Version, payload: &[u8]) -> Vec<u8> {
    [&version.0.to_le_bytes(), payload].concat()
}

/// The reverse of [`with_version`].
pub(super) fn split_version<'a>(bytes: &'a [u8], place: &str) -> Result<(Version, &'a [u8]), StoreError> {
    let (version, payload) =
        bytes.split_at_checked(8).ok_or_else(|| corrupt(place, "the value is too short"))?;
    Ok((Version(little_endian(version)), payload))
}

pub(super) fn decode_record(sub: &str, bytes: &[u8]) -> Result<(Version, Record), StoreError> {
    let place = format!("records/{sub}");
    let (version, json) = split_version(bytes, &place)?;
    Ok((version, decode_json(&place, json)?))
}

/// Parses JSON. The error does not contain serde's message, because this message quotes the stored text. The stored
/// text may be a secret.
pub(super) fn decode_json<T: DeserializeOwned>(place: &str, json: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json)
        .map_err(|error| corrupt(place, &format!("unexpected content from column {}", error.column())))
}

pub(super) fn encode_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| corrupt("memory", &error.to_string()))
}

pub(super) fn corrupt(place: &str, reason: &str) -> StoreError {
    StoreError::Corrupt { place: place.to_owned(), reason: reason.to_owned() }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_unchanged_after_encoding_and_decoding() {
        let mut head = Head::new(Epoch(7));
        head.last = Seq::MAX;
        head.settings.cutoff = UnixSeconds::MAX;
        head.settings.retain_secs = u64::MAX;
        head.last_audit = 9;
        assert_eq!(Head::decode(&head.encode()), Ok(head));
    }

    #[test]
    fn a_malformed_head_is_reported() {
        let good = Head::new(Epoch(7)).encode();
        let mut foreign = good;
        foreign[0] ^= 1;
        let mut huge_seq = good;
        huge_seq[16..24].fill(0xff);
        for bytes in [&good[..79], &foreign[..], &huge_seq[..]] {
            assert!(matches!(Head::decode(bytes), Err(StoreError::Corrupt { .. })));
        }
    }
}
