//! Sockets whose handshake, of TLS or of the gateway, is not done.

use tokio::net::TcpStream;

use super::support::process::Process;
use super::support_tls::{Authority, VERSIONS, open};
use super::*;

/// Large messages that are read at once before the handshake, and the bytes that are read of others.
const LARGE_HANDSHAKES: usize = 16;
const LARGE_BYTES: usize = 8 * 1024;
/// Most memory of half-open TLS handshakes, in kB: 28 for each of the 1,024 places of this machine. rustls needs twice
/// the bytes that it is given, and some more.
const HALF_OPEN_KB: u64 = 1_024 * 28;

#[tokio::test]
async fn the_memory_of_unauthenticated_sockets_is_bounded() {
    let bytes = 2 * 64 * 1024;
    let mut gateway = Watched::start_with(&["--preauth-frame-bytes", &bytes.to_string()]).await;
    let whole: Arc<[u8]> = text_frame(&dense("connect", "0", bytes)).into();
    // Twice the bound in all, and fewer than the sockets of this machine that may be open.
    let mut strangers = JoinSet::new();
    for _ in 0..1_000 {
        let mut stranger = Client::open(gateway.address, "").await;
        let whole = Arc::clone(&whole);
        strangers.spawn(async move {
            // All but the last byte, as far as the gateway reads.
            let _ = stranger.stream().write_all(&whole[..whole.len() - 1]).await;
            std::future::pending::<()>().await;
        });
    }
    let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
    for _ in 0..50 {
        assert_eq!(other.request("health", json!({})).await["ok"], true);
    }
    let expected = LARGE_HANDSHAKES * bytes + 1_000 * LARGE_BYTES;
    // Buffers grow by doubling.
    let most_kb = gateway.peak_kb();
    assert!(most_kb <= 2 * expected as u64 / 1024, "{most_kb} kB");
    strangers.shutdown().await;
    // glibc's allocator keeps most of these small blocks, and uses them again.
    gateway.check("handshakes that do not end", 3 * LEFT_KB).await;
}

#[tokio::test]
async fn the_memory_of_handshakes_is_given_back() {
    let mut gateway = Watched::start().await;
    let connect = dense("connect", r#"{"":0}"#, 64 * 1024);
    let whole = text_frame(&connect);
    let mut strangers = Vec::new();
    for n in 0..200 {
        let mut stranger = Client::open(gateway.address, "").await;
        // All but the last byte.
        let _ = stranger.stream().try_write(&whole[..whole.len() - 1]);
        strangers.push(stranger);
        if n % 50 == 0 {
            let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
            assert_eq!(other.request("health", json!({})).await["ok"], true);
        }
    }
    drop(strangers);
    // The handshakes that finish.
    for _ in 0..8 {
        let client = Client::open(gateway.address, "").await;
        pour(client, &whole, "at /").await;
    }
    let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    let mut refused = Client::open(gateway.address, "").await;
    refused.event().await;
    assert_eq!(
        refused.request("connect", connect_params("late", &[])).await["ok"],
        true
    );
    gateway.check("handshakes", LEFT_KB).await;
}

#[tokio::test]
async fn refused_strangers_keep_no_buffer_of_their_message() {
    let mut gateway = Watched::start().await;
    let whole = text_frame(&dense("connect", "0", 64 * 1024));
    // As many as get time to read why they are refused.
    let mut refused = Vec::new();
    for _ in 0..64 {
        let mut client = Client::open(gateway.address, "").await;
        client.event().await;
        client.stream().write_all(&whole).await.unwrap();
        assert_eq!(client.response("1").await["ok"], false);
        refused.push(client);
    }
    let more_kb = gateway.peak_kb();
    assert!(more_kb <= 2_048, "{more_kb} kB for all");
    drop(refused);
    gateway.check("refused handshakes", LEFT_KB).await;
}

#[tokio::test]
async fn half_open_tls_handshakes_are_bounded_in_memory_together() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let (cert, key) = (authority.path("cert.pem"), authority.path("key.pem"));
    let paths = [cert.to_str().unwrap(), key.to_str().unwrap()];
    let options = ["--port", "0", "--tls-cert", paths[0], "--tls-key", paths[1]];
    let process = Process::start_with("", &options).await;
    let client = authority.client(&VERSIONS);
    let mut gateway = Watched::of(Witness::by_tls(process, Arc::clone(&client)).await);
    let address = gateway.address;
    // Each begins a ClientHello of 60,000 bytes and sends almost as much of it as is read.
    let mut hello = vec![0x16, 3, 1, 0x3e, 0x80, 1, 0, 0xea, 0x60];
    hello.resize(8_000, 0);
    // And then 40,000 bytes more.
    let mut rest = vec![0; 5 + 16_000 - hello.len()];
    for _ in 0..2 {
        rest.extend([0x16, 3, 1, 0x3e, 0x80]);
        rest.resize(rest.len() + 16_000, 0);
    }
    let mut most_kb = Vec::new();
    for _ in 0..2 {
        let mut strangers = Vec::new();
        for n in 0..2_100 {
            let mut stranger = TcpStream::connect(address).await.unwrap();
            stranger.write_all(&hello).await.unwrap();
            strangers.push(stranger);
            if n % 500 == 0 {
                let mut other = open(&client, address, "").await;
                other.hello(connect_params("other", &[])).await;
            }
        }
        for stranger in &strangers {
            // The gateway closes the connection, or has closed it.
            let _ = stranger.try_write(&rest);
        }
        let mut late = open(&client, address, "").await;
        late.hello(connect_params("late", &[])).await;
        drop(strangers);
        most_kb.push(gateway.peak_kb());
    }
    assert!(most_kb[0] <= HALF_OPEN_KB, "{most_kb:?}");
    // The allocator keeps many small blocks, and uses them again.
    assert!(most_kb[1] <= most_kb[0] + LEFT_KB, "{most_kb:?}");
    // It may keep what the peak was: this checks rows and service, both by TLS.
    gateway.witness.is_unharmed(VISITORS, most_kb[1] + LEFT_KB).await;
}
