//! Distinguishes a lost store from a first start. If the issuer took a lost store for a new store, it would start
//! without any user, session or revocation.

use std::io;
use std::path::{Path, PathBuf};

use super::secrets::{admin_key_beside, master_secret_beside};

/// The file of the store is missing or empty, although there seems to have been a store.
#[derive(Debug, thiserror::Error)]
pub enum LostStore {
    /// The file of the store is missing, but a file with its secrets exists.
    #[error(
        "the store {} is missing, but {} of an earlier store is there: put the store back (is its volume mounted?), or \
         start with a new, empty store and these secrets with --init (DOORLIST_INIT=true)", store.display(), secret.display()
    )]
    Missing {
        /// `--store`.
        store: PathBuf,
        /// The first secret file found beside the store.
        secret: PathBuf,
    },
    /// The file has 0 bytes, so the store was lost. A new store gets this file name only when it is complete.
    #[error(
        "the store {} has 0 bytes, so its data is lost: put a copy back, or start with a new, empty store in this file with \
         --init (DOORLIST_INIT=true)", .0.display()
    )]
    Empty(PathBuf),
    /// The operating system cannot say whether the file exists.
    #[error("cannot check whether the store {} exists: {source}", store.display())]
    Unseen {
        /// `--store`.
        store: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// Whether there already is a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The store exists.
    There,
    /// The store does not exist yet and may be made.
    New,
}

/// Checks whether the file of an embedded store exists, or may be made.
///
/// # Errors
///
/// [`LostStore`].
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
            check_presence(&store, true).expect("it was said");
            fs::remove_file(&secret).expect("removed");
        }
        fs::write(&store, "").expect("written");
        assert!(matches!(check_presence(&store, false), Err(LostStore::Empty(_))));
        check_presence(&store, true).expect("it was said");
        fs::write(&store, "x").expect("written");
        check_presence(&store, false).expect("whether it is a store is seen when it is opened");
    }
}
