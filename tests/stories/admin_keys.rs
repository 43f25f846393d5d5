//! Several admin keys with names and scopes, and their change while the issuer runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;

use crate::support::{EMBEDDED, Follower, Issuer, Reply, eventually, send};

const ADMIN: &str = "the-key-of-the-operator-0123456789";
const OLD: &str = "the-old-key-that-kicks-0123456789";
const NEW: &str = "the-new-key-that-kicks-0123456789";

/// Replaces the file as secret managers do: the new file gets the name of the old one.
fn write(file: &Path, text: &str, mode: u32) {
    let draft = file.with_extension("draft");
    fs::write(&draft, text).expect("written");
    fs::set_permissions(&draft, fs::Permissions::from_mode(mode)).expect("its permissions are set");
    fs::rename(&draft, file).expect("renamed");
}

async fn started(keys: &str) -> (Issuer, PathBuf) {
    let settings = [EMBEDDED, &[("ADMIN_KEY_FILE", "keys")]].concat();
    let mut issuer = Issuer::stopped(&settings).forgetting(&["ADMIN_KEY"]);
    let file = issuer.folder().join("keys");
    write(&file, keys, 0o600);
    issuer.restart().await;
    (issuer, file)
}

async fn ask(issuer: &Issuer, method: Method, path: &str, key: &str) -> Reply {
    send(issuer.request(method, path).bearer_auth(key)).await
}

/// Waits until the log output contains this text this many times.
async fn until_logged(issuer: &Issuer, text: &str, times: usize) {
    eventually(&format!("the log output says {text:?}"), async {
        while issuer.log().matches(text).count() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Sends SIGHUP and waits for the line that reports its effect.
async fn hang_up(issuer: &Issuer, line: &str) {
    let before = issuer.log().matches(line).count();
    issuer.signal(Signal::HUP);
    until_logged(issuer, line, before + 1).await;
}

#[tokio::test]
async fn trace_53_a_back_end_that_kicks_cannot_rotate_keys_and_its_name_is_logged() {
    let (issuer, _) = started(&format!("# the operator\n{ADMIN}\n\nback-end kick {OLD}\n")).await;
    let created = issuer.request(Method::POST, "/admin/subjects").bearer_auth(ADMIN);
    send(created.json(&serde_json::json!({ "sub": "alice" }))).await.success();
    ask(&issuer, Method::POST, "/admin/subjects/alice/revoke", OLD).await.ok();
    ask(&issuer, Method::POST, "/admin/keys/rotate", OLD).await.refused(403, "insufficient_scope");
    ask(&issuer, Method::GET, "/admin/subjects", OLD).await.refused(403, "insufficient_scope");
    until_logged(&issuer, "its scope does not open", 2).await;
    let log = issuer.log();
    let line = |text: &str| log.lines().find(|line| line.contains(text)).unwrap_or_default().to_owned();
    for line in [line("an operator's request was answered"), line("its scope does not open")] {
        assert!(line.contains("key="), "{line}\n{log}");
    }
    let kick = log.lines().find(|line| line.contains("was answered") && line.contains("revoke"));
    assert!(kick.is_some_and(|line| line.contains("back-end") && line.contains("INFO")), "{log}");
    assert!(!log.contains(OLD) && !log.contains(ADMIN), "{log}");
}

#[tokio::test]
async fn the_commands_send_a_key_that_opens_every_route() {
    let (issuer, _) = started(&format!("back-end kick {OLD}\n{ADMIN}\n")).await;
    let mut listing = issuer.command("keys");
    listing.arg("list").env("DOORLIST_URL", issuer.url());
    let listed = eventually("the keys are listed", listing.output()).await.expect("the process ends");
    assert!(listed.status.success(), "{listed:?}");
}

#[tokio::test]
async fn a_key_is_changed_without_a_restart_and_no_stream_ends() {
    let (mut issuer, file) = started(&format!("{ADMIN}\nback-end kick {OLD}\n")).await;
    let follower = Follower::of(&issuer).await;
    let kick = "/admin/subjects/nobody/revoke";
    assert_eq!(ask(&issuer, Method::POST, kick, NEW).await.status, 401);

    write(&file, &format!("{ADMIN}\nback-end kick {OLD}\nback-end kick {NEW}\n"), 0o600);
    hang_up(&issuer, "the admin keys were read again").await;
    for key in [OLD, NEW] {
        ask(&issuer, Method::POST, kick, key).await.refused(404, "not_found");
    }
    write(&file, &format!("{ADMIN}\nback-end kick {NEW}\n"), 0o600);
    hang_up(&issuer, "the admin keys were read again").await;
    assert_eq!(ask(&issuer, Method::POST, kick, OLD).await.status, 401);
    ask(&issuer, Method::POST, kick, NEW).await.refused(404, "not_found");
    assert!(issuer.log().contains("removed=\"back-end (kick)\""), "{}", issuer.log());

    let wrong = [
        (format!("{ADMIN}\nback-end kicks {OLD}\n"), 0o600, "line 2 holds an unknown scope"),
        (format!("{ADMIN}\nback-end kick {OLD}\n"), 0o666, "other users can write"),
        (String::new(), 0o600, "a secret of 0 characters"),
    ];
    for (text, mode, reason) in wrong {
        write(&file, &text, mode);
        hang_up(&issuer, reason).await;
        assert_eq!(ask(&issuer, Method::POST, kick, OLD).await.status, 401, "{reason}");
        ask(&issuer, Method::POST, kick, NEW).await.refused(404, "not_found");
    }
    fs::remove_file(&file).expect("removed");
    hang_up(&issuer, "the previous admin keys stay valid").await;
    ask(&issuer, Method::POST, kick, NEW).await.refused(404, "not_found");

    // The stream that began before the changes brings the next entry.
    let created = issuer.request(Method::POST, "/admin/subjects").bearer_auth(ADMIN);
    send(created.json(&serde_json::json!({ "sub": "alice" }))).await.success();
    let kicked = ask(&issuer, Method::POST, "/admin/subjects/alice/revoke", NEW).await.ok();
    follower.reaches(crate::support::position(&kicked)).await;
    let log = issuer.log();
    assert!(![ADMIN, OLD, NEW].iter().any(|key| log.contains(key)), "{log}");
    assert!(issuer.is_alive());
}

#[tokio::test]
async fn sighup_ends_neither_an_issuer_that_starts_nor_one_with_keys_in_a_setting() {
    let mut issuer = Issuer::stopped(EMBEDDED);
    let listens = issuer.launch();
    issuer.until_alive().await;
    hang_up(&issuer, "the admin keys are the value of a setting").await;
    eventually("the issuer listens", listens).await.expect("the issuer starts");
    assert!(issuer.is_alive());
}

/// `/proc` shows the limit of the process itself.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_writes_no_core_dump() {
    let issuer = Issuer::start_with(EMBEDDED).await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", issuer.id())).expect("the limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the limit");
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["1", "1"], "{core}");
}
