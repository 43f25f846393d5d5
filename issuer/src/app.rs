//! What every request handler has at hand.

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{IssuerUrl, LifetimeSettings, Origin};
use crate::desk::Desk;
use crate::keys::Keys;
use crate::life::Life;
use crate::password::Passwords;
use crate::refresh_cookie::RefreshCookie;
use crate::refresh_token::RefreshTokens;
use crate::revocations::Revocations;
use crate::secret::AdminKeys;

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
