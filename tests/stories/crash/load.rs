//! The load on the issuers until a process is killed: clients refresh their sessions again and again, and operators
//! kick subjects.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use doorlist_verifier::{Cursor, Error};
use futures_util::future::join_all;
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use super::history::{Checked, Event, History, Knowledge, Token};
use super::tally;
use crate::support::{
    ADMIN_KEY, Follower, Issuer, Reply, Session, eventually, host_time, position, try_send,
};

/// Clients that refresh as fast as they can.
const BUSY_CLIENTS: usize = 6;
const OPERATORS: usize = 3;
/// Each query to a verifier checks this many of the latest access tokens.
const LAST_TOKENS: usize = 8;

/// All clients and operators of the issuer, from the first to the last crash.
#[derive(Default)]
pub struct Crowd {
    history: History,
    /// Sessions that are never kicked, and whose clients refresh as fast as they can.
    busy: Vec<Session>,
    /// All other sessions. Most of them were kicked.
    others: Vec<Session>,
    /// Pairs of tabs. The two tabs of a pair use one session, and send the same token at the same time.
    tabs: Vec<Vec<Session>>,
    /// The latest access tokens.
    last: Mutex<VecDeque<(u64, String)>>,
    /// The position in the revocation log of every acknowledged kick.
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
            crowd.history.record(opened(&session, sub));
            crowd.busy.push(session);
        }
        crowd
    }

    /// Sends requests to these issuers until `after` answers have arrived. Then waits for the duration `moment` and
    /// calls `harm`. Finally waits until the last request of each client has been answered or has failed. The verifiers
    /// are queried during the whole call. In the next call, each client uses the next issuer.
    pub async fn work(
        &mut self,
        issuers: &[&Issuer],
        verifiers: &[&Follower],
        Harm { after: answers, moment, kind }: Harm,
        harm: impl FnOnce(),
    ) {
        self.shifts += 1;
        let over = watch::Sender::new(false);
        let answered = watch::Sender::new(0);
        let (history, last) = (&self.history, &self.last);
        let first = self.shifts;
        let shift_of = |person: usize| {
            let at = |step: usize| issuers[(first + person + step) % issuers.len()];
            let (issuer, other) = (at(0), at(1));
            Shift { issuer, other, history, last, answered: &answered, over: over.subscribe() }
        };
        let refreshing = self.busy.iter_mut().enumerate().map(|(client, session)| {
            let shift = shift_of(client);
            async move { shift.refresh_on_and_on(session).await }
        });
        let operating = (0..OPERATORS).map(|operator| {
            let shift = shift_of(operator);
            async move { shift.log_in_and_kick(operator).await }
        });
        let tabs = shift_of(0);
        let watching = verifiers.iter().map(|verifier| watch(verifier, history, last, over.subscribe()));
        let killing = async {
            let mut answered = answered.subscribe();
            eventually("the issuers are busy", answered.wait_for(|count| *count >= answers))
                .await
                .expect("open");
            tokio::time::sleep(moment).await;
            harm();
            over.send_replace(true);
        };
        let (refreshes, operated, tabs, _, ()) = tokio::join!(
            join_all(refreshing),
            join_all(operating),
            tabs.open_tabs(),
            join_all(watching),
            killing
        );
        self.tabs.extend(tabs);
        self.refreshes += refreshes.into_iter().sum::<usize>();
        for (sessions, kicks) in operated {
            self.others.extend(sessions);
            self.kicks.extend(kicks);
        }
        self.history.record(Event::Fault(kind));
    }

    /// During this pause no client sends requests. The verifiers are still queried.
    pub async fn look_on(&self, verifiers: &[&Follower], pause: Duration) {
        let over = watch::Sender::new(false);
        let watching =
            verifiers.iter().map(|verifier| watch(verifier, &self.history, &self.last, over.subscribe()));
        let ended = tokio::time::timeout(pause, join_all(watching)).await;
        assert!(ended.is_err(), "the verifiers are asked during the whole pause");
    }

    /// The latest position in the revocation log at which a kick was acknowledged.
    pub fn acknowledged(&self) -> Option<Cursor> {
        self.kicks.iter().max_by_key(|position| position.seq).copied()
    }

    /// Asks the verifier about the latest access token of every session.
    pub fn look_at_tokens(&self, verifier: &Follower) {
        for held in self.busy.iter().chain(&self.others).chain(self.tabs.iter().flatten()) {
            self.history.record(asked(verifier, held.claims.sid.get(), &held.access));
        }
    }

    /// Every client sends its latest token once more. The two tabs of a session take turns until each tab has refreshed
    /// twice.
    pub async fn every_client_refreshes(&mut self, issuer: &Issuer) {
        let (answered, over) = (watch::Sender::new(0), watch::Sender::new(false));
        let (history, last, over) = (&self.history, &self.last, over.subscribe());
        let shift = Shift { issuer, other: issuer, history, last, answered: &answered, over };
        for session in self.busy.iter_mut().chain(&mut self.others) {
            shift.refresh(session).await.expect("the issuer answers");
        }
        for tabs in &mut self.tabs {
            shift.one_by_one(tabs).await.expect("the issuer answers");
        }
    }

    /// Checks all events. Also fails if too few events happened, because then the story would prove nothing.
    pub fn assert_nothing_was_lost(&self, story: &str, rounds: usize) -> Checked {
        let judged = self.history.check();
        tally::write(story, &self.history.tally(), judged.as_ref().ok());
        let checked = judged.unwrap_or_else(|(index, violation)| {
            panic!("event {index} of the history is impossible: {violation:?}")
        });
        println!("{rounds} faults, {:?}, {checked:?}", self.history.tally());
        assert!(self.kicks.len() >= rounds && self.refreshes >= rounds, "too few events happened");
        assert!(checked.refreshes_after_kicks >= rounds, "no client refreshed after an acknowledged kick");
        assert!(checked.forks > 0, "no token had two successors");
        assert!(checked.living >= BUSY_CLIENTS, "too few sessions were never ended");
        checked
    }
}

