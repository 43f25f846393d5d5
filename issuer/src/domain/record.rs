//! The subject record: all data that must change together for one subject. The record is the unit of atomic writes.

use doorlist_verifier::{Handle, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::{Moment, PasswordHash};

/// Claims that the caller adds to access tokens.
pub type CustomClaims = serde_json::Map<String, serde_json::Value>;

/// One subject: its token group, its sessions and its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The current token group. Every new access token of the subject carries this group.
    pub gid: Handle,
    /// Whether the subject is allowed to have sessions.
    pub state: SubjectState,
    /// The hash of the password, if the subject has an account here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// Claims for all access tokens of the subject. These claims take precedence over the claims of a session, and
    /// change only together with `gid`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub claims: CustomClaims,
    /// One session for each login on a device, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// The latest end of any session that this record ever held. Tokens with this `gid` may be valid until `retain`
    /// seconds after this time. Until then, a kick must append an entry for the `gid`, even if the record holds no
    /// session.
    pub last_session_end: UnixSeconds,
}

impl Record {
    /// The record of a subject that has no data yet.
    pub fn new(gid: Handle) -> Self {
        Self {
            gid,
            state: SubjectState::Active,
            password: None,
            claims: CustomClaims::new(),
            sessions: Vec::new(),
            last_session_end: UnixSeconds::ZERO,
        }
    }

    /// The record of a subject that is created before its first login. If there is no password, the record is kept as
    /// if the subject had logged in now.
    pub fn made(gid: Handle, password: Option<PasswordHash>, moment: &Moment<'_>) -> Self {
        let last_session_end = moment.now.plus_secs(moment.limits.refresh_absolute_secs);
        Self { password, last_session_end, ..Self::new(gid) }
    }

    /// The session with this `sid`, even if the session is no longer live.
    pub fn session(&self, sid: Handle) -> Option<&Session> {
        self.sessions.iter().find(|session| session.sid == sid)
    }

    /// A copy of this record with only the live sessions. The other sessions have no valid tokens, because a token
    /// never outlives its session.
    #[must_use]
    pub fn pruned(&self, moment: &Moment<'_>) -> Self {
        let mut record = self.clone();
        record.sessions.retain(|session| session.is_live(moment));
        record
    }

    /// Whether the record can be deleted without loss: every token with the record's `gid` has expired, and a new login
    /// would create all other content again.
    pub fn is_past_keeping(&self, now: UnixSeconds, retain_secs: u64) -> bool {
        self.state == SubjectState::Active
            && self.password.is_none()
            && self.claims.is_empty()
            && self.last_session_end.plus_secs(retain_secs) < now
    }
}

/// Whether the subject is allowed to have sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectState {
    /// The subject can log in.
    Active,
    /// The subject cannot log in and has no sessions.
    Disabled,
}

/// One login on one device. A session has one chain of refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The session's handle.
    pub sid: Handle,
    /// `g`: the current generation. The first generation is 1. A refresh token of this generation rotates the session.
    pub generation: u64,
    /// `p`: the generation that the last rotation replaced. It is 0 before the first rotation.
    pub previous: u64,
    /// `at`: the time when `generation` was made. It is 0 at login, so that the first refresh rotates.
    pub rotated_at: UnixSeconds,
    /// The time when the session was opened.
    pub created_at: UnixSeconds,
    /// The time of the last login or refresh.
    pub last_seen_at: UnixSeconds,
    /// The absolute end of the session.
    pub ends_at: UnixSeconds,
    /// The client that the session was opened for (RFC 6749 §2.2). The session's refresh tokens work for this
    /// client only.
    pub client_id: String,
    /// The RFC 6749 §3.3 scope of the session's access tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The user's name for the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The caller's claims for the session's access tokens. A claim of the subject with the same name takes
    /// precedence.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub claims: CustomClaims,
}

impl Session {
    /// The time when the session ends if it is not used again: the earlier of its idle end and its absolute end.
    pub fn end(&self, refresh_idle_secs: u64) -> UnixSeconds {
        self.ends_at.min(self.last_seen_at.plus_secs(refresh_idle_secs))
    }

    /// Whether the session can be refreshed. It can be refreshed if it has not reached its end, and if it was not
    /// opened before `sessions_since`.
    pub fn is_live(&self, moment: &Moment<'_>) -> bool {
        moment.now < self.end(moment.limits.refresh_idle_secs)
            && self.created_at >= moment.log.settings.sessions_since
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::fixtures::{World, at, handle};

    #[test]
    fn a_created_record_is_kept_as_if_the_subject_had_logged_in() {
        let world = World::new();
        let end = 5 + world.limits.refresh_absolute_secs;
        let password = PasswordHash::new("$argon2id$".into());
        let made = Record::made(handle(1), Some(password.clone()), &world.moment(5));
        assert_eq!((made.password, made.last_session_end), (Some(password), at(end)));
    }

    #[test]
    fn a_record_is_deleted_only_if_a_login_would_create_all_of_it_again() {
        let plain = Record::new(handle(1));
        let disabled = Record { state: SubjectState::Disabled, ..plain.clone() };
        let account = Record { password: Some(PasswordHash::new("$argon2id$".into())), ..plain.clone() };
        let claims = CustomClaims::from_iter([("role".to_owned(), json!("viewer"))]);
        let claims = Record { claims, ..plain.clone() };
        assert!(plain.is_past_keeping(at(101), 100));
        for kept in [disabled, account, claims] {
            assert!(!kept.is_past_keeping(at(101), 100), "{kept:?}");
        }
        assert!(!plain.is_past_keeping(at(100), 100), "tokens of the group may still be valid");
    }

    /// Stores hold records that earlier versions of the issuer wrote. So each new member needs a default value. A
    /// member that has its default value is left out of the JSON.
    #[test]
    fn records_of_earlier_versions_are_read_and_written_unchanged() {
        let first = json!({ "gid": "0000000000000001", "state": "active", "last_session_end": 5 });
        let record: Record = serde_json::from_value(first.clone()).expect("a record");
        assert_eq!(record.claims, CustomClaims::new());
        assert_eq!(serde_json::to_value(&record).expect("JSON"), first);

        let with_claims =
            Record { claims: CustomClaims::from_iter([("role".to_owned(), Value::Null)]), ..record };
        let written = serde_json::to_string(&with_claims).expect("JSON");
        assert_eq!(serde_json::from_str::<Record>(&written).expect("a record"), with_claims);
    }
}
