//! Files that appear either complete or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A file that is being written under a temporary name. When this value is dropped, the temporary name is deleted.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Creates an empty file beside `path`. Only the owner of the file can read the file.
    ///
    /// # Errors
    ///
    /// Any error of the file system, for example if the folder does not exist.
    pub fn beside(path: &Path) -> io::Result<(Self, File)> {
        let draft = PathBuf::from(format!("{}.{:016x}", path.display(), rand::random::<u64>()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&draft)?;
        Ok((Self { path: draft }, file))
    }

    /// Makes the written and synced content visible as `path`. If several callers publish as the same
    /// `path`, only one succeeds.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if a file with this name exists. That file is not changed.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        // The file gets its name by a hard link and not by a rename, because a hard link fails if a file already has
        // this name.
        fs::hard_link(&self.path, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Ignore an error: a file that remains is useless, but harmless.
        let _ = fs::remove_file(&self.path);
    }
}
