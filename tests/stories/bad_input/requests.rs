//! The table of bad requests: every route, and for each what can be wrong with its method, path, query, headers and
//! body.

use crate::support::ADMIN_KEY;

/// One bad request.
pub struct Case {
    /// What is wrong with it.
    pub name: String,
    pub request: Vec<u8>,
    pub expected: Expected,
}

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A status of 4xx, and JSON that names the error.
    Refusal,
    /// The bytes are no HTTP: a status of 4xx at most, or no answer.
    NotHttp,
    /// Odd, but not wrong: no server error.
    Anything,
}

/// What the requests carry that must not be shown to anybody.
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

/// Subjects and sessions in these paths do not exist, so that a request without any other flaw changes nothing.
const ROUTES: &[Route] = &[
    route("GET", "/.well-known/jwks.json", Body::None, Who::Anybody),
    route("GET", "/.well-known/oauth-authorization-server", Body::None, Who::Anybody),
    route("GET", "/revocations", Body::None, Who::Anybody),
    route("GET", "/healthz", Body::None, Who::Anybody),
    route("GET", "/readyz", Body::None, Who::Anybody),
    route("POST", "/login", Body::Json, Who::Anybody),
    route("POST", "/token", Body::Form, Who::Anybody),
    route("POST", "/revoke", Body::Form, Who::Anybody),
    route("GET", "/sessions", Body::None, Who::Subject),
    route("DELETE", "/sessions/00000000000000aa", Body::None, Who::Subject),
    route("POST", "/admin/sessions", Body::Json, Who::Operator),
    route("GET", "/admin/subjects", Body::None, Who::Operator),
    route("POST", "/admin/subjects", Body::Json, Who::Operator),
    route("GET", "/admin/subjects/nobody", Body::None, Who::Operator),
    route("DELETE", "/admin/subjects/nobody", Body::None, Who::Operator),
    route("PUT", "/admin/subjects/nobody/password", Body::Json, Who::Operator),
    route("POST", "/admin/subjects/nobody/revoke", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/void", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/disable", Body::None, Who::Operator),
    route("POST", "/admin/subjects/nobody/enable", Body::None, Who::Operator),
    route("DELETE", "/admin/subjects/alice/sessions/00000000000000aa", Body::None, Who::Operator),
    route("POST", "/admin/cutoff", Body::Json, Who::Operator),
    route("GET", "/admin/keys", Body::None, Who::Operator),
    route("POST", "/admin/keys/retire", Body::Json, Who::Operator),
];

