//! The rules of the key ring: *announced → active → retiring → gone*.
//!
//! The ring always has two private keys. The active key signs, and verifiers already know the announced key. So the
//! active key can be removed at any time. The announced key then becomes active, and every verifier accepts the new
//! tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{Jwks, KeyId, PublicKey, UnixSeconds, keys::MAX_KEYS};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::PrivateKey;

/// All keys that are trusted now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    active: Active,
    reserve: Reserve,
    retiring: Vec<Retiring>,
}

/// The key that signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Active {
    key: PrivateKey,
    since: UnixSeconds,
}

/// The key that is published and will sign next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reserve {
    key: PrivateKey,
    announced_at: UnixSeconds,
}

/// A key that no longer signs but whose tokens can still be valid. Its private half has been deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retiring {
    #[serde(with = "point")]
    key: PublicKey,
    since: UnixSeconds,
    gone_at: UnixSeconds,
}

/// A new ring, and the keys that were added or removed. The revocation log must name each of these keys.
#[derive(Debug, Clone)]
pub struct RingChange {
    /// The new ring.
    pub ring: KeyRing,
    /// The keys that were added or removed.
    pub kids: Vec<KeyId>,
}

/// The operator's view of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStatus {
    /// RFC 7638 thumbprint.
    pub kid: KeyId,
    /// The key's state.
    pub state: KeyState,
    /// When the key entered this state, in the store's UNIX seconds.
    pub since: UnixSeconds,
    /// When a retiring key will be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<UnixSeconds>,
}

/// The states of a trusted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The key is published and will sign next.
    Announced,
    /// The key signs.
    Active,
    /// The key no longer signs. Its tokens can still be valid.
    Retiring,
}

/// Why a rotation must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooEarly {
    /// The announced key is so new that it can still be missing from some caches.
    #[error("the announced key is too new: some caches may not know it yet; wait {wait_secs} s")]
    YoungReserve {
        /// Seconds to wait, at least 1.
        wait_secs: u64,
    },
    /// The ring already holds as many keys as verifiers can hold.
    #[error("too many keys are still retiring; wait {wait_secs} s")]
    FullRing {
        /// Seconds to wait, at least 1.
        wait_secs: u64,
    },
}

impl TooEarly {
    /// Seconds to wait, at least 1.
    pub fn wait_secs(self) -> u64 {
        match self {
            Self::YoungReserve { wait_secs } | Self::FullRing { wait_secs } => wait_secs,
        }
    }
}

/// No trusted key has this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no trusted key has the id {0}")]
pub struct UnknownKey(pub KeyId);

impl KeyRing {
    /// The ring for the first start.
    pub fn first(now: UnixSeconds, active: PrivateKey, reserve: PrivateKey) -> RingChange {
        let kids = vec![active.kid(), reserve.kid()];
        let ring = Self {
            active: Active { key: active, since: now },
            reserve: Reserve { key: reserve, announced_at: now },
            retiring: Vec::new(),
        };
        RingChange { ring, kids }
    }

    /// The announced key becomes the active key, and `fresh` becomes the announced key. The former active key stays
    /// trusted for another `retain_secs`. By then every token of the former active key has expired.
    ///
    /// # Errors
    ///
    /// [`TooEarly`] if the announced key was announced less than `published_secs` ago, or if the ring is full.
    pub fn rotate(
        &self,
        now: UnixSeconds,
        fresh: PrivateKey,
        published_secs: u64,
        retain_secs: u64,
    ) -> Result<RingChange, TooEarly> {
        let published_at = self.reserve.announced_at.plus_secs(published_secs);
        if now < published_at {
            return Err(TooEarly::YoungReserve { wait_secs: published_at.secs_since(now) });
        }
        if self.retiring.len() + 3 > MAX_KEYS {
            let first_gone = self.retiring.iter().map(|key| key.gone_at).min().unwrap_or(now);
            return Err(TooEarly::FullRing { wait_secs: first_gone.secs_since(now).max(1) });
        }
        let mut ring = self.clone();
        ring.retiring.push(Retiring {
            key: self.active.key.public(),
            since: now,
            gone_at: now.plus_secs(retain_secs),
        });
        let kids = vec![fresh.kid()];
        ring.promote_reserve(now, fresh);
        Ok(RingChange { ring, kids })
    }

