//! The settings of the limits for clients.

use std::net::IpAddr;

use clap::Args;
use ipnet::IpNet;

use super::Contradiction;
use super::values::Unfit;
use crate::clients::{AddressHeader, Sizes, TrustedProxies};

/// Open files that are not for connections of clients: the store, the log output, the connections to Redis, and the
/// files of secrets.
const OTHER_FILES: usize = 128;
/// The default of `--max-connections` is at most this number.
const MOST_CONNECTIONS: usize = 65_536;
/// The default of `--max-per-address` is at most this number.
const MOST_PER_ADDRESS: usize = 1024;
/// One place in this many is reserved for addresses with few connections.
const RESERVED_ONE_IN: usize = 16;

/// How many connections and requests clients may have open at the same time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits for clients")]
pub struct LimitSettings {
    /// The proxies in front of the issuer, as addresses or networks such as 10.0.0.0/8; separate several with commas.
    /// The issuer believes the client address in the header of these proxies only [DOORLIST_TRUSTED_PROXIES; default
    /// none]
    #[arg(long, env = "DOORLIST_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',')]
    #[arg(hide_env = true, value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// The header in which the trusted proxies write the client's address: x-forwarded-for or forwarded
    /// [DOORLIST_CLIENT_ADDRESS_HEADER; default x-forwarded-for]
    #[arg(
        long,
        env = "DOORLIST_CLIENT_ADDRESS_HEADER",
        value_name = "HEADER",
        default_value = "x-forwarded-for"
    )]
    #[arg(hide_env = true, hide_default_value = true, hide_possible_values = true)]
    pub client_address_header: AddressHeader,

    /// Largest number of connections at the same time. Further connections are closed at once. Each connection is an
    /// open file [DOORLIST_MAX_CONNECTIONS; default: the system's limit of open files less 128, at most 65536]
    #[arg(long, env = "DOORLIST_MAX_CONNECTIONS", value_name = "NUMBER", hide_env = true)]
    #[arg(value_parser = places)]
    pub max_connections: Option<usize>,

    /// Largest number of connections from one address, and of its requests in flight; an open stream is a request in
    /// flight. An IPv6 /64 counts as one address. Further requests get 429 [DOORLIST_MAX_PER_ADDRESS; default: a quarter
    /// of --max-connections, at most 1024]
    #[arg(long, env = "DOORLIST_MAX_PER_ADDRESS", value_name = "NUMBER", hide_env = true)]
    #[arg(value_parser = places)]
    pub max_per_address: Option<usize>,
}

impl LimitSettings {
    /// The proxies that the issuer believes.
    pub fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(self.trusted_proxies.clone(), self.client_address_header)
    }

    /// The numbers of places, if the process may open `open_files` files.
    ///
    /// # Errors
    ///
    /// [`Contradiction::TooManyConnections`] if the process cannot open a file for each connection.
    pub fn sizes(&self, open_files: usize) -> Result<Sizes, Contradiction> {
        // A very low limit leaves half of the files for connections.
        let for_connections = open_files.saturating_sub(OTHER_FILES).max(open_files / 2).max(1);
        let in_all = self.max_connections.unwrap_or(for_connections.min(MOST_CONNECTIONS));
        if in_all > for_connections {
            return Err(Contradiction::TooManyConnections {
                connections: in_all,
                for_connections,
                open_files,
            });
        }
        let per_address = self.max_per_address.unwrap_or((in_all / 4).clamp(1, MOST_PER_ADDRESS));
        Ok(Sizes { in_all, per_address, reserved: in_all / RESERVED_ONE_IN })
    }
}

/// Parses a network. An address alone is a network of one address.
fn network(text: &str) -> Result<IpNet, Unfit> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or(address).map_err(|_| {
        Unfit::from(
            "write an IP address or a network, such as 10.1.2.3, 10.0.0.0/8 or fd00::/8, not a host name",
        )
    })?;
    if network.prefix_len() == 0 {
        return Err("this network contains every address, so every client could choose its own address: write the addresses of the proxies".into());
    }
    Ok(network.trunc())
}

fn places(text: &str) -> Result<usize, Unfit> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "write a whole number from 1 to 1000000".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitSettings,
    }

    fn limits(flags: &[&str]) -> LimitSettings {
        Line::try_parse_from(["test"].iter().chain(flags)).expect("settings").limits
    }

    #[test]
    fn b11_the_limits_follow_the_limit_of_open_files() {
        let sizes = |in_all, per_address, reserved| Ok(Sizes { in_all, per_address, reserved });
        let default = limits(&[]);
        assert_eq!(default.sizes(1024), sizes(896, 224, 56));
        assert_eq!(default.sizes(20_000), sizes(19_872, 1024, 1242));
        assert_eq!(default.sizes(1_048_576), sizes(65_536, 1024, 4096));
        assert_eq!(default.sizes(64), sizes(32, 8, 2));
        assert_eq!(default.sizes(1), sizes(1, 1, 0));
        let set = limits(&["--max-connections", "500", "--max-per-address", "300"]);
        assert_eq!(set.sizes(1024), sizes(500, 300, 31));
        let refused = set.sizes(600).expect_err("600 files are too few").to_string();
        assert!(refused.contains("500") && refused.contains("472") && refused.contains("600"), "{refused}");
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let parsed = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(parsed("10.1.2.3"), Ok("10.1.2.3/32".into()));
        assert_eq!(parsed("10.1.2.3/8"), Ok("10.0.0.0/8".into()));
        assert_eq!(parsed("fd00::1/64"), Ok("fd00::/64".into()));
        for unfit in ["proxy.example", "", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.1:80"] {
            assert!(network(unfit).is_err(), "{unfit}");
        }
    }
}
