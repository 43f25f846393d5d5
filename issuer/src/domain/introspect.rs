//! Introspection: whether a token is still valid according to the record. Nothing is written.

use doorlist_verifier::{Handle, UnixSeconds};

use super::refresh::{Decision, Presented, refresh};
use super::{Grant, Moment, Record, Subject};

/// The claims of a verified access token that are compared with the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessClaims {
    /// The token's group.
    pub gid: Handle,
    /// The token's session.
    pub sid: Handle,
    /// The time when the token was issued.
    pub issued_at: UnixSeconds,
    /// The time when the token expires.
    pub expires_at: UnixSeconds,
}

/// Whether a verified access token is also valid according to the record and the revocation log. The token's session
/// must be live, the token's group must be current, and the token must not have been issued before the cut-off. The
/// record must have been healed.
///
/// The times in the token and the current time all come from the store's clock, so no leeway is needed.
pub fn is_active(record: Option<&Record>, token: AccessClaims, moment: &Moment<'_>) -> bool {
    let is_held = record.is_some_and(|record| {
        record.gid == token.gid && record.session(token.sid).is_some_and(|session| session.is_live(moment))
    });
    is_held && token.issued_at >= moment.log.settings.cutoff && moment.now < token.expires_at
}

/// The grant that a refresh with this token would give now. The caller has already verified the token. `None` if the
/// refresh would be refused or treated as reuse. The record must have been healed.
pub fn would_grant(
    sub: &Subject,
    record: Option<&Record>,
    token: Presented<'_>,
    moment: &Moment<'_>,
) -> Option<Grant> {
    match refresh(sub, record, token, moment) {
        Decision::Repeat(grant) | Decision::Advance(_, grant) => Some(grant),
        Decision::Refuse(_) | Decision::Reuse(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{World, alice, at, handle};
    use crate::domain::revoke::{kick, void};

    const NOW: u64 = 1_000_000;

    fn token(gid: u64, sid: u64) -> AccessClaims {
        let (issued_at, expires_at) = (at(NOW), at(NOW + 900));
        AccessClaims { gid: handle(gid), sid: handle(sid), issued_at, expires_at }
    }

    #[test]
    fn an_access_token_is_active_while_its_session_and_group_are() {
        let mut world = World::new();
        let record = world.record(1, &[10], NOW);
        let active =
            |world: &World, record: &Record, now| is_active(Some(record), token(1, 10), &world.moment(now));
        assert!(active(&world, &record, NOW));
        assert!(!is_active(None, token(1, 10), &world.moment(NOW)));
        assert!(!is_active(Some(&record), token(2, 10), &world.moment(NOW)), "of another group");
        assert!(!is_active(Some(&record), token(1, 11), &world.moment(NOW)), "of another session");
        assert!(!active(&world, &void(&alice(), &record, handle(2)).record, NOW));
        assert!(!active(&world, &kick(&alice(), &record, handle(2)).record, NOW));
        assert!(
            !active(&world, &record, NOW + world.limits.refresh_idle_secs),
            "the session was idle for too long"
        );

        assert!(active(&world, &record, NOW + 899));
        assert!(!active(&world, &record, NOW + 900), "the token has expired");

        world.log.settings.cutoff = at(NOW);
        assert!(active(&world, &record, NOW), "issued at the cut-off");
        world.log.settings.cutoff = at(NOW + 1);
        assert!(!active(&world, &record, NOW));
    }

    #[test]
    fn a_refresh_token_is_active_if_a_refresh_would_be_granted() {
        let world = World::new();
        let mut record = world.record(1, &[10], NOW);
        (record.sessions[0].generation, record.sessions[0].previous) = (7, 6);
        let granted = |record: Option<&Record>, generation| {
            let token = Presented { sid: handle(10), generation, client_id: None };
            would_grant(&alice(), record, token, &world.moment(NOW)).map(|grant| grant.sid)
        };
        for generation in [6, 7, 8] {
            assert_eq!(granted(Some(&record), generation), Some(handle(10)), "{generation}");
        }
        assert_eq!(granted(Some(&record), 5), None, "a refresh with this token would be reuse");
        assert_eq!(granted(None, 7), None);
    }
}
