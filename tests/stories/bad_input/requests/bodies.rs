//! Bad bodies.

use super::{Credentials, Expected, Header, Route, Table, Who};

impl Table<'_> {
    pub(super) fn json_bodies(&mut self, route: &Route) {
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

    pub(super) fn form_bodies(&mut self, route: &Route) {
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

    pub(super) fn login_bodies(&mut self) {
        let json: [Header<'_>; 1] = [("Content-Type", b"application/json")];
        let password = self.credentials.password;
        let long = "x".repeat(300);
        let bodies = [
            format!(r#"{{"username":"alice","password":"{password}","client_id":""}}"#),
            format!(r#"{{"username":"alice","password":"{password}","client_id":"a\u0000b"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","device":"{long}"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","device":7}}"#),
            format!(r#"{{"username":"alice","password":"{password}","scope":"admin"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","token_delivery":"pigeon"}}"#),
            format!(r#"{{"username":"alice","password":"{password}","token_delivery":"cookie"}}"#),
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

    pub(super) fn admin_bodies(&mut self) {
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

    pub(super) fn refresh_tokens(&mut self) {
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
}
