//! HTTP requests to an issuer.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{AccessTokenClaims, Cursor, RevocationList, Seq};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::issuer::{ADMIN_KEY, Issuer};
use super::secrets;

/// The limit is longer than 30 s, because an issuer gives up on a request after 30 s.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The request, for messages.
    pub request: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body that was sent, without changes.
    pub body: Vec<u8>,
}

/// The tokens that a client holds after a login or refresh.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The claims of the access token, not verified yet.
    pub claims: AccessTokenClaims,
}

impl Issuer {
    /// A request without a body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let issuer = self.in_turn();
        issuer.client.request(method, format!("{}{path}", issuer.url()))
    }

    /// A `GET` without credentials.
    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// A request of the operator.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let request = self.request(method, &format!("/admin{path}")).bearer_auth(ADMIN_KEY);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// A `POST` of the operator.
    pub async fn admin_post(&self, path: &str, body: Value) -> Reply {
        self.admin(Method::POST, path, Some(body)).await
    }

    /// Sends an operator's request for a revocation. Returns the position of the revocation in the revocation log.
    pub async fn revoking(&self, path: &str) -> Cursor {
        position(&self.admin(Method::POST, path, None).await.ok())
    }

    /// Opens a session as a trusted back end does; the subject needs no account.
    pub async fn open_session(&self, sub: &str) -> Session {
        self.open_session_as(json!({ "sub": sub })).await
    }

    /// Opens a session with any fields that `/admin/sessions` accepts.
    pub async fn open_session_as(&self, body: Value) -> Session {
        Session::of(&self.admin_post("/sessions", body).await)
    }

    /// Creates an account.
    pub async fn add_account(&self, username: &str, password: &str) {
        self.admin_post("/subjects", json!({ "sub": username, "password": password })).await.ok();
    }

    /// `POST /login`.
    pub async fn login(&self, username: &str, password: &str) -> Reply {
        let body = json!({ "username": username, "password": password });
        send(self.request(Method::POST, "/login").json(&body)).await
    }

    /// `POST /token` with a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.refresh_as(&[("refresh_token", refresh_token)]).await
    }

    /// `POST /token` with the grant type `refresh_token` and these fields.
    pub async fn refresh_as(&self, fields: &[(&str, &str)]) -> Reply {
        let fields: Vec<_> = [("grant_type", "refresh_token")].iter().chain(fields).collect();
        send(self.request(Method::POST, "/token").form(&fields)).await
    }

    /// `POST /revoke` (RFC 7009).
    pub async fn revoke(&self, token: &str) -> Reply {
        send(self.request(Method::POST, "/revoke").form(&[("token", token)])).await
    }

    /// A request of the signed-in subject.
    pub async fn as_subject(&self, method: Method, path: &str, access_token: &str) -> Reply {
        send(self.request(method, path).bearer_auth(access_token)).await
    }

    /// The number of the subject's live sessions in the answer of the admin API.
    pub async fn session_count(&self, sub: &str) -> usize {
        let subject = self.admin(Method::GET, &format!("/subjects/{sub}"), None).await.ok();
        subject["sessions"].as_array().expect("a list of sessions").len()
    }

    /// A `GET` of an absolute address, for addresses that the metadata names.
    pub async fn get_url(&self, url: &str) -> Reply {
        send(self.request_url(url)).await
    }

    /// A `GET` of an absolute address, not sent yet. Even for a pair, the request goes to exactly this address.
    pub fn request_url(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }
}

/// Sends a request and reads the answer to its end.
pub async fn send(request: RequestBuilder) -> Reply {
    try_send(request).await.expect("an answer")
}

/// Like [`send`], but returns an `Err` if no answer arrives, or if the answer takes longer than the issuer's time
/// limit.
pub async fn try_send(request: RequestBuilder) -> reqwest::Result<Reply> {
    let (client, request) = request.timeout(ANSWER_LIMIT).build_split();
    let request = request?;
    let name = format!("{} {}", request.method(), request.url().path());
    let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    secrets::collect(request.headers(), sent);
    let response = client.execute(request).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?;
    secrets::collect(&headers, &body);
    Ok(Reply { request: name, status, headers, body: body.into() })
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON from {}: {}", self.request, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of a successful answer.
    #[track_caller]
    pub fn success(&self) -> String {
        assert!(self.status.is_success(), "{} answered {}: {}", self.request, self.status, self.text());
        self.text()
    }

    /// The JSON of a successful answer, or null if the answer has no body.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.success();
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts a refusal with this status and `error`.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.json()["error"].as_str()),
            (status, Some(error)),
            "{} answered {}",
            self.request,
            self.text()
        );
    }

    /// The text of a header; empty if the header is missing.
    pub fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("printable"))
    }
}

impl Session {
    /// The tokens of an answer in the form of RFC 6749 §5.1.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        let answer = reply.ok();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        let access = text("access_token");
        Self { claims: unverified_claims(&access), access, refresh: text("refresh_token") }
    }

    /// The session's handle as text.
    pub fn sid(&self) -> String {
        self.claims.sid.to_string()
    }
}

/// The position in the revocation log from an answer `{"epoch", "seq"}`.
pub fn position(answer: &Value) -> Cursor {
    let epoch = answer["epoch"].as_str().and_then(|epoch| epoch.parse().ok());
    let seq = answer["seq"].as_u64().and_then(Seq::new);
    let (Some(epoch), Some(seq)) = (epoch, seq) else { panic!("no log position in {answer}") };
    Cursor { epoch, seq }
}

/// The claims of an access token, not verified.
pub fn unverified_claims(token: &str) -> AccessTokenClaims {
    AccessTokenClaims::decode(&unverified_payload(token)).expect("the claims of this profile")
}

/// The content of a list, not verified.
pub fn unverified_list(list: &str) -> RevocationList {
    RevocationList::decode(&unverified_payload(list)).expect("the claims of a list")
}

fn unverified_payload(token: &str) -> Vec<u8> {
    let payload = token.split('.').nth(1).and_then(|part| Base64UrlUnpadded::decode_vec(part).ok());
    payload.unwrap_or_else(|| panic!("no payload in {token}"))
}
