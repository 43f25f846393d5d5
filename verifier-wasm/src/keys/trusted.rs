//! Which keys are trusted, and which never again.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Jwks, KeyId, MAX_KEYS, PublicKey};
use crate::error::{Error, KeyFlaw};
use crate::json;
use crate::signature::{Ed25519, Signature, Tables};

/// How many dropped keys are remembered: at one rotation a day, almost three years.
const MAX_DROPPED: usize = 1024;

/// The keys that are trusted now, and the names of those that a list took away.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeySet {
    #[serde(rename = "keys")]
    trusted: Vec<PublicKey>,
    dropped: VecDeque<KeyId>,
    #[serde(skip)]
    tables: Tables,
}

/// See [`KeySet::in_use`].
pub(crate) struct KeyInUse<'a> {
    key: &'a PublicKey,
    tables: &'a mut Tables,
}

impl KeyInUse<'_> {
    /// Whether the key made this signature.
    pub(crate) fn verify(&mut self, algorithm: Ed25519, message: &[u8], signature: &Signature) -> bool {
        self.tables.verify(self.key, algorithm, message, signature)
    }
}

impl KeySet {
    /// The trusted key of this name.
    pub fn find(&self, kid: KeyId) -> Option<&PublicKey> {
        self.trusted.iter().find(|key| key.kid == kid)
    }

    /// The trusted key of this name, to verify with: a key that is used gets faster.
    pub(crate) fn in_use(&mut self, kid: KeyId) -> Option<KeyInUse<'_>> {
        let key = self.trusted.iter().find(|key| key.kid == kid)?;
        Some(KeyInUse { key, tables: &mut self.tables })
    }

    /// The trusted keys.
    pub fn trusted(&self) -> &[PublicKey] {
        &self.trusted
    }

    /// Trusts these keys too, but for those that a list dropped. Returns how many are new.
    ///
    /// # Errors
    /// [`KeyFlaw::TooMany`], and nothing changed.
    pub fn add(&mut self, jwks: &Jwks) -> Result<usize, KeyFlaw> {
        let new: Vec<PublicKey> = jwks
            .keys
            .iter()
            .filter(|key| self.find(key.kid).is_none() && !self.dropped.contains(&key.kid))
            .copied()
            .collect();
        if self.trusted.len().saturating_add(new.len()) > MAX_KEYS {
            return Err(KeyFlaw::TooMany);
        }
        self.trusted.extend_from_slice(&new);
        Ok(new.len())
    }

    /// Trusts exactly these keys from now on, as a list says; others that were trusted are dropped.
    pub fn replace(&mut self, jwks: &Jwks) {
        let old = std::mem::replace(&mut self.trusted, jwks.keys.clone());
        self.dropped.retain(|kid| !jwks.keys.iter().any(|key| key.kid == *kid));
        for key in old {
            if self.find(key.kid).is_none() {
                self.forbid(key.kid);
            }
        }
        self.tables.retain(&self.trusted);
    }

    /// This set and what another one was saved as, by serialising it: a JWK Set with a further member `dropped`.
    ///
    /// # Errors
    /// [`Error::Jwks`] when the text is not that.
    pub(crate) fn restored(&self, saved: &str) -> Result<Self, Error> {
        let mut set = self.clone();
        let jwks = Jwks::parse(saved)?;
        let refuse = |reason| Error::Jwks { reason };
        let members = json::parse_object(saved.as_bytes()).map_err(|_| refuse(KeyFlaw::Form))?;
        let dropped = members.find("dropped").and_then(json::Value::items).ok_or(refuse(KeyFlaw::Form))?;
        for kid in dropped {
            let kid = kid.text().and_then(|kid| kid.parse().ok()).ok_or(refuse(KeyFlaw::KeyId))?;
            set.trusted.retain(|key| key.kid != kid);
            set.forbid(kid);
        }
        set.add(&jwks).map_err(refuse)?;
        set.tables.retain(&set.trusted);
        Ok(set)
    }

    /// Lets no key set bring this key back.
    fn forbid(&mut self, kid: KeyId) {
        if self.dropped.contains(&kid) {
            return;
        }
        if self.dropped.len() >= MAX_DROPPED {
            self.dropped.pop_front();
        }
        self.dropped.push_back(kid);
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    fn key(number: u16) -> PublicKey {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        PublicKey::from_bytes(SigningKey::from_bytes(&seed).verifying_key().as_bytes()).unwrap()
    }

    fn set(numbers: impl IntoIterator<Item = u16>) -> Jwks {
        Jwks { keys: numbers.into_iter().map(key).collect() }
    }

    #[test]
    fn a_set_is_bounded() {
        let mut keys = KeySet::default();
        assert_eq!(keys.add(&set(0..10)), Ok(10));
        assert_eq!(keys.add(&set(5..16)), Ok(6));
        assert_eq!(keys.add(&set(15..17)), Err(KeyFlaw::TooMany));
        assert_eq!(keys.trusted().len(), MAX_KEYS);
    }

    #[test]
    fn the_dropped_are_bounded_too() {
        let mut keys = KeySet::default();
        for number in 0..1030 {
            keys.replace(&set([number]));
        }
        assert_eq!(keys.dropped.len(), MAX_DROPPED);
        assert_eq!(keys.add(&set([6])), Ok(0), "still remembered");
        assert_eq!(keys.add(&set([4])), Ok(1), "forgotten");
    }

    #[test]
    fn a_key_dropped_twice_is_remembered_once() {
        let mut keys = KeySet::default();
        for numbers in [[1, 2], [1, 3], [1, 2], [1, 3]] {
            keys.replace(&set(numbers));
        }
        assert_eq!(keys.dropped, [key(2).kid()]);
    }

    #[test]
    fn what_was_saved_is_restored_over_what_is_configured() {
        let mut saved = KeySet::default();
        saved.replace(&set([1, 2]));
        saved.replace(&set([1, 3]));
        let saved = serde_json::to_string(&saved).unwrap();

        let mut configured = KeySet::default();
        configured.add(&set([1, 2, 4])).unwrap();
        let restored = configured.restored(&saved).unwrap();
        assert_eq!(restored.trusted(), set([1, 4, 3]).keys);
        assert_eq!(restored.dropped, [key(2).kid()]);
    }
}
