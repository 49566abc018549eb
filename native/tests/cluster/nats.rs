//! A separate NATS server for each test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::Config;
use presence_core::cluster::{LEASE_MS, ROW_AGE_MS};
use presence_gateway::{ClusterConfig, GatewayConfig, RunningGateway};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::support::{config, start, within};

/// The path at which `cargo xtask test` installs the server.
const SERVER: &str = "../target/tools/nats-server-2.15.1/bin/nats-server";

/// Finds the server's program; without it, prints that the test is skipped.
fn server() -> Option<PathBuf> {
    let given = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let server = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(SERVER));
    if server.exists() {
        return Some(server);
    }
    eprintln!(
        "skipped: no nats-server at {}; `cargo xtask test --only rust` installs it",
        server.display()
    );
    None
}

/// A server on loopback that is killed when it is dropped.
pub(crate) struct Nats {
    server: PathBuf,
    folder: TempDir,
    options: Vec<String>,
    child: Option<Child>,
    port: u16,
    is_in_namespace: bool,
}

impl Nats {
    /// Starts a server with JetStream; `None` without the program.
    pub(crate) async fn start(options: &[&str]) -> Option<Self> {
        Self::start_with(options, false).await
    }

    /// Starts a server in a network namespace of its own, where it listens on all addresses.
    pub(crate) async fn start_in_namespace() -> Option<Self> {
        Self::start_with(&[], true).await
    }

    async fn start_with(options: &[&str], is_in_namespace: bool) -> Option<Self> {
        let mut nats = Self {
            server: server()?,
            folder: tempfile::tempdir().unwrap(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            child: None,
            port: 0,
            is_in_namespace,
        };
        nats.restart().await;
        Some(nats)
    }

    /// Starts a cluster of servers with the names `n0`, `n1`...
    pub(crate) async fn start_cluster(count: usize) -> Option<Vec<Self>> {
        let free = |_| std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let routes: Vec<String> = {
            let listeners: Vec<_> = (0..count).map(free).collect();
            let url = |it: &std::net::TcpListener| format!("nats://{}", it.local_addr().unwrap());
            listeners.iter().map(url).collect()
        };
        let all = routes.join(",");
        let mut servers = Vec::new();
        for (number, route) in routes.iter().enumerate() {
            let name = format!("n{number}");
            let options = [
                "--server_name",
                &name,
                "--cluster_name",
                "fleet",
                "--cluster",
                route,
                "--routes",
                &all,
            ];
            servers.push(Self::start(&options).await?);
        }
        Some(servers)
    }

    /// Starts it again, with the same port and files.
    pub(crate) async fn restart(&mut self) {
        within("the NATS server", async {
            // Meanwhile an outgoing connection may have got its port, even one to this very port.
            while !self.try_start().await {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }

    /// Starts it, and returns whether it is ready: it ends if its port is taken.
    async fn try_start(&mut self) -> bool {
        let port = if self.port == 0 {
            "-1".to_owned()
        } else {
            self.port.to_string()
        };
        let (mut command, address) = if self.is_in_namespace {
            let mut command = Command::new("unshare");
            command.arg("--net").arg(&self.server);
            (command, "0.0.0.0")
        } else {
            (Command::new(&self.server), "127.0.0.1")
        };
        let mut child = command
            .args(["--addr", address, "--port", &port, "--jetstream", "--store_dir"])
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // The port of the cluster is opened after those of clients, and may be taken too.
        let mut has_cluster = !self.options.iter().any(|option| option == "--cluster");
        let mut is_ready = false;
        while !(is_ready && has_cluster) {
            let Some(line) = lines.next_line().await.unwrap() else {
                return false;
            };
            if let Some((_, address)) = line.split_once("Listening for client connections on ") {
                self.port = address.rsplit(':').next().unwrap().trim().parse().unwrap();
            }
            is_ready |= line.contains("Server is ready");
            has_cluster |= line.contains("Listening for route connections on ");
        }
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.child = Some(child);
        true
    }

    /// Kills it; its data in memory is lost.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id().unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client of its own.
    pub(crate) async fn context(&self) -> Context {
        let client = async_nats::connect(self.url()).await.unwrap();
        async_nats::jetstream::new(client)
    }
}

/// Creates the buckets in files, with replicas. A cluster needs a leader first.
pub(crate) async fn create_buckets(context: &Context, replicas: usize) {
    for (name, age_ms) in [("presence-leases", LEASE_MS), ("presence-rows", ROW_AGE_MS)] {
        within("a bucket", async {
            while context
                .create_key_value(bucket(name, age_ms, replicas))
                .await
                .is_err()
            {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }
}

/// The configuration of a bucket in a file.
pub(crate) fn bucket(name: &str, age_ms: u64, replicas: usize) -> Config {
    Config {
        bucket: name.into(),
        description: "openclaw-presence fleet, format 1".into(),
        history: 1,
        max_age: Duration::from_millis(age_ms),
        limit_markers: Some(Duration::from_secs(5)),
        num_replicas: replicas,
        ..Config::default()
    }
}

/// The configuration of a gateway of the fleet.
pub(crate) fn member(url: &str, name: &str) -> GatewayConfig {
    let mut config = config();
    config.max_entries = 300;
    config.cluster = Some(ClusterConfig::new(&[url], name).unwrap());
    config
}

/// Gateways of one fleet.
pub(crate) fn fleet(nats: &Nats, names: &[&str]) -> Vec<RunningGateway> {
    names
        .iter()
        .map(|name| start(member(&nats.url(), name)))
        .collect()
}
