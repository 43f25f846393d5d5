//! The command line.

// The doc comments of the settings are also the text of `--help`. In this text, brackets are not links, and `<…>` is
// not HTML.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]

mod admin;
mod compact;
mod serve;

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, Settings};
use crate::output::{Answer, Service, complain, explain};
use admin::{AdminConnection, KeysCommand, KickCommand, SubjectCommand};
use compact::CompactCommand;
use serve::DemoSettings;

/// JWT access tokens that can be revoked before they expire.
///
/// The issuer signs short-lived Ed25519 access tokens, keeps long-lived rotating refresh tokens, and pushes a signed
/// revocation list to every verifier. Verifiers check tokens without a network call.
#[derive(Debug, Parser)]
#[command(name = "doorlist", version, max_term_width = 110, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// Print the licences of the third-party software in this binary
    #[arg(long)]
    licenses: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// `make notices` writes this file.
const NOTICES: &str = include_str!("../THIRD-PARTY-NOTICES");

const EXAMPLES: &str = "\
Examples:
  doorlist demo                        everything on this machine, with a page to try it on
  doorlist serve                       an issuer on port 8787 that keeps its data in this folder
  doorlist subject add alice --password-stdin < password.txt
  doorlist kick alice                  revoke every token and session of alice, everywhere
  doorlist keys rotate                 the announced key starts to sign

Each subcommand has its own help: doorlist serve --help";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the issuer
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<Settings>),
    /// Run an issuer with the users alice and bob, and with a web page to try it out
    #[command(after_help = DEMO_EXAMPLES, mut_arg("store", |store| store.default_value(DEMO_STORE)
        .help(format!("`embedded:<file>` [DOORLIST_STORE; default {DEMO_STORE}]"))))]
    Demo(Box<DemoSettings>),
    /// Create, list or disable subjects of a running issuer
    #[command(after_help = SUBJECT_EXAMPLES)]
    Subject {
        #[command(subcommand)]
        command: SubjectCommand,
        #[command(flatten)]
        admin: AdminConnection,
    },
    /// Revoke every token and end every session of a subject, everywhere, at once
    #[command(after_help = KICK_EXAMPLES)]
    Kick {
        #[command(flatten)]
        command: KickCommand,
        #[command(flatten)]
        admin: AdminConnection,
    },
    /// List, rotate or retire the signing keys
    #[command(after_help = KEYS_EXAMPLES)]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
        #[command(flatten)]
        admin: AdminConnection,
    },
    /// Shrink the file of an embedded store by removing its unused space
    #[command(after_help = COMPACT_EXAMPLES)]
    Compact(CompactCommand),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  doorlist serve
      Creates ./doorlist.redb, and beside it ./doorlist.redb.master-secret and
      ./doorlist.redb.admin-key (mode 0600).

  doorlist serve --issuer https://id.example.com --allowed-origins https://app.example.com
      Behind a proxy that ends TLS; the browser application may log in and refresh.

  curl -H \"Authorization: Bearer $(cat doorlist.redb.admin-key)\" \\
    http://127.0.0.1:8787/admin/subjects
      The admin API. `doorlist subject` and `doorlist kick` use it for you.

Every flag has a variable, named in brackets; a flag overrides its variable. With an unknown
DOORLIST_… variable, or with settings that contradict each other, the start fails. The issuer answers
as soon as it listens: until the store is open, /healthz answers 200 and everything else 503. When
every route is served, one line is written to standard output:
  doorlist listening on http://127.0.0.1:8787
SIGTERM and SIGINT stop it cleanly, also while it starts. At SIGHUP it reads its admin keys again, if
they are in a file.";

/// The demo does not use the store of `serve`, because the passwords of the demo's users are public.
const DEMO_STORE: &str = "embedded:./doorlist-demo.redb";

const DEMO_EXAMPLES: &str = "\
Examples:
  make build && doorlist demo
      Open http://127.0.0.1:8787/ and sign in as alice, password wonderland, or as bob, password
      builder-of-things.

  doorlist demo --access-ttl-secs 60
      Watch a token expire without a kick.

  doorlist kick alice --admin-key-file doorlist-demo.redb.admin-key
      The page reacts as if its own Kick button was pressed.";

