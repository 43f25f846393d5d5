//! A former name of the issuer: what clients and verifiers still hold of it, until it has ended (trace 54).

use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::UnixSeconds;

use crate::config::IssuerUrl;
use crate::desk::Desk;
use crate::domain::installation::FormerIssuer;
use crate::keys::Keys;
use crate::refresh_cookie::RefreshCookie;
use crate::refresh_token::RefreshTokens;
use crate::revocations::Revocations;
use crate::secret::MasterSecrets;

/// See the [module](self).
pub struct FormerName {
    /// The `iss` of what was made under it.
    pub issuer: IssuerUrl,
    /// Its refresh tokens, which are good for sessions opened before [`Self::sessions_until`].
    pub refresh_tokens: RefreshTokens,
    /// Where browsers keep them.
    pub refresh_cookie: RefreshCookie,
    /// The list under this name, for verifiers that still go by it.
    pub revocations: Arc<Revocations>,
    /// Sessions opened from here on have no refresh token of this name.
    pub sessions_until: UnixSeconds,
    /// When its last access token has expired, and the list under this name ends.
    pub listed_until: UnixSeconds,
}

impl FormerName {
    /// From what the store records. `None` where the name is not one that this version takes.
    ///
    /// # Errors
    ///
    /// See [`Revocations::new`].
    pub fn of(
        former: &FormerIssuer,
        desk: &Arc<Desk>,
        keys: &Arc<Keys>,
        secrets: &MasterSecrets,
        heartbeat: Duration,
    ) -> Result<Option<Self>, doorlist_verifier::Error> {
        let Ok(issuer) = former.issuer.parse::<IssuerUrl>() else { return Ok(None) };
        let name = issuer.as_str();
        let retain_secs = desk.log(|log| log.settings().retain_secs);
        Ok(Some(Self {
            refresh_tokens: RefreshTokens::new(secrets, name),
            refresh_cookie: RefreshCookie::of(name),
            revocations: Arc::new(Revocations::new(Arc::clone(desk), Arc::clone(keys), name, heartbeat)?),
            sessions_until: former.until,
            // `retain` outlives every access token, under whatever name.
            listed_until: former.until.plus_secs(retain_secs),
            issuer,
        }))
    }
}
