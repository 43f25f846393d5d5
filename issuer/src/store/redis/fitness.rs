//! Reads a server's `INFO`, and decides whether the server is fit to store revocations.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::url::{Address, Layout};

/// The oldest version with which the tests pass.
const OLDEST: (u64, u64) = (7, 0);

/// The role of a server and the state of its replicas (`INFO replication`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replication {
    role: Role,
    connected: u64,
    /// Whether `min-replicas-to-write` is above zero.
    guarded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Master,
    Replica,
}

impl Replication {
    pub(super) fn read(info: &str) -> Self {
        Self {
            role: if field(info, "role") == Some("slave") { Role::Replica } else { Role::Master },
            connected: field(info, "connected_slaves").and_then(|count| count.parse().ok()).unwrap_or(0),
            // Redis shows the field `min_slaves_good_slaves` only if the setting `min-replicas-to-write` is above zero.
            guarded: field(info, "min_slaves_good_slaves").is_some(),
        }
    }

    /// Whether this master refuses writes when it has lost its replicas.
    pub(super) fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether the server has replicas, or is configured to require at least one.
    fn has_replicas(&self) -> bool {
        self.connected > 0 || self.guarded
    }
}

/// Whether writes must wait for a replica. All masters of the store share this value.
#[derive(Debug)]
pub(super) struct Replicas {
    expected: AtomicBool,
    /// Whether a replica takes over when a master fails. If this is true, and a master has reported a replica once,
    /// then all later writes wait for a replica. They wait even while a master reports no replicas: a master can have
    /// no replicas for a while after a takeover, and must not acknowledge writes during this time.
    take_over: bool,
}

impl Replicas {
    pub(super) fn of(layout: &Layout) -> Self {
        Self {
            expected: AtomicBool::new(matches!(layout, Layout::Sentinel { .. })),
            take_over: *layout != Layout::Standalone,
        }
    }

    pub(super) fn are_expected(&self) -> bool {
        self.expected.load(Ordering::Acquire)
    }

    /// Updates [`Self::are_expected`] after a master has reported its replicas.
    pub(super) fn note(&self, replication: &Replication) {
        if replication.has_replicas() || !self.take_over {
            self.expected.store(replication.has_replicas(), Ordering::Release);
        }
    }
}

/// Why a server is not fit to store revocations. The message says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    TooOld { version: String },
    Evicts { policy: String },
    Unguarded,
    IsReplica,
    IsCluster,
    IsNoCluster,
    IsNoSentinel,
}

/// The message for a server that has replicas, but accepts writes without them: `min-replicas-to-write` is 0.
pub(super) const UNGUARDED: &str = "its min-replicas-to-write is 0, so a master that is cut off from its replicas would still accept writes: set it to 1";

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld { version } => {
                let (major, minor) = OLDEST;
                write!(f, "it is Redis {version}: install {major}.{minor} or newer, or Valkey")
            }
            Self::Evicts { policy } => write!(
                f,
                "its maxmemory-policy is {policy}, which drops revocations when memory is short: set it to noeviction"
            ),
            Self::Unguarded => write!(f, "it has replicas, is a replica or is expected to have replicas, and {UNGUARDED}"),
            Self::IsReplica => {
                f.write_str("it is a replica: write the address of its master into DOORLIST_STORE, or use redis+sentinel://")
            }
            Self::IsCluster => f.write_str("it belongs to a Cluster: write redis+cluster:// into DOORLIST_STORE"),
            Self::IsNoSentinel => f.write_str("it is not a sentinel: write redis:// into DOORLIST_STORE, or the sentinels' addresses"),
            Self::IsNoCluster => f.write_str("it does not belong to a Cluster: write redis:// into DOORLIST_STORE"),
        }
    }
}

/// The kind of server that the setting names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Alone,
    UnderSentinels,
    InCluster,
}

impl From<&Layout> for Expected {
    fn from(layout: &Layout) -> Self {
        match layout {
            Layout::Standalone => Self::Alone,
            Layout::Sentinel { .. } => Self::UnderSentinels,
            Layout::Cluster => Self::InCluster,
        }
    }
}

/// Decides whether a master is fit to store revocations. `info` is the master's answer to `INFO`.
pub(super) fn check(info: &str, expected: Expected) -> Result<(), Unfit> {
    check_software(info)?;
    match (expected, field(info, "redis_mode") == Some("cluster")) {
        (Expected::Alone | Expected::UnderSentinels, true) => return Err(Unfit::IsCluster),
        (Expected::InCluster, false) => return Err(Unfit::IsNoCluster),
        _ => {}
    }
    let replication = Replication::read(info);
    if replication.role == Role::Replica {
        return Err(Unfit::IsReplica);
    }
    check_memory(info)?;
    if (replication.connected > 0 || expected == Expected::UnderSentinels) && !replication.guarded {
        return Err(Unfit::Unguarded);
    }
    Ok(())
}

/// Decides whether a replica is fit to take over from its master. `info` is the replica's answer to `INFO`.
pub(super) fn check_replica(info: &str) -> Result<(), Unfit> {
    check_software(info)?;
    check_memory(info)?;
    if Replication::read(info).guarded { Ok(()) } else { Err(Unfit::Unguarded) }
}

