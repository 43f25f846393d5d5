//! The subject record: everything that changes together, and so the unit of atomicity.

use doorlist_verifier::{Handle, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::PasswordHash;

/// Caller's own claims, in the order they were given.
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
    /// One for each login on a device, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// The latest end of any session this record ever held: until `retain` after it, the `gid` here is
    /// what a kick must append, although no session may be left.
    pub last_session_end: UnixSeconds,
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
    /// Claims of its access tokens besides the standard ones.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub claims: CustomClaims,
}
