//! A real nginx in front of two issuers, on a free port of this machine, in its own folder.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use redis_servers::{GUARD, free_port, until};

/// The configuration of nginx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The configuration from the issuer's README.
    Documented,
    /// A proxy with two servers. All other settings have the defaults of nginx.
    Defaults,
}

/// A running nginx. It ends when this value is dropped, or when the test's process ends.
pub struct Nginx {
    shell: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx in front of the issuers on these ports. The header `x-upstream` of nginx's answers contains the
    /// address of each issuer that nginx tried.
    pub fn before(ports: [u16; 2], way: Way) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (upstream, locations) = match way {
            Way::Documented => documented(ports),
            Way::Defaults => (
                ports.map(|port| format!("server 127.0.0.1:{port};")).concat(),
                "location / { proxy_pass http://doorlist; }".to_owned(),
            ),
        };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {};", path(what)))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {}; error_log {} warn; events {{ worker_connections 1024; }}
             http {{ access_log off; {temporary} upstream doorlist {{ {upstream} }}
             server {{ listen 127.0.0.1:{port}; add_header x-upstream $upstream_addr always; {locations} }} }}",
            path("nginx.pid"),
            path("error.log"),
        );
        let file = path("nginx.conf");
        std::fs::write(&file, configuration).expect("a file");
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh", "nginx", "-p", &path(""), "-c", &file, "-e", &path("error.log")]);
        // Debian installs nginx in a folder that is only in the administrator's PATH.
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        // nginx runs until its standard input is closed, see GUARD.
        let shell = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("a shell");
        let nginx = Self { shell, port, _folder: folder };
        until("nginx listens (`make nginx` installs it)", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        nginx
    }

    /// `http://…`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // GUARD kills nginx, so the exit status means nothing.
        let _ = self.shell.wait();
    }
}

/// The README's configuration block with the addresses of the test's issuers. Returns the text inside the braces of
/// `upstream` and the text inside the braces of `server`.
fn documented(ports: [u16; 2]) -> (String, String) {
    let readme = include_str!("../../../issuer/README.md");
    let block = readme.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut block = block.expect("the README has an nginx block").to_owned();
    for (number, port) in ports.iter().enumerate() {
        let named = format!("id-{}.internal:8787", number + 1);
        assert!(block.contains(&named), "the README names {named}");
        block = block.replace(&named, &format!("127.0.0.1:{port}"));
    }
    let (upstream, server) = block.split_once("\n}\n").expect("an upstream, and a server");
    let inside = |text: &str| text.split_once('{').expect("a brace").1.trim_end().to_owned();
    let server = inside(server).replace("listen 8080;", "");
    let server = server.strip_suffix('}').expect("the end of the server");
    (inside(upstream), server.to_owned())
}
