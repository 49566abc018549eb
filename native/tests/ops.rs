//! The dashboard, the alert rules and the documentation of metrics, against a live `/metrics`, `promtool` and
//! Prometheus.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use presence_core::model::Role;
use presence_core::server::Permit;
use presence_gateway::{NamedToken, RunningGateway, Secret, Tokens};
use serde_json::Value;
use support::{Client, config_with, raw_http, start, within};

/// Where `cargo xtask test` unpacks Prometheus.
const TOOLS: &str = "../target/tools/prometheus/usr/bin";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Finds a program of Prometheus; without it, prints that the check is skipped.
fn tool(name: &str) -> Option<PathBuf> {
    let places = [file(TOOLS).join(name), Path::new("/usr/bin").join(name)];
    let found = places.into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no {name}; `cargo xtask test --only rust` unpacks Debian's");
    }
    found
}

fn metered() -> RunningGateway {
    start(config_with(|config| {
        config.metrics_bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let permit = Permit {
            roles: [Role::Operator].into(),
            scopes: ["operator.read".into()].into(),
            hides_addresses: false,
        };
        let secret = Secret::new("for reading").unwrap();
        let token = NamedToken::new("reader", &secret, permit, None).unwrap();
        config.tokens = Some(Tokens::new(vec![token]).unwrap());
    }))
}

async fn scrape(gateway: &RunningGateway, accept: &str) -> String {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
    let answer = raw_http(gateway.metrics_address().unwrap(), &request).await;
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The words of a text that name metrics.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c == '_' || c.is_ascii_alphanumeric()))
        .filter(|word| word.starts_with("presence_"))
        .map(str::to_owned)
        .collect()
}

/// The expressions of the dashboard.
fn panels() -> Vec<String> {
    let text = std::fs::read_to_string(file("ops/grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}

/// The expressions of the alert rules.
fn rules() -> Vec<String> {
    let text = std::fs::read_to_string(file("ops/prometheus-rules.yml")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn each_panel_and_rule_has_its_series_and_each_series_its_documentation() {
    let gateway = metered();
    let text = scrape(&gateway, "*/*").await;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples: BTreeSet<String> = samples
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect();
    let (panels, rules) = (panels(), rules());
    assert!(panels.len() > 20 && rules.len() > 5, "{panels:?} {rules:?}");
    for expression in panels.iter().chain(&rules) {
        for name in metrics_in(expression) {
            assert!(
                samples.contains(&name),
                "there is no {name}, which `{expression}` uses"
            );
        }
    }
    // A histogram is documented by the name of its family.
    let families: BTreeSet<String> = samples
        .iter()
        .map(|name| {
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            family.unwrap_or(name).to_owned()
        })
        .collect();
    let documentation = std::fs::read_to_string(file("../docs/metrics.md")).unwrap();
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<String> = rows
        .map(|row| row.split('`').next().unwrap().to_owned())
        .collect();
    assert_eq!(documented, families);
    let shown: BTreeSet<String> = panels
        .iter()
        .flat_map(|expression| metrics_in(expression))
        .collect();
    for family in &families {
        assert!(
            shown.iter().any(|name| name.starts_with(family.as_str())),
            "no panel shows {family}"
        );
    }
    // So is each label.
    for line in samples_with_labels(&text) {
        for label in line
            .split(['{', '}', ','])
            .filter_map(|part| part.split_once('='))
        {
            assert!(documentation.contains(&format!("`{}`", label.0)), "{line}");
        }
    }
    gateway.shutdown().await;
}

fn samples_with_labels(text: &str) -> impl Iterator<Item = &str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter(|line| line.contains('{') && !line.contains("_bucket{"))
}

#[tokio::test]
async fn promtool_reports_no_problems() {
    let Some(promtool) = tool("promtool") else { return };
    let gateway = metered();
    let mut check = Command::new(&promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = scrape(&gateway, "text/plain").await;
    check.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    gateway.shutdown().await;

    let rules = Command::new(&promtool)
        .args(["check", "rules"])
        .arg(file("ops/prometheus-rules.yml"))
        .output()
        .unwrap();
    assert!(rules.status.success(), "{rules:?}");
}

/// Queries Prometheus, over HTTP/1.0, so that the answer is not chunked.
async fn request(address: SocketAddr, path: &str) -> Option<Value> {
    tokio::net::TcpStream::connect(address).await.ok()?;
    let answer = raw_http(
        address,
        &format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"),
    )
    .await;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// Repeats the query until it has a result: a rate needs two scrapes.
async fn result_of(address: SocketAddr, query: &str) -> Value {
    let path = format!(
        "/api/v1/query?query={}",
        utf8_percent_encode(query, NON_ALPHANUMERIC)
    );
    within(query, async {
        loop {
            if let Some(answer) = request(address, &path).await {
                assert_eq!(answer["status"], "success", "{query}: {answer}");
                if answer["data"]["result"]
                    .as_array()
                    .is_some_and(|result| !result.is_empty())
                {
                    return answer;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await
}

#[tokio::test]
async fn prometheus_scrapes_the_gateway_and_runs_every_query() {
    let Some(prometheus) = tool("prometheus") else {
        return;
    };
    let gateway = metered();
    // A series for each query that shows only what is not 0.
    let (_client, _) = Client::connect(gateway.address(), "a", &["operator.read"]).await;
    support::refusal(gateway.address(), "", {
        let mut params = support::connect_params("b", &[]);
        params["maxProtocol"] = 2.into();
        params["minProtocol"] = 1.into();
        params
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("prometheus.yml");
    let target = gateway.metrics_address().unwrap();
    let rules_file = file("ops/prometheus-rules.yml");
    std::fs::write(
        &settings,
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{rules_file:?}]\n\
             scrape_configs:\n  - job_name: presence\n    static_configs: [{{targets: [\"{target}\"]}}]\n"
        ),
    )
    .unwrap();
    let address = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let _prometheus = tokio::process::Command::new(&prometheus)
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--log.level=error")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for expression in panels() {
        let query = expression
            .replace("$__rate_interval", "1m")
            .replace("$instance", ".*");
        // Values of 0 are not shown; the test checks that the series exist.
        let query = query.strip_suffix(" > 0").unwrap_or(&query).to_owned();
        result_of(address, &query).await;
    }
    // Without their thresholds, all rules but the one for a missing gateway have values.
    for expression in rules().iter().filter(|rule| !rule.starts_with("absent")) {
        let query = expression.split(" > ").next().unwrap();
        result_of(address, query).await;
    }
    let healthy = within("the rules", async {
        loop {
            let answer = request(address, "/api/v1/rules").await.unwrap();
            let rules = answer["data"]["groups"][0]["rules"].as_array().unwrap().clone();
            assert_eq!(rules.len(), self::rules().len(), "{answer}");
            if rules.iter().all(|rule| rule["health"] == "ok") {
                return rules;
            }
            assert!(rules.iter().all(|rule| rule["health"] != "err"), "{answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    assert!(
        healthy.iter().all(|rule| rule["state"] == "inactive"),
        "{healthy:?}"
    );
    gateway.shutdown().await;
}
