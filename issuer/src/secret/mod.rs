//! What must never be shown: master secrets and the admin key.
//!
//! A master secret is never used as a key itself. Every key is derived from it by HKDF-SHA-256 (RFC 5869)
//! under a label of its own, so that a key made for one purpose says nothing about another.

mod file;

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use file::{SecretFileError, read_or_create, read_secret_file};

/// Fewer characters than this are refused: a secret of this length can still hold 128 bits.
pub const MIN_SECRET_LEN: usize = 22;

/// Text that is wiped when dropped and shows as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text itself; whoever asks for it answers for where it goes.
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

/// A secret is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds a secret of {len} characters; use at least {MIN_SECRET_LEN}, for example from `openssl rand -base64 32`"
)]
pub struct WeakSecret {
    /// How many characters it has.
    pub len: usize,
}

fn checked(text: &str) -> Result<SecretText, WeakSecret> {
    let text = text.trim();
    if text.len() < MIN_SECRET_LEN {
        return Err(WeakSecret { len: text.len() });
    }
    Ok(text.to_owned().into())
}

/// What refresh tokens are authenticated and private keys sealed under.
///
/// The first secret makes new tokens and seals; the previous ones only verify and unseal. Keep a previous
/// secret for one absolute session lifetime, then remove it.
#[derive(Clone, Debug)]
pub struct MasterSecrets {
    current: MasterSecret,
    previous: Vec<MasterSecret>,
}

impl MasterSecrets {
    /// From text: secrets separated by newlines or commas, the current one first.
    ///
    /// # Errors
    ///
    /// [`WeakSecret`] if one of them, or the whole text, is too short.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let mut secrets = text
            .split(['\n', ','])
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(|secret| checked(secret).map(MasterSecret));
        let current = secrets.next().unwrap_or(Err(WeakSecret { len: 0 }))?;
        Ok(Self { current, previous: secrets.collect::<Result<_, _>>()? })
    }

    /// The secret that makes new things.
    pub fn current(&self) -> &MasterSecret {
        &self.current
    }

    /// Every secret that is still honoured, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &MasterSecret> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// One master secret.
#[derive(Clone, Debug)]
pub struct MasterSecret(SecretText);

impl MasterSecret {
    /// A key for one purpose. `context` binds it to what it is used with; parts are length-prefixed, so
    /// that no two lists of parts mean the same.
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

/// What `Authorization: Bearer` must carry at `/admin/*`.
#[derive(Clone)]
pub struct AdminKey(SecretText);

impl AdminKey {
    /// A key from its text.
    ///
    /// # Errors
    ///
    /// [`WeakSecret`] if it is too short.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        checked(text).map(Self)
    }

    /// Whether this is the key; the time taken depends only on the length of what is offered.
    pub fn matches(&self, offered: &str) -> bool {
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        digest(self.0.expose()).ct_eq(&digest(offered)).into()
    }

    /// The key itself, for a client to send.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey([redacted])")
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
        assert_eq!(MasterSecrets::parse("").unwrap_err(), WeakSecret { len: 0 });
        assert_eq!(MasterSecrets::parse(&format!("{A}\nshort")).unwrap_err(), WeakSecret { len: 5 });
        assert_eq!(AdminKey::parse("short").unwrap_err(), WeakSecret { len: 5 });
    }

    #[test]
    fn nothing_secret_is_shown() {
        let secrets = MasterSecrets::parse(A).expect("a secret");
        let key = AdminKey::parse(B).expect("a key");
        let shown = format!("{secrets:?} {key:?}");
        assert!(!shown.contains(A) && !shown.contains(B), "{shown}");
    }

    #[test]
    fn a_purpose_and_a_context_make_a_key_of_their_own() {
        let secrets = MasterSecrets::parse(A).expect("a secret");
        let derive = |purpose, context: &[&[u8]]| *secrets.current().derive::<32>(purpose, context);
        assert_eq!(derive("refresh", &[b"a", b"b"]), derive("refresh", &[b"a", b"b"]));
        assert_ne!(derive("refresh", &[b"a", b"b"]), derive("refresh", &[b"ab", b""]));
        assert_ne!(derive("refresh", &[b"a"]), derive("keyring", &[b"a"]));
    }

    #[test]
    fn the_admin_key_matches_itself_alone() {
        let key = AdminKey::parse(&format!("{A}\n")).expect("a key");
        assert!(key.matches(A));
        assert!(!key.matches(B) && !key.matches("") && !key.matches(&A[1..]));
    }
}
