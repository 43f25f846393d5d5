//! Values that must never be shown: master secrets and admin keys.
//!
//! A master secret is never used as a key directly. Keys are derived from the master secret by HKDF-SHA-256 (RFC 5869).
//! Each purpose has its own label, so that a key for one purpose reveals nothing about a key for another purpose.

mod admin_keys;
mod file;

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use admin_keys::{AdminKeys, CurrentAdminKeys, Holder, KeyChanges, Scope, UnfitKeys};
pub use file::{SecretFileError, read_or_create, read_secret_file};

/// Secrets with fewer characters are refused. A secret of this length can hold 128 bits.
pub const MIN_SECRET_LEN: usize = 22;

/// Text that is wiped from memory when dropped and is shown as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Returns the text itself. The caller must not show the text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text cannot be used as a master secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitSecret {
    /// The text is so short that an attacker could guess it.
    #[error(
        "holds a secret of {len} characters; use at least {MIN_SECRET_LEN}, for example from `openssl rand -base64 32`"
    )]
    Short {
        /// The number of characters of the text.
        len: usize,
    },
}

fn checked(text: &str) -> Result<SecretText, UnfitSecret> {
    if text.len() < MIN_SECRET_LEN {
        return Err(UnfitSecret::Short { len: text.len() });
    }
    Ok(text.to_owned().into())
}

/// Splits a text into secrets: one per line, or separated by commas. Empty lines, and white space around a secret,
/// are ignored.
fn several(text: &str) -> impl Iterator<Item = Result<SecretText, UnfitSecret>> {
    text.split(['\n', ',']).map(str::trim).filter(|secret| !secret.is_empty()).map(checked)
}

/// The master secrets. They authenticate refresh tokens and encrypt private keys.
///
/// The first secret is for new tokens and for encryption. The previous secrets only verify and decrypt. After a change,
/// keep the previous secret for one absolute session lifetime, then remove it.
#[derive(Clone, Debug)]
pub struct MasterSecrets {
    current: MasterSecret,
    previous: Vec<MasterSecret>,
}

impl MasterSecrets {
    /// Parses secrets that are separated by newlines or commas, the current secret first.
    ///
    /// # Errors
    ///
    /// [`UnfitSecret::Short`] if one of the secrets is too short, or if there is no secret.
    pub fn parse(text: &str) -> Result<Self, UnfitSecret> {
        let mut secrets = several(text).map(|secret| secret.map(MasterSecret));
        let current = secrets.next().unwrap_or(Err(UnfitSecret::Short { len: 0 }))?;
        Ok(Self { current, previous: secrets.collect::<Result<_, _>>()? })
    }

    /// The secret for new tokens and for encryption.
    pub fn current(&self) -> &MasterSecret {
        &self.current
    }

    /// Every secret that is still accepted, the current secret first.
    pub fn all(&self) -> impl Iterator<Item = &MasterSecret> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// One master secret.
#[derive(Clone, Debug)]
pub struct MasterSecret(SecretText);

impl MasterSecret {
    /// Derives a key for one purpose and one context. The input contains the length of every part before the part
    /// itself, so that two different lists of parts never give the same input.
    pub fn derive<const LEN: usize>(&self, purpose: &str, context: &[&[u8]]) -> Zeroizing<[u8; LEN]> {
        const { assert!(LEN <= 32, "one block of HKDF-SHA-256") };
        let mut info = Vec::from(b"doorlist/v1/".as_slice());
        for part in std::iter::once(purpose.as_bytes()).chain(context.iter().copied()) {
            info.extend_from_slice(&(part.len() as u64).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut key = Zeroizing::new([0; LEN]);
        Hkdf::<Sha256>::new(None, self.0.expose().as_bytes())
            .expand(&info, key.as_mut_slice())
            .expect("HKDF-SHA-256 gives up to 8160 bytes");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "an-old-secret-of-some-length";
    const B: &str = "the-new-secret-of-some-length";

    #[test]
    fn the_first_secret_is_the_current_one() {
        for text in [format!("{B}\n{A}\n"), format!("{B},{A}"), format!("  {B} , \n{A}")] {
            let secrets = MasterSecrets::parse(&text).expect("two secrets");
            let shown: Vec<_> = secrets.all().map(|secret| secret.0.expose()).collect();
            assert_eq!(shown, [B, A]);
        }
    }

    #[test]
    fn short_secrets_are_refused() {
        assert_eq!(MasterSecrets::parse("").unwrap_err(), UnfitSecret::Short { len: 0 });
        assert_eq!(MasterSecrets::parse(&format!("{A}\nshort")).unwrap_err(), UnfitSecret::Short { len: 5 });
    }

    #[test]
    fn the_debug_text_shows_no_secret() {
        let secrets = MasterSecrets::parse(A).expect("a secret");
        let key = AdminKeys::parse(B).expect("a key");
        let shown = format!("{secrets:?} {key:?}");
        assert!(!shown.contains(A) && !shown.contains(B), "{shown}");
    }

    #[test]
    fn each_purpose_and_context_has_its_own_key() {
        let secrets = MasterSecrets::parse(A).expect("a secret");
        let derive = |purpose, context: &[&[u8]]| *secrets.current().derive::<32>(purpose, context);
        assert_eq!(derive("refresh", &[b"a", b"b"]), derive("refresh", &[b"a", b"b"]));
        assert_ne!(derive("refresh", &[b"a", b"b"]), derive("refresh", &[b"ab", b""]));
        assert_ne!(derive("refresh", &[b"a"]), derive("keyring", &[b"a"]));
    }
}
