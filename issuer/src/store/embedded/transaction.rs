//! The operations that jobs run inside the writer's transaction.

use doorlist_verifier::{Cursor, Seq, UnixSeconds};
use redb::{ReadableTable, Table, WriteTransaction};

use super::super::{AuditRow, Commit, Committed, Confirmation, StoreError, Version};
use super::tables::{
    AUDIT, HEAD, Head, INSTALLATION, KEYS, LOG, META, RECORDS, corrupt, encode_json, split_version,
    with_version,
};
use super::writer::unavailable;
use crate::domain::{Appended, AuditEvent, LogEntry, LogSettings, NewEntry, Subject};
use crate::store::clock::seconds;

/// Number of audit events that are kept. When a new event is added, the oldest event is dropped.
pub(super) const AUDIT_KEPT: u64 = 100_000;

/// The tables of one write transaction, and the head. The head already contains the changes that this transaction has
/// made.
pub(super) struct Work<'txn> {
    records: Table<'txn, &'static str, &'static [u8]>,
    log: Table<'txn, u64, &'static [u8]>,
    audit: Table<'txn, u64, &'static [u8]>,
    meta: Table<'txn, &'static str, &'static [u8]>,
    head: Head,
    written: Written,
}

/// Whether a transaction has written anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Nothing,
    Something,
}

/// Why a job failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// Only this job failed. The job has written nothing.
    Job(StoreError),
    /// The storage failed. No write of this transaction takes place.
    Storage(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Storage(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Job(error)
    }
}

impl Fault {
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Job(error) => error,
            Self::Storage(error) => unavailable(error),
        }
    }
}

impl<'txn> Work<'txn> {
    pub(super) fn begin(txn: &'txn WriteTransaction, now_micros: u64) -> Result<Self, Fault> {
        let meta = txn.open_table(META)?;
        let mut head = match meta.get(HEAD)? {
            Some(bytes) => Head::decode(bytes.value())?,
            None => return Err(Fault::Job(corrupt("meta/head", "missing"))),
        };
        head.clock_micros = head.clock_micros.max(now_micros);
        Ok(Self {
            records: txn.open_table(RECORDS)?,
            log: txn.open_table(LOG)?,
            audit: txn.open_table(AUDIT)?,
            meta,
            head,
            written: Written::Nothing,
        })
    }

    /// Writes the head if the jobs have written anything. Returns the head. Also returns whether the transaction must
    /// be committed.
    pub(super) fn finish(mut self) -> Result<(Head, Written), Fault> {
        if self.written == Written::Something {
            self.meta.insert(HEAD, &self.head.encode()[..])?;
        }
        Ok((self.head, self.written))
    }

    pub(super) fn commit(&mut self, commit: Commit) -> Result<Committed, Fault> {
        let Some(swap) = commit.swap else {
            self.append(commit.entries, commit.seen)?;
            self.note(commit.audit)?;
            return Ok(self.committed(true));
        };
        if self.version_of(&swap.sub)? != swap.expected {
            return Ok(self.committed(false));
        }
        let record = encode_json(&swap.record)?;
        self.append(commit.entries, commit.seen)?;
        let bytes = with_version(self.next_version(), &record);
        self.records.insert(swap.sub.as_str(), &bytes[..])?;
        self.note(commit.audit)?;
        Ok(self.committed(true))
    }

    pub(super) fn confirm(&mut self, held: Cursor) -> Result<Confirmation, Fault> {
        self.written = Written::Something;
        let head = &self.head;
        let known = held.seq == head.last
            || (held.seq < head.last
                && (held.seq <= head.trimmed || self.log.get(held.seq.get())?.is_some()));
        let whole = held.epoch == head.settings.epoch && known;
        Ok(Confirmation { now: self.now(), whole, position: head.position() })
    }

    pub(super) fn trim(&mut self, through: Seq) -> Result<(), Fault> {
        self.log.retain_in(..=through.get(), |_, _| false)?;
        self.head.trimmed = self.head.trimmed.max(through.min(self.head.last));
        self.written = Written::Something;
        Ok(())
    }

    pub(super) fn merge_settings(&mut self, settings: &LogSettings) -> LogSettings {
        let merged = self.head.settings.merged(settings);
        if merged != self.head.settings {
            self.head.settings = merged;
            self.written = Written::Something;
        }
        merged
    }

