//! Public keys: their JWK form (RFC 8037), their identifiers (RFC 7638), and the set of trusted keys.

use std::fmt;

use ed25519_dalek::VerifyingKey;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::error::{Error, KeyFlaw};
use crate::json::{self, BadMember, Members};
use crate::key_id::{base64url_32, decode_32};

mod trusted;

pub use crate::key_id::{KeyId, MalformedKeyId};
pub use trusted::KeySet;

/// The maximum number of keys in a set. It is also the maximum number of keys that are trusted at the same time.
pub const MAX_KEYS: usize = 16;

/// The maximum number of items in the array `keys` of a set, including keys for other algorithms.
const MAX_JWKS_MEMBERS: usize = 64;

/// The longest key set that is accepted, in bytes.
pub const MAX_JWKS_LEN: usize = 64 * 1024;

/// An Ed25519 public key that may be trusted. It is serialised as a JWK.
///
/// ```
/// use doorlist_verifier::PublicKey;
/// use doorlist_verifier::error::KeyFlaw;
///
/// // The key of RFC 8037, appendix A.
/// let bytes = [
///     0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
///     0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
/// ];
/// let key = PublicKey::from_bytes(&bytes)?;
/// assert_eq!(key.kid().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// assert_eq!(key.as_bytes(), &bytes);
/// # Ok::<(), KeyFlaw>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    kid: KeyId,
    key: VerifyingKey,
}

impl PublicKey {
    /// Creates a key from its 32 bytes.
    ///
    /// # Errors
    /// [`KeyFlaw::Point`] if the bytes are not a point of the curve. [`KeyFlaw::SmallOrder`] if the order of the point
    /// is small, because signatures for such a key can be forged.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyFlaw> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyFlaw::Point)?;
        if key.is_weak() {
            return Err(KeyFlaw::SmallOrder);
        }
        Ok(Self { kid: KeyId::of(bytes), key })
    }

    /// The key's RFC 7638 thumbprint.
    pub const fn kid(&self) -> KeyId {
        self.kid
    }

    /// The 32 bytes of the point.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    pub(crate) const fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Parses a JWK. Returns `None` for a key of another algorithm or use. RFC 7517 §5 says to ignore such keys.
    fn from_jwk(jwk: &Members<'_>) -> Result<Option<Self>, KeyFlaw> {
        if jwk.find("d").is_some() {
            return Err(KeyFlaw::Private);
        }
        let is = |name, wanted: &[&str]| jwk.text(name).is_ok_and(|value| wanted.contains(&&*value));
        let may_be = |name, wanted: &[&str]| jwk.find(name).is_none() || is(name, wanted);
        let ours = is("kty", &["OKP"])
            && is("crv", &["Ed25519"])
            && may_be("alg", &["EdDSA", "Ed25519"])
            && may_be("use", &["sig"]);
        if !ours {
            return Ok(None);
        }
        let point = jwk.text("x").ok().and_then(|x| decode_32(&x)).ok_or(KeyFlaw::Point)?;
        let key = Self::from_bytes(&point)?;
        if jwk.parsed("kid") != Ok(key.kid) {
            return Err(KeyFlaw::KeyId);
        }
        Ok(Some(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.kid).finish()
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut jwk = serializer.serialize_struct("Jwk", 6)?;
        jwk.serialize_field("kty", "OKP")?;
        jwk.serialize_field("crv", "Ed25519")?;
        jwk.serialize_field("x", base64url_32(self.as_bytes(), &mut [0; 43]))?;
        jwk.serialize_field("kid", &self.kid)?;
        jwk.serialize_field("alg", "EdDSA")?;
        jwk.serialize_field("use", "sig")?;
        jwk.end()
    }
}

/// A JWK Set (RFC 7517 §5), reduced to its Ed25519 signature keys.
///
/// ```
/// use doorlist_verifier::Jwks;
///
/// let jwks = Jwks::parse(
///     r#"{"keys": [{
///         "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
///         "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
///     }, {
///         "kty": "RSA", "n": "AQAB", "e": "AQAB"
///     }]}"#,
/// )?;
/// assert_eq!(jwks.keys.len(), 1, "the RSA key is ignored");
/// # Ok::<(), doorlist_verifier::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Jwks {
    /// The keys, without duplicates.
    pub keys: Vec<PublicKey>,
}

impl Jwks {
    /// Parses a key set. Keys of other algorithms and uses are ignored.
    ///
    /// # Errors
    /// [`Error::Jwks`] if the text is not a key set, is too long, or has too many keys. The same error if the text
    /// contains a private key, or an Ed25519 key that must not be trusted.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_JWKS_LEN {
            return Err(Error::Jwks { reason: KeyFlaw::TooMany });
        }
        json::parse_object(text.as_bytes())
            .map_err(|_| KeyFlaw::Form)
            .and_then(|set| Self::from_members(&set))
            .map_err(|reason| Error::Jwks { reason })
    }

    pub(crate) fn read(members: &Members<'_>, name: &'static str) -> Result<Self, BadMember> {
        let set = members.value(name)?.members().ok_or(BadMember::invalid(name))?;
        Self::from_members(&set).map_err(|_| BadMember::invalid(name))
    }

    fn from_members(set: &Members<'_>) -> Result<Self, KeyFlaw> {
        let members = set.find("keys").and_then(json::Value::items).ok_or(KeyFlaw::Form)?;
        let mut jwks = Self::default();
        for (number, member) in members.enumerate() {
            if number >= MAX_JWKS_MEMBERS {
                return Err(KeyFlaw::TooMany);
            }
            let jwk = member.members().ok_or(KeyFlaw::Form)?;
            if let Some(key) = PublicKey::from_jwk(&jwk)?
                && !jwks.keys.contains(&key)
            {
                jwks.keys.push(key);
            }
        }
        if jwks.keys.len() > MAX_KEYS {
            return Err(KeyFlaw::TooMany);
        }
        Ok(jwks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_key_id_is_accepted() {
        // RFC 8037 appendix A.3.
        let text = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        let kid: KeyId = text.parse().unwrap();
        assert_eq!(kid.to_string(), text);
        for other in ["", "A", &format!("{text}="), &format!("{text}A"), &text[1..]] {
            assert_eq!(other.parse::<KeyId>(), Err(MalformedKeyId), "{other}");
        }
    }

    #[test]
    fn the_size_of_a_key_set_is_limited() {
        let members = |count: usize| format!("{{\"keys\":[{}]}}", vec!["{}"; count].join(","));
        assert!(Jwks::parse(&members(MAX_JWKS_MEMBERS)).is_ok());
        assert_eq!(
            Jwks::parse(&members(MAX_JWKS_MEMBERS + 1)),
            Err(Error::Jwks { reason: KeyFlaw::TooMany })
        );
        let padded = |length: usize| members(0) + &" ".repeat(length - members(0).len());
        assert!(Jwks::parse(&padded(MAX_JWKS_LEN)).is_ok());
        assert_eq!(Jwks::parse(&padded(MAX_JWKS_LEN + 1)), Err(Error::Jwks { reason: KeyFlaw::TooMany }));
    }
}
