//! Every measurement runs in its smallest size, and its figures are in the report. No speed is asserted.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

const TOKEN: &str = "test-secret";
const ATTACKS: [&str; 12] = [
    "churn",
    "silent",
    "requests",
    "pings",
    "client_pings",
    "pieces",
    "client_pieces",
    "guesses",
    "joins",
    "params",
    "rows",
    "hellos",
];

/// The gateway that cargo built beside the load generator.
fn gateway() -> PathBuf {
    let path = std::env::var_os("PRESENCE_GATEWAY_BIN").map_or_else(
        || {
            let name = format!("presence-gateway{}", std::env::consts::EXE_SUFFIX);
            PathBuf::from(env!("CARGO_BIN_EXE_presence-load")).with_file_name(name)
        },
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "no {}: run `cargo build --package presence-gateway`",
        path.display()
    );
    path
}

/// A gateway that runs until it is dropped.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(gateway())
            .args(["serve", "--port", "0", "--token", TOKEN])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                let line = line.unwrap();
                let at = line.find("http")?;
                Some(line[at..].split_whitespace().next()?.to_owned())
            })
            .expect("the gateway prints its URL");
        Self { child, url }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_presence-load"))
        .args(arguments)
        .env_remove("OPENCLAW_GATEWAY_TOKEN")
        .output()
        .unwrap()
}

/// Measures in the smallest size and returns the report.
fn measure(names: &[&str], arguments: &[&str]) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    let gateway = gateway();
    let mut words = vec!["--scale", "tiny", "--no-pin"];
    words.extend(["--json", file.path().to_str().unwrap()]);
    words.extend(["--gateway", gateway.to_str().unwrap()]);
    words.extend(names.iter().flat_map(|name| ["--only", *name]));
    words.extend(arguments);
    let output = load(&words);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains("failed"), "{text}");
    serde_json::from_str(&std::fs::read_to_string(file.path()).unwrap()).unwrap()
}

fn figure(report: &Value, name: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))["value"]
        .as_f64()
        .unwrap_or_else(|| panic!("{name} is not a number in {report}"))
}

#[test]
fn a_running_gateway_is_measured() {
    let names = [
        "storm",
        "storm-delta",
        "storm-full",
        "fanout",
        "fanout-delta",
        "requests",
    ];
    let running = Running::start(&[]);
    let pid = running.child.id().to_string();
    let report = measure(&names, &["--url", &running.url, "--token", TOKEN, "--pid", &pid]);
    assert_eq!(figure(&report, "storm.clients"), 6.0);
    assert!(figure(&report, "storm.time") > 0.0);
    for storm in ["storm-delta", "storm-full"] {
        assert_eq!(figure(&report, &format!("{storm}.compared")), 6.0);
    }
    // How many are exact after 100 ms depends on the machine; which are exact with the last version does not.
    assert!(figure(&report, "storm-delta.inexact") <= 6.0);
    assert_eq!(figure(&report, "storm-full.inexact"), 0.0);
    for name in [
        "fanout.ratio",
        "fanout-delta.ratio",
        "requests.ratio",
        "requests.bare",
    ] {
        assert!(figure(&report, name) > 0.0, "{name}");
    }
    assert!(figure(&report, "fanout-delta.bytes") < figure(&report, "fanout.bytes"));
}

