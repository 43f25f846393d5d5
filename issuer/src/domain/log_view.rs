//! A node's copy of the live revocation log.

use std::collections::{BTreeMap, HashMap, HashSet};

use doorlist_verifier::{Cursor, Handle, Seq, UnixSeconds};

use super::log::Appended;
use super::{GroupEnd, LogEntry, LogPage, LogSettings, Revocation, Subject};

/// The entries of the revocation log that this node has read. [`Self::apply`] adds entries and [`Self::trim`] drops
/// entries.
#[derive(Debug, Clone)]
pub struct LogView {
    settings: LogSettings,
    last: Seq,
    floor: Seq,
    last_key_change: Seq,
    entries: BTreeMap<Seq, LogEntry>,
    by_subject: HashMap<Subject, Vec<Seq>>,
}

/// The result of adding a page to a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The page had new entries or settings.
    News,
    /// The view already held everything in the page.
    Nothing,
    /// The store's revocation log has a different epoch than this view, or has lost entries that this view still holds.
    /// The view did not change. Before the view can be updated, the entries that the view has and the store lacks must
    /// be put back.
    Broken,
}

impl LogView {
    /// The view of a whole revocation log (a page requested from [`Seq::ZERO`]).
    pub fn new(whole: &LogPage) -> Self {
        let first = whole.entries.first().map_or(whole.last, |entry| entry.seq);
        let mut view = Self {
            settings: whole.settings,
            last: Seq::ZERO,
            floor: first,
            last_key_change: Seq::ZERO,
            entries: BTreeMap::new(),
            by_subject: HashMap::new(),
        };
        view.apply(whole);
        view
    }

    /// Adds a page that was requested from [`Self::position`] or from an earlier sequence. Entries that the view
    /// already holds are skipped, so pages may arrive in any order. The view keeps the greater value of each setting.
    pub fn apply(&mut self, page: &LogPage) -> Applied {
        if page.settings.epoch != self.settings.epoch || !page.continues {
            return Applied::Broken;
        }
        let settings = self.settings.merged(&page.settings);
        let news = page.last > self.last || settings != self.settings;
        self.settings = settings;
        for entry in page.entries.iter().filter(|entry| entry.seq > self.last) {
            match &entry.entry {
                Appended::Revoked(revoked) => {
                    self.by_subject.entry(revoked.sub.clone()).or_default().push(entry.seq);
                }
                Appended::Key { .. } => self.last_key_change = entry.seq,
                Appended::Cutoff { .. } | Appended::Mark => {}
            }
            self.entries.insert(entry.seq, entry.clone());
        }
        self.last = self.last.max(page.last);
        if news { Applied::News } else { Applied::Nothing }
    }

    /// Rebuilds the view from the store's whole revocation log. If the epoch is the same, the view also keeps its
    /// entries after the last sequence of `whole`.
    pub fn renew(&mut self, whole: &LogPage) {
        let mut renewed = Self::new(whole);
        if self.settings.epoch == renewed.settings.epoch {
            let newer = self.since(whole.last).cloned().collect();
            renewed.apply(&LogPage {
                entries: newer,
                continues: true,
                last: self.last,
                settings: self.settings,
                now: whole.now,
            });
            renewed.last_key_change = renewed.last_key_change.max(self.last_key_change);
        }
        *self = renewed;
    }

    /// The entries that this view has and `whole` lacks. `whole` must have the store's whole revocation log. Marks are
    /// left out, and so are entries older than `retain`.
    pub fn lost_by<'view>(&'view self, whole: &'view LogPage) -> impl Iterator<Item = &'view LogEntry> {
        let known: HashSet<&Appended> = whole.entries.iter().map(|entry| &entry.entry).collect();
        let retain_secs = self.settings.merged(&whole.settings).retain_secs;
        self.entries
            .values()
            .filter(move |held| held.at.plus_secs(retain_secs) >= whole.now)
            .filter(move |held| held.entry != Appended::Mark && !known.contains(&held.entry))
    }

    /// Whether [`Self::renew`] would drop entries that the store lost. If so, these entries must first be put back
    /// into the store.
    pub fn would_forget(&self, whole: &LogPage) -> bool {
        let stays = |entry: &LogEntry| self.settings.epoch == whole.settings.epoch && entry.seq > whole.last;
        self.lost_by(whole).any(|entry| !stays(entry))
    }

