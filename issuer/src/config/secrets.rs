//! Where secrets come from: the environment, a file, or a file made at the first start.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::StoreUrl;
use crate::secret::{AdminKeys, MasterSecrets, SecretFileError, SecretText, UnfitSecret};
use crate::secret::{read_or_create, read_secret_file};

/// What must not be shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretSettings {
    /// Master secret: refresh tokens are authenticated and private keys sealed under it. Several, separated
    /// by commas or newlines: the first makes, the others still verify [DOORLIST_MASTER_SECRET]
    #[arg(long, env = "DOORLIST_MASTER_SECRET", value_name = "SECRET", hide_env = true)]
    #[arg(allow_hyphen_values = true)]
    pub master_secret: Option<SecretText>,

    /// File with the master secret, one a line, the current one first
    /// [DOORLIST_MASTER_SECRET_FILE; default made beside an embedded store, mode 0600]
    #[arg(long, env = "DOORLIST_MASTER_SECRET_FILE", value_name = "FILE", hide_env = true)]
    pub master_secret_file: Option<PathBuf>,

    /// Key of the admin API and of /introspect, sent as `Authorization: Bearer`. Several, separated by commas
    /// or newlines: each is good, so that a key is changed without a gap [DOORLIST_ADMIN_KEY]
    #[arg(long, env = "DOORLIST_ADMIN_KEY", value_name = "KEY", hide_env = true)]
    #[arg(allow_hyphen_values = true)]
    pub admin_key: Option<SecretText>,

    /// File with the keys of the admin API, one a line; this machine's `doorlist` commands send the first
    /// [DOORLIST_ADMIN_KEY_FILE; default made beside an embedded store, mode 0600]
    #[arg(long, env = "DOORLIST_ADMIN_KEY_FILE", value_name = "FILE", hide_env = true)]
    pub admin_key_file: Option<PathBuf>,
}

/// The secrets an issuer runs with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// For refresh tokens and sealed keys.
    pub master: MasterSecrets,
    /// For the admin API.
    pub admin_keys: AdminKeys,
}

/// The secrets cannot be had; says what to change.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The same secret comes from two places.
    #[error("both {variable} and {variable}_FILE are set: unset one of them")]
    Both {
        /// The variable's name.
        variable: &'static str,
    },
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The master secret of a store that was used before is not where it was made.
    #[error(
        "{0}; the store was made with the secret that stood there, so put it back, or give it with --master-secret-file"
    )]
    Lost(#[source] SecretFileError),
    /// A store on the network has no file beside it, and every node needs the same secrets.
    #[error(
        "set {variable} or {variable}_FILE: with a Redis store every issuer is given the same one, for example from \
         `openssl rand -base64 32`"
    )]
    Needed {
        /// The variable's name.
        variable: &'static str,
    },
    /// A secret cannot be used.
    #[error("{place} {unfit}")]
    Unfit {
        /// The variable or the file.
        place: String,
        /// Why.
        unfit: UnfitSecret,
    },
}

/// The secrets that settings name; the others are in files beside the store.
#[derive(Debug, Clone)]
pub struct Given {
    master: Option<MasterSecrets>,
    admin_keys: Option<AdminKeys>,
}

/// Whether a store holds something that only its master secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAge {
    /// No: a master secret may be made.
    New,
    /// Yes: another one would be of no use.
    Used,
}

impl SecretSettings {
    /// Reads the secrets that are named.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if one cannot be read, is none, or is named twice.
    pub fn given(&self) -> Result<Given, SecretsError> {
        Ok(Given {
            master: given(
                "DOORLIST_MASTER_SECRET",
                &self.master_secret,
                &self.master_secret_file,
                MasterSecrets::parse,
            )?,
            admin_keys: given("DOORLIST_ADMIN_KEY", &self.admin_key, &self.admin_key_file, AdminKeys::parse)?,
        })
    }
}

