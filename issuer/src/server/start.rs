//! The start waits for a store that is unavailable; it does not wait for a setting that is wrong.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ServeError;
use super::open::open;
use crate::app::App;
use crate::config::{Given, IssuerUrl, Settings, StoreUrl};
use crate::life::Life;
use crate::store::StoreError;

/// The limit for a file that another process has open: the process that ran before this one has 10 s to answer what is in
/// flight, and closes the file after that.
const FILE_WAIT: Duration = Duration::from_secs(15);
/// Between the first two attempts; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Between two log lines about the same cause.
const REPEAT_AFTER: Duration = Duration::from_secs(10);

/// Opens the issuer; while its store is unavailable, again and again until `--store-wait-secs` have passed.
pub(super) async fn patiently(
    settings: &Settings,
    given: Given,
    issuer: IssuerUrl,
    life: &watch::Sender<Life>,
) -> Result<Arc<App>, ServeError> {
    let limit = Duration::from_secs(settings.store.wait_secs);
    let limit = match settings.store.store {
        StoreUrl::Embedded(_) => limit.min(FILE_WAIT),
        StoreUrl::Redis(_) => limit,
    };
    let (began, mut pause, mut said) = (Instant::now(), FIRST_PAUSE, Said::default());
    loop {
        // Boxed, since the compiler limits how deep futures may be nested in one another.
        let opening: BoxFuture<'_, _> = Box::pin(open(settings, given.clone(), issuer.clone(), life));
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

/// The last log line about waiting.
#[derive(Default)]
struct Said {
    last: Option<(String, Instant)>,
}

impl Said {
    /// Writes a line if the cause is another one, or if the last line is some seconds old.
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
