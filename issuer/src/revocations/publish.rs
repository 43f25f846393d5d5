//! Publishing: when, on what proof, and to whom.

use std::time::Duration;

use doorlist_verifier::{Error, Seq};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::state::State;
use super::{BACKLOG, Held, Revocations, key_set, store_time};
use crate::desk::{ClockOff, Standing};
use crate::domain::LogView;
use crate::keys::KeysError;

/// At least so long from one list to the next.
const GAP: Duration = Duration::from_millis(5);
/// The same, while some subscriber is far behind.
const LONG_GAP: Duration = Duration::from_millis(100);

/// Why there is no new list.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store, or the key ring in it, cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A list would be wrong by as much.
    #[error(transparent)]
    Clock(#[from] ClockOff),
    /// The verifier refused what would have been published.
    #[error("a list was not published, since the verifier refuses it: {0}")]
    Refused(#[from] Error),
}

impl Revocations {
    /// Publishes whatever is new, and at least a heartbeat every `ttl`, until dropped. Run once.
    pub async fn run(&self) {
        let mut standing = self.desk.watch();
        let mut heartbeat = interval_at(Instant::now() + self.ttl, self.ttl);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = standing.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let position = standing.borrow_and_update().position;
                    if self.position() == Some(position) {
                        continue;
                    }
                }
                _ = heartbeat.tick() => {}
            }
            self.publish().await;
            // What happens meanwhile goes into one list: a flood of kicks is no flood of lists.
            tokio::time::sleep(self.gap()).await;
        }
    }

    /// Between two lists; longer while subscribers have trouble keeping up.
    fn gap(&self) -> Duration {
        if self.news.len() > BACKLOG / 4 { LONG_GAP } else { GAP }
    }

    /// Signs and shows the log as it stands, once the store confirmed that nothing is missing. On failure, what
    /// was published before stays, and [`Self::trouble`] says why.
    pub async fn publish(&self) {
        let trouble = self.try_publish().await.err();
        if let Some(error) = &trouble {
            tracing::error!(%error, "no new revocation list");
        }
        self.held().trouble = trouble.map(|error| error.to_string());
    }

    /// Publishes if the log, as it was last read, tells of a change of keys since the last list. What is answered from
    /// the store must not rest on a key that is retired there.
    ///
    /// # Errors
    ///
    /// [`PublishError`]: the keys of now are not known.
    pub async fn take_in_keys(&self) -> Result<(), PublishError> {
        let key_change = self.desk.log(LogView::last_key_change);
        if self.has_taken_in(key_change) { Ok(()) } else { self.try_publish().await }
    }

    fn has_taken_in(&self, key_change: Seq) -> bool {
        self.held().state.as_ref().is_some_and(|state| state.last_key_change == key_change)
    }

    async fn try_publish(&self) -> Result<(), PublishError> {
        let _alone = self.publishing.lock().await;
        let standing = self.desk.confirmed().await.map_err(KeysError::from)?;
        self.desk.check_clock()?;
        loop {
            // Read before the ring is: a change after it is seen by `advance`, and the ring is read again.
            let key_change = self.desk.log(LogView::last_key_change);
            if !self.has_taken_in(key_change) {
                self.keys.reload().await?;
            }
            self.keys.expire(store_time(&standing)).await?;
            if self.advance(&standing, key_change)? {
                return Ok(());
            }
        }
    }

    /// Moves on to the log as it is. False: the keys have changed meanwhile, and must be read again.
    fn advance(&self, standing: &Standing, key_change: Seq) -> Result<bool, Error> {
        let mut held = self.held();
        let Held { verifier, cuts, state: shown, .. } = &mut *held;
        let mut state = self.desk.log(|log| {
            cuts.follow(log);
            State::new(log, standing.confirmed_at, self.keys.ring())
        });
        if state.last_key_change != key_change {
            return Ok(false);
        }
        // A key that came and signs between two lists: who asks for the key set knows it, as every verifier may. The
        // others come with the list: beside those that it drops, there may be no room for them yet.
        verifier.add_jwks(&key_set([state.ring.active().public()]))?;
        let before = shown.as_ref().map(|shown| shown.cursor);
        let since = before.filter(|before| before.epoch == state.cursor.epoch).map(|before| before.seq);
        let list = self.signed(&mut state, verifier, since)?;
        *shown = Some(state);
        // While `held` is locked, so that a subscriber gets this list as its first or as news, never as neither.
        let _nobody_listens = self.news.send(list);
        Ok(true)
    }
}
