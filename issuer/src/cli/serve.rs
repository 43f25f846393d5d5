//! `doorlist serve`

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use crate::config::{IssuerUrl, LogFormat, LogSettings, Settings};
use crate::server::{ServeError, Server, signalled};

/// Serves until SIGTERM or SIGINT.
pub(super) async fn serve(settings: Settings) -> Result<(), ServeError> {
    log_to_stderr(&settings.log);
    let server = Server::open(settings).await?;
    let router = server.router();
    announce(&server.address()?)?;
    server.run(router, signalled()).await
}

/// The one line on standard output. The socket is bound: whoever connects now is served.
pub(super) fn announce(address: &IssuerUrl) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "doorlist listening on {address}")?;
    stdout.flush()
}

/// Events as `--log` and `--log-format` say.
pub(super) fn log_to_stderr(settings: &LogSettings) {
    let filter = EnvFilter::builder().parse_lossy(&settings.filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    match settings.format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