/// The fault that ends one call of [`Crowd::work`], and the time of the fault.
pub struct Harm {
    /// How many answers to wait for before the fault is caused.
    pub after: usize,
    /// How long to wait, after the last of the `after` answers, before the fault is caused.
    pub moment: Duration,
    /// The name of the fault in the table of `make chaos`.
    pub kind: &'static str,
}

impl Harm {
    /// A fault after a random number of answers and a random wait.
    pub fn at_random(random: &mut StdRng, answers: Range<usize>, kind: &'static str) -> Self {
        let moment = Duration::from_micros(random.random_range(0..4_000));
        Self { after: random.random_range(answers), moment, kind }
    }
}

/// Queries a verifier each time the verifier receives a list, and at least every 100 ms.
async fn watch(
    verifier: &Follower,
    history: &History,
    last: &Mutex<VecDeque<(u64, String)>>,
    mut over: watch::Receiver<bool>,
) {
    let mut events = verifier.events();
    loop {
        tokio::select! {
            _ = over.wait_for(|over| *over) => return,
            _ = events.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        let tokens = last.lock().expect("no thread panicked").clone();
        for (session, token) in tokens {
            history.record(asked(verifier, session, &token));
        }
    }
}

fn asked(verifier: &Follower, session: u64, token: &str) -> Event {
    let time = host_time();
    let (held, answer) =
        verifier.look(|verifier| (verifier.status(time).sequence, verifier.verify(token, time)));
    match answer {
        Ok(verified) => {
            let said = verified.freshness;
            let (Some(held), Some(as_of), Some(age_secs)) = (held, said.as_of, said.age_secs) else {
                panic!("the verifier holds no list")
            };
            let knowledge = Knowledge {
                held: held.get(),
                as_of: as_of.as_secs(),
                age_secs,
                stale: said.stale,
                asked_at: time.wall.as_secs(),
            };
            Event::TokenAccepted { session, knowledge }
        }
        Err(Error::Revoked { .. }) => Event::TokenRefused { session },
        Err(other) => panic!("a token was refused for an unexpected reason: {other}"),
    }
}

fn opened(session: &Session, sub: String) -> Event {
    Event::Opened { session: session.claims.sid.get(), sub, token: Token::of(&session.refresh) }
}

/// The work of one client or operator between two faults.
struct Shift<'a> {
    issuer: &'a Issuer,
    /// The issuer that gets the second of two simultaneous requests.
    other: &'a Issuer,
    history: &'a History,
    last: &'a Mutex<VecDeque<(u64, String)>>,
    answered: &'a watch::Sender<usize>,
    over: watch::Receiver<bool>,
}

