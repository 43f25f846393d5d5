//! Clients that refresh one token after the other, and operators who kick, until something is killed.

use std::time::Duration;

use doorlist_verifier::{Cursor, Error};
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use super::history::{Event, History};
use crate::support::{ADMIN_KEY, Follower, Issuer, Reply, Session, eventually, position, try_send};

/// How many clients refresh as fast as they can.
const BUSY_CLIENTS: usize = 6;
const OPERATORS: usize = 3;

/// Everybody who speaks to the issuer, over all its crashes.
#[derive(Default)]
pub struct Crowd {
    history: History,
    /// Of clients who are kicked by nobody, and refresh as fast as they can.
    busy: Vec<Session>,
    /// Of all others; most of them were kicked.
    others: Vec<Session>,
    /// Every kick that was acknowledged, and where the log says so.
    kicks: Vec<Cursor>,
    refreshes: usize,
    shifts: usize,
}

impl Crowd {
    /// Opens the sessions of the busy clients.
    pub async fn open(issuer: &Issuer) -> Self {
        let mut crowd = Self::default();
        for number in 0..BUSY_CLIENTS {
            let sub = format!("busy-{number}");
            let session = issuer.open_session(&sub).await;
            crowd.history.record(Event::Opened { session: session.claims.sid.get(), sub });
            crowd.busy.push(session);
        }
        crowd
    }

    /// Works at these issuers until so many requests were answered, and for a moment more; then kills, and waits until
    /// all have noticed or had their last answer. Whoever worked at one works at the next the next time.
    pub async fn work(&mut self, issuers: &[&Issuer], answers: usize, moment: Duration, kill: impl FnOnce()) {
        self.shifts += 1;
        let over = watch::Sender::new(false);
        let answered = watch::Sender::new(0);
        let history = &self.history;
        let first = self.shifts;
        let shift_of = |person: usize| {
            let issuer = issuers[(first + person) % issuers.len()];
            Shift { issuer, history, answered: &answered, over: over.subscribe() }
        };
        let refreshing = self.busy.iter_mut().enumerate().map(|(client, session)| {
            let shift = shift_of(client);
            async move { shift.refresh_on_and_on(session).await }
        });
        let operating = (0..OPERATORS).map(|operator| {
            let shift = shift_of(operator);
            async move { shift.log_in_and_kick(operator).await }
        });
        let killing = async {
            let mut answered = answered.subscribe();
            eventually("the issuers are busy", answered.wait_for(|count| *count >= answers))
                .await
                .expect("open");
            tokio::time::sleep(moment).await;
            kill();
            over.send_replace(true);
        };
        let (refreshes, operated, ()) = tokio::join!(join_all(refreshing), join_all(operating), killing);
        self.refreshes += refreshes.into_iter().sum::<usize>();
        for (sessions, kicks) in operated {
            self.others.extend(sessions);
            self.kicks.extend(kicks);
        }
        self.history.record(Event::Crashed);
    }

    /// The last place in the log that an answer named.
    pub fn acknowledged(&self) -> Option<Cursor> {
        self.kicks.iter().max_by_key(|position| position.seq).copied()
    }

    /// Asks a verifier that holds all that was acknowledged about every access token.
    pub fn look_at_tokens(&self, verifier: &Follower) {
        for held in self.busy.iter().chain(&self.others) {
            let session = held.claims.sid.get();
            self.history.record(match verifier.verify(&held.access) {
                Ok(_) => Event::TokenAccepted { session },
                Err(Error::Revoked { .. }) => Event::TokenRefused { session },
                Err(other) => panic!("no token is refused for this: {other}"),
            });
        }
    }

    /// Every client sends its last answer's token once more.
    pub async fn everybody_refreshes(&mut self, issuer: &Issuer) {
        let (answered, over) = (watch::Sender::new(0), watch::Sender::new(false));
        let shift = Shift { issuer, history: &self.history, answered: &answered, over: over.subscribe() };
        for session in self.busy.iter_mut().chain(&mut self.others) {
            shift.refresh(session).await.expect("the issuer is up");
        }
    }

