//! The identifier of a key (RFC 7638), and base64url of 32 bytes.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::ser::Serializer;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest, Sha256};

/// A key's identifier: its RFC 7638 thumbprint with SHA-256, written as 43 characters of base64url.
///
/// ```
/// use doorlist_verifier::KeyId;
/// use doorlist_verifier::keys::MalformedKeyId;
///
/// let kid: KeyId = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse()?;
/// assert_eq!(kid.to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), MalformedKeyId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) [u8; 32]);

/// The text is not 32 bytes in canonical base64url without padding.
///
/// ```
/// use doorlist_verifier::KeyId;
/// use doorlist_verifier::keys::MalformedKeyId;
///
/// assert_eq!("key-1".parse::<KeyId>(), Err(MalformedKeyId));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 7638 thumbprint")]
pub struct MalformedKeyId;

impl KeyId {
    pub(crate) fn of(key: &[u8; 32]) -> Self {
        // RFC 7638 §3.1: the hashed JSON has only the required members, in lexical order, without white space.
        let mut hash = Sha256::new();
        hash.update(br#"{"crv":"Ed25519","kty":"OKP","x":""#);
        hash.update(base64url_32(key, &mut [0; 43]).as_bytes());
        hash.update(br#""}"#);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(base64url_32(&self.0, &mut [0; 43]))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = MalformedKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decode_32(text).map(Self).ok_or(MalformedKeyId)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

pub(crate) fn base64url_32<'a>(bytes: &[u8; 32], text: &'a mut [u8; 43]) -> &'a str {
    // The encoding cannot fail, because 32 bytes always give 43 characters. If the encoding failed, the result would be
    // the empty text, which matches no key.
    Base64UrlUnpadded::encode(bytes, text).unwrap_or_default()
}

/// `base64ct` accepts only the canonical form: no spare bits set, no padding, no character outside the alphabet.
pub(crate) fn decode_32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let decoded = Base64UrlUnpadded::decode(text, &mut bytes).ok()?;
    if decoded.len() != 32 {
        return None;
    }
    Some(bytes)
}
