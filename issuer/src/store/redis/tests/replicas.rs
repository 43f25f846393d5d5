//! Every acknowledged write has reached a replica.

use rustix::process::{Pid, Signal, kill_process};

use redis_servers::RedisServer;

use super::*;
use crate::desk::{Desk, Kick};
use crate::domain::Limits;

fn signal(server: &RedisServer, signal: Signal) {
    let process = Pid::from_raw(server.id().cast_signed()).expect("a process");
    kill_process(process, signal).expect("this user owns the process");
}

/// A master and its replica. The master counts the replica as good if the replica reported to it within the last
/// `max_lag` seconds.
fn replicated(max_lag: &str) -> (RedisServer, RedisServer) {
    let guarded = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", max_lag];
    let server = RedisServer::start(&[&guarded[..], &["--repl-ping-replica-period", "1"]].concat());
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    server.until_followed(1);
    replica.until_it_has_written();
    (server, replica)
}

fn rotated(name: &str, expected: Version, gid: u64) -> Commit {
    Commit { durability: Durability::Local, ..put(name, Some(expected), gid) }
}

#[tokio::test]
async fn a_write_that_no_replica_confirms_is_not_acknowledged() {
    let (server, replica) = replicated("60");
    let store = open(&server.url()).await;
    let version = create(&store, "alice").await;
    let held = eventually("the replica confirms", async || store.commit(marks(1)).await).await.position;

    signal(&replica, Signal::STOP);
    for reason in [
        unavailable(store.confirm(held).await),
        unavailable(store.commit(marks(1)).await),
        unavailable(store.commit(put("bob", None, 1)).await),
        unavailable(store.swap_keys(None, b"ring".to_vec(), Vec::new(), Seq::ZERO).await),
    ] {
        assert!(reason.contains("no replica confirmed"), "{reason}");
    }
    let rotation = store.commit(rotated("alice", version, 2)).await.expect("a refresh does not wait");
    assert!(rotation.swapped);

    signal(&replica, Signal::CONT);
    let again = eventually("the replica confirms again", async || store.commit(marks(1)).await).await;
    let log = store.log_since(held.seq).await.expect("the log");
    assert_eq!(log.position(), again.position);
    assert!(log.entries.len() >= 2, "a write that was not acknowledged may be stored");
    assert!(eventually("the store confirms", async || store.confirm(held).await).await.whole);
}

/// An earlier request wrote a change, but the change was not acknowledged. A repeated request finds this change. The
/// repeated request acknowledges the change only after a replica has it.
#[tokio::test]
async fn a_retry_does_not_acknowledge_a_write_that_no_replica_has() {
    let (server, replica) = replicated("60");
    let store = Arc::new(open(&server.url()).await);
    let alice = subject("alice");
    create(&store, "alice").await;
    let heartbeat = Duration::from_secs(10);
    let opened = async || Desk::open(store.clone(), Limits::default(), heartbeat).await;
    let desk = eventually("the desk is open", opened).await;
    let gid = desk.subject(&alice).await.expect("an answer").expect("a record").gid;

    signal(&replica, Signal::STOP);
    for _ in 0..3 {
        let reason = unavailable(desk.kick(&alice, Some(gid)).await);
        assert!(reason.contains("no replica confirmed"), "{reason}");
    }
    signal(&replica, Signal::CONT);
    let kicked = eventually("the replica confirms", async || desk.kick(&alice, Some(gid)).await).await;
    assert!(matches!(kicked, Kick::Kicked(_)));
}

/// The old master and an issuer are cut off together. The old master refuses confirmations and all other writes.
#[tokio::test]
async fn a_master_without_its_replicas_refuses_confirmations_and_writes() {
    let (server, replica) = replicated("1");
    let store = open(&server.url()).await;
    let held = eventually("the replica confirms", async || store.commit(marks(1)).await).await.position;
    let version = create(&store, "alice").await;
    drop(replica);
    until("the master knows that it has no replica", || {
        server
            .try_ask::<()>(&["SET", "anything", "at all"])
            .is_err_and(|error| error.code() == Some("NOREPLICAS"))
    });
    for reason in [
        unavailable(store.confirm(held).await),
        unavailable(store.commit(marks(1)).await),
        unavailable(store.commit(rotated("alice", version, 2)).await),
    ] {
        assert!(reason.contains("too few connected replicas"), "{reason}");
    }
    assert!(
        read(&store, "alice").await.is_some(),
        "reads still succeed, but no request depends on them alone"
    );
}
