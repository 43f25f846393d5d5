//! Following the list: a subscriber first gets the entries after its cursor. Then the subscriber gets each new list
//! when it is published.

use std::sync::Arc;

use doorlist_verifier::{Cursor, Error};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{Next, Revocations, SignedList};

/// One subscriber.
pub struct Follower {
    first: Option<Arc<SignedList>>,
    /// The subscriber's cursor, if the subscriber has newer entries than this node. Lists that end before this cursor
    /// are skipped.
    ahead_of: Option<Cursor>,
    news: broadcast::Receiver<Arc<SignedList>>,
}

impl Revocations {
    /// Adds a subscriber whose cursor is `held`. `None` if this node has not signed a list yet.
    ///
    /// # Errors
    ///
    /// See [`Revocations::next`].
    pub fn follow(&self, held: Option<Cursor>) -> Result<Option<Follower>, Error> {
        // The state stays locked while the subscriber is added and its first list is chosen. So no list is published
        // in between.
        let mut state = self.held();
        let news = self.news.subscribe();
        Ok(self.next_for(&mut state, held)?.map(|next| match next {
            Next::List(list) => Follower { first: Some(list), ahead_of: None, news },
            Next::Ahead => Follower { first: None, ahead_of: held, news },
        }))
    }
}

impl Follower {
    /// Waits for the next list to send. `None` if the subscriber is too slow or the node stops. The client should
    /// then reconnect with its cursor.
    pub async fn next(&mut self) -> Option<Arc<SignedList>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let list = match self.news.recv().await {
                Ok(list) => list,
                Err(RecvError::Closed | RecvError::Lagged(_)) => return None,
            };
            match self.ahead_of {
                Some(held) if held.epoch == list.cursor.epoch && list.cursor.seq < held.seq => {}
                _ => {
                    self.ahead_of = None;
                    return Some(list);
                }
            }
        }
    }
}
