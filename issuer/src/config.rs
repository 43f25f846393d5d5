//! The settings of `doorlist serve`. Each setting is a flag and an environment variable, and a field of one of the
//! small structs in this module.
//!
//! If a setting is wrong, the start fails with one sentence that says what to change.

// The doc comments of the settings are also the text of `--help`. In this text, brackets are not links, and `<…>` is
// not HTML.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]

mod environment;
mod limits;
mod presence;
mod secrets;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

pub use environment::{UnknownVariable, unknown_variable, unreadable_variable};
pub use limits::LimitSettings;
pub use presence::{LostStore, Presence, check_presence};
pub use secrets::{
    Given, SecretSettings, Secrets, SecretsError, StoreAge, admin_key_beside, flags_with_secrets,
};
pub use values::{IssuerUrl, LogFormat, Origin, StoreUrl, without_login};

use crate::domain::Limits;
use crate::store::redis::Prefix;

/// All settings of `doorlist serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The address on which the issuer listens, and the issuer's URL.
    #[command(flatten)]
    pub addresses: AddressSettings,
    /// Where the issuer keeps its data.
    #[command(flatten)]
    pub store: StoreSettings,
    /// The secrets, or the files that hold them.
    #[command(flatten)]
    pub secrets: SecretSettings,
    /// How long tokens, sessions and lists live.
    #[command(flatten)]
    pub lifetimes: LifetimeSettings,
    /// How many connections and requests clients may have open at the same time.
    #[command(flatten)]
    pub limits: LimitSettings,
    /// How the issuer stops.
    #[command(flatten)]
    pub stop: StopSettings,
    /// What the issuer writes to standard error.
    #[command(flatten)]
    pub log: LogSettings,
}

/// The address on which the issuer listens, and the issuer's URL.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct AddressSettings {
    /// Address and port to listen on; if the port is 0, the system chooses a free port [DOORLIST_LISTEN; default
    /// 127.0.0.1:8787]
    #[arg(long, env = "DOORLIST_LISTEN", value_name = "IP:PORT", default_value = "127.0.0.1:8787")]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::listen)]
    pub listen: SocketAddr,

    /// The issuer's URL: the `iss` claim of tokens and the beginning of every published URL. It begins with https:// or
    /// http:// and has no trailing slash [DOORLIST_ISSUER; default http://<listen>]
    #[arg(long, env = "DOORLIST_ISSUER", value_name = "URL", hide_env = true)]
    pub issuer: Option<IssuerUrl>,

    /// An earlier name of this issuer. Give this name after you rename the issuer. Refresh tokens with this name stay
    /// valid until their sessions end. Only a name that the store has recorded is accepted; separate several names with
    /// commas [DOORLIST_FORMER_ISSUER]
    #[arg(long = "former-issuer", env = "DOORLIST_FORMER_ISSUER", value_name = "URL,…", hide_env = true)]
    #[arg(value_delimiter = ',')]
    pub former_issuers: Vec<IssuerUrl>,

    /// The `aud` claim of access tokens: the name of the API that accepts the tokens [DOORLIST_AUDIENCE; default api]
    #[arg(long, env = "DOORLIST_AUDIENCE", value_name = "AUDIENCE", default_value = "api")]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::audience)]
    pub audience: String,

    /// Browser origins that may call the login, token and session routes, and may use the cookie: https://host[:port],
    /// or http:// for localhost only; separate several origins with commas [DOORLIST_ALLOWED_ORIGINS; default none]
    #[arg(long, env = "DOORLIST_ALLOWED_ORIGINS", value_name = "ORIGIN,…", value_delimiter = ',')]
    #[arg(hide_env = true)]
    pub allowed_origins: Vec<Origin>,
}

