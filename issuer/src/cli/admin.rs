//! Subcommands that call the admin API of a running issuer. They do not open the store themselves, because the running
//! issuer has the store open.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use doorlist_verifier::{Handle, KeyId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::config::{IssuerUrl, admin_key_beside};
use crate::domain::{Subject, subject::MalformedSubject};
use crate::output::Answer;
use crate::secret::{AdminKeys, SecretFileError, SecretText, UnfitKeys, read_secret_file};

/// How long to wait for an answer. The issuer itself limits each request to 30 s, so this limit is longer.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// The issuer's address and the key that authenticates the operator.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct AdminConnection {
    /// Address of the issuer, beginning with http:// [DOORLIST_URL; default http://127.0.0.1:8787]
    #[arg(
        long,
        env = "DOORLIST_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8787",
        global = true
    )]
    #[arg(hide_env = true, hide_default_value = true)]
    url: IssuerUrl,

    /// Key for the issuer's admin API; if there are several keys, the first with the scope all is sent
    /// [DOORLIST_ADMIN_KEY]
    #[arg(long, env = "DOORLIST_ADMIN_KEY", value_name = "KEY", global = true)]
    #[arg(hide_env = true, allow_hyphen_values = true)]
    admin_key: Option<SecretText>,

    /// File with the key for the issuer's admin API; if the file holds several keys, the first with the scope all is
    /// sent [DOORLIST_ADMIN_KEY_FILE; default where `serve` makes it: ./doorlist.redb.admin-key]
    #[arg(long, env = "DOORLIST_ADMIN_KEY_FILE", value_name = "FILE", global = true, hide_env = true)]
    admin_key_file: Option<PathBuf>,
}

/// The reason why a subcommand failed, as one sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    #[error("{0}; name the file with --admin-key-file (DOORLIST_ADMIN_KEY_FILE)")]
    KeyFile(#[from] SecretFileError),
    #[error(
        "there is no {} in this folder: start `doorlist serve` first and run this command in the same folder, \
         or name the file with --admin-key-file (DOORLIST_ADMIN_KEY_FILE)", .0.display()
    )]
    NoKeyHere(PathBuf),
    #[error("the admin key {0}")]
    UnfitKey(#[from] UnfitKeys),
    #[error(
        "this command supports only http://, but --url (DOORLIST_URL) is {0}: \
         run it on the issuer's machine, or give the local address of a tunnel to it"
    )]
    NoTls(IssuerUrl),
    #[error("cannot reach an issuer at {url}: is `doorlist serve` running there? ({})", innermost(.source))]
    Unreachable { url: IssuerUrl, source: reqwest::Error },
    #[error("the issuer refused: {description} ({status})")]
    Refused { status: reqwest::StatusCode, description: String },
    #[error("cannot read the password from standard input: {0}")]
    Password(#[from] std::io::Error),
}

