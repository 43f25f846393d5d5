//! `doorlist serve` and `doorlist demo`

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use clap::Args;

use crate::app::App;
use crate::config::{LogSettings, Settings, flags_with_secrets};
use crate::demo::{self, DemoError};
use crate::output::Service;
use crate::server::{AtHangup, ServeError, Server, Signals};

/// Runs the issuer until SIGTERM or SIGINT. At SIGHUP, reads the admin keys again.
pub(super) async fn serve(settings: Settings, output: &Service) -> Result<(), ServeError> {
    let signals = Signals::install(AtHangup::ReadAgain).map_err(ServeError::Signals)?;
    warn_of_secrets_in_flags();
    Server::bind(settings).await?.run(signals, async |_| Ok(Router::new()), announcing(output)).await
}

/// The settings of `doorlist demo`: all settings of `serve`, and the folder of the npm package.
#[derive(Debug, Args)]
pub(super) struct DemoSettings {
    /// Folder of the built npm package for the demo page [DOORLIST_PACKAGE; default js/dist]
    #[arg(long, env = "DOORLIST_PACKAGE", value_name = "FOLDER", default_value = "js/dist")]
    #[arg(hide_env = true, hide_default_value = true)]
    package: PathBuf,

    #[command(flatten)]
    serve: Settings,
}

impl DemoSettings {
    /// The settings of the log output.
    pub(super) fn log(&self) -> &LogSettings {
        &self.serve.log
    }
}

/// The reason why the demo ended, as one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoFailure {
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs the issuer with the demo page and the demo users until SIGTERM, SIGINT or SIGHUP.
pub(super) async fn demo(settings: DemoSettings, output: &Service) -> Result<(), DemoFailure> {
    let signals = Signals::install(AtHangup::End).map_err(ServeError::Signals)?;
    warn_of_secrets_in_flags();
    let package = demo::Package::read(&settings.package)?;
    let page = async |app: &Arc<App>| {
        demo::make_accounts(app).await?;
        Ok(demo::routes(Arc::clone(app), package))
    };
    Server::bind(settings.serve).await?.run(signals, page, announcing(output)).await
}

/// Returns a function that writes one line with the issuer's address to standard output. The line tells the operator
/// that every route is served.
fn announcing<E>(output: &Service) -> impl FnOnce(&str) -> Result<(), E> {
    move |address| {
        output.announce(format_args!("doorlist listening on {address}"));
        Ok(())
    }
}

fn warn_of_secrets_in_flags() {
    for (flag, instead) in flags_with_secrets(std::env::args_os()) {
        tracing::warn!(
            "{flag} contains a secret, and every user of this machine can read it in the list of processes: use {instead}"
        );
    }
}
