//! A connected verifier. It consists of the verifier crate, and a client that loads an issuer's snapshot and follows
//! the stream.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorlist_verifier::{Cursor, Error, HostTime, Options, UnixSeconds, Verified, Verifier};
use futures_util::StreamExt;
use reqwest::Method;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::eventually;
use super::http::unverified_list;
use super::issuer::Issuer;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The issuer closed the stream.
    Clean,
    /// The connection broke.
    Broken,
}

/// A connected verifier, see the [module](self). It connects on request, and then follows until the stream ends.
pub struct Follower {
    held: Arc<Held>,
    stream: Option<JoinHandle<StreamEnd>>,
    /// The list addresses of both nodes of a pair.
    lists: Vec<String>,
}

struct Held {
    verifier: Mutex<Verifier>,
    /// The errors with which the verifier refused lists of the stream. A refusal is not included if its only reason
    /// is that the refused list is older than the verifier's list.
    flaws: Mutex<Vec<Error>>,
    /// Incremented with every event of the stream.
    events: watch::Sender<u64>,
}

impl Follower {
    /// Trusts the issuer's keys, loads a snapshot and follows the stream.
    pub async fn of(issuer: &Issuer) -> Self {
        Self::with(issuer, Options::new(issuer.url(), Some(vec!["api".into()]))).await
    }

    /// Like [`Self::of`], but with these verifier options.
    pub async fn with(issuer: &Issuer, options: Options) -> Self {
        let mut follower = Self::offline(issuer, options).await;
        follower.resume(issuer).await;
        follower
    }

    /// Trusts the issuer's keys and loads a snapshot, but does not follow the stream.
    pub async fn offline(issuer: &Issuer, options: Options) -> Self {
        let follower = Self::without_list(issuer, options).await;
        let snapshot = issuer.get("/revocations").await;
        assert!(snapshot.status.is_success(), "the snapshot: {}", snapshot.text());
        follower.load(&snapshot.text()).expect("a valid snapshot");
        follower
    }

    /// Trusts the issuer's keys and holds no list. Therefore this verifier accepts any list that these keys signed. A
    /// verifier that already holds a list refuses another node's list that has the same sequence and an older `iat`.
    pub async fn without_list(issuer: &Issuer, options: Options) -> Self {
        let mut verifier = Verifier::new(options).expect("valid options");
        let jwks = issuer.get("/.well-known/jwks.json").await;
        jwks.ok();
        verifier.add_jwks(&jwks.text()).expect("a valid key set");
        let held =
            Held { verifier: Mutex::new(verifier), flaws: Mutex::default(), events: watch::Sender::new(0) };
        Self { held: Arc::new(held), stream: None, lists: issuer.lists_of_pair() }
    }

    /// Opens the stream at the position where the last stream ended, as `EventSource` does.
    pub async fn resume(&mut self, issuer: &Issuer) {
        let cursor = self.cursor();
        let request =
            issuer.request(Method::GET, "/revocations/stream").header("Last-Event-ID", cursor.to_string());
        self.stream_from(request).await;
    }

    /// Follows the stream that answers this request.
    pub async fn stream_from(&mut self, request: reqwest::RequestBuilder) {
        let response = eventually("the stream opens", request.send()).await.expect("an answer");
        assert_eq!(response.status(), 200, "the stream opens");
        self.leave();
        let held = Arc::clone(&self.held);
        self.stream = Some(tokio::spawn(async move { held.follow(response).await }));
    }