    /// Judges everything that was seen.
    pub fn assert_nothing_was_lost(&self) {
        if let Err((index, violation)) = self.history.check() {
            panic!("event {index} of the history is impossible: {violation:?}");
        }
    }

    /// A story in which nothing happened would prove nothing.
    pub fn assert_it_was_busy(&self, rounds: usize) {
        let (sessions, kicks) = (self.others.len(), self.kicks.len());
        println!(
            "{rounds} crashes, {sessions} sessions, {kicks} acknowledged kicks, {} refreshes",
            self.refreshes
        );
        assert!(kicks >= rounds && self.refreshes >= rounds && sessions > kicks, "hardly anything happened");
    }
}

/// What one person does from one kill to the next.
struct Shift<'a> {
    issuer: &'a Issuer,
    history: &'a History,
    answered: &'a watch::Sender<usize>,
    over: watch::Receiver<bool>,
}

impl Shift<'_> {
    /// Answers how many refreshes were answered.
    async fn refresh_on_and_on(&self, session: &mut Session) -> usize {
        let mut count = 0;
        while let Some(Standing::Lives) = self.refresh(session).await {
            count += 1;
        }
        count
    }

    /// Opens sessions of new subjects and kicks most of them, every other one while it refreshes; answers the
    /// sessions, and the kicks that were acknowledged.
    async fn log_in_and_kick(&self, operator: usize) -> (Vec<Session>, Vec<Cursor>) {
        let (mut sessions, mut kicks) = (Vec::new(), Vec::new());
        loop {
            let sub = format!("other-{operator}-{:016x}", rand::random::<u64>());
            let Some(reply) = self.admin("/sessions").json(&json!({ "sub": sub })).answer(self).await else {
                break;
            };
            let mut session = Session::of(&reply);
            self.history.record(Event::Opened { session: session.claims.sid.get(), sub: sub.clone() });
            let kicked = match sessions.len() % 4 {
                0 => None,
                1 => tokio::join!(self.kick(&sub), self.refresh(&mut session)).0,
                _ => self.kick(&sub).await,
            };
            kicks.extend(kicked);
            sessions.push(session);
        }
        (sessions, kicks)
    }

    /// Kicks; `None` when the issuer was killed first.
    async fn kick(&self, sub: &str) -> Option<Cursor> {
        self.history.record(Event::KickSent { sub: sub.into() });
        let reply = self.admin(&format!("/subjects/{sub}/revoke")).answer(self).await?;
        self.history.record(Event::Kicked { sub: sub.into() });
        Some(position(&reply.ok()))
    }

    /// Sends the token of the last answer; `None` when the issuer was killed first.
    async fn refresh(&self, held: &mut Session) -> Option<Standing> {
        let session = held.claims.sid.get();
        self.history.record(Event::RefreshSent { session });
        let form = [("grant_type", "refresh_token"), ("refresh_token", &held.refresh)];
        let reply = self.issuer.request(Method::POST, "/token").form(&form).answer(self).await?;
        if reply.status.is_success() {
            *held = Session::of(&reply);
            self.history.record(Event::Refreshed { session });
            return Some(Standing::Lives);
        }
        reply.refused(400, "invalid_grant");
        self.history.record(Event::Refused { session });
        Some(Standing::IsOver)
    }

    fn admin(&self, path: &str) -> RequestBuilder {
        self.issuer.request(Method::POST, &format!("/admin{path}")).bearer_auth(ADMIN_KEY)
    }
}

/// What a refresh says of a session.
enum Standing {
    Lives,
    IsOver,
}

trait Answer {
    /// The answer; `None` when the issuer was killed first, or the store, or when the shift is over.
    async fn answer(self, shift: &Shift<'_>) -> Option<Reply>;
}

impl Answer for RequestBuilder {
    async fn answer(self, shift: &Shift<'_>) -> Option<Reply> {
        if *shift.over.borrow() {
            return None;
        }
        let reply = try_send(self).await.ok()?;
        // Nothing is known of its fate.
        if reply.status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        shift.answered.send_modify(|count| *count += 1);
        Some(reply)
    }
}