fn check_software(info: &str) -> Result<(), Unfit> {
    let version = field(info, "redis_version").unwrap_or("unknown");
    if is_new_enough(version) { Ok(()) } else { Err(Unfit::TooOld { version: version.to_owned() }) }
}

fn check_memory(info: &str) -> Result<(), Unfit> {
    match field(info, "maxmemory_policy") {
        None | Some("noeviction") => Ok(()),
        Some(policy) => Err(Unfit::Evicts { policy: policy.to_owned() }),
    }
}

/// The addresses that a master reports for its replicas.
pub(super) fn replicas(info: &str) -> Vec<Address> {
    let replica = |line: &str| {
        let (name, said) = line.strip_prefix("slave")?.split_once(':')?;
        name.parse::<u64>().ok()?;
        let said = |what| said.split(',').find_map(|part| part.strip_prefix(what)?.strip_prefix('='));
        Some(Address { host: said("ip")?.to_owned(), port: said("port")?.parse().ok()? })
    };
    info.lines().filter_map(replica).collect()
}

/// Whether the server writes an append-only file. Without this file, it is possible that acknowledged writes never
/// reach the disk.
pub(super) fn persists(info: &str) -> bool {
    field(info, "aof_enabled") == Some("1")
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u64>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next()) >= OLDEST
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nmaxmemory_policy:noeviction\r\n\
        aof_enabled:1\r\nrole:master\r\nconnected_slaves:1\r\nmin_slaves_good_slaves:1\r\n";

    fn refusal(what: &str, instead: &str) -> String {
        assert!(GOOD.contains(what), "{what}");
        check(&GOOD.replace(what, instead), Expected::Alone).expect_err(instead).to_string()
    }

    #[test]
    fn a_server_that_would_lose_revocations_is_refused_with_the_fix() {
        assert_eq!(check(GOOD, Expected::Alone), Ok(()));
        assert!(persists(GOOD));
        for (what, instead, fix) in [
            ("7.0.15", "6.2.14", "install 7.0 or newer"),
            ("7.0.15", "new", "install 7.0 or newer"),
            (
                "noeviction",
                "allkeys-lru",
                "allkeys-lru, which drops revocations when memory is short: set it to noeviction",
            ),
            ("min_slaves_good_slaves:1\r\n", "", "min-replicas-to-write is 0"),
            ("role:master", "role:slave", "the address of its master"),
            ("standalone", "cluster", "write redis+cluster://"),
        ] {
            let refusal = refusal(what, instead);
            assert!(refusal.contains(fix), "{refusal}");
        }
        assert_eq!(check(GOOD, Expected::InCluster), Err(Unfit::IsNoCluster));
        let alone = GOOD
            .replace("connected_slaves:1", "connected_slaves:0")
            .replace("min_slaves_good_slaves:1\r\n", "");
        assert_eq!(check(&alone, Expected::Alone), Ok(()));
        assert_eq!(check(&alone, Expected::UnderSentinels), Err(Unfit::Unguarded));
        assert_eq!(check(&GOOD.replace("7.0.15", "10.1"), Expected::Alone), Ok(()));
    }

    #[test]
    fn writes_wait_for_replicas_if_replicas_exist_or_should_exist() {
        const ALONE: &str = "role:master\r\nconnected_slaves:0\r\n";
        let expected = |layout: &Layout, seen: &[&str]| {
            let replicas = Replicas::of(layout);
            seen.iter().for_each(|info| replicas.note(&Replication::read(info)));
            replicas.are_expected()
        };
        let sentinel = Layout::Sentinel { master: "doorlist".to_owned() };
        for layout in [&Layout::Standalone, &sentinel, &Layout::Cluster] {
            assert!(expected(layout, &[GOOD]));
            assert!(expected(layout, &["role:master\r\nconnected_slaves:1\r\n"]));
            assert!(expected(layout, &["role:master\r\nconnected_slaves:0\r\nmin_slaves_good_slaves:0\r\n"]));
        }
        assert!(!expected(&Layout::Standalone, &[ALONE]) && !expected(&Layout::Cluster, &[ALONE]));
        assert!(!expected(&Layout::Standalone, &[GOOD, ALONE]), "the replicas were removed");
        assert!(expected(&Layout::Cluster, &[GOOD, ALONE]), "one took over and is alone");
        assert!(expected(&sentinel, &[ALONE]));
    }

    #[test]
    fn a_replica_is_checked_because_it_may_become_the_master() {
        const MASTER: &str = "role:master\r\nconnected_slaves:2\r\nslave0:ip=10.0.0.2,port=6380,state=online,offset=42,lag=0\r\n\
            slave1:ip=::1,port=6381,state=wait_bgsave,offset=0,lag=0\r\nslave_read_only:1\r\n";
        let address = |host: &str, port| Address { host: host.to_owned(), port };
        assert_eq!(replicas(MASTER), [address("10.0.0.2", 6380), address("::1", 6381)]);
        let replica = GOOD.replace("role:master", "role:slave");
        assert_eq!(check_replica(&replica), Ok(()));
        let unguarded = replica.replace("min_slaves_good_slaves:1\r\n", "");
        assert_eq!(check_replica(&unguarded), Err(Unfit::Unguarded));
        let evicts = replica.replace("noeviction", "volatile-ttl");
        assert!(matches!(check_replica(&evicts), Err(Unfit::Evicts { .. })));
    }
}