const SUBJECT_EXAMPLES: &str = "\
Examples:
  doorlist subject add alice --password-stdin < password.txt
      Alice signs in here with POST /login.

  doorlist subject add bob
      No password: a trusted back end opens Bob's sessions with POST /admin/sessions.

  doorlist subject list
  doorlist subject disable alice
      Kicks Alice and refuses her logins.";

const KICK_EXAMPLES: &str = "\
Examples:
  doorlist kick alice
      Prints a position in the revocation log: every verifier whose list has reached it refuses
      Alice's tokens.

  doorlist kick alice --gid 0123456789abcdef
      Kicks only if this is Alice's current group, so that a retry does not end a login that she
      made after the first attempt.";

const KEYS_EXAMPLES: &str = "\
Examples:
  doorlist keys list
  doorlist keys rotate
      The announced key starts to sign; tokens of the old key stay valid until they expire.

  doorlist keys retire kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
      For a stolen key: it and every token it signed become invalid at once. Clients refresh.";

const COMPACT_EXAMPLES: &str = "\
Examples:
  doorlist compact
      Compacts the store in this folder, which no issuer may have open. Prints its length before
      and after.

  doorlist compact --store embedded:/var/lib/doorlist/doorlist.redb

When an issuer starts, it compacts its file automatically if the file has 8 MiB or more and at
least half of it is unused.";

/// After the command, the process waits at most this long for other threads to finish their work and close the store.
const END_LIMIT: Duration = Duration::from_secs(3);

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(error),
    };
    if let Some(unknown) =
        config::unknown_variable(&Cli::command(), std::env::vars_os().map(|(name, _)| name))
    {
        return fail(&unknown);
    }
    let (false, Some(command)) = (cli.licenses, cli.command) else {
        return answer(async |answer| {
            answer.text(NOTICES);
            Ok::<_, String>(())
        });
    };
    match command {
        Command::Serve(settings) => {
            let output = Service::start(&settings.log);
            served(&output, run(serve::serve(*settings, &output)))
        }
        Command::Demo(settings) => {
            let output = Service::start(settings.log());
            served(&output, run(serve::demo(*settings, &output)))
        }
        Command::Subject { command, admin } => answer(async |answer| command.run(&admin, answer).await),
        Command::Kick { command, admin } => answer(async |answer| command.run(&admin, answer).await),
        Command::Keys { command, admin } => answer(async |answer| command.run(&admin, answer).await),
        Command::Compact(command) => answer(async |answer| command.run().map(|line| answer.line(line))),
    }
}

/// Runs the command to its end. If the command fails, returns the error as one sentence.
fn run<E: Display>(work: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let done = runtime.block_on(work).map_err(|error| error.to_string());
    // When `END_LIMIT` has passed, a thread may still be reading the store. The process ends anyway, because a read
    // does not change the store.
    runtime.shutdown_timeout(END_LIMIT);
    done
}

fn served(output: &Service, done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            output.complain(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that prints its result. The exit code says whether the command succeeded, even if its result could
/// not be printed.
fn answer<E: Display>(command: impl AsyncFnOnce(&mut Answer) -> Result<(), E>) -> ExitCode {
    let mut answer = Answer::new();
    let done = run(command(&mut answer));
    complain_if_lost(&answer);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(&reason),
    }
}

fn complain_if_lost(answer: &Answer) {
    if let Some(error) = answer.failure() {
        complain(&format_args!("the answer could not be written to standard output: {error}"));
    }
}

/// Prints a help text as clap renders it. For an error, prints only one sentence: the reason and clap's hint.
fn refuse(error: clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    ) {
        let mut answer = Answer::new();
        explain(&error, &mut answer);
        complain_if_lost(&answer);
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
    }
    fail(&sentence(without_passwords(error)))
}

/// Clap's errors quote values from the command line and from variables. If such a value is a URL, this function removes
/// the user and the password from it.
fn without_passwords(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(quoted)) = error.get(kind) {
            let shown = config::without_login(quoted);
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error
}

