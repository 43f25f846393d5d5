//! Secrets in files. A file that is created here can be read only by its owner. It is created only once, and never
//! contains half a secret. A file that belongs to another user is refused, except if this user is root.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::SecretText;
use crate::atomic_file::Draft;

/// Largest length of a secret file, in bytes. A longer file is refused, and not all of it is read. Its path is probably
/// wrong, or names a device.
const MAX_LEN: u64 = 64 << 10;

/// The reason why a secret file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The operating system reported an error.
    #[error("cannot {doing} the secret file {}: {source}", path.display())]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file is too long for a secret.
    #[error("the secret file {} has more than {MAX_LEN} bytes: name another file", path.display())]
    Long {
        /// The path of the file.
        path: PathBuf,
    },
    /// Other users can write to the file, so the secret in it may come from another user.
    #[error(
        "the secret file {} has mode {mode:04o}, so other users can write their own secret into it: \
         check its content, then `chmod go-w` it", path.display()
    )]
    Writable {
        /// The path of the file.
        path: PathBuf,
        /// The file's permissions.
        mode: u32,
    },
    /// The file belongs to another user.
    #[error(
        "the secret file {} belongs to user {owner}, and this process runs as user {process}: \
         check its content, then `chown` it to {process} or root", path.display()
    )]
    Foreign {
        /// The path of the file.
        path: PathBuf,
        /// The user id of the file's owner.
        owner: u32,
        /// The user id of this process.
        process: u32,
    },
}

/// Reads the secret from a file that must exist. Warns if every user of the machine can read it.
///
/// # Errors
///
/// [`SecretFileError`] if the file cannot be read as text, belongs to another user, or can be written by others.
pub fn read_secret_file(path: &Path) -> Result<SecretText, SecretFileError> {
    match read(path) {
        Ok(found) => found,
        Err(source) => Err(error("read", path)(source)),
    }
}

/// Reads the secret from a file. If the file does not exist, creates it with 32 random bytes (as base64url) and mode
/// 0600.
///
/// Two processes that start at the same time get the same secret. The file gets its name only when it is complete, and
/// only one process can give a file this name.
///
/// # Errors
///
/// [`SecretFileError`] if the file can be neither read nor created.
pub fn read_or_create(path: &Path) -> Result<SecretText, SecretFileError> {
    match read(path) {
        Ok(found) => return found,
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

/// Reads a file after checking its owner and permissions. The check uses the open file. So the checked file is the file
/// that is read, even if another file is put at this path meanwhile. The permissions of the folder are not checked: if
/// another user puts a file there, the file belongs to that user and is refused.
fn read(path: &Path) -> io::Result<Result<SecretText, SecretFileError>> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if let Err(unsafe_to_use) = check_owner_and_mode(path, &about) {
        return Ok(Err(unsafe_to_use));
    }
    // A buffer that grows leaves copies of the secret in freed memory, so this buffer has its full length from the
    // start.
    let len = usize::try_from(about.len().min(MAX_LEN)).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(len + 64));
    file.take(MAX_LEN + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_LEN {
        return Ok(Err(SecretFileError::Long { path: path.to_owned() }));
    }
    warn_if_readable(path, &about);
    Ok(Ok(SecretText(text)))
}

#[cfg(unix)]
fn check_owner_and_mode(path: &Path, file: &Metadata) -> Result<(), SecretFileError> {
    let process = rustix::process::geteuid().as_raw();
    let (owner, mode) = (file.uid(), file.mode() & 0o7777);
    match judge(owner, mode, process) {
        Judgement::Good | Judgement::Readable => Ok(()),
        Judgement::Writable => Err(SecretFileError::Writable { path: path.to_owned(), mode }),
        Judgement::Foreign => Err(SecretFileError::Foreign { path: path.to_owned(), owner, process }),
    }
}

#[cfg(unix)]
fn warn_if_readable(path: &Path, file: &Metadata) {
    let mode = file.mode() & 0o7777;
    if judge(file.uid(), mode, file.uid()) == Judgement::Readable {
        tracing::warn!(
            file = %path.display(),
            mode = format!("{mode:04o}"),
            "every user of this machine can read this secret: chmod it to 0600, or mount it with a defaultMode of 0400"
        );
    }
}

#[cfg(not(unix))]
fn check_owner_and_mode(_: &Path, _: &Metadata) -> Result<(), SecretFileError> {
    Ok(())
}

#[cfg(not(unix))]
fn warn_if_readable(_: &Path, _: &Metadata) {}

/// Whether a secret file is safe to use, judged by its owner and its permissions.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Good,
    /// Every user of the machine can read the file.
    Readable,
    /// The file's group or every user can write to the file.
    Writable,
    /// The file's owner is neither root nor the user of this process.
    Foreign,
}

#[cfg(unix)]
fn judge(owner: u32, mode: u32, process: u32) -> Judgement {
    if owner != 0 && owner != process {
        Judgement::Foreign
    } else if mode & 0o022 != 0 {
        Judgement::Writable
    } else if mode & 0o004 != 0 {
        Judgement::Readable
    } else {
        Judgement::Good
    }
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
    move |source| SecretFileError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_created_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("doorlist.master-secret");
        let first = read_or_create(&path).expect("made");
        assert_eq!(first, read_or_create(&path).expect("read"));
        assert_eq!(first.expose().trim().len(), 43);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("the file exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names = std::fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(names, 1, "no draft is left behind");
    }

    #[test]
    fn simultaneous_starts_agree_on_one_secret() {
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

    #[cfg(unix)]
    #[test]
    fn b15_a_secret_that_others_can_write_is_not_accepted() {
        for (owner, mode, judgement) in [
            (1000, 0o600, Judgement::Good),
            (1000, 0o400, Judgement::Good),
            (0, 0o440, Judgement::Good),
            (1000, 0o644, Judgement::Readable),
            (0, 0o444, Judgement::Readable),
            (1000, 0o666, Judgement::Writable),
            (1000, 0o602, Judgement::Writable),
            (1000, 0o620, Judgement::Writable),
            (0, 0o660, Judgement::Writable),
            (1001, 0o600, Judgement::Foreign),
            (1001, 0o666, Judgement::Foreign),
        ] {
            assert_eq!(judge(owner, mode, 1000), judgement, "{owner} {mode:o}");
        }
        assert_eq!(judge(1000, 0o600, 0), Judgement::Foreign, "to root as well");
    }

    #[test]
    fn an_endless_file_is_refused() {
        let endless = read_secret_file(Path::new("/dev/zero")).unwrap_err();
        // Every user can write to this device, so it is refused before it is read.
        assert!(matches!(endless, SecretFileError::Writable { .. }), "{endless}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long");
        std::fs::write(&path, "x".repeat(64 << 10 | 1)).expect("written");
        assert!(matches!(read_secret_file(&path).unwrap_err(), SecretFileError::Long { .. }));
    }

    #[test]
    fn the_error_for_a_missing_folder_names_the_path() {
        let error = read_or_create(Path::new("/nowhere/at-all/secret")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at-all/secret"), "{error}");
    }
}