    /// Removes a key at once. Every token that this key signed becomes invalid. If the active key is removed, the
    /// announced key becomes active and `fresh` becomes the announced key. If the announced key is removed, `fresh`
    /// becomes the announced key.
    ///
    /// # Errors
    ///
    /// [`UnknownKey`] if the key is not trusted.
    pub fn retire(&self, kid: KeyId, now: UnixSeconds, fresh: PrivateKey) -> Result<RingChange, UnknownKey> {
        let mut ring = self.clone();
        let mut kids = vec![kid];
        if kid == self.active.key.kid() {
            kids.push(fresh.kid());
            ring.promote_reserve(now, fresh);
        } else if kid == self.reserve.key.kid() {
            kids.push(fresh.kid());
            ring.reserve = Reserve { key: fresh, announced_at: now };
        } else {
            ring.retiring.retain(|key| key.key.kid() != kid);
            if ring.retiring.len() == self.retiring.len() {
                return Err(UnknownKey(kid));
            }
        }
        Ok(RingChange { ring, kids })
    }

    /// Removes retiring keys whose last token has expired. `None` if there are no such keys.
    pub fn expire(&self, now: UnixSeconds) -> Option<RingChange> {
        let (gone, retiring): (Vec<_>, Vec<_>) =
            self.retiring.iter().cloned().partition(|key| key.gone_at <= now);
        let kids: Vec<_> = gone.iter().map(|key| key.key.kid()).collect();
        (!kids.is_empty()).then(|| RingChange { ring: Self { retiring, ..self.clone() }, kids })
    }

    /// The key that signs.
    pub fn active(&self) -> &PrivateKey {
        &self.active.key
    }

    /// All trusted keys. The key that signs comes first.
    pub fn jwks(&self) -> Jwks {
        let retiring = self.retiring.iter().map(|key| key.key);
        Jwks {
            keys: [self.active.key.public(), self.reserve.key.public()].into_iter().chain(retiring).collect(),
        }
    }

    /// All trusted keys with their states.
    pub fn status(&self) -> Vec<KeyStatus> {
        let status = |kid, state, since, gone_at| KeyStatus { kid, state, since, gone_at };
        let active = status(self.active.key.kid(), KeyState::Active, self.active.since, None);
        let reserve = status(self.reserve.key.kid(), KeyState::Announced, self.reserve.announced_at, None);
        let retiring = self
            .retiring
            .iter()
            .map(|key| status(key.key.kid(), KeyState::Retiring, key.since, Some(key.gone_at)));
        [active, reserve].into_iter().chain(retiring).collect()
    }

    fn promote_reserve(&mut self, now: UnixSeconds, fresh: PrivateKey) {
        let reserve = std::mem::replace(&mut self.reserve, Reserve { key: fresh, announced_at: now });
        self.active = Active { key: reserve.key, since: now };
    }
}

/// Serializes a public key as its 32 bytes in base64url.
mod point {
    use super::*;

    pub(super) fn serialize<S: Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64UrlUnpadded::encode_string(key.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64UrlUnpadded::decode_vec(&text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .and_then(|bytes| PublicKey::from_bytes(&bytes).ok())
            .ok_or_else(|| D::Error::custom("a public key is 32 bytes in base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: u64 = 90;
    const RETAIN: u64 = 1020;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(1_800_000_000 + seconds).expect("a time")
    }

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32])
    }

    fn first() -> KeyRing {
        KeyRing::first(at(0), key(1), key(2)).ring
    }

