//! One server.

use super::keeps_the_contract;
use crate::testing::redis_server::RedisServer;

#[tokio::test]
async fn it_is_a_store_like_any_other() {
    let server = RedisServer::start(&[]);
    keeps_the_contract(&server.url()).await;
}
