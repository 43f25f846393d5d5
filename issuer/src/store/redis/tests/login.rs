//! The password of Redis in a file.

use std::path::Path;

use redis_servers::RedisServer;

use super::*;

/// Runs a command with this password.
fn ask_as(server: &RedisServer, password: &str, command: &[&str]) {
    let url = format!("redis://:{password}@127.0.0.1:{}", server.port());
    let mut connection = redis::Client::open(url).expect("a URL").get_connection().expect("a connection");
    let (name, args) = command.split_first().expect("a command");
    redis::cmd(name).arg(args).query::<()>(&mut connection).expect("an answer");
}

/// Ends every connection of the store.
pub(super) fn hang_up(server: &RedisServer, password: &str) {
    ask_as(server, password, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
}

async fn open_with(server: &RedisServer, file: &Path) -> Result<RedisStore, StoreError> {
    let url = RedisUrl::parse(&server.url()).expect("the scheme belongs to Redis").expect("an address");
    let files = LoginFiles { password: Some(file.to_owned()), certificates: None };
    RedisStore::open(url, Prefix::default(), files).await
}

#[tokio::test]
async fn b19_a_password_in_a_file_can_change_while_the_issuer_runs() {
    let server = RedisServer::start(&["--requirepass", "wonderland"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    write("wonderland\n");
    let store = open_with(&server, &file).await.expect("a store");
    store.commit(marks(1)).await.expect("a commit");

    ask_as(&server, "wonderland", &["CONFIG", "SET", "requirepass", "looking-glass"]);
    hang_up(&server, "looking-glass");
    eventually("the old password is refused", async || match store.commit(marks(1)).await {
        Err(error) if error.to_string().contains("password") => Ok(()),
        other => Err(StoreError::Unavailable(format!("{other:?}"))),
    })
    .await;
    write("looking-glass\r\n");
    eventually("the new password is read", async || store.commit(marks(1)).await).await;

    // A file without a password does not replace the password that was read last.
    for unfit in ["", "\n", "looking-glass\nwonderland\n"] {
        write(unfit);
        hang_up(&server, "looking-glass");
        eventually("the last password is used", async || store.commit(marks(1)).await).await;
    }
}

#[tokio::test]
async fn a_file_without_a_password_stops_the_start_and_is_named() {
    let server = RedisServer::start(&["--requirepass", "wonderland"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let refusal = async || misconfigured(open_with(&server, &file).await.map(drop));
    assert!(refusal().await.contains("DOORLIST_STORE_PASSWORD_FILE"));
    std::fs::write(&file, "\n").expect("a file");
    let said = refusal().await;
    assert!(said.contains("holds no password") && said.contains(&*file.to_string_lossy()), "{said}");
    std::fs::write(&file, "looking-glass").expect("a file");
    let said = refusal().await;
    assert!(said.contains("user or password") && !said.contains("looking-glass"), "{said}");
}
