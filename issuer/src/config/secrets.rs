//! The sources of secrets: a setting (flag or variable), a file, or a file that the first start creates.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;

use super::StoreUrl;
use crate::secret::{AdminKeys, MasterSecrets, SecretFileError, SecretText, UnfitKeys, UnfitSecret};
use crate::secret::{read_or_create, read_secret_file};

/// The secrets, or the files that hold them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretSettings {
    /// Master secret: it authenticates refresh tokens and encrypts the stored private keys. Separate several secrets
    /// with commas or newlines. The first secret is used for new tokens and for encryption; the others are still
    /// accepted [DOORLIST_MASTER_SECRET]
    #[arg(long, env = "DOORLIST_MASTER_SECRET", value_name = "SECRET", hide_env = true)]
    #[arg(allow_hyphen_values = true)]
    pub master_secret: Option<SecretText>,

    /// File with the master secret. If there are several secrets, each secret has its own line, and the current secret
    /// is first [DOORLIST_MASTER_SECRET_FILE; default made beside an embedded store, mode 0600]
    #[arg(long, env = "DOORLIST_MASTER_SECRET_FILE", value_name = "FILE", hide_env = true)]
    pub master_secret_file: Option<PathBuf>,

    /// Key for the admin API and /introspect; callers send the key as `Authorization: Bearer`. Separate several keys
    /// with commas or newlines. All of them are valid. A key may have a name and a scope (read, kick or all): write
    /// `NAME SCOPE KEY`. Without them, its name is admin and its scope all [DOORLIST_ADMIN_KEY]
    #[arg(long, env = "DOORLIST_ADMIN_KEY", value_name = "KEY", hide_env = true)]
    #[arg(allow_hyphen_values = true)]
    pub admin_key: Option<SecretText>,

    /// File with the keys for the admin API, one `KEY` or `NAME SCOPE KEY` per line; lines that begin with # are
    /// comments. After SIGHUP the issuer reads the file again. `doorlist` commands on this machine send the first key
    /// with the scope all [DOORLIST_ADMIN_KEY_FILE; default made beside an embedded store, mode 0600]
    #[arg(long, env = "DOORLIST_ADMIN_KEY_FILE", value_name = "FILE", hide_env = true)]
    pub admin_key_file: Option<PathBuf>,
}

/// The secrets that a running issuer uses.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Authenticates refresh tokens and encrypts the stored private keys.
    pub master: MasterSecrets,
    /// Authenticates callers of the admin API.
    pub admin_keys: AdminKeys,
}

/// Why the secrets are not available; the message says what to change.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The same secret is given both as a value and as a file.
    #[error("both {variable} and {variable}_FILE are set: unset one of them")]
    Both {
        /// The variable's name.
        variable: &'static str,
    },
    /// A file cannot be read or made.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The store was used before, but its master secret cannot be read from the file beside the store.
    #[error(
        "{0}; the store was created with the secret that was in this file: put the file back, or give the secret with --master-secret-file"
    )]
    Lost(#[source] SecretFileError),
    /// The settings must give this secret, because the store is a Redis. The issuer creates secrets only beside an
    /// embedded store. With Redis, every node needs the same secrets.
    #[error(
        "set {variable} or {variable}_FILE: with a Redis store, give every issuer the same secret, for example from \
         `openssl rand -base64 32`"
    )]
    Needed {
        /// The variable's name.
        variable: &'static str,
    },
    /// The text cannot be used as a secret.
    #[error("{place} {unfit}")]
    Unfit {
        /// The name of the variable or of the file.
        place: String,
        /// Why the text cannot be used.
        unfit: UnfitSecret,
    },
    /// The text cannot be used as admin keys.
    #[error("{place} {unfit}")]
    UnfitKeys {
        /// The name of the variable or of the file.
        place: String,
        /// Why the text cannot be used.
        unfit: UnfitKeys,
    },
}

/// The secrets that the settings give. If a secret is `None`, it is read from the file beside the store.
#[derive(Debug, Clone)]
pub struct Given {
    master: Option<MasterSecrets>,
    admin_keys: Option<AdminKeys>,
}

/// Whether the store already holds private keys that are encrypted under a master secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAge {
    /// The store holds no encrypted private keys, so the issuer can make a new master secret.
    New,
    /// The store holds encrypted private keys. A new master secret could not decrypt them.
    Used,
}

