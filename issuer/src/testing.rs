//! An issuer in memory behind its real router, for tests.

mod gated_store;
pub(crate) mod simulated_store;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use clap::Parser;
use doorlist_verifier::{Cursor, HostTime, Options, Verifier};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) use gated_store::GatedStore;

use crate::app::App;
use crate::cli::Cli;
use crate::clients::Clients;
use crate::config::Settings;
use crate::desk::{Desk, Upkeep};
use crate::device::Devices;
use crate::domain::installation::FormerIssuer;
use crate::former_name::FormerName;
use crate::http;
use crate::installation::Comparison;
use crate::keys::Keys;
use crate::life::Life;
use crate::login_brake::LoginBrake;
use crate::password::Passwords;
use crate::refresh_token::RefreshTokens;
use crate::revocations::{Revocations, store_time};
use crate::secret::{AdminKeys, CurrentAdminKeys, MasterSecrets};
use crate::token_cookie::TokenCookie;

/// The `iss` in tests.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The key of the admin API in tests.
pub(crate) const ADMIN_KEY: &str = "the-admin-key-of-the-tests";
/// The key of the holder `reader`, with the scope `read`.
pub(crate) const READ_KEY: &str = "the-key-that-reads-of-the-tests";
/// The key of the holder `kicker`, with the scope `kick`.
pub(crate) const KICK_KEY: &str = "the-key-that-kicks-of-the-tests";
pub(crate) const SECRET: &str = "the-master-secret-of-the-tests";

