//! `/login`: logs a user in with username and password.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::ApiError;
use super::answer::{Delivery, logged_in};
use super::extract::{JsonBody, subject};
use super::same_site::require_own_page;
use super::session_parameters::open_session;
use super::tokens::end_cookie;
use crate::app::App;
use crate::clients::Sender;
use crate::desk::{Login, LoginRefusal, Proof};
use crate::domain::login_brake::{Braked, Taken};
use crate::domain::{CustomClaims, Subject};
use crate::login_brake::Attempt;
use crate::password::{Offer, Password};
use crate::revocations::store_time;
use crate::secret::SecretText;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    username: String,
    password: String,
    client_id: Option<String>,
    device: Option<String>,
    device_token: Option<String>,
    #[serde(default)]
    token_delivery: Delivery,
}

/// `POST /login`: logs a user in, if the issuer keeps the account of this user. In cookie mode, the new cookie replaces
/// the old cookie. Without the old cookie, the client can neither refresh nor end the old session. So the login also
/// ends the old session.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    sender: Option<Extension<Sender>>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Response, ApiError> {
    let (replaced, device_cookie) = match request.token_delivery {
        Delivery::Body => (None, None),
        Delivery::Cookie => {
            require_own_page(&headers, &app.allowed_origins)?;
            (app.find_cookie(&headers).ok().flatten(), app.devices.find_cookie(&headers))
        }
    };
    app.desk.check_clock()?;
    let password = Password::offered(SecretText::from(request.password))
        .ok_or_else(|| ApiError::invalid_grant("unknown username or wrong password"))?;
    let sub = subject(request.username)?;
    let session = open_session(request.client_id, None, request.device, CustomClaims::new())?;
    let device = match request.device_token.map(SecretText::from).or(device_cookie) {
        Some(token) => known_device(&app, &sub, &token).await?,
        None => None,
    };
    let address = sender.and_then(|Extension(sender)| sender.address());
    let attempt = Attempt { sub: &sub, address, device };
    let taken = app.login_brake.begin(attempt).await?.map_err(braked)?;
    let offer = Offer { passwords: &app.passwords, password };
    let login = app.desk.open_session(&sub, session, Proof::Password(&offer)).await?;
    settle(&app, attempt, taken, &login).await;
    if let (Login::Opened(_), Some(replaced)) = (&login, replaced) {
        // The login succeeds even if the store fails to end the old session. This failure is already in the log output.
        let _ = end_cookie(&app, &replaced, None).await;
    }
    logged_in(&app, login, request.token_delivery, Some(device.unwrap_or_else(rand::random)))
}

/// The number of the device, if the account knows it. The store is asked only for an authentic token of this account,
/// so the time of the answer shows nothing about other accounts.
async fn known_device(app: &App, sub: &Subject, token: &SecretText) -> Result<Option<u64>, ApiError> {
    let now = store_time(&app.desk.last_confirmed());
    let Some(device) = app.devices.read(sub, token.expose(), now) else { return Ok(None) };
    let account = app.desk.subject(sub).await?;
    Ok(account.filter(|account| account.gid == device.gid).map(|_| device.id))
}

/// Takes the attempt out of the counters, unless it was a guess.
async fn settle(app: &App, attempt: Attempt<'_>, taken: Taken, login: &Login) {
    let settled = match login {
        Login::Refused(LoginRefusal::WrongPassword) => Ok(()),
        Login::Refused(LoginRefusal::CheckerBusy) => app.login_brake.unchecked(attempt, taken).await,
        Login::Opened(_) | Login::Refused(_) => app.login_brake.succeeded(attempt, taken).await,
    };
    if let Err(error) = settled {
        // The answer does not depend on the counters, which now count one attempt too many for an hour.
        tracing::warn!(%error, "a login is still counted as an attempt with a wrong password");
    }
}

fn braked(braked: Braked) -> ApiError {
    let description =
        "too many logins with this username or from this address: try again after the time in Retry-After";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", description)
        .retry_after(braked.wait_secs)
}
