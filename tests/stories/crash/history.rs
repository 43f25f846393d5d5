//! What clients and verifiers saw, in order, and whether an issuer that loses nothing could have shown it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Mutex;

/// After so many seconds without a list (three heartbeats of the stories) a verifier has to say that its list is old.
const OUTAGE_SECS: u64 = 3;

/// One thing that was seen; a session is known by the number of its `sid`. A request is recorded before it is sent, an
/// answer after it arrived; a request without an answer was cut off by a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A login was answered, with its first refresh token.
    Opened { session: u64, sub: String, token: Token },
    /// Two requests of the session are sent at once with one token. Without a grace window the issuer may take either
    /// for theft, and end the session.
    SentTwice { session: u64 },
    /// A client sends the refresh token of its last answer; it sends no other before this one is answered or lost.
    RefreshSent { session: u64 },
    /// And got another one.
    Refreshed { session: u64, from: Token, to: Token },
    /// And got `invalid_grant`.
    Refused { session: u64 },
    /// The operator kicks.
    KickSent { sub: String },
    /// And was told that it is done, and where in the log; `at` is the second in which the answer was there.
    Kicked { sub: String, seq: u64, at: u64 },
    /// A verifier took the session's access token.
    TokenAccepted { session: u64, knowledge: Knowledge },
    /// Or refused it as revoked.
    TokenRefused { session: u64 },
    /// Something was killed, cut off, or otherwise harmed.
    Fault(&'static str),
}

/// A refresh token, by a hash of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

impl Token {
    /// Of this text.
    pub fn of(text: &str) -> Self {
        Self(BuildHasherDefault::<DefaultHasher>::default().hash_one(text))
    }
}

/// What a verifier said of its list beside an answer, and when it was asked. Times are seconds of the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knowledge {
    /// The last entry of the log that its list holds.
    pub held: u64,
    pub as_of: u64,
    pub age_secs: u64,
    pub stale: bool,
    pub asked_at: u64,
}

impl Knowledge {
    /// Up to when it claims to know of every kick. Three things say so, and each has to be true.
    fn claimed(self) -> u64 {
        let by_age = self.asked_at.saturating_sub(self.age_secs);
        let by_freshness = if self.stale { 0 } else { self.asked_at.saturating_sub(OUTAGE_SECS) };
        self.as_of.max(by_age).max(by_freshness)
    }
}

/// What no fault may cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A session that was over by an acknowledged kick got a new token, or a verifier that holds the kick took its old one.
    KickLost { session: u64 },
    /// A verifier took a token that was over before the time up to which it claims to know everything.
    Understated { session: u64 },
    /// A client whose subject nobody kicked was refused with its last answer's token, or its token was.
    SessionLost { session: u64 },
    /// A session that was refused came back.
    RoseAgain { session: u64 },
    /// One token led to two others, and each of them leads on to more.
    TwoChains { session: u64 },
    /// A verifier was told that the session is over, and yet it goes on to the end: a kick that nobody finished.
    HalfDone { session: u64 },
    /// Nobody looked at the session after the last fault, so nobody knows.
    Unseen { session: u64 },
}

/// How often an honest history came to where a violation would have been seen. A checker that never looked found nothing
/// either.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Refreshes that were sent after a kick was acknowledged, and answered.
    pub refreshes_after_kicks: usize,
    /// Tokens that verifiers took after a kick was acknowledged, of which their lists had to say that they cannot know.
    pub tokens_after_kicks: usize,
    /// Refresh tokens that led to two others.
    pub forks: usize,
    /// Sessions that were over for a verifier, though no kick of theirs was acknowledged.
    pub half_done: usize,
    /// Sessions that nobody ended, and that were asked for after the last fault.
    pub living: usize,
}

impl Checked {
    /// As a table shows it.
    pub fn rows(&self) -> BTreeMap<&'static str, usize> {
        let Self { refreshes_after_kicks, tokens_after_kicks, forks, half_done, living } = *self;
        BTreeMap::from([
            ("refreshes after an acknowledged kick, all refused", refreshes_after_kicks),
            ("tokens taken after an acknowledged kick, by lists that own up to it", tokens_after_kicks),
            ("refresh tokens with two successors, one of which died", forks),
            ("unacknowledged kicks that verifiers heard of, all finished", half_done),
            ("sessions that nobody ended, all alive", living),
        ])
    }
}

