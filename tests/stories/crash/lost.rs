//! The writes that a failover lost.

use std::collections::BTreeMap;

use crate::support::RedisServer;

/// The records of a server, by name.
#[derive(Debug, Default)]
pub struct Records(BTreeMap<String, Vec<u8>>);

/// All records of a server that the load can have changed.
pub fn records(server: &RedisServer) -> Records {
    let names: Vec<String> = server.ask(&["KEYS", "{doorlist:*}:record:*"]);
    Records(names.into_iter().map(|name| (name.clone(), server.ask(&["GET", &name]))).collect())
}

impl Records {
    /// How many of these records differ or are missing in `later`.
    pub fn changed_in(&self, later: &Self) -> usize {
        self.0.iter().filter(|(name, record)| later.0.get(*name) != Some(record)).count()
    }
}
