//! Secrets in files: readable by their owner only, made once, never half-written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::SecretText;
use crate::draft::Draft;

/// A secret file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} the secret file {}: {source}", path.display())]
pub struct SecretFileError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The secret in a file that must exist.
///
/// # Errors
///
/// [`SecretFileError`] if it cannot be read as text.
pub fn read_secret_file(path: &Path) -> Result<SecretText, SecretFileError> {
    fs::read_to_string(path).map(SecretText::from).map_err(error("read", path))
}

/// The secret in a file, made from 32 random bytes and with mode 0600 if there is none.
///
/// Two processes that start at once end with the same secret: the file appears complete, under a name
/// that only one of them can take.
///
/// # Errors
///
/// [`SecretFileError`] if it can neither be read nor made.
pub fn read_or_create(path: &Path) -> Result<SecretText, SecretFileError> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok(text.into()),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(error("read", path)(source)),
    }
    match create(path) {
        Ok(()) => {}
        Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(error("create", path)(source)),
    }
    read_secret_file(path)
}

fn create(path: &Path) -> io::Result<()> {
    let secret = Zeroizing::new(Base64UrlUnpadded::encode_string(&rand::random::<[u8; 32]>()));
    let (draft, mut file) = Draft::beside(path)?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    draft.publish(path)
}

fn error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SecretFileError {
    let path = path.to_owned();
    move |source| SecretFileError { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("doorlist.master-secret");
        let first = read_or_create(&path).expect("made");
        assert_eq!(first, read_or_create(&path).expect("read"));
        assert_eq!(first.expose().trim().len(), 43);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("it exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names = fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(names, 1, "no draft is left behind");
    }

    #[test]
    fn many_starts_at_once_agree() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("doorlist.admin-key");
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || read_or_create(&path).expect("a secret"))
            })
            .collect();
        let secrets: Vec<_> = starts.into_iter().map(|start| start.join().expect("no panic")).collect();
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = read_or_create(Path::new("/nowhere/at-all/secret")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at-all/secret"), "{error}");
    }
}
