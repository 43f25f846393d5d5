//! Every key in a Redis, and how long it is kept. `P` is the prefix of the installation.
//!
//! | key | type and content | kept |
//! |---|---|---|
//! | `{P}:head` | hash: `epoch`, `last`, `trimmed`, `retain`, `cutoff`, `sessions_since`, `clock`, `audit` | for ever |
//! | `{P}:log` | stream: the revocation log; id: sequence number; fields `at`, `entry` (JSON) | see 1 |
//! | `{P}:keys` | string: version ‖ the encrypted key ring | for ever |
//! | `{P}:installation` | string: version ‖ the installation's name and settings (JSON) | for ever |
//! | `{P}:audit` | stream: the last 100,000 events or a few more; fields `at`, `event` (JSON) | see 2 |
//! | `{P}:tallies`, `{P}:tallies:before` | hash: counters of logins; field: a keyed hash, value: JSON | see 4 |
//! | `{P:bb}:record:<sub>` | string: version ‖ the subject's record (JSON) | see 3 |
//! | `{P:bb}:subjects` | sorted set with equal scores: the subjects in bucket `bb` | while it has members |
//!
//! 1. An entry is kept for at least `retain`, and until the issuer has healed the record of the entry's subject.
//! 2. When new events are added, the oldest events are removed.
//! 3. A record is kept until `retain` seconds after the end of its last session. It is kept for ever if the subject
//!    has a password or claims, or is disabled.
//! 4. Each of the two hashes has at most 100,000 fields or a few more, and expires two hours after it was created. When
//!    the first one is full or an hour old, it replaces the second one.
//!
//! A version is 16 random hex digits. No other key has an expiry in Redis. The issuer itself checks which records are
//! no longer needed. One script then removes both the record and the subject's name in the bucket.
//!
//! The text in braces decides the slot. All keys with `{P}` are in one slot, and all keys of one bucket are in one
//! slot. So every script needs only one slot.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::Subject;

/// Number of buckets for subjects. The records are in at most this many slots.
pub(super) const BUCKETS: usize = 256;

/// The beginning of all key names of an installation: 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Box<str>);

/// The text cannot be used as a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is 1 to 64 letters, digits, dots, underscores or hyphens")]
pub struct MalformedPrefix;

impl Default for Prefix {
    fn default() -> Self {
        Self("doorlist".into())
    }
}

impl FromStr for Prefix {
    type Err = MalformedPrefix;

    fn from_str(text: &str) -> Result<Self, MalformedPrefix> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(MalformedPrefix)
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The names of an installation's keys.
#[derive(Debug, Clone)]
pub(super) struct KeyNames {
    prefix: Prefix,
    pub(super) head: String,
    pub(super) log: String,
    pub(super) ring: String,
    pub(super) installation: String,
    pub(super) audit: String,
    pub(super) tallies: String,
    pub(super) former_tallies: String,
}

impl KeyNames {
    pub(super) fn of(prefix: Prefix) -> Self {
        let own = |name: &str| format!("{{{prefix}}}:{name}");
        Self {
            head: own("head"),
            log: own("log"),
            ring: own("keys"),
            installation: own("installation"),
            audit: own("audit"),
            tallies: own("tallies"),
            former_tallies: own("tallies:before"),
            prefix,
        }
    }

    pub(super) fn record(&self, sub: &Subject) -> String {
        format!("{}:record:{sub}", self.tag(bucket(sub)))
    }

    /// The key of the set with the names of the subjects in a bucket.
    pub(super) fn subjects(&self, bucket: usize) -> String {
        format!("{}:subjects", self.tag(bucket))
    }

    pub(super) fn bucket_of(&self, sub: &Subject) -> String {
        self.subjects(bucket(sub))
    }

    /// A pattern for all buckets, for use in messages.
    pub(super) fn anywhere(&self) -> String {
        format!("{{{}:*}}:subjects", self.prefix)
    }

    fn tag(&self, bucket: usize) -> String {
        format!("{{{}:{bucket:02x}}}", self.prefix)
    }
}

fn bucket(sub: &Subject) -> usize {
    Sha256::digest(sub.as_str()).first().copied().unwrap_or_default().into()
}

/// The slot of a key in a Cluster: CRC-16 (XMODEM) of the text in its first braces, modulo 16,384.
pub(super) fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    let crc =
        hashed.bytes().fold(0u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        });
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        name.try_into().expect("a subject")
    }

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        assert_eq!(slot("123456789"), 0x31c3);
        assert_eq!(slot("{user1000}.following"), slot("user1000"));
        assert_eq!(slot("foo{}{bar}"), slot("foo{}{bar}"));
        assert_ne!(slot("foo{}{bar}"), slot("bar"));
        assert_eq!(slot("foo{{bar}}zap"), slot("{bar"));
    }

    #[test]
    fn keys_that_change_together_are_in_one_slot() {
        let keys = KeyNames::of(Prefix::default());
        let log = [&keys.log, &keys.ring, &keys.installation, &keys.audit];
        for key in log.into_iter().chain([&keys.tallies, &keys.former_tallies]) {
            assert_eq!(slot(key), slot(&keys.head));
        }
        for name in ["alice", "{doorlist}", "}{", "élodie"] {
            assert_eq!(slot(&keys.record(&subject(name))), slot(&keys.bucket_of(&subject(name))), "{name}");
        }
    }

    #[test]
    fn two_installations_use_different_keys() {
        let (one, other) = (KeyNames::of("one".parse().unwrap()), KeyNames::of("other".parse().unwrap()));
        assert_ne!(one.record(&subject("alice")), other.record(&subject("alice")));
        assert_ne!(one.head, other.head);
        for unfit in ["", "a b", "a{b", "a}b", "a:b", &"x".repeat(65)] {
            assert_eq!(unfit.parse::<Prefix>(), Err(MalformedPrefix), "{unfit}");
        }
    }
}
