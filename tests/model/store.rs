//! The store: a record with its version, the revocation log as a stream, one clock, and a replica that may have
//! fallen behind.

use std::hash::{Hash, Hasher};

use doorlist::domain::{Appended, LogEntry, LogPage, LogSettings, Record};
use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};

use crate::rules::{Rule, Scope};
use crate::shared::{Fingerprint, Shared};

pub const EPOCH: Epoch = Epoch(1);

/// A stored record.
pub type Kept = Shared<Record>;

impl Fingerprint for Record {
    fn fingerprint<H: Hasher>(&self, state: &mut H) {
        (self.gid, self.last_session_end, self.sessions.len()).hash(state);
        for session in &self.sessions {
            (session.sid, session.generation, session.previous).hash(state);
            (session.rotated_at, session.last_seen_at).hash(state);
        }
    }
}

/// The version that a record had when it was read. A swap succeeds only if this is still the current version. `master`
/// is the master that returned the record, and `number` counts the changes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    pub master: u8,
    pub number: u8,
}

/// The shard of the record.
#[derive(Debug, Clone, Hash)]
pub struct Records {
    pub master: u8,
    pub number: u8,
    pub record: Kept,
}

/// The shard of the revocation log.
#[derive(Debug, Clone, Hash)]
pub struct Log {
    pub last: Seq,
    trimmed: Seq,
    entries: Shared<Vec<Entry>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    seq: Seq,
    at: UnixSeconds,
    entry: Appended,
}

impl Fingerprint for Vec<Entry> {
    fn fingerprint<H: Hasher>(&self, state: &mut H) {
        self.hash(state);
    }
}

/// The modelled store.
#[derive(Debug, Clone, Hash)]
pub struct Store {
    /// The current time in seconds.
    pub now: u64,
    pub records: Records,
    pub log: Log,
    pub replica: Replica,
}

/// The state of the replica. The replica has all data until it falls behind.
#[derive(Debug, Clone, Hash)]
pub enum Replica {
    InStep,
    Behind { records: Option<Records>, log: Option<Log>, since: u64 },
    Promoted,
}

impl Store {
    pub fn new(now: u64, record: Record) -> Self {
        let log = Log { last: Seq::ZERO, trimmed: Seq::ZERO, entries: Vec::new().into() };
        let records = Records { master: 1, number: 1, record: record.into() };
        Self { now, records, log, replica: Replica::InStep }
    }

    pub fn clock(&self) -> UnixSeconds {
        UnixSeconds::saturating_new(self.now)
    }

    pub fn read(&self, scope: &Scope) -> (Version, Kept) {
        let master = if scope.has(Rule::VersionNamesMaster) { self.records.master } else { 0 };
        (Version { master, number: self.records.number }, self.records.record.clone())
    }

    pub fn swap(&mut self, expected: Version, record: Kept, scope: &Scope) -> bool {
        let fits = self.read(scope).0 == expected || !scope.has(Rule::CompareAndSwap);
        if fits {
            self.records.number += 1;
            self.records.record = record;
        }
        fits
    }

    /// The new number is the maximum of last + 1, the caller's cursor + 1, and the clock in µs.
    pub fn append(&mut self, entries: Vec<Appended>, seen: Seq, scope: &Scope) {
        for entry in entries {
            let next = self.log.last.get() + 1;
            let number = match scope.has(Rule::SequenceNeverTwice) {
                true => next.max(seen.get() + 1).max(self.now * 1_000_000),
                false => next,
            };
            let seq = Seq::new(number).expect("a sequence");
            let entry = Entry { seq, at: self.clock(), entry };
            self.log.entries.change(|entries| entries.push(entry));
            self.log.last = seq;
        }
    }

    pub fn page(&self, since: Seq, retain_secs: u64) -> LogPage {
        let entries = self.log.entries.iter().filter(|entry| entry.seq > since);
        let entries =
            entries.map(|Entry { seq, at, entry }| LogEntry { seq: *seq, at: *at, entry: entry.clone() });
        let zero = UnixSeconds::ZERO;
        LogPage {
            entries: entries.collect(),
            continues: self.has(since),
            last: self.log.last,
            settings: LogSettings { epoch: EPOCH, retain_secs, cutoff: zero, sessions_since: zero },
            now: self.clock(),
        }
    }

    /// Whether the revocation log contains this entry, or has trimmed this entry.
    pub fn has(&self, seq: Seq) -> bool {
        let Log { last, trimmed, entries } = &self.log;
        seq == *last || (seq < *last && (seq <= *trimmed || entries.iter().any(|entry| entry.seq == seq)))
    }

    pub fn confirms(&self, held: Cursor) -> bool {
        held.epoch == EPOCH && self.has(held.seq)
    }

    pub fn holds(&self, entry: &Appended) -> bool {
        self.log.entries.iter().any(|held| held.entry == *entry)
    }

    pub fn trim(&mut self, through: Seq) {
        self.log.entries.change(|entries| entries.retain(|entry| entry.seq > through));
        self.log.trimmed = self.log.trimmed.max(through.min(self.log.last));
    }

    /// The revocations that a failover to this replica would lose.
    pub fn would_lose<'a>(&'a self, replica: &'a Log) -> impl Iterator<Item = &'a Appended> {
        let lost = self.log.entries.iter().filter(|entry| entry.seq > replica.last);
        lost.map(|entry| &entry.entry).filter(|entry| **entry != Appended::Mark)
    }

    /// The replica takes over with its data, one second later.
    pub fn fail_over(&mut self) {
        let Replica::Behind { records, log, .. } = std::mem::replace(&mut self.replica, Replica::Promoted)
        else {
            return;
        };
        if let Some(records) = records {
            self.records = Records { master: self.records.master + 1, ..records };
        }
        if let Some(log) = log {
            // The replica may still hold entries that the former master trimmed. Nodes trim entries by age, so a node
            // will trim these entries again.
            self.log = log;
        }
        self.now += 1;
    }
}
