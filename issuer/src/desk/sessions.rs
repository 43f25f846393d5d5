//! The requests that open, refresh and end sessions.

use std::time::Duration;

use doorlist_verifier::Handle;

use super::records::{ATTEMPTS, Read, Step, contended};
use super::request::{PasswordCheck, PasswordVerdict, Proof, RefreshClaims};
use super::{Desk, EndSession, Login, OpenSession, Refresh};
use crate::domain::login::{self, LoginHandles, login};
use crate::domain::refresh::{self, Presented, refresh};
use crate::domain::revoke::end_session;
use crate::domain::{Grant, LoginRefusal, Moment, PasswordHash, RETAIN_SLACK_SECS, Subject};
use crate::store::StoreError;

/// After a confirmation, a node is allowed to issue tokens for this long without a new confirmation. `retain` includes
/// the same time, so that an entry outlives the tokens that such a node issues.
const MINTING_LIMIT: Duration = Duration::from_secs(RETAIN_SLACK_SECS);

impl Desk {
    /// Opens a session. With [`Proof::Trusted`] a subject that does not exist is created.
    pub async fn open_session(
        &self,
        sub: &Subject,
        session: OpenSession,
        proof: Proof<'_>,
    ) -> Result<Login, StoreError> {
        let handles = LoginHandles { sid: self.records.draw(), gid: self.records.draw() };
        let mut proven = Proven::new(proof);
        for _ in 0..ATTEMPTS {
            let read = self.records.read(sub).await?;
            match proven.by(&read).await {
                Checked::Earlier => {}
                // The password check took a while, so the record is read again, and the rule runs on the current
                // record.
                Checked::Now => continue,
                Checked::Failed(refusal) => return Ok(Login::Refused(refusal)),
            }
            match login(sub, read.record(), &session, handles, &read.moment(&self.records)) {
                login::Decision::Refuse(refusal) => return Ok(Login::Refused(refusal)),
                login::Decision::Done(grant) => {
                    if self.records.settled(sub, &read).await? {
                        return Ok(Login::Opened(grant));
                    }
                }
                login::Decision::Open(change, grant) => {
                    if self.records.write(sub, &read, change).await?.is_some() {
                        return Ok(Login::Opened(grant));
                    }
                }
            }
        }
        Err(contended())
    }

