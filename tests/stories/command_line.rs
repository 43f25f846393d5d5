//! The operator's command line, used beside a running issuer.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use crate::support::{ADMIN_KEY, EMBEDDED, Follower, Issuer, Session, doorlist, eventually, kid};

/// Runs a subcommand. If the subcommand succeeds, returns its standard output. Otherwise returns its standard error as
/// `Err`.
async fn run(issuer: &Issuer, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = issuer.command(arguments[0]);
    command.args(&arguments[1..]).env("DOORLIST_URL", issuer.url()).stdin(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the process starts");
    // A subcommand that reads no input may already have ended. The write then fails, and the test ignores this error.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes()).await;
    let output = eventually("the command ends", child.wait_with_output()).await.expect("the process ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (said, complained) = (text(output.stdout), text(output.stderr));
    for written in [&said, &complained] {
        assert!(!written.contains(ADMIN_KEY) && !written.contains("panicked"), "{written}");
    }
    if output.status.success() { Ok(said) } else { Err(complained) }
}

#[tokio::test]
async fn an_account_is_created_listed_kicked_and_disabled() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    run(&issuer, &["subject", "add", "alice", "--password-stdin"], "wonderland\n").await.expect("made");
    run(&issuer, &["subject", "add", "bob"], "").await.expect("made");

    let session = Session::of(&issuer.login("alice", "wonderland").await);
    let list = run(&issuer, &["subject", "list"], "").await.expect("a list");
    let line = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("alice").contains("active") && line("alice").contains('1'), "{list}");
    assert!(line("bob").contains("active") && line("bob").contains('0'), "{list}");

    let kicked = run(&issuer, &["kick", "alice"], "").await.expect("kicked");
    verifier.refuses(&session.access).await;
    let cursor = issuer.log_position().await.to_string();
    assert!(kicked.contains(&cursor), "the output contains the cursor {cursor}: {kicked}");

    run(&issuer, &["subject", "disable", "alice"], "").await.expect("disabled");
    assert!(issuer.login("alice", "wonderland").await.status.is_client_error());
    assert!(run(&issuer, &["subject", "list"], "").await.expect("a list").contains("disabled"));
}

#[tokio::test]
async fn keys_are_listed_and_retired() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let active = kid(&session.access);
    let list = run(&issuer, &["keys", "list"], "").await.expect("a list");
    assert!(list.lines().any(|line| line.contains(&active) && line.contains("active")), "{list}");
    run(&issuer, &["keys", "retire", &active], "").await.expect("retired");
    verifier.refuses(&session.access).await;
}

#[tokio::test]
async fn each_refusal_is_one_sentence() {
    let mut issuer = Issuer::start().await;
    for (arguments, wanted) in [
        (&["kick", "mallory"] as &[&str], "no such subject"),
        (&["kick", ""], "sub"),
        (&["kick", "mallory", "--gid", "x"], "--gid"),
        (&["subject", "add", "alice", "--passwrd-stdin"], "--passw"),
        (&["subject", "remove", "alice"], "remove"),
        (&["keys", "retire", "x"], "kid"),
    ] {
        let said = run(&issuer, arguments, "").await.expect_err("refused");
        assert_eq!(said.trim().lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.to_lowercase().contains(wanted), "{arguments:?}: {said}");
    }
    issuer.stop().await;
    let said = run(&issuer, &["subject", "list"], "").await.expect_err("no issuer listens");
    assert!(said.contains(&issuer.url()), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

#[tokio::test]
async fn every_subcommand_has_a_help_text() {
    for arguments in [
        &["--help"] as &[&str],
        &["serve", "--help"],
        &["subject", "--help"],
        &["kick", "--help"],
        &["keys", "--help"],
        &["demo", "--help"],
    ] {
        let output = doorlist().args(arguments).output().await.expect("the process ends");
        assert!(output.status.success(), "{arguments:?}");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(help.contains("Usage:"), "{arguments:?}: {help}");
    }
}

#[tokio::test]
async fn the_demo_reports_a_package_that_is_not_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = doorlist();
    command.args(["demo", "--listen", "127.0.0.1:0"]).current_dir(folder.path()).kill_on_drop(true);
    let output = eventually("the issuer refuses to start", command.output()).await.expect("the process ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("make build") && said.trim().lines().count() == 1, "{said}");
}

#[tokio::test]
async fn d5_the_binary_prints_the_licences_of_what_it_contains() {
    let output = doorlist().arg("--licenses").output().await.expect("the process starts");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text, include_str!("../../issuer/THIRD-PARTY-NOTICES"));
    for name in ["curve25519-dalek", "subtle"] {
        let listed = |line: &str| line.starts_with(name) && line.ends_with("(BSD-3-Clause)");
        assert!(text.lines().any(listed), "{name}");
    }
}

#[tokio::test]
async fn b18_compact_advises_to_stop_the_issuer_only_if_an_issuer_has_the_file_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("empty"), "").expect("written");
    std::fs::write(path("text"), "issuer: https://id.example").expect("written");
    std::fs::create_dir(path("folder")).expect("made");
    for name in ["missing", "empty", "text", "folder"] {
        let mut command = doorlist();
        command.args(["compact", "--store", &format!("embedded:{}", path(name))]);
        let output = command.output().await.expect("the process ends");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && said.trim().lines().count() == 1, "{name}: {said}");
        assert!(said.contains(&path(name)) && said.contains("name the store's file in --store"), "{said}");
        assert!(!said.contains("stop the issuer"), "{said}");
    }
    assert_eq!(std::fs::read(path("empty")).expect("a file"), b"", "the empty file is unchanged");

    let issuer = Issuer::start_with(EMBEDDED).await;
    let said = run(&issuer, &["compact"], "").await.expect_err("the issuer has the store open");
    assert!(said.contains("open in another process; only one may have it; stop the issuer"), "{said}");
}
