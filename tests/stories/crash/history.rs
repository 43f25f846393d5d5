//! What clients and verifiers saw, in order, and whether an issuer that loses nothing could have shown it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// One thing that was seen; a session is known by the number of its `sid`. A request is recorded before it is sent, an answer after it arrived; a request without
/// an answer was cut off by a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A login was answered.
    Opened { session: u64, sub: String },
    /// A client sends the refresh token of its last answer; it sends no other before this one is answered or lost.
    RefreshSent { session: u64 },
    /// And got another one.
    Refreshed { session: u64 },
    /// And got `invalid_grant`.
    Refused { session: u64 },
    /// The operator kicks.
    KickSent { sub: String },
    /// And was told that it is done.
    Kicked { sub: String },
    /// A verifier that holds what was acknowledged so far took the session's access token.
    TokenAccepted { session: u64 },
    /// Or refused it as revoked.
    TokenRefused { session: u64 },
    /// The issuer was killed and started again.
    Crashed,
}

/// What no crash may cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A session that was over by an acknowledged kick got a new token, or a verifier took its old one.
    KickLost { session: u64 },
    /// A client whose subject nobody kicked was refused with its last answer's token, or its token was.
    SessionLost { session: u64 },
    /// A session that was refused came back.
    RoseAgain { session: u64 },
    /// Nobody looked at the session after the last crash, so nobody knows.
    Unseen { session: u64 },
}

/// Everything that was seen, in order.
#[derive(Debug, Default)]
pub struct History(Mutex<Vec<Event>>);

impl History {
    /// Adds what was seen just now.
    pub fn record(&self, event: Event) {
        self.0.lock().expect("nobody panicked").push(event);
    }

    /// The first violation, with how many events came before it.
    pub fn check(&self) -> Result<usize, (usize, Violation)> {
        let events = self.0.lock().expect("nobody panicked");
        let mut judge = Judge::default();
        for (index, event) in events.iter().enumerate() {
            judge.see(event).map_err(|violation| (index, violation))?;
        }
        judge.unseen().map_or(Ok(events.len()), |violation| Err((events.len(), violation)))
    }
}

#[derive(Debug, Default)]
struct Judge {
    sessions: BTreeMap<u64, Seen>,
    /// Subjects with the sessions that a kick under way will have ended when it is acknowledged.
    kicks: BTreeMap<String, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Seen {
    sub: String,
    /// A kick of its subject was sent at some time after it was opened, or while it was.
    kick_sent: bool,
    /// And one that was sent after it was opened was acknowledged.
    over: bool,
    /// The refresh under way was sent when the session was over already.
    sent_over: bool,
    refused: bool,
    since_crash: bool,
}

impl Judge {
    fn see(&mut self, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Opened { session, sub } => {
                // A kick under way may or may not have found it.
                let kick_sent = self.kicks.contains_key(sub);
                let seen = Seen {
                    sub: sub.clone(),
                    kick_sent,
                    over: false,
                    sent_over: false,
                    refused: false,
                    since_crash: false,
                };
                self.sessions.insert(*session, seen);
            }
            Event::KickSent { sub } => {
                let hit = self.sessions.iter_mut().filter(|(_, seen)| seen.sub == *sub);
                let hit = hit.map(|(session, seen)| {
                    seen.kick_sent = true;
                    *session
                });
                let hit = hit.collect();
                self.kicks.insert(sub.clone(), hit);
            }
            Event::Kicked { sub } => {
                for session in self.kicks.remove(sub).unwrap_or_default() {
                    self.seen(session).over = true;
                }
            }
            Event::RefreshSent { session } => {
                let seen = self.seen(*session);
                seen.sent_over = seen.over;
            }
            Event::Refreshed { session } => return self.lives(*session),
            Event::TokenAccepted { session } => {
                if self.seen(*session).over {
                    return Err(Violation::KickLost { session: *session });
                }
            }
            Event::Refused { session } | Event::TokenRefused { session } => {
                let seen = self.seen(*session);
                if !seen.kick_sent {
                    return Err(Violation::SessionLost { session: *session });
                }
                if matches!(event, Event::Refused { .. }) {
                    seen.refused = true;
                    seen.since_crash = true;
                }
            }
            Event::Crashed => self.sessions.values_mut().for_each(|seen| seen.since_crash = false),
        }
        Ok(())
    }

    fn lives(&mut self, session: u64) -> Result<(), Violation> {
        let seen = self.seen(session);
        seen.since_crash = true;
        if seen.sent_over {
            return Err(Violation::KickLost { session });
        }
        if seen.refused {
            return Err(Violation::RoseAgain { session });
        }
        Ok(())
    }