impl Shift<'_> {
    /// Refreshes the session again and again until a refresh returns no new tokens. Returns the number of refreshes
    /// that returned tokens.
    async fn refresh_on_and_on(&self, session: &mut Session) -> usize {
        let mut count = 0;
        while let Some(SessionState::Lives) = self.refresh(session).await {
            count += 1;
        }
        count
    }

    /// Opens sessions of new subjects. Of every four subjects, one subject is not kicked, one is kicked during a
    /// refresh, and two are kicked without a refresh. Returns the sessions and the positions of the acknowledged kicks.
    async fn log_in_and_kick(&self, operator: usize) -> (Vec<Session>, Vec<Cursor>) {
        let (mut sessions, mut kicks) = (Vec::new(), Vec::new());
        loop {
            let sub = format!("other-{operator}-{:016x}", rand::random::<u64>());
            let Some(reply) = self.admin("/sessions").json(&json!({ "sub": sub })).answer(self).await else {
                break;
            };
            let mut session = Session::of(&reply);
            self.history.record(opened(&session, sub.clone()));
            self.remember(&session);
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

    /// Opens sessions of new subjects. For each session, two tabs send the same token at once. Afterwards the two tabs
    /// take turns, and each tab sends the latest token that it received. Returns the tabs.
    async fn open_tabs(&self) -> Vec<Vec<Session>> {
        let mut all = Vec::new();
        loop {
            let sub = format!("tabs-{:016x}", rand::random::<u64>());
            let Some(reply) = self.admin("/sessions").json(&json!({ "sub": sub })).answer(self).await else {
                return all;
            };
            let first = Session::of(&reply);
            self.history.record(opened(&first, sub));
            self.history.record(Event::SentTwice { session: first.claims.sid.get() });
            let mut tabs = vec![first.clone(), first];
            let [one, two] = &mut tabs[..] else { unreachable!("there are two tabs") };
            let sent = tokio::join!(self.refresh_at(self.issuer, one), self.refresh_at(self.other, two));
            let went_on = match sent {
                (Some(_), Some(_)) => self.one_by_one(&mut tabs).await,
                _ => None,
            };
            all.push(tabs);
            if went_on.is_none() {
                return all;
            }
        }
    }

    /// The tabs take turns until each tab has refreshed twice. Returns `None` if a request gets no answer, see
    /// [`Answer::answer`].
    async fn one_by_one(&self, tabs: &mut [Session]) -> Option<()> {
        for _ in 0..2 {
            for tab in &mut *tabs {
                self.refresh(tab).await?;
            }
        }
        Some(())
    }

    /// Kicks the subject. Returns `None` if the request gets no answer, see [`Answer::answer`].
    async fn kick(&self, sub: &str) -> Option<Cursor> {
        self.history.record(Event::KickSent { sub: sub.into() });
        let reply = self.admin(&format!("/subjects/{sub}/revoke")).answer(self).await?;
        let at = host_time().wall.as_secs();
        let position = position(&reply.ok());
        self.history.record(Event::Kicked { sub: sub.into(), seq: position.seq.get(), at });
        Some(position)
    }

    /// Sends the session's latest refresh token. Returns `None` if the request gets no answer, see [`Answer::answer`].
    async fn refresh(&self, held: &mut Session) -> Option<SessionState> {
        self.refresh_at(self.issuer, held).await
    }

    async fn refresh_at(&self, issuer: &Issuer, held: &mut Session) -> Option<SessionState> {
        let session = held.claims.sid.get();
        self.history.record(Event::RefreshSent { session });
        let form = [("grant_type", "refresh_token"), ("refresh_token", &held.refresh)];
        let reply = issuer.request(Method::POST, "/token").form(&form).answer(self).await?;
        if reply.status.is_success() {
            let from = Token::of(&held.refresh);
            *held = Session::of(&reply);
            self.history.record(Event::Refreshed { session, from, to: Token::of(&held.refresh) });
            self.remember(held);
            return Some(SessionState::Lives);
        }
        reply.refused(400, "invalid_grant");
        self.history.record(Event::Refused { session });
        Some(SessionState::IsOver)
    }

    /// From now on verifiers are asked about this session's access token. They are asked until [`LAST_TOKENS`] newer
    /// tokens exist.
    fn remember(&self, session: &Session) {
        let mut last = self.last.lock().expect("no thread panicked");
        last.truncate(LAST_TOKENS - 1);
        last.push_front((session.claims.sid.get(), session.access.clone()));
    }

    fn admin(&self, path: &str) -> RequestBuilder {
        self.issuer.request(Method::POST, &format!("/admin{path}")).bearer_auth(ADMIN_KEY)
    }
}

/// The state of a session after a refresh.
enum SessionState {
    Lives,
    IsOver,
}

trait Answer {
    /// Returns the answer. Returns `None` if the call of [`Crowd::work`] is ending, if no answer arrives, or if the
    /// answer is a 503.
    async fn answer(self, shift: &Shift<'_>) -> Option<Reply>;
}

impl Answer for RequestBuilder {
    async fn answer(self, shift: &Shift<'_>) -> Option<Reply> {
        if *shift.over.borrow() {
            return None;
        }
        let reply = try_send(self).await.ok()?;
        // After a 503 it is unknown whether the request took effect.
        if reply.status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        shift.answered.send_modify(|count| *count += 1);
        Some(reply)
    }
}
