//! Gateways that lose packets on the way to the server: it runs in a network namespace of its own, and links go down.
//! No relay can do this: neither end gets a byte, a close or a reset, and new connections get no answer either.

use std::process::Stdio;

use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::*;
use crate::nats::{Nats, member};
use crate::support::start;

/// Set in the process that runs in namespaces.
const IS_INSIDE: &str = "PRESENCE_TEST_IN_NAMESPACE";
/// For measurements: milliseconds for which the link stays down after the lease has ended.
const MORE_MS: &str = "PRESENCE_TEST_DOWN_MORE_MS";
/// The name of the test, for that process.
const TEST: &str = "namespaces::a_gateway_reconnects_after_its_link_was_down";
/// Far more than the test takes, a lease and a few seconds.
const LIMIT: Duration = Duration::from_secs(150);

/// New namespaces of users, networks and processes, as an ordinary user gets them. With the first process in them, all
/// end.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command
        .args([
            "--map-root-user",
            "--net",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Whether namespaces can be made and linked here.
async fn can_unshare() -> Result<(), String> {
    let probe = unshare()
        .args(["ip", "link", "add", "near", "type", "veth", "peer", "name", "far"])
        .output();
    match timeout(LIMIT, probe).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}

/// Runs `ip`, in the namespace of the process with this id if there is one.
async fn ip(namespace: Option<u32>, words: &str) {
    let mut command = match namespace {
        Some(id) => {
            let mut command = Command::new("nsenter");
            command.args(["--net", "--target", &id.to_string(), "ip"]);
            command
        }
        None => Command::new("ip"),
    };
    let status = command.args(words.split(' ')).status().await.unwrap();
    assert!(status.success(), "ip {words}: {status}");
}

/// A link to the server that can go down.
struct Link {
    number: u8,
    server: u32,
}

impl Link {
    /// Its ends are `10.77.NUMBER.1` here and `10.77.NUMBER.2` at the server.
    async fn to(server: &Nats, number: u8) -> Self {
        let link = Self {
            number,
            server: server.id(),
        };
        let server = link.server;
        let mac = |host| format!("02:00:00:00:{number:02}:0{host}");
        let (near, far) = (mac(1), mac(2));
        ip(
            None,
            &format!(
                "link add near{number} address {near} type veth peer name far{number} address {far} netns {server}"
            ),
        )
        .await;
        for (namespace, end, host) in [(None, "near", 1), (Some(server), "far", 2)] {
            ip(
                namespace,
                &format!("addr add 10.77.{number}.{host}/24 dev {end}{number}"),
            )
            .await;
            ip(namespace, &format!("link set {end}{number} up")).await;
        }
        link.know_neighbours().await;
        link
    }

    /// Both ends know each other's hardware address, as machines with a router between them know the router's.
    /// Otherwise the kernel asks for it once a second after the link was down, whatever the gateway does.
    async fn know_neighbours(&self) {
        let Self { number, server } = self;
        for (namespace, end, host) in [(None, "near", 2), (Some(*server), "far", 1)] {
            let mac = format!("02:00:00:00:{number:02}:0{host}");
            ip(
                namespace,
                &format!("neigh replace 10.77.{number}.{host} lladdr {mac} dev {end}{number} nud permanent"),
            )
            .await;
        }
    }

    /// The server's end goes down or up. The near end keeps its route, so that what is sent gets lost without an error.
    async fn set(&self, state: &str) {
        ip(Some(self.server), &format!("link set far{} {state}", self.number)).await;
        if state == "up" {
            // What an end knew is forgotten when it goes down.
            self.know_neighbours().await;
        }
    }

    fn url(&self, server: &Nats) -> String {
        format!("nats://10.77.{}.2:{}", self.number, server.port())
    }
}

/// Instances that are connected, without the readers of this test, each as often as it is listed.
fn connected(list: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = list
        .iter()
        .filter(|row| row["reason"] == "connect")
        .filter_map(|row| row["instanceId"].as_str())
        .filter(|name| !name.starts_with("reader-"))
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_gateway_reconnects_after_its_link_was_down() {
    if std::env::var_os(IS_INSIDE).is_some() {
        inside().await;
        return;
    }
    if let Err(reason) = can_unshare().await {
        println!("skipped: no network namespaces here ({reason}); the test with a relay remains");
        return;
    }
    let output = unshare()
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(IS_INSIDE, "1")
        .output();
    let output = timeout(LIMIT, output)
        .await
        .expect("the test ends in time")
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    // A wrong name would run nothing.
    assert!(printed.contains("1 passed"), "{printed}");
}

/// The test, in its namespaces: gateways here, the server in another one, and a link for each gateway.
async fn inside() {
    ip(None, "link set lo up").await;
    let Some(nats) = Nats::start_in_namespace().await else {
        return;
    };
    let links = [
        Link::to(&nats, 1).await,
        Link::to(&nats, 2).await,
        Link::to(&nats, 3).await,
    ];
    let gateways = [
        start(member(&links[0].url(&nats), "a")),
        start(member(&links[1].url(&nats), "b")),
        start(member(&links[2].url(&nats), "c")),
    ];
    let mut readers = readers_of(&gateways).await;
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let (rover, _) = Client::connect(gateways[0].address(), "rover", &[]).await;
    let (laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    for reader in &mut readers {
        let all = ["laptop", "phone", "rover"];
        reader.wait("all instances", |list| connected(list) == all).await;
    }

    links[0].set("down").await;
    let cut = Instant::now();
    let (_tablet, _) = Client::connect(gateways[0].address(), "tablet", &[]).await;
    drop((laptop, rover));
    // It reconnects at the other gateway.
    let (_rover, _) = Client::connect(gateways[1].address(), "rover", &[]).await;
    for reader in &mut readers[1..] {
        reader.wait_for("phone", "disconnect").await;
    }
    println!("rows behind a link that is down leave after {:?}", cut.elapsed());
    readers[0].wait_for("laptop", "disconnect").await;
    wait_status(gateways[0].address(), "degraded", "").await;
    wait_status(gateways[1].address(), "ready", "").await;
    for reader in &mut readers[1..] {
        let list = reader.list().await;
        assert_eq!(connected(&list), ["rover"], "{list:?}");
    }

    if let Ok(more) = std::env::var(MORE_MS) {
        sleep(Duration::from_millis(more.parse().unwrap())).await;
    }
    links[0].set("up").await;
    let healed = Instant::now();
    wait_status(gateways[0].address(), "ready", "").await;
    let joined = Instant::now();
    for reader in &mut readers {
        let all = ["phone", "rover", "tablet"];
        reader
            .wait("all instances after the heal", |list| connected(list) == all)
            .await;
        reader.wait_for("laptop", "disconnect").await;
    }
    equal(&mut readers).await;
    println!(
        "equal {:?} after the link was up, {:?} after the gateway joined",
        healed.elapsed(),
        joined.elapsed()
    );
}
