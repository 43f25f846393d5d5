//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

use crate::config::{self, Settings};

/// Access tokens that can be taken back.
///
/// The issuer signs short-lived Ed25519 access tokens, keeps long-lived rotating refresh tokens, and pushes
/// a signed revocation list to every verifier, which checks tokens without a network call.
#[derive(Debug, Parser)]
#[command(name = "doorlist", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  doorlist demo                        everything on this machine, with a page to play with
  doorlist serve                       an issuer on http://127.0.0.1:8787, its store and secrets in this folder
  doorlist subject add alice --password-stdin < password.txt
  doorlist kick alice                  every token and session of alice is over, everywhere
  doorlist keys rotate                 the reserve key signs from now on

Each subcommand explains itself: doorlist serve --help";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the issuer
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<Settings>),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  doorlist serve
      Makes ./doorlist.redb, and beside it ./doorlist.master-secret and ./doorlist.admin-key (mode 0600).

  DOORLIST_ISSUER=https://id.example.com DOORLIST_ALLOWED_ORIGINS=https://app.example.com doorlist serve
      Behind a proxy that ends TLS; the browser application may log in and refresh.

  curl -H \"Authorization: Bearer $(cat doorlist.admin-key)\" http://127.0.0.1:8787/admin/subjects
      The admin API. `doorlist subject` and `doorlist kick` speak to it for you.

Every flag is also a variable, named in brackets; a flag beats its variable. An unknown DOORLIST_… variable or
settings that contradict each other stop the start. When it listens, one line is written to standard output:
  doorlist listening on http://127.0.0.1:8787";

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    if let Some(unknown) =
        config::unknown_variable(&Cli::command(), std::env::vars_os().map(|(name, _)| name))
    {
        return fail(&unknown);
    }
    match cli.command {
        Command::Serve(_) => ExitCode::SUCCESS,
    }
}

/// Help is shown as it is; of a refusal the sentence that says what is wrong, and the hint.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    ) {
        error.exit();
    }
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or(&text);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let sentence = said.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
    fail(&sentence)
}

fn fail(reason: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("doorlist: {reason}");
    ExitCode::FAILURE
}

#[cfg(test)]
impl Cli {
    /// The settings, where the subcommand has them.
    pub(crate) fn settings(&self) -> Option<&Settings> {
        match &self.command {
            Command::Serve(settings) => Some(settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
