//! The trusted keys, and the dropped keys, which no key set can make trusted again.

use std::fmt::Write as _;

use super::{Jwks, KeyId, MAX_KEYS, PublicKey};
use crate::error::{Error, KeyFlaw};
use crate::json;
use crate::signature::{Ed25519, Signature, Tables};

/// The maximum number of dropped keys that a verifier remembers. With one rotation per day, this is enough for almost
/// three years.
const MAX_DROPPED: usize = 1024;

/// The keys that are trusted at present, and the identifiers of the keys that a list removed.
///
/// ```
/// use doorlist_verifier::error::KeyFlaw;
/// use doorlist_verifier::keys::KeySet;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (configured, listed) = (jwks(&[1]), jwks(&[2]));
/// // `configured` and `listed` are key sets of one key each.
/// let mut keys = KeySet::default();
/// assert_eq!(keys.add(&configured)?, 1);
/// assert!(keys.find(configured.keys[0].kid()).is_some());
///
/// // The issuer replaced its key. The configured key set cannot make the old key trusted again.
/// keys.replace(&listed);
/// assert_eq!(keys.add(&configured)?, 0);
/// assert_eq!(keys.trusted(), listed.keys);
/// # Ok::<(), KeyFlaw>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    trusted: Vec<PublicKey>,
    /// The dropped keys, oldest first.
    dropped: Vec<KeyId>,
    tables: Tables,
}

/// The trusted key that [`KeySet::in_use`] returns. It verifies signatures.
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
    /// The trusted key with this identifier.
    pub fn find(&self, kid: KeyId) -> Option<&PublicKey> {
        self.trusted.iter().find(|key| key.kid == kid)
    }

    /// Returns the trusted key with this identifier, for verification. After many verifications with one key,
    /// verification with this key becomes faster.
    pub(crate) fn in_use(&mut self, kid: KeyId) -> Option<KeyInUse<'_>> {
        let key = self.trusted.iter().find(|key| key.kid == kid)?;
        Some(KeyInUse { key, tables: &mut self.tables })
    }

    /// The error for a text that was signed with an untrusted key.
    pub(crate) const fn unknown(&self, kid: KeyId) -> Error {
        Error::UnknownKey { kid, trusted: self.trusted.len() }
    }

    /// The trusted keys.
    pub fn trusted(&self) -> &[PublicKey] {
        &self.trusted
    }

    /// Adds these keys to the trusted keys, except keys that a list dropped. Returns the number of new keys.
    ///
    /// # Errors
    /// [`KeyFlaw::TooMany`] if there would be too many trusted keys. In this case, no key is added.
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

    /// Trusts exactly these keys, because a list contains them. All other keys that were trusted are dropped.
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

    /// Returns this set as JSON: a JWK Set with an additional member `dropped`. This code is written without serde,
    /// because serde's JSON writer costs 4 KB of WebAssembly. Nothing in this JSON needs escaping.
    pub(crate) fn saved(&self) -> String {
        let mut text = String::from(r#"{"keys":["#);
        let mut comma = "";
        // Writing to a string cannot fail.
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

    /// Restores the keys from a text that [`Self::saved`] wrote. The verifier no longer trusts the dropped keys of the
    /// text. The trusted keys of the text are added with [`Self::add`].
    ///
    /// # Errors
    /// [`Error::Jwks`] if the text does not have the form that [`Self::saved`] writes. In this case, nothing changes.
    /// The same error if there would be too many trusted keys. In this case, the dropped keys of the text are
    /// distrusted, but no key is added.
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

    /// Stops trusting this key, and prevents any key set from adding it again.
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

    // This function is not inlined. Otherwise the module would contain this code three times, for a check that runs
    // only when keys change.
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
    fn the_number_of_trusted_keys_is_limited() {
        let mut keys = KeySet::default();
        assert_eq!(keys.add(&set(0..10)), Ok(10));
        assert_eq!(keys.add(&set(5..16)), Ok(6));
        assert_eq!(keys.add(&set(15..17)), Err(KeyFlaw::TooMany));
        assert_eq!(keys.trusted().len(), MAX_KEYS);
    }

    #[test]
    fn the_number_of_dropped_keys_is_limited_too() {
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
    fn saved_keys_are_restored_over_configured_ones() {
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
