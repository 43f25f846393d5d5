//! Refresh tokens: opaque to clients, checked without asking the store.
//!
//! ```text
//! base64url, no padding, of
//! +---------+--------+-----+------------+--------------+-----+
//! | version | key id | sid | generation | subject      | MAC |
//! | 1       | 4      | 8   | 8          | 1 to 255     | 32  |
//! +---------+--------+-----+------------+--------------+-----+
//! ```
//!
//! Numbers are big-endian. The MAC is HMAC-SHA-256 of everything before it. The key of the MAC is
//! derived from the master secret, the issuer and the key id. The issuer is included so that two installations
//! with one secret do not accept each other's tokens. A leaked copy of the store is not enough to make a token.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::Handle;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::desk::RefreshClaims;
use crate::domain::Subject;
use crate::secret::{MasterSecret, MasterSecrets};

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEAD_LEN: usize = 1 + KEY_ID_LEN + 8 + 8;
const MAC_LEN: usize = 32;
/// The length in characters of the longest token, which has a subject of 255 bytes.
const MAX_LEN: usize = (HEAD_LEN + 255 + MAC_LEN).div_ceil(3) * 4;

/// A text is not a refresh token of this issuer. The reason is not revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this issuer")]
pub struct NotAuthentic;

/// Makes refresh tokens under the current master secret. Reads refresh tokens made under any accepted master secret.
#[derive(Clone)]
pub struct RefreshTokens {
    /// The key of the current secret comes first.
    keys: Vec<MacKey>,
}

#[derive(Clone)]
struct MacKey {
    id: [u8; KEY_ID_LEN],
    key: Zeroizing<[u8; 32]>,
}

impl RefreshTokens {
    /// Makes and reads the refresh tokens of `issuer` (the `iss` claim of the access tokens).
    pub fn new(secrets: &MasterSecrets, issuer: &str) -> Self {
        Self { keys: secrets.all().map(|secret| MacKey::new(secret, issuer)).collect() }
    }

    /// The text of a refresh token that the client gets.
    pub fn encode(&self, token: &RefreshClaims) -> String {
        let key = &self.keys[0];
        let mut bytes = Vec::with_capacity(HEAD_LEN + token.sub.as_str().len() + MAC_LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.id);
        bytes.extend_from_slice(&token.sid.get().to_be_bytes());
        bytes.extend_from_slice(&token.generation.to_be_bytes());
        bytes.extend_from_slice(token.sub.as_str().as_bytes());
        let mac = key.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// Reads a text that [`Self::encode`] wrote, and no other.
    ///
    /// # Errors
    ///
    /// [`NotAuthentic`] for any other text.
    pub fn decode(&self, text: &str) -> Result<RefreshClaims, NotAuthentic> {
        if text.len() > MAX_LEN {
            return Err(NotAuthentic);
        }
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| NotAuthentic)?;
        let (signed, mac) = bytes.split_last_chunk::<MAC_LEN>().ok_or(NotAuthentic)?;
        let (head, subject) = signed.split_first_chunk::<HEAD_LEN>().ok_or(NotAuthentic)?;
        let (version, key_id) = (head[0], &head[1..1 + KEY_ID_LEN]);
        let key = self.keys.iter().find(|key| key.id == key_id).ok_or(NotAuthentic)?;
        key.mac(signed).verify(mac.into()).map_err(|_| NotAuthentic)?;

        // The MAC is valid, so this issuer wrote the bytes before the MAC.
        let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|i| head[at + i]));
        if version != VERSION {
            return Err(NotAuthentic);
        }
        Ok(RefreshClaims {
            sid: Handle::new(number(1 + KEY_ID_LEN)).ok_or(NotAuthentic)?,
            generation: number(1 + KEY_ID_LEN + 8),
            sub: std::str::from_utf8(subject)
                .ok()
                .and_then(|sub| Subject::try_from(sub).ok())
                .ok_or(NotAuthentic)?,
        })
    }
}

impl MacKey {
    fn new(secret: &MasterSecret, issuer: &str) -> Self {
        let id = *secret.derive("refresh key id", &[]);
        Self { id, key: secret.derive("refresh", &[issuer.as_bytes(), &id]) }
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes any key length");
        mac.update(signed);
        mac
    }
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokens").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "an-old-secret-of-some-length";
    const NEW: &str = "the-new-secret-of-some-length";

    fn tokens(secrets: &str, issuer: &str) -> RefreshTokens {
        RefreshTokens::new(&MasterSecrets::parse(secrets).expect("secrets"), issuer)
    }

    fn token() -> RefreshClaims {
        RefreshClaims {
            sid: Handle::new(0x0123_4567_89ab_cdef).expect("a handle"),
            generation: 7,
            sub: "alice".try_into().expect("a subject"),
        }
    }

    #[test]
    fn two_installations_with_one_secret_refuse_each_other() {
        // Trace 19: two installations share one master secret.
        let staging = tokens(NEW, "https://staging.example");
        let production = tokens(NEW, "https://production.example");
        let text = staging.encode(&token());
        assert_eq!(staging.decode(&text), Ok(token()));
        assert_eq!(production.decode(&text), Err(NotAuthentic));
    }

    #[test]
    fn a_previous_secret_still_verifies_and_a_removed_one_does_not() {
        let text = tokens(OLD, "i").encode(&token());
        let both = tokens(&format!("{NEW}\n{OLD}"), "i");
        assert_eq!(both.decode(&text), Ok(token()));
        assert_eq!(tokens(NEW, "i").decode(&text), Err(NotAuthentic));
        assert_eq!(tokens(NEW, "i").decode(&both.encode(&token())), Ok(token()));
    }

    #[test]
    fn every_flipped_bit_is_detected() {
        let tokens = tokens(NEW, "i");
        let bytes = Base64UrlUnpadded::decode_vec(&tokens.encode(&token())).expect("our own");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let text = Base64UrlUnpadded::encode_string(&flipped);
            assert_eq!(tokens.decode(&text), Err(NotAuthentic), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn a_written_token_is_read(sid in 1..=u64::MAX, generation: u64, sub in "\\PC{3,60}") {
            let tokens = tokens(NEW, "https://issuer.example");
            let token = RefreshClaims {
                sid: Handle::new(sid).expect("not 0"),
                generation,
                sub: sub.as_str().try_into().expect("a subject"),
            };
            let text = tokens.encode(&token);
            prop_assert!(text.len() <= MAX_LEN);
            prop_assert_eq!(tokens.decode(&text), Ok(token));
        }

        #[test]
        fn junk_is_refused(text in "[A-Za-z0-9_=+/ \\-]{0,500}") {
            prop_assert_eq!(tokens(NEW, "i").decode(&text), Err(NotAuthentic));
        }

        #[test]
        fn only_one_spelling_of_a_token_is_accepted(at in 0usize..100, with in "[A-Za-z0-9_=+/ \\-]") {
            let tokens = tokens(NEW, "i");
            let text = tokens.encode(&token());
            let at = at % text.len();
            let other = format!("{}{with}{}", &text[..at], &text[at + 1..]);
            prop_assert_eq!(tokens.decode(&other).is_ok(), other == text);
        }
    }
}
