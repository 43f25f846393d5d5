//! Files that appear complete, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A file that is being written under a name of its own, and is gone when dropped.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
}

impl Draft {
    /// An empty file beside `path`, readable by its owner only.
    ///
    /// # Errors
    ///
    /// Whatever the file system says, as that there is no such folder.
    pub fn beside(path: &Path) -> io::Result<(Self, File)> {
        let draft = PathBuf::from(format!("{}.{:016x}", path.display(), rand::random::<u64>()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&draft)?;
        Ok((Self { path: draft }, file))
    }

    /// Shows what was written, and synced, as `path`. Of several who try at once, one succeeds.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if there is a file of this name; it is left as it is.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        // A link, not a rename: it fails where somebody else's file already stands.
        fs::hard_link(&self.path, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Best effort: one that stays is of no use to anybody, and does no harm.
        let _ = fs::remove_file(&self.path);
    }
}
