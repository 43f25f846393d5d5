//! The data of an accepted token that is needed to check the token again.

use crate::claims::AccessTokenClaims;
use crate::handle::Handle;
use crate::key_id::KeyId;
use crate::time::UnixSeconds;

/// The data of an accepted token that is needed to check the token again.
///
/// ```
/// use doorlist_verifier::Error;
/// use doorlist_verifier::remembered::{Memory, Terms};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, token, now) = (ready(), Key::number(1).token(&claims()), at(NOW));
/// let mut memory = Memory::new(1000);
/// let terms: Terms = verifier.verify(&token, now)?.terms;
/// assert!(memory.remember(token.as_bytes().into(), terms).is_some());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The key that made the token's signature.
    pub(crate) kid: KeyId,
    pub(crate) issued_at: UnixSeconds,
    pub(crate) expires_at: UnixSeconds,
    pub(crate) not_before: Option<UnixSeconds>,
    pub(crate) gid: Handle,
    pub(crate) sid: Handle,
    /// The number of lists that had brought handles when the verifier last searched for `gid` and `sid`. That search
    /// found neither handle. While the number of such lists stays the same, no new search is needed.
    pub(crate) unlisted_after: u64,
}

impl Terms {
    pub(crate) const fn new(kid: KeyId, claims: &AccessTokenClaims) -> Self {
        let &AccessTokenClaims { issued_at, expires_at, not_before, gid, sid, .. } = claims;
        Self { kid, issued_at, expires_at, not_before, gid, sid, unlisted_after: 0 }
    }
}