/// Everything that was seen, in order.
#[derive(Debug, Default)]
pub struct History(Mutex<Vec<Event>>);

impl History {
    /// Adds what was seen just now.
    pub fn record(&self, event: Event) {
        self.0.lock().expect("nobody panicked").push(event);
    }

    /// What was looked at; or the first violation, with how many events came before it.
    pub fn check(&self) -> Result<Checked, (usize, Violation)> {
        let events = self.0.lock().expect("nobody panicked");
        let mut judge = Judge::default();
        for (index, event) in events.iter().enumerate() {
            judge.see(event).map_err(|violation| (index, violation))?;
        }
        let left = judge.unseen().or_else(|| judge.half_done());
        left.map_or_else(|| Ok(judge.checked()), |violation| Err((events.len(), violation)))
    }

    /// What was acknowledged, and what was done against it, each with how often.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for event in self.0.lock().expect("nobody panicked").iter() {
            let (of, kind) = match event {
                Event::Opened { .. } => (&mut tally.acknowledged, "logins"),
                Event::Refreshed { .. } => (&mut tally.acknowledged, "refreshes"),
                Event::Kicked { .. } => (&mut tally.acknowledged, "kicks"),
                Event::Refused { .. } => (&mut tally.acknowledged, "refusals of a refresh"),
                Event::TokenAccepted { .. } | Event::TokenRefused { .. } => {
                    (&mut tally.acknowledged, "answers of verifiers")
                }
                Event::Fault(kind) => (&mut tally.faults, *kind),
                Event::SentTwice { .. } | Event::RefreshSent { .. } | Event::KickSent { .. } => continue,
            };
            *of.entry(kind).or_default() += 1;
        }
        tally
    }
}

/// See [`History::tally`].
#[derive(Debug, Default)]
pub struct Tally {
    pub acknowledged: BTreeMap<&'static str, usize>,
    pub faults: BTreeMap<&'static str, usize>,
}

#[derive(Debug, Default)]
struct Judge {
    sessions: BTreeMap<u64, Seen>,
    /// Subjects with the sessions that a kick under way will have ended when it is acknowledged.
    kicks: BTreeMap<String, BTreeSet<u64>>,
    refreshes_after_kicks: usize,
    tokens_after_kicks: usize,
}

#[derive(Debug)]
struct Seen {
    sub: String,
    /// A kick of its subject was sent at some time after it was opened, or while it was; or it was sent twice at once.
    may_be_over: bool,
    sent_twice: bool,
    /// And a kick that was sent after it was opened was acknowledged.
    over: Option<Over>,
    /// The refresh under way was sent when the session was over already.
    sent_over: bool,
    refused: bool,
    token_refused: bool,
    since_fault: bool,
    chains: Chains,
}

/// Where the first kick that ended a session is in the log, and when it had been acknowledged.
#[derive(Debug, Clone, Copy)]
struct Over {
    seq: u64,
    at: u64,
}