/// An issuer in memory.
pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<GatedStore>,
    pub(crate) router: Router,
    pub(crate) life: watch::Sender<Life>,
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// Opens an issuer with these flags of `serve`. If the flags do not set the issuer's name, the name is [`ISSUER`].
    pub(crate) async fn with(flags: &[&str]) -> Self {
        let issuer: &[&str] = if flags.contains(&"--issuer") { &[] } else { &["--issuer", ISSUER] };
        let line = ["doorlist", "serve"].iter().chain(issuer).chain(flags);
        let settings = Cli::try_parse_from(line).expect("settings").settings().expect("serve").clone();
        Self::on(Arc::new(GatedStore::in_memory()), settings, &[]).await
    }

    /// Opens an issuer that was renamed once. The issuer accepts refresh tokens with the name `former` for sessions
    /// opened before `until`.
    pub(crate) async fn formerly(former: &str, until: u64) -> Self {
        let line = ["doorlist", "serve", "--issuer", ISSUER];
        let settings = Cli::try_parse_from(line).expect("settings").settings().expect("serve").clone();
        let until = doorlist_verifier::UnixSeconds::new(until).expect("a time");
        let former = FormerIssuer { issuer: former.to_owned(), until };
        Self::on(Arc::new(GatedStore::in_memory()), settings, &[former]).await
    }

    /// Opens another node on the same store.
    pub(crate) async fn beside(&self) -> Self {
        let line = ["doorlist", "serve", "--issuer", ISSUER];
        let settings = Cli::try_parse_from(line).expect("settings").settings().expect("serve").clone();
        Self::on(Arc::clone(&self.store), settings, &[]).await
    }

    async fn on(store: Arc<GatedStore>, settings: Settings, former: &[FormerIssuer]) -> Self {
        let heartbeat = Duration::from_secs(settings.lifetimes.heartbeat_secs);
        let issuer = settings.addresses.issuer.clone().expect("the issuer's URL is set");
        let desk = Desk::open(store.clone(), settings.lifetimes.limits(), heartbeat).await.expect("a desk");
        let installation = Comparison::new(store.clone(), issuer.as_str(), &settings);
        let secrets = MasterSecrets::parse(SECRET).expect("a secret");
        let now = store_time(&desk.last_confirmed());
        let keys = Keys::open(Arc::clone(&desk), secrets.clone(), now).await.expect("keys");
        let keys = Arc::new(keys);
        let revocations = Revocations::new(Arc::clone(&desk), Arc::clone(&keys), issuer.as_str(), heartbeat);
        let (life, watching) = watch::channel(Life::Serving);
        let former = former
            .iter()
            .map(|former| FormerName::of(former, &desk, &keys, &secrets, heartbeat).expect("a list"));
        let former = former.flatten().collect();
        let sizes = settings.limits.sizes(1024).expect("1024 files are enough");
        let app = Arc::new(App {
            desk,
            keys,
            revocations: Arc::new(revocations.expect("a list")),
            refresh_tokens: RefreshTokens::new(&secrets, issuer.as_str()),
            refresh_cookie: TokenCookie::of_refresh(issuer.as_str()),
            devices: Devices::new(&secrets, issuer.as_str()),
            login_brake: LoginBrake::new(store.clone(), &secrets),
            passwords: Passwords::new(2),
            clients: Arc::new(Clients::new(settings.limits.proxies(), sizes)),
            former,
            installation,
            admin_keys: CurrentAdminKeys::new(
                AdminKeys::parse(&format!("{ADMIN_KEY},reader read {READ_KEY},kicker kick {KICK_KEY}"))
                    .expect("three keys"),
            ),
            issuer,
            audience: settings.addresses.audience,
            lifetimes: settings.lifetimes,
            allowed_origins: settings.addresses.allowed_origins,
            life: watching,
        });
        let router = http::router(Arc::clone(&app), Router::new());
        let site = Self { app, store, router, life };
        site.publish().await;
        site
    }

    /// Does the work of the background tasks once: reads new entries of the revocation log and publishes them.
    pub(crate) async fn publish(&self) {
        // The result of `beat` is not needed. If `beat` fails, the published list lacks the new entries, and the test
        // fails.
        let _ = Upkeep::new(Arc::clone(&self.app.desk)).beat().await;
        self.app.revocations.publish().await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.send(Request::get(path).body(Body::empty()).expect("a request")).await).await
    }

    /// Sends a request. With an empty `bearer` the request has no token. With a null `body` the request has no body.
    pub(crate) async fn ask(&self, method: Method, path: &str, bearer: &str, body: Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !bearer.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        Answer::of(self.send(request.body(body).expect("a request")).await).await
    }

    /// Sends a request with the admin key.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        self.ask(method, path, ADMIN_KEY, body).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(serde_urlencoded::to_string(fields).expect("a form")));
        Answer::of(self.send(request.expect("a request")).await).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.form("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Opens a session as a trusted back end does.
    pub(crate) async fn open_session(&self, sub: &str) -> Tokens {
        let answer = self.admin(Method::POST, "/admin/sessions", serde_json::json!({ "sub": sub })).await;
        Tokens::of(&answer)
    }

    /// A verifier that trusts the current keys and has no list.
    pub(crate) fn verifier(&self) -> Verifier {
        let mut verifier = Verifier::new(Options::new(ISSUER, None)).expect("options");
        let jwks = serde_json::to_string(&self.app.revocations.jwks()).expect("JSON");
        verifier.add_jwks(&jwks).expect("keys");
        verifier
    }
}

/// The tokens from a login or a refresh.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let text = |name: &str| answer.json()[name].as_str().expect(name).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// An answer whose body has been read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: head.status, headers: head.headers, text }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and the error code, such as `400 invalid_grant`. Panics if the error code or the description is
    /// missing.
    pub(crate) fn failure(&self) -> String {
        let body = self.json();
        assert!(body["error_description"].as_str().is_some_and(|sentence| !sentence.is_empty()), "{body}");
        format!("{} {}", self.status.as_u16(), body["error"].as_str().expect("an error"))
    }

    /// The position in the revocation log, read from the answer to a call that revokes.
    pub(crate) fn position(&self) -> Cursor {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        let body = self.json();
        format!("{}:{}", body["epoch"].as_str().expect("an epoch"), body["seq"]).parse().expect("a cursor")
    }
}

/// The current time, as the type that a verifier needs.
pub(crate) fn now() -> HostTime {
    HostTime { wall: crate::clock::host_time(), monotonic: Duration::ZERO }
}
