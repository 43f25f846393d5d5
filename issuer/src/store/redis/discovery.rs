//! Finds the masters: from the setting `DOORLIST_STORE`, from sentinels, or from the Cluster itself.

use std::collections::HashMap;
use std::sync::Arc;

use rand::seq::SliceRandom;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{ConnectionAddr, ErrorKind, Pipeline, TlsMode, Value, cmd};

use super::connection::Node;
use super::error::{Trouble, only};
use super::fitness::{Replicas, Unfit};
use super::login::{Credentials, Login};
use super::url::{Address, Layout, RedisUrl, Transport};

/// Which master has which slots.
pub(super) struct Map {
    pub(super) nodes: HashMap<Address, Arc<Node>>,
    /// First slot, last slot and master of each range, in ascending order.
    owners: Vec<(u16, u16, Address)>,
}

impl Map {
    pub(super) fn owner(&self, slot: u16) -> Option<&Arc<Node>> {
        let at = self.owners.partition_point(|(_, last, _)| *last < slot);
        let (first, _, address) = self.owners.get(at)?;
        if *first <= slot { self.nodes.get(address) } else { None }
    }
}

/// The addresses and the login that are needed to find the masters.
pub(super) struct Directory {
    pub(super) url: RedisUrl,
    login: Arc<Login>,
    replicas: Arc<Replicas>,
}

impl Directory {
    pub(super) fn of(url: RedisUrl, login: Login) -> Self {
        let replicas = Arc::new(Replicas::of(&url.layout));
        Self { url, login: Arc::new(login), replicas }
    }

    /// Finds the current masters. The masters that were already in `last` keep their connections.
    pub(super) async fn find(&self, last: Option<&Map>) -> Result<Map, Trouble> {
        let whole = |address: &Address| vec![(0, u16::MAX, address.clone())];
        let owners = match &self.url.layout {
            Layout::Standalone => self.url.addresses.first().map(whole).unwrap_or_default(),
            Layout::Sentinel { master } => whole(&self.ask_sentinels(master).await?),
            Layout::Cluster => self.ask_cluster(last).await?,
        };
        let mut nodes = HashMap::new();
        for (_, _, address) in &owners {
            if !nodes.contains_key(address) {
                let known = last.and_then(|last| last.nodes.get(address)).map(Arc::clone);
                let node = known.unwrap_or_else(|| Arc::new(self.node_at(address.clone())));
                nodes.insert(address.clone(), node);
            }
        }
        Ok(Map { nodes, owners })
    }

    /// The master that is named by the first sentinel that answers. A sentinel that was cut off together with an old
    /// master would still name the old master. So each lookup asks the sentinels in a random order.
    ///
    /// The sentinels are first asked without a login. If this fails, the sentinels are asked with the login of the
    /// servers.
    async fn ask_sentinels(&self, master: &str) -> Result<Address, Trouble> {
        let login = self.login.current().await;
        let without_login = self.ask_sentinels_with(&login, false, master).await;
        let (Err(refusal), Some(_)) = (&without_login, &login.password) else { return without_login };
        let is_unknown = refusal.is_unknown_name();
        match self.ask_sentinels_with(&login, true, master).await {
            // Without a login, the sentinels answered that they know no master of this name. So the sentinels need no
            // login. Therefore return that answer, and not the error of the login.
            Err(_) if is_unknown => without_login,
            answered => answered,
        }
    }