impl Judge {
    fn see(&mut self, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Opened { session, sub, token } => {
                // A kick under way may or may not have found it.
                let may_be_over = self.kicks.contains_key(sub);
                let seen = Seen {
                    sub: sub.clone(),
                    may_be_over,
                    sent_twice: false,
                    over: None,
                    sent_over: false,
                    refused: false,
                    token_refused: false,
                    since_fault: false,
                    chains: Chains::from(*token),
                };
                self.sessions.insert(*session, seen);
            }
            Event::SentTwice { session } => {
                let seen = self.seen(*session);
                seen.may_be_over = true;
                seen.sent_twice = true;
            }
            Event::KickSent { sub } => {
                let hit = self.sessions.iter_mut().filter(|(_, seen)| seen.sub == *sub);
                let hit = hit.map(|(session, seen)| {
                    seen.may_be_over = true;
                    *session
                });
                let hit = hit.collect();
                self.kicks.insert(sub.clone(), hit);
            }
            Event::Kicked { sub, seq, at } => {
                for session in self.kicks.remove(sub).unwrap_or_default() {
                    self.seen(session).over.get_or_insert(Over { seq: *seq, at: *at });
                }
            }
            Event::RefreshSent { session } => {
                let seen = self.seen(*session);
                seen.sent_over = seen.over.is_some();
            }
            Event::Refreshed { session, from, to } => return self.lives(*session, *from, *to),
            Event::TokenAccepted { session, knowledge } => return self.accepted(*session, *knowledge),
            Event::Refused { session } | Event::TokenRefused { session } => {
                let seen = self.seen(*session);
                if !seen.may_be_over {
                    return Err(Violation::SessionLost { session: *session });
                }
                if matches!(event, Event::TokenRefused { .. }) {
                    seen.token_refused = true;
                } else {
                    seen.refused = true;
                    seen.since_fault = true;
                    self.refreshes_after_kicks += usize::from(self.sessions[session].sent_over);
                }
            }
            Event::Fault(_) => self.sessions.values_mut().for_each(|seen| seen.since_fault = false),
        }
        Ok(())
    }

    fn lives(&mut self, session: u64, from: Token, to: Token) -> Result<(), Violation> {
        let seen = self.seen(session);
        seen.since_fault = true;
        if seen.sent_over {
            return Err(Violation::KickLost { session });
        }
        if seen.refused {
            return Err(Violation::RoseAgain { session });
        }
        seen.chains.lead(from, to);
        if seen.chains.alive() > 1 { Err(Violation::TwoChains { session }) } else { Ok(()) }
    }

    fn accepted(&mut self, session: u64, knowledge: Knowledge) -> Result<(), Violation> {
        let Some(over) = self.seen(session).over else { return Ok(()) };
        self.tokens_after_kicks += 1;
        if over.seq <= knowledge.held {
            return Err(Violation::KickLost { session });
        }
        // Of the second in which it was acknowledged nobody knows which half came first.
        if over.at < knowledge.claimed() { Err(Violation::Understated { session }) } else { Ok(()) }
    }

    fn unseen(&self) -> Option<Violation> {
        let (session, _) = self.sessions.iter().find(|(_, seen)| !seen.since_fault)?;
        Some(Violation::Unseen { session: *session })
    }

    fn checked(&self) -> Checked {
        let count = |such: fn(&Seen) -> bool| self.sessions.values().filter(|seen| such(seen)).count();
        Checked {
            refreshes_after_kicks: self.refreshes_after_kicks,
            tokens_after_kicks: self.tokens_after_kicks,
            forks: self.sessions.values().map(|seen| seen.chains.forks()).sum(),
            half_done: count(|seen| seen.token_refused && seen.over.is_none() && !seen.sent_twice),
            living: count(|seen| !seen.may_be_over),
        }
    }

    fn half_done(&self) -> Option<Violation> {
        let (session, _) = self.sessions.iter().find(|(_, seen)| seen.token_refused && !seen.refused)?;
        Some(Violation::HalfDone { session: *session })
    }

    fn seen(&mut self, session: u64) -> &mut Seen {
        self.sessions.get_mut(&session).expect("nothing is seen of a session before it is opened")
    }
}

/// The refresh tokens of one session, and which led to which. A token with two successors begins a second chain; a
/// chain that is answered with a token of another one has joined it.
#[derive(Debug)]
struct Chains {
    chain_of: BTreeMap<Token, usize>,
    next: BTreeMap<Token, Vec<Token>>,
    /// Of every chain, whether it led on since there was another.
    leads_on: Vec<bool>,
}

impl Chains {
    fn from(first: Token) -> Self {
        Self { chain_of: BTreeMap::from([(first, 0)]), next: BTreeMap::new(), leads_on: vec![false] }
    }

    fn lead(&mut self, from: Token, to: Token) {
        if from == to {
            return;
        }
        let chain = *self.chain_of.get(&from).expect("a client sends what it was given");
        if let Some(&other) = self.chain_of.get(&to) {
            if other != chain {
                self.chain_of.insert(from, other);
                self.leads_on[chain] = false;
            }
            return;
        }
        let before = self.next.entry(from).or_default().clone();
        self.next.entry(from).or_default().push(to);
        if before.is_empty() {
            self.chain_of.insert(to, chain);
            self.leads_on[chain] = self.leads_on.len() > 1;
        } else {
            self.chain_of.insert(to, self.leads_on.len());
            self.leads_on[chain] = before.iter().any(|token| self.next.contains_key(token));
            self.leads_on.push(false);
        }
    }

    fn forks(&self) -> usize {
        self.leads_on.len() - 1
    }

    fn alive(&self) -> usize {
        self.leads_on.iter().filter(|leads_on| **leads_on).count()
    }
}

#[cfg(test)]
mod tests;
