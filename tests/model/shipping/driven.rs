//! The modelled store behind the issuer's own trait.

use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use doorlist::domain::{Appended, LogPage, LogSettings, NewEntry, Record, Subject};
use doorlist::store::{
    AuditRow, Commit, Committed, Confirmation, Reading, Readings, Store, StoreError, SubjectRow, Swap,
    Tallies, TallyChange, TallyName, Version,
};
use doorlist_verifier::{Cursor, Seq, UnixSeconds};

use crate::node::Waits;
use crate::store::{EPOCH, Version as Held};
use crate::world::{Doorlist, World};

/// The message of `expect` for a lock: the reason why no lock is poisoned.
pub const UNLOCKED: &str = "no code panics while it holds this lock";

/// Lets a node's requests through to the store, one exchange at a time.
#[derive(Default)]
pub struct Gate {
    /// How many exchanges may happen now.
    pub permits: AtomicU32,
    /// Hashes of the store's answers to the current request. These answers, the state of the node and the kind of the
    /// request determine the state of the request.
    pub digest: Mutex<Vec<u64>>,
    /// The number of acknowledgements at the node's last confirming write.
    pub vouches: AtomicU32,
}

/// One node's access to the modelled store.
pub struct Driven {
    pub node: usize,
    pub model: Doorlist,
    pub world: Arc<Mutex<World>>,
    pub gate: Arc<Gate>,
}

