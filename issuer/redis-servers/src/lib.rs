//! Redis servers for tests: one server, a Sentinel set, a Cluster. The unit tests of the issuer and the stories use
//! them. Nothing here depends on the issuer, so there is one copy of the issuer's types in each test.

mod server;
mod sets;

pub use server::{GUARD, RedisServer, free_port};
pub use sets::{RedisCluster, SentinelSet, until};
