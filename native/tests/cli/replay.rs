//! `replay`: findings from memory, explanations, changes, and the fewest inputs.

use std::path::PathBuf;

use super::*;

/// A recording of this repository that was shrunk to a finding.
fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/vectors/recordings/{name}.jsonl"))
}

async fn replay(file: &Path, more: &[&str]) -> Output {
    run(program(&[&["replay", file.to_str().unwrap()], more].concat())).await
}

async fn report(file: &Path, more: &[&str]) -> Value {
    let output = replay(file, &[&["--json"], more].concat()).await;
    assert_eq!((output.code, &*output.stderr), (0, ""));
    serde_json::from_str(&output.stdout).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn findings_from_memory_are_replayed() {
    let file = vector("flapping");
    let report = report(&file, &[]).await;
    assert_eq!(codes(&report), ["FLAPPING"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["checkId"], "presence/flapping");
    assert_eq!(finding["target"], report["findings"][0]["rows"][0]);
    assert_eq!(report["checksRun"].as_array().unwrap().len(), 15);
    assert_eq!(report["rows"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&report["missing"], &report["changes"]),
        (&0.into(), &Value::Null)
    );
    assert_eq!(report["digest"].as_str().unwrap().len(), 16);
    let last = std::fs::read_to_string(&file).unwrap();
    let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!((&report["at"], &report["wall"]), (&last["at"], &last["wall"]));

    let text = replay(&file, &[]).await;
    assert_eq!(text.code, 0);
    for words in [
        "warning  A client connects and disconnects again and again.",
        " Fix: Keep one connection open",
        "1 warning in 2 rows, ",
        " after the start; 15 checks.",
        "--shrink FLAPPING.",
    ] {
        assert!(text.stdout.contains(words), "{words}: {}", text.stdout);
    }
    let healthy = report_at_start(&file).await;
    assert_eq!(codes(&healthy), [""; 0]);
}

async fn report_at_start(file: &Path) -> Value {
    report(file, &["--at", "1s"]).await
}

#[tokio::test]
async fn changes_have_their_causes() {
    let file = vector("flapping");
    let report = report(&file, &["--since", "0"]).await;
    let changes = report["changes"].as_array().unwrap();
    let count = |what: &str| changes.iter().filter(|change| change["what"] == what).count();
    assert!(count("joined") >= 6 && count("left") >= 6, "{changes:?}");
    let first = &changes[0];
    assert_eq!(first["row"], report["findings"][0]["rows"][0]);
    assert_eq!(first["what"], "joined");
    let sentence = first["text"].as_str().unwrap();
    assert!(sentence.contains(" connected from "), "{sentence}");
    let text = replay(&file, &["--since", "0"]).await;
    assert!(
        text.stdout.contains("\nCHANGES since 0.000 s\n"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains("  joined: The client"), "{}", text.stdout);

    let after = first["at"].as_u64().unwrap() + 1;
    let since = format!("{after}ms");
    let later = self::report(&file, &["--since", &since]).await;
    assert_eq!(later["changes"], Value::from(&changes[1..]));
    let wrong = replay(&file, &["--since", "2m", "--at", "1m"]).await;
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("--since is later than --at"),
        "{}",
        wrong.stderr
    );
}

#[tokio::test]
async fn a_row_is_explained() {
    let file = vector("flapping");
    let report = report(&file, &[]).await;
    let key = report["findings"][0]["rows"][0].as_str().unwrap();
    let text = replay(&file, &["--explain", &key[..4]]).await;
    assert_eq!(text.code, 0, "{}", text.stderr);
    for words in [&format!("({key})\n"), "MEMBER", "EVENTS\n", "again and again"] {
        assert!(text.stdout.contains(words), "{words}: {}", text.stdout);
    }
    let json = replay(&file, &["--explain", key, "--json"]).await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["row"]["key"], codes(&json)),
        (&key.into(), vec!["FLAPPING"])
    );
    let none = replay(&file, &["--explain", "nobody"]).await;
    assert_eq!(none.code, 1);
    assert!(
        none.stderr
            .contains("without --explain, `replay` prints the rows"),
        "{}",
        none.stderr
    );
}

#[tokio::test]
async fn the_fewest_inputs_are_a_recording_that_states_its_finding() {
    for (name, code) in [("flapping", "flapping"), ("id-spelling", "ID_SPELLING")] {
        let file = vector(name);
        let shrunk = replay(&file, &["--shrink", code]).await;
        assert_eq!(shrunk.code, 0, "{}", shrunk.stderr);
        assert_eq!(shrunk.stdout, std::fs::read_to_string(&file).unwrap(), "{name}");
        assert!(
            shrunk
                .stderr
                .contains("without any of them there is no such finding"),
            "{}",
            shrunk.stderr
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("changed");
    let text = std::fs::read_to_string(vector("id-spelling")).unwrap();
    let fewer: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(&changed, [&fewer[..1], &fewer[2..]].concat().concat()).unwrap();
    let output = replay(&changed, &[]).await;
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("do not give the expected finding"),
        "{}",
        output.stderr
    );
    let what_if = replay(&changed, &["--max-entries", "300"]).await;
    assert_eq!(what_if.code, 0, "{}", what_if.stderr);
}

#[tokio::test]
async fn the_readable_part_is_shrunk_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut");
    let text = std::fs::read_to_string(vector("id-spelling")).unwrap();
    std::fs::write(&cut, &text[..text.len() - 9]).unwrap();
    let shrunk = replay(&cut, &["--shrink", "ID_SPELLING"]).await;
    assert_eq!(shrunk.code, 1);
    assert_eq!(shrunk.stdout, text);
    assert!(shrunk.stderr.contains("it is cut off"), "{}", shrunk.stderr);
    let report = replay(&cut, &["--json"]).await;
    assert_eq!(report.code, 1);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert!(report["problem"].as_str().unwrap().contains("it is cut off"));
    assert_eq!(codes(&report), ["ID_SPELLING"]);
}

/// Texts of a hostile file may contain escape sequences for the terminal.
#[tokio::test]
async fn texts_of_a_file_cannot_control_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("hostile");
    let text = std::fs::read_to_string(vector("flapping")).unwrap();
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut made = vec![lines.next().unwrap()];
    for mut line in lines {
        if let Some(joined) = line.pointer_mut("/input/join/1") {
            for member in [
                "clientId",
                "displayName",
                "instanceId",
                "version",
                "mode",
                "remoteIp",
            ] {
                joined[member] = "\u{1b}[2J\u{202e}\u{9b}31m\nx".into();
            }
        }
        if line.get("expect").is_none() {
            made.push(line);
        }
    }
    let made: Vec<String> = made.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&hostile, made.concat()).unwrap();
    for more in [
        &["--since", "0"][..],
        &["--explain", "\u{1b}[2J"],
        &["--explain", "\u{1b}nobody"],
        &["--shrink", "EVICTIONS"],
    ] {
        let output = replay(&hostile, more).await;
        assert!(output.stdout.contains("FLAPPING") || more[0] != "--since");
        for text in [output.stdout, output.stderr] {
            assert!(
                !text.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
                "{more:?}: {text:?}"
            );
        }
    }
}
