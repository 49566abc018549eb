//! `serve --record` and `replay`.

use std::path::PathBuf;

use serde_json::json;

use super::*;

/// A gateway that records with these additional options, its address and the file.
pub(crate) async fn recording(folder: &Path, more: &[&str]) -> (Child, std::net::SocketAddr, PathBuf) {
    let file = folder.join("recording");
    let arguments = [
        "--port",
        "0",
        "--token",
        support::TOKEN,
        "--record",
        file.to_str().unwrap(),
    ];
    let (gateway, url) = serve(&[&arguments, more].concat()).await;
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    (gateway, address.parse().unwrap(), file)
}

/// A recording of one client that connects and sends a beacon, with the list that the gateway had at the end.
async fn recorded(folder: &Path) -> (PathBuf, Value) {
    let (mut gateway, address, file) = recording(folder, &[]).await;
    let (mut client, _) = Client::connect(address, "studio-9", &["operator.read", "operator.admin"]).await;
    let text = "Node: studio-9 (203.0.113.77) \u{b7} app 1.2 \u{b7} last input 12s ago \u{b7} mode ui \u{b7} reason launch";
    let params = json!({ "text": text, "instanceId": "studio-9", "ip": "203.0.113.77" });
    client.request("system-event", params).await;
    let list = client.request("system-presence", json!({})).await["payload"].take();
    support::process::signal(&gateway, rustix::process::Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();
    (file, list)
}

fn replay<'a>(file: &'a Path, more: &[&'a str]) -> Command {
    program(&[&["replay", file.to_str().unwrap()], more].concat())
}

async fn rows(file: &Path, more: &[&str]) -> Vec<Value> {
    let output = run(replay(file, &[&["--json"], more].concat())).await;
    assert_eq!((output.code, &*output.stderr), (0, ""));
    let mut report: Value = serde_json::from_str(&output.stdout).unwrap();
    report["rows"].as_array_mut().unwrap().drain(..).collect()
}

#[tokio::test]
async fn a_replay_shows_what_the_gateway_listed_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let (file, list) = recorded(folder.path()).await;
    let text = std::fs::read_to_string(&file).unwrap();
    // The list is from before the end, at which the client left.
    let before = folder.path().join("before");
    let kept = text
        .split_inclusive('\n')
        .take_while(|line| !line.contains("shutdown"));
    std::fs::write(&before, kept.collect::<String>()).unwrap();
    assert_eq!(rows(&file, &[]).await.len(), 2);
    let replayed = rows(&before, &[]).await;
    let listed = list.as_array().unwrap();
    assert_eq!((replayed.len(), listed.len()), (2, 2));
    let is_self = |row: &&Value| row["reason"] == "self";
    let own = |list: &[Value]| list.iter().find(|row| !is_self(row)).cloned().unwrap();
    let (replayed, live) = (own(&replayed), own(listed));
    for name in [
        "ts",
        "mode",
        "reason",
        "version",
        "roles",
        "lastInputSeconds",
        "onlineSince",
    ] {
        assert_eq!(
            replayed[name],
            live[name],
            "{name} {}",
            std::fs::read_to_string(&file).unwrap()
        );
    }
    assert_eq!(live["ip"], "203.0.113.77");
    for name in ["instanceId", "ip", "text"] {
        assert!(
            replayed[name].is_string() && replayed[name] != live[name],
            "{name}"
        );
    }

    assert_eq!(rows(&file, &["--at", "0"]).await.len(), 1, "the gateway alone");
    let table = run(replay(&file, &["--ttl", "1m", "--max-entries", "2"])).await;
    assert!(
        table.code == 0 && table.stdout.starts_with("STATUS  HOST"),
        "{}",
        table.stdout
    );
    for words in ["--shrink NEAR_CAP.", " Fix: ", "\n1 warning in 2 rows, "] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
    let short = run(replay(&file, &["--ttl", "1ms"])).await;
    assert_eq!(short.code, 2);
    assert!(
        short.stderr.contains("--ttl: 1ms is less than 1s"),
        "{}",
        short.stderr
    );

    let shrunk = run(replay(&file, &["--max-entries", "2", "--shrink", "near_cap"])).await;
    assert_eq!(shrunk.code, 0, "{}", shrunk.stderr);
    assert!(
        shrunk.stderr.contains("these 1 of 4 inputs give "),
        "{}",
        shrunk.stderr
    );
    assert_eq!(shrunk.stdout.lines().count(), 3, "{}", shrunk.stdout);
    let least = folder.path().join("least");
    std::fs::write(&least, shrunk.stdout).unwrap();
    assert!(run(replay(&least, &[])).await.stdout.contains("NEAR_CAP"));
    let absent = run(replay(&file, &["--shrink", "ID_SPELLING"])).await;
    assert_eq!(absent.code, 1);
    let memory = run(replay(&file, &["--shrink", "FLAPPING"])).await;
    assert_eq!(memory.code, 1);
    assert!(
        memory.stderr.contains("no finding FLAPPING at that moment"),
        "{}",
        memory.stderr
    );
    let doctor = run(program(&["doctor", file.to_str().unwrap()])).await;
    assert!(
        doctor.stderr.contains("a recording, not a presence list"),
        "{}",
        doctor.stderr
    );

    for secret in ["studio", "203.0.113.77", support::TOKEN] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.lines().last().unwrap().contains("digest"), "{text}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn no_secret_name_or_address_is_in_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (mut gateway, address, file) = recording(folder.path(), &[]).await;
    let mut params = support::connect_params("id-of-josephine", &["operator.read", "operator.admin"]);
    for name in [
        "version",
        "platform",
        "mode",
        "displayName",
        "deviceFamily",
        "modelIdentifier",
    ] {
        params["client"][name] = format!("{name} of Josephine").into();
    }
    let mut client = Client::open(address, "").await;
    client.hello(params).await;
    let texts = [
        "Node: josephine (203.0.113.77) \u{b7} app 1-josephine \u{b7} last input 12s ago \u{b7} mode josephine \u{b7} reason 203.0.113.77",
        "Josephine is at 203.0.113.77:80, not [2001:db8::77]",
    ];
    for text in texts {
        let mut params = json!({ "text": text, "roles": ["Josephine"], "scopes": ["josephine.read"] });
        for name in [
            "host",
            "instanceId",
            "deviceId",
            "mode",
            "version",
            "platform",
            "reason",
        ] {
            params[name] = format!("{name}-josephine").into();
        }
        client.request("system-event", params).await;
    }
    let list = client.request("system-presence", json!({})).await["payload"].take();
    support::process::signal(&gateway, rustix::process::Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();

    let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
    assert_eq!(text.matches(r#""system-event""#).count(), 2, "{text}");
    let own = list
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["reason"] == "self")
        .unwrap();
    let own = ["host", "ip"].map(|name| own[name].as_str().unwrap_or_default().to_lowercase());
    // Shorter texts may be in a pseudonym by chance.
    let own = own.iter().filter(|text| text.len() > 7);
    let secrets = ["josephine", "203.0.113.77", "2001:db8", support::TOKEN];
    for secret in own.map(|text| &**text).chain(secrets) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn a_second_run_keeps_the_recording_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = recorded(folder.path()).await;
    let first = std::fs::read(&file).unwrap();
    recorded(folder.path()).await;
    assert_eq!(std::fs::read(folder.path().join("recording.1")).unwrap(), first);
    assert_ne!(std::fs::read(&file).unwrap(), first);
}

#[tokio::test]
async fn the_readable_part_of_a_bad_recording_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = recorded(folder.path()).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text.lines().count();
    let changed = |from: &str, to: &str| text.replacen(from, to, 1);
    for (bad, why, shown) in [
        (
            text[..text.len() - 2].to_owned(),
            format!("line {lines}: it is cut off"),
            3,
        ),
        (
            changed("\"isNode\":false", "\"isNode\":true"),
            format!("line {lines}: the digest differs"),
            3,
        ),
        (
            changed("\"format\":1", "\"format\":9"),
            "line 1: the recording has format 9".to_owned(),
            0,
        ),
        (String::new(), "line 1: the header is missing".to_owned(), 0),
        (
            "[]\n".to_owned(),
            "line 1: not the header of a recording".to_owned(),
            0,
        ),
    ] {
        std::fs::write(&file, bad).unwrap();
        let output = run(replay(&file, &[])).await;
        assert_eq!(output.code, 1, "{why}");
        assert!(output.stderr.contains(&why), "{}", output.stderr);
        assert_eq!(output.stdout.lines().take(3).count(), shown, "{}", output.stdout);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_that_are_no_recordings_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("folder")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(path("pipe")).status();
    assert!(pipe.unwrap().success());
    std::os::unix::fs::symlink("folder", path("link")).unwrap();
    std::fs::write(path("notes"), "not to be lost").unwrap();
    std::fs::write(path("new.1"), "nor this").unwrap();
    for (name, why) in [
        ("folder", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("link", "is not a regular file"),
        ("notes", "notes is a file that is not a recording"),
        ("new", "new.1 is a file that is not a recording"),
        ("missing/file", "No such file or directory"),
    ] {
        let file = path(name);
        let output = run(program(&[
            "serve",
            "--port",
            "0",
            "--record",
            file.to_str().unwrap(),
        ]))
        .await;
        assert_eq!(output.code, 1, "{name}: {}", output.stderr);
        assert!(output.stderr.contains(why), "{name}: {}", output.stderr);
        assert!(name == "new" || !path(&format!("{name}.1")).exists(), "{name}");
    }
    assert_eq!(std::fs::read_to_string(path("notes")).unwrap(), "not to be lost");
    assert_eq!(std::fs::read_to_string(path("new.1")).unwrap(), "nor this");
    assert!(path("folder").is_dir());
    assert!(path("link").is_symlink());
}

#[tokio::test]
async fn errors_of_a_recording_are_printable() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = recorded(folder.path()).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let header = text.lines().next().unwrap();
    let at = serde_json::from_str::<Value>(header).unwrap()["at"].take();
    let line = json!({ "at": at, "wall": 0, "input": { "\u{1b}[31m\u{202e}": 1 } });
    std::fs::write(&file, format!("{header}\n{line}\n")).unwrap();
    let output = run(replay(&file, &[])).await;
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("line 2: unknown variant"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stderr.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        output.stderr
    );
}
