//! The login for the servers, and the certificates that they must have.
//!
//! Each new connection reads the files with the password and with the certificates again. So an operator can change
//! both without a restart of the issuer.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates,
};

use super::error::Trouble;
use super::url::{Address, RedisUrl, Transport};
use crate::secret::{SecretText, read_secret_file};
use crate::store::StoreError;

/// Files that belong to the login.
#[derive(Debug, Clone, Default)]
pub struct LoginFiles {
    /// The file with the password, if the URL holds none.
    pub password: Option<PathBuf>,
    /// The PEM file with the certificate authorities to trust, instead of the well-known authorities.
    pub certificates: Option<PathBuf>,
}

/// Everything that is needed to connect to a server of an installation.
pub(super) struct Login {
    user: Option<String>,
    database: i64,
    transport: Transport,
    files: LoginFiles,
    /// What the URL or the files held when they were read last without an error.
    last: Mutex<Credentials>,
}

#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretText>,
    pub(super) certificates: Option<TlsCertificates>,
}

impl Login {
    /// Reads the files for the first time.
    pub(super) fn read(url: &RedisUrl, files: LoginFiles) -> Result<Self, StoreError> {
        let given =
            Credentials { user: url.user.clone(), password: url.password.clone(), certificates: None };
        let last = credentials(&files, &given).map_err(StoreError::Misconfigured)?;
        let (user, database, transport) = (url.user.clone(), url.database, url.transport);
        Ok(Self { user, database, transport, files, last: Mutex::new(last) })
    }

    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    /// The password and the certificates that are valid now. If a file cannot be read, its last content.
    pub(super) async fn current(&self) -> Credentials {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.files.password.is_none() && self.files.certificates.is_none() {
            return last;
        }
        let (files, given) = (self.files.clone(), last.clone());
        // A file system can be slow, so another thread reads.
        let read = tokio::task::spawn_blocking(move || credentials(&files, &given)).await;
        match read {
            Ok(Ok(current)) => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = current.clone();
                current
            }
            Ok(Err(reason)) => {
                tracing::warn!(reason, "the previous content of the file is used for this connection");
                last
            }
            Err(_) => last,
        }
    }

    /// A client for the server at this address.
    pub(super) async fn client(&self, address: &Address) -> Result<Client, Trouble> {
        let Credentials { password, certificates, .. } = self.current().await;
        let mut login = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.user {
            login = login.set_username(user);
        }
        if let Some(password) = &password {
            login = login.set_password(password.expose());
        }
        let server: ConnectionInfo =
            self.address_for_client(address).into_connection_info()?.set_redis_settings(login);
        Ok(match certificates {
            Some(certificates) => Client::build_with_tls(server, certificates)?,
            None => Client::open(server)?,
        })
    }

    pub(super) fn address_for_client(&self, address: &Address) -> ConnectionAddr {
        let Address { host, port } = address.clone();
        match self.transport {
            Transport::Plain => ConnectionAddr::Tcp(host, port),
            Transport::Tls => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        }
    }
}

/// Reads the files. What no file holds is taken from `given`.
fn credentials(files: &LoginFiles, given: &Credentials) -> Result<Credentials, String> {
    let password = match &files.password {
        Some(file) => Some(password_in(file)?),
        None => given.password.clone(),
    };
    let certificates = files.certificates.as_deref().map(certificates_in).transpose()?;
    Ok(Credentials { user: given.user.clone(), password, certificates })
}

/// Only the line end after the password is removed, because a password may begin or end with a space.
fn password_in(file: &Path) -> Result<SecretText, String> {
    let text = read_secret_file(file)
        .map_err(|error| format!("{error}; correct --store-password-file (DOORLIST_STORE_PASSWORD_FILE)"))?;
    let password = text.expose().trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(['\r', '\n']) {
        return Err(format!(
            "{} holds no password: write the password of Redis into this file, on one line \
             (--store-password-file, DOORLIST_STORE_PASSWORD_FILE)",
            file.display()
        ));
    }
    Ok(password.to_owned().into())
}

fn certificates_in(file: &Path) -> Result<TlsCertificates, String> {
    let pem = std::fs::read(file).map_err(|error| {
        format!("cannot read {}: {error}; correct --store-ca-file (DOORLIST_STORE_CA_FILE)", file.display())
    })?;
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err("the file in DOORLIST_STORE_CA_FILE holds no PEM certificate".to_owned());
    }
    Ok(TlsCertificates { client_tls: None, root_cert: Some(pem) })
}
