//! The state that every request handler can use.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use doorlist_verifier::{Error, Verified};
use tokio::sync::watch;

use crate::clients::Clients;
use crate::config::{IssuerUrl, LifetimeSettings, Origin};
use crate::desk::{Desk, RefreshClaims};
use crate::device::Devices;
use crate::former_name::FormerName;
use crate::installation::Comparison;
use crate::keys::Keys;
use crate::life::Life;
use crate::login_brake::LoginBrake;
use crate::password::Passwords;
use crate::refresh_token::RefreshTokens;
use crate::revocations::{Revocations, store_time};
use crate::secret::{CurrentAdminKeys, SecretText};
use crate::store::StoreError;
use crate::token_cookie::{Repeated, TokenCookie};

/// A running issuer.
pub struct App {
    /// The rules and the store.
    pub desk: Arc<Desk>,
    /// The keys that sign tokens and lists.
    pub keys: Arc<Keys>,
    /// The revocation list.
    pub revocations: Arc<Revocations>,
    /// Makes and reads refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// The browser cookie that holds the refresh token.
    pub refresh_cookie: TokenCookie,
    /// Makes and reads device tokens.
    pub devices: Devices,
    /// Slows down guesses of passwords.
    pub login_brake: LoginBrake,
    /// Hashes passwords. Limits the number of passwords that are hashed at the same time.
    pub passwords: Passwords,
    /// The keys that `/admin/*` and `/introspect` require.
    pub admin_keys: CurrentAdminKeys,
    /// The addresses and the limits of clients.
    pub clients: Arc<Clients>,
    /// Former names of the issuer that are still accepted.
    pub former: Vec<FormerName>,
    /// Compares this node's name and settings with the record in the store, which all nodes share.
    pub installation: Comparison,
    /// The `iss` of tokens, and the base of every published URL.
    pub issuer: IssuerUrl,
    /// The `aud` of access tokens.
    pub audience: String,
    /// Lifetimes of tokens and sessions.
    pub lifetimes: LifetimeSettings,
    /// Browser origins that may use the login, token and session routes.
    pub allowed_origins: Vec<Origin>,
    /// Whether the process serves, drains or stops.
    pub life: watch::Receiver<Life>,
}

impl App {
    /// The claims of a refresh token of this issuer. A token with a former name is accepted only for a session that
    /// was opened before the rename took effect.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot be read.
    pub async fn read_refresh_token(&self, text: &str) -> Result<Option<RefreshClaims>, StoreError> {
        if let Ok(claims) = self.refresh_tokens.decode(text) {
            return Ok(Some(claims));
        }
        for former in &self.former {
            let Ok(claims) = former.refresh_tokens.decode(text) else { continue };
            let subject = self.desk.subject(&claims.sub).await?;
            let mut sessions = subject.iter().flat_map(|subject| &subject.sessions);
            let session = sessions.find(|session| session.sid == claims.sid);
            // If the session does not exist, the token is accepted here. The refresh then fails because the session
            // has ended.
            let is_later = session.is_some_and(|session| session.created_at >= former.sessions_until);
            return Ok((!is_later).then_some(claims));
        }
        Ok(None)
    }

    /// The refresh token in the request's cookie. If that cookie is missing, returns the refresh token in the cookie
    /// of a former name.
    ///
    /// # Errors
    ///
    /// [`Repeated`] if the request has one of these cookies more than once.
    pub fn find_cookie(&self, headers: &HeaderMap) -> Result<Option<SecretText>, Repeated> {
        let cookies = std::iter::once(&self.refresh_cookie)
            .chain(self.former.iter().map(|former| &former.refresh_cookie));
        for cookie in cookies {
            if let Some(token) = cookie.find(headers)? {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    /// Checks an access token as a verifier would, under the current name and then under the former names.
    ///
    /// # Errors
    ///
    /// The error of the check under the current name.
    pub fn verify(&self, token: &str) -> Result<Verified, Error> {
        self.revocations.verify(token).or_else(|error| {
            let mut former = self.listed_names();
            former.find_map(|former| former.revocations.verify(token).ok()).ok_or(error)
        })
    }

    /// The former name in the request's `Host` header. `None` if the header contains another name, or if no list is
    /// published under the former name any more.
    pub fn former_name_of(&self, headers: &HeaderMap) -> Option<&FormerName> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        if host.eq_ignore_ascii_case(self.issuer.authority()) {
            return None;
        }
        self.listed_names().find(|former| host.eq_ignore_ascii_case(former.issuer.authority()))
    }

    fn listed_names(&self) -> impl Iterator<Item = &FormerName> {
        let now = store_time(&self.desk.last_confirmed());
        self.former.iter().filter(move |former| now < former.listed_until)
    }
}
