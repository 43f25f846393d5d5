//! The passwords of the issuer's accounts. The issuer hashes passwords with Argon2id on blocking threads, and limits
//! the number of passwords that are hashed at the same time.

mod argon;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash;
use async_trait::async_trait;
use tokio::sync::Semaphore;

use argon::Argon;

use crate::desk::{PasswordCheck, PasswordVerdict};
use crate::domain::PasswordHash;
use crate::secret::SecretText;

/// Minimum number of characters in a new password (NIST SP 800-63B §3.1.1 requires 8).
pub const MIN_CHARS: usize = 8;
/// Maximum length of a password in bytes. The cost of hashing grows with the length, and no user types more.
pub const MAX_BYTES: usize = 1024;
/// Limits the number of callers. If `at_once` passwords can be hashed at the same time, there are at most `at_once`
/// times this many callers, including those whose password is being hashed. Further callers are refused.
const WAITING_PER_HASH: usize = 64;

/// A password that a user entered. It is wiped when dropped and never shown.
#[derive(Debug, Clone)]
pub struct Password(SecretText);

/// A new password is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has at least {MIN_CHARS} characters and at most {MAX_BYTES} bytes")]
pub struct UnfitPassword;

/// Why a password was neither hashed nor compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many passwords are being hashed already. Answer 503.
    #[error("too many passwords are being checked")]
    Busy,
    /// This version cannot use the stored hash.
    #[error("the stored password hash cannot be used: {0}")]
    Unusable(String),
}

impl Password {
    /// Accepts a new password.
    ///
    /// # Errors
    ///
    /// [`UnfitPassword`] if its length is out of bounds.
    pub fn to_be_set(text: SecretText) -> Result<Self, UnfitPassword> {
        let fits = text.expose().chars().count() >= MIN_CHARS && text.expose().len() <= MAX_BYTES;
        if fits { Ok(Self(text)) } else { Err(UnfitPassword) }
    }

    /// Accepts a password for a login. [`MIN_CHARS`] does not apply. `None` if the password has more than
    /// [`MAX_BYTES`] bytes.
    pub fn offered(text: SecretText) -> Option<Self> {
        (text.expose().len() <= MAX_BYTES).then_some(Self(text))
    }
}

/// Hashes passwords and compares them.
#[derive(Debug, Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
    argon: Arc<Argon>,
    /// The hash of a random password. If a user is unknown, the given password is compared with this hash, so that the
    /// answer takes as long as for a known user.
    decoy: Arc<str>,
}

impl Passwords {
    /// Hashes at most `at_once` passwords at the same time. Each hash uses one processor and 19 MiB of memory.
    pub fn new(at_once: usize) -> Self {
        let argon = Argon::default();
        let decoy = argon.hash(&rand::random::<[u8; 32]>()).expect("the parameters are constant and valid");
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::default(),
            max_waiting: at_once * WAITING_PER_HASH,
            argon: Arc::new(argon),
            decoy: decoy.into(),
        }
    }

    /// The hash to store for a password.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Busy`] if too many callers are waiting already.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        let argon = Arc::clone(&self.argon);
        let phc = self.on_a_thread(move || argon.hash(password.0.expose().as_bytes())).await?;
        phc.map(PasswordHash::new).map_err(unusable)
    }

    /// Whether the password matches `stored`. If `stored` is `None`, the result is `false`, and the call takes as long
    /// as a comparison with a hash.
    ///
    /// # Errors
    ///
    /// [`PasswordError`] if the password could not be compared.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let (argon, decoy) = (Arc::clone(&self.argon), Arc::clone(&self.decoy));
        let compared = self
            .on_a_thread(move || {
                let hash = stored.as_ref().map_or(&*decoy, PasswordHash::as_str);
                argon.matches(password.0.expose().as_bytes(), hash).map(|is_it| is_it && stored.is_some())
            })
            .await?;
        compared.map_err(unusable)
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Place::take(&self.waiting, self.max_waiting).ok_or(PasswordError::Busy)?;
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        // The permit belongs to the work, and not to the caller. So if the caller gives up, the permit is not given
        // back before the work is done.
        let work = move || {
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Busy)
    }
}

/// A password that was given at a login, to be compared with each hash that the login reads.
pub struct Offer<'a> {
    /// Compares the password.
    pub passwords: &'a Passwords,
    /// The password that the user entered.
    pub password: Password,
}

#[async_trait]
impl PasswordCheck for Offer<'_> {
    async fn check(&self, hash: Option<&PasswordHash>) -> PasswordVerdict {
        match self.passwords.verify(self.password.clone(), hash.cloned()).await {
            Ok(true) => PasswordVerdict::Right,
            Ok(false) => PasswordVerdict::Wrong,
            Err(PasswordError::Busy) => PasswordVerdict::Busy,
            Err(error @ PasswordError::Unusable(_)) => {
                tracing::error!(%error, "a login was refused");
                PasswordVerdict::Wrong
            }
        }
    }
}

/// The place of one caller. The place is given back when this value is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(Arc::clone(waiting));
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unusable(error: password_hash::Error) -> PasswordError {
    PasswordError::Unusable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(text: &str) -> Password {
        Password::offered(text.to_owned().into()).expect("short enough")
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash() {
        let passwords = Passwords::new(2);
        let stored = passwords.hash(offered("correct horse")).await.expect("hashed");
        assert!(stored.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.verify(offered("correct horse"), Some(stored.clone())).await.expect("compared"));
        assert!(!passwords.verify(offered("correct hors"), Some(stored)).await.expect("compared"));
        assert!(!passwords.verify(offered("correct horse"), None).await.expect("compared"));
    }

    #[tokio::test]
    async fn a_damaged_hash_is_an_error_not_a_refusal() {
        let outcome = Passwords::new(1)
            .verify(offered("x"), Some(PasswordHash::new("$argon2id$junk".to_owned())))
            .await;
        assert!(matches!(outcome, Err(PasswordError::Unusable(_))), "{outcome:?}");
    }

    #[test]
    fn the_length_of_a_password_is_limited() {
        let fit = |text: &str| Password::to_be_set(text.to_owned().into()).is_ok();
        assert!(fit("12345678") && fit("пароль!!") && fit(&"x".repeat(MAX_BYTES)));
        assert!(!fit("1234567") && !fit("") && !fit(&"x".repeat(MAX_BYTES + 1)));
        assert!(Password::offered("x".repeat(MAX_BYTES + 1).into()).is_none());
    }

    #[test]
    fn a_full_queue_refuses_until_a_place_is_free() {
        let waiting = Arc::default();
        let held: Vec<_> = (0..2).map(|_| Place::take(&waiting, 2).expect("room")).collect();
        assert!(Place::take(&waiting, 2).is_none());
        drop(held);
        assert!(Place::take(&waiting, 2).is_some());
    }
}