fn innermost(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl AdminConnection {
    async fn ask(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Value, AdminError> {
        let mut url = reqwest::Url::parse(self.url.as_str()).expect("an issuer's URL was checked");
        url.path_segments_mut().expect("http(s) has a path").pop_if_empty().push("admin").extend(path);
        self.send(method, url, body).await
    }

    async fn send(
        &self,
        method: Method,
        url: reqwest::Url,
        body: Option<Value>,
    ) -> Result<Value, AdminError> {
        if self.url.as_str().starts_with("https:") {
            return Err(AdminError::NoTls(self.url.clone()));
        }
        let key = self.key()?;
        let unreachable = |source: reqwest::Error| AdminError::Unreachable { url: self.url.clone(), source };
        let client =
            reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().map_err(unreachable)?;
        let mut request = client.request(method, url).bearer_auth(key.expose());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let answer: Value = response.json().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(answer);
        }
        let description = answer["error_description"].as_str().unwrap_or("it gave no reason").to_owned();
        Err(AdminError::Refused { status, description })
    }

    /// Returns the admin key from the flag, the variable or the file. If there are several keys, returns the first one
    /// with the scope `all`, or the first one if none has this scope.
    fn key(&self) -> Result<SecretText, AdminError> {
        let text = match (&self.admin_key, &self.admin_key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => read_secret_file(file)?,
            (None, None) => {
                let file = admin_key_beside(Path::new("./doorlist.redb"));
                if !file.exists() {
                    return Err(AdminError::NoKeyHere(file));
                }
                read_secret_file(&file)?
            }
        };
        Ok(AdminKeys::to_send(text.expose())?)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum SubjectCommand {
    /// Create a subject
    Add {
        /// The subject's name: 1 to 255 bytes, but not . or .. (the name becomes the `sub` claim of the subject's
        /// tokens)
        #[arg(value_parser = subject)]
        sub: Subject,
        /// Read the subject's password from standard input; a subject without a password cannot use POST /login
        #[arg(long)]
        password_stdin: bool,
    },
    /// List every subject with its state and the number of its sessions
    List,
    /// Revoke every token and end every session of a subject; the subject cannot log in again
    Disable {
        /// The subject's name
        #[arg(value_parser = subject)]
        sub: Subject,
    },
}

impl SubjectCommand {
    pub(super) async fn run(self, admin: &AdminConnection, out: &mut Answer) -> Result<(), AdminError> {
        match self {
            Self::Add { sub, password_stdin } => {
                let mut body = json!({ "sub": sub });
                if password_stdin {
                    let mut password = String::new();
                    std::io::stdin().read_to_string(&mut password)?;
                    body["password"] = password.trim_end_matches(['\r', '\n']).into();
                }
                admin.ask(Method::POST, &["subjects"], Some(body)).await?;
                out.line(format_args!("{sub} is created"));
            }
            Self::List => list(admin, out).await?,
            Self::Disable { sub } => {
                let answer = admin.ask(Method::POST, &["subjects", sub.as_str(), "disable"], None).await?;
                out.line(format_args!("{sub} is disabled; {}", position(&answer)));
            }
        }
        Ok(())
    }
}

async fn list(admin: &AdminConnection, out: &mut Answer) -> Result<(), AdminError> {
    let mut url =
        reqwest::Url::parse(&admin.url.join("/admin/subjects")).expect("an issuer's URL was checked");
    while !out.is_over() {
        let page = admin.send(Method::GET, url.clone(), None).await?;
        for subject in page["subjects"].as_array().into_iter().flatten() {
            let name = subject["sub"].as_str().unwrap_or_default();
            match subject["damaged"].as_str() {
                Some(reason) => out.line(format_args!("{name}\tdamaged: {reason}")),
                None => {
                    let sessions = subject["sessions"].as_array().map_or(0, Vec::len);
                    let state = subject["state"].as_str().unwrap_or_default();
                    out.line(format_args!("{name}\t{state}\t{sessions} sessions"));
                }
            }
        }
        let Some(next) = page["next"].as_str() else { return Ok(()) };
        url.query_pairs_mut().clear().append_pair("after", next);
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct KickCommand {
    /// The subject's name
    #[arg(value_parser = subject)]
    sub: Subject,
    /// Kick only if this is the subject's current group (16 hex digits), so that a repeated command does not end a
    /// newer login
    #[arg(long)]
    gid: Option<Handle>,
}

impl KickCommand {
    pub(super) async fn run(self, admin: &AdminConnection, out: &mut Answer) -> Result<(), AdminError> {
        let mut url = reqwest::Url::parse(admin.url.as_str()).expect("an issuer's URL was checked");
        url.path_segments_mut().expect("http(s) has a path").pop_if_empty().extend([
            "admin",
            "subjects",
            self.sub.as_str(),
            "revoke",
        ]);
        if let Some(gid) = self.gid {
            url.query_pairs_mut().append_pair("gid", &gid.to_string());
        }
        let answer = admin.send(Method::POST, url, None).await?;
        out.line(format_args!("{} is kicked; {}", self.sub, position(&answer)));
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List the trusted keys and their states
    List,
    /// Sign with the announced key from now on, and announce a new key
    Rotate,
    /// Stop trusting a key at once: every token that the key signed becomes invalid
    Retire {
        /// The key's RFC 7638 thumbprint, as `doorlist keys list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: KeyId,
    },
}

impl KeysCommand {
    pub(super) async fn run(self, admin: &AdminConnection, out: &mut Answer) -> Result<(), AdminError> {
        let answer = match self {
            Self::List => admin.ask(Method::GET, &["keys"], None).await?,
            Self::Rotate => admin.ask(Method::POST, &["keys", "rotate"], None).await?,
            Self::Retire { kid } => {
                admin.ask(Method::POST, &["keys", "retire"], Some(json!({ "kid": kid }))).await?
            }
        };
        for key in answer["keys"].as_array().into_iter().flatten() {
            let (kid, state) = (key["kid"].as_str(), key["state"].as_str());
            out.line(format_args!("{}\t{}", kid.unwrap_or_default(), state.unwrap_or_default()));
        }
        Ok(())
    }
}

fn subject(text: &str) -> Result<Subject, MalformedSubject> {
    text.try_into()
}

fn position(answer: &Value) -> String {
    let (epoch, seq) = (answer["epoch"].as_str().unwrap_or_default(), &answer["seq"]);
    format!("every verifier whose list has reached {epoch}:{seq} knows it")
}
