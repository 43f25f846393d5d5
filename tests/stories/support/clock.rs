//! A clock that tests can set to any time, with libfaketime.

use std::path::PathBuf;

use tempfile::TempDir;

/// A clock with an adjustable offset from the host's clock. A process uses this clock if the process is started with
/// the clock's environment variables. The process still uses the host's monotonic clock.
pub struct SteppedClock {
    folder: TempDir,
}

impl SteppedClock {
    pub fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().expect("a folder") };
        clock.step(0);
        clock
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// Sets the clock this many seconds ahead of the host's clock.
    pub fn step(&self, seconds: i64) {
        // The file is replaced atomically, because the process reads the file all the time.
        let next = self.folder.path().join("next");
        std::fs::write(&next, format!("{seconds:+}\n")).expect("a file");
        std::fs::rename(next, self.file()).expect("the file is renamed");
    }

    pub fn environment(&self) -> Vec<(String, String)> {
        let file = self.file().display().to_string();
        [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("a folder of libraries").flatten();
    let mut places = folders.map(|folder| folder.path()).chain([PathBuf::from("/usr/lib")]);
    let library =
        |folder: PathBuf| Some(folder.join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    places.find_map(library).expect("libfaketime, which `make test` installs")
}