    fn states(ring: &KeyRing) -> Vec<(KeyId, KeyState)> {
        ring.status().into_iter().map(|key| (key.kid, key.state)).collect()
    }

    #[test]
    fn there_are_two_keys_from_the_first_start() {
        let ring = first();
        assert_eq!(states(&ring), [(key(1).kid(), KeyState::Active), (key(2).kid(), KeyState::Announced)]);
        assert_eq!(ring.jwks().keys, [key(1).public(), key(2).public()]);
    }

    #[test]
    fn a_rotation_keeps_the_old_key_until_its_last_token_has_expired() {
        let RingChange { ring, kids } =
            first().rotate(at(90), key(3), PUBLISHED, RETAIN).expect("old enough");
        assert_eq!(kids, [key(3).kid()]);
        assert_eq!(
            states(&ring),
            [
                (key(2).kid(), KeyState::Active),
                (key(3).kid(), KeyState::Announced),
                (key(1).kid(), KeyState::Retiring)
            ]
        );
        assert!(ring.expire(at(90 + RETAIN - 1)).is_none());
        let RingChange { ring, kids } = ring.expire(at(90 + RETAIN)).expect("the key's tokens have expired");
        assert_eq!(kids, [key(1).kid()]);
        assert_eq!(states(&ring), [(key(2).kid(), KeyState::Active), (key(3).kid(), KeyState::Announced)]);
    }

    #[test]
    fn a_reserve_key_that_some_caches_may_lack_does_not_sign() {
        let refused = first().rotate(at(20), key(3), PUBLISHED, RETAIN).unwrap_err();
        assert_eq!(refused, TooEarly::YoungReserve { wait_secs: 70 });
    }

    #[test]
    fn the_ring_has_no_more_keys_than_verifiers_hold() {
        let mut ring = first();
        let refused = (1..).find_map(|round| {
            let rotated = ring.rotate(at(PUBLISHED * round), key(2 + round as u8), PUBLISHED, 100_000);
            rotated.map(|change| ring = change.ring).err()
        });
        assert_eq!(refused, Some(TooEarly::FullRing { wait_secs: 100_000 - 14 * PUBLISHED }));
        assert_eq!(ring.jwks().keys.len(), MAX_KEYS);
    }

    #[test]
    fn a_retired_key_is_gone_at_once_and_the_reserve_takes_over() {
        // Trace 16: the signing key is retired, and verifiers already know the next key.
        let RingChange { ring, kids } =
            first().retire(key(1).kid(), at(1), key(3)).expect("the key is trusted");
        assert_eq!(kids, [key(1).kid(), key(3).kid()]);
        assert_eq!(states(&ring), [(key(2).kid(), KeyState::Active), (key(3).kid(), KeyState::Announced)]);
        assert_eq!(ring.retire(key(1).kid(), at(2), key(4)).unwrap_err(), UnknownKey(key(1).kid()));
    }

    #[test]
    fn a_reserve_and_a_retiring_key_can_be_retired_too() {
        let ring = first().rotate(at(90), key(3), PUBLISHED, RETAIN).expect("old enough").ring;
        let ring = ring.retire(key(3).kid(), at(91), key(4)).expect("the reserve").ring;
        assert_eq!(ring.jwks().keys, [key(2).public(), key(4).public(), key(1).public()]);
        let ring = ring.retire(key(1).kid(), at(92), key(5)).expect("a retiring one").ring;
        assert_eq!(ring.jwks().keys, [key(2).public(), key(4).public()]);
    }

    #[test]
    fn a_ring_survives_writing_and_reading() {
        let ring = first().rotate(at(90), key(3), PUBLISHED, RETAIN).expect("old enough").ring;
        let read: KeyRing =
            serde_json::from_slice(&serde_json::to_vec(&ring).expect("JSON")).expect("a ring");
        assert_eq!(read.status(), ring.status());
        assert_eq!(read.jwks(), ring.jwks());
    }
}
