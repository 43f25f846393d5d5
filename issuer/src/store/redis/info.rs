//! What a server says about itself, and whether that is good enough to keep revocations.

use std::fmt;

/// The oldest version with which the tests pass.
const OLDEST: (u64, u64) = (7, 0);

/// How a server stands to its replicas (`INFO replication`).
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
            // Shown only then.
            guarded: field(info, "min_slaves_good_slaves").is_some(),
        }
    }

    /// Whether a master that lost them takes no writes.
    pub(super) fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether a write is to be waited for: there are replicas, or there are meant to be.
    pub(super) fn has_replicas(&self) -> bool {
        self.connected > 0 || self.guarded
    }
}

/// Why a server is not to be trusted with revocations; says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    TooOld { version: String },
    Evicts { policy: String },
    Unguarded,
    IsReplica,
    IsCluster,
    IsNoCluster,
}

/// Of a server with replicas; says what to change.
pub(super) const UNGUARDED: &str =
    "its min-replicas-to-write is 0, so that a master that was cut off would go on alone: set it to 1";

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
            Self::Unguarded => write!(f, "it has replicas, and {UNGUARDED}"),
            Self::IsReplica => {
                f.write_str("it is a replica: write the address of its master into DOORLIST_STORE, or use redis+sentinel://")
            }
            Self::IsCluster => f.write_str("it belongs to a Cluster: write redis+cluster:// into DOORLIST_STORE"),
            Self::IsNoCluster => f.write_str("it belongs to no Cluster: write redis:// into DOORLIST_STORE"),
        }
    }
}

/// What is expected of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Alone,
    InCluster,
}

/// Whether a master may keep revocations, by its `INFO`.
pub(super) fn check(info: &str, expected: Expected) -> Result<(), Unfit> {
    let version = field(info, "redis_version").unwrap_or("unknown");
    if !is_new_enough(version) {
        return Err(Unfit::TooOld { version: version.to_owned() });
    }
    match (expected, field(info, "redis_mode") == Some("cluster")) {
        (Expected::Alone, true) => return Err(Unfit::IsCluster),
        (Expected::InCluster, false) => return Err(Unfit::IsNoCluster),
        _ => {}
    }
    let replication = Replication::read(info);
    if replication.role == Role::Replica {
        return Err(Unfit::IsReplica);
    }
    match field(info, "maxmemory_policy") {
        None | Some("noeviction") => {}
        Some(policy) => return Err(Unfit::Evicts { policy: policy.to_owned() }),
    }
    if replication.connected > 0 && !replication.guarded {
        return Err(Unfit::Unguarded);
    }
    Ok(())
}

/// Whether what was acknowledged is on disk, sooner or later.
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
        assert_eq!(check(&GOOD.replace("7.0.15", "10.1"), Expected::Alone), Ok(()));
    }

    #[test]
    fn writes_wait_where_there_are_or_should_be_replicas() {
        let has = |info: &str| Replication::read(info).has_replicas();
        assert!(has(GOOD) && has("role:master\r\nconnected_slaves:1\r\n"));
        assert!(has("role:master\r\nconnected_slaves:0\r\nmin_slaves_good_slaves:0\r\n"));
        assert!(!has("role:master\r\nconnected_slaves:0\r\n"));
    }
}
