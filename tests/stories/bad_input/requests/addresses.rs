//! Bad paths, bad queries, and bad bytes before the path.

use super::{Case, Expected, Header, Table, Who};

impl Table<'_> {
    pub(super) fn paths(&mut self) {
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

    pub(super) fn queries(&mut self) {
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

    pub(super) fn not_http(&mut self) {
        let many_headers = format!("GET / HTTP/1.1\r\nConnection: close\r\n{}\r\n", "a: b\r\n".repeat(500));
        let long_header =
            format!("GET / HTTP/1.1\r\nConnection: close\r\na: {}\r\n\r\n", "x".repeat(2_000_000));
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
