//! The requests that create, kick, disable and show subjects.

use doorlist_verifier::{Cursor, Handle};

use super::outcome::{Account, DamagedSubject};
use super::records::{Read, Step};
use super::{Acknowledged, ClaimsChange, Creation, Desk, Kick, SubjectDetails, SubjectPage};
use crate::domain::lineage::Lineage;
use crate::domain::revoke::{
    Holdings, delete, disable, enable, is_spent, kick, set_claims, set_password, void,
};
use crate::domain::{
    self, AuditEvent, AuditKind, CustomClaims, GroupEnd, Moment, PasswordHash, Record, Session, Subject,
    SubjectLog, SubjectState,
};
use crate::store::StoreError;

impl Desk {
    /// Ends every token and session that the subject has now. If `expected` is given, only tokens and sessions made
    /// under this `gid` are ended, so that a retry of the same kick does not end a later login.
    pub async fn kick(&self, sub: &Subject, expected: Option<Handle>) -> Result<Kick, StoreError> {
        let next = self.records.draw();
        let mut begun: Option<Holdings> = None;
        let rule = |read: &Read, moment: &Moment<'_>| {
            let Some(record) = read.record() else {
                return match begun {
                    Some(_) => Step::Already(KickStep::Kicked),
                    None => Step::Answer(KickStep::Unknown),
                };
            };
            if begun.is_none()
                && let Some(gid) = expected
                && gid != record.gid
            {
                match Lineage::of(moment.log).ways_to(record.gid).get(&gid) {
                    Some(GroupEnd::Kick | GroupEnd::Disable) => return Step::Already(KickStep::Kicked),
                    // The sessions of the expected group continue in the current group.
                    Some(GroupEnd::Void) => {}
                    None => return Step::Answer(KickStep::NotCurrent(record.gid)),
                }
            }
            let holdings = begun.get_or_insert_with(|| Holdings::of(record));
            if holdings.are_gone_from(Some(record)) {
                return Step::Already(KickStep::Kicked);
            }
            Step::Write(kick(sub, record, self.unspent(next, record, moment.log)), KickStep::Kicked)
        };
        let (step, position) = self.records.transact(sub, rule).await?;
        Ok(match step {
            KickStep::Kicked => Kick::Kicked(position),
            KickStep::NotCurrent(gid) => Kick::NotCurrent { gid },
            KickStep::Unknown => Kick::UnknownSubject,
        })
    }

    /// Ends every access token that the subject has now. The sessions stay open, and the next refresh of a session
    /// gives a new token.
    pub async fn void(&self, sub: &Subject) -> Result<Acknowledged, StoreError> {
        let next = self.records.draw();
        let mut begun = None;
        self.change(sub, |record, log| {
            let gid = *begun.get_or_insert(record.gid);
            (record.gid == gid).then(|| void(sub, record, self.unspent(next, record, log)))
        })
        .await
    }

    /// A kick, after which the subject cannot log in. A subject that is already disabled is kicked again. The reason:
    /// if the store has lost a write that enabled the subject, the record shows no sessions, but tokens can exist.
    pub async fn disable(&self, sub: &Subject) -> Result<Acknowledged, StoreError> {
        let next = self.records.draw();
        let mut begun = None;
        self.change(sub, |record, log| {
            let gid = *begun.get_or_insert(record.gid);
            let done = record.gid != gid && record.state == SubjectState::Disabled;
            (!done).then(|| disable(sub, record, self.unspent(next, record, log)))
        })
        .await
    }

    /// Allows the subject to log in again.
    pub async fn enable(&self, sub: &Subject) -> Result<Acknowledged, StoreError> {
        self.change(sub, |record, _| (record.state != SubjectState::Active).then(|| enable(sub, record)))
            .await
    }

    /// A kick, after which only the new password is accepted.
    pub async fn set_password(
        &self,
        sub: &Subject,
        password: PasswordHash,
    ) -> Result<Acknowledged, StoreError> {
        let mut next = self.records.draw();
        self.change(sub, |record, log| {
            if record.password.as_ref() == Some(&password) {
                return None;
            }
            if is_spent(next, record, log) {
                // Another request has acted on the entry of this kick in the revocation log. That request did not know
                // the new password. It is possible that the user logged in after that request.
                next = self.records.draw();
            }
            Some(set_password(sub, record, next, password.clone()))
        })
        .await
    }

    /// A void, after which every token of the subject carries these claims. These claims take precedence over the
    /// claims of a session. The void is written even if the subject already has these claims. The reason: if the store
    /// has lost an earlier change to other claims, the record does not show that change, but tokens with the other
    /// claims can exist.
    pub async fn set_claims(&self, sub: &Subject, claims: CustomClaims) -> Result<ClaimsChange, StoreError> {
        let next = self.records.draw();
        let mut begun = None;
        let rule = |read: &Read, moment: &Moment<'_>| {
            let Some(record) = read.record() else { return Step::Answer(Ok(Found::NoSubject)) };
            let gid = *begun.get_or_insert(record.gid);
            if record.gid != gid && record.claims == claims {
                return Step::Already(Ok(Found::Subject));
            }
            let next = self.unspent(next, record, moment.log);
            match set_claims(sub, record, next, claims.clone(), moment) {
                Ok(change) => Step::Write(change, Ok(Found::Subject)),
                Err(unfit) => Step::Answer(Err(unfit)),
            }
        };
        let (found, position) = self.records.transact(sub, rule).await?;
        Ok(match found {
            Ok(Found::Subject) => ClaimsChange::Done(position),
            Ok(Found::NoSubject) => ClaimsChange::UnknownSubject,
            Err(unfit) => ClaimsChange::Unfit(unfit),
        })
    }

    /// A kick, after which the subject no longer exists.
    pub async fn delete_subject(&self, sub: &Subject) -> Result<Acknowledged, StoreError> {
        let mut next = self.records.draw();
        let blank = |record: &Record, log: &SubjectLog| {
            if *record == Record::new(next) {
                return None;
            }
            if is_spent(next, record, log) {
                // An earlier attempt of this request appended the entry of the deletion to the revocation log. Another
                // request treated this entry as a kick. That request gave the record the group `next`, or revoked
                // `next`. It is possible that the user logged in afterwards.
                next = self.records.draw();
            }
            Some(delete(sub, record, next))
        };
        let change = self.change(sub, blank).await?;
        if let Acknowledged::Done(_) = change {
            self.forget_blank(sub, next).await?;
        }
        Ok(change)
    }

    /// Creates a subject. If the subject has an account here, `password` is the hash of its password.
    pub async fn create_subject(
        &self,
        sub: &Subject,
        password: Option<PasswordHash>,
    ) -> Result<Creation, StoreError> {
        let gid = self.records.draw();
        let rule = |read: &Read, moment: &Moment<'_>| match read.record() {
            Some(record) if record.gid == gid => Step::Already(true),
            Some(_) => Step::Answer(false),
            None => {
                let record = Record::made(gid, password.clone(), moment);
                let mut change = domain::Change::to(record);
                change.audit.push(AuditEvent::of(AuditKind::SubjectCreated, sub, gid));
                Step::Write(change, true)
            }
        };
        let (created, position) = self.records.transact(sub, rule).await?;
        Ok(if created { Creation::Created(position) } else { Creation::Exists })
    }

    /// A subject and its live sessions; `None` if there is no such subject.
    pub async fn subject(&self, sub: &Subject) -> Result<Option<SubjectDetails>, StoreError> {
        let read = self.records.read(sub).await?;
        let moment = read.moment(&self.records);
        Ok(read.record().map(|record| details(sub, record, |session| session.is_live(&moment))))
    }

    /// A page of at most `limit` subjects in the order of their names.
    pub async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<SubjectPage, StoreError> {
        let rows = self.records.store.subjects(after, limit).await?;
        let next = if rows.len() < limit { None } else { rows.last().map(|row| row.sub.clone()) };
        let now = self.last_confirmed().confirmed_at;
        let shown = rows.into_iter().map(|row| match row.record {
            Ok((_, record)) => {
                let log = self.log(|log| log.of(&row.sub));
                let moment = Moment { now, limits: &self.records.limits, log: &log };
                Ok(details(&row.sub, &record, |session| session.is_live(&moment)))
            }
            Err(error) => Err(DamagedSubject { sub: row.sub, reason: error.to_string() }),
        });
        Ok(SubjectPage { subjects: shown.collect(), next })
    }

    /// Returns the group that was drawn for a request. If this group can no longer be used (see [`is_spent`]), returns
    /// a newly drawn group.
    fn unspent(&self, drawn: Handle, record: &Record, log: &SubjectLog) -> Handle {
        if is_spent(drawn, record, log) { self.records.draw() } else { drawn }
    }

    /// Runs a rule that returns a change, or `None` if no change is needed.
    async fn change(
        &self,
        sub: &Subject,
        mut rule: impl FnMut(&Record, &SubjectLog) -> Option<domain::Change> + Send,
    ) -> Result<Acknowledged, StoreError> {
        let step = |read: &Read, moment: &Moment<'_>| match read.record() {
            None => Step::Answer(Found::NoSubject),
            Some(record) => match rule(record, moment.log) {
                Some(change) => Step::Write(change, Found::Subject),
                None => Step::Already(Found::Subject),
            },
        };
        let (found, position): (Found, Cursor) = self.records.transact(sub, step).await?;
        Ok(match found {
            Found::Subject => Acknowledged::Done(position),
            Found::NoSubject => Acknowledged::UnknownSubject,
        })
    }

    /// Removes the record of a deleted subject at once, unless another request has created the subject again
    /// meanwhile.
    async fn forget_blank(&self, sub: &Subject, gid: Handle) -> Result<(), StoreError> {
        let reading = self.records.store.read(sub, self.position().seq).await?;
        if let Some((version, record)) = reading.record
            && record == Record::new(gid)
        {
            self.records.store.forget(sub, version).await?;
        }
        Ok(())
    }
}

enum KickStep {
    Kicked,
    NotCurrent(Handle),
    Unknown,
}

enum Found {
    Subject,
    NoSubject,
}

fn details(sub: &Subject, record: &Record, is_live: impl Fn(&Session) -> bool) -> SubjectDetails {
    SubjectDetails {
        sub: sub.clone(),
        gid: record.gid,
        state: record.state,
        account: if record.password.is_some() { Account::Local } else { Account::External },
        claims: record.claims.clone(),
        sessions: record.sessions.iter().filter(|session| is_live(session)).cloned().collect(),
    }
}