impl Driven {
    /// Waits until the search lets the next exchange happen.
    async fn gate(&self) {
        poll_fn(|_| {
            let open =
                self.gate.permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if open.is_ok() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    /// Keeps a hash of an answer from the store. The answers determine how the request continues.
    fn note(&self, what: &str, answer: impl Hash) {
        let mut hasher = DefaultHasher::new();
        (what, answer, self.world.lock().expect(UNLOCKED).store.now).hash(&mut hasher);
        self.gate.digest.lock().expect(UNLOCKED).push(hasher.finish());
    }
    /// Fails if the answer would wait for a replica that gets no writes.
    fn unheard(&self, waits: Waits) -> Result<(), StoreError> {
        let world = self.world.lock().expect(UNLOCKED);
        if self.model.is_unheard(&world, waits) {
            Err(StoreError::Unavailable("no replica".into()))
        } else {
            Ok(())
        }
    }
    fn page(&self, since: Seq) -> LogPage {
        let page = self.world.lock().expect(UNLOCKED).store.page(since, self.model.limits.retain_secs());
        let entries: Vec<_> = page.entries.iter().map(|e| (e.seq, e.at, &e.entry)).collect();
        self.note("page", (page.continues, page.last, entries));
        page
    }
    fn take_record(&self) -> Option<(Version, Record)> {
        let (version, record) = self.world.lock().expect(UNLOCKED).store.read(&self.model.scope);
        self.note("record", (version, &record));
        Some((packed(version), Record::clone(&record)))
    }
    fn settings_now(&self) -> LogSettings {
        let zero = UnixSeconds::ZERO;
        LogSettings {
            epoch: EPOCH,
            retain_secs: self.model.limits.retain_secs(),
            cutoff: zero,
            sessions_since: zero,
        }
    }
    fn position(&self) -> Cursor {
        Cursor { epoch: EPOCH, seq: self.world.lock().expect(UNLOCKED).store.log.last }
    }
}

/// Converts a version of the model into the number that the issuer uses.
fn packed(version: Held) -> Version {
    Version(u64::from(version.master) << 8 | u64::from(version.number))
}

/// The reverse of [`packed`].
fn unpacked(Version(number): Version) -> Held {
    Held { master: (number >> 8) as u8, number: number as u8 }
}

#[async_trait]
impl Store for Driven {
    async fn read(&self, _: &Subject, since: Seq) -> Result<Reading, StoreError> {
        self.gate().await;
        let record = self.take_record();
        self.gate().await;
        let news = self.page(since);
        let world = &mut *self.world.lock().expect(UNLOCKED);
        let excused = !world.lost.iter().all(|entry| world.store.holds(entry));
        if let Some(task) = &mut world.nodes[self.node].task {
            task.seen.excused = excused;
        }
        Ok(Reading { record, news })
    }
    async fn read_several(&self, subs: &[Subject], since: Seq) -> Result<Readings, StoreError> {
        let Reading { record, news } = self.read(&subs[0], since).await?;
        Ok(Readings { records: vec![Ok(record)], news })
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let waits: Waits = commit.durability.into();
        let entries: Vec<_> = commit
            .entries
            .into_iter()
            .map(|entry| match entry {
                NewEntry::Revoked(revoked) => Appended::Revoked(revoked),
                NewEntry::Restored(appended) => {
                    let unfinished = &mut self.world.lock().expect(UNLOCKED).nodes[self.node].unfinished;
                    if !unfinished.contains(&appended) {
                        unfinished.push(appended.clone());
                    }
                    appended
                }
                NewEntry::Mark => Appended::Mark,
                other => panic!("{other:?}"),
            })
            .collect();
        if !entries.is_empty() {
            self.gate().await;
            self.world.lock().expect(UNLOCKED).store.append(entries, commit.seen, &self.model.scope);
            self.note("append", self.position().seq);
            self.unheard(waits)?;
        }
        let mut swapped = true;
        if let Some(Swap { expected, record, .. }) = commit.swap {
            self.gate().await;
            let expected = unpacked(expected.expect("there is a record"));
            swapped =
                self.world.lock().expect(UNLOCKED).store.swap(expected, record.into(), &self.model.scope);
            self.note("swap", swapped);
            self.unheard(waits)?;
        }
        Ok(Committed { swapped, position: self.position() })
    }
    async fn settle(&self, _: &Subject, read: Option<Version>) -> Result<bool, StoreError> {
        self.unheard(Waits::Yes)?;
        let (version, _) = self.world.lock().expect(UNLOCKED).store.read(&self.model.scope);
        let here = packed(version);
        self.note("settle", here == read.expect("a record"));
        Ok(Some(here) == read)
    }
    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        self.gate().await;
        Ok(self.page(since))
    }
    async fn wait_for_news(&self, _: Seq) -> Result<(), StoreError> {
        panic!("no tail")
    }
    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        self.gate().await;
        let world = self.world.lock().expect(UNLOCKED);
        self.gate.vouches.store(world.promises.vouches().into(), Ordering::Relaxed);
        let (whole, now) = (world.store.confirms(held), world.store.clock());
        drop(world);
        self.note("confirm", (whole, self.position().seq));
        Ok(Confirmation { now, whole, position: self.position() })
    }
    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        self.gate().await;
        self.world.lock().expect(UNLOCKED).store.trim(through);
        Ok(())
    }
    async fn merge_settings(&self, _: LogSettings) -> Result<LogSettings, StoreError> {
        Ok(self.settings_now())
    }
    async fn settings(&self) -> Result<LogSettings, StoreError> {
        Ok(self.settings_now())
    }
    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        Ok(None)
    }
    async fn swap_keys(
        &self,
        _: Option<Version>,
        _: Vec<u8>,
        _: Vec<NewEntry>,
        _: Seq,
    ) -> Result<Committed, StoreError> {
        panic!("no keys")
    }
    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        Ok(None)
    }
    async fn swap_installation(&self, _: Option<Version>, _: Vec<u8>) -> Result<bool, StoreError> {
        Ok(true)
    }
    async fn subjects(&self, _: Option<&Subject>, _: usize) -> Result<Vec<SubjectRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn audit(&self, _: Option<u64>, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn tallies(&self, _: &[TallyName]) -> Result<Tallies, StoreError> {
        panic!("no login with a password")
    }
    async fn swap_tallies(&self, _: Vec<TallyChange>) -> Result<bool, StoreError> {
        panic!("no login with a password")
    }
    async fn forget(&self, _: &Subject, _: Version) -> Result<bool, StoreError> {
        Ok(true)
    }
}
