//! `beacon`: identity, last input, refused values.

use super::*;

#[tokio::test]
async fn repeated_beacons_update_one_row() {
    let gateway = start(config());
    let url = gateway.url();
    let home = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = program(&client("beacon", &url));
        command.env("HOME", home.path());
        let output = run(command).await;
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, ""),
            "{}",
            output.stderr
        );
    }
    let id = std::fs::read_to_string(kept_id(home.path())).unwrap();
    let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
    let list: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    let beacon = row(&list, id.trim());
    assert_eq!(
        (&beacon["reason"], &beacon["mode"]),
        (&"periodic".into(), &"cli".into())
    );
    assert!(
        ["platform", "host", "deviceFamily", "version"]
            .iter()
            .all(|name| beacon[name].is_string()),
        "{beacon}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_place_for_its_id_a_beacon_is_sent_with_a_note() {
    let gateway = start(config());
    let url = gateway.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    for home in [None, Some(&file)] {
        let mut command = program(&client("beacon", &url));
        command
            .env_remove("HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("APPDATA");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let output = run(command).await;
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(
            output.stderr.contains("the instance id cannot be kept: "),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains("--instance-id"), "{}", output.stderr);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_beacon_reports_the_last_input_only_with_the_option() {
    let gateway = start(config());
    let url = gateway.url();
    for option in [&[][..], &["--no-last-input"]] {
        let beacon = [
            client("beacon", &url),
            vec!["--instance-id", "x"],
            option.to_vec(),
        ]
        .concat();
        let output = run(program(&beacon)).await;
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
        let list: Value = serde_json::from_str(&raw.stdout).unwrap();
        assert!(row(&list, "x")["lastInputSeconds"].is_null(), "{list}");
    }
    let asked = [client("beacon", &url), vec!["--instance-id", "x", "--last-input"]].concat();
    assert_eq!(run(program(&asked)).await.code, 0);
    let both = [asked, vec!["--no-last-input"]].concat();
    assert_eq!(run(program(&both)).await.code, 2);
    gateway.shutdown().await;
}

/// On Linux the last input is that at a terminal of the user. The test has one, which is as old as the test.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_the_option_a_beacon_reports_seconds_since_the_last_input() {
    use rustix::pty::{OpenptFlags, openpt};

    // Where logins are tracked, a terminal counts only while the user is logged in.
    let is_tracked = Path::new("/run/systemd/seats/seat0").exists();
    let _terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let gateway = start(config());
    let url = gateway.url();
    let beacon = [client("beacon", &url), vec!["--instance-id", "x", "--last-input"]].concat();
    assert_eq!(run(program(&beacon)).await.code, 0);
    let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
    let list: Value = serde_json::from_str(&raw.stdout).unwrap();
    let seconds = &row(&list, "x")["lastInputSeconds"];
    assert!(
        seconds.as_u64().map_or(is_tracked, |seconds| seconds < 60),
        "{list}"
    );
    gateway.shutdown().await;
}

/// Returns the output of the program to a terminal as its stderr.
#[cfg(unix)]
pub(crate) async fn on_a_terminal(mut command: Command) -> String {
    use std::fs::File;
    use std::io::Read;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let far_end = File::options().read(true).write(true).open(name).unwrap();
    let mut child = command.stderr(far_end).spawn().unwrap();
    // Then only the child has its end of the terminal, which closes with the child.
    drop(command);
    let written = tokio::task::spawn_blocking(move || {
        let mut written = Vec::new();
        // Linux reports the far end's close as an error.
        let _ = File::from(terminal).read_to_end(&mut written);
        String::from_utf8(written).unwrap()
    });
    let written = within("the terminal's end", written).await.unwrap();
    assert_eq!(within("the program", child.wait()).await.unwrap().code(), Some(0));
    written
}

#[cfg(unix)]
#[tokio::test]
async fn a_beacon_on_a_terminal_notes_that_the_last_input_is_not_reported() {
    let gateway = start(config());
    let url = gateway.url();
    let beacon = [client("beacon", &url), vec!["--instance-id", "x"]].concat();
    let written = on_a_terminal(program(&beacon)).await;
    assert!(
        written.contains("last input is not reported") && written.contains("--no-last-input"),
        "{written}"
    );
    for option in ["--last-input", "--no-last-input"] {
        let written = on_a_terminal(program(&[&beacon[..], &[option]].concat())).await;
        assert_eq!(written, "", "{option}");
    }
    gateway.shutdown().await;
}

fn kept_id(home: &Path) -> std::path::PathBuf {
    let folder = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    home.join(folder).join("openclaw-presence/instance-id")
}

#[tokio::test]
async fn a_beacon_may_bring_its_own_identity() {
    let gateway = start(config());
    let url = gateway.url();
    let beacon = [
        client("beacon", &url),
        vec!["--instance-id", "my-id", "--host", "studio", "--mode", "kiosk"],
    ];
    assert_eq!(run(program(&beacon.concat())).await.code, 0);
    let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
    let list: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(row(&list, "my-id")["host"], "studio");
    gateway.shutdown().await;
}

/// Gateways treat these values as absent, so each run would make a row of its own.
#[tokio::test]
async fn a_beacon_refuses_values_that_gateways_ignore() {
    let gateway = start(config());
    let url = gateway.url();
    for (option, value) in [
        ("--instance-id", "undefined"),
        ("--instance-id", " Null "),
        ("--host", "unknown"),
    ] {
        let beacon = [client("beacon", &url), vec![option, value]].concat();
        let output = run(program(&beacon)).await;
        assert_eq!(output.code, 2, "{option} {value}: {}", output.stderr);
        assert!(
            output.stderr.contains(option) && output.stderr.contains(value.trim()),
            "{}",
            output.stderr
        );
    }
    gateway.shutdown().await;
}