    /// Goes offline.
    pub fn leave(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.abort();
        }
    }

    /// Waits until the stream ends.
    pub async fn stream_end(&mut self) -> StreamEnd {
        let stream = self.stream.take().expect("the verifier follows a stream");
        eventually("the stream ends", stream).await.expect("the task that follows the stream did not panic")
    }

    /// The verifier's current answer for the token.
    pub fn verify(&self, token: &str) -> Result<Verified, Error> {
        self.look(|verifier| verifier.verify(token, host_time()))
    }

    /// Loads this list into the verifier.
    pub fn load(&self, list: &str) -> Result<doorlist_verifier::Loaded, Error> {
        self.look(|verifier| verifier.load(list, host_time()))
    }

    /// Waits until the token is refused, and returns the error.
    pub async fn refuses(&self, token: &str) -> Error {
        self.until("the verifier refuses the token", |verifier| verifier.verify(token, host_time()).err())
            .await
    }

    /// Waits until the verifier holds this position of the revocation log. For a pair, also waits until the lists of
    /// both nodes contain this position, because either node may get the next request.
    pub async fn reaches(&self, position: Cursor) {
        self.until("the verifier reaches the position in the revocation log", |verifier| {
            let status = verifier.status(host_time());
            (status.epoch == Some(position.epoch) && status.sequence >= Some(position.seq)).then_some(())
        })
        .await;
        for url in &self.lists {
            eventually("both nodes of a pair reach the position in the revocation log", async {
                // A node that was killed does not answer, so the loop skips this node.
                while let Ok(list) = reqwest::get(url).await
                    && unverified_list(&list.text().await.expect("a list")).seq < position.seq
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
        }
    }

    /// Waits until the verifier holds a list whose `iat` is this time or later.
    pub async fn hears_of(&self, time: UnixSeconds) {
        self.until("the verifier holds a newer list", |verifier| {
            (verifier.status(host_time()).freshness.as_of >= Some(time)).then_some(())
        })
        .await;
    }

    /// Waits until `look` returns a value. Calls `look` again after every event of the stream.
    pub async fn until<T>(&self, what: &str, mut look: impl FnMut(&mut Verifier) -> Option<T>) -> T {
        let mut events = self.held.events.subscribe();
        eventually(what, async {
            loop {
                events.borrow_and_update();
                if let Some(found) = self.look(&mut look) {
                    return found;
                }
                events.changed().await.expect("the sender still exists");
            }
        })
        .await
    }

    /// A receiver that is notified of every event of the stream.
    pub fn events(&self) -> watch::Receiver<u64> {
        self.held.events.subscribe()
    }

    /// The position of the verifier's list, in the form of `?since=` and `Last-Event-ID`.
    pub fn cursor(&self) -> Cursor {
        let status = self.look(|verifier| verifier.status(host_time()));
        let (Some(epoch), Some(seq)) = (status.epoch, status.sequence) else {
            panic!("the verifier holds no list")
        };
        Cursor { epoch, seq }
    }

    /// Accesses the verifier. Panics if the stream brought a list that the verifier refused.
    pub fn look<T>(&self, look: impl FnOnce(&mut Verifier) -> T) -> T {
        let flaws = self.held.flaws.lock().expect("no thread panicked");
        assert!(flaws.is_empty(), "the stream brought lists that the verifier refused: {flaws:?}");
        look(&mut self.held.verifier.lock().expect("no thread panicked"))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Held {
    async fn follow(&self, response: reqwest::Response) -> StreamEnd {
        let mut chunks = response.bytes_stream();
        let mut text = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { return StreamEnd::Broken };
            text.extend_from_slice(&chunk);
            while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = text.drain(..end + 2).collect();
                self.take(std::str::from_utf8(&event).expect("events are UTF-8"));
            }
        }
        StreamEnd::Clean
    }

    /// Processes one event of `text/event-stream`. In an event of this issuer, each field is on one line.
    fn take(&self, event: &str) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let Some(list) = field("data: ") else { return };
        let loaded = self.verifier.lock().expect("no thread panicked").load(list, host_time());
        match loaded {
            Ok(loaded) => {
                let cursor = Cursor { epoch: loaded.epoch, seq: loaded.sequence };
                assert_eq!(
                    field("id: "),
                    Some(cursor.to_string().as_str()),
                    "the event's id is the list's cursor"
                );
            }
            Err(Error::ListRollback { .. }) => {}
            Err(flaw) => self.flaws.lock().expect("no thread panicked").push(flaw),
        }
        self.events.send_modify(|count| *count += 1);
    }
}

impl Issuer {
    /// Returns a snapshot that contains every entry up to this position of the revocation log. Waits for this position,
    /// because the issuer publishes a change shortly after it has acknowledged the change.
    pub async fn list_with(&self, position: Cursor) -> String {
        Follower::of(self).await.reaches(position).await;
        self.get("/revocations").await.success()
    }

    /// The current position of the revocation log, including all writes so far.
    pub async fn log_position(&self) -> Cursor {
        let follower = Follower::of(self).await;
        follower.hears_of(host_time().wall.plus_secs(1)).await;
        follower.cursor()
    }
}

/// The host's current time.
pub fn host_time() -> HostTime {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    HostTime { wall: UnixSeconds::saturating_new(wall.as_secs()), monotonic: START.elapsed() }
}