    fn unseen(&self) -> Option<Violation> {
        let (session, _) = self.sessions.iter().find(|(_, seen)| !seen.since_crash)?;
        Some(Violation::Unseen { session: *session })
    }

    fn seen(&mut self, session: u64) -> &mut Seen {
        self.sessions.get_mut(&session).expect("nothing is seen of a session before it is opened")
    }
}

#[cfg(test)]
mod tests {
    use super::Event::*;
    use super::*;

    fn check(events: Vec<Event>) -> Result<usize, Violation> {
        History(Mutex::new(events)).check().map_err(|(_, violation)| violation)
    }

    fn opened(session: u64) -> Event {
        Opened { session, sub: "alice".into() }
    }

    fn refresh(session: u64, answer: fn(u64) -> Event) -> [Event; 2] {
        [RefreshSent { session }, answer(session)]
    }

    const YES: fn(u64) -> Event = |session| Refreshed { session };
    const NO: fn(u64) -> Event = |session| Refused { session };

    fn kick_sent() -> Event {
        KickSent { sub: "alice".into() }
    }

    fn kicked() -> Event {
        Kicked { sub: "alice".into() }
    }

    fn story(parts: &[&[Event]]) -> Result<usize, Violation> {
        check(parts.concat())
    }

    #[test]
    fn an_honest_history_passes() {
        let lost_answer = [RefreshSent { session: 1 }, Crashed];
        let honest = story(&[
            &[opened(1), opened(2)],
            &refresh(1, YES),
            &lost_answer,
            &refresh(1, YES),
            &[kick_sent(), kicked(), TokenRefused { session: 2 }, Crashed],
            &[Opened { session: 3, sub: "bob".into() }],
            &refresh(1, NO),
            &refresh(2, NO),
            &refresh(3, YES),
            &[TokenAccepted { session: 3 }],
        ]);
        assert!(honest.is_ok(), "{honest:?}");
    }

    #[test]
    fn a_kick_without_an_answer_may_go_either_way() {
        for answer in [YES, NO] {
            assert!(story(&[&[opened(1), kick_sent(), Crashed], &refresh(1, answer)]).is_ok());
        }
    }

    #[test]
    fn a_login_beside_a_kick_may_go_either_way() {
        for answer in [YES, NO] {
            assert!(story(&[&[kick_sent(), opened(1), kicked()], &refresh(1, answer)]).is_ok());
        }
    }

    #[test]
    fn a_refresh_under_way_when_the_kick_is_acknowledged_may_be_answered() {
        let beside = [opened(1), kick_sent(), RefreshSent { session: 1 }, kicked(), Refreshed { session: 1 }];
        assert!(story(&[&beside, &refresh(1, NO)]).is_ok());
    }

    #[test]
    fn a_lost_kick_is_found() {
        let lost = Err(Violation::KickLost { session: 1 });
        let kick = [opened(1), kick_sent(), kicked(), Crashed];
        assert_eq!(story(&[&kick, &refresh(1, YES)]), lost);
        assert_eq!(story(&[&kick, &[TokenAccepted { session: 1 }]]), lost);
    }

    #[test]
    fn a_lost_session_is_found() {
        let lost = Err(Violation::SessionLost { session: 1 });
        assert_eq!(story(&[&[opened(1), Crashed], &refresh(1, NO)]), lost);
        assert_eq!(story(&[&[opened(1), Crashed, TokenRefused { session: 1 }]]), lost);
        // Somebody else was kicked.
        let other = KickSent { sub: "bob".into() };
        assert_eq!(story(&[&[opened(1), other, Crashed], &refresh(1, NO)]), lost);
        // The kick was over before the login.
        assert_eq!(story(&[&[kick_sent(), kicked(), opened(1), Crashed], &refresh(1, NO)]), lost);
    }

    #[test]
    fn a_session_that_rises_again_is_found() {
        let half = [opened(1), kick_sent(), Crashed];
        let risen = story(&[&half, &refresh(1, NO), &[Crashed], &refresh(1, YES)]);
        assert_eq!(risen, Err(Violation::RoseAgain { session: 1 }));
    }

    #[test]
    fn looking_away_is_found() {
        let unseen = Err(Violation::Unseen { session: 1 });
        assert_eq!(story(&[&[opened(1)], &refresh(1, YES), &[Crashed]]), unseen);
    }
}
