//! Argon2id with memory that is reused for the next password.
//!
//! `argon2` allocates 19 MiB of aligned memory for each password and frees it. glibc's allocator cannot reuse aligned
//! memory after it is freed. So every login, even a failed one, would permanently make the process 16 MiB larger.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::Error;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Memory for hashing. Each hash takes one piece from `idle`, and puts the piece back afterwards. The number of pieces
/// grows to the largest number of passwords that were hashed at the same time.
#[derive(Default)]
pub(super) struct Argon {
    idle: Mutex<Vec<Vec<Block>>>,
}

impl Argon {
    /// The PHC string of a password, with a new salt.
    pub(super) fn hash(&self, password: &[u8]) -> Result<String, Error> {
        // OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
        let params = Params::new(19 * 1024, 2, 1, None)?;
        let salt = Salt::new(&rand::random::<[u8; 16]>())?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let mut hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt),
            hash: None,
        };
        let argon2 = Argon2::new(algorithm, version, params);
        hash.hash = Some(self.output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?);
        Ok(hash.to_string())
    }

    /// Whether the password matches this PHC string.
    pub(super) fn matches(&self, password: &[u8], phc: &str) -> Result<bool, Error> {
        let stored = PasswordHash::new(phc)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&stored)?);
        // `Output` compares in constant time.
        Ok(self.output(&argon2, password, salt, expected.len())? == *expected)
    }

    fn output(&self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], len: usize) -> Result<Output, Error> {
        let mut blocks = self.idle().pop().unwrap_or_default();
        let needed = argon2.params().block_count();
        if blocks.len() < needed {
            blocks.resize(needed, Block::default());
        }
        let mut out = [0; Output::MAX_LENGTH];
        let out = out.get_mut(..len).ok_or(Error::OutputSize)?;
        let outcome = argon2.hash_password_into_with_memory(password, salt, out, &mut blocks);
        self.idle().push(blocks);
        outcome?;
        Ok(Output::new(out)?)
    }

    /// Locks the memory even after a panic. A panic cannot damage the list, and the content of the blocks does not
    /// matter.
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Argon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon").field("idle", &self.idle().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn reused_memory_does_not_change_the_hashes() {
        let argon = Argon::default();
        let hashes: Vec<String> =
            (0..3).map(|n| argon.hash(format!("password {n}").as_bytes()).expect("hashed")).collect();
        for (n, hash) in hashes.iter().enumerate() {
            let password = format!("password {n}");
            assert!(argon.matches(password.as_bytes(), hash).expect("compared"));
            assert!(!argon.matches(b"another", hash).expect("compared"));
            // Here the crate `argon2` verifies the password, in newly allocated memory.
            assert_eq!(Argon2::default().verify_password(password.as_bytes(), hash.as_str()), Ok(()));
        }
        assert_eq!(argon.idle().len(), 1);
    }

    #[test]
    fn a_password_is_checked_with_the_parameters_of_its_stored_hash() {
        // The hash in this test is from test.c of the reference implementation.
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let argon = Argon::default();
        argon.hash(b"first, in less memory").expect("hashed");
        assert!(argon.matches(b"password", stored).expect("compared"));
        assert!(!argon.matches(b"passwore", stored).expect("compared"));
    }
}
