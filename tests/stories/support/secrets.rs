//! The secrets that the stories used, and the search for them in the log output of every issuer.
//!
//! All stories of one process share one collection, because a secret of one story must not be in the log output of
//! another story's issuer either. [`super::try_send`] adds the credentials of each request and each answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use serde_json::Value;

use super::issuer::{ADMIN_KEY, MASTER_SECRET};

/// The secrets by their first bytes, so that one pass over a text finds all of them.
type Secrets = HashMap<[u8; PREFIX], Vec<String>>;

/// Shorter texts are not collected, because log output may contain them by chance.
const PREFIX: usize = 8;

/// The members of requests and answers whose values are secret.
const SECRET_MEMBERS: [&str; 5] = ["access_token", "password", "refresh_token", "token", "password_hash"];

static SECRETS: LazyLock<Mutex<Secrets>> = LazyLock::new(|| {
    let mut secrets = Secrets::new();
    add(&mut secrets, ADMIN_KEY);
    add(&mut secrets, MASTER_SECRET);
    Mutex::new(secrets)
});

fn secrets() -> MutexGuard<'static, Secrets> {
    SECRETS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn add(secrets: &mut Secrets, secret: &str) {
    // The header of a JWT is public. Its payload and its signature are not.
    let parts: Vec<_> = secret.split('.').collect();
    let private = if parts.len() == 3 { &parts[1..] } else { &[secret][..] };
    for secret in private {
        let Some(prefix) = secret.as_bytes().first_chunk() else { continue };
        let with_prefix = secrets.entry(*prefix).or_default();
        if !with_prefix.iter().any(|known| known == secret) {
            with_prefix.push((*secret).to_owned());
        }
    }
}

/// Collects the credentials of a request or an answer: in its headers, and in its body, which may be JSON or a form.
pub fn collect(headers: &HeaderMap, body: &[u8]) {
    let mut secrets = secrets();
    for value in headers.get_all(AUTHORIZATION) {
        let value = value.to_str().unwrap_or_default();
        add(&mut secrets, value.strip_prefix("Bearer ").unwrap_or(value));
    }
    for value in headers.get_all(COOKIE).iter().chain(headers.get_all(SET_COOKIE)) {
        let first = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        add(&mut secrets, first.split_once('=').map_or("", |(_, value)| value));
    }
    let members: HashMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let fields = url::form_urlencoded::parse(body).filter(|(name, _)| SECRET_MEMBERS.contains(&&**name));
    for name in SECRET_MEMBERS {
        add(&mut secrets, members.get(name).and_then(Value::as_str).unwrap_or_default());
    }
    fields.for_each(|(_, value)| add(&mut secrets, &value));
}

/// Returns the first collected secret in the text.
fn found_in(text: &str, secrets: &Secrets) -> Option<String> {
    let bytes = text.as_bytes();
    bytes.windows(PREFIX).enumerate().find_map(|(at, window)| {
        let begun = secrets.get(<&[u8; PREFIX]>::try_from(window).ok()?)?;
        begun.iter().find(|secret| bytes[at..].starts_with(secret.as_bytes())).cloned()
    })
}

/// The log output of an issuer. When the story ends, the output is searched for all secrets.
pub struct LogOutput {
    text: Arc<Mutex<String>>,
    /// The folder in which the issuer stores the secrets that it makes.
    folder: PathBuf,
}

impl LogOutput {
    pub fn of(folder: &Path) -> Self {
        Self { text: Arc::default(), folder: folder.to_owned() }
    }

    /// The text, for the tasks that append to it.
    pub fn text(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.text)
    }

    pub fn so_far(&self) -> String {
        self.text.lock().expect("no thread panicked").clone()
    }
}

impl Drop for LogOutput {
    fn drop(&mut self) {
        // A second panic would end the process and hide the first.
        if std::thread::panicking() {
            return;
        }
        let mut secrets = secrets();
        for file in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|kind| kind == "master-secret" || kind == "admin-key") {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                text.split_whitespace().for_each(|secret| add(&mut secrets, secret));
            }
        }
        let text = self.so_far();
        if let Some(secret) = found_in(&text, &secrets) {
            let line = text.lines().find(|line| line.contains(&secret)).unwrap_or_default();
            panic!("the log output contains a secret, {secret}:\n{line}");
        }
    }
}

#[test]
fn a_secret_in_log_output_is_found() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, "Bearer key-of-an-operator".parse().expect("a value"));
    headers.insert(COOKIE, "doorlist=cookie-of-alice; theme=dark".parse().expect("a value"));
    collect(&headers, br#"{"username":"alice","password":"through-the-mirror","device":"a-common-name"}"#);
    collect(&HeaderMap::new(), b"grant_type=refresh_token&refresh_token=refresh%2Dtoken-of-alice");
    collect(&HeaderMap::new(), br#"{"access_token":"header-of-jwts.payload-of-alice.signature-of-alice"}"#);
    let collected = secrets().clone();
    for secret in [
        ADMIN_KEY,
        MASTER_SECRET,
        "key-of-an-operator",
        "cookie-of-alice",
        "through-the-mirror",
        "refresh-token-of-alice",
        "payload-of-alice",
        "signature-of-alice",
    ] {
        let line = format!("INFO doorlist: answered token={secret} status=200\n");
        assert_eq!(found_in(&line, &collected).as_deref(), Some(secret));
    }
    for public in ["header-of-jwts", "a-common-name", "refresh_token", "theme=dark", ""] {
        assert_eq!(found_in(public, &collected), None);
    }
}

#[test]
fn a_story_whose_log_output_contains_a_secret_fails() {
    let output = LogOutput::of(Path::new("/nonexistent"));
    output.text().lock().expect("no thread panicked").push_str("INFO doorlist: answered status=200\n");
    drop(output);
    let output = LogOutput::of(Path::new("/nonexistent"));
    let line = format!("INFO doorlist: answered key={ADMIN_KEY} status=200\n");
    output.text().lock().expect("no thread panicked").push_str(&line);
    assert!(std::panic::catch_unwind(move || drop(output)).is_err());
}
