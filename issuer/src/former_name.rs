//! A former name of the issuer. After a rename, clients and verifiers may still hold tokens, cookies and lists of the
//! former name until these expire (trace 54).

use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::UnixSeconds;

use crate::config::IssuerUrl;
use crate::desk::Desk;
use crate::domain::installation::FormerIssuer;
use crate::keys::Keys;
use crate::refresh_token::RefreshTokens;
use crate::revocations::Revocations;
use crate::secret::MasterSecrets;
use crate::token_cookie::TokenCookie;

/// See the [module](self).
pub struct FormerName {
    /// The `iss` of tokens and lists under this name.
    pub issuer: IssuerUrl,
    /// Reads refresh tokens of this name. These tokens are valid for sessions opened before [`Self::sessions_until`].
    pub refresh_tokens: RefreshTokens,
    /// The browser cookie that holds a refresh token of this name.
    pub refresh_cookie: TokenCookie,
    /// The list under this name, for verifiers that still use it.
    pub revocations: Arc<Revocations>,
    /// Sessions opened at or after this time have no refresh token of this name.
    pub sessions_until: UnixSeconds,
    /// The time when the last access token of this name has expired. From this time on, no list is published under
    /// this name.
    pub listed_until: UnixSeconds,
}

impl FormerName {
    /// Builds the former name from the stored record. `None` if this version does not accept the name as an issuer
    /// URL.
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
            refresh_cookie: TokenCookie::of_refresh(name),
            revocations: Arc::new(Revocations::new(Arc::clone(desk), Arc::clone(keys), name, heartbeat)?),
            sessions_until: former.until,
            // `retain` is longer than the life of any access token, under any name.
            listed_until: former.until.plus_secs(retain_secs),
            issuer,
        }))
    }
}
