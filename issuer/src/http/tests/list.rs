//! Tests of the list, its stream, the keys, the metadata and the health probes.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use doorlist_verifier::{Cursor, Verifier};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::testing::{Answer, ISSUER, Site, now};

async fn kick(site: &Site, sub: &str) -> Cursor {
    site.open_session(sub).await;
    let kicked = site.admin(Method::POST, &format!("/admin/subjects/{sub}/revoke"), Value::Null).await;
    site.publish().await;
    kicked.position()
}

/// Loads a list into the verifier. Returns the sequence number of the list, and the number of entries that the verifier
/// holds afterwards.
fn load(verifier: &mut Verifier, list: &str) -> (u64, usize) {
    let loaded = verifier.load(list, now()).expect("a list");
    (loaded.sequence.get(), loaded.entries)
}

#[tokio::test]
async fn a_snapshot_and_a_delta_lead_to_the_same_list() {
    let site = Site::open().await;
    let first = kick(&site, "alice").await;
    let snapshot = site.get("/revocations").await;
    assert_eq!(snapshot.header(header::CONTENT_TYPE), "application/jwt");
    assert_eq!(
        snapshot.header(header::CACHE_CONTROL),
        "public, max-age=10, stale-while-revalidate=10, stale-if-error=10"
    );
    assert_eq!(snapshot.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    let mut verifier = site.verifier();
    assert_eq!(load(&mut verifier, &snapshot.text), (first.seq.get(), 1));

    let second = kick(&site, "bob").await;
    let delta = site.get(&format!("/revocations?since={first}")).await;
    assert!(delta.text.len() < snapshot.text.len());
    assert_eq!(load(&mut verifier, &delta.text), (second.seq.get(), 2));
    assert_eq!(load(&mut site.verifier(), &site.get("/revocations").await.text), (second.seq.get(), 2));
}

#[tokio::test]
async fn all_clients_get_the_same_delta_bytes() {
    let site = Site::open().await;
    let cursors =
        [kick(&site, "a").await, kick(&site, "b").await, kick(&site, "c").await, kick(&site, "d").await];
    let lists = [
        site.get(&format!("/revocations?since={}", cursors[0])).await,
        site.get(&format!("/revocations?since={}", cursors[1])).await,
    ];
    assert_eq!(
        lists[0].text, lists[1].text,
        "a client that lacks two gets the same delta as one that lacks three"
    );
}

#[tokio::test]
async fn a_cursor_of_another_epoch_or_before_a_key_change_gets_the_snapshot() {
    let site = Site::open().await;
    let position = kick(&site, "alice").await;
    let snapshot = site.get("/revocations").await.text;
    let other = site.get("/revocations?since=00000000000000aa:17").await.text;
    assert_eq!(other, snapshot);

    let ahead = site.get(&format!("/revocations?since={}:9007199254740991", position.epoch)).await;
    assert!(ahead.text.len() < snapshot.len());
    let mut verifier = site.verifier();
    load(&mut verifier, &snapshot);
    assert_eq!(load(&mut verifier, &ahead.text), (position.seq.get(), 1));

    // Trace 8: a verifier that was disconnected while a key was retired must learn that the key is retired.
    let keys = site.admin(Method::GET, "/admin/keys", Value::Null).await.json();
    let retired = json!({ "kid": keys["keys"][0]["kid"] });
    site.admin(Method::POST, "/admin/keys/retire", retired.clone()).await.position();
    site.publish().await;
    let after = site.get(&format!("/revocations?since={position}")).await.text;
    assert_eq!(after, site.get("/revocations").await.text);
    load(&mut verifier, &after);
    let trusted: Vec<_> = verifier.status(now()).keys.iter().map(ToString::to_string).collect();
    assert!(!trusted.contains(&retired["kid"].as_str().expect("a kid").to_owned()));
}

#[tokio::test]
async fn a_request_with_the_current_entity_tag_gets_no_body() {
    let site = Site::open().await;
    let get = async |name, value: &str| {
        let request = Request::get("/revocations").header(name, value).body(Body::empty());
        Answer::of(site.send(request.expect("a request")).await).await
    };
    let plain = site.get("/revocations").await;
    let zipped = get(header::ACCEPT_ENCODING, "br, gzip").await;
    assert_eq!(
        (zipped.header(header::CONTENT_ENCODING), zipped.header(header::VARY)),
        ("gzip", "accept-encoding")
    );
    assert_ne!(plain.header(header::ETAG), zipped.header(header::ETAG));
    for tag in [plain.header(header::ETAG), zipped.header(header::ETAG)] {
        let unchanged = get(header::IF_NONE_MATCH, &format!("\"other\", W/{tag}")).await;
        assert_eq!((unchanged.status, unchanged.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
    kick(&site, "alice").await;
    assert_eq!(get(header::IF_NONE_MATCH, plain.header(header::ETAG)).await.status, StatusCode::OK);
}

/// Reads a stream event by event.
struct Events(Body);

impl Events {
    async fn open(site: &Site, cursor: Option<&str>) -> Self {
        let mut request = Request::get("/revocations/stream");
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let response = site.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        Self(response.into_body())
    }

    /// Returns the id and the data of the next event.
    async fn next(&mut self) -> Option<(String, String)> {
        let frame = self.0.frame().await?.expect("a clean end");
        let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
        let (id, data) = text.strip_suffix("\n\n")?.split_once('\n')?;
        Some((id.strip_prefix("id: ")?.to_owned(), data.strip_prefix("data: ")?.to_owned()))
    }
}

#[tokio::test]
async fn a_stream_begins_with_the_missing_entries_and_continues_with_new_ones() {
    let site = Site::open().await;
    let first = kick(&site, "alice").await;
    let (mut fresh, mut resumed) =
        (Events::open(&site, None).await, Events::open(&site, Some(&first.to_string())).await);
    let mut verifier = site.verifier();
    let (id, snapshot) = fresh.next().await.expect("a snapshot");
    assert_eq!((id, load(&mut verifier, &snapshot)), (first.to_string(), (first.seq.get(), 1)));
    let (id, nothing) = resumed.next().await.expect("a heartbeat");
    assert_eq!(id, first.to_string());
    assert!(nothing.len() < snapshot.len());

    let second = kick(&site, "bob").await;
    let (id, delta) = fresh.next().await.expect("news");
    assert_eq!((id, load(&mut verifier, &delta)), (second.to_string(), (second.seq.get(), 2)));
    assert_eq!(resumed.next().await.expect("news").1, delta, "all clients get the same bytes");

    site.life.send_replace(crate::life::Life::Stopping);
    assert_eq!(fresh.next().await, None, "a clean close");
}

#[tokio::test]
async fn a_stream_waits_while_its_cursor_is_ahead_and_drops_slow_clients() {
    let site = Site::open().await;
    let here = kick(&site, "alice").await;
    // This cursor is one entry ahead of this node. A client can get such a cursor from a second node that has
    // already read the next entry.
    let ahead = format!("{}:{}", here.epoch, here.seq.get() + 1);
    let mut events = Events::open(&site, Some(&ahead)).await;
    site.publish().await;
    let next = kick(&site, "bob").await;
    assert_eq!(
        events.next().await.expect("news").0,
        next.to_string(),
        "the heartbeat before it was passed over"
    );

    for _ in 0..100 {
        site.publish().await;
    }
    assert_eq!(events.next().await, None, "the stream ends, and the client can resume with its cursor");
}

#[tokio::test]
async fn a_node_without_confirmation_signs_nothing_and_reports_it() {
    let site = Site::with(&["--heartbeat-secs", "1"]).await;
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
    let before = site.get("/revocations").await.text;
    site.store.cut_off(true);
    // Wait until the store's last confirmation is too old.
    while site.app.desk.last_confirmed().is_fresh(std::time::Duration::from_secs(1)) {
        tokio::task::yield_now().await;
    }
    site.publish().await;
    assert_eq!(site.get("/readyz").await.failure(), "503 temporarily_unavailable");
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(site.get("/revocations").await.text, before, "the last list is still served");
    site.store.cut_off(false);
    site.publish().await;
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
    assert_ne!(site.get("/revocations").await.text, before);
}

#[tokio::test]
async fn a_node_restores_the_log_of_an_emptied_store() {
    // Trace 21: the store was emptied, and the node writes the revocation log back to the store.
    let site = Site::open().await;
    let kicked = kick(&site, "alice").await;
    let mut verifier = site.verifier();
    load(&mut verifier, &site.get("/revocations").await.text);
    let keys = site.get("/.well-known/jwks.json").await.text;

    site.store.empty();
    site.publish().await;
    let list = site.get(&format!("/revocations?since={kicked}")).await.text;
    let (seq, entries) = load(&mut verifier, &list);
    assert!(
        seq > kicked.seq.get() && entries == 1,
        "the epoch's revocation log continues, and the kick is in it"
    );
    assert_eq!(load(&mut site.verifier(), &site.get("/revocations").await.text), (seq, 1));
    assert_eq!(site.get("/.well-known/jwks.json").await.text, keys);
}

#[tokio::test]
async fn metadata_and_keys_are_at_the_published_addresses() {
    let site = Site::open().await;
    let metadata = site.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.json()["issuer"], ISSUER);
    for name in
        ["token_endpoint", "revocation_endpoint", "jwks_uri", "revocation_list_uri", "revocation_stream_uri"]
    {
        let url = metadata.json()[name].as_str().expect(name).to_owned();
        let path = url.strip_prefix(ISSUER).expect("a URL under the issuer's URL");
        let status = site.send(Request::get(path).body(Body::empty()).expect("a request")).await.status();
        assert_ne!(status, StatusCode::NOT_FOUND, "{url}");
    }
    assert_eq!(site.get("/.well-known/oauth-authorization-server/other").await.failure(), "404 not_found");
    let tenant = Site::with(&["--issuer", "https://issuer.example/tenants/a"]).await;
    let metadata = tenant.get("/.well-known/oauth-authorization-server/tenants/a").await.json();
    assert_eq!(metadata["jwks_uri"], "https://issuer.example/tenants/a/.well-known/jwks.json");

    let jwks = site.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.header(header::CONTENT_TYPE), "application/jwk-set+json");
    assert_eq!(jwks.header(header::CACHE_CONTROL), "public, max-age=60");
    assert_eq!(jwks.json()["keys"].as_array().map(Vec::len), Some(2));
}
