//! The table of bad requests: for every route, each mistake in the method, path, query, headers and body.

mod addresses;
mod bodies;

use crate::support::ADMIN_KEY;

/// One bad request.
pub struct Case {
    /// The mistake in this request.
    pub name: String,
    pub request: Vec<u8>,
    pub expected: Expected,
}

/// The expected answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The issuer answers with a 4xx status and JSON that names the error.
    Refusal,
    /// The bytes are not HTTP. The issuer answers with a 4xx status or 505, or closes the connection without an answer.
    NotHttp,
    /// The request is unusual, but not wrong. The issuer may give any answer except a server error.
    Anything,
}

/// The secrets in the requests. Answers and log output must not contain them.
pub struct Credentials<'a> {
    pub access: &'a str,
    pub refresh: &'a str,
    pub password: &'a str,
}

#[derive(Clone, Copy)]
enum Body {
    None,
    Json,
    Form,
}

#[derive(Clone, Copy)]
enum Who {
    Anybody,
    Subject,
    Operator,
}

struct Route {
    method: &'static str,
    path: &'static str,
    body: Body,
    who: Who,
}

const fn route(method: &'static str, path: &'static str, body: Body, who: Who) -> Route {
    Route { method, path, body, who }
}

/// The subjects and sessions in these paths do not exist. So a request to one of these paths changes nothing, even if
/// the rest of the request is correct.
const ROUTES: &[Route] = &[
    route("GET", "/.well-known/jwks.json", Body::None, Who::Anybody),
    route("GET", "/.well-known/oauth-authorization-server", Body::None, Who::Anybody),
    route("GET", "/revocations", Body::None, Who::Anybody),
    route("GET", "/healthz", Body::None, Who::Anybody),
    route("GET", "/readyz", Body::None, Who::Anybody),
    route("POST", "/login", Body::Json, Who::Anybody),
    route("POST", "/token", Body::Form, Who::Anybody),
    route("POST", "/revoke", Body::Form, Who::Anybody),
    route("POST", "/introspect", Body::Form, Who::Operator),
    route("GET", "/sessions", Body::None, Who::Subject),
    route("DELETE", "/sessions/00000000000000aa", Body::None, Who::Subject),
    route("POST", "/admin/sessions", Body::Json, Who::Operator),
    route("GET", "/admin/subjects", Body::None, Who::Operator),
    route("POST", "/admin/subjects", Body::Json, Who::Operator),
    route("GET", "/admin/subjects/nobody", Body::None, Who::Operator),
    route("DELETE", "/admin/subjects/nobody", Body::None, Who::Operator),
    route("PUT", "/admin/subjects/nobody/password", Body::Json, Who::Operator),
    route("PUT", "/admin/subjects/nobody/claims", Body::Json, Who::Operator),
    route("POST", "/admin/subjects/nobody/revoke", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/void", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/disable", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/enable", Body::None, Who::Operator),
    route("DELETE", "/admin/subjects/alice/sessions/00000000000000aa", Body::None, Who::Operator),
    route("POST", "/admin/cutoff", Body::Json, Who::Operator),
    route("GET", "/admin/keys", Body::None, Who::Operator),
    route("POST", "/admin/keys/retire", Body::Json, Who::Operator),
];

/// All bad requests.
pub fn cases(credentials: &Credentials<'_>) -> Vec<Case> {
    let mut cases = Table { credentials, cases: Vec::new() };
    for route in ROUTES {
        cases.methods(route);
        cases.strangers(route);
        cases.odd_headers(route);
        match route.body {
            Body::Json => cases.json_bodies(route),
            Body::Form => cases.form_bodies(route),
            Body::None => {}
        }
    }
    cases.paths();
    cases.queries();
    cases.login_bodies();
    cases.admin_bodies();
    cases.refresh_tokens();
    cases.not_http();
    cases.cases
}

struct Table<'a> {
    credentials: &'a Credentials<'a>,
    cases: Vec<Case>,
}

type Header<'a> = (&'a str, &'a [u8]);

