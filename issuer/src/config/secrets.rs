//! Where secrets come from: the environment, a file, or a file made at the first start.

use std::path::{Path, PathBuf};

use clap::Args;

use super::StoreUrl;
use crate::secret::{AdminKey, MasterSecrets, SecretFileError, SecretText, WeakSecret};
use crate::secret::{read_or_create, read_secret_file};

/// What must not be shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretSettings {
    /// Master secret: refresh tokens are authenticated and private keys sealed under it. Several, separated
    /// by commas or newlines: the first makes, the others still verify [DOORLIST_MASTER_SECRET]
    #[arg(long, env = "DOORLIST_MASTER_SECRET", value_name = "SECRET", hide_env = true)]
    pub master_secret: Option<SecretText>,

    /// File with the master secret, one a line, the current one first
    /// [DOORLIST_MASTER_SECRET_FILE; default made beside the store, mode 0600]
    #[arg(long, env = "DOORLIST_MASTER_SECRET_FILE", value_name = "FILE", hide_env = true)]
    pub master_secret_file: Option<PathBuf>,

    /// Key of the admin API, sent as `Authorization: Bearer` [DOORLIST_ADMIN_KEY]
    #[arg(long, env = "DOORLIST_ADMIN_KEY", value_name = "KEY", hide_env = true)]
    pub admin_key: Option<SecretText>,

    /// File with the key of the admin API
    /// [DOORLIST_ADMIN_KEY_FILE; default made beside the store, mode 0600]
    #[arg(long, env = "DOORLIST_ADMIN_KEY_FILE", value_name = "FILE", hide_env = true)]
    pub admin_key_file: Option<PathBuf>,
}

/// The secrets an issuer runs with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// For refresh tokens and sealed keys.
    pub master: MasterSecrets,
    /// For the admin API.
    pub admin_key: AdminKey,
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
    /// A secret is too short.
    #[error("{place} {weak}")]
    Weak {
        /// The variable or the file.
        place: String,
        /// How short.
        weak: WeakSecret,
    },
}

impl SecretSettings {
    /// Reads the secrets; makes files beside an embedded store where nothing is said.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] if a secret cannot be read or made, or is none.
    pub fn load(&self, store: &StoreUrl) -> Result<Secrets, SecretsError> {
        let master = Source {
            variable: "DOORLIST_MASTER_SECRET",
            value: &self.master_secret,
            file: &self.master_secret_file,
            beside: beside(store, "master-secret"),
        };
        let admin_key = Source {
            variable: "DOORLIST_ADMIN_KEY",
            value: &self.admin_key,
            file: &self.admin_key_file,
            beside: admin_key_beside(store),
        };
        Ok(Secrets {
            master: master.load(MasterSecrets::parse)?,
            admin_key: admin_key.load(AdminKey::parse)?,
        })
    }
}

/// Where the admin key of an embedded store stands, unless a setting says otherwise.
pub fn admin_key_beside(store: &StoreUrl) -> PathBuf {
    beside(store, "admin-key")
}

/// `./doorlist.redb` → `./doorlist.redb.<extension>`
fn beside(store: &StoreUrl, extension: &str) -> PathBuf {
    let StoreUrl::Embedded(file) = store;
    let mut name = file.clone().into_os_string();
    name.push(".");
    name.push(extension);
    name.into()
}

struct Source<'a> {
    variable: &'static str,
    value: &'a Option<SecretText>,
    file: &'a Option<PathBuf>,
    beside: PathBuf,
}

impl Source<'_> {
    fn load<T>(&self, parse: impl Fn(&str) -> Result<T, WeakSecret>) -> Result<T, SecretsError> {
        let weak = |place: String| move |weak| SecretsError::Weak { place, weak };
        let in_file =
            |path: &Path, text: SecretText| parse(text.expose()).map_err(weak(path.display().to_string()));
        match (self.value, self.file) {
            (Some(_), Some(_)) => Err(SecretsError::Both { variable: self.variable }),
            (Some(value), None) => parse(value.expose()).map_err(weak(self.variable.to_owned())),
            (None, Some(path)) => in_file(path, read_secret_file(path)?),
            (None, None) => in_file(&self.beside, read_or_create(&self.beside)?),
        }
    }
}
