//! Partitions between gateways and servers.

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::*;
use crate::nats::{Nats, create_buckets, fleet, member};
use crate::support::process::Process;
use crate::support::start;

/// A relay to the server that can be cut: bytes are then dropped in both directions, without an error.
struct Relay {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
}

impl Relay {
    async fn to(server: &str) -> Self {
        let server = server.rsplit('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&server).await.unwrap();
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near.0, far.1, cut.clone()));
                tokio::spawn(carry(far.0, near.1, cut.clone()));
            }
        });
        Self { address, is_cut }
    }

    fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

/// Carries bytes until the relay is cut. A connection that lost bytes carries no further ones.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    is_cut: watch::Receiver<bool>,
) {
    let mut bytes = [0; 4096];
    let mut is_dead = false;
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        is_dead |= *is_cut.borrow();
        if !is_dead && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    if is_dead {
        // Closes are dropped too.
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_cut_off_reconnects() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let relay = Relay::to(&nats.url()).await;
    let gateways = [
        start(member(&relay.url(), "a")),
        start(member(&nats.url(), "b")),
        start(member(&nats.url(), "c")),
    ];
    let mut readers = readers_of(&gateways).await;
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let (laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    readers[0].wait_for("laptop", "connect").await;
    readers[1].wait_for("phone", "connect").await;

    relay.is_cut.send_replace(true);
    let cut = Instant::now();
    let (_tablet, _) = Client::connect(gateways[0].address(), "tablet", &[]).await;
    drop(laptop);
    for reader in &mut readers[1..] {
        reader.wait_for("phone", "disconnect").await;
    }
    println!(
        "rows of a gateway that is cut off leave after {:?}",
        cut.elapsed()
    );
    readers[0].wait_for("laptop", "disconnect").await;
    wait_status(gateways[0].address(), "degraded", "").await;
    wait_status(gateways[1].address(), "ready", "").await;
    let list = readers[1].list().await;
    assert!(list.iter().all(|row| row["instanceId"] != "tablet"), "{list:?}");

    relay.is_cut.send_replace(false);
    let healed = Instant::now();
    wait_status(gateways[0].address(), "ready", "").await;
    let joined = Instant::now();
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
        reader.wait_for("tablet", "connect").await;
        reader.wait_for("laptop", "disconnect").await;
    }
    equal(&mut readers).await;
    println!(
        "equal {:?} after the heal, {:?} after the gateway joined",
        healed.elapsed(),
        joined.elapsed()
    );
}

#[tokio::test]
async fn a_cluster_of_servers_loses_its_leader() {
    let Some(mut servers) = Nats::start_cluster(3).await else {
        return;
    };
    create_buckets(&servers[0].context().await, 3).await;
    let urls: Vec<String> = servers.iter().map(Nats::url).collect();
    let start = |name: &str| -> RunningGateway {
        let mut config = member(&urls[0], name);
        config.cluster = Some(presence_gateway::ClusterConfig::new(&urls, name).unwrap());
        start(config)
    };
    let gateways = [start("a"), start("b"), start("c")];
    let mut readers = readers_of(&gateways).await;
    let (phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
    }
    let leader = leader(&servers[0]).await;
    servers[leader].kill().await;
    let killed = Instant::now();
    drop(phone);
    let (_laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    let follower = &servers[(leader + 1) % servers.len()];
    let (elected, ()) = tokio::join!(
        async {
            led(follower).await;
            Instant::now()
        },
        async {
            for reader in &mut readers {
                reader.wait_for("laptop", "connect").await;
                reader.wait_for("phone", "disconnect").await;
            }
            equal(&mut readers).await;
        }
    );
    println!(
        "equal {:?} after the leader was killed, {:?} after both buckets had a leader again",
        killed.elapsed(),
        elected.elapsed()
    );
}

/// Waits until both buckets have a leader that answers.
async fn led(server: &Nats) {
    let context = server.context().await;
    within("leaders", async {
        for bucket in ["KV_presence-rows", "KV_presence-leases"] {
            let is_led = async || {
                let stream = context.get_stream_no_info(bucket).await.unwrap();
                let info = tokio::time::timeout(Duration::from_millis(50), stream.get_info()).await;
                info.is_ok_and(|info| {
                    info.is_ok_and(|info| info.cluster.is_some_and(|it| it.leader.is_some()))
                })
            };
            while !is_led().await {
                sleep(Duration::from_millis(20)).await;
            }
        }
    })
    .await;
}

/// The server that leads the bucket of the rows.
async fn leader(server: &Nats) -> usize {
    let context = server.context().await;
    let mut stream = context.get_stream("KV_presence-rows").await.unwrap();
    let info = stream.info().await.unwrap();
    let leader = info.cluster.as_ref().unwrap().leader.as_ref().unwrap();
    leader.strip_prefix('n').unwrap().parse().unwrap()
}

/// Pauses a gateway process for this time.
async fn a_gateway_that_is_paused(pause: Duration) {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let url = nats.url();
    let paused = Process::start_with("", &["--port", "0", "--cluster", &url, "--cluster-name", "a"]).await;
    let others = fleet(&nats, &["b", "c"]);
    let (_phone, _) = Client::connect(paused.address, "phone", &[]).await;
    let (laptop, _) = Client::connect(others[0].address(), "laptop", &[]).await;
    let mut readers = readers_of(&others).await;
    readers.insert(0, Reader::of(paused.address).await);
    for reader in &mut readers {
        reader.wait_for("laptop", "connect").await;
        reader.wait_for("phone", "connect").await;
    }

    paused.signal(Signal::STOP);
    let stopped = Instant::now();
    drop(laptop);
    let (_tablet, _) = Client::connect(others[0].address(), "tablet", &[]).await;
    for reader in &mut readers[1..] {
        reader.wait_for("phone", "disconnect").await;
    }
    tokio::time::sleep_until(stopped + pause).await;
    paused.signal(Signal::CONT);
    let resumed = Instant::now();
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
        reader.wait_for("tablet", "connect").await;
        reader.wait_for("laptop", "disconnect").await;
    }
    equal(&mut readers).await;
    println!("equal {:?} after a pause of {pause:?}", resumed.elapsed());
}

/// Longer than its lease.
#[tokio::test]
async fn a_gateway_that_is_paused_for_longer_than_its_lease() {
    a_gateway_that_is_paused(Duration::from_secs(17)).await;
}

#[tokio::test]
#[ignore = "it takes 40 s"]
async fn a_gateway_that_is_paused_for_40_s() {
    a_gateway_that_is_paused(Duration::from_secs(40)).await;
}
