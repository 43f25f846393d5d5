//! What every request handler has at hand.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use doorlist_verifier::{Error, Verified};
use tokio::sync::watch;

use crate::config::{IssuerUrl, LifetimeSettings, Origin};
use crate::desk::{Desk, RefreshClaims};
use crate::former_name::FormerName;
use crate::installation::Comparison;
use crate::keys::Keys;
use crate::life::Life;
use crate::password::Passwords;
use crate::refresh_cookie::{RefreshCookie, Repeated};
use crate::refresh_token::RefreshTokens;
use crate::revocations::{Revocations, store_time};
use crate::secret::{AdminKeys, SecretText};
use crate::store::StoreError;

/// A running issuer.
pub struct App {
    /// Rules and store.
    pub desk: Arc<Desk>,
    /// What signs.
    pub keys: Arc<Keys>,
    /// What is pushed.
    pub revocations: Arc<Revocations>,
    /// What clients hold.
    pub refresh_tokens: RefreshTokens,
    /// Where browsers hold it.
    pub refresh_cookie: RefreshCookie,
    /// Hashing, a bounded number at once.
    pub passwords: Passwords,
    /// What `/admin/*` and `/introspect` ask for.
    pub admin_keys: AdminKeys,
    /// Earlier names that are still understood.
    pub former: Vec<FormerName>,
    /// What is compared with the store and the other nodes.
    pub installation: Comparison,
    /// `iss`, and the base of every published URL.
    pub issuer: IssuerUrl,
    /// `aud`.
    pub audience: String,
    /// How long things live.
    pub lifetimes: LifetimeSettings,
    /// Browser origins that may use login, token and session routes.
    pub allowed_origins: Vec<Origin>,
    /// Whether the process serves, drains or stops.
    pub life: watch::Receiver<Life>,
}

impl App {
    /// The claims of a refresh token of this issuer; of a former name, those of sessions that it can have opened.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn read_refresh_token(&self, text: &str) -> Result<Option<RefreshClaims>, StoreError> {
        if let Ok(claims) = self.refresh_tokens.decode(text) {
            return Ok(Some(claims));
        }
        for former in &self.former {
            let Ok(claims) = former.refresh_tokens.decode(text) else { continue };
            let subject = self.desk.subject(&claims.sub).await?;
            let mut sessions = subject.iter().flat_map(|subject| &subject.sessions);
            let session = sessions.find(|session| session.sid == claims.sid);
            // Without a session the token is as good as any other whose session is over.
            let is_later = session.is_some_and(|session| session.created_at >= former.sessions_until);
            return Ok((!is_later).then_some(claims));
        }
        Ok(None)
    }

    /// The refresh token in a request's cookie, else in the one of a former name.
    ///
    /// # Errors
    ///
    /// [`Repeated`]
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

    /// Checks an access token as a verifier would, of this name or of a former one.
    ///
    /// # Errors
    ///
    /// That of this name.
    pub fn verify(&self, token: &str) -> Result<Verified, Error> {
        self.revocations.verify(token).or_else(|error| {
            let mut former = self.listed_names();
            former.find_map(|former| former.revocations.verify(token).ok()).ok_or(error)
        })
    }

    /// The former name by which a request's `Host` calls this issuer, while there is a list under it.
    pub fn former_name_of(&self, headers: &HeaderMap) -> Option<&FormerName> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        if host.eq_ignore_ascii_case(self.issuer.authority()) {
            return None;
        }
        self.listed_names().find(|former| host.eq_ignore_ascii_case(former.issuer.authority()))
    }

    fn listed_names(&self) -> impl Iterator<Item = &FormerName> {
        let now = store_time(&self.desk.standing());
        self.former.iter().filter(move |former| now < former.listed_until)
    }
}