/// Every bad request.
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

    /// Wrong credentials, with the right ones in wrong places.
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

    fn json_bodies(&mut self, route: &Route) {
        let json: [Header<'_>; 1] = [("Content-Type", b"application/json")];
        let deep_list = "[".repeat(8000);
        let deep_object = format!("{}1{}", "{\"a\":".repeat(2000), "}".repeat(2000));
        let huge = format!("{{\"sub\":\"{}\"}}", "x".repeat(20_000));
        let bodies: [(&str, &[u8]); 22] = [
            ("empty", b""),
            ("white space", b" \r\n\t "),
            ("not JSON", b"down the rabbit hole"),
            ("half an object", b"{\"sub\":\"mall"),
            ("null", b"null"),
            ("a number", b"1e999"),
            ("a text", b"\"sub\""),
            ("a list", b"[]"),
            ("a list of what is wanted", b"[{\"sub\":\"mallory\"}]"),
            ("an object of nothing", b"{}"),
            (
                "an unknown member",
                b"{\"sub\":\"mallory\",\"surprise\":1,\"username\":\"mallory\",\"password\":\"x\"}",
            ),
            ("a member twice", b"{\"sub\":\"mallory\",\"sub\":\"alice\"}"),
            (
                "members of other types",
                b"{\"sub\":{},\"username\":[],\"password\":1,\"end_sessions\":\"yes\",\"kid\":0}",
            ),
            (
                "null members",
                b"{\"sub\":null,\"username\":null,\"password\":null,\"end_sessions\":null,\"kid\":null}",
            ),
            ("no UTF-8", b"{\"sub\":\"\xff\xfe\"}"),
            ("NUL", b"\0\0\0\0"),
            ("NUL in a text", b"{\"sub\":\"a\0b\"}"),
            ("half a surrogate", b"{\"sub\":\"\\ud800\",\"username\":\"\\ud800\"}"),
            ("a byte order mark", b"\xef\xbb\xbf{\"sub\":\"mallory\"}"),
            ("a deep list", deep_list.as_bytes()),
            ("a deep object", deep_object.as_bytes()),
            ("too long", huge.as_bytes()),
        ];
        for (what, body) in bodies {
            self.refused(what, route, &json, body);
        }
        let good_looking = b"{\"sub\":\"mallory\",\"password\":\"x\"}";
        self.refused("no content type", route, &[], good_looking);
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json5",
            "multipart/form-data",
            ";",
            "\u{fffd}",
        ] {
            self.refused(other, route, &[("Content-Type", other.as_bytes())], good_looking);
        }
    }

    fn form_bodies(&mut self, route: &Route) {
        let form: [Header<'_>; 1] = [("Content-Type", b"application/x-www-form-urlencoded")];
        let refresh = self.credentials.refresh;
        let twice = format!("grant_type=refresh_token&grant_type=refresh_token&token=a&token={refresh}");
        let huge = format!("grant_type=refresh_token&refresh_token={0}&token={0}", "x".repeat(20_000));
        let bodies: [(&str, &[u8]); 9] = [
            ("empty", b""),
            ("separators", b"&&==&"),
            ("nothing of what is wanted", b"a=b"),
            ("no values", b"grant_type=&refresh_token=&token="),
            ("JSON", b"{\"grant_type\":\"refresh_token\"}"),
            ("no UTF-8", b"\xff\xfe\xfd"),
            ("NUL", b"\0"),
            ("a parameter twice", twice.as_bytes()),
            ("too long", huge.as_bytes()),
        ];
        for (what, body) in bodies {
            self.refused(what, route, &form, body);
        }
        let good_looking = format!("grant_type=refresh_token&refresh_token={refresh}&token={refresh}");
        self.refused("no content type", route, &[], good_looking.as_bytes());
        for other in ["text/plain", "application/json", ";", "\u{fffd}"] {
            self.refused(other, route, &[("Content-Type", other.as_bytes())], good_looking.as_bytes());
        }
    }

    fn paths(&mut self) {
        let operator = self.authorization(Who::Operator).unwrap_or_default();
        let subject = self.authorization(Who::Subject).unwrap_or_default();
        let long = "x".repeat(4000);
        let segments = ["%ff", "%00", "%", "%zz", "", "%2e%2e%ff", "a%0ab", &long];
        for segment in segments {
            for (before, after) in [
                ("/admin/subjects/", ""),
                ("/admin/subjects/", "/revoke"),
                ("/admin/subjects/", "/sessions/00000000000000aa"),
            ] {
                let path = format!("{before}{segment}{after}");
                let method = match after {
                    "" => "GET",
                    "/revoke" => "POST",
                    _ => "DELETE",
                };
                self.add(
                    Expected::Refusal,
                    "path",
                    method,
                    path.as_bytes(),
                    &[("Authorization", operator.as_bytes())],
                    b"",
                );
            }
        }
        for sid in
            ["%ff", "0", "00000000000000AA", "0000000000000000", "00000000000000aaa", "%00", "..", &long]
        {
            for (prefix, authorization) in
                [("/sessions/", &subject), ("/admin/subjects/alice/sessions/", &operator)]
            {
                let path = format!("{prefix}{sid}");
                self.add(
                    Expected::Refusal,
                    "sid",
                    "DELETE",
                    path.as_bytes(),
                    &[("Authorization", authorization.as_bytes())],
                    b"",
                );
            }
        }
        for path in [
            "/nothing",
            "/admin",
            "/admin/",
            "/admin/nothing",
            "//",
            "/login/",
            "/%2e%2e/etc/passwd",
            "/revocations/",
            "/Login",
            "/\u{fffd}",
            &format!("/{long}"),
        ] {
            self.add(
                Expected::Refusal,
                "no such path",
                "GET",
                path.as_bytes(),
                &[("Authorization", operator.as_bytes())],
                b"",
            );
        }
    }

    fn queries(&mut self) {
        let operator = self.authorization(Who::Operator).unwrap_or_default();
        let operator: [Header<'_>; 1] = [("Authorization", operator.as_bytes())];
        let long = "1".repeat(4000);
        let cursors = [
            "",
            ":",
            "x",
            "%ff",
            "%00",
            "0",
            "00000000000000ab",
            "00000000000000ab:",
            "00000000000000ab:-1",
            "00000000000000ab:01",
            "00000000000000ab:9007199254740992",
            "00000000000000AB:1",
            "00000000000000ab:18446744073709551616",
            "00000000000000ab:1&since=00000000000000ab:2",
            &long,
        ];
        for path in ["/revocations", "/revocations/stream"] {
            for cursor in cursors {
                let target = format!("{path}?since={cursor}");
                self.add(Expected::Refusal, "since", "GET", target.as_bytes(), &[], b"");
            }
        }
        for id in [b"x".as_slice(), b"\xff", b":", b"00000000000000ab:01"] {
            self.add(
                Expected::Refusal,
                "Last-Event-ID",
                "GET",
                b"/revocations/stream",
                &[("Last-Event-ID", id)],
                b"",
            );
        }
        for query in [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=18446744073709551616",
            "limit=201",
            "after=%00",
            "after=",
            "limit=1&limit=2",
            "surprise=1",
            &format!("after={}", "x".repeat(300)),
        ] {
            self.add(
                Expected::Refusal,
                "query",
                "GET",
                format!("/admin/subjects?{query}").as_bytes(),
                &operator,
                b"",
            );
        }
        for query in
            ["gid=", "gid=x", "gid=0000000000000000", "gid=00000000000000AA", "gid=%ff", "surprise=1"]
        {
            let target = format!("/admin/subjects/alice/revoke?{query}");
            self.add(Expected::Refusal, "query", "POST", target.as_bytes(), &operator, b"");
        }
        let never_current = b"/admin/subjects/alice/revoke?gid=00000000000000aa";
        self.add(Expected::Refusal, "a group that never was", "POST", never_current, &operator, b"");
    }

    fn login_bodies(&mut self) {
        let json: [Header<'_>; 1] = [("Content-Type", b"application/json")];
        let password = self.credentials.password;
        let long = "x".repeat(300);
        let bodies = [
            format!(r#"{{"username":"alice","password":"{password}","client_id":""}}"#),
            format!(r#"{{"username":"alice","password":"{password}","client_id":"a\u0000b"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","device":"{long}"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","device":7}}"#),
            format!(r#"{{"username":"alice","password":"{password}","scope":"admin"}}"#),
            format!(r#"{{"username":"alice","password":"{password}"#),
            format!(r#"{{"username":"alice","password":"{password}"}}{{}}"#),
            format!(r#"{{"username":"alice","password":"{password}","password":"{password}"}}"#),
            format!(r#"{{"username":"alice","password":["{password}"]}}"#),
            format!(r#"{{"username":"alice","{password}":1}}"#),
            format!(r#"{{"username":"{password}","password":"alice"}}"#),
            format!(r#"{{"username":"","password":"{password}"}}"#),
            format!(r#"{{"username":"{long}","password":"{password}"}}"#),
            format!(r#"{{"username":"a\u0000","password":"{password}"}}"#),
            format!(r#"{{"username":"alice","password":"{password}\u0000"}}"#),
            r#"{"username":"alice","password":""}"#.into(),
            format!(r#"{{"username":"alice","password":"{}"}}"#, "x".repeat(8000)),
        ];
        for (index, body) in bodies.iter().enumerate() {
            self.add(Expected::Refusal, &format!("login {index}"), "POST", b"/login", &json, body.as_bytes());
        }
        let query = format!("/login?password={password}");
        self.add(Expected::Refusal, "a password in the query", "POST", query.as_bytes(), &json, b"{}");
    }

    fn admin_bodies(&mut self) {
        let operator = self.authorization(Who::Operator).unwrap_or_default();
        let headers: [Header<'_>; 2] =
            [("Authorization", operator.as_bytes()), ("Content-Type", b"application/json")];
        let long = "x".repeat(300);
        let big_claims = format!(r#"{{"sub":"mallory","claims":{{"a":"{}"}}}}"#, "x".repeat(5000));
        let deep_claims =
            format!(r#"{{"sub":"mallory","claims":{{"a":{}{}}}}}"#, "[".repeat(200), "]".repeat(200));
        let bodies: [(&str, &str, String); 16] = [
            ("POST", "/admin/sessions", r#"{"sub":""}"#.into()),
            ("POST", "/admin/sessions", r#"{"sub":"a\u0000b"}"#.into()),
            ("POST", "/admin/sessions", format!(r#"{{"sub":"{long}"}}"#)),
            ("POST", "/admin/sessions", r#"{"sub":"mallory","claims":{"iss":"me"}}"#.into()),
            ("POST", "/admin/sessions", r#"{"sub":"mallory","claims":{"exp":99999999999}}"#.into()),
            ("POST", "/admin/sessions", r#"{"sub":"mallory","claims":[]}"#.into()),
            ("POST", "/admin/sessions", big_claims),
            ("POST", "/admin/sessions", deep_claims),
            ("POST", "/admin/sessions", r#"{"sub":"mallory","scope":"a  b"}"#.into()),
            ("POST", "/admin/sessions", r#"{"sub":"mallory","client_id":""}"#.into()),
            ("POST", "/admin/subjects", r#"{"sub":"alice","password":"down-the-rabbit-hole"}"#.into()),
            ("POST", "/admin/subjects", r#"{"sub":"mallory","password":""}"#.into()),
            ("POST", "/admin/subjects", format!(r#"{{"sub":"mallory","password":"{}"}}"#, "x".repeat(8000))),
            ("PUT", "/admin/subjects/nobody/password", r#"{"password":"down-the-rabbit-hole"}"#.into()),
            ("POST", "/admin/keys/retire", r#"{"kid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#.into()),
            ("POST", "/admin/keys/retire", r#"{"kid":"short"}"#.into()),
        ];
        for (index, (method, path, body)) in bodies.iter().enumerate() {
            self.add(
                Expected::Refusal,
                &format!("body {index}"),
                method,
                path.as_bytes(),
                &headers,
                body.as_bytes(),
            );
        }
    }

    fn refresh_tokens(&mut self) {
        let form: [Header<'_>; 1] = [("Content-Type", b"application/x-www-form-urlencoded")];
        let Credentials { access, refresh, .. } = self.credentials;
        let flipped =
            format!("{}{}", &refresh[..refresh.len() - 1], if refresh.ends_with('A') { 'Q' } else { 'A' });
        let tokens = [
            "x".into(),
            "%00".into(),
            "%ff".into(),
            "AAAA".into(),
            "A".repeat(600),
            flipped,
            format!("{refresh}="),
            format!("{refresh}%0a"),
            refresh[1..].into(),
            (*access).into(),
        ];
        for token in tokens {
            let what = format!("refresh token {}", &token[..token.len().min(8)]);
            let body = format!("grant_type=refresh_token&refresh_token={token}");
            self.add(Expected::Refusal, &what, "POST", b"/token", &form, body.as_bytes());
        }
        for (what, fields) in [
            ("another grant", "grant_type=password"),
            ("another client", "grant_type=refresh_token&client_id=other"),
        ] {
            let body = format!("{fields}&refresh_token={refresh}");
            self.add(Expected::Refusal, what, "POST", b"/token", &form, body.as_bytes());
        }
    }

    fn not_http(&mut self) {
        let many_headers = format!("GET / HTTP/1.1\r\nHost: issuer\r\n{}\r\n", "a: b\r\n".repeat(500));
        let long_header = format!("GET / HTTP/1.1\r\nHost: issuer\r\na: {}\r\n\r\n", "x".repeat(500_000));
        let requests: [(&str, &[u8]); 14] = [
            ("NUL", b"\0\0\0\0\r\n\r\n"),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("HTTP/9", b"GET / HTTP/9.9\r\n\r\n"),
            ("no version", b"GET /\r\n\r\n"),
            ("a path that is no UTF-8", b"GET /\xff\xfe HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n\r\n"),
            ("a header without a name", b"GET / HTTP/1.1\r\n: x\r\nConnection: close\r\n\r\n"),
            ("NUL in a header", b"GET / HTTP/1.1\r\nHost: a\0b\r\nConnection: close\r\n\r\n"),
            ("a negative length", b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Length: -1\r\nConnection: close\r\n\r\n"),
            ("two lengths", b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
            ("a length and chunks", b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n"),
            ("a chunk without a length", b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n"),
            ("too many headers", many_headers.as_bytes()),
            ("too long a header", long_header.as_bytes()),
        ];
        for (what, request) in requests {
            self.cases.push(Case { name: what.into(), request: request.into(), expected: Expected::NotHttp });
        }
    }
}
