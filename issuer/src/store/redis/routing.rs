//! Finds the server that has a key. This is the single server, the master that the sentinels name, or one of the
//! masters of a Cluster.
//!
//! This module does the routing itself. The client library also has a Cluster connection, but that connection
//! reconnects and sends commands again without being asked. Here each command is sent once, to one server. A command
//! is sent again only in two cases: the server certainly refused the command, or the command only reads and the
//! connection broke.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connection::Node;
use super::discovery::{Directory, Map, address_of};
use super::error::{Trouble, only};
use super::fitness::{self, Unfit};
use super::login::Login;
use super::scripts::{Call, Spelling};
use super::url::{Address, Layout, RedisUrl};
use crate::domain::Durability;
use crate::store::StoreError;

/// Time limit for a command, including the wait for a connection and the search for its server.
const LIMIT: Duration = Duration::from_secs(4);
/// Time limit for finding the masters through the sentinels or the Cluster.
const FIND_LIMIT: Duration = Duration::from_secs(3);
/// Largest number of attempts for one command.
const TRIES: usize = 3;

/// See the [module](self).
pub(super) struct Servers {
    directory: Directory,
    /// The current map. `None` if the masters must be looked up again.
    map: RwLock<Option<Arc<Map>>>,
    /// The last map that was found. The next lookup reuses the connections of this map.
    last: Mutex<Option<Arc<Map>>>,
}

