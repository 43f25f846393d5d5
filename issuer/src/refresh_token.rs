//! Refresh tokens. Each is an [authenticated text](Authentic) with this content:
//!
//! ```text
//! +-----+------------+----------+
//! | sid | generation | subject  |
//! | 8   | 8          | 1 to 255 |
//! +-----+------------+----------+
//! ```
//!
//! Numbers are big-endian.

use doorlist_verifier::Handle;

use crate::authentic::Authentic;
use crate::desk::RefreshClaims;
use crate::domain::Subject;
use crate::secret::MasterSecrets;

const NUMBERS_LEN: usize = 8 + 8;

/// A text is not a refresh token of this issuer. The reason is not revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this issuer")]
pub struct NotAuthentic;

/// Makes refresh tokens under the current master secret. Reads refresh tokens made under any accepted master secret.
#[derive(Debug, Clone)]
pub struct RefreshTokens(Authentic);

impl RefreshTokens {
    /// Makes and reads the refresh tokens of `issuer` (the `iss` claim of the access tokens).
    pub fn new(secrets: &MasterSecrets, issuer: &str) -> Self {
        Self(Authentic::new(secrets, "refresh", issuer))
    }

    /// The text of a refresh token that the client gets.
    pub fn encode(&self, token: &RefreshClaims) -> String {
        let subject = token.sub.as_str().as_bytes();
        self.0.write(&[&token.sid.get().to_be_bytes(), &token.generation.to_be_bytes(), subject].concat())
    }

    /// Reads a text that [`Self::encode`] wrote, and no other.
    ///
    /// # Errors
    ///
    /// [`NotAuthentic`] for any other text.
    pub fn decode(&self, text: &str) -> Result<RefreshClaims, NotAuthentic> {
        let content = self.0.read(text, NUMBERS_LEN + Subject::MAX_LEN).ok_or(NotAuthentic)?;
        let ([sid, generation], subject) = numbers(&content).ok_or(NotAuthentic)?;
        Ok(RefreshClaims { sid: Handle::new(sid).ok_or(NotAuthentic)?, generation, sub: subject })
    }
}

/// Splits a content into its numbers and its subject.
pub(crate) fn numbers<const N: usize>(content: &[u8]) -> Option<([u64; N], Subject)> {
    let (numbers, subject) = content.split_at_checked(N * 8)?;
    let (numbers, _) = numbers.as_chunks::<8>();
    let numbers: [[u8; 8]; N] = numbers.try_into().ok()?;
    Some((numbers.map(u64::from_be_bytes), std::str::from_utf8(subject).ok()?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
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
