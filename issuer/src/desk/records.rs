//! The loop of every request on a subject: read, heal, decide, commit, and start over on a conflict.

mod healing;

use std::sync::{Arc, Mutex};

use doorlist_verifier::{Cursor, Handle, UnixSeconds};

pub(super) use self::healing::Healing;
use super::actor::by_actor;
use super::lock;
use super::log_copy::LogCopy;
use crate::domain::heal::heal;
use crate::domain::{
    Applied, Change, HandleBlock, Limits, Moment, NewEntry, Record, Revocation, Subject, SubjectLog,
};
use crate::store::{Commit, Store, StoreError, Swap, Version};

/// Maximum number of attempts for one request. Each conflict means that a write of another request on this subject
/// succeeded.
pub(super) const ATTEMPTS: usize = 256;

/// Reads the records of all subjects, and writes the changes that the rules decide. See the [module](self).
pub(super) struct Records {
    pub(super) log_copy: LogCopy,
    pub(super) store: Arc<dyn Store>,
    pub(super) limits: Limits,
    handles: Mutex<Handles>,
}

/// Draws handles that were never used before.
pub(super) type Handles = Box<dyn FnMut() -> Handle + Send>;

/// Handles that cannot be predicted.
pub(super) fn random_handles() -> Handles {
    let mut block = HandleBlock::draw(&mut rand::rng());
    Box::new(move || {
        let rng = &mut rand::rng();
        loop {
            if let Some(handle) = block.take(rng) {
                return handle;
            }
            block = HandleBlock::draw(rng);
        }
    })
}

/// A healed record, with the other inputs of a rule.
pub(super) struct Read {
    stored: Option<(Version, Record)>,
    log: SubjectLog,
    now: UnixSeconds,
}

impl Read {
    pub(super) fn record(&self) -> Option<&Record> {
        self.stored.as_ref().map(|(_, record)| record)
    }

    pub(super) fn moment<'a>(&'a self, records: &'a Records) -> Moment<'a> {
        Moment { now: self.now, limits: &records.limits, log: &self.log }
    }

    /// The position of the node's copy of the revocation log when the rule ran.
    pub(super) fn position(&self) -> Cursor {
        self.log.position
    }

    fn version(&self) -> Option<Version> {
        self.stored.as_ref().map(|(version, _)| *version)
    }
}

/// The result of a rule.
pub(super) enum Step<T> {
    /// Return this answer and write nothing.
    Answer(T),
    /// Return this answer, because the change was already written. Perhaps an earlier attempt of this request wrote
    /// the change, and the store's answer was lost.
    Already(T),
    /// Return this answer after the change is durable.
    Write(Change, T),
}

impl Records {
    pub(super) fn new(log_copy: LogCopy, store: Arc<dyn Store>, limits: Limits, handles: Handles) -> Self {
        Self { log_copy, store, limits, handles: Mutex::new(handles) }
    }

    /// Draws a handle that was never used before.
    pub(super) fn draw(&self) -> Handle {
        lock(&self.handles)()
    }

    /// Runs a rule until its change is written, or until the rule needs no change. Returns the answer and a position.
    /// The revocation log holds the change's entries at or before this position.
    pub(super) async fn transact<T>(
        &self,
        sub: &Subject,
        mut rule: impl FnMut(&Read, &Moment<'_>) -> Step<T> + Send,
    ) -> Result<(T, Cursor), StoreError>
    where
        T: Send,
    {
        for _ in 0..ATTEMPTS {
            let read = self.read(sub).await?;
            let step = rule(&read, &read.moment(self));
            match step {
                Step::Answer(answer) => return Ok((answer, read.position())),
                Step::Already(answer) => {
                    if self.settled(sub, &read).await? {
                        return Ok((answer, read.position()));
                    }
                }
                Step::Write(change, answer) => {
                    if let Some(position) = self.write(sub, &read, change).await? {
                        return Ok((answer, position));
                    }
                }
            }
        }
        Err(contended())
    }

    /// Reads a record and then the new entries of the revocation log. If the revocation log requires changes of the
    /// record, makes these changes before it returns.
    pub(super) async fn read(&self, sub: &Subject) -> Result<Read, StoreError> {
        for _ in 0..ATTEMPTS {
            let reading = self.store.read(sub, self.log_copy.position().seq).await?;
            if self.log_copy.apply(&reading.news) == Applied::Broken {
                self.log_copy.restore().await?;
                continue;
            }
            let log = self.log_copy.view(|log| log.of(sub));
            let read = Read { stored: reading.record, log, now: reading.news.now };
            let asked = read.record().and_then(|record| heal(sub, record, &read.log, || self.draw()));
            match asked {
                None => return Ok(read),
                Some(change) => drop(self.write(sub, &read, change).await?),
            }
        }
        Err(contended())
    }

    /// Waits until the record that was read can no longer be lost. Returns `false` if the record was changed after it
    /// was read.
    pub(super) async fn settled(&self, sub: &Subject, read: &Read) -> Result<bool, StoreError> {
        self.store.settle(sub, read.version()).await
    }

    /// Reads and heals the record, and waits until the record can no longer be lost. Starts again if the record changes
    /// during the wait.
    pub(super) async fn finish(&self, sub: &Subject) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let read = self.read(sub).await?;
            if self.settled(sub, &read).await? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Commits a change to the record that was read. Returns `None` if the record was changed after it was read.
    pub(super) async fn write(
        &self,
        sub: &Subject,
        read: &Read,
        change: Change,
    ) -> Result<Option<Cursor>, StoreError> {
        let logged: Vec<_> = change.entries.iter().filter_map(revocation).collect();
        let swap = Swap { sub: sub.clone(), expected: read.version(), record: change.record };
        let commit = Commit {
            entries: change.entries,
            swap: Some(swap),
            audit: by_actor(change.audit),
            seen: read.position().seq,
            durability: change.durability,
        };
        let committed = self.store.commit(commit).await?;
        if !logged.is_empty() {
            // This node must hold the entries before it acknowledges the request. The reason: after a failover, it is
            // possible that only this node can put the entries back.
            self.log_copy.catch_up().await?;
            let known = self.log_copy.view(|log| log.of(sub)).revoked;
            if !logged.iter().all(|logged| known.iter().any(|known| known.revocation == *logged)) {
                return Ok(None);
            }
        }
        Ok(committed.swapped.then_some(committed.position))
    }
}

pub(super) fn contended() -> StoreError {
    StoreError::Unavailable("too many requests change this subject at once".into())
}

fn revocation(entry: &NewEntry) -> Option<Revocation> {
    match entry {
        NewEntry::Revoked(revoked) => Some(revoked.revocation),
        _ => None,
    }
}
