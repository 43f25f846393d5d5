//! A node's copy of the live log.

use std::collections::{BTreeMap, HashMap, HashSet};

use doorlist_verifier::{Cursor, Handle, Seq, UnixSeconds};

use super::log::Appended;
use super::{LogEntry, LogPage, Revocation, Settings, Subject};

/// What the log holds, as far as this node has heard. Grows by pages of the log, shrinks by [`Self::trim`].
#[derive(Debug, Clone)]
pub struct LogView {
    settings: Settings,
    last: Seq,
    floor: Seq,
    last_key_change: Seq,
    entries: BTreeMap<Seq, LogEntry>,
    by_subject: HashMap<Subject, Vec<Seq>>,
}

/// Whether a page could be added to a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It had something new.
    News,
    /// All of it was known.
    Nothing,
    /// The log is of another lineage, or lost what this view holds: the view is unchanged, and log and view have
    /// to be brought together first.
    Broken,
}

impl LogView {
    /// The view of everything a log holds (a page asked for from [`Seq::ZERO`]).
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

    /// Adds a page that was asked for from at or before [`Self::position`]. Known entries are passed over, so
    /// pages may arrive in any order; settings only rise.
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

    /// Starts over from everything the log holds now; what this view heard past that stays, in the same epoch.
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

    /// What this view holds, is younger than `retain`, and the whole log lacks.
    pub fn lost_by<'view>(&'view self, whole: &'view LogPage) -> impl Iterator<Item = &'view LogEntry> {
        let known: HashSet<&Appended> = whole.entries.iter().map(|entry| &entry.entry).collect();
        let retain_secs = self.settings.merged(&whole.settings).retain_secs;
        self.entries
            .values()
            .filter(move |held| held.at.plus_secs(retain_secs) >= whole.now)
            .filter(move |held| held.entry != Appended::Mark && !known.contains(&held.entry))
    }

    /// Whether [`Self::renew`] would forget what has to be put back first.
    pub fn would_forget(&self, whole: &LogPage) -> bool {
        let stays = |entry: &LogEntry| self.settings.epoch == whole.settings.epoch && entry.seq > whole.last;
        self.lost_by(whole).any(|entry| !stays(entry))
    }

    /// Where this copy stands.
    pub fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }

    /// Settings as last heard.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The earliest sequence from which a delta is complete; before it, only the whole list will do.
    pub fn floor(&self) -> Seq {
        self.floor
    }

    /// The last entry about keys, or zero when the log no longer holds one.
    pub fn last_key_change(&self) -> Seq {
        self.last_key_change
    }

    /// Entries past `since`, ascending.
    pub fn since(&self, since: Seq) -> impl Iterator<Item = &LogEntry> {
        self.entries
            .range((std::ops::Bound::Excluded(since), std::ops::Bound::Unbounded))
            .map(|(_, entry)| entry)
    }

    /// Handles revoked past `since` in the order of the log; [`Seq::ZERO`] for all.
    pub fn handles_since(&self, since: Seq) -> impl Iterator<Item = Handle> {
        self.since(since).filter_map(|entry| match &entry.entry {
            Appended::Revoked(revoked) => Some(revoked.handle()),
            _ => None,
        })
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the log says of one subject.
    pub fn of(&self, sub: &Subject) -> SubjectLog {
        let seqs = self.by_subject.get(sub).map(Vec::as_slice).unwrap_or_default();
        let revoked = seqs.iter().filter_map(|seq| self.entries.get(seq)).filter_map(|entry| {
            let Appended::Revoked(revoked) = &entry.entry else { return None };
            Some(Logged { revocation: revoked.revocation, seq: entry.seq, at: entry.at })
        });
        SubjectLog { revoked: revoked.collect(), settings: self.settings, position: self.position() }
    }

    /// The last of the leading entries that are older than `retain`: through it the log may be trimmed, once
    /// every record named there was looked at.
    pub fn expired_through(&self, now: UnixSeconds) -> Option<Seq> {
        let expired = |entry: &&LogEntry| entry.at.plus_secs(self.settings.retain_secs) < now;
        self.entries.values().take_while(expired).last().map(|entry| entry.seq)
    }

    /// Subjects named by entries up to `through`, each once.
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

    /// Drops entries up to `through`.
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

/// What the log says of one subject, and of everybody.
#[derive(Debug, Clone)]
pub struct SubjectLog {
    /// The subject's entries, ascending.
    pub revoked: Vec<Logged>,
    /// What holds for everybody.
    pub settings: Settings,
    /// How far the log was known when this was taken.
    pub position: Cursor,
}

impl SubjectLog {
    /// Whether an entry names this group as the one that takes the place of another.
    pub fn leads_to(&self, group: Handle) -> bool {
        self.revoked
            .iter()
            .any(|logged| matches!(logged.revocation, Revocation::Group { next, .. } if next == group))
    }

    /// Seconds until the subject has fewer than `cap` live handles in the list; `None`: it has fewer now.
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

/// One of a subject's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// What it says.
    pub revocation: Revocation,
    /// Its number in the log.
    pub seq: Seq,
    /// When it was appended.
    pub at: UnixSeconds,
}

#[cfg(test)]
mod tests;
