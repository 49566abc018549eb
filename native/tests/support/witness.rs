//! A gateway that a test attacks, and a normal client that is connected throughout.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::time::Duration;

use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::process::Process;
use super::{Client, connect_params, within};

const READ: &[&str] = &["operator.read"];
/// Most memory that stays in use after most attacks, in kB. The findings remember handshakes, up to a bound: about 1 KB
/// for each of 300. The allocator keeps some free memory.
pub(crate) const LEFT_KB: u64 = 512;
/// Time within which the memory has to be free.
#[cfg(target_os = "linux")]
const FREE_TIME: Duration = Duration::from_secs(10);

/// A socket, or TLS on one.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A gateway in a process of its own, with one client.
pub(crate) struct Witness {
    pub(crate) process: Process,
    client: Client<Box<dyn Stream>>,
    /// How its clients connect, if by TLS.
    tls: Option<Arc<ClientConfig>>,
    /// The rows before the attack.
    rows: Vec<Value>,
    /// The memory before the attack, in kB.
    #[cfg(target_os = "linux")]
    before_kb: u64,
}

impl Witness {
    /// Starts a gateway with these options.
    pub(crate) async fn start(options: &[&str]) -> Self {
        Self::of(Process::start_with("", &[&["--port", "0"], options].concat()).await).await
    }

    /// Connects to this gateway.
    pub(crate) async fn of(process: Process) -> Self {
        Self::connect(process, None).await
    }

    /// Connects to this gateway by TLS.
    pub(crate) async fn by_tls(process: Process, client: Arc<ClientConfig>) -> Self {
        Self::connect(process, Some(client)).await
    }

    async fn connect(process: Process, tls: Option<Arc<ClientConfig>>) -> Self {
        let mut client = client(process.address, tls.clone(), "witness").await;
        Self {
            rows: rows(&mut client).await,
            client,
            tls,
            #[cfg(target_os = "linux")]
            before_kb: process.memory_kb("RssAnon:"),
            process,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// Answers pings until the attack is over, and checks that the client stays connected.
    pub(crate) async fn during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let mut attack = pin!(attack);
        loop {
            tokio::select! {
                result = &mut attack => return result,
                message = self.client.message() => assert!(!message.is_close(), "{message:?}"),
            }
        }
    }

    /// A request of the client from before the attack is answered.
    pub(crate) async fn is_served(&mut self) {
        assert_eq!(self.client.request("health", json!({})).await["ok"], true);
    }

    /// Checks after an attack that a new client is served, that the list has the rows of before and that of the new
    /// client, and that at most `left_kb` more memory is in use, or a tenth of the memory before. Clients of the attack
    /// whose instance ids (or else hosts) begin with one of `visitors` may have rows, too, which it returns.
    pub(crate) async fn is_unharmed(&mut self, visitors: &[&str], left_kb: u64) -> Vec<Value> {
        let mut fresh = client(self.address(), self.tls.clone(), "fresh").await;
        assert_eq!(fresh.request("health", json!({})).await["ok"], true);
        let (own, others): (Vec<_>, Vec<_>) = rows(&mut self.client).await.into_iter().partition(|row| {
            let name = row["instanceId"]
                .as_str()
                .or_else(|| row["host"].as_str())
                .unwrap_or_default();
            !visitors.iter().any(|visitor| name.starts_with(visitor))
        });
        let (new, old): (Vec<_>, Vec<_>) = own.into_iter().partition(|row| row["instanceId"] == "fresh");
        assert_eq!(old, self.rows);
        assert!(new.len() == 1 && new[0]["reason"] == "connect", "{new:?}");
        drop(fresh);
        #[cfg(target_os = "linux")]
        self.memory_is_free(left_kb).await;
        #[cfg(not(target_os = "linux"))]
        let _ = left_kb;
        others
    }

    /// Anonymous memory only: pages of the program count as soon as the code in them runs for the first time.
    #[cfg(target_os = "linux")]
    async fn memory_is_free(&self, left_kb: u64) {
        let most_kb = self.before_kb + left_kb.max(self.before_kb / 10);
        let is_free = async {
            while self.process.memory_kb("RssAnon:") > most_kb {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(FREE_TIME, is_free).await;
        let now_kb = self.process.memory_kb("RssAnon:");
        assert!(in_time.is_ok(), "{} kB became {now_kb} kB", self.before_kb);
    }
}

/// A client that has connected, by TLS if it is configured.
async fn client(
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    instance: &str,
) -> Client<Box<dyn Stream>> {
    let stream = within("a socket", TcpStream::connect(address)).await.unwrap();
    let stream: Box<dyn Stream> = match tls {
        Some(config) => {
            let name = "localhost".try_into().unwrap();
            let handshake = TlsConnector::from(config).connect(name, stream);
            Box::new(within("a TLS handshake", handshake).await.unwrap())
        }
        None => Box::new(stream),
    };
    let mut client = Client::over(stream, ("/any", &address.to_string()), "").await;
    client.hello(connect_params(instance, READ)).await;
    client
}

/// The list without times of writes, in an order that does not depend on them.
async fn rows(client: &mut Client<Box<dyn Stream>>) -> Vec<Value> {
    let mut list = client.request("system-presence", json!({})).await["payload"].take();
    let rows = list.as_array_mut().unwrap();
    for row in rows.iter_mut() {
        row.as_object_mut().unwrap().remove("ts");
    }
    rows.sort_by_key(|row| row["instanceId"].to_string());
    std::mem::take(rows)
}