    /// The position of this copy.
    pub fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }

    /// The settings as last read.
    pub fn settings(&self) -> &LogSettings {
        &self.settings
    }

    /// The earliest sequence from which a delta is complete. A client with an earlier cursor needs a snapshot.
    pub fn floor(&self) -> Seq {
        self.floor
    }

    /// The sequence of the last entry about keys that this view has read, or zero if this view has read no such entry.
    pub fn last_key_change(&self) -> Seq {
        self.last_key_change
    }

    /// The entries after `since`, in ascending order.
    pub fn since(&self, since: Seq) -> impl Iterator<Item = &LogEntry> {
        self.entries
            .range((std::ops::Bound::Excluded(since), std::ops::Bound::Unbounded))
            .map(|(_, entry)| entry)
    }

    /// The handles revoked after `since`, in the order of the revocation log. If `since` is [`Seq::ZERO`], returns
    /// all handles.
    pub fn handles_since(&self, since: Seq) -> impl Iterator<Item = Handle> {
        self.since(since).filter_map(|entry| match &entry.entry {
            Appended::Revoked(revoked) => Some(revoked.handle()),
            _ => None,
        })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the view holds no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries about one subject.
    pub fn of(&self, sub: &Subject) -> SubjectLog {
        let seqs = self.by_subject.get(sub).map(Vec::as_slice).unwrap_or_default();
        let revoked = seqs.iter().filter_map(|seq| self.entries.get(seq)).filter_map(|entry| {
            let Appended::Revoked(revoked) = &entry.entry else { return None };
            Some(Logged { revocation: revoked.revocation, seq: entry.seq, at: entry.at })
        });
        SubjectLog { revoked: revoked.collect(), settings: self.settings, position: self.position() }
    }

    /// The sequence up to which every entry is older than `retain`. `None` if no entry is older than `retain`. The
    /// revocation log must not be trimmed up to this sequence before the records of all subjects in these entries have
    /// been read and healed.
    pub fn expired_through(&self, now: UnixSeconds) -> Option<Seq> {
        let expired = |entry: &&LogEntry| entry.at.plus_secs(self.settings.retain_secs) < now;
        self.entries.values().take_while(expired).last().map(|entry| entry.seq)
    }

    /// The subjects of the entries up to `through`. Each subject appears once.
    pub fn subjects_through(&self, through: Seq) -> Vec<Subject> {
        let mut subjects: Vec<_> = self
            .entries
            .range(..=through)
            .filter_map(|(_, entry)| match &entry.entry {
                Appended::Revoked(revoked) => Some(revoked.sub.clone()),
                _ => None,
            })
            .collect();
        subjects.sort();
        subjects.dedup();
        subjects
    }

    /// Drops the entries up to `through`.
    pub fn trim(&mut self, through: Seq) {
        let kept = Seq::new(through.get() + 1).map(|next| self.entries.split_off(&next)).unwrap_or_default();
        for entry in std::mem::replace(&mut self.entries, kept).into_values() {
            let Appended::Revoked(revoked) = entry.entry else { continue };
            if let Some(seqs) = self.by_subject.get_mut(&revoked.sub) {
                seqs.retain(|seq| *seq > through);
                if seqs.is_empty() {
                    self.by_subject.remove(&revoked.sub);
                }
            }
        }
        self.floor = self.floor.max(through);
    }
}

/// The part of the revocation log that concerns one subject, with the settings of the whole installation.
#[derive(Debug, Clone)]
pub struct SubjectLog {
    /// The entries about the subject, in ascending order.
    pub revoked: Vec<Logged>,
    /// The settings of the whole installation.
    pub settings: LogSettings,
    /// The position of the node's copy of the revocation log when this part was read from the copy.
    pub position: Cursor,
}

impl SubjectLog {
    /// Whether an entry names this group as the replacement of another group.
    pub fn leads_to(&self, group: Handle) -> bool {
        self.revoked
            .iter()
            .any(|logged| matches!(logged.revocation, Revocation::Group { next, .. } if next == group))
    }

    /// The entries from the last kick on. A kick ends the group of all tokens that existed before it, so a verifier
    /// refuses these tokens without the earlier entries.
    #[must_use]
    pub fn since_last_kick(&self) -> Self {
        let is_kick = |logged: &Logged| match logged.revocation {
            Revocation::Group { and, .. } => and >= GroupEnd::Kick,
            Revocation::Session { .. } => false,
        };
        let from = self.revoked.iter().rposition(is_kick).unwrap_or(0);
        Self { revoked: self.revoked.iter().skip(from).copied().collect(), ..self.clone() }
    }

    /// Seconds until the subject has fewer than `cap` live handles in the revocation list. `None` if the subject
    /// already has fewer than `cap` live handles.
    pub fn full_for_secs(&self, cap: usize, now: UnixSeconds) -> Option<u64> {
        let mut ends: BTreeMap<Handle, UnixSeconds> = BTreeMap::new();
        for logged in &self.revoked {
            ends.insert(logged.revocation.handle(), logged.at.plus_secs(self.settings.retain_secs));
        }
        let mut live: Vec<_> = ends.into_values().filter(|end| *end >= now).collect();
        live.sort_unstable();
        let leaving = live.len().checked_sub(cap)?;
        live.get(leaving).map(|end| end.secs_since(now) + 1)
    }
}

/// One entry about a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// The content of the entry.
    pub revocation: Revocation,
    /// The sequence number in the revocation log.
    pub seq: Seq,
    /// The store's time when the entry was appended.
    pub at: UnixSeconds,
}

#[cfg(test)]
mod tests;
