//! Power cuts: every acknowledged write is on disk, even if some of the writes that were not synced are lost.

use std::io;
use std::sync::{Mutex, PoisonError};

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Size of a disk sector in bytes. If the power fails during a write, it is possible that only some sectors are
/// written.
const SECTOR: usize = 512;

/// A disk that loses its cache when the power fails. After the power cut, each sector that was written after the last
/// sync is either on disk or lost.
#[derive(Debug)]
pub(super) struct Disk(pub(super) Arc<Mutex<Platter>>);

#[derive(Debug)]
pub(super) struct Platter {
    /// The bytes that were in the file at the last sync. These bytes survive the power cut.
    safe: Vec<u8>,
    /// The bytes that the database sees.
    pub(super) cached: Vec<u8>,
    /// The writes after the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// How many operations are left until the power fails.
    pub(super) left: usize,
}

impl Disk {
    pub(super) fn spinning(bytes: Vec<u8>, left: usize) -> (Self, Arc<Mutex<Platter>>) {
        let platter = Platter { safe: bytes.clone(), cached: bytes, unsynced: Vec::new(), left };
        let platter = Arc::new(Mutex::new(platter));
        (Self(platter.clone()), platter)
    }

    fn with<T>(&self, op: impl FnOnce(&mut Platter) -> T) -> Result<T, io::Error> {
        let mut platter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        platter.left = platter.left.saturating_sub(1);
        if platter.left == 0 {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(op(&mut platter))
    }
}

impl Platter {
    /// The bytes on the disk after the power cut.
    fn after_the_cut(&self, luck: &mut StdRng) -> Vec<u8> {
        let mut bytes = self.safe.clone();
        // Even if the last writes are lost, the file may keep the length that it had with these writes. At the place of
        // these writes, the file then has zeros.
        if luck.random() && bytes.len() < self.cached.len() {
            bytes.resize(self.cached.len(), 0);
        }
        for (offset, data) in &self.unsynced {
            for (place, sector) in data.chunks(SECTOR).enumerate() {
                let start = offset + place * SECTOR;
                let there = bytes.get_mut(start..start + sector.len());
                if let (true, Some(there)) = (luck.random(), there) {
                    there.copy_from_slice(sector);
                }
            }
        }
        bytes
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.with(|platter| platter.cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.with(|platter| {
            let start = offset as usize;
            let found = platter.cached.get(start..start + out.len());
            found.map(|bytes| out.copy_from_slice(bytes)).ok_or(io::ErrorKind::UnexpectedEof.into())
        })?
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.with(|platter| platter.cached.resize(len as usize, 0))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.with(|platter| {
            platter.safe = platter.cached.clone();
            platter.unsynced.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.with(|platter| {
            let start = offset as usize;
            platter.cached[start..start + data.len()].copy_from_slice(data);
            platter.unsynced.push((start, data.to_vec()));
        })
    }
}

/// Four callers write until the power fails. Every acknowledged write is added to `known`.
async fn cut_the_power(
    bytes: Vec<u8>,
    known: &mut Vec<String>,
    round: usize,
    left: usize,
    luck: &mut StdRng,
) -> Vec<u8> {
    let (disk, platter) = Disk::spinning(bytes, left);
    if let Ok(store) = EmbeddedStore::on(disk, Arc::new(ManualClock::at(START))) {
        let callers = (0..4).map(|caller| {
            let store = &store;
            async move {
                let mut acknowledged = Vec::new();
                for number in 0..500 {
                    let name = format!("{round}-{caller}-{number}");
                    let mut commit = put(&name, 1);
                    commit.entries = vec![NewEntry::Key { kid: name.clone() }];
                    match store.commit(commit).await {
                        Ok(committed) => acknowledged.push((name, committed.position.seq)),
                        Err(_) => break,
                    }
                }
                acknowledged
            }
        });
        let acknowledged = futures_util::future::join_all(callers).await;
        known.extend(acknowledged.into_iter().flatten().map(|(name, _)| name));
    }
    let platter = platter.lock().unwrap_or_else(PoisonError::into_inner);
    platter.after_the_cut(luck)
}

pub(super) const START: u64 = 1_767_225_600;

/// The bytes of a new store. A power cut during the creation of a store needs no test, because a real file gets its
/// name only when the new store is complete.
pub(super) fn empty_store() -> Vec<u8> {
    let (disk, platter) = Disk::spinning(Vec::new(), usize::MAX);
    drop(EmbeddedStore::on(disk, Arc::new(ManualClock::at(START))).expect("a store"));
    let platter = platter.lock().unwrap_or_else(PoisonError::into_inner);
    platter.safe.clone()
}

async fn acknowledged_is_durable(seed: u64, cuts: Vec<usize>) {
    let mut luck = StdRng::seed_from_u64(seed);
    let mut bytes = empty_store();
    let mut known = Vec::new();
    for (round, left) in cuts.into_iter().enumerate() {
        bytes = cut_the_power(bytes, &mut known, round, left, &mut luck).await;
        let (disk, platter) = Disk::spinning(bytes, usize::MAX);
        let store = EmbeddedStore::on(disk, Arc::new(ManualClock::at(START))).expect("the store opens again");
        let log = store.log_since(Seq::ZERO).await.expect("the log").entries;
        assert!(log.is_sorted_by(|a, b| a.seq < b.seq));
        for name in &known {
            let reading = store.read(&subject(name), Seq::ZERO).await.expect("a reading");
            assert!(reading.record.is_some(), "{name} was acknowledged and is lost");
        }
        // A record and its entry are written in one transaction, so either both are stored or neither is.
        let records = store.subjects(None, usize::MAX).await.expect("records").len();
        assert_eq!(records, log.len());
        drop(store);
        bytes = platter.lock().unwrap_or_else(PoisonError::into_inner).cached.clone();
    }
}

#[tokio::test]
async fn every_caller_gets_the_reason_of_a_failed_transaction() {
    let mut refused = 0;
    for left in 1..40 {
        let (disk, platter) = Disk::spinning(empty_store(), usize::MAX);
        let store = EmbeddedStore::on(disk, Arc::new(ManualClock::at(START))).expect("a store");
        platter.lock().unwrap_or_else(PoisonError::into_inner).left = left;
        let names: Vec<_> = (0..400).map(|number| number.to_string()).collect();
        let commits = names.iter().map(|name| store.commit(put(name, 1)));
        for done in futures_util::future::join_all(commits).await {
            let Err(error) = done else { continue };
            refused += 1;
            assert!(!error.to_string().contains("closed"), "{error}");
        }
    }
    assert!(refused > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_writes_survive_power_cuts(
        seed in any::<u64>(),
        cuts in prop::collection::vec(1..1500_usize, 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(acknowledged_is_durable(seed, cuts));
    }
}
