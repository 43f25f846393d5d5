//! Texts that only this issuer can write: opaque to clients, and checked without asking the store.
//!
//! ```text
//! base64url, no padding, of
//! +---------+--------+---------+-----+
//! | version | key id | content | MAC |
//! | 1       | 4      |         | 32  |
//! +---------+--------+---------+-----+
//! ```
//!
//! The MAC is HMAC-SHA-256 of everything before it. The key of the MAC is derived from the master secret, the purpose,
//! the issuer and the key id. The purpose is included so that a text for one purpose is refused for every other
//! purpose. The issuer is included so that two installations with one secret do not accept each other's texts. A leaked
//! copy of the store is not enough to make a text.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{MasterSecret, MasterSecrets};

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEAD_LEN: usize = 1 + KEY_ID_LEN;
const MAC_LEN: usize = 32;

/// Writes texts under the current master secret. Reads texts that were written under any accepted master secret.
#[derive(Clone)]
pub struct Authentic {
    /// The key of the current secret comes first.
    keys: Vec<MacKey>,
}

#[derive(Clone)]
struct MacKey {
    id: [u8; KEY_ID_LEN],
    key: Zeroizing<[u8; 32]>,
}

impl Authentic {
    /// Texts for one purpose, for example `refresh`, of one issuer (the `iss` claim of the access tokens).
    pub fn new(secrets: &MasterSecrets, purpose: &str, issuer: &str) -> Self {
        Self { keys: secrets.all().map(|secret| MacKey::new(secret, purpose, issuer)).collect() }
    }

    /// The text with this content.
    pub fn write(&self, content: &[u8]) -> String {
        let key = &self.keys[0];
        let mut bytes = Vec::with_capacity(HEAD_LEN + content.len() + MAC_LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.id);
        bytes.extend_from_slice(content);
        let mac = key.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// The content of a text that [`Self::write`] wrote, and of no other. `None` for a content with more than `most`
    /// bytes.
    pub fn read(&self, text: &str, most: usize) -> Option<Vec<u8>> {
        if text.len() > (HEAD_LEN + most + MAC_LEN).div_ceil(3) * 4 {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let (signed, mac) = bytes.split_last_chunk::<MAC_LEN>()?;
        let (head, content) = signed.split_first_chunk::<HEAD_LEN>()?;
        let [version, key_id @ ..] = head;
        let key = self.keys.iter().find(|key| key.id == *key_id)?;
        key.mac(signed).verify(mac.into()).ok()?;
        (*version == VERSION).then(|| content.to_vec())
    }
}

impl MacKey {
    fn new(secret: &MasterSecret, purpose: &str, issuer: &str) -> Self {
        let id = *secret.derive(&format!("{purpose} key id"), &[]);
        Self { id, key: secret.derive(purpose, &[issuer.as_bytes(), &id]) }
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes any key length");
        mac.update(signed);
        mac
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentic").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
