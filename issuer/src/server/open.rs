//! Opens an issuer: its store, its secrets, the revocation log, the signing keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ServeError;
use crate::app::App;
use crate::clients::Clients;
use crate::config::{
    Given, IssuerUrl, Presence, Settings, StoreAge, StoreSettings, StoreUrl, check_presence,
};
use crate::desk::Desk;
use crate::device::Devices;
use crate::former_name::FormerName;
use crate::installation::Comparison;
use crate::keys::Keys;
use crate::life::Life;
use crate::login_brake::LoginBrake;
use crate::password::Passwords;
use crate::refresh_token::RefreshTokens;
use crate::revocations::{Revocations, store_time};
use crate::secret::CurrentAdminKeys;
use crate::store::redis::LoginFiles;
use crate::store::{EmbeddedStore, RedisStore, Store, StoreError};
use crate::token_cookie::TokenCookie;

/// Opens the issuer, or returns an error. After an error, the caller can call this function again. The caller can drop
/// the future at any time.
pub(super) async fn open(
    settings: &Settings,
    given: Given,
    issuer: IssuerUrl,
    clients: Arc<Clients>,
    life: &watch::Sender<Life>,
) -> Result<Arc<App>, ServeError> {
    let heartbeat = Duration::from_secs(settings.lifetimes.heartbeat_secs);
    let store = open_store(&settings.store).await?;
    let installation = Comparison::new(Arc::clone(&store), issuer.as_str(), settings);
    if let StoreUrl::Redis(_) = &settings.store.store {
        let prefix = settings.store.prefix.clone().unwrap_or_default().to_string();
        installation.check_presence(&prefix, settings.store.init).await?;
    }
    installation.check().await?;
    life.send_replace(Life::Starting(
        "reading the revocation log, and the records of the subjects in it".into(),
    ));
    let desk = Desk::open(Arc::clone(&store), settings.lifetimes.limits(), heartbeat).await?;
    let age = if desk.keys().await?.is_some() { StoreAge::Used } else { StoreAge::New };
    let secrets = given.or_beside(&settings.store.store, age)?;
    let now = store_time(&desk.last_confirmed());
    let keys = Arc::new(Keys::open(Arc::clone(&desk), secrets.master.clone(), now).await?);
    let former = installation.enter(now).await?;
    let former = former.iter().map(|former| FormerName::of(former, &desk, &keys, &secrets.master, heartbeat));
    let former = former.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    let revocations = Revocations::new(Arc::clone(&desk), Arc::clone(&keys), issuer.as_str(), heartbeat)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tracing::info!(%issuer, kid = %keys.ring().active().kid(), position = %desk.last_confirmed().position, "open");
    Ok(Arc::new(App {
        desk,
        keys,
        revocations: Arc::new(revocations),
        refresh_tokens: RefreshTokens::new(&secrets.master, issuer.as_str()),
        refresh_cookie: TokenCookie::of_refresh(issuer.as_str()),
        devices: Devices::new(&secrets.master, issuer.as_str()),
        login_brake: LoginBrake::new(store, &secrets.master),
        passwords: Passwords::new(processors),
        clients,
        former,
        installation,
        admin_keys: CurrentAdminKeys::new(secrets.admin_keys),
        issuer,
        audience: settings.addresses.audience.clone(),
        lifetimes: settings.lifetimes,
        allowed_origins: settings.addresses.allowed_origins.clone(),
        life: life.subscribe(),
    }))
}

async fn open_store(settings: &StoreSettings) -> Result<Arc<dyn Store>, ServeError> {
    let StoreSettings { store, prefix, ca_file, password_file, init, .. } = settings.clone();
    match store {
        StoreUrl::Embedded(file) => {
            let presence = check_presence(&file, init)?;
            let path = file.clone();
            let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(&path)).await;
            let store = opened.map_err(|error| StoreError::Misconfigured(error.to_string()))??;
            if presence == Presence::New {
                tracing::info!(store = %file.display(), "a new, empty store was created");
            }
            Ok(Arc::new(store))
        }
        StoreUrl::Redis(url) => {
            let files = LoginFiles { password: password_file, certificates: ca_file };
            Ok(Arc::new(RedisStore::open(url, prefix.unwrap_or_default(), files).await?))
        }
    }
}
