//! `doctor` on saved lists and on gateways of OpenClaw.

use std::path::{Path, PathBuf};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::*;

const HEALTHY: &str = r#"[
    {"host":"pi","ip":"10.0.0.1","mode":"gateway","reason":"self","ts":9},
    {"host":"studio","ip":"10.0.0.2","instanceId":"mac-1","mode":"ui","reason":"connect","ts":8},
    {"host":"tab","instanceId":"tab-1","mode":"webchat","reason":"connect","ts":7}
]"#;
/// One row is added to the healthy ones.
const SPELLING: &str =
    r#"{"host":"studio","ip":"10.0.0.2","instanceId":"Mac -1","reason":"periodic","ts":6}"#;
const PLACEHOLDER: &str = r#"{"host":"\u001b[2Jold","instanceId":"undefined","reason":"connect","ts":5}"#;

fn with(rows: &[&str]) -> String {
    let healthy = HEALTHY.trim_end_matches(']').trim_end();
    format!("{healthy},{}]", rows.join(","))
}

/// A file that is deleted after the test.
struct Saved(tempfile::TempDir);

impl Saved {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list.json"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("list.json")
    }
}

async fn doctor(text: impl AsRef<[u8]>, more: &[&str]) -> Output {
    let saved = Saved::new(text);
    let path = saved.path();
    run(program(&[&["doctor", path.to_str().unwrap()], more].concat())).await
}

/// Frames that gateways of OpenClaw sent: one of protocol 3, one of protocol 4.
fn recordings() -> [Vec<String>; 2] {
    ["2026.2.12", "2026.9.6"].map(|version| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../core/tests/recorded")
            .join(format!("openclaw-{version}.jsonl"));
        let frames = std::fs::read_to_string(file).unwrap();
        frames.lines().map(str::to_owned).collect()
    })
}

#[tokio::test]
async fn a_healthy_list_is_exit_code_0() {
    let output = doctor(HEALTHY, &[]).await;
    assert_eq!((output.code, &*output.stderr), (0, ""));
    assert!(
        output.stdout.starts_with("no findings in 3 rows; 8 checks.\n"),
        "{}",
        output.stdout
    );
    assert!(
        output
            .stdout
            .contains("checks were skipped: they need what a gateway")
    );
}

