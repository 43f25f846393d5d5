//! The writes that a failover lost.

use std::collections::BTreeMap;

use crate::support::RedisServer;

/// The subject records of a server, by their Redis keys.
#[derive(Debug, Default)]
pub struct Records(BTreeMap<String, Vec<u8>>);

/// Reads the records of all subjects from a server.
pub fn records(server: &RedisServer) -> Records {
    let names: Vec<String> = server.ask(&["KEYS", "{doorlist:*}:record:*"]);
    Records(names.into_iter().map(|name| (name.clone(), server.ask(&["GET", &name]))).collect())
}

impl Records {
    /// Returns how many of these records are missing in `later` or have another value there.
    pub fn changed_in(&self, later: &Self) -> usize {
        self.0.iter().filter(|(name, record)| later.0.get(*name) != Some(record)).count()
    }
}
