//! The subject record: everything that changes together, and so the unit of atomicity.

use doorlist_verifier::{Handle, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::{Moment, PasswordHash};

/// Caller's own claims.
pub type CustomClaims = serde_json::Map<String, serde_json::Value>;

/// One subject: its token group, its sessions, its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The current token group; every access token of the subject carries it.
    pub gid: Handle,
    /// Whether the subject may have sessions.
    pub state: SubjectState,
    /// The hash of its password, when the subject has an account here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// Claims of all its access tokens, over those of their sessions; changed only together with `gid`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub claims: CustomClaims,
    /// One for each login on a device, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// The latest end of any session this record ever held: until `retain` after it, the `gid` here is
    /// what a kick must append, although no session may be left.
    pub last_session_end: UnixSeconds,
}

impl Record {
    /// A subject that has nothing yet.
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

    /// A subject made before its first login. One without an account here is kept as if it had logged in.
    pub fn made(gid: Handle, password: Option<PasswordHash>, moment: &Moment<'_>) -> Self {
        let last_session_end = moment.now.plus_secs(moment.limits.refresh_absolute_secs);
        Self { password, last_session_end, ..Self::new(gid) }
    }

    /// The session with this `sid`, live or not.
    pub fn session(&self, sid: Handle) -> Option<&Session> {
        self.sessions.iter().find(|session| session.sid == sid)
    }

    /// This record without sessions that have ended by themselves; their last tokens ended no later.
    #[must_use]
    pub fn pruned(&self, moment: &Moment<'_>) -> Self {
        let mut record = self.clone();
        record.sessions.retain(|session| session.is_live(moment));
        record
    }

    /// Whether nothing is lost when the record is: no token of its `gid` can be alive, and it says nothing
    /// that a login would not say anew.
    pub fn is_past_keeping(&self, now: UnixSeconds, retain_secs: u64) -> bool {
        self.state == SubjectState::Active
            && self.password.is_none()
            && self.claims.is_empty()
            && self.last_session_end.plus_secs(retain_secs) < now
    }
}

/// Whether the subject may have sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectState {
    /// May log in.
    Active,
    /// May not log in, and has no sessions.
    Disabled,
}

/// One login on one device: one chain of refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The session's handle.
    pub sid: Handle,
    /// `g`: the generation a refresh token must have to rotate; starts at 1.
    pub generation: u64,
    /// `p`: the generation last rotated away; starts at 0.
    pub previous: u64,
    /// `at`: when `generation` was made; starts at 0, so that the first refresh rotates.
    pub rotated_at: UnixSeconds,
    /// When the session was opened.
    pub created_at: UnixSeconds,
    /// The last login or refresh.
    pub last_seen_at: UnixSeconds,
    /// The absolute end.
    pub ends_at: UnixSeconds,
    /// Who the session was opened for (RFC 6749 §2.2); its refresh tokens serve nobody else.
    pub client_id: String,
    /// RFC 6749 §3.3 scope of its access tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What the user calls the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Claims of its access tokens besides the standard ones, under those of its subject.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub claims: CustomClaims,
}

impl Session {
    /// When it ends if it is not seen again: the earlier of its idle and its absolute end.
    pub fn end(&self, refresh_idle_secs: u64) -> UnixSeconds {
        self.ends_at.min(self.last_seen_at.plus_secs(refresh_idle_secs))
    }

    /// Whether it can be refreshed: not at its end, and not opened before everybody's sessions were ended.
    pub fn is_live(&self, moment: &Moment<'_>) -> bool {
        moment.now < self.end(moment.limits.refresh_idle_secs)
            && self.created_at >= moment.log.settings.sessions_since
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Stores hold records of every version before: a member is only ever added with a default, and left out as long
    /// as it says nothing.
    #[test]
    fn records_of_before_are_read_and_written_as_they_were() {
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
