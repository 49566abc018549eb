//! The load generator measures something, everywhere: against a gateway in this process, against gateways
//! that it starts itself, and its report says what its table says. How fast anything is decides nothing here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::process::Command;

use serde_json::Value;
use support::{TOKEN, config, start, within};

/// Runs `bench` in its smallest size; its report.
async fn bench(arguments: &[&str]) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-gateway"));
    command
        .args(["bench", "--scale", "tiny", "--no-pin", "--json"])
        .arg(file.path())
        .args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(std::time::Duration::from_secs(120), output)
        .await
        .expect("bench ends")
        .unwrap();
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
        .unwrap_or_else(|| panic!("{name} is no number in {report}"))
}

#[tokio::test]
async fn a_running_gateway_is_measured() {
    let gateway = start(config());
    let url = gateway.url();
    let arguments = [
        "--url",
        &url,
        "--token",
        TOKEN,
        "--pid",
        &std::process::id().to_string(),
    ];
    let names = [
        "storm",
        "storm-delta",
        "storm-full",
        "fanout",
        "fanout-delta",
        "requests",
    ];
    let only: Vec<&str> = names.iter().flat_map(|name| ["--only", *name]).collect();
    let report = bench(&[&arguments[..], &only].concat()).await;
    assert_eq!(figure(&report, "storm.clients"), 6.0);
    assert!(figure(&report, "storm.time") > 0.0);
    for storm in ["storm-delta", "storm-full"] {
        assert_eq!(figure(&report, &format!("{storm}.compared")), 6.0);
        assert_eq!(figure(&report, &format!("{storm}.inexact")), 0.0);
    }
    for name in [
        "fanout.ratio",
        "fanout-delta.ratio",
        "requests.ratio",
        "requests.bare",
    ] {
        assert!(figure(&report, name) > 0.0, "{name}");
    }
    assert!(figure(&report, "fanout-delta.bytes") < figure(&report, "fanout.bytes"));
    within("the end", gateway.shutdown()).await;
}

#[tokio::test]
async fn storms_are_measured_without_device_proof_too() {
    let report = bench(&["--unsigned", "--only", "storm"]).await;
    assert_eq!(figure(&report, "storm.clients"), 6.0);
    // All got in, each with a row of its own.
    assert!(figure(&report, "storm.most_frames") >= 1.0);
    assert!(
        !report["notes"].to_string().contains("did not connect"),
        "{report}"
    );
}

#[tokio::test]
async fn gateways_are_started_and_measured() {
    let names = [
        "start",
        "idle",
        "beacons",
        "slow",
        "hostile",
        "reconnect",
        "curve",
    ];
    let only: Vec<&str> = names.iter().flat_map(|name| ["--only", *name]).collect();
    let report = bench(&only).await;
    assert!(figure(&report, "start.hello") > 0.0);
    assert_eq!(figure(&report, "idle.clients"), 6.0);
    for depth in ["one", "pipelined"] {
        assert!(figure(&report, &format!("beacons.{depth}.rate")) > 0.0);
        assert!(figure(&report, &format!("beacons.{depth}.converged")) >= 0.0);
    }
    assert!(figure(&report, "slow.others") > 0.0);
    for attack in [
        "churn",
        "silent",
        "requests",
        "pings",
        "client_pings",
        "pieces",
        "client_pieces",
        "guesses",
        "params",
        "rows",
        "hellos",
    ] {
        assert!(figure(&report, &format!("hostile.{attack}.worst")) > 0.0);
        assert!(figure(&report, &format!("hostile.{attack}.stop")) > 0.0);
    }
    assert!(figure(&report, "hostile.churn.rate") > 0.0);
    assert_eq!(figure(&report, "hostile.unanswered"), 0.0, "{report}");
    assert!(figure(&report, "reconnect.time") > 0.0);
    assert!(figure(&report, "curve.4.delta.last") > 0.0);
}

#[tokio::test]
async fn what_cannot_be_measured_is_said() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence-gateway"));
        command.arg("bench").args(arguments).output().unwrap()
    };
    let unknown = run(&["--only", "nonsense"]);
    assert_eq!(unknown.status.code(), Some(2));
    let nobody = run(&["--url", "ws://127.0.0.1:1", "--only", "start", "--scale", "tiny"]);
    assert_eq!(
        nobody.status.code(),
        Some(0),
        "a gateway that runs is not started"
    );
    let failing = run(&["--only", "start", "--scale", "tiny", "--", "false"]);
    assert_eq!(failing.status.code(), Some(1));
    let list = run(&["--list"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("fanout-delta"));
}
