//! The whole path once: a token, a list, a kick.

use doorlist_verifier::{Error, RevocationStatus};

use crate::support::*;

#[test]
fn a_good_token_is_accepted_until_its_group_is_revoked() {
    let mut verifier = ready();
    let verified = verify(&mut verifier, &claims(), NOW).expect("a good token");
    assert_eq!(verified.claims.subject, "alice");
    assert_eq!(verified.revocation, RevocationStatus::NotRevoked);
    assert_eq!(verified.payload_json, text(&claims()));
    assert_eq!((verified.freshness.age_secs, verified.freshness.stale), (Some(10), false));

    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[GID]);
    let loaded = verifier.load(&Key::number(1).list(&kick), at(NOW)).expect("a good delta");
    assert_eq!((loaded.sequence.get(), loaded.entries), (101, 1));
    let error = verify(&mut verifier, &claims(), NOW).expect_err("revoked");
    assert!(matches!(error, Error::Revoked { .. }), "{error:?}");
    assert_eq!(
        serde_json::to_value(error.report()).unwrap(),
        serde_json::json!({
            "code": "ERR_JWT_REVOKED",
            "message": "revoked by its group, says the list of 1767225600",
            "by": "gid",
            "handle": "0000000000ab0001",
            "asOf": NOW,
        })
    );
}
