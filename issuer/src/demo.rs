//! `doorlist demo`: an issuer with two users and a page to try it out.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;

use crate::app::App;
use crate::desk::Kick;
use crate::domain::Subject;
use crate::http::{ApiError, JsonBody, Position};
use crate::password::{Password, PasswordError};
use crate::secret::SecretText;
use crate::store::StoreError;

/// The demo's accounts with their passwords. The page shows both.
pub const ACCOUNTS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder-of-things")];

/// The page may load scripts and styles from this issuer, send requests to it, show images from `data:` URLs, and
/// compile WebAssembly. It contains no inline script and no inline style, so the policy needs no hash. A form is never
/// sent by the browser itself: otherwise, if a script failed, the browser would put the password into the page's
/// address.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The npm package is not built.
    #[error(
        "there is no npm package in {}: run `make build` first, or name its folder with --package (DOORLIST_PACKAGE)",
        .0.display()
    )]
    NoPackage(PathBuf),
    /// The npm package cannot be read.
    #[error("cannot read the npm package: {0}")]
    Package(#[from] io::Error),
    /// The accounts cannot be created.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// The modules of the npm package, read once.
pub struct Package(HashMap<String, Bytes>);

impl Package {
    /// Reads the modules in a folder.
    ///
    /// # Errors
    ///
    /// [`DemoError::NoPackage`] if there is no `index.js`; [`DemoError::Package`] if a file cannot be read.
    pub fn read(folder: &Path) -> Result<Self, DemoError> {
        if !folder.join("index.js").is_file() {
            return Err(DemoError::NoPackage(folder.to_owned()));
        }
        let mut files = HashMap::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && media_type(&name).is_some()
                && entry.path().is_file()
            {
                files.insert(name, std::fs::read(entry.path())?.into());
            }
        }
        Ok(Self(files))
    }
}

/// Creates the accounts that are missing. An existing account is not changed.
///
/// # Errors
///
/// [`DemoError::Store`] or [`DemoError::Password`] if an account cannot be created.
pub async fn make_accounts(app: &App) -> Result<(), DemoError> {
    for (name, password) in ACCOUNTS {
        let password = Password::to_be_set(SecretText::from(password.to_owned()))
            .expect("the demo's passwords have a valid length");
        let hash = app.passwords.hash(password).await?;
        app.desk.create_subject(&subject(name), Some(hash)).await?;
    }
    Ok(())
}

/// Routes for the page, the page's files and the modules of the npm package, and the route with which the page kicks a
/// user.
pub fn routes(app: Arc<App>, package: Package) -> Router {
    let package = Arc::new(package);
    Router::new()
        .route("/", get(page))
        .route("/demo/style.css", get(|| async { file("style.css", include_str!("demo/style.css")) }))
        .route("/demo/page.js", get(|| async { file("page.js", include_str!("demo/page.js")) }))
        .route("/demo/view.js", get(|| async { file("view.js", include_str!("demo/view.js")) }))
        .route("/demo/kick", post(kick))
        .with_state(app)
        .route("/doorlist/{file}", get(move |name| module(Arc::clone(&package), name)))
}

