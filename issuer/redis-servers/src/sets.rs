//! Several Redis servers that belong together.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::server::RedisServer;

/// Longest time for servers to agree on something. This limit does not test speed. It only ends a test that hangs.
const LIMIT: Duration = Duration::from_secs(60);
const SLOTS: usize = 16_384;

/// A Redis Cluster of three masters with one replica each.
pub struct RedisCluster {
    /// The masters, then their replicas in the same order.
    pub servers: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the servers and waits until the Cluster serves all slots.
    pub fn start() -> Self {
        let servers: Vec<_> = (0..6).map(|_| Self::member()).collect();
        let (masters, replicas) = servers.split_at(3);
        let first = &servers[0];
        for (at, server) in servers.iter().enumerate() {
            server.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            let [port, bus] = [first.port(), first.second_port()].map(|port| port.to_string());
            server.ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        for (at, master) in masters.iter().enumerate() {
            let (from, to) = (at * SLOTS / 3, (at + 1) * SLOTS / 3 - 1);
            master.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
        }
        until("every server knows all others", || {
            servers.iter().all(|server| server.ask::<String>(&["CLUSTER", "NODES"]).lines().count() == 6)
        });
        for (master, replica) in masters.iter().zip(replicas) {
            let id: String = master.ask(&["CLUSTER", "MYID"]);
            until("a replica knows its master", || {
                replica.try_ask::<()>(&["CLUSTER", "REPLICATE", &id]).is_ok()
            });
        }
        masters.iter().for_each(|master| master.until_followed(1));
        replicas.iter().for_each(RedisServer::until_it_has_written);
        let cluster = Self { servers };
        cluster.until_it_serves_all_slots();
        cluster
    }

    fn member() -> RedisServer {
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "3000",
            "--min-replicas-to-write",
            "1",
            "--repl-ping-replica-period",
            "1",
        ];
        RedisServer::start_on_two_ports("--cluster-port", &options)
    }

    /// A URL `redis+cluster://…` that names two of the servers.
    pub fn url(&self) -> String {
        let [one, other] = [self.servers[0].port(), self.servers[4].port()];
        format!("redis+cluster://127.0.0.1:{one},127.0.0.1:{other}")
    }

    /// Waits until every server that answers reports that all slots are served.
    pub fn until_it_serves_all_slots(&self) {
        until("the Cluster serves all slots", || {
            let states =
                self.servers.iter().filter_map(|server| server.try_ask::<String>(&["CLUSTER", "INFO"]).ok());
            states.into_iter().all(|state| state.contains("cluster_state:ok"))
        });
    }

    /// Returns the indices of a master and its replica. Three successive values of `number` give three different pairs.
    pub fn master_with_replica(&self, number: usize) -> (usize, usize) {
        let (one, other) = (number % 3, number % 3 + 3);
        let info: String = self.servers[one].ask(&["INFO", "replication"]);
        if info.contains("role:master") { (one, other) } else { (other, one) }
    }

    /// Forces the takeover with `CLUSTER FAILOVER TAKEOVER`, as an operator would. Without this command, a replica that
    /// has just started leaves the takeover to other replicas, because it does not know how much data it lacks. After
    /// the takeover, waits until the replica serves its slots.
    pub fn take_over(&self, replica: usize) {
        let server = &self.servers[replica];
        until("the replica takes over", || {
            let _not_yet = server.try_ask::<()>(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
            server.ask::<String>(&["INFO", "replication"]).contains("role:master")
        });
        until("the replica serves its slots", || {
            server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
        });
    }
}

/// A master with two replicas, and three sentinels that watch it.
pub struct SentinelSet {
    /// The first master, then the replicas.
    pub servers: Vec<RedisServer>,
    /// The sentinels.
    pub sentinels: Vec<RedisServer>,
}

impl SentinelSet {
    /// Starts the servers and waits until every sentinel knows all others.
    pub fn start() -> Self {
        let guarded = ["--min-replicas-to-write", "1", "--repl-ping-replica-period", "1"];
        let master = RedisServer::start(&guarded);
        let of = format!("127.0.0.1 {}", master.port());
        let follows: Vec<_> = guarded.into_iter().chain(["--replicaof", &of]).collect();
        let servers = vec![RedisServer::start(&follows), RedisServer::start(&follows)];
        master.until_followed(2);
        servers.iter().for_each(RedisServer::until_it_has_written);
        let sentinels: Vec<_> = (0..3).map(|_| RedisServer::start_sentinel(master.port(), None)).collect();
        let set = Self { servers: std::iter::once(master).chain(servers).collect(), sentinels };
        until("the sentinels know each other and the replicas", || {
            set.sentinels.iter().all(|sentinel| {
                let know =
                    |what| sentinel.ask::<Vec<redis::Value>>(&["SENTINEL", what, "doorlist"]).len() == 2;
                know("SENTINELS") && know("REPLICAS")
            })
        });
        set
    }