#[test]
fn a_gateway_with_tls_is_measured_if_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| {
        let path = folder.path().join(name);
        path.to_str().unwrap().to_owned()
    });
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let running = Running::start(&["--tls-cert", &cert, "--tls-key", &key]);
    assert!(running.url.starts_with("https://"), "{}", running.url);
    let pin = |digest: &[u8]| {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    };
    let own = pin(&Sha256::digest(made.cert.der()));
    let other = pin(&[0; 32]);
    let gateway = ["--url", &running.url, "--token", TOKEN];
    for trusted in [["--tls-ca", &cert], ["--tls-fingerprint", &own]] {
        let report = measure(&["requests"], &[&gateway[..], &trusted].concat());
        assert!(figure(&report, "requests.rate") > 0.0);
    }
    for (trusted, why) in [
        (&["--tls-fingerprint", &other][..], "OtherFingerprint"),
        (&[], "UnknownIssuer"),
    ] {
        let words = ["--scale", "tiny", "--no-pin", "--only", "requests"];
        let refused = load(&[&words[..], &gateway, trusted].concat());
        let text = String::from_utf8_lossy(&refused.stdout);
        assert!(text.contains("failed") && text.contains(why), "{refused:?}");
    }
}

#[test]
fn storms_are_measured_without_device_proof_too() {
    let report = measure(&["storm"], &["--unsigned"]);
    assert_eq!(figure(&report, "storm.clients"), 6.0);
    // Every client connected, each with a row of its own.
    assert!(figure(&report, "storm.most_frames") >= 1.0);
    assert!(
        !report["notes"].to_string().contains("did not connect"),
        "{report}"
    );
}

#[test]
fn gateways_are_started_and_measured() {
    let names = [
        "start",
        "idle",
        "idle-tls",
        "fanout-tls",
        "beacons",
        "slow",
        "hostile",
        "reconnect",
        "scrape",
        "curve",
        "many",
    ];
    let report = measure(&names, &[]);
    assert!(figure(&report, "start.hello") > 0.0);
    for name in ["idle.clients", "idle-tls.clients"] {
        assert_eq!(figure(&report, name), 6.0);
    }
    assert!(figure(&report, "fanout-tls.ratio") > 0.0);
    for depth in ["one", "pipelined"] {
        assert!(figure(&report, &format!("beacons.{depth}.rate")) > 0.0);
        assert!(figure(&report, &format!("beacons.{depth}.converged")) >= 0.0);
    }
    assert!(figure(&report, "slow.others") > 0.0);
    for attack in ATTACKS {
        assert!(figure(&report, &format!("hostile.{attack}.worst")) > 0.0);
        assert!(figure(&report, &format!("hostile.{attack}.stop")) > 0.0);
    }
    for attack in ["churn", "joins"] {
        assert!(figure(&report, &format!("hostile.{attack}.rate")) > 0.0);
    }
    assert_eq!(figure(&report, "hostile.unanswered"), 0.0, "{report}");
    assert!(figure(&report, "hostile.memory_again") >= 0.0);
    assert!(figure(&report, "reconnect.time") > 0.0);
    assert_eq!(figure(&report, "scrape.clients"), 6.0);
    assert!(figure(&report, "scrape.longest") > 0.0);
    assert!(figure(&report, "curve.4.delta.last") > 0.0);
    // Two from each of three addresses.
    assert_eq!(figure(&report, "many.clients"), 6.0);
    for name in ["memory", "delta", "bare", "restart"] {
        assert!(figure(&report, &format!("many.{name}")) > 0.0, "{name}: {report}");
    }
}

#[test]
fn failures_have_exit_codes_and_messages() {
    let unknown = load(&["--only", "nonsense"]);
    assert_eq!(unknown.status.code(), Some(2));
    let missing = load(&[
        "--gateway",
        "/no/such/gateway",
        "--only",
        "start",
        "--scale",
        "tiny",
    ]);
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8_lossy(&missing.stdout);
    assert!(text.contains("cannot start /no/such/gateway"), "{text}");
    let ended = load(&["--only", "start", "--scale", "tiny", "--", "false"]);
    assert_eq!(ended.status.code(), Some(1));
    let running = load(&["--url", "ws://127.0.0.1:1", "--only", "start", "--scale", "tiny"]);
    assert_eq!(
        running.status.code(),
        Some(0),
        "`start` does not connect to a gateway that runs already"
    );
    let list = load(&["--list"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("fanout-delta"));
}
