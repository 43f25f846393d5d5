//! Load on loopback for `make bench`. This program implements only the necessary part of HTTP/1.1, so that it uses
//! little of the CPU time that the measured server needs.
//!
//! ```text
//! doorlist-load refresh  <address> <path> <client id> <file of refresh tokens> <seconds>
//! doorlist-load sessions <address> <admin key> <first> <count>
//! doorlist-load kicks    <address> <admin key> <first> <count>
//! doorlist-load fan-out  <address> <admin key> <subscribers> <kicks>
//! ```
//!
//! Each command prints one line of JSON to standard output. Subjects are named `user-<number>`.

mod admin;
mod connection;
mod fan_out;
mod refresh;
mod spread;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments[..] {
        ["refresh", address, path, client_id, file, seconds] => {
            let duration = Duration::from_secs_f64(seconds.parse()?);
            refresh::run(address, path, client_id, Path::new(file), duration).await?
        }
        ["sessions", address, key, first, count] => {
            admin::sessions(address, key, first.parse()?, count.parse()?).await?
        }
        ["kicks", address, key, first, count] => {
            admin::kicks(address, key, first.parse()?, count.parse()?).await?
        }
        ["fan-out", address, key, subscribers, kicks] => {
            fan_out::run(address, key, subscribers.parse()?, kicks.parse()?).await?
        }
        _ => bail!("see the first lines of main.rs"),
    };
    println!("{report}");
    Ok(())
}
