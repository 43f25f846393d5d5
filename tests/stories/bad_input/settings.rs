//! If a setting is wrong, the issuer does not start. The issuer prints one sentence that says how to correct the
//! setting.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::support::{EMBEDDED, Issuer, doorlist, eventually};

pub(super) const SECRET: &str = "a-secret-that-is-long-enough-to-be-one";

/// Starts an issuer with these environment variables, asserts that the issuer refuses to start, and returns its error
/// message.
pub(super) async fn refusal(variables: &[(&str, &OsStr)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = doorlist();
    command
        .arg("serve")
        .current_dir(folder.path())
        .env("DOORLIST_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().copied())
        .kill_on_drop(true);
    let output = eventually("the issuer refuses to start", command.output()).await.expect("the process ends");
    let said = String::from_utf8(output.stderr).expect("UTF-8 for any setting");
    assert_eq!(output.status.code(), Some(1), "{variables:?}: {said}");
    assert!(output.stdout.is_empty(), "the issuer does not listen");
    assert_eq!(said.trim().lines().count(), 1, "{variables:?}: one sentence, not\n{said}");
    assert!(said.starts_with("doorlist: ") && !said.contains("panicked"), "{variables:?}: {said}");
    said
}

#[tokio::test]
async fn the_error_for_a_wrong_value_names_the_setting() {
    for (name, flag, values) in [
        ("LISTEN", "--listen", &["", "8787", "localhost", "127.0.0.1:99999", "127.0.0.1"] as &[&str]),
        (
            "ISSUER",
            "--issuer",
            &[
                "",
                "issuer",
                "ftp://a",
                "http://",
                "https://a/",
                "https://a?b",
                "https://a#b",
                "https://u:p@a",
            ],
        ),
        ("AUDIENCE", "--audience", &["", "a\nb"]),
        (
            "STORE",
            "--store",
            &["", "embedded:", "redis://", "redis://host:port", "sqlite:x", "doorlist.redb"],
        ),
        (
            "ALLOWED_ORIGINS",
            "--allowed-origins",
            &["*", "https://a/", "a.example", "https://a,,https://b", "https://a:443", "http://a"],
        ),
        (
            "ACCESS_TTL_SECS",
            "--access-ttl-secs",
            &["", "0", "-1", "86401", "15m", "1e3", "99999999999999999999"],
        ),
        ("REFRESH_IDLE_SECS", "--refresh-idle-secs", &["0", "x"]),
        ("REFRESH_ABSOLUTE_SECS", "--refresh-absolute-secs", &["0", "x"]),
        ("REFRESH_GRACE_SECS", "--refresh-grace-secs", &["-1", "3601"]),
        ("LEEWAY_SECS", "--leeway-secs", &["-1", "301"]),
        ("HEARTBEAT_SECS", "--heartbeat-secs", &["0", "31"]),
        ("LOG", "--log", &["doorlist=shout"]),
        ("LOG_FORMAT", "--log-format", &["xml"]),
    ] {
        for value in values {
            let said = refusal(&[(&format!("DOORLIST_{name}"), OsStr::new(value))]).await;
            assert!(said.contains(name) || said.contains(flag), "{name}={value:?}: {said}");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_not_text_is_refused() {
    for name in ["LISTEN", "ISSUER", "AUDIENCE", "ACCESS_TTL_SECS", "LOG", "MASTER_SECRET", "ADMIN_KEY"] {
        refusal(&[(&format!("DOORLIST_{name}"), OsStr::from_bytes(b"\xff\xfe"))]).await;
    }
}

#[tokio::test]
async fn an_unknown_variable_is_refused() {
    let said = refusal(&[("DOORLIST_ACESS_TTL_SECS", OsStr::new("60"))]).await;
    assert!(said.contains("DOORLIST_ACCESS_TTL_SECS"), "the error names the correct setting: {said}");
    let said = refusal(&[("DOORLIST_COLOUR_OF_THE_DOOR", OsStr::new("red"))]).await;
    assert!(said.contains("DOORLIST_COLOUR_OF_THE_DOOR"), "{said}");
    let mut name = OsString::from("DOORLIST_");
    name.push(OsStr::from_bytes(b"\xff"));
    let mut command = doorlist();
    let folder = tempfile::tempdir().expect("a folder");
    command
        .arg("serve")
        .current_dir(folder.path())
        .env(name, "x")
        .env("DOORLIST_LISTEN", "127.0.0.1:0")
        .kill_on_drop(true);
    let output = eventually("the issuer refuses to start", command.output()).await.expect("the process ends");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let said = refusal(&[
        ("DOORLIST_REFRESH_IDLE_SECS", OsStr::new("200")),
        ("DOORLIST_REFRESH_ABSOLUTE_SECS", OsStr::new("100")),
        ("DOORLIST_ACCESS_TTL_SECS", OsStr::new("10")),
    ])
    .await;
    assert!(said.contains("--refresh-idle-secs") && said.contains("--refresh-absolute-secs"), "{said}");
    let said = refusal(&[
        ("DOORLIST_REFRESH_ABSOLUTE_SECS", OsStr::new("100")),
        ("DOORLIST_REFRESH_IDLE_SECS", OsStr::new("100")),
    ])
    .await;
    assert!(said.contains("--access-ttl-secs"), "{said}");
}

#[tokio::test]
async fn unusable_secrets_are_refused_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).expect("a file");
    for name in ["MASTER_SECRET", "ADMIN_KEY"] {
        let (variable, variable_file) = (format!("DOORLIST_{name}"), format!("DOORLIST_{name}_FILE"));
        let short = refusal(&[(&variable, OsStr::new("swordfish"))]).await;
        assert!(short.contains(&variable) && !short.contains("swordfish"), "{short}");
        let both = refusal(&[(&variable, OsStr::new(SECRET)), (&variable_file, file.as_os_str())]).await;
        assert!(both.contains(&variable_file) && !both.contains(SECRET), "{both}");
        let missing = refusal(&[(&variable_file, folder.path().join("nowhere").as_os_str())]).await;
        assert!(missing.contains("nowhere"), "{missing}");
        let directory = refusal(&[(&variable_file, folder.path().as_os_str())]).await;
        assert!(directory.contains(&*folder.path().to_string_lossy()), "{directory}");
        let binary = folder.path().join("binary");
        std::fs::write(&binary, [0xff; 64]).expect("a file");
        refusal(&[(&variable_file, binary.as_os_str())]).await;
    }
}

#[tokio::test]
async fn an_unusable_store_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = |name: &str| OsString::from(format!("embedded:{}", folder.path().join(name).display()));
    let said = refusal(&[("DOORLIST_STORE", &store("no/such/folder/doorlist.redb"))]).await;
    assert!(said.contains("no/such/folder"), "{said}");
    let said = refusal(&[("DOORLIST_STORE", &store("."))]).await;
    assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
    for (name, bytes) in [("junk", vec![0x5a; 70_000]), ("short", vec![1; 10])] {
        std::fs::write(folder.path().join(name), &bytes).expect("a file");
        let said = refusal(&[("DOORLIST_STORE", &store(name))]).await;
        assert!(said.contains(name), "{said}");
        assert_eq!(
            std::fs::read(folder.path().join(name)).expect("the file"),
            bytes,
            "the file is unchanged"
        );
    }
}

/// A real store file is damaged. The issuer refuses the file or repairs it. The issuer never panics and never invents
/// data.
#[tokio::test]
async fn a_damaged_store_does_not_panic() {
    let mut issuer = Issuer::start_with(EMBEDDED).await;
    issuer.open_session("alice").await;
    issuer.stop().await;
    let file = issuer.folder().join("doorlist.redb");
    let good = std::fs::read(&file).expect("the store");
    for at in (0..good.len()).step_by((good.len() / 12).max(1)) {
        let mut damaged = good.clone();
        damaged[at..(at + 64).min(good.len())].fill(0xa5);
        std::fs::write(&file, damaged).expect("a file");
        if issuer.try_restart().await {
            issuer.kill().await;
        }
        assert!(!issuer.log().contains("panicked"), "damaged at {at}: {}", issuer.log());
    }
}

#[tokio::test]
async fn the_error_for_a_port_in_use_names_the_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("the address of the socket").to_string();
    let said = refusal(&[("DOORLIST_LISTEN", OsStr::new(&address))]).await;
    assert!(said.contains(&address), "{said}");
}

#[tokio::test]
async fn with_port_zero_the_issuer_takes_a_free_port_and_reports_it() {
    // This test uses one issuer, never a pair. Both nodes of a pair must have the same name, but here the name depends
    // on the port.
    let mut issuer = Issuer::stopped(&[EMBEDDED, &[("LISTEN", "127.0.0.1:0")]].concat());
    issuer.restart().await;
    let log = issuer.log();
    let address = log
        .split("listening on http://")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("said");
    let metadata =
        issuer.get_url(&format!("http://{address}/.well-known/oauth-authorization-server")).await.ok();
    assert_eq!(metadata["issuer"], format!("http://{address}"));
}
