//! What a verifier must know, found by looking through all that it was ever told.

use std::collections::BTreeSet;

use doorlist_verifier::{HostTime, KeyId, MissingListPolicy, Options, RevocationList, StalePolicy};

use super::Token;
use crate::support::*;

/// Every list that was taken, in order, and where keys came from besides.
pub struct Past {
    options: Options,
    taken: Vec<(RevocationList, HostTime)>,
    trusted: BTreeSet<KeyId>,
    dropped: BTreeSet<KeyId>,
}

/// Whether what a list once named is still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// No list that was taken names it.
    Never,
    /// No newer list came by which it could have left.
    Surely,
    /// It may have left, or stay a while.
    Perhaps,
}

impl Past {
    pub fn new(options: Options) -> Self {
        let trusted = [1, 2, 3].map(kid).into();
        Self { options, taken: Vec::new(), trusted, dropped: BTreeSet::new() }
    }

    pub fn took(&mut self, list: RevocationList, at: HostTime) {
        if let Some(jwks) = &list.jwks {
            let kids = jwks.keys.iter().map(|key| key.kid()).collect();
            self.dropped = (&(&self.dropped | &self.trusted)) - &kids;
            self.trusted = kids;
        }
        self.taken.push((list, at));
    }

    pub fn configured(&mut self, key: u8) {
        if !self.dropped.contains(&kid(key)) {
            self.trusted.insert(kid(key));
        }
    }

    pub fn trusts(&self, token: &Token) -> bool {
        self.trusted.contains(&kid(token.key))
    }

    /// The sequence that is held, or the first to be.
    pub fn sequence(&self) -> u64 {
        self.last().map_or(100, |list| list.seq.get())
    }

    /// FORMAT.md §5: the later of the wall clock and, for each list, its `iat` and what went by since.
    pub fn now(&self, at: HostTime) -> u64 {
        let proven = self
            .taken
            .iter()
            .map(|(list, heard)| list.issued_at.as_secs() + (at.monotonic - heard.monotonic).as_secs());
        proven.fold(at.wall.as_secs(), u64::max)
    }

    pub fn as_of(&self) -> Option<u64> {
        self.lists().map(|list| list.issued_at.as_secs()).max()
    }

    pub fn cutoff(&self) -> u64 {
        self.lists().map(|list| list.cutoff.as_secs()).max().unwrap_or(0)
    }

    pub fn leeway(&self) -> u64 {
        let own = self.options.clock_tolerance_secs;
        match self.last() {
            Some(list) => own.unwrap_or(list.leeway_secs).min(list.leeway_secs),
            None => own.unwrap_or(60),
        }
    }

    pub fn grace(&self) -> Option<u64> {
        self.options.outage_grace_secs
    }

    /// Nothing newer was heard for more than three `ttl`.
    pub fn is_outage(&self, at: HostTime) -> bool {
        !self.taken.is_empty() && self.now(at) > self.last_fresh()
    }

    /// The last second at which what is held is fresh.
    pub fn last_fresh(&self) -> u64 {
        self.as_of().unwrap_or(0) + self.last().map_or(0, |list| 3 * list.ttl_secs)
    }

    /// Whether what would revoke a token of this time is kept no longer.
    pub fn has_forgotten(&self, iat: u64) -> bool {
        self.last().is_some_and(|list| Some(iat + list.retain_secs) < self.as_of())
    }

    /// Whether a policy refuses, whatever the token.
    pub fn is_refused_by_policy(&self, at: HostTime) -> bool {
        match self.as_of() {
            None => self.options.on_missing == MissingListPolicy::Deny,
            Some(as_of) => {
                let most = self.options.max_staleness_secs.unwrap_or(u64::MAX);
                self.options.on_stale == StalePolicy::Deny && self.now(at) - as_of > most
            }
        }
    }

    /// The surer of what is known of the token's group and session.
    pub fn listed(&self, token: &Token) -> Listed {
        match [token.gid, token.sid].map(|number| self.lists_still(number)) {
            [Listed::Never, other] | [other, Listed::Never] => other,
            [Listed::Surely, _] | [_, Listed::Surely] => Listed::Surely,
            [Listed::Perhaps, Listed::Perhaps] => Listed::Perhaps,
        }
    }

    fn lists_still(&self, number: u64) -> Listed {
        let named: Vec<usize> = self.naming(number).collect();
        if named.is_empty() {
            Listed::Never
        } else if named.iter().any(|at| self.stayed_since(*at)) {
            Listed::Surely
        } else {
            Listed::Perhaps
        }
    }

    /// FORMAT.md §7: whether no list came since this one with an `iat` past the as-of of then and the longest `retain`.
    fn stayed_since(&self, named: usize) -> bool {
        (named + 1..self.taken.len())
            .all(|at| self.taken[at].0.issued_at.as_secs() <= self.brought(named) + self.longest_retain(at))
    }

    /// The last `iat` of a list by which this handle does not leave, if any named it.
    pub fn kept_until(&self, number: u64) -> Option<u64> {
        let last = self.naming(number).last()?;
        Some(self.brought(last) + self.longest_retain(self.taken.len() - 1))
    }

    fn naming(&self, number: u64) -> impl Iterator<Item = usize> {
        (0..self.taken.len()).filter(move |at| self.taken[*at].0.revoked.contains(handle(number)))
    }

    /// As-of when this list was taken.
    fn brought(&self, at: usize) -> u64 {
        self.lists().take(at + 1).map(|list| list.issued_at.as_secs()).max().unwrap_or(0)
    }

    /// Ever told, up to this list.
    fn longest_retain(&self, at: usize) -> u64 {
        self.lists().take(at + 1).map(|list| list.retain_secs).max().unwrap_or(0)
    }

    fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.taken.iter().map(|(list, _)| list)
    }

    fn last(&self) -> Option<&RevocationList> {
        self.lists().last()
    }
}

fn kid(key: u8) -> KeyId {
    Key::number(key).public().kid()
}
