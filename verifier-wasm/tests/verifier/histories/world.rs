//! A verifier to which the events of a history are applied.

use std::time::Duration;

use doorlist_verifier::{Epoch, Error, HostTime, LoadOutcome, RevocationList, Verdict, Verified, Verifier};

use super::{Draft, Event, History, Limit, Past, Token, When};
use crate::remembered::Remembering;
use crate::support::*;

/// A verifier with a memory, and all the inputs that it has received.
pub struct World {
    remembering: Remembering,
    pub past: Past,
    pub at: HostTime,
    /// The true time, independent of the host's clock.
    truth: u64,
    tokens: Vec<(Token, String)>,
    offered: Vec<(RevocationList, String)>,
}

/// The results of checking a token at one moment.
#[derive(Debug)]
pub struct Asked {
    pub token: Token,
    pub whole: Result<Verified, Error>,
    /// The result from the memory if the memory knows the token. Otherwise the result of the full check.
    pub again: Result<Verified, Error>,
    /// The result of `check_vetted` for the token's claims, as if another library had verified the token.
    pub vetted: Result<Verdict, Error>,
}

/// A list that the verifier was asked to load.
#[derive(Debug)]
pub struct Offered {
    pub list: RevocationList,
    pub outcome: Result<LoadOutcome, Error>,
}

#[derive(Debug)]
pub enum Happened {
    Asked(Vec<Asked>),
    Offered(Box<Offered>),
    Nothing,
}

impl World {
    pub fn new(history: &History) -> Self {
        let mut verifier = verifier_with(history.options.clone());
        verifier.add_jwks(&jwks_text(&[2, 3])).expect("a valid key set");
        Self {
            remembering: Remembering::new(verifier, history.capacity),
            past: Past::new(history.options.clone()),
            at: HostTime { wall: secs(NOW), monotonic: Duration::from_secs(5) },
            truth: NOW,
            tokens: history.tokens.iter().map(|token| (*token, token.text())).collect(),
            offered: Vec::new(),
        }
    }

    /// Runs a history. Calls `each` for every check of a token, with the state at the time of the check.
    pub fn play(history: &History, mut each: impl FnMut(&Past, HostTime, Asked)) {
        let mut world = Self::new(history);
        for event in &history.events {
            let Happened::Asked(answers) = world.step(event) else { continue };
            for asked in answers {
                each(&world.past, world.at, asked);
            }
        }
    }

    pub fn verifier(&self) -> &Verifier {
        &self.remembering.verifier
    }

    pub fn step(&mut self, event: &Event) -> Happened {
        match event {
            Event::Ask(number) => return Happened::Asked(vec![self.ask(*number)]),
            Event::AskAt { number, limit, beside } => {
                let exp = self.tokens[*number].0.exp;
                let limit = match limit {
                    Limit::Expiry => exp,
                    Limit::Leeway => exp + self.past.leeway(),
                    Limit::Grace => exp + self.past.grace().unwrap_or(0),
                    Limit::Outage => self.past.last_fresh(),
                };
                let left = limit.saturating_add_signed(*beside).saturating_sub(self.past.now(self.at));
                self.pass(left);
                return Happened::Asked((0..self.tokens.len()).map(|number| self.ask(number)).collect());
            }
            Event::Pass { secs: passed, off } => {
                if let Some(off) = off {
                    self.at.wall = secs(self.truth.saturating_add_signed(*off));
                }
                self.pass(*passed);
            }
            Event::Load(draft) => {
                let list = self.written(draft);
                let text = Key::number(draft.signer).list(&list);
                self.offered.push((list, text));
                return self.offer(self.offered.len() - 1);
            }
            Event::Replay(_) if self.offered.is_empty() => {}
            Event::Replay(number) => return self.offer(number % self.offered.len()),
            Event::AddKey(number) => {
                self.remembering.verifier.add_jwks(&jwks_text(&[*number])).expect("a valid key set");
                self.past.configured(*number);
            }
        }
        Happened::Nothing
    }

    fn pass(&mut self, seconds: u64) {
        self.truth += seconds;
        self.at.wall = self.at.wall.plus_secs(seconds);
        self.at.monotonic += Duration::from_secs(seconds);
    }

    fn ask(&mut self, number: usize) -> Asked {
        let (token, text) = &self.tokens[number];
        let again = self.remembering.again(text, self.at);
        let whole = match again {
            Some(_) => self.remembering.verifier.verify(text, self.at),
            None => self.remembering.whole(text, self.at),
        };
        let vetted = self.verifier().check_vetted(&token.vetted(), self.at);
        Asked { token: *token, again: again.map_or_else(|| whole.clone(), Ok), whole, vetted }
    }

    fn offer(&mut self, number: usize) -> Happened {
        let (list, text) = &self.offered[number];
        let outcome = self.remembering.verifier.load(text, self.at).map(|loaded| loaded.outcome);
        if outcome == Ok(LoadOutcome::Applied) {
            self.past.took(list.clone(), self.at);
        }
        Happened::Offered(Box::new(Offered { list: list.clone(), outcome }))
    }

    fn written(&self, draft: &Draft) -> RevocationList {
        let held = self.past.sequence();
        let (from, beside) = match draft.iat {
            When::Now(beside) => (self.truth, beside),
            When::Expiry(number, beside) => (self.tokens[number].0.exp, beside),
            When::Leaving(number, beside) => (self.past.kept_until(number).unwrap_or(self.truth), beside),
        };
        let in_jwks = || draft.keys.as_deref().or((!draft.is_delta).then_some(&[1, 2, 3]));
        RevocationList {
            issued_at: secs(from.saturating_add_signed(beside)),
            ttl_secs: draft.ttl,
            retain_secs: draft.retain,
            leeway_secs: draft.leeway,
            epoch: Epoch(draft.epoch),
            seq: seq(held + draft.ahead),
            since: draft.is_delta.then_some(seq(held)),
            cutoff: secs(draft.cutoff.map_or(0, |cutoff| NOW.saturating_add_signed(cutoff))),
            jwks: in_jwks().map(jwks),
            revoked: revoking(&draft.revoked),
            ..snapshot()
        }
    }
}
