//! Bounds on the size and age of a recording.

use serde_json::json;

use super::*;

/// A gateway that records to `folder` with these additional options, and a client of it.
async fn recording_with_client(folder: &Path, more: &[&str]) -> (Child, Client) {
    let (gateway, address, _) = recording::recording(folder, more).await;
    let (client, _) = Client::connect(address, "studio-9", &["operator.read", "operator.admin"]).await;
    (gateway, client)
}

async fn send_beacons(client: &mut Client, number: usize) {
    for n in 0..number {
        let params = json!({ "text": format!("beacon {n}"), "instanceId": format!("mac-{}", n % 3) });
        client.request("system-event", params).await;
    }
}

async fn rows(file: &Path) -> usize {
    let output = run(program(&["replay", file.to_str().unwrap()])).await;
    assert_eq!((output.code, &*output.stderr), (0, ""), "{}", output.stdout);
    // The rows are between the heading and the blank line.
    output
        .stdout
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .count()
}

#[tokio::test]
async fn the_newest_inputs_stay_and_both_files_replay() {
    let folder = tempfile::tempdir().unwrap();
    let (mut gateway, mut client) = recording_with_client(folder.path(), &["--record-bytes", "40000"]).await;
    send_beacons(&mut client, 400).await;
    support::process::signal(&gateway, rustix::process::Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();
    let files = ["recording", "recording.1"].map(|name| folder.path().join(name));
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.len() < 24_000, "{}", text.len());
        assert!(
            text.lines().nth(1).unwrap().contains(r#""state":{"start""#),
            "{text}"
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        // The gateway, the client and what it reported.
        assert_eq!(rows(file).await, 5);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_recording_in_memory_is_written_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let (mut gateway, mut client) = recording_with_client(folder.path(), &["--record-last", "10m"]).await;
    let file = folder.path().join("recording");
    send_beacons(&mut client, 3).await;
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    support::process::signal(&gateway, rustix::process::Signal::USR1);
    let is_written = async {
        while !std::fs::read_to_string(&file).unwrap().ends_with("\"}\n") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the recording", is_written).await;
    assert_eq!(rows(&file).await, 5);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("studio") && text.contains("digest"), "{text}");
    support::process::signal(&gateway, rustix::process::Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn options_without_effect_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let file = file.to_str().unwrap();
    for (arguments, why) in [
        (
            &["--record-age", "1h"][..],
            "--record-age: there is no file: add --record FILE",
        ),
        (
            &["--record-bytes", "40000"],
            "--record-bytes: there is no file: add --record FILE",
        ),
        (
            &["--record", file, "--record-last", "10ms"],
            "--record-last: 10ms is less than 1s",
        ),
        (
            &["--record", file, "--record-last", "1m", "--record-age", "1h"],
            "--record-age: has no meaning with --record-last: remove one",
        ),
        (
            &["--record", file, "--record-bytes", "2147483648"],
            "--record-bytes: 2147483648 is more than 260046848",
        ),
        (
            &[
                "--record",
                file,
                "--record-last",
                "1m",
                "--record-bytes",
                "260046849",
            ],
            "--record-bytes: 260046849 is more than 260046848",
        ),
    ] {
        let output = run(program(&[&["serve", "--port", "0"], arguments].concat())).await;
        assert_eq!(output.code, 2, "{}", output.stderr);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
    assert!(!Path::new(file).exists());
}