/// Turns clap's error text into one sentence. Adds the name of the flag's variable, because the value may come from the
/// variable.
fn sentence(error: clap::Error) -> String {
    if error.kind() == ErrorKind::InvalidUtf8
        && let Some(variable) = config::unreadable_variable(std::env::vars_os())
    {
        return format!("{variable} is not UTF-8 text");
    }
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or(&text);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let said = said.trim_start_matches("error: ").replace("\n\n  tip: ", "; ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut command = Cli::command();
    command.build();
    match error.get(ContextKind::InvalidArg).and_then(|arg| variable_of(&command, &arg.to_string())) {
        Some(variable) => format!("{said} (the flag's variable is {variable})"),
        None => said,
    }
}

fn variable_of(command: &clap::Command, shown: &str) -> Option<String> {
    let of_its_own = command.get_arguments().find(|arg| arg.to_string() == shown);
    match of_its_own.and_then(clap::Arg::get_env) {
        Some(variable) => Some(variable.to_string_lossy().into_owned()),
        None => command.get_subcommands().find_map(|subcommand| variable_of(subcommand, shown)),
    }
}

fn fail(reason: &dyn Display) -> ExitCode {
    complain(reason);
    ExitCode::FAILURE
}

#[cfg(test)]
impl Cli {
    /// The settings of `doorlist serve`. `None` for any other subcommand.
    pub(crate) fn settings(&self) -> Option<&Settings> {
        match &self.command {
            Some(Command::Serve(settings)) => Some(settings),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreUrl;

    #[test]
    fn an_error_is_one_sentence_that_names_the_flag_and_the_variable() {
        let refused = Cli::try_parse_from(["doorlist", "serve", "--heartbeat-secs", "0"]).unwrap_err();
        assert_eq!(
            sentence(refused),
            "invalid value '0' for '--heartbeat-secs <SECONDS>': write a whole number of seconds from 1 to 30, without a unit \
             (the flag's variable is DOORLIST_HEARTBEAT_SECS)"
        );
        let refused = Cli::try_parse_from(["doorlist", "serve", "--heartbeat-sec", "1"]).unwrap_err();
        assert_eq!(
            sentence(refused),
            "unexpected argument '--heartbeat-sec' found; a similar argument exists: '--heartbeat-secs'"
        );
    }

    #[test]
    fn an_error_shows_no_password() {
        for args in [
            &["--store", "redis://alice:wonder land@/@host:port"] as &[&str],
            &["redis://alice:wonderland@host"],
            &["--store", "redis:/alice:wonderland@host"],
            &["--listen", "redis://alice:wonderland@host"],
            &["--stor=redis://alice:wonderland@host"],
        ] {
            let refused = Cli::try_parse_from(["doorlist", "serve"].iter().chain(args)).unwrap_err();
            let said = sentence(without_passwords(refused));
            assert!(!said.contains("wonder"), "{said}");
        }
    }

    /// About one key in 64 has an identifier that begins with a hyphen.
    #[test]
    fn a_base64url_value_may_begin_with_a_hyphen() {
        const KID: &str = "-kWXDpB6ZmzMPXdcwqZkPdm7YR3qYyeuVJ2dtZkWpeg";
        for args in [
            &["keys", "retire", KID] as &[&str],
            &["keys", "retire", KID, "--url", "http://127.0.0.1:1"],
            &["keys", "retire", "--url", "http://127.0.0.1:1", KID],
            &["keys", "--url", "http://127.0.0.1:1", "retire", KID],
            &["keys", "retire", "--admin-key", KID, KID],
            &["keys", "list", "--admin-key", KID],
            &["serve", "--admin-key", KID, "--master-secret", KID],
        ] {
            let parsed = Cli::try_parse_from(["doorlist"].iter().chain(args));
            assert!(parsed.is_ok(), "{args:?}: {}", sentence(parsed.unwrap_err()));
        }
        for typo in ["--hlep", "-x"] {
            let refused = Cli::try_parse_from(["doorlist", "keys", "retire", typo]).unwrap_err();
            assert!(sentence(refused).contains(typo), "{typo}");
        }
        let asked = Cli::try_parse_from(["doorlist", "keys", "retire", "--help"]).unwrap_err();
        assert_eq!(asked.kind(), clap::error::ErrorKind::DisplayHelp);
    }

    #[test]
    fn the_demo_has_another_default_store_than_serve() {
        let store = |subcommand: &str| {
            let matches = Cli::command().get_matches_from(["doorlist", subcommand]);
            let settings = matches.subcommand_matches(subcommand).expect("the subcommand was called");
            settings.get_one::<StoreUrl>("store").expect("--store has a default").clone()
        };
        assert_eq!(store("serve"), StoreUrl::Embedded("./doorlist.redb".into()));
        assert_eq!(store("demo"), StoreUrl::Embedded("./doorlist-demo.redb".into()));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