/// Where subject records, the revocation log and the keys are stored.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub struct StoreSettings {
    /// Where the issuer keeps its data. For a single issuer, write `embedded:<file>`. For several issuers, use Redis:
    /// `redis://[user:password@]host:port`, `redis+sentinel://host,host/master` or `redis+cluster://host,host`. For
    /// TLS, write `rediss` instead of `redis` [DOORLIST_STORE; default embedded:./doorlist.redb]
    #[arg(long, env = "DOORLIST_STORE", value_name = "STORE", default_value = "embedded:./doorlist.redb")]
    #[arg(hide_env = true, hide_default_value = true)]
    pub store: StoreUrl,

    /// File with the password of Redis, instead of a password in --store. Each new connection reads the file again, so
    /// that you can change the password without a restart [DOORLIST_STORE_PASSWORD_FILE]
    #[arg(
        long = "store-password-file",
        env = "DOORLIST_STORE_PASSWORD_FILE",
        value_name = "FILE",
        hide_env = true
    )]
    pub password_file: Option<PathBuf>,

    /// Prefix of all key names of this installation in Redis [DOORLIST_STORE_PREFIX; default doorlist]
    #[arg(long = "store-prefix", env = "DOORLIST_STORE_PREFIX", value_name = "PREFIX", hide_env = true)]
    pub prefix: Option<Prefix>,

    /// PEM file with the certificate authorities to trust for `rediss`, instead of the well-known authorities. Each new
    /// connection reads the file again [DOORLIST_STORE_CA_FILE]
    #[arg(long = "store-ca-file", env = "DOORLIST_STORE_CA_FILE", value_name = "FILE", hide_env = true)]
    pub ca_file: Option<PathBuf>,

    /// Start a new installation in an empty store, even if secrets of an earlier installation exist. The first start on
    /// a Redis always needs this setting. Remove the setting afterwards [DOORLIST_INIT=true]
    #[arg(long, env = "DOORLIST_INIT", hide_env = true, value_parser = BoolishValueParser::new())]
    #[arg(action = ArgAction::SetTrue)]
    pub init: bool,

    /// How many seconds the start waits for a Redis that cannot be reached or is still loading its data, 0 to 86400.
    /// After this time, the start fails. With a wrong password or setting, the start fails at once
    /// [DOORLIST_STORE_WAIT_SECS; default 300]
    #[arg(long = "store-wait-secs", env = "DOORLIST_STORE_WAIT_SECS", value_name = "SECONDS")]
    #[arg(default_value_t = 300, hide_env = true, hide_default_value = true, value_parser = values::seconds(0, DAY))]
    pub wait_secs: u64,
}

/// How long tokens, sessions and lists live. All values are in seconds.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Lifetimes, in seconds")]
pub struct LifetimeSettings {
    /// Lifetime of an access token, 1 to 86400 [DOORLIST_ACCESS_TTL_SECS; default 900]
    #[arg(long, env = "DOORLIST_ACCESS_TTL_SECS", value_name = "SECONDS", default_value_t = 900)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(1, DAY))]
    pub access_ttl_secs: u64,

    /// A session ends if it is not refreshed for this many seconds [DOORLIST_REFRESH_IDLE_SECS; default 2592000, 30
    /// days]
    #[arg(long, env = "DOORLIST_REFRESH_IDLE_SECS", value_name = "SECONDS", default_value_t = 30 * DAY)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(1, 3650 * DAY))]
    pub refresh_idle_secs: u64,

    /// A session ends this many seconds after its login, even if it is in use [DOORLIST_REFRESH_ABSOLUTE_SECS;
    /// default 7776000, 90 days]
    #[arg(long, env = "DOORLIST_REFRESH_ABSOLUTE_SECS", value_name = "SECONDS", default_value_t = 90 * DAY)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(1, 3650 * DAY))]
    pub refresh_absolute_secs: u64,

    /// Grace window after a rotation, in seconds, 0 to 3600. During this time, a client that sends the previous refresh
    /// token gets the same new refresh token again [DOORLIST_REFRESH_GRACE_SECS; default 30]
    #[arg(long, env = "DOORLIST_REFRESH_GRACE_SECS", value_name = "SECONDS", default_value_t = 30)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(0, 3600))]
    pub refresh_grace_secs: u64,

    /// Largest clock difference that a verifier may tolerate, in seconds, 0 to 300 [DOORLIST_LEEWAY_SECS; default 60]
    #[arg(long, env = "DOORLIST_LEEWAY_SECS", value_name = "SECONDS", default_value_t = 60)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(0, 300))]
    pub leeway_secs: u64,

    /// Seconds between two heartbeats, 1 to 30. At each heartbeat the issuer asks the store to confirm that no write
    /// is missing, and sends a list to verifiers even if nothing changed [DOORLIST_HEARTBEAT_SECS; default 10]
    #[arg(long, env = "DOORLIST_HEARTBEAT_SECS", value_name = "SECONDS", default_value_t = 10)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(1, 30))]
    pub heartbeat_secs: u64,
}

