//! A proxy to a server. A test can cut the connections through the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards all bytes until the proxy is cut. After that, neither side receives anything, not even the end of a
/// connection.
pub struct Proxy {
    address: SocketAddr,
    port: Arc<AtomicU16>,
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The proxy forwards. The value counts how often the proxy was reopened. Each time the proxy is reopened, all
    /// older connections end.
    Open(u32),
    Cut {
        opened: u32,
    },
}

impl Way {
    fn reopened(self) -> Self {
        let (Self::Open(opened) | Self::Cut { opened }) = self;
        Self::Open(opened + 1)
    }

    fn cut(self) -> Self {
        let (Self::Open(opened) | Self::Cut { opened }) = self;
        Self::Cut { opened }
    }
}

impl Proxy {
    /// A proxy to a port of this host.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let way = watch::Sender::new(Way::Open(0));
        let (sender, target) = (way.clone(), Arc::new(AtomicU16::new(port)));
        let port = Arc::clone(&target);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.load(Ordering::Acquire), sender.subscribe()));
            }
        });
        Self { address, port, way, accepting }
    }

    /// `redis://…`
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// From now on the proxy forwards nothing.
    pub fn cut(&self) {
        self.way.send_modify(|way| *way = way.cut());
    }

    /// From now on new connections lead to another port. Existing connections end.
    pub fn redirect(&self, port: u16) {
        self.port.store(port, Ordering::Release);
        self.heal();
    }

    /// From now on new connections are forwarded again. Existing connections end.
    pub fn heal(&self) {
        self.way.send_modify(|way| *way = way.reopened());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, port: u16, mut way: watch::Receiver<Way>) {
    let made_in = *way.borrow();
    if let Way::Open(_) = made_in {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = way.wait_for(|way| *way != made_in) => {}
        }
    }
    // A cut connection stays open until the proxy is reopened or dropped. An error means that the proxy was dropped.
    // After this wait, the connection ends.
    let _ = way.wait_for(|way| matches!(way, Way::Open(_))).await;
}
