//! `doorlist compact`

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::StoreUrl;
use crate::store::embedded::Compacted;
use crate::store::{EmbeddedStore, StoreError};

#[derive(Debug, Args)]
pub(super) struct CompactCommand {
    /// The store: `embedded:<file>` [DOORLIST_STORE; default embedded:./doorlist.redb]
    #[arg(long, env = "DOORLIST_STORE", value_name = "STORE", default_value = "embedded:./doorlist.redb")]
    #[arg(hide_env = true, hide_default_value = true)]
    store: StoreUrl,
}

/// The reason why the file was not compacted, as one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompactError {
    #[error(
        "--store (DOORLIST_STORE) is a Redis, which needs no compacting: only an embedded store can be compacted"
    )]
    Redis,
    #[error("{}: {source}; {}", .file.display(), remedy(.source))]
    File { file: PathBuf, source: io::Error },
    #[error("{} is not the file of a store; {NAME_IT}", .0.display())]
    NoStore(PathBuf),
    #[error(
        "{0}; stop the issuer that has the file open, or let that issuer compact the file at its next start"
    )]
    Open(StoreError),
    #[error("{0}; restore a copy of the file")]
    Damaged(StoreError),
    #[error("{0}")]
    Store(StoreError),
}

const NAME_IT: &str = "name the store's file in --store (DOORLIST_STORE)";
/// The first bytes of every file that redb has written.
const MAGIC: &[u8; 4] = b"redb";

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "run this as the user that the issuer runs as",
        _ => NAME_IT,
    }
}

impl From<StoreError> for CompactError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away { .. } => Self::Open(error),
            StoreError::Corrupt { .. } => Self::Damaged(error),
            _ => Self::Store(error),
        }
    }
}

impl CompactCommand {
    /// Compacts the file and returns the line to print.
    pub(super) fn run(self) -> Result<String, CompactError> {
        let StoreUrl::Embedded(file) = self.store else { return Err(CompactError::Redis) };
        must_be_store(&file)?;
        let Compacted { before, after } = EmbeddedStore::compact(&file)?;
        Ok(format!("{}: {before} bytes before, {after} bytes now", file.display()))
    }
}

/// Checks that this user can change the file, and that the file is a store. Without this check, redb would create a new
/// store in an empty file.
fn must_be_store(file: &Path) -> Result<(), CompactError> {
    let failed = |source| CompactError::File { file: file.to_owned(), source };
    let mut start = Vec::new();
    let opened = OpenOptions::new().read(true).write(true).open(file).map_err(failed)?;
    opened.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if start == MAGIC { Ok(()) } else { Err(CompactError::NoStore(file.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_for_a_file_names_its_own_remedy() {
        let file = |kind: io::ErrorKind| CompactError::File { file: "a.redb".into(), source: kind.into() };
        let place = || "a.redb".to_owned();
        let reason = || "why".to_owned();
        for (error, wanted) in [
            (file(io::ErrorKind::PermissionDenied), "run this as the user"),
            (file(io::ErrorKind::NotFound), "--store (DOORLIST_STORE)"),
            (CompactError::NoStore("a.redb".into()), "--store (DOORLIST_STORE)"),
            (StoreError::Away { place: place(), reason: reason() }.into(), "stop the issuer"),
            (StoreError::Corrupt { place: place(), reason: reason() }.into(), "restore a copy"),
        ] {
            let said = error.to_string();
            let is_of_open = matches!(error, CompactError::Open(_));
            assert!(said.starts_with("a.redb") || said.contains(" a.redb"), "{said}");
            assert!(said.contains(wanted) && said.contains("stop the issuer") == is_of_open, "{said}");
        }
        let full = CompactError::from(StoreError::Misconfigured("a.redb: no space left".to_owned()));
        assert_eq!(full.to_string(), "the store is unavailable: a.redb: no space left");
    }
}
