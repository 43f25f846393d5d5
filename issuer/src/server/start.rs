//! The start of the issuer. If the store is unavailable, the start waits for it. If a setting is wrong, the start fails
//! at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ServeError;
use super::open::open;
use crate::app::App;
use crate::clients::Clients;
use crate::config::{Given, IssuerUrl, Settings, StoreUrl};
use crate::life::Life;
use crate::store::StoreError;

/// How long the start waits for an embedded store that another process has open. That process may be the previous
/// issuer, which has 10 s to finish its requests and then closes the file.
const FILE_WAIT: Duration = Duration::from_secs(15);
/// Pause between the first two attempts. The pause doubles after each attempt, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Least time between two lines of log output about the same cause.
const REPEAT_AFTER: Duration = Duration::from_secs(10);

/// Opens the issuer. While the store is unavailable, tries again until `--store-wait-secs` have passed. For an embedded
/// store, gives up after [`FILE_WAIT`] at the latest.
pub(super) async fn patiently(
    settings: &Settings,
    given: Given,
    issuer: IssuerUrl,
    clients: &Arc<Clients>,
    life: &watch::Sender<Life>,
) -> Result<Arc<App>, ServeError> {
    let limit = Duration::from_secs(settings.store.wait_secs);
    let limit = match settings.store.store {
        StoreUrl::Embedded(_) => limit.min(FILE_WAIT),
        StoreUrl::Redis(_) => limit,
    };
    let (began, mut pause, mut said) = (Instant::now(), FIRST_PAUSE, Said::default());
    loop {
        // The future is boxed, because the compiler limits the depth of nested futures.
        let opening: BoxFuture<'_, _> =
            Box::pin(open(settings, given.clone(), issuer.clone(), Arc::clone(clients), life));
        let failure = match opening.await {
            Ok(app) => return Ok(app),
            Err(failure) => failure,
        };
        let Some(outage) = failure.outage().cloned() else { return Err(failure) };
        let waited = began.elapsed();
        if limit.is_zero() {
            return Err(failure);
        }
        if waited >= limit {
            return Err(ServeError::StoreAwaited { error: outage, waited_secs: limit.as_secs() });
        }
        life.send_replace(Life::Starting(format!("waiting for the store: {}", outage.reason()).into()));
        said.waiting(&outage, waited, limit);
        sleep(pause.min(limit - waited)).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Limits the lines of log output during the wait. Holds the cause and the time of the last line.
#[derive(Default)]
struct Said {
    last: Option<(String, Instant)>,
}

impl Said {
    /// Writes a line if the cause differs from the cause in the last line, or if the last line is at least
    /// [`REPEAT_AFTER`] old.
    fn waiting(&mut self, outage: &StoreError, waited: Duration, limit: Duration) {
        let cause = outage.to_string();
        let is_repeated =
            self.last.as_ref().is_some_and(|(last, at)| *last == cause && at.elapsed() < REPEAT_AFTER);
        if is_repeated {
            return;
        }
        let (waited_secs, limit_secs) = (waited.as_secs(), limit.as_secs());
        tracing::warn!(waited_secs, limit_secs, "waiting at the start: {cause}");
        self.last = Some((cause, Instant::now()));
    }
}