impl Servers {
    pub(super) fn of(url: RedisUrl, login: Login) -> Self {
        if url.is_encrypted() {
            // `install_default` returns an error if a TLS provider is already installed. That provider is then used.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        Self { directory: Directory::of(url, login), map: RwLock::default(), last: Mutex::default() }
    }

    /// Checks that every master, and every replica that can take over, is fit to store revocations.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let map = self.map().await.map_err(|trouble| {
            let at: Vec<_> = self.directory.url.addresses.iter().map(Address::to_string).collect();
            trouble.of_server(&at.join(", "))
        })?;
        let layout = &self.directory.url.layout;
        for node in map.nodes.values() {
            let address = node.address();
            let said = info_of(node).await.map_err(|trouble| trouble.of_server(&address.to_string()))?;
            fitness::check(&said, layout.into()).map_err(|unfit| match unfit {
                // A failover is in progress: the sentinels or the Cluster already name a server that is not a master
                // yet.
                Unfit::IsReplica if *layout != Layout::Standalone => {
                    self.look_again(&map);
                    StoreError::Away {
                        place: address.to_string(),
                        reason: "it is not a master yet".to_owned(),
                    }
                }
                unfit => Trouble::Unfit(unfit).of_server(&address.to_string()),
            })?;
            if !fitness::persists(&said) {
                tracing::warn!(%address, "this Redis has no append-only file: set appendonly yes, or a restart loses acknowledged writes");
            }
            if *layout != Layout::Standalone {
                for address in fitness::replicas(&said) {
                    self.check_replica(&address)
                        .await
                        .map_err(|unfit| Trouble::Unfit(unfit).of_server(&address.to_string()))?;
                }
            }
        }
        Ok(())
    }

    /// Checks one replica. If the replica cannot be reached, logs a warning and returns `Ok`.
    async fn check_replica(&self, address: &Address) -> Result<(), Unfit> {
        let said = async { info_of(&self.directory.node_at(address.clone())).await };
        match said.await {
            Ok(said) => fitness::check_replica(&said),
            Err(trouble) => {
                let reason = trouble.describe();
                tracing::warn!(%address, %reason, "cannot check whether a replica is fit to take over");
                Ok(())
            }
        }
    }

    /// Runs a script on the server that has the script's keys.
    pub(super) async fn run(&self, call: &Call<'_>, durability: Durability) -> Result<Value, StoreError> {
        let done = timeout(LIMIT, self.run_somewhere(call, durability)).await;
        done.unwrap_or(Err(Trouble::Late)).map_err(|trouble| trouble.at(&call.place()))
    }

    /// Asks each known master whether replicas were added or removed. Does nothing if no master is known.
    pub(super) async fn notice_replicas(&self) {
        let Some(map) = self.known() else { return };
        let noticed = futures_util::future::join_all(map.nodes.values().map(|node| node.notice_replicas()));
        if timeout(LIMIT, noticed).await.is_err() {
            tracing::debug!("no answer about the replicas");
        }
    }

    /// Runs a script whose write leaves the stored data unchanged. A replica that has this write also has every
    /// earlier write. Returns `None` if there are no replicas.
    pub(super) async fn settle(&self, call: &Call<'_>) -> Result<Option<Value>, StoreError> {
        let has_replicas =
            async { self.map().await?.owner(call.slot()).ok_or(Trouble::Nowhere)?.has_replicas().await };
        let has_replicas = timeout(LIMIT, has_replicas).await.unwrap_or(Err(Trouble::Late));
        if has_replicas.map_err(|trouble| trouble.at(&call.place()))? {
            self.run(call, Durability::Replicated).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Runs scripts that only read, in the given order.
    pub(super) async fn run_in_order<const N: usize>(
        &self,
        calls: [Call<'_>; N],
    ) -> Result<[Value; N], StoreError> {
        if let Some(answers) = self.run_together(&calls.each_ref()).await
            && let Ok(answers) = <[Value; N]>::try_from(answers)
        {
            return Ok(answers);
        }
        let mut answers = [const { Value::Nil }; N];
        for (answer, call) in answers.iter_mut().zip(&calls) {
            *answer = self.run(call, Durability::Local).await?;
        }
        Ok(answers)
    }

    /// Runs many scripts that only read. Scripts for the same server are sent together.
    pub(super) async fn run_all(&self, calls: &[Call<'_>]) -> Vec<Result<Value, StoreError>> {
        let mut answers = vec![None; calls.len()];
        if let Ok(Ok(map)) = timeout(LIMIT, self.map()).await {
            let mut of_server: HashMap<&Address, Vec<usize>> = HashMap::new();
            for (at, call) in calls.iter().enumerate() {
                if let Some(node) = map.owner(call.slot()) {
                    of_server.entry(node.address()).or_default().push(at);
                }
            }
            let together = of_server.into_values().map(async |places| {
                let calls: Vec<_> = places.iter().map(|at| &calls[*at]).collect();
                let answers = self.run_together(&calls).await;
                places.into_iter().zip(answers.unwrap_or_default()).collect::<Vec<_>>()
            });
            for (at, answer) in futures_util::future::join_all(together).await.into_iter().flatten() {
                answers[at] = Some(answer);
            }
        }
        let each = calls.iter().zip(answers).map(async |(call, answer)| match answer {
            Some(answer) => Ok(answer),
            None => self.run(call, Durability::Local).await,
        });
        futures_util::future::join_all(each).await
    }

    /// Sends the calls together if one server has the keys of all calls. Returns `None` if several servers have the
    /// keys, or if an answer is an error. In this case the caller must run the calls one by one.
    async fn run_together(&self, calls: &[&Call<'_>]) -> Option<Vec<Value>> {
        let map = timeout(LIMIT, self.map()).await.ok()?.ok()?;
        let node = map.owner(calls.first()?.slot())?;
        if !calls.iter().all(|call| map.owner(call.slot()).is_some_and(|other| Arc::ptr_eq(node, other))) {
            return None;
        }
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for call in calls {
            pipeline.add_command(call.command(Spelling::Digest));
        }
        let answers = timeout(LIMIT, node.ask(&pipeline)).await.ok()?.ok()?;
        answers.into_iter().map(|answer| only([answer]).ok()).collect()
    }

    /// Waits until a stream has an entry after `after`, for at most a few seconds.
    pub(super) async fn wait_for_stream(
        &self,
        stream: &str,
        slot: u16,
        after: u64,
    ) -> Result<(), StoreError> {
        let waited = async {
            let map = timeout(FIND_LIMIT, self.map()).await.map_err(|_| Trouble::Late)??;
            let node = map.owner(slot).ok_or(Trouble::Nowhere)?;
            let waited = node.wait_for_stream(stream, after).await;
            if waited.is_err() {
                self.look_again(&map);
            }
            waited
        };
        waited.await.map_err(|trouble: Trouble| trouble.at(stream))
    }

    async fn run_somewhere(&self, call: &Call<'_>, durability: Durability) -> Result<Value, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let map = self.map().await?;
            let Some(node) = map.owner(call.slot()) else {
                self.look_again(&map);
                return Err(Trouble::Nowhere);
            };
            let done = self.run_on(node, call, durability).await;
            let Err(trouble) = &done else { return done };
            if trouble.is_of_place() {
                self.look_again(&map);
            }
            if let Some(address) = trouble.ask_at() {
                return self.run_asking(&map, node, address, call, durability).await;
            }
            let moved = trouble.was_refused() && self.directory.url.layout != Layout::Standalone;
            // It is possible that the server restarted after the connection was made. So a script that only reads is
            // sent again.
            let broken = trouble.is_broken() && call.only_reads();
            if !(moved || broken) || tries == TRIES {
                return done;
            }
        }
    }

    async fn run_on(&self, node: &Node, call: &Call<'_>, durability: Durability) -> Result<Value, Trouble> {
        let run = async |spelling| {
            let mut pipeline = Pipeline::with_capacity(2);
            pipeline.add_command(call.command(spelling));
            only(ask(node, &pipeline, durability).await?)
        };
        match run(Spelling::Digest).await {
            Err(trouble) if trouble.lacks_script() => run(Spelling::InFull).await,
            done => done,
        }
    }

    /// Runs a call whose keys are moving from the master `from` to the master at `address`. Some of the keys are
    /// already on the new master.
    async fn run_asking(
        &self,
        map: &Map,
        from: &Node,
        address: &str,
        call: &Call<'_>,
        durability: Durability,
    ) -> Result<Value, Trouble> {
        let address = address_of(address, from.address()).ok_or(Trouble::Nowhere)?;
        let known = map.nodes.get(&address).map(Arc::clone);
        let node = known.unwrap_or_else(|| Arc::new(self.directory.node_at(address)));
        let mut pipeline = Pipeline::with_capacity(3);
        pipeline.cmd("ASKING");
        pipeline.add_command(call.command(Spelling::InFull));
        only(ask(&node, &pipeline, durability).await?.into_iter().skip(1))
    }

    /// Discards this map, so that the next command looks up the masters. Does nothing if another caller has already
    /// replaced this map.
    fn look_again(&self, map: &Arc<Map>) {
        let mut known = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, map))
            && self.directory.url.layout != Layout::Standalone
        {
            *known = None;
        }
    }

    async fn map(&self) -> Result<Arc<Map>, Trouble> {
        if let Some(map) = self.known() {
            return Ok(map);
        }
        let mut last = self.last.lock().await;
        if let Some(map) = self.known() {
            return Ok(map);
        }
        let found =
            timeout(FIND_LIMIT, self.directory.find(last.as_deref())).await.map_err(|_| Trouble::Late)??;
        let found = Arc::new(found);
        *last = Some(Arc::clone(&found));
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
        Ok(found)
    }

    fn known(&self) -> Option<Arc<Map>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn info_of(node: &Node) -> Result<String, Trouble> {
    timeout(LIMIT, node.info()).await.unwrap_or(Err(Trouble::Late))
}

async fn ask(node: &Node, commands: &Pipeline, durability: Durability) -> Result<Vec<Value>, Trouble> {
    match durability {
        Durability::Replicated => node.ask_replicated(commands).await,
        Durability::Local => node.ask(commands).await,
    }
}
