//! The events that clients and verifiers saw, in order. A check decides whether a correct issuer could have produced
//! these events.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Mutex;

/// A verifier that has received no list for this many seconds must report that its list is old. The value is three
/// heartbeats of the stories.
const OUTAGE_SECS: u64 = 3;

/// One event that was seen. A session is identified by the number in its `sid`. A request is recorded before it is
/// sent. An answer is recorded after it has arrived. A request without an answer was interrupted by a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A login succeeded. `token` is the session's first refresh token.
    Opened { session: u64, sub: String, token: Token },
    /// Two requests of the session are sent at once with the same refresh token. Without a grace window the issuer may
    /// treat either request as theft and end the session.
    SentTwice { session: u64 },
    /// A client sends the refresh token from the last answer that the client received. The client sends no other
    /// request until this request is answered or lost.
    RefreshSent { session: u64 },
    /// The refresh returned another refresh token.
    Refreshed { session: u64, from: Token, to: Token },
    /// The refresh returned `invalid_grant`.
    Refused { session: u64 },
    /// The operator sends a kick.
    KickSent { sub: String },
    /// The kick was acknowledged at position `seq` of the revocation log. `at` is the time when the answer arrived, in
    /// whole seconds.
    Kicked { sub: String, seq: u64, at: u64 },
    /// A verifier accepted the session's access token.
    TokenAccepted { session: u64, knowledge: Knowledge },
    /// A verifier refused the session's access token as revoked.
    TokenRefused { session: u64 },
    /// A process was killed, cut off, or disturbed in another way.
    Fault(&'static str),
}

/// A refresh token. The number is a hash of the token's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

impl Token {
    /// The token with this text.
    pub fn of(text: &str) -> Self {
        Self(BuildHasherDefault::<DefaultHasher>::default().hash_one(text))
    }
}

/// The state of a verifier's list. The verifier reported this state when it accepted a token. `asked_at` is the time
/// of the question. Times are seconds of the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knowledge {
    /// The position in the revocation log up to which the verifier's list is complete.
    pub held: u64,
    pub as_of: u64,
    pub age_secs: u64,
    pub stale: bool,
    pub asked_at: u64,
}

impl Knowledge {
    /// The time up to which the verifier claims to know every kick. Each of the values `as_of`, `age_secs` and
    /// `stale` implies such a time. The verifier claims all three values, so the result is the latest of the three
    /// times.
    fn claimed(self) -> u64 {
        let by_age = self.asked_at.saturating_sub(self.age_secs);
        let by_freshness = if self.stale { 0 } else { self.asked_at.saturating_sub(OUTAGE_SECS) };
        self.as_of.max(by_age).max(by_freshness)
    }
}

/// Results that must not occur after any fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A session that was ended by an acknowledged kick got a new token. Or a verifier whose list contains the kick
    /// accepted the session's old token.
    KickLost { session: u64 },
    /// A verifier accepted a token of a session that had ended. The verifier claimed to know every kick up to a time
    /// after the end of the session.
    Understated { session: u64 },
    /// A client's refresh token or access token was refused, although the subject was not kicked and the client sent
    /// its latest token.
    SessionLost { session: u64 },
    /// A refresh succeeded after an earlier refresh of the same session was refused.
    RoseAgain { session: u64 },
    /// One token led to two other tokens, and each of the two led to further tokens.
    TwoChains { session: u64 },
    /// A verifier refused the session as revoked, but the session still works at the end of the history. So a kick was
    /// never completed.
    HalfDone { session: u64 },
    /// The session was not used after the last fault, so its state is unknown.
    Unseen { session: u64 },
}

/// How often the history reached a point where a violation would have been visible. A check that never reached
/// such a point proves nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Refreshes that were sent after a kick was acknowledged, and were answered.
    pub refreshes_after_kicks: usize,
    /// Tokens that a verifier accepted after a kick was acknowledged. For each of these tokens, the verifier had to
    /// report that its list is older than the kick.
    pub tokens_after_kicks: usize,
    /// Refresh tokens that led to two other tokens.
    pub forks: usize,
    /// Sessions that a verifier refused although no kick of the session was acknowledged.
    pub half_done: usize,
    /// Sessions that were never ended, and that were used after the last fault.
    pub living: usize,
}

impl Checked {
    /// Each count, with its label in the table of `make chaos`.
    pub fn rows(&self) -> BTreeMap<&'static str, usize> {
        let Self { refreshes_after_kicks, tokens_after_kicks, forks, half_done, living } = *self;
        BTreeMap::from([
            ("refreshes after an acknowledged kick, all refused", refreshes_after_kicks),
            (
                "tokens accepted after an acknowledged kick, all with lists reported as older",
                tokens_after_kicks,
            ),
            ("refresh tokens with two successors, only one of which was continued", forks),
            ("unacknowledged kicks that verifiers received, all completed", half_done),
            ("sessions that were not ended, all still usable", living),
        ])
    }
}

/// All events, in order.
#[derive(Debug, Default)]
pub struct History(Mutex<Vec<Event>>);

impl History {
    /// Adds an event that has just been seen.
    pub fn record(&self, event: Event) {
        self.0.lock().expect("no thread panicked").push(event);
    }

    /// Returns the counts. If the history contains a violation, returns the first violation and the number of events
    /// before this violation.
    pub fn check(&self) -> Result<Checked, (usize, Violation)> {
        let events = self.0.lock().expect("no thread panicked");
        let mut judge = Judge::default();
        for (index, event) in events.iter().enumerate() {
            judge.see(event).map_err(|violation| (index, violation))?;
        }
        let left = judge.unseen().or_else(|| judge.half_done());
        left.map_or_else(|| Ok(judge.checked()), |violation| Err((events.len(), violation)))
    }

    /// Counts acknowledged operations and faults by kind.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for event in self.0.lock().expect("no thread panicked").iter() {
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
    /// For each subject: the sessions that end when the pending kick is acknowledged.
    kicks: BTreeMap<String, BTreeSet<u64>>,
    refreshes_after_kicks: usize,
    tokens_after_kicks: usize,
}

#[derive(Debug)]
struct Seen {
    sub: String,
    /// Whether the session has possibly ended. There are two possible reasons. A kick of the subject was sent while
    /// the session was open or being opened. Or one refresh token was sent twice at once.
    may_be_over: bool,
    sent_twice: bool,
    /// The first acknowledged kick that was sent after the session was opened.
    over: Option<Over>,
    /// Whether the pending refresh was sent after the session had ended.
    sent_over: bool,
    refused: bool,
    token_refused: bool,
    since_fault: bool,
    chains: Chains,
}

/// The first kick that ended a session. `seq` is the kick's position in the revocation log. `at` is the time of its
/// acknowledgement, in whole seconds.
#[derive(Debug, Clone, Copy)]
struct Over {
    seq: u64,
    at: u64,
}

impl Judge {
    fn see(&mut self, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Opened { session, sub, token } => {
                // It is unknown whether a pending kick included this session.
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
        // The comparison is strict, because events within one second have no known order.
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
        self.sessions.get_mut(&session).expect("the session's first event is its opening")
    }
}

/// The refresh tokens of one session, and the successors of each token. If a token has two successors, the second
/// successor starts a new chain. If a refresh returns a token of another chain, the token that was sent joins this
/// other chain.
#[derive(Debug)]
struct Chains {
    chain_of: BTreeMap<Token, usize>,
    next: BTreeMap<Token, Vec<Token>>,
    /// For each chain: whether the chain got a further token after the session had split into two chains.
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
        let chain = *self.chain_of.get(&from).expect("a client sends a token that it received");
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
