//! `doorlist serve` and `doorlist demo`

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use clap::Args;

use crate::app::App;
use crate::config::{LogSettings, Settings, flags_with_secrets};
use crate::demo::{self, DemoError};
use crate::output::Service;
use crate::server::{ServeError, Server, Signals};

/// Serves until SIGTERM or SIGINT.
pub(super) async fn serve(settings: Settings, output: &Service) -> Result<(), ServeError> {
    let signals = Signals::heed().map_err(ServeError::Signals)?;
    warn_of_secrets_in_flags();
    let ready = |address: &str| {
        announce(output, address);
        Ok(())
    };
    Server::bind(settings).await?.run(signals, async |_| Ok(Router::new()), ready).await
}

/// What `doorlist demo` can be told: everything that `serve` can, and where the npm package is.
#[derive(Debug, Args)]
pub(super) struct DemoSettings {
    /// Folder of the built npm package, which the page loads [DOORLIST_PACKAGE; default js/dist]
    #[arg(long, env = "DOORLIST_PACKAGE", value_name = "FOLDER", default_value = "js/dist")]
    #[arg(hide_env = true, hide_default_value = true)]
    package: PathBuf,

    #[command(flatten)]
    serve: Settings,
}

impl DemoSettings {
    /// What is logged.
    pub(super) fn log(&self) -> &LogSettings {
        &self.serve.log
    }
}

/// Why the demo ended; one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoFailure {
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Serves with the page and its users until SIGTERM or SIGINT.
pub(super) async fn demo(settings: DemoSettings, output: &Service) -> Result<(), DemoFailure> {
    let signals = Signals::heed().map_err(ServeError::Signals)?;
    warn_of_secrets_in_flags();
    let package = demo::Package::read(&settings.package)?;
    let page = async |app: &Arc<App>| {
        demo::make_accounts(app).await?;
        Ok(demo::routes(Arc::clone(app), package))
    };
    let ready = |address: &str| {
        announce(output, address);
        Ok(())
    };
    Server::bind(settings.serve).await?.run(signals, page, ready).await
}

/// The one line on standard output: every route is served.
fn announce(output: &Service, address: &str) {
    output.announce(format_args!("doorlist listening on {address}"));
}

fn warn_of_secrets_in_flags() {
    for (flag, instead) in flags_with_secrets(std::env::args_os()) {
        tracing::warn!(
            "{flag} holds a secret, which every user of this machine sees in the list of processes: use {instead}"
        );
    }
}
