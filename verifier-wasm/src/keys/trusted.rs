//! Which keys are trusted, and which never again.

use std::fmt::Write as _;

use super::{Jwks, KeyId, MAX_KEYS, PublicKey};
use crate::error::{Error, KeyFlaw};
use crate::json;
use crate::signature::{Ed25519, Signature, Tables};

/// How many dropped keys are remembered: at one rotation a day, almost three years.
const MAX_DROPPED: usize = 1024;

/// The keys that are trusted now, and the names of those that a list took away.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    trusted: Vec<PublicKey>,
    /// The longest known first.
    dropped: Vec<KeyId>,
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

    /// Why nothing that this key signed is verified.
    pub(crate) const fn unknown(&self, kid: KeyId) -> Error {
        Error::UnknownKey { kid, trusted: self.trusted.len() }
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
            .filter(|key| self.find(key.kid).is_none() && !self.has_dropped(key.kid))
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

    /// This set as JSON: a JWK Set with a further member `dropped`. By hand, for serde's way to write JSON is 4 KB of
    /// WebAssembly; in all that is written here there is nothing to escape.
    pub(crate) fn saved(&self) -> String {
        let mut text = String::from(r#"{"keys":["#);
        let mut comma = "";
        // Writing to a string does not fail.
        for PublicKey { kid, key } in &self.trusted {
            let x = KeyId(key.to_bytes());
            let jwk = format_args!(r#"{comma}{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}"}}"#);
            let _ = text.write_fmt(jwk);
            comma = ",";
        }
        text.push_str(r#"],"dropped":["#);
        comma = "";
        for kid in &self.dropped {
            let _ = write!(text, r#"{comma}"{kid}""#);
            comma = ",";
        }
        text.push_str("]}");
        text
    }

    /// Distrusts what another set had dropped, and trusts its other keys too, by what it was [`Self::saved`] as.
    ///
    /// # Errors
    /// [`Error::Jwks`] when the text is not that, and nothing changed; or when the keys are too many together.
    pub(crate) fn restore(&mut self, saved: &str) -> Result<(), Error> {
        let refuse = |reason| Error::Jwks { reason };
        let jwks = Jwks::parse(saved)?;
        let members = json::parse_object(saved.as_bytes()).map_err(|_| refuse(KeyFlaw::Form))?;
        let names = members.find("dropped").and_then(json::Value::items).ok_or(refuse(KeyFlaw::Form))?;
        let dropped: Option<Vec<KeyId>> = names.map(|kid| kid.text()?.parse().ok()).collect();
        for kid in dropped.ok_or(refuse(KeyFlaw::KeyId))? {
            self.forbid(kid);
        }
        self.tables.retain(&self.trusted);
        self.add(&jwks).map(drop).map_err(refuse)
    }

    /// Trusts this key no more, and lets no key set bring it back.
    fn forbid(&mut self, kid: KeyId) {
        self.trusted.retain(|key| key.kid != kid);
        if self.has_dropped(kid) {
            return;
        }
        if self.dropped.len() >= MAX_DROPPED {
            self.dropped.remove(0);
        }
        self.dropped.push(kid);
    }

    // Inlined it would be there three times, for what is asked when keys change.
    #[inline(never)]
    fn has_dropped(&self, kid: KeyId) -> bool {
        self.dropped.contains(&kid)
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

        let mut configured = KeySet::default();
        configured.add(&set([1, 2, 4])).unwrap();
        configured.restore(&saved.saved()).unwrap();
        assert_eq!(configured.trusted(), set([1, 4, 3]).keys);
        assert_eq!(configured.dropped, [key(2).kid()]);
    }
}
