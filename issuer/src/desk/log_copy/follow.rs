//! How the copy gets the new entries of the store's revocation log.

use doorlist_verifier::Seq;

use super::{LogCopy, lock};
use crate::domain::{Applied, LogPage};
use crate::store::StoreError;

impl LogCopy {
    /// Waits until the store has entries that the copy lacks.
    pub(in crate::desk) async fn wait_for_news(&self) -> Result<(), StoreError> {
        self.store.wait_for_news(self.position().seq).await
    }

    /// Reads the store's entries that are newer than the copy. If the store has lost entries, puts them back.
    pub(in crate::desk) async fn catch_up(&self) -> Result<(), StoreError> {
        let page = self.store.log_since(self.position().seq).await?;
        match self.apply(&page) {
            Applied::News | Applied::Nothing => Ok(()),
            Applied::Broken => self.restore().await,
        }
    }

    /// Adds a page to the copy.
    pub(in crate::desk) fn apply(&self, page: &LogPage) -> Applied {
        let mut log = lock(&self.log);
        let applied = log.apply(page);
        if applied == Applied::News {
            let position = log.position();
            // `log` is still locked here, so that positions are reported in order.
            self.confirmed.send_modify(|confirmed| confirmed.position = position);
        }
        applied
    }

    /// Rebuilds the copy from the store's whole revocation log. If the copy has entries that the store's revocation log
    /// lacks, returns `false` and changes nothing. A late reply of the previous master can bring such entries.
    pub(super) async fn rebuild(&self) -> Result<bool, StoreError> {
        let whole = self.store.log_since(Seq::ZERO).await?;
        let mut log = lock(&self.log);
        if log.would_forget(&whole) {
            return Ok(false);
        }
        log.renew(&whole);
        let position = log.position();
        self.confirmed.send_modify(|confirmed| confirmed.position = position);
        Ok(true)
    }
}
