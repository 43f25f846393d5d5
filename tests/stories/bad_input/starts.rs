//! The issuer refuses to start if nothing would work afterwards, or if something would be lost.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use reqwest::Method;

use super::settings::{SECRET, refusal};
use crate::support::{EMBEDDED, Issuer, doorlist, eventually, send};

const OTHER: &str = "another-key-of-some-length-0123456789";

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("its permissions are set");
}

#[tokio::test]
async fn b7_an_admin_key_can_be_replaced_without_an_interruption() {
    let settings = [EMBEDDED, &[("ADMIN_KEY_FILE", "keys")]].concat();
    let mut issuer = Issuer::stopped(&settings).forgetting(&["ADMIN_KEY"]);
    let file = issuer.folder().join("keys");
    fs::write(&file, format!("{SECRET}\r\n\r\n{OTHER}\n")).expect("written");
    set_mode(&file, 0o600);
    issuer.restart().await;
    for (key, status) in [
        (SECRET, 200),
        (OTHER, 200),
        ("a-third-key-of-some-length-0123456789", 401),
        ("", 401),
        (&format!("{SECRET},{OTHER}"), 401),
    ] {
        let asked = issuer.request(Method::GET, "/admin/subjects").bearer_auth(key);
        assert_eq!(send(asked).await.status, status, "{key}");
    }
    let mut listing = issuer.command("keys");
    listing.arg("list").env("DOORLIST_URL", issuer.url());
    let listed = eventually("the keys are listed", listing.output()).await.expect("the process ends");
    assert!(listed.status.success(), "the command line sends the first: {listed:?}");

    // The operator removes the old key from the file.
    issuer.stop().await;
    fs::write(&file, OTHER).expect("written");
    issuer.restart().await;
    for (key, status) in [(SECRET, 401), (OTHER, 200)] {
        let asked = issuer.request(Method::GET, "/admin/subjects").bearer_auth(key);
        assert_eq!(send(asked).await.status, status, "{key}");
    }
}

#[tokio::test]
async fn b7_a_key_that_no_client_can_send_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys");
    for key in [
        "ein-schlüssel-mit-umlauten-0123456789",
        "a key with spaces in it 0123456789",
        "a-key-with-a-\u{7}-bell-in-it-0123456789",
        "\u{feff}a-key-behind-a-byte-order-mark-0123456789",
    ] {
        let said = refusal(&[("DOORLIST_ADMIN_KEY", OsStr::new(key))]).await;
        assert!(said.contains("DOORLIST_ADMIN_KEY") && said.contains("visible ASCII"), "{said}");
        fs::write(&file, format!("{SECRET}\n{key}\n")).expect("written");
        set_mode(&file, 0o600);
        let said = refusal(&[("DOORLIST_ADMIN_KEY_FILE", file.as_os_str())]).await;
        assert!(said.contains(&*file.to_string_lossy()) && said.contains("visible ASCII"), "{said}");
        assert!(!said.contains(SECRET) && !said.contains(key), "{said}");
    }
    fs::write(&file, "\n \n").expect("written");
    let said = refusal(&[("DOORLIST_ADMIN_KEY_FILE", file.as_os_str())]).await;
    assert!(said.contains("a secret of 0 characters"), "{said}");
}

#[tokio::test]
async fn b7_settings_that_cannot_work_are_refused_at_the_start() {
    for (name, value, reason) in [
        ("AUDIENCE", " api", "white space"),
        ("ISSUER", "http://0.0.0.0:8787", "no client can connect to"),
        ("ISSUER", "http://[::]", "no client can connect to"),
        ("ISSUER", "https://id.example.com:0", "no client can connect to"),
        ("STORE", "embedded:./doorlist.redb\n", "control characters"),
    ] {
        let said = refusal(&[(&format!("DOORLIST_{name}"), OsStr::new(value))]).await;
        assert!(said.contains(reason), "{name}={value:?}: {said}");
    }
}

#[tokio::test]
async fn b10_only_the_canonical_spelling_of_a_name_is_accepted() {
    for (name, written, canonical) in [
        ("ISSUER", "HTTPS://ID.Example.com:443/a//b", "https://id.example.com/a/b"),
        ("ISSUER", "HTTP://id.example.com", "http://id.example.com"),
        ("ISSUER", "https://ïd.example.com", "https://xn--d-mga.example.com"),
        ("ISSUER", "https://id.example.com/./a", "https://id.example.com/a"),
        ("ALLOWED_ORIGINS", "https://App.example.com:443", "https://app.example.com"),
        ("ALLOWED_ORIGINS", "HTTPS://app.example.com/", "https://app.example.com"),
    ] {
        let said = refusal(&[(&format!("DOORLIST_{name}"), OsStr::new(written))]).await;
        assert!(said.contains(&format!(" {canonical}")), "{written}: {said}");
    }
    let mut listing = doorlist();
    listing.args(["keys", "list"]).env("DOORLIST_URL", "HTTP://LOCALHOST:8787");
    let refused = eventually("the command is refused", listing.output()).await.expect("the process ends");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(" http://localhost:8787"), "{said}");
}