    /// With `for_sentinels`, the sentinels get the login too. The servers always get it.
    async fn ask_sentinels_with(
        &self,
        login: &Credentials,
        for_sentinels: bool,
        master: &str,
    ) -> Result<Address, Trouble> {
        let mut sentinels: Vec<_> =
            self.url.addresses.iter().map(|address| self.login.address_for_client(address)).collect();
        sentinels.shuffle(&mut rand::rng());
        let mut sentinels = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?;
        // The client also asks the server that a sentinel names whether this server is a master. So the client also
        // needs the TLS setting and the login of the servers.
        if self.login.transport() == Transport::Tls {
            sentinels = sentinels.set_client_to_redis_tls_mode(TlsMode::Secure);
            if let Some(certificates) = &login.certificates {
                sentinels = sentinels
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates.clone());
            }
        }
        if let Some(user) = &login.user {
            sentinels = sentinels.set_client_to_redis_username(user);
        }
        if let Some(password) = &login.password {
            sentinels = sentinels.set_client_to_redis_password(password.expose());
            if for_sentinels {
                sentinels = sentinels.set_client_to_sentinel_password(password.expose());
                if let Some(user) = &login.user {
                    sentinels = sentinels.set_client_to_sentinel_username(user);
                }
            }
        }
        let found = sentinels.build()?.async_get_client().await.map_err(|error| match error.kind() {
            ErrorKind::InvalidClientConfig => Trouble::Unfit(Unfit::IsNoSentinel),
            _ => error.into(),
        })?;
        match found.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Ok(Address { host: host.clone(), port: *port })
            }
            _ => Err(Trouble::Nowhere),
        }
    }

    /// The slots, as reported by the first server that answers. This function asks the servers of the last map and
    /// the servers in the setting.
    async fn ask_cluster(&self, last: Option<&Map>) -> Result<Vec<(u16, u16, Address)>, Trouble> {
        let known = last.into_iter().flat_map(|last| last.nodes.values().cloned());
        let named = self.url.addresses.iter().map(|address| Arc::new(self.node_at(address.clone())));
        let mut nodes: Vec<_> = known.chain(named).collect();
        // A server that was cut off reports an old state or does not answer. So each lookup asks the servers in a
        // random order.
        nodes.shuffle(&mut rand::rng());
        let mut asked = Err(Trouble::Nowhere);
        for node in nodes {
            let mut slots = cmd("CLUSTER");
            slots.arg("SLOTS");
            let mut pipeline = Pipeline::with_capacity(1);
            pipeline.add_command(slots);
            asked = node.ask(&pipeline).await.and_then(only).and_then(|slots| owners(slots, node.address()));
            if asked.as_ref().is_err_and(Trouble::is_general) {
                return Err(Trouble::Unfit(Unfit::IsNoCluster));
            }
            if asked.as_ref().is_ok_and(|owners| !owners.is_empty()) {
                return asked;
            }
        }
        asked
    }

    /// A single server at this address.
    pub(super) fn node_at(&self, address: Address) -> Node {
        Node::new(address, Arc::clone(&self.login), Arc::clone(&self.replicas))
    }
}

/// Parses the answer to `CLUSTER SLOTS`. A server that does not know its own address gives no host. Then the host of
/// `asked` is used.
fn owners(answer: Value, asked: &Address) -> Result<Vec<(u16, u16, Address)>, Trouble> {
    let mut owners = Vec::new();
    for range in redis::from_redis_value::<Vec<Vec<Value>>>(answer)? {
        let mut range = range.into_iter();
        let (Some(first), Some(last), Some(master)) = (range.next(), range.next(), range.next()) else {
            continue;
        };
        let mut master = redis::from_redis_value::<Vec<Value>>(master)?.into_iter();
        let (Some(host), Some(port)) = (master.next(), master.next()) else { continue };
        let host: Option<String> = redis::from_redis_value(host)?;
        let host = host.filter(|host| !host.is_empty()).unwrap_or_else(|| asked.host.clone());
        let port = redis::from_redis_value(port)?;
        owners.push((
            redis::from_redis_value(first)?,
            redis::from_redis_value(last)?,
            Address { host, port },
        ));
    }
    owners.sort_unstable_by_key(|(first, ..)| *first);
    Ok(owners)
}

/// Parses the `host:port` of a redirect. If the redirect has no host, the result has the host of `asked`.
pub(super) fn address_of(text: &str, asked: &Address) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = if host.is_empty() { &asked.host } else { host };
    Some(Address { host: host.trim_matches(['[', ']']).to_owned(), port: port.parse().ok()? })
}