#[tokio::test]
async fn the_worst_finding_is_the_exit_code_and_comes_first() {
    let output = doctor(with(&[SPELLING]), &[]).await;
    assert_eq!(output.code, 6, "{}", output.stdout);
    for words in [
        "warning  One id is written in more than one way. (high confidence)\n",
        "         instanceId \"mac-1\" and \"Mac -1\" differ by case and blanks only.\n",
        "         Fix: Make the id once, store it, and send exactly the stored text",
        "         Rows: studio (instance:mac-1), studio (instance:mac -1)\n",
        "1 warning in 4 rows; ",
    ] {
        assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
    }

    let output = doctor(with(&[SPELLING, PLACEHOLDER]), &[]).await;
    assert_eq!(output.code, 7, "{}", output.stdout);
    assert!(output.stdout.starts_with("error    An id is a placeholder."));
    assert!(
        output
            .stdout
            .contains("Row: \u{fffd}[2Jold (instance:undefined)\n"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("1 error, 1 warning in 5 rows; "));
}

#[tokio::test]
async fn the_report_is_json_for_scripts() {
    let output = doctor(with(&[SPELLING]), &["--json"]).await;
    assert_eq!(output.code, 6);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["source"]),
        (&json!(false), &json!("list"))
    );
    assert!(
        report["checksRun"]
            .as_array()
            .unwrap()
            .contains(&json!("presence/id-spelling"))
    );
    assert!(
        report["checksSkipped"]
            .as_array()
            .unwrap()
            .contains(&json!("presence/flapping"))
    );
    assert!(report["skippedWhy"].is_string());
    let finding = &report["findings"][0];
    for (name, value) in [
        ("checkId", json!("presence/id-spelling")),
        ("severity", json!("warning")),
        ("code", json!("ID_SPELLING")),
        ("confidence", json!("high")),
        ("target", json!("instance:mac-1")),
        ("rows", json!(["instance:mac-1", "instance:mac -1"])),
        (
            "evidence",
            json!([r#"instanceId "mac-1" and "Mac -1" differ by case and blanks only."#]),
        ),
    ] {
        assert_eq!(finding[name], value, "{name}");
    }
    assert!(finding["message"].as_str().unwrap().ends_with("blanks only."));
    assert!(
        finding["fixHint"]
            .as_str()
            .unwrap()
            .starts_with("Make the id once")
    );

    let healthy = doctor(HEALTHY, &["--json"]).await;
    let report: Value = serde_json::from_str(&healthy.stdout).unwrap();
    assert_eq!(
        (healthy.code, &report["ok"], &report["findings"]),
        (0, &json!(true), &json!([]))
    );
}

#[tokio::test]
async fn a_list_is_found_in_whatever_a_gateway_sent() {
    let list = with(&[SPELLING]);
    let keys = r#"["SELF","mac-1","tab-1","mac -1"]"#;
    for text in [
        format!("\u{feff}  {list}\n"),
        format!(r#"{{"type":"event","event":"presence","payload":{{"presence":{list}}}}}"#),
        format!(r#"{{"type":"hello-ok","snapshot":{{"presence":{list}}}}}"#),
        format!(r#"{{"type":"res","id":"1","ok":true,"payload":{list}}}"#),
        format!(r#"{{"presence":{list},"keys":{keys},"version":7}}"#),
    ] {
        let output = doctor(&text, &[]).await;
        assert_eq!(output.code, 6, "{text}: {} {}", output.stdout, output.stderr);
    }
    for frames in recordings() {
        let mut lists = 0;
        for frame in frames {
            let output = doctor(&frame, &[]).await;
            if frame.contains("\"reason\":\"self\"") {
                assert_eq!((output.code, &*output.stderr), (0, ""), "{frame}");
                assert!(output.stdout.starts_with("no findings in "), "{}", output.stdout);
                lists += 1;
            } else {
                assert_eq!(output.code, 1, "{frame}");
            }
        }
        assert_eq!(lists, 3, "hello, a list and an event");
    }
}

#[tokio::test]
async fn stdin_is_a_file_too() {
    let mut child = program(&["doctor", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(with(&[SPELLING]).as_bytes()).await.unwrap();
    drop(stdin);
    let output = within("the report", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("1 warning in 4 rows")
    );
}

#[tokio::test]
async fn what_is_no_list_is_a_clear_error() {
    for (text, why) in [
        (&b""[..], "invalid JSON: EOF"),
        (b"[{\"host\":\"a\"}", "invalid JSON: EOF"),
        (b"# Clients", "invalid JSON: expected value at line 1 column 1"),
        (
            b"{\"clients\":[]}",
            "no presence list in it; expected a list, a presence event, hello-ok",
        ),
        (b"7", "no presence list in it"),
        (b"\xff\xfe[\0]\0", "it is not UTF-8"),
        (
            br#"{"type":"event","event":"presence.delta","payload":{"from":1,"to":2,"upserts":[]}}"#,
            "a delta has only what changed; save a list",
        ),
    ] {
        let output = doctor(text, &[]).await;
        assert_eq!((output.code, &*output.stdout), (1, ""), "{why}");
        assert!(output.stderr.contains(why), "{why}: {}", output.stderr);
        assert!(
            output.stderr.starts_with("presence-gateway: failed: "),
            "{}",
            output.stderr
        );
    }
    let output = run(program(&["doctor", "no-such-file.json"])).await;
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("cannot read no-such-file.json: "),
        "{}",
        output.stderr
    );
    let deep = "[".repeat(200_000);
    assert_eq!(doctor(deep, &[]).await.code, 1);
}

#[tokio::test]
async fn a_huge_list_is_read_up_to_a_bound() {
    let rows: Vec<String> = (0..100_000)
        .map(|n| {
            format!(r#"{{"host":"h","ip":"10.0.0.9","version":"1","instanceId":"i{n}","reason":"connect"}}"#)
        })
        .collect();
    let output = doctor(format!("[{}]", rows.join(",")), &[]).await;
    assert_eq!((output.code, &*output.stderr), (0, ""));
    assert!(
        output.stdout.contains("1 info in the first 10000 rows; "),
        "{}",
        output.stdout
    );
    assert!(output.stdout.len() < 2_000, "{}", output.stdout);
}

/// A server that sends recorded frames of an OpenClaw gateway.
async fn openclaw(frames: Vec<String>) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text(frames[0].clone())).await.unwrap();
        let answers = frames.iter().filter(|frame| frame.contains("\"type\":\"res\""));
        for answer in answers {
            let Some(Ok(Message::Text(request))) = socket.next().await else {
                return;
            };
            let request: Value = serde_json::from_str(&request).unwrap();
            let mut answer: Value = serde_json::from_str(answer).unwrap();
            answer["id"] = request["id"].clone();
            socket.send(Message::text(answer.to_string())).await.unwrap();
        }
        // Until the client closes.
        while let Some(Ok(_)) = socket.next().await {}
    });
    (url, server)
}

#[tokio::test]
async fn of_an_openclaw_gateway_the_list_alone_is_checked() {
    for frames in recordings() {
        let (url, server) = openclaw(frames).await;
        let output = run(program(&client("doctor", &url))).await;
        assert_eq!((output.code, &*output.stderr), (0, ""), "{}", output.stdout);
        assert!(
            output.stdout.starts_with("no findings in 2 rows; 8 checks.\n"),
            "{}",
            output.stdout
        );
        assert!(
            output.stdout.contains("checks were skipped: "),
            "{}",
            output.stdout
        );
        within("the end", server).await.unwrap();
    }
}

/// A gateway of this project, which has the sender of the beacon in memory, reports high confidence (`tests/findings`).
#[tokio::test]
async fn findings_from_a_list_alone_have_lower_confidence() {
    for mut frames in recordings() {
        for frame in &mut frames {
            let mut changed: Value = serde_json::from_str(frame).unwrap();
            if let Some(rows) = changed["payload"].as_array_mut() {
                let row = |reason: &str| {
                    let (host, ts) = ("kitchen", &rows[0]["ts"]);
                    json!({ "host": host, "version": "1", "mode": "ui", "reason": reason, "text": "Node: kitchen", "ts": ts })
                };
                let (handshake, mut beacon) = (row("connect"), row("periodic"));
                beacon["instanceId"] = "kitchen-1".into();
                rows.extend([handshake, beacon]);
                *frame = changed.to_string();
            }
        }
        let (url, server) = openclaw(frames).await;
        let output = run(program(&client("doctor", &url))).await;
        for words in [
            "A client connects without an instanceId. (medium confidence)",
            "carry instanceId \"kitchen-1\"; the handshake of the same host and version has none.",
            "7 checks were skipped: they need what a gateway of this project remembers",
        ] {
            assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
        }
        assert_eq!((output.code, &*output.stderr), (6, ""));
        within("the end", server).await.unwrap();
    }
}

#[tokio::test]
async fn of_an_openclaw_gateway_the_list_explains_a_row() {
    for frames in recordings() {
        let (url, server) = openclaw(frames).await;
        let output = run(program(&[client("explain", &url), vec!["vm"]].concat())).await;
        assert_eq!((output.code, &*output.stderr), (0, ""), "{}", output.stdout);
        for words in [
            "vm (self)\nThis is the gateway's own row.\nIt stays as long as the gateway lists it.\n",
            "\n[1] list, row 0, ",
        ] {
            assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
        }
        within("the end", server).await.unwrap();
    }
}

#[tokio::test]
async fn failures_have_the_exit_codes_of_all_commands() {
    let gateway = start(config());
    let url = gateway.url();
    for command in [&["doctor"][..], &["explain", "x"]] {
        let wrong = run(program(&[command, &["--url", &url, "--token", "wrong"]].concat())).await;
        assert_eq!(wrong.code, 4, "{}", wrong.stderr);
        let nobody = run(program(&[command, &["--url", "ws://127.0.0.1:1"]].concat())).await;
        assert_eq!(nobody.code, 3, "{}", nobody.stderr);
    }
    assert_eq!(run(program(&["explain"])).await.code, 2);
    gateway.shutdown().await;
}
