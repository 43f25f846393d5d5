//! While the issuer starts, it is alive but not ready, and handles signals.

use doorlist::domain::{NewEntry, Revocation, Revoked};
use doorlist::store::{Commit, EmbeddedStore, Store as _};
use doorlist_verifier::Handle;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{EMBEDDED, Issuer, eventually};

/// With this number of entries in the revocation log, the start takes some seconds.
const MANY: u64 = 150_000;

/// An issuer that has not been started yet, on a store with a long revocation log.
async fn with_a_long_log() -> Issuer {
    let issuer = Issuer::stopped(EMBEDDED);
    let file = issuer.folder().join("doorlist.redb");
    let store = tokio::task::spawn_blocking(move || EmbeddedStore::open(&file)).await.expect("no panic");
    let store = store.expect("a store");
    let entry = |number: u64| {
        let sub = format!("subject-{number}").as_str().try_into().expect("a subject");
        let sid = Handle::new(number + 1).expect("a handle");
        NewEntry::Revoked(Revoked { sub, revocation: Revocation::Session { sid } })
    };
    let entries = (0..MANY).map(entry).collect();
    store.commit(Commit { entries, ..Commit::default() }).await.expect("the entries are written");
    issuer
}

/// Waits until the issuer is alive. Asserts that the issuer is still starting and does not serve its list yet.
async fn until_it_starts(issuer: &Issuer) {
    issuer.until_alive().await;
    let ready = issuer.get("/readyz").await;
    ready.refused(503, "temporarily_unavailable");
    assert!(ready.text().contains("starting: "), "{}", ready.text());
    let list = issuer.get("/revocations").await;
    list.refused(503, "temporarily_unavailable");
    assert!(
        list.headers.contains_key("retry-after") && list.headers.contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn b5_a_signal_during_the_start_stops_it() {
    let mut issuer = with_a_long_log().await;
    for signal in [Signal::TERM, Signal::INT] {
        issuer.launch();
        until_it_starts(&issuer).await;
        issuer.signal(signal);
        assert_eq!(issuer.wait().await.code(), Some(0), "{}", issuer.log());
        assert!(!issuer.log().contains("listening on"), "the issuer continued its start:\n{}", issuer.log());
    }
    // The stopped issuer closed its store file, and the file is intact. So the issuer can start again.
    issuer.restart().await;
    issuer.until_ready().await;
    issuer.get("/revocations").await.success();
}

/// Process 1 of a container does not get signals for which it has no handler.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn b5_a_signal_during_the_start_stops_process_1_too() {
    const AS_ROOT: [&str; 4] = ["unshare", "--pid", "--fork", "--kill-child"];
    const AS_USER: [&str; 6] = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    let may = async |wrapper: &[&str]| {
        let tried = tokio::process::Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").output().await;
        tried.is_ok_and(|output| output.status.success())
    };
    let wrapper: &[&str] = if may(&AS_ROOT).await { &AS_ROOT } else { &AS_USER };
    if !may(wrapper).await {
        panic!("this kernel does not allow a new process namespace: allow it, or run the tests as root");
    }
    let issuer = with_a_long_log().await;
    let outside =
        issuer.command_under(wrapper, "serve").kill_on_drop(true).spawn().expect("the process starts");
    until_it_starts(&issuer).await;
    let parent = outside.id().expect("the process runs");
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("a list");
    let child = children.split_whitespace().next().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
    kill_process(child.expect("process 1 of its namespace"), Signal::TERM).expect("the signal is sent");
    let output =
        eventually("the process ends", outside.wait_with_output()).await.expect("the output of the process");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty(), "the issuer continued its start");
}
