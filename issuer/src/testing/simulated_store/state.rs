//! The content of the simulated store.

use std::collections::BTreeMap;

use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};

use crate::domain::{LogEntry, LogPage, LogSettings, Record, Subject};
use crate::store::{AuditRow, TallyTable, Version};

/// The epoch of a store that was emptied.
pub(super) const NO_EPOCH: Epoch = Epoch(0);

/// The whole content of the store.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The number of the current master. On each master, the same bytes have a different version.
    pub(super) master: u64,
    pub(super) next_version: u64,
    pub(super) settings: LogSettings,
    pub(crate) last: Seq,
    pub(super) trimmed: Seq,
    pub(crate) log: BTreeMap<Seq, LogEntry>,
    pub(crate) records: BTreeMap<Subject, (Version, Record)>,
    pub(super) keys: Option<(Version, Vec<u8>)>,
    pub(super) installation: Option<(Version, Vec<u8>)>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) tallies: TallyTable,
}

impl State {
    /// An empty store.
    pub(super) fn new(epoch: Epoch) -> Self {
        let settings = LogSettings {
            epoch,
            retain_secs: 0,
            cutoff: UnixSeconds::ZERO,
            sessions_since: UnixSeconds::ZERO,
        };
        Self {
            master: 1,
            next_version: 1,
            settings,
            last: Seq::ZERO,
            trimmed: Seq::ZERO,
            log: BTreeMap::new(),
            records: BTreeMap::new(),
            keys: None,
            installation: None,
            audit: Vec::new(),
            tallies: TallyTable::default(),
        }
    }

    /// A store that was emptied and has no epoch any more.
    pub(crate) fn emptied() -> Self {
        Self::new(NO_EPOCH)
    }

    pub(super) fn version_of(&self, sub: &Subject) -> Option<Version> {
        self.records.get(sub).map(|(version, _)| self.here(*version))
    }

    /// A version as the current master shows it.
    pub(super) fn here(&self, version: Version) -> Version {
        Version(self.master << 32 | version.0)
    }

    pub(super) fn next_version(&mut self) -> Version {
        self.next_version += 1;
        Version(self.next_version)
    }

    pub(super) fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }

    /// `true` if the revocation log contains this entry, or contained this entry before it was trimmed.
    pub(super) fn has(&self, seq: Seq) -> bool {
        seq == self.last || (seq < self.last && (seq <= self.trimmed || self.log.contains_key(&seq)))
    }

    pub(super) fn page(&self, since: Seq, now: UnixSeconds) -> LogPage {
        let entries = self.log.values().filter(|entry| entry.seq > since).cloned().collect();
        LogPage { entries, continues: self.has(since), last: self.last, settings: self.settings, now }
    }
}