    /// Refreshes a session by the table of [`crate::domain::refresh`](mod@crate::domain::refresh). A wrong
    /// `client_id` changes nothing.
    ///
    /// A refresh that wrote nothing is answered only if the last confirmation is younger than a heartbeat. Otherwise a
    /// node with an isolated store would answer such refreshes for ever. A refresh that writes does not wait for a
    /// replica. So such a refresh needs a confirmation that is at most [`RETAIN_SLACK_SECS`] old. Otherwise an isolated
    /// node, which cannot read new entries of the revocation log, could issue a token that outlives one of these
    /// entries.
    pub async fn refresh(
        &self,
        token: &RefreshClaims,
        client_id: Option<&str>,
    ) -> Result<Refresh, StoreError> {
        if !self.last_confirmed().is_fresh(MINTING_LIMIT) {
            self.confirmed().await?;
        }
        let presented = Presented { sid: token.sid, generation: token.generation, client_id };
        let rule =
            |read: &Read, moment: &Moment<'_>| match refresh(&token.sub, read.record(), presented, moment) {
                refresh::Decision::Refuse(refusal) => {
                    Step::Answer(Decided::Unwritten(Refresh::Refused(refusal)))
                }
                refresh::Decision::Repeat(grant) if moment.log.leads_to(grant.gid) => {
                    Step::Already(Decided::Unwritten(Refresh::Granted(grant)))
                }
                refresh::Decision::Repeat(grant) => Step::Answer(Decided::Unwritten(Refresh::Granted(grant))),
                refresh::Decision::Advance(change, grant) => Step::Write(change, Decided::Advanced(grant)),
                refresh::Decision::Reuse(change) => Step::Write(change, Decided::Reused),
            };
        let (decided, position) = self.records.transact(&token.sub, rule).await?;
        Ok(match decided {
            Decided::Unwritten(answer) => {
                self.confirmed().await?;
                answer
            }
            Decided::Advanced(grant) => Refresh::Granted(grant),
            Decided::Reused => Refresh::Reused(position),
        })
    }

    /// Ends a session if it belongs to this subject.
    pub async fn end_session(&self, sub: &Subject, sid: Handle) -> Result<EndSession, StoreError> {
        self.end(sub, sid, None).await
    }

    /// RFC 7009: ends the session of an authentic refresh token, even if the token is superseded. If `client_id` is
    /// given, the session is ended only if it belongs to that client.
    pub async fn end_by_refresh_token(
        &self,
        token: &RefreshClaims,
        client_id: Option<&str>,
    ) -> Result<EndSession, StoreError> {
        self.end(&token.sub, token.sid, client_id).await
    }

    async fn end(
        &self,
        sub: &Subject,
        sid: Handle,
        client_id: Option<&str>,
    ) -> Result<EndSession, StoreError> {
        let mut seen = false;
        let rule = |read: &Read, _: &Moment<'_>| {
            let session = read.record().and_then(|record| Some((record, record.session(sid)?)));
            let Some((record, session)) = session else {
                return if seen { Step::Already(End::Ended) } else { Step::Answer(End::NoSession) };
            };
            if client_id.is_some_and(|client_id| client_id != session.client_id) {
                return Step::Answer(End::OtherClient);
            }
            // If the session is missing on a later attempt, this request or another request has ended the session.
            seen = true;
            match end_session(sub, record, sid) {
                Some(change) => Step::Write(change, End::Ended),
                None => Step::Already(End::Ended),
            }
        };
        let (end, position) = self.records.transact(sub, rule).await?;
        Ok(match end {
            End::Ended => EndSession::Ended(position),
            End::NoSession => {
                // If the node has read from an isolated old master, it is possible that the session exists on the new
                // master. A confirmation proves that the node does not use an isolated master.
                self.confirmed().await?;
                EndSession::NoSuchSession
            }
            End::OtherClient => EndSession::OtherClient,
        })
    }
}

enum End {
    Ended,
    NoSession,
    OtherClient,
}

enum Decided {
    Unwritten(Refresh),
    Advanced(Grant),
    Reused,
}

/// A proof, and the password hash with which the proof was accepted. If the record has another hash, the proof is
/// checked again.
struct Proven<'a> {
    proof: Proof<'a>,
    good_for: Option<PasswordHash>,
}

/// The result of checking the login's proof. `Earlier`: the proof needs no new check. `Now`: the proof was checked and
/// accepted now. `Failed`: the login is refused.
enum Checked {
    Earlier,
    Now,
    Failed(LoginRefusal),
}

impl<'a> Proven<'a> {
    fn new(proof: Proof<'a>) -> Self {
        Self { proof, good_for: None }
    }

    async fn by(&mut self, read: &Read) -> Checked {
        let check: &dyn PasswordCheck = match self.proof {
            Proof::Trusted => return Checked::Earlier,
            Proof::Password(check) => check,
        };
        let hash = read.record().and_then(|record| record.password.as_ref());
        if hash.is_some() && hash == self.good_for.as_ref() {
            return Checked::Earlier;
        }
        match (check.check(hash).await, hash) {
            (PasswordVerdict::Right, Some(hash)) => {
                self.good_for = Some(hash.clone());
                Checked::Now
            }
            (PasswordVerdict::Right | PasswordVerdict::Wrong, _) => {
                Checked::Failed(LoginRefusal::WrongPassword)
            }
            (PasswordVerdict::Busy, _) => Checked::Failed(LoginRefusal::CheckerBusy),
        }
    }
}
