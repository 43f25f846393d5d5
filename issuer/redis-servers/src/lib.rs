//! Redis servers for tests: one server, a Sentinel set, a Cluster. The unit tests of the issuer and the stories use
//! them. This crate does not depend on the issuer. Otherwise a unit test of the issuer would contain two copies of the
//! issuer's types.

mod server;
mod sets;

pub use server::{GUARD, RedisServer, free_port};
pub use sets::{RedisCluster, SentinelSet, until};
