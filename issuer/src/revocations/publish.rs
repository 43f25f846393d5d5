//! Publishing: when a list is signed, which proof it needs, and which clients get the list.

use std::time::Duration;

use doorlist_verifier::{Error, Seq};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::state::State;
use super::{BACKLOG, Held, Revocations, key_set, store_time};
use crate::desk::{ClockOff, Confirmed};
use crate::domain::LogView;
use crate::keys::KeysError;

/// Shortest time from one list to the next.
const GAP: Duration = Duration::from_millis(5);
/// Shortest time from one list to the next while a subscriber is far behind.
const LONG_GAP: Duration = Duration::from_millis(100);

/// Why there is no new list.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store, or the key ring in it, cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The host's clock is wrong, so the times in a list would be wrong by the same amount.
    #[error(transparent)]
    Clock(#[from] ClockOff),
    /// The verifier refused the new list.
    #[error("a list was not published because the verifier refuses it: {0}")]
    Refused(#[from] Error),
}

impl Revocations {
    /// Publishes a list after every change, and at least once every `ttl`, until the future is dropped. Start this
    /// future once.
    pub async fn run(&self) {
        let mut confirmed = self.desk.watch();
        let mut heartbeat = interval_at(Instant::now() + self.ttl, self.ttl);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = confirmed.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let position = confirmed.borrow_and_update().position;
                    if self.position() == Some(position) {
                        continue;
                    }
                }
                _ = heartbeat.tick() => {}
            }
            self.publish().await;
            // All changes that arrive during the pause after a list go into the next list. So a burst of kicks needs
            // only a few lists.
            tokio::time::sleep(self.gap()).await;
        }
    }

    /// The pause before the next list. The pause is longer while a subscriber is far behind.
    fn gap(&self) -> Duration {
        if self.news.len() > BACKLOG / 4 { LONG_GAP } else { GAP }
    }

    /// Publishes the current revocation log as a signed list, after the store has confirmed that no entry is missing.
    /// If this fails, the last published list stays, and [`Self::trouble`] gives the reason.
    pub async fn publish(&self) {
        let trouble = self.try_publish().await.err();
        if let Some(error) = &trouble {
            tracing::error!(%error, "no new revocation list was published");
        }
        self.held().trouble = trouble.map(|error| error.to_string());
    }

    /// Publishes a list if the node's copy of the revocation log has a key change that is missing in the last list.
    ///
    /// Call this before the node gives an answer that is based on the store. Otherwise the answer could accept a token
    /// whose key the store no longer trusts.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if a list was needed but could not be published.
    pub async fn take_in_keys(&self) -> Result<(), PublishError> {
        let key_change = self.desk.log(LogView::last_key_change);
        if self.has_taken_in(key_change) { Ok(()) } else { self.try_publish().await }
    }

    fn has_taken_in(&self, key_change: Seq) -> bool {
        self.held().state.as_ref().is_some_and(|state| state.last_key_change == key_change)
    }

    async fn try_publish(&self) -> Result<(), PublishError> {
        let _alone = self.publishing.lock().await;
        loop {
            let confirmed = self.desk.confirmed().await.map_err(KeysError::from)?;
            self.desk.check_clock()?;
            // The key change is read before the ring. If the keys change in between, `advance` returns `false`, and
            // the loop reads the ring again.
            let key_change = self.desk.log(LogView::last_key_change);
            if !self.has_taken_in(key_change) {
                self.keys.reload().await?;
            }
            self.keys.expire(store_time(&confirmed)).await?;
            if self.advance(&confirmed, key_change)? {
                return Ok(());
            }
        }
    }

    /// Publishes the current revocation log. Returns `false` if the keys have changed meanwhile, or if lost entries
    /// were put back meanwhile. The caller must then confirm, read the keys, and try again.
    fn advance(&self, confirmed: &Confirmed, key_change: Seq) -> Result<bool, Error> {
        let mut held = self.held();
        let Held { verifier, cuts, state: shown, .. } = &mut *held;
        let state = self.desk.log_if_finished(|log| {
            cuts.follow(log);
            State::new(log, confirmed.confirmed_at, self.keys.ring())
        });
        let Some(mut state) = state.filter(|state| state.last_key_change == key_change) else {
            return Ok(false);
        };
        // The active key may be newer than the last list. Clients get the active key from the JWKS, so the verifier
        // that checks the new list needs the active key too. No more keys are added here, because the verifier may have
        // no room for more keys. The new list removes old keys and makes room.
        verifier.add_jwks(&key_set([state.ring.active().public()]))?;
        let before = shown.as_ref().map(|shown| shown.cursor);
        let since = before.filter(|before| before.epoch == state.cursor.epoch).map(|before| before.seq);
        let list = self.signed(&mut state, verifier, since)?;
        *shown = Some(state);
        // `held` stays locked while the list is sent. So a new subscriber gets this list exactly once: as its first
        // list, or as the list that follows its first list.
        let _no_receivers = self.news.send(list);
        Ok(true)
    }
}
