//! A way to a server that can be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Hands everything on, until it is cut: then nobody hears of anything, not even of the end of a connection.
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Cut,
}

impl Proxy {
    /// To a port of this host.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let way = watch::Sender::new(Way::Open);
        let sender = way.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, sender.subscribe()));
            }
        });
        Self { address, way, accepting }
    }

    /// `redis://…`
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Nothing gets through any more.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// New connections get through again; those from before end.
    pub fn heal(&self) {
        self.way.send_replace(Way::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, port: u16, mut way: watch::Receiver<Way>) {
    let turned = async |way: &mut watch::Receiver<Way>, to: Way| {
        // The proxy is gone: so is everything.
        let _ = way.wait_for(|way| *way == to).await;
    };
    if *way.borrow() == Way::Open {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            () = turned(&mut way, Way::Cut) => {}
        }
        turned(&mut way, Way::Open).await;
        return;
    }
    turned(&mut way, Way::Open).await;
}
