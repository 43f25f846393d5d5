//! Reads secrets again after SIGHUP, so that an operator can change them without a restart.
//!
//! Only the admin keys are read again. The master secret needs a restart: keys for refresh tokens and for the stored
//! private keys are derived from it at the start, and all nodes must accept a new secret before one of them uses it.

use std::sync::Arc;

use super::signals::Hangups;
use crate::app::App;
use crate::config::{SecretSettings, SecretsError, StoreUrl};
use crate::secret::{AdminKeys, Holder, KeyChanges};

/// Reads the admin keys again after each SIGHUP. If their file is wrong, the previous keys stay valid. Runs until the
/// future is dropped.
pub(super) async fn at_each_hangup(
    mut hangups: Hangups,
    secrets: SecretSettings,
    store: StoreUrl,
    app: Arc<App>,
) {
    loop {
        hangups.next().await;
        match read(secrets.clone(), store.clone()).await {
            Ok(Some(keys)) => {
                let KeyChanges { added, removed } = app.admin_keys.replace(keys);
                let (added, removed) = (names(&added), names(&removed));
                tracing::info!(added, removed, "SIGHUP: the admin keys were read again");
            }
            Ok(None) => tracing::warn!(
                "SIGHUP: the admin keys are the value of a setting, which cannot change while the issuer runs: put \
                 them into a file, and name it with --admin-key-file (DOORLIST_ADMIN_KEY_FILE)"
            ),
            Err(error) => tracing::error!(%error, "SIGHUP: the previous admin keys stay valid"),
        }
    }
}

/// Reads in another thread, because a file system can be slow.
async fn read(secrets: SecretSettings, store: StoreUrl) -> Result<Option<AdminKeys>, SecretsError> {
    match tokio::task::spawn_blocking(move || secrets.admin_keys_again(&store)).await {
        Ok(read) => read,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

fn names(holders: &[Holder]) -> String {
    let names: Vec<_> = holders.iter().map(Holder::to_string).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