impl SecretSettings {
    /// Reads the secrets that the settings give.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if a secret cannot be read, cannot be used, or is given twice.
    pub fn given(&self) -> Result<Given, SecretsError> {
        Ok(Given {
            master: given(
                "DOORLIST_MASTER_SECRET",
                &self.master_secret,
                &self.master_secret_file,
                master_secrets,
            )?,
            admin_keys: given("DOORLIST_ADMIN_KEY", &self.admin_key, &self.admin_key_file, admin_keys)?,
        })
    }

    /// Reads the admin keys again from their file: the file of the settings, or the file beside the store. `None` if
    /// the keys are not in a file. Unlike at the start, a missing file is an error.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if the file cannot be read or used.
    pub fn admin_keys_again(&self, store: &StoreUrl) -> Result<Option<AdminKeys>, SecretsError> {
        let path = match (&self.admin_key, &self.admin_key_file) {
            (Some(_), _) => return Ok(None),
            (None, Some(path)) => path.clone(),
            (None, None) => admin_key_beside(file(store, "DOORLIST_ADMIN_KEY")?),
        };
        admin_keys(&path.display(), &read_secret_file(&path)?).map(Some)
    }
}

impl Given {
    /// Checks that the issuer can get every secret. With a Redis store, the settings must give every secret. With an
    /// embedded store, a secret can also be in a file beside the store.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Needed`] for the first secret that is missing.
    pub fn suffice_for(&self, store: &StoreUrl) -> Result<(), SecretsError> {
        let missing = [
            ("DOORLIST_MASTER_SECRET", self.master.is_none()),
            ("DOORLIST_ADMIN_KEY", self.admin_keys.is_none()),
        ];
        let mut missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.try_for_each(|(variable, _)| file(store, variable).map(drop))
    }

    /// Completes the secrets. If the settings do not give a secret, reads the secret from the file beside the store. If
    /// this file is missing, creates the file.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if a file cannot be read or created. If the store was used before, its master secret is never
    /// created again: the file with the master secret must exist.
    pub fn or_beside(self, store: &StoreUrl, age: StoreAge) -> Result<Secrets, SecretsError> {
        let master = match self.master {
            Some(master) => master,
            None => {
                let path = master_secret_beside(file(store, "DOORLIST_MASTER_SECRET")?);
                let text = match age {
                    StoreAge::New => read_or_create(&path)?,
                    StoreAge::Used => read_secret_file(&path).map_err(SecretsError::Lost)?,
                };
                master_secrets(&path.display(), &text)?
            }
        };
        let admin_keys = match self.admin_keys {
            Some(admin_keys) => admin_keys,
            None => {
                let path = admin_key_beside(file(store, "DOORLIST_ADMIN_KEY")?);
                admin_keys(&path.display(), &read_or_create(&path)?)?
            }
        };
        Ok(Secrets { master, admin_keys })
    }
}

fn given<T>(
    variable: &'static str,
    value: &Option<SecretText>,
    file: &Option<PathBuf>,
    parse: impl Fn(&dyn Display, &SecretText) -> Result<T, SecretsError>,
) -> Result<Option<T>, SecretsError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(SecretsError::Both { variable }),
        (Some(value), None) => parse(&variable, value).map(Some),
        (None, Some(path)) => parse(&path.display(), &read_secret_file(path)?).map(Some),
        (None, None) => Ok(None),
    }
}

fn master_secrets(place: &dyn Display, text: &SecretText) -> Result<MasterSecrets, SecretsError> {
    MasterSecrets::parse(text.expose())
        .map_err(|unfit| SecretsError::Unfit { place: place.to_string(), unfit })
}

fn admin_keys(place: &dyn Display, text: &SecretText) -> Result<AdminKeys, SecretsError> {
    AdminKeys::parse(text.expose())
        .map_err(|unfit| SecretsError::UnfitKeys { place: place.to_string(), unfit })
}

/// Returns the file of an embedded store. Secrets are in files beside this file. For Redis, returns the error for the
/// missing `variable`.
fn file<'a>(store: &'a StoreUrl, variable: &'static str) -> Result<&'a Path, SecretsError> {
    match store {
        StoreUrl::Embedded(file) => Ok(file),
        StoreUrl::Redis(_) => Err(SecretsError::Needed { variable }),
    }
}

/// The default file of an embedded store's master secret.
pub(super) fn master_secret_beside(store: &Path) -> PathBuf {
    beside(store, "master-secret")
}

/// The default file of an embedded store's admin key.
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

/// Finds the flags that contain a secret, and returns for each flag the setting to use instead. A flag is not safe for
/// a secret, because every user of the machine can see the arguments of every process.
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
                found.push(("--store", "DOORLIST_STORE_PASSWORD_FILE"))
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