    pub(super) fn swap_keys(
        &mut self,
        expected: Option<Version>,
        ring: &[u8],
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, Fault> {
        if self.version_in_meta(KEYS)? != expected {
            return Ok(self.committed(false));
        }
        self.append(entries, seen)?;
        let bytes = with_version(self.next_version(), ring);
        self.meta.insert(KEYS, &bytes[..])?;
        Ok(self.committed(true))
    }

    pub(super) fn swap_installation(
        &mut self,
        expected: Option<Version>,
        installation: &[u8],
    ) -> Result<bool, Fault> {
        if self.version_in_meta(INSTALLATION)? != expected {
            return Ok(false);
        }
        let bytes = with_version(self.next_version(), installation);
        self.meta.insert(INSTALLATION, &bytes[..])?;
        Ok(true)
    }

    fn version_in_meta(&self, name: &str) -> Result<Option<Version>, Fault> {
        let Some(bytes) = self.meta.get(name)? else { return Ok(None) };
        let (version, _) = split_version(bytes.value(), "meta")?;
        Ok(Some(version))
    }

    pub(super) fn forget(&mut self, sub: &Subject, expected: Version) -> Result<bool, Fault> {
        if self.version_of(sub)? != Some(expected) {
            return Ok(false);
        }
        self.records.remove(sub.as_str())?;
        self.written = Written::Something;
        Ok(true)
    }

    fn version_of(&self, sub: &Subject) -> Result<Option<Version>, Fault> {
        let Some(bytes) = self.records.get(sub.as_str())? else { return Ok(None) };
        let (version, _) = split_version(bytes.value(), "records")?;
        Ok(Some(version))
    }

    fn append(&mut self, entries: Vec<NewEntry>, seen: Seq) -> Result<(), Fault> {
        for entry in entries {
            let seq = self.next_seq(seen)?;
            let entry = LogEntry { seq, at: self.now(), entry: self.as_appended(entry) };
            self.log.insert(seq.get(), &encode_json(&entry)?[..])?;
            self.head.last = seq;
            self.written = Written::Something;
        }
        Ok(())
    }

    fn next_seq(&self, seen: Seq) -> Result<Seq, Fault> {
        let number = self.head.last.get().max(seen.get()).saturating_add(1).max(self.head.clock_micros);
        let exhausted = || Fault::Job(corrupt("meta/head", "the clock or the sequence is above 2^53 - 1"));
        Seq::new(number).ok_or_else(exhausted)
    }

    fn as_appended(&mut self, entry: NewEntry) -> Appended {
        let appended = match entry {
            NewEntry::Revoked(revoked) => Appended::Revoked(revoked),
            NewEntry::Cutoff { end_sessions } => {
                let cutoff = self.now().max(self.head.settings.cutoff).plus_secs(1);
                Appended::Cutoff { cutoff, end_sessions }
            }
            NewEntry::Key { kid } => Appended::Key { kid },
            NewEntry::Mark => Appended::Mark,
            NewEntry::Restored(appended) => appended,
        };
        if let Appended::Cutoff { cutoff, end_sessions } = appended {
            let settings = &mut self.head.settings;
            settings.cutoff = settings.cutoff.max(cutoff);
            if end_sessions {
                settings.sessions_since = settings.sessions_since.max(cutoff);
            }
        }
        appended
    }

    fn note(&mut self, events: Vec<AuditEvent>) -> Result<(), Fault> {
        for event in events {
            self.head.last_audit += 1;
            let row = AuditRow { number: self.head.last_audit, at: self.now(), event };
            self.audit.insert(row.number, &encode_json(&row)?[..])?;
            if let Some(oldest) = row.number.checked_sub(AUDIT_KEPT) {
                self.audit.remove(oldest)?;
            }
            self.written = Written::Something;
        }
        Ok(())
    }

    fn next_version(&mut self) -> Version {
        self.head.last_version += 1;
        self.written = Written::Something;
        Version(self.head.last_version)
    }

    fn committed(&self, swapped: bool) -> Committed {
        Committed { swapped, position: self.head.position() }
    }

    fn now(&self) -> UnixSeconds {
        seconds(self.head.clock_micros)
    }
}
