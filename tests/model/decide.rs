//! The decision of a node about a record. The decision uses the issuer's own rules, and a copy of the few lines of the
//! desk that call these rules.

use doorlist::domain::heal::heal;
use doorlist::domain::login::{self, LoginHandles, OpenSession, login};
use doorlist::domain::refresh::{self, Presented, refresh};
use doorlist::domain::revoke::{Holdings, end_session, is_spent, kick, void};
use doorlist::domain::{
    Appended, Change, Grant, GroupEnd, Limits, Moment, NewEntry, Record, Revocation, Subject, SubjectLog,
};
use doorlist_verifier::{Handle, UnixSeconds};

use crate::node::{Answer, How, Request, Token, Write};
use crate::rules::{Rule, Scope};
use crate::store::Kept;

pub fn alice() -> Subject {
    "alice".try_into().expect("a subject")
}

/// The result of a rule.
#[derive(Debug)]
pub enum Decided {
    Answer(Answer),
    /// The change is already written, perhaps by another node. Perhaps no replica has received the change yet.
    Already(Answer),
    Write(Write),
}

/// The input of a decision.
pub struct Decision<'a> {
    pub scope: &'a Scope,
    pub limits: &'a Limits,
    pub now: UnixSeconds,
    pub log: SubjectLog,
    pub record: &'a Kept,
}

impl Decision<'_> {
    fn moment(&self) -> Moment<'_> {
        Moment { now: self.now, limits: self.limits, log: &self.log }
    }

    /// The change that the revocation log requires before the request's own rule runs, if any.
    pub fn heal(&self, draw: impl FnOnce() -> Handle) -> Option<Write> {
        if !self.scope.has(Rule::HealOnRead) {
            return None;
        }
        let mut log = self.log.clone();
        if !self.scope.has(Rule::KickOvertaken) && !is_logged(&log, self.record.gid) {
            log.revoked.retain(|logged| matches!(logged.revocation, Revocation::Session { .. }));
        }
        if !self.scope.has(Rule::StrongestKind) {
            let all = log.revoked.clone();
            log.revoked.retain(|logged| {
                let same = all.iter().find(|other| other.revocation.handle() == logged.revocation.handle());
                same == Some(logged)
            });
        }
        let healed = heal(&alice(), self.record, &log, draw)
            .filter(|change| change.record != **self.record || self.scope.has(Rule::StraysRevoked));
        if healed.is_none() && !self.scope.has(Rule::HealByHandle) && self.is_kicked_at_all() {
            let cleared = Record { sessions: Vec::new(), ..Record::clone(self.record) };
            return Some(write(Change::to(cleared), None));
        }
        healed.map(|change| write(change, None))
    }

    fn is_kicked_at_all(&self) -> bool {
        let is_kick =
            |revocation| matches!(revocation, Revocation::Group { and, .. } if and >= GroupEnd::Kick);
        !self.record.sessions.is_empty() && self.log.revoked.iter().any(|logged| is_kick(logged.revocation))
    }

    /// The request's own rule.
    pub fn request(
        &self,
        request: Request,
        begun: &mut Option<Kept>,
        draw: impl FnOnce() -> Handle,
    ) -> Decided {
        let unspent = |next| if is_spent(next, self.record, &self.log) { draw() } else { next };
        match request {
            Request::Kick { next } => {
                let begun = Record::clone(begun.get_or_insert_with(|| self.record.clone()));
                let gone = match self.scope.has(Rule::KickSeesSessionsGone) {
                    true => Holdings::of(&begun).are_gone_from(Some(self.record)),
                    false => begun.gid != self.record.gid,
                };
                if gone {
                    return Decided::Already(Answer::Kicked(self.log.position.seq));
                }
                Decided::Write(write(
                    kick(&alice(), self.record, unspent(next)),
                    Some(Answer::Kicked(self.log.position.seq)),
                ))
            }
            Request::Void { next } => {
                if begun.get_or_insert_with(|| self.record.clone()).gid != self.record.gid {
                    return Decided::Already(Answer::Voided(self.log.position.seq));
                }
                Decided::Write(write(
                    void(&alice(), self.record, unspent(next)),
                    Some(Answer::Voided(self.log.position.seq)),
                ))
            }
            Request::Login { sid, gid } => {
                let open = OpenSession { client_id: "app".into(), ..OpenSession::default() };
                match login(&alice(), Some(self.record), &open, LoginHandles { sid, gid }, &self.moment()) {
                    login::Decision::Refuse(_) => Decided::Answer(Answer::Refused),
                    login::Decision::Done(grant) => Decided::Already(granted(&grant, How::Login)),
                    login::Decision::Open(change, grant) => {
                        Decided::Write(write(change, Some(granted(&grant, How::Login))))
                    }
                }
            }
            Request::Refresh { sid, generation, .. } => match self.refresh(sid, generation) {
                refresh::Decision::Refuse(_) => Decided::Answer(Answer::Refused),
                refresh::Decision::Repeat(grant) => {
                    let how = if self.is_young(sid) { How::Repeat } else { How::Advance };
                    Decided::Answer(granted(&grant, how))
                }
                refresh::Decision::Advance(change, grant) => {
                    Decided::Write(write(change, Some(granted(&grant, How::Advance))))
                }
                refresh::Decision::Reuse(change) => Decided::Write(write(change, Some(Answer::Refused))),
            },
            Request::Beat | Request::Start => Decided::Answer(Answer::Beaten),
        }
    }

    /// Whether the session was rotated within the grace window.
    fn is_young(&self, sid: Handle) -> bool {
        self.record
            .session(sid)
            .is_some_and(|session| self.now.secs_since(session.rotated_at) < self.limits.refresh_grace_secs)
    }

    /// The refresh table, without the lines whose rule is switched off.
    fn refresh(&self, sid: Handle, generation: u64) -> refresh::Decision {
        let mut limits = *self.limits;
        if !self.scope.has(Rule::GraceWindow) {
            limits.refresh_grace_secs = 0;
        }
        let session = self.record.session(sid);
        let (g, p) = session.map_or((0, 0), |session| (session.generation, session.previous));
        if generation == p && !self.scope.has(Rule::ParentOnlyOnce) {
            limits.refresh_grace_secs = u64::MAX;
        }
        let crossed_out = (generation == p && !self.is_young(sid) && !self.scope.has(Rule::LostAnswerHeals))
            || (generation > g && !self.scope.has(Rule::StoreCatchesUp));
        if crossed_out && let Some(reuse) = end_session(&alice(), self.record, sid) {
            return refresh::Decision::Reuse(reuse);
        }
        let presented = Presented { sid, generation, client_id: None };
        let moment = Moment { limits: &limits, ..self.moment() };
        refresh(&alice(), Some(self.record), presented, &moment)
    }
}

fn is_logged(log: &SubjectLog, handle: Handle) -> bool {
    log.revoked.iter().any(|logged| logged.revocation.handle() == handle)
}

fn granted(grant: &Grant, how: How) -> Answer {
    let token = Token { gid: grant.gid, sid: grant.sid, expires: grant.expires_at.as_secs() };
    Answer::Granted { token, generation: grant.generation, how }
}

fn write(change: Change, answer: Option<Answer>) -> Write {
    let appended = change.entries.into_iter().filter_map(|entry| match entry {
        NewEntry::Revoked(revoked) => Some(Appended::Revoked(revoked)),
        _ => None,
    });
    Write {
        entries: appended.collect(),
        record: change.record.into(),
        waits: change.durability.into(),
        answer,
    }
}