impl Given {
    /// Whether nothing is missing that cannot be in a file beside the store.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Needed`].
    pub fn suffice_for(&self, store: &StoreUrl) -> Result<(), SecretsError> {
        let missing = [
            ("DOORLIST_MASTER_SECRET", self.master.is_none()),
            ("DOORLIST_ADMIN_KEY", self.admin_keys.is_none()),
        ];
        let mut missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.try_for_each(|(variable, _)| file(store, variable).map(drop))
    }

    /// Adds what is in files beside the store; makes them where they are missing.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if a file cannot be read or made, or the master secret of a used store is gone.
    pub fn or_beside(self, store: &StoreUrl, age: StoreAge) -> Result<Secrets, SecretsError> {
        let master = match self.master {
            Some(master) => master,
            None => {
                let path = master_secret_beside(file(store, "DOORLIST_MASTER_SECRET")?);
                let text = match age {
                    StoreAge::New => read_or_create(&path)?,
                    StoreAge::Used => read_secret_file(&path).map_err(SecretsError::Lost)?,
                };
                in_file(&path, &text, MasterSecrets::parse)?
            }
        };
        let admin_keys = match self.admin_keys {
            Some(admin_keys) => admin_keys,
            None => {
                let path = admin_key_beside(file(store, "DOORLIST_ADMIN_KEY")?);
                in_file(&path, &read_or_create(&path)?, AdminKeys::parse)?
            }
        };
        Ok(Secrets { master, admin_keys })
    }
}

fn given<T>(
    variable: &'static str,
    value: &Option<SecretText>,
    file: &Option<PathBuf>,
    parse: impl Fn(&str) -> Result<T, UnfitSecret>,
) -> Result<Option<T>, SecretsError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(SecretsError::Both { variable }),
        (Some(value), None) => match parse(value.expose()) {
            Ok(secret) => Ok(Some(secret)),
            Err(unfit) => Err(SecretsError::Unfit { place: variable.to_owned(), unfit }),
        },
        (None, Some(path)) => in_file(path, &read_secret_file(path)?, parse).map(Some),
        (None, None) => Ok(None),
    }
}

fn in_file<T>(
    path: &Path,
    text: &SecretText,
    parse: impl Fn(&str) -> Result<T, UnfitSecret>,
) -> Result<T, SecretsError> {
    parse(text.expose()).map_err(|unfit| SecretsError::Unfit { place: path.display().to_string(), unfit })
}

/// The file of the store, beside which its secrets are.
fn file<'a>(store: &'a StoreUrl, variable: &'static str) -> Result<&'a Path, SecretsError> {
    match store {
        StoreUrl::Embedded(file) => Ok(file),
        StoreUrl::Redis(_) => Err(SecretsError::Needed { variable }),
    }
}

/// Where the master secret of an embedded store stands, unless a setting says otherwise.
pub(super) fn master_secret_beside(store: &Path) -> PathBuf {
    beside(store, "master-secret")
}

/// Where the admin key of an embedded store stands, unless a setting says otherwise.
pub fn admin_key_beside(store: &Path) -> PathBuf {
    beside(store, "admin-key")
}

/// `./doorlist.redb` → `./doorlist.redb.<extension>`
fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.to_owned().into_os_string();
    name.push(".");
    name.push(extension);
    name.into()
}

/// The flags of a command line that hold a secret, each with what to use instead: every user of the machine sees the
/// arguments of every process.
pub fn flags_with_secrets(arguments: impl Iterator<Item = OsString>) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned()).peekable();
    while let Some(argument) = arguments.next() {
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (argument, arguments.peek().cloned()),
        };
        match flag.as_str() {
            "--master-secret" => found.push(("--master-secret", "DOORLIST_MASTER_SECRET_FILE")),
            "--admin-key" => found.push(("--admin-key", "DOORLIST_ADMIN_KEY_FILE")),
            "--store" if value.is_some_and(|url| has_password(&url)) => {
                found.push(("--store", "DOORLIST_STORE"))
            }
            _ => {}
        }
    }
    found
}

fn has_password(url: &str) -> bool {
    let login = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(login, _)| login);
    login.is_some_and(|login| login.contains(':'))
}