#[tokio::test]
async fn b10_an_unencrypted_issuer_causes_a_warning_unless_its_host_is_local() {
    for (name, exposed) in [
        ("http://id.example.com", true),
        ("http://127.0.0.1.example.com", true),
        ("http://localhost.example.com", true),
        ("https://id.example.com", false),
        ("http://localhost:8787", false),
        ("http://[::1]:8787", false),
    ] {
        let issuer = Issuer::start_with(&[EMBEDDED, &[("ISSUER", name)]].concat()).await;
        assert_eq!(issuer.log().contains("tokens travel unencrypted"), exposed, "{name}");
    }
}

#[tokio::test]
async fn b15_a_lost_store_is_not_a_first_start() {
    let mut issuer = Issuer::stopped(EMBEDDED).forgetting(&["MASTER_SECRET", "ADMIN_KEY"]);
    issuer.restart().await;
    assert!(issuer.log().contains("a new, empty store was created"), "{}", issuer.log());
    issuer.stop().await;
    let (store, secret) =
        (issuer.folder().join("doorlist.redb"), issuer.folder().join("doorlist.redb.master-secret"));
    let (held, secret_text) = (fs::read(&store).expect("a store"), fs::read(&secret).expect("a secret"));

    fs::remove_file(&store).expect("removed");
    assert!(!issuer.try_restart().await, "{}", issuer.log());
    assert!(issuer.log().contains("the store ./doorlist.redb is missing"), "{}", issuer.log());
    assert!(!store.exists(), "a refused start creates no file");

    fs::write(&store, "").expect("written");
    assert!(!issuer.try_restart().await, "{}", issuer.log());
    assert!(issuer.log().contains("has 0 bytes"), "{}", issuer.log());

    // The operator puts the old store file back. The next start shows that nothing was lost.
    fs::write(&store, held).expect("written");
    issuer.restart().await;
    issuer.stop().await;

    fs::remove_file(&store).expect("removed");
    let mut issuer = issuer.with_environment(vec![("DOORLIST_INIT".into(), "true".into())]);
    issuer.restart().await;
    assert_eq!(fs::read(&secret).expect("a secret"), secret_text, "the secrets are unchanged");
    issuer.stop().await;
    issuer.restart().await;
    assert!(issuer.log().contains("--init (DOORLIST_INIT) has no effect"), "{}", issuer.log());
}

#[tokio::test]
async fn b15_a_secret_that_others_can_write_is_refused_and_a_readable_one_causes_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    fs::write(&file, SECRET).expect("written");
    for name in ["MASTER_SECRET", "ADMIN_KEY"] {
        let variable = format!("DOORLIST_{name}_FILE");
        for mode in [0o666, 0o660, 0o622, 0o602] {
            set_mode(&file, mode);
            let said = refusal(&[(&variable, file.as_os_str())]).await;
            assert!(
                said.contains(&*file.to_string_lossy()) && said.contains("can write"),
                "{mode:o}: {said}"
            );
        }
        set_mode(&file, 0o600);
        // Changing the owner of a file requires root. Without root, a unit test of the file reader covers this rule.
        if fs::metadata(&file).expect("a file").uid() == 0 {
            chown(&file, Some(12_345), None).expect("the file's owner is changed");
            let said = refusal(&[(&variable, file.as_os_str())]).await;
            assert!(said.contains("belongs to user 12345"), "{said}");
            chown(&file, Some(0), None).expect("the file's owner is restored");
        }
        for (mode, warned) in [(0o644, true), (0o640, false), (0o400, false)] {
            set_mode(&file, mode);
            let path = file.to_string_lossy().into_owned();
            let settings = [EMBEDDED, &[(variable.trim_start_matches("DOORLIST_"), path.as_str())]].concat();
            let mut issuer = Issuer::stopped(&settings).forgetting(&[name]);
            issuer.restart().await;
            let log = issuer.log();
            assert_eq!(
                log.contains("every user of this machine can read this secret"),
                warned,
                "{mode:o}: {log}"
            );
        }
    }
}

#[tokio::test]
async fn b15_a_secret_in_a_flag_causes_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("embedded:{}", folder.path().join("no/such/folder/store").display());
    for (flag, warned) in [("--admin-key", true), ("--master-secret", true), ("--audience", false)] {
        let mut command = doorlist();
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", &store, flag, SECRET]);
        let refused = eventually("the process ends", command.output()).await.expect("the process ends");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(said.contains("in the list of processes"), warned, "{flag}: {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}
