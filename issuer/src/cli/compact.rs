//! `doorlist compact`

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
    #[error("{0}; stop the issuer that has it open, or let it compact the file itself at its next start")]
    Store(#[from] StoreError),
}

impl CompactCommand {
    /// Compacts the file and returns the line to print.
    pub(super) fn run(self) -> Result<String, CompactError> {
        let StoreUrl::Embedded(file) = self.store else { return Err(CompactError::Redis) };
        let Compacted { before, after } = EmbeddedStore::compact(&file)?;
        Ok(format!("{}: {before} bytes before, {after} bytes now", file.display()))
    }
}
