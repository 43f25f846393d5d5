//! The settings on which stored data depends are stored with the data. A start with another issuer name is refused. A
//! start with another lifetime is reported in the log output.

use base64ct::{Base64UrlUnpadded, Encoding};
use reqwest::Method;
use serde_json::Value;

use crate::support::{EMBEDDED, Issuer, Pair, RedisServer, Session, eventually, send};

fn payload(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).expect("base64url")).expect("JSON")
}

fn environment(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| (format!("DOORLIST_{name}"), (*value).to_owned())).collect()
}

/// Waits until the log output contains this text.
async fn says(issuer: &Issuer, said: &str) {
    eventually(&format!("the log has: {said}"), async {
        while !issuer.log().contains(said) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn b8_another_name_on_the_same_store_stops_the_start() {
    let mut issuer = Issuer::start_with(EMBEDDED).await;
    let session = issuer.open_session("alice").await;
    issuer.stop().await;
    let stored = issuer.url();

    let mut issuer = issuer.with_environment(environment(&[("ISSUER", "https://new.example")]));
    assert!(!issuer.try_restart().await, "{}", issuer.log());
    let log = issuer.log();
    let said = log.lines().last().expect("a sentence");
    for part in [stored.as_str(), "https://new.example", "--former-issuer", "DOORLIST_FORMER_ISSUER"] {
        assert!(said.contains(part), "{said}");
    }

    let foreign = environment(&[("FORMER_ISSUER", "https://production.example")]);
    let mut issuer = issuer.with_environment(foreign);
    assert!(!issuer.try_restart().await, "the store never had this former name");
    assert!(issuer.log().contains("https://production.example, but this store has never had that name"));

    // The refused starts changed nothing.
    let mut issuer = issuer.with_environment(Vec::new());
    issuer.restart().await;
    Session::of(&issuer.refresh(&session.refresh).await);
}

#[tokio::test]
async fn b8_trace_54_a_renamed_issuer_accepts_sessions_of_its_former_name() {
    let mut issuer = Issuer::start_with(EMBEDDED).await;
    let (alice, bob) = (issuer.open_session("alice").await, issuer.open_session("bob").await);
    issuer.stop().await;
    let former = issuer.url();
    let new = former.replace("127.0.0.1", "localhost");

    let mut issuer = issuer.with_environment(environment(&[("ISSUER", &new), ("FORMER_ISSUER", &former)]));
    issuer.restart().await;
    let refreshed = Session::of(&issuer.refresh(&alice.refresh).await);
    assert_eq!(payload(&refreshed.access)["iss"], Value::from(new.as_str()));
    // The session can still be refreshed under the new name after another restart.
    issuer.stop().await;
    issuer.restart().await;
    Session::of(&issuer.refresh(&refreshed.refresh).await);

    // Verifiers that still use the former name find the list under that name. They find the list until the last token
    // with that name has expired.
    for name in [&former, &new] {
        let metadata = issuer.get_url(&format!("{name}/.well-known/oauth-authorization-server")).await.ok();
        assert_eq!(metadata["issuer"], Value::from(name.as_str()));
        let list = issuer.get_url(metadata["revocation_list_uri"].as_str().expect("an address")).await;
        assert_eq!(payload(&list.text())["iss"], Value::from(name.as_str()));
    }
    // A client can still end a session with an access token that has the former name.
    let form = [("token", bob.access.as_str())];
    let revoked = send(issuer.request(Method::POST, "/revoke").form(&form)).await.ok();
    assert!(revoked["seq"].is_u64(), "{revoked}");
    let list = payload(&issuer.get_url(&format!("{former}/revocations")).await.text());
    assert!(list["seq"].as_u64() <= revoked["seq"].as_u64());
}

#[tokio::test]
async fn b8_nodes_with_other_settings_warn_and_a_node_with_another_name_is_refused() {
    let redis = RedisServer::start(&[]);
    let store = redis.url();
    let a = Issuer::start_with(&[("STORE", &store), ("AUDIENCE", "api")]).await;
    let name = a.url();
    let settings =
        [("STORE", store.as_str()), ("ISSUER", name.as_str()), ("AUDIENCE", "web"), ("LEEWAY_SECS", "30")];
    let b = Issuer::start_with(&settings).await;
    let log = b.log();
    for said in [
        "--audience is web on this node, and api on the node",
        "--leeway-secs is 30 on this node, and 60 on the node",
    ] {
        assert!(log.contains(said), "{log}");
    }
    says(&a, "--audience is api on this node, and web on the node").await;

    let mut other = Issuer::stopped(&[("STORE", &store), ("ISSUER", "https://other.example")]);
    assert!(!other.try_restart().await, "{}", other.log());
    let log = other.log();
    assert!(log.contains(&format!("this store belongs to the issuer {name}")), "{log}");
}

#[tokio::test]
async fn b8_a_node_of_the_former_name_serves_no_tokens_until_it_is_restarted() {
    let pair = Pair::start().await;
    let Pair { redis: _redis, a, mut b } = pair;
    let alice = a.open_session("alice").await;
    let (former, new) = (a.url(), "https://new.example");
    b.stop().await;
    let mut b = b.with_environment(environment(&[("ISSUER", new), ("FORMER_ISSUER", &former)]));
    b.restart().await;
    assert!(a.until_readiness_is(503).await.contains("renamed"));
    assert_eq!(
        a.refresh(&alice.refresh).await.status,
        503,
        "the error is not `invalid_grant`, which would end the session"
    );
    let refreshed = Session::of(&b.refresh(&alice.refresh).await);
    assert_eq!(a.refresh(&refreshed.refresh).await.status, 503);
    assert_eq!(a.get("/revocations").await.status, 200, "the node's list is still served");
    // A kick still works at the node that uses the former name.
    a.revoking("/subjects/alice/revoke").await;
    assert_eq!(b.refresh(&refreshed.refresh).await.status, 400);
}

#[tokio::test]
async fn b15_trace_58_an_empty_redis_is_not_a_first_start_without_init() {
    let redis = RedisServer::start(&[]);
    let store = redis.url();
    let mut issuer = Issuer::stopped(&[("STORE", &store)]).forgetting(&["INIT"]);
    assert!(!issuer.try_restart().await, "{}", issuer.log());
    let log = issuer.log();
    assert!(log.contains("holds nothing under the prefix doorlist") && log.contains("--init"), "{log}");

    let mut first = Issuer::start_with(&[("STORE", &store)]).await;
    let name = first.url();
    first.stop().await;
    let settings = [("STORE", store.as_str()), ("ISSUER", name.as_str())];
    let mut next = Issuer::stopped(&settings).forgetting(&["INIT"]);
    next.restart().await;
    next.stop().await;
    // A typing error in the prefix does not create a second installation.
    let mut typo =
        Issuer::stopped(&[&settings[..], &[("STORE_PREFIX", "dorlist")]].concat()).forgetting(&["INIT"]);
    assert!(!typo.try_restart().await, "{}", typo.log());
    assert!(typo.log().contains("under the prefix dorlist"), "{}", typo.log());
}