/// How the issuer stops.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Stop")]
pub struct StopSettings {
    /// Drain: after SIGTERM or SIGINT, the issuer continues to serve for this many seconds, 0 to 3600. During this time
    /// /readyz answers 503, so that load balancers send new requests to other nodes. A second signal ends the drain
    /// [DOORLIST_DRAIN_SECS; default 0]
    #[arg(long, env = "DOORLIST_DRAIN_SECS", value_name = "SECONDS", default_value_t = 0)]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::seconds(0, 3600))]
    pub drain_secs: u64,
}

/// Which events are written to standard error, and in which format.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogSettings {
    /// Which events to log: error, warn, info, debug, or a filter such as info,doorlist=debug [DOORLIST_LOG; default
    /// info]
    #[arg(long = "log", env = "DOORLIST_LOG", value_name = "FILTER", default_value = "info")]
    #[arg(hide_env = true, hide_default_value = true, value_parser = values::log_filter)]
    pub filter: String,

    /// Format of the log output: text or json; each event is one line [DOORLIST_LOG_FORMAT; default text]
    #[arg(long = "log-format", env = "DOORLIST_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    #[arg(hide_env = true, hide_default_value = true, hide_possible_values = true)]
    pub format: LogFormat,
}

impl Settings {
    /// Checks that no two settings contradict each other.
    ///
    /// # Errors
    ///
    /// The first [`Contradiction`] that was found.
    pub fn check(&self) -> Result<(), Contradiction> {
        let AddressSettings { listen, issuer, .. } = &self.addresses;
        let is_name = !listen.ip().is_unspecified() && IssuerUrl::of_address(*listen).is_some();
        if issuer.is_none() && !is_name {
            return Err(Contradiction::NamelessIssuer { listen: *listen });
        }
        self.store.check()?;
        self.lifetimes.check()
    }
}

impl StoreSettings {
    fn check(&self) -> Result<(), Contradiction> {
        let Self { store, prefix, ca_file, password_file, .. } = self;
        if prefix.is_some() && matches!(store, StoreUrl::Embedded(_)) {
            return Err(Contradiction::PrefixOfFile);
        }
        let encrypted = matches!(store, StoreUrl::Redis(url) if url.is_encrypted());
        if ca_file.is_some() && !encrypted {
            return Err(Contradiction::CertificatesUnused);
        }
        match (store, password_file) {
            (StoreUrl::Redis(url), None) if url.lacks_password() => return Err(Contradiction::NoPassword),
            (StoreUrl::Redis(url), Some(_)) if url.has_password() => return Err(Contradiction::TwoPasswords),
            (StoreUrl::Embedded(_), Some(_)) => return Err(Contradiction::PasswordOfFile),
            _ => {}
        }
        Ok(())
    }
}

const DAY: u64 = 86_400;

