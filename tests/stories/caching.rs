//! HTTP caches between issuers and verifiers. A cache is allowed to keep some answers for a limited time. Then the
//! cache must revalidate the answer.

use std::io::Read as _;

use doorlist_verifier::Options;
use reqwest::Method;
use reqwest::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};

use crate::support::{Follower, Issuer, send};

fn directive<'a>(cache_control: &'a str, name: &str) -> Option<&'a str> {
    let mut directives = cache_control.split(',').map(str::trim);
    directives.find_map(|directive| directive.strip_prefix(name)?.strip_prefix('='))
}

#[tokio::test]
async fn a_list_is_cached_for_its_ttl() {
    let issuer = Issuer::start_with(&[("HEARTBEAT_SECS", "7")]).await;
    let list = issuer.get("/revocations").await;
    assert_eq!(list.status, 200);
    assert_eq!(list.header(CONTENT_TYPE), "application/jwt");
    let cache_control = list.header(CACHE_CONTROL);
    assert!(cache_control.contains("public"), "{cache_control}");
    assert_eq!(directive(cache_control, "max-age"), Some("7"), "{cache_control}");
    for stale in ["stale-while-revalidate", "stale-if-error"] {
        let seconds: u64 = directive(cache_control, stale).expect(stale).parse().expect("seconds");
        assert!(seconds <= 7, "{cache_control}");
    }
    assert_eq!(list.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");
}

#[tokio::test]
async fn a_list_that_did_not_change_is_not_sent_again() {
    // A long heartbeat, so that no new list is signed during the test.
    let issuer = Issuer::start_with(&[("HEARTBEAT_SECS", "30")]).await;
    // All requests for `list` go to the same node of a pair, because each node signs its own list.
    let list = format!("{}/revocations", issuer.url());
    let first = issuer.get_url(&list).await;
    let etag = first.header(ETAG).to_owned();
    assert!(etag.starts_with('"') || etag.starts_with("W/\""), "{etag}");

    let again = |etag: String| send(issuer.request_url(&list).header(IF_NONE_MATCH, etag));
    for known in [etag.clone(), format!("\"other\", {etag}"), "*".into()] {
        let unchanged = again(known.clone()).await;
        assert_eq!(unchanged.status, 304, "{known}");
        assert!(unchanged.body.is_empty());
        assert_eq!(unchanged.header(ETAG), etag, "RFC 9110 §15.4.5");
        assert!(!unchanged.header(CACHE_CONTROL).is_empty());
    }
    assert_eq!(again("\"other\"".into()).await.status, 200);

    issuer.open_session("alice").await;
    issuer.list_with(issuer.revoking("/subjects/alice/revoke").await).await;
    let changed = again(etag.clone()).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header(ETAG), etag);
}

const KICKED: usize = 40;

#[tokio::test]
async fn a_list_is_compressed_for_clients_that_accept_it() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    for number in 0..KICKED {
        let sub = format!("alice-{number}");
        issuer.open_session(&sub).await;
        verifier.reaches(issuer.revoking(&format!("/subjects/{sub}/revoke")).await).await;
    }
    let gzip = send(issuer.request(Method::GET, "/revocations").header(ACCEPT_ENCODING, "gzip")).await;
    assert_eq!(gzip.header(CONTENT_ENCODING), "gzip");
    assert!(gzip.header(VARY).to_lowercase().contains("accept-encoding"), "{}", gzip.header(VARY));
    let mut list = String::new();
    flate2::read::GzDecoder::new(gzip.body.as_slice()).read_to_string(&mut list).expect("gzip of a text");
    // In a pair, this list may come from one node, while `verifier` holds lists of the other node. Therefore the list
    // is loaded by a verifier that holds no list.
    let reader = Follower::without_list(&issuer, Options::new(issuer.url(), None)).await;
    assert_eq!(reader.load(&list).expect("a valid list").entries, KICKED);
    assert!(gzip.body.len() < list.len());
}

#[tokio::test]
async fn the_stream_is_not_cached() {
    let issuer = Issuer::start().await;
    let request = issuer.request(Method::GET, "/revocations/stream").header(ACCEPT_ENCODING, "gzip");
    let stream = request.send().await.expect("an answer");
    let header = |name| stream.headers().get(name).map_or("", |value| value.to_str().expect("text"));
    assert!(header(CONTENT_TYPE).starts_with("text/event-stream"), "{}", header(CONTENT_TYPE));
    assert!(header(CACHE_CONTROL).contains("no-store"), "{}", header(CACHE_CONTROL));
    assert_eq!(header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert_eq!(header(CONTENT_ENCODING), "", "compression would delay events");
}

#[tokio::test]
async fn the_metadata_has_every_address() {
    let issuer = Issuer::start().await;
    let metadata = issuer.get("/.well-known/oauth-authorization-server").await.ok();
    assert_eq!(metadata["issuer"].as_str(), Some(issuer.url().as_str()), "RFC 8414 §3.3");
    for name in ["jwks_uri", "revocation_list_uri"] {
        let url = metadata[name].as_str().unwrap_or_else(|| panic!("{name} in {metadata}"));
        let reply = issuer.get_url(url).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{name}");
    }
    for (name, path) in [
        ("token_endpoint", "/token"),
        ("revocation_endpoint", "/revoke"),
        ("introspection_endpoint", "/introspect"),
        ("revocation_stream_uri", "/revocations/stream"),
    ] {
        assert_eq!(metadata[name].as_str(), Some(format!("{}{path}", issuer.url()).as_str()), "{name}");
    }
}