/// The page works only under the issuer's own address, because it verifies tokens against that address.
async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if app.issuer.as_str().split_once("://").is_some_and(|(_, authority)| authority != host) {
        return Redirect::temporary(&app.issuer.join("/")).into_response();
    }
    let policy = [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
    (policy, file("index.html", include_str!("demo/index.html"))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KickRequest {
    sub: String,
}

/// `POST /demo/kick` needs no admin key, because it kicks only the demo's own users. It accepts only JSON, which a
/// page of another origin cannot send without a preflight request.
async fn kick(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<KickRequest>,
) -> Result<Position, ApiError> {
    if !ACCOUNTS.iter().any(|(name, _)| *name == request.sub) {
        return Err(ApiError::not_found("this page can kick only the demo's own users"));
    }
    match app.desk.kick(&subject(&request.sub), None).await? {
        Kick::Kicked(position) => Ok(position.into()),
        Kick::NotCurrent { .. } | Kick::UnknownSubject => {
            Err(ApiError::not_found("the demo's user no longer exists"))
        }
    }
}

async fn module(package: Arc<Package>, UrlPath(name): UrlPath<String>) -> Result<Response, ApiError> {
    match package.0.get(&name) {
        Some(bytes) => Ok(file(&name, bytes.clone())),
        None => Err(ApiError::not_found("the package has no such file")),
    }
}

fn file(name: &str, body: impl IntoResponse) -> Response {
    let kind = media_type(name).unwrap_or("application/octet-stream");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "map" => Some("application/json"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

fn subject(name: &str) -> Subject {
    name.try_into().expect("a demo user's name is a subject")
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;

    use std::collections::BTreeSet;

    use super::*;
    use crate::http::router;
    use crate::testing::Site;

    /// A site with the page and its users, under the issuer's own host.
    async fn demo() -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("index.js"), "export {}").expect("written");
        std::fs::write(folder.path().join(".secret"), "no").expect("written");
        let mut site = Site::open().await;
        make_accounts(&site.app).await.expect("made");
        let page = routes(Arc::clone(&site.app), Package::read(folder.path()).expect("a package"));
        site.router = router(Arc::clone(&site.app), page);
        site
    }

    #[tokio::test]
    async fn every_file_that_the_page_names_is_served() {
        let site = demo().await;
        let sources =
            [include_str!("demo/index.html"), include_str!("demo/page.js"), include_str!("demo/view.js")];
        let texts = sources.iter().flat_map(|source| source.split(['"', '\'']));
        let is_file = |text: &&str| text.starts_with("/demo/") || text.starts_with("/doorlist/");
        let files: BTreeSet<_> = texts.filter(is_file).filter(|path| *path != "/demo/kick").collect();
        assert_eq!(
            Vec::from_iter(&files),
            [&"/demo/page.js", &"/demo/style.css", &"/demo/view.js", &"/doorlist/index.js"]
        );
        for path in files {
            assert_eq!(site.get(path).await.status, StatusCode::OK, "{path}");
        }
        for path in ["/doorlist/.secret", "/doorlist/..%2findex.js", "/doorlist/nothing.js"] {
            assert_eq!(site.get(path).await.failure(), "404 not_found", "{path}");
        }
    }

    #[tokio::test]
    async fn the_page_is_served_at_the_issuer_s_own_address_and_other_hosts_are_redirected() {
        let site = demo().await;
        let get = async |host: &str| {
            let request =
                axum::http::Request::get("/").header(header::HOST, host).body(axum::body::Body::empty());
            site.send(request.expect("a request")).await
        };
        let page = get("issuer.example").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(page.headers()[header::X_FRAME_OPTIONS], "DENY");
        let elsewhere = get("localhost:8787").await;
        assert_eq!(elsewhere.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(elsewhere.headers()[header::LOCATION], "https://issuer.example/");
    }

    #[tokio::test]
    async fn the_page_can_kick_only_the_users_of_the_demo() {
        let site = demo().await;
        let kick = async |sub: &str| site.ask(Method::POST, "/demo/kick", "", json!({ "sub": sub })).await;
        for (name, password) in ACCOUNTS {
            let body = json!({ "username": name, "password": password });
            assert_eq!(site.ask(Method::POST, "/login", "", body).await.status, StatusCode::OK);
            kick(name).await.position();
        }
        site.open_session("mallory").await;
        assert_eq!(kick("mallory").await.failure(), "404 not_found");
    }

    #[tokio::test]
    async fn existing_accounts_are_not_changed() {
        let site = demo().await;
        let path = "/admin/subjects/alice/password";
        site.admin(Method::PUT, path, json!({ "password": "looking-glass" })).await.position();
        make_accounts(&site.app).await.expect("nothing to do");
        let body = json!({ "username": "alice", "password": "looking-glass" });
        assert_eq!(site.ask(Method::POST, "/login", "", body).await.status, StatusCode::OK);
    }

    /// The policy has no hash and no `'unsafe-inline'`, so a browser would not run or apply inline code.
    #[test]
    fn the_page_has_no_inline_script_or_style() {
        let page = include_str!("demo/index.html");
        for inline in ["<style", "style=", " onclick", " onload", " onsubmit", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
        let scripts: Vec<_> = page.split("<script").skip(1).collect();
        assert!(scripts.iter().all(|script| script.contains(" src=") && script.contains("></script>")));
        assert!(!CONTENT_SECURITY_POLICY.contains("unsafe-inline"));
    }

    #[test]
    fn the_error_for_a_package_that_is_not_built_names_the_command_to_run() {
        let error = Package::read(Path::new("/nowhere/dist")).err().expect("an error");
        assert!(error.to_string().contains("run `make build` first"), "{error}");
    }
}
