//! Distinguishes a lost store from a first start. If the issuer created a new store in place of a lost store, all
//! users, sessions and revocations would be missing.

use std::io;
use std::path::{Path, PathBuf};

use super::secrets::{admin_key_beside, master_secret_beside};

/// A store seems to have existed, but its file is missing or empty.
#[derive(Debug, thiserror::Error)]
pub enum LostStore {
    /// The file of the store is missing, but there is a file with the store's secrets.
    #[error(
        "the store {} is missing, but {} of an earlier store is there: put the store back (is its volume mounted?), or \
         start with a new, empty store and these secrets with --init (DOORLIST_INIT=true)", store.display(), secret.display()
    )]
    Missing {
        /// The value of `--store`.
        store: PathBuf,
        /// The first secret file found beside the store.
        secret: PathBuf,
    },
    /// The file has 0 bytes, so the data of the store is lost. A new store gets this file name only when the store is
    /// complete.
    #[error(
        "the store {} has 0 bytes, so its data is lost: put a copy back, or start with a new, empty store in this file with \
         --init (DOORLIST_INIT=true)", .0.display()
    )]
    Empty(PathBuf),
    /// The operating system cannot say whether the file exists.
    #[error("cannot check whether the store {} exists: {source}", store.display())]
    Unseen {
        /// The value of `--store`.
        store: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// Whether the store already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The store exists.
    There,
    /// The store does not exist yet, and the issuer is allowed to create it.
    New,
}

/// Checks whether the file of an embedded store exists. If the file does not exist, checks whether the issuer is
/// allowed to create it.
///
/// # Errors
///
/// [`LostStore`] if a store seems to have existed, or if the operating system cannot check the file.
pub fn check_presence(store: &Path, init: bool) -> Result<Presence, LostStore> {
    let found = match std::fs::metadata(store) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(LostStore::Unseen { store: store.to_owned(), source }),
    };
    let holds_something = found.as_ref().is_some_and(|found| !found.is_file() || found.len() > 0);
    if holds_something {
        if init {
            tracing::warn!(
                store = %store.display(),
                "the store already exists, so --init (DOORLIST_INIT) has no effect: remove this setting, so that the next start notices a lost store"
            );
        }
        return Ok(Presence::There);
    }
    let mut beside = [master_secret_beside(store), admin_key_beside(store)].into_iter();
    match (found, beside.find(|secret| secret.exists())) {
        (Some(_), _) if !init => Err(LostStore::Empty(store.to_owned())),
        (None, Some(secret)) if !init => Err(LostStore::Missing { store: store.to_owned(), secret }),
        _ => Ok(Presence::New),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn b15_a_lost_store_is_not_a_first_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("doorlist.redb");
        check_presence(&store, false).expect("a first start");
        for secret in ["doorlist.redb.master-secret", "doorlist.redb.admin-key"] {
            let secret = folder.path().join(secret);
            fs::write(&secret, "x").expect("written");
            let refused = check_presence(&store, false).unwrap_err();
            assert!(
                matches!(&refused, LostStore::Missing { secret: named, .. } if *named == secret),
                "{refused}"
            );
            assert!(refused.to_string().contains("--init"), "{refused}");
            check_presence(&store, true).expect("`init` is set");
            fs::remove_file(&secret).expect("removed");
        }
        fs::write(&store, "").expect("written");
        assert!(matches!(check_presence(&store, false), Err(LostStore::Empty(_))));
        check_presence(&store, true).expect("`init` is set");
        fs::write(&store, "x").expect("written");
        check_presence(&store, false).expect("whether it is a store is seen when it is opened");
    }
}