impl Table<'_> {
    fn add(
        &mut self,
        expected: Expected,
        what: &str,
        method: &str,
        path: &[u8],
        headers: &[Header<'_>],
        body: &[u8],
    ) {
        let name = format!("{method} {}, {what}", String::from_utf8_lossy(&path[..path.len().min(60)]));
        let mut request =
            [method.as_bytes(), b" ", path, b" HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n"].concat();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
        request.extend(body);
        self.cases.push(Case { name, request, expected });
    }

    fn refused(&mut self, what: &str, route: &Route, headers: &[Header<'_>], body: &[u8]) {
        let authorization = self.authorization(route.who);
        let own = authorization.iter().map(|value| ("Authorization", value.as_bytes()));
        let headers: Vec<_> = own.chain(headers.iter().copied()).collect();
        self.add(Expected::Refusal, what, route.method, route.path.as_bytes(), &headers, body);
    }

    fn authorization(&self, who: Who) -> Option<String> {
        match who {
            Who::Anybody => None,
            Who::Subject => Some(format!("Bearer {}", self.credentials.access)),
            Who::Operator => Some(format!("Bearer {ADMIN_KEY}")),
        }
    }

    fn methods(&mut self, route: &Route) {
        for method in ["PATCH", "TRACE", "BREW", "get", &"X".repeat(40)] {
            self.add(Expected::Refusal, "unknown method", method, route.path.as_bytes(), &[], b"");
        }
        self.add(Expected::Anything, "OPTIONS", "OPTIONS", route.path.as_bytes(), &[], b"");
        self.add(Expected::Anything, "HEAD", "HEAD", route.path.as_bytes(), &[], b"");
    }

    /// Wrong credentials, including valid tokens in the wrong place.
    fn strangers(&mut self, route: &Route) {
        let Credentials { access, refresh, .. } = self.credentials;
        let (other_access, halved) =
            (format!("Bearer {refresh}"), format!("Bearer {}", &access[..access.len() / 2]));
        let (basic, doubled) = (format!("Basic {access}"), format!("Bearer {access} {access}"));
        let (none_alg, long) = (
            format!("Bearer eyJhbGciOiJub25lIn0.{}.", access.split('.').nth(1).unwrap_or("")),
            format!("Bearer {}", "A".repeat(9000)),
        );
        let values: [&[u8]; 13] = [
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer ..",
            b"Bearer \xff\xfe\xfd",
            b"\xf0\x9f\x9a\xaa",
            b"Bearer null",
            other_access.as_bytes(),
            halved.as_bytes(),
            basic.as_bytes(),
            doubled.as_bytes(),
            none_alg.as_bytes(),
            long.as_bytes(),
        ];
        if matches!(route.who, Who::Anybody) {
            return;
        }
        self.add(Expected::Refusal, "no credentials", route.method, route.path.as_bytes(), &[], b"");
        for value in values {
            let what = format!("Authorization: {}", String::from_utf8_lossy(&value[..value.len().min(20)]));
            self.add(
                Expected::Refusal,
                &what,
                route.method,
                route.path.as_bytes(),
                &[("Authorization", value)],
                b"",
            );
        }
    }

    fn odd_headers(&mut self, route: &Route) {
        let long = "x".repeat(4000);
        let headers: [Header<'_>; 14] = [
            ("Origin", b"\xff"),
            ("Origin", b"null"),
            ("Cookie", b"\xff=\xfe; a=b=c;;;"),
            ("Accept", b"\xff"),
            ("Accept-Encoding", b"gzip;q=nan, \xff"),
            ("If-None-Match", b"\"\xff, W/"),
            ("Range", b"bytes=9-1,-5,x"),
            ("Expect", b"a miracle"),
            ("X-Request-Id", b"\xff\xfe {{evil}} \x1b[31m"),
            ("X-Request-Id", long.as_bytes()),
            ("Content-Type", b"\xff/\xff"),
            ("Last-Event-ID", b"\xff"),
            ("Access-Control-Request-Method", b"\xff"),
            ("Upgrade", b"websocket"),
        ];
        for header in headers {
            let what =
                format!("{}: {}", header.0, String::from_utf8_lossy(&header.1[..header.1.len().min(20)]));
            self.add(Expected::Anything, &what, route.method, route.path.as_bytes(), &[header], b"");
        }
    }
}