/// Two settings that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// `--issuer` is not set, and no usable URL can be made from `--listen`. The address in
    /// `--listen` is unspecified (all interfaces), or has a form that no URL can contain.
    #[error(
        "--listen (DOORLIST_LISTEN) is {listen}, which clients cannot connect to: \
         set the issuer's URL with --issuer (DOORLIST_ISSUER)"
    )]
    NamelessIssuer {
        /// The value of `--listen`.
        listen: SocketAddr,
    },
    /// `--store-prefix` is set, but the store is embedded. The file of an embedded store holds only one installation.
    #[error(
        "--store-prefix (DOORLIST_STORE_PREFIX) is for a Redis store only: remove it, or name a Redis with --store (DOORLIST_STORE)"
    )]
    PrefixOfFile,
    /// `--store-ca-file` is set, but the store is not reached over TLS.
    #[error(
        "--store-ca-file (DOORLIST_STORE_CA_FILE) is for a Redis store with TLS only: remove it, or write rediss:// in --store (DOORLIST_STORE)"
    )]
    CertificatesUnused,
    /// `--store` has a user, and no password is given.
    #[error(
        "--store (DOORLIST_STORE) has a user but no password: write user:password@ before the host, or :password@ without a \
         user, or name a file with --store-password-file (DOORLIST_STORE_PASSWORD_FILE)"
    )]
    NoPassword,
    /// `--store` and `--store-password-file` both give a password.
    #[error(
        "both --store (DOORLIST_STORE) and --store-password-file (DOORLIST_STORE_PASSWORD_FILE) give a password: remove one \
         of them"
    )]
    TwoPasswords,
    /// `--store-password-file` is set, but the store is embedded.
    #[error(
        "--store-password-file (DOORLIST_STORE_PASSWORD_FILE) is for a Redis store only: remove it, or name a Redis with --store (DOORLIST_STORE)"
    )]
    PasswordOfFile,
    /// The process cannot open a file for each connection.
    #[error(
        "--max-connections (DOORLIST_MAX_CONNECTIONS) is {connections}, but the process may open only {open_files} files, \
         which is enough for {for_connections} connections: lower it, or raise the limit of open files \
         (ulimit -n, or LimitNOFILE= of systemd)"
    )]
    TooManyConnections {
        /// The value of `--max-connections`.
        connections: usize,
        /// The largest value that fits.
        for_connections: usize,
        /// The system's limit of open files.
        open_files: usize,
    },
    /// The idle limit is longer than the absolute limit, so the idle limit would never apply.
    #[error(
        "--refresh-idle-secs (DOORLIST_REFRESH_IDLE_SECS) is {idle} s, but a session lives at most {absolute} s: \
         lower it, or raise --refresh-absolute-secs (DOORLIST_REFRESH_ABSOLUTE_SECS)"
    )]
    IdleOutlivesSession {
        /// The value of `--refresh-idle-secs`.
        idle: u64,
        /// The value of `--refresh-absolute-secs`.
        absolute: u64,
    },
    /// The grace window is as long as the idle limit, or longer. With such a grace window, no session would ever rotate
    /// its refresh token.
    #[error(
        "--refresh-grace-secs (DOORLIST_REFRESH_GRACE_SECS) is {grace} s, but an idle session ends after {idle} s: \
         make it shorter than --refresh-idle-secs (DOORLIST_REFRESH_IDLE_SECS)"
    )]
    GraceOutlivesIdle {
        /// The value of `--refresh-grace-secs`.
        grace: u64,
        /// The value of `--refresh-idle-secs`.
        idle: u64,
    },
    /// The lifetime of access tokens is longer than the lifetime of sessions. Every access token would end early,
    /// together with its session.
    #[error(
        "--access-ttl-secs (DOORLIST_ACCESS_TTL_SECS) is {ttl} s, but a session lives at most {absolute} s: \
         lower it, or raise --refresh-absolute-secs (DOORLIST_REFRESH_ABSOLUTE_SECS)"
    )]
    TokenOutlivesSession {
        /// The value of `--access-ttl-secs`.
        ttl: u64,
        /// The value of `--refresh-absolute-secs`.
        absolute: u64,
    },
}

impl LifetimeSettings {
    fn check(&self) -> Result<(), Contradiction> {
        let (idle, absolute) = (self.refresh_idle_secs, self.refresh_absolute_secs);
        if idle > absolute {
            return Err(Contradiction::IdleOutlivesSession { idle, absolute });
        }
        if self.refresh_grace_secs >= idle {
            return Err(Contradiction::GraceOutlivesIdle { grace: self.refresh_grace_secs, idle });
        }
        if self.access_ttl_secs > absolute {
            return Err(Contradiction::TokenOutlivesSession { ttl: self.access_ttl_secs, absolute });
        }
        Ok(())
    }

    /// The limits that the rules in `domain` use.
    pub fn limits(&self) -> Limits {
        Limits {
            access_ttl_secs: self.access_ttl_secs,
            refresh_idle_secs: self.refresh_idle_secs,
            refresh_absolute_secs: self.refresh_absolute_secs,
            refresh_grace_secs: self.refresh_grace_secs,
            leeway_secs: self.leeway_secs,
            ..Limits::default()
        }
    }

    /// Seconds for which a key is published before it signs. Caches keep the key set and the lists for a shorter time.
    /// They keep the key set for [`Self::jwks_max_age_secs`], and a list for its `ttl` (or twice its `ttl` if they
    /// serve the list stale).
    pub fn key_published_secs(&self) -> u64 {
        self.jwks_max_age_secs() + 3 * self.heartbeat_secs
    }

    /// Seconds for which a cache may keep the key set.
    pub fn jwks_max_age_secs(&self) -> u64 {
        6 * self.heartbeat_secs
    }
}

#[cfg(test)]
mod tests;