    /// The URL `redis+sentinel://…`.
    pub fn url(&self) -> String {
        let sentinels: Vec<_> =
            self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port())).collect();
        format!("redis+sentinel://{}/doorlist", sentinels.join(","))
    }

    /// The index of the current master, according to most of the sentinels. A single sentinel may be wrong for ever.
    /// This happens if a new master dies before all replicas follow this master.
    pub fn master(&self) -> usize {
        let named: Vec<usize> = self.sentinels.iter().map(|sentinel| self.named_by(sentinel)).collect();
        let votes = |master: &usize| named.iter().filter(|other| *other == master).count();
        named.iter().copied().max_by_key(votes).expect("there are sentinels")
    }

    fn named_by(&self, sentinel: &RedisServer) -> usize {
        let master = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "doorlist"];
        let (_, port): (String, u16) = sentinel.ask(&master);
        self.servers.iter().position(|server| server.port() == port).expect("one of ours")
    }

    /// Waits until a replica has replaced the killed server. Then starts the killed server again as a replica of the
    /// new master.
    pub fn after_failover(&mut self, killed: usize) {
        let role = |server: &RedisServer| server.try_ask::<String>(&["INFO", "replication"]);
        let took_over = || {
            let master = self.master();
            master != killed && role(&self.servers[master]).is_ok_and(|info| info.contains("role:master"))
        };
        until_else("a replica takes over", took_over, || self.views());
        let master = self.servers[self.master()].port();
        let killed = &mut self.servers[killed];
        killed.follow(master);
        killed.resume();
    }

    /// The state of the set as each sentinel reports it.
    fn views(&self) -> String {
        let of = |sentinel: &RedisServer| {
            let ask = |command: &[&str]| format!("{:?}", sentinel.try_ask::<redis::Value>(command));
            let master = ask(&["SENTINEL", "MASTER", "doorlist"]);
            let replicas = ask(&["SENTINEL", "REPLICAS", "doorlist"]);
            [master, replicas, ask(&["INFO", "sentinel"])].join("\n").replace("bulk-string", "")
        };
        self.sentinels.iter().map(of).collect::<Vec<_>>().join("\n\n")
    }

    /// Waits until the master has both replicas, and all sentinels agree on this master.
    pub fn until_whole(&self) {
        let is_at_rest = |sentinel: &RedisServer| {
            let known: HashMap<String, String> = sentinel.ask(&["SENTINEL", "MASTER", "doorlist"]);
            known.get("flags").is_some_and(|flags| flags == "master")
        };
        let is_whole = || {
            let master = self.master();
            let info: String = self.servers[master].ask(&["INFO", "replication"]);
            info.matches("state=online").count() == 2
                && self.sentinels.iter().all(|one| is_at_rest(one) && self.named_by(one) == master)
        };
        until_else("the master has its replicas", is_whole, || self.views());
        self.servers.iter().for_each(RedisServer::until_it_has_written);
    }

    /// All servers except `master`, which is an index in [`servers`](Self::servers).
    pub fn replicas_of(&self, master: usize) -> impl Iterator<Item = &RedisServer> {
        let others = self.servers.iter().enumerate().filter(move |(at, _)| *at != master);
        others.map(|(_, server)| server)
    }

    /// Kills all servers. Then restarts each replica with the data that the replica had already read from the master.
    pub fn restart_replicas_without(&mut self, master: usize) {
        let port = self.servers[master].port();
        self.servers.iter_mut().for_each(RedisServer::kill);
        for (_, replica) in self.servers.iter_mut().enumerate().filter(|(at, _)| *at != master) {
            replica.follow(port);
            replica.resume();
        }
    }
}

/// Calls `so` again and again until `so` returns `true`. This function must poll, because servers do not notify a
/// client when the servers agree.
pub fn until(what: &str, so: impl FnMut() -> bool) {
    until_else(what, so, || "no evidence".to_owned());
}

/// Like [`until`]. If the condition does not hold in time, the panic message also contains `evidence`.
fn until_else(what: &str, mut so: impl FnMut() -> bool, evidence: impl Fn() -> String) {
    let end = Instant::now() + LIMIT;
    while !so() {
        assert!(Instant::now() < end, "timed out while waiting until {what}: {}", evidence());
        std::thread::sleep(Duration::from_millis(20));
    }
}
