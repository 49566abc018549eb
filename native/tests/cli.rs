//! The program as people and scripts use it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use support::{Client, config, row, start, start_manual, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The program with nothing of the developer's own environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-gateway"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(mut command: Command) -> Output {
    let output = within("the program", command.output()).await.unwrap();
    Output {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A gateway process and the URL it printed.
async fn serve(arguments: &[&str]) -> (Child, String) {
    let mut child = program(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = within("the URL", lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        if let Some((_, url)) = line.split_once("open ") {
            break url.trim().to_owned();
        }
    };
    (child, url)
}

fn client<'a>(command: &'a str, url: &'a str) -> Vec<&'a str> {
    vec![command, "--url", url, "--token", support::TOKEN]
}

#[tokio::test]
async fn list_prints_a_table_and_the_raw_list() {
    let gateway = start(config());
    let url = gateway.url();
    let (_client, _) = Client::connect(gateway.address(), "studio", &["operator.read"]).await;

    let table = run(program(&client("list", &url))).await;
    assert_eq!(table.code, 0, "{}", table.stderr);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(lines[0].starts_with("STATUS  HOST"), "{}", table.stdout);
    assert_eq!(
        lines.len(),
        3,
        "the gateway and one client, and not this command: {}",
        table.stdout
    );
    let studio = lines.iter().find(|line| line.contains("studio")).unwrap();
    for word in ["Active", "just now", "1.0", "ui", "Connect"] {
        assert!(studio.contains(word), "{studio}");
    }

    let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
    let list: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(row(&list, "studio")["mode"], "ui");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_throttled_command_waits_and_succeeds() {
    let (gateway, clock) = start_manual(config());
    for n in 0..10 {
        let mut guesser = Client::open(gateway.address(), "").await;
        guesser.event().await;
        let mut params = support::connect_params("a", &[]);
        params["auth"]["token"] = format!("guess-{n}").into();
        guesser.request("connect", params).await;
    }
    clock.advance(2_999);
    let url = gateway.url();
    let mut command = program(&client("list", &url));
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = within("the reason", lines.next_line()).await.unwrap().unwrap();
    assert!(line.contains("waiting: unauthorized: too many failed"), "{line}");
    clock.advance(1);
    let output = within("the list", child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn list_shows_a_client_that_left_as_left_and_the_raw_list_stays_standard() {
    let gateway = start(config());
    let url = gateway.url();
    let (mut reader, _) = Client::connect(gateway.address(), "reader", &["operator.read"]).await;
    let (tab, _) = Client::connect(gateway.address(), "studio", &["operator.read"]).await;
    reader.event_named("presence").await;
    drop(tab);
    let event = reader.event_named("presence").await;
    assert_eq!(
        row(&event["payload"]["presence"], "studio")["reason"],
        "disconnect"
    );

    let table = run(program(&client("list", &url))).await;
    let line = |name: &str| table.stdout.lines().find(|line| line.contains(name)).unwrap();
    assert!(line("studio").starts_with("Left "), "{}", table.stdout);
    assert!(line("studio").contains("just now"), "{}", table.stdout);
    assert!(line("reader").starts_with("Active "), "{}", table.stdout);

    let raw = run(program(&[client("list", &url), vec!["--json"]].concat())).await;
    let list: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(row(&list, "studio")["reason"], "disconnect");
    assert!(!raw.stdout.contains("Left"), "{}", raw.stdout);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_beacon_makes_one_row_however_often_it_is_sent() {
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
async fn a_beacon_without_a_place_for_its_id_says_so_and_is_sent() {
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
async fn a_beacon_reports_the_last_input_only_when_asked() {
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

/// What the program writes to a terminal that is its stderr.
#[cfg(unix)]
async fn on_a_terminal(arguments: &[&str]) -> String {
    use std::fs::File;
    use std::io::Read;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let far_end = File::options().read(true).write(true).open(name).unwrap();
    let mut command = program(arguments);
    let mut child = command.stderr(far_end).spawn().unwrap();
    // Its end of the terminal is then the child's alone, and closes with it.
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
async fn a_beacon_on_a_terminal_says_that_the_last_input_is_not_reported() {
    let gateway = start(config());
    let url = gateway.url();
    let beacon = [client("beacon", &url), vec!["--instance-id", "x"]].concat();
    let written = on_a_terminal(&beacon).await;
    assert!(
        written.contains("last input is not reported") && written.contains("--no-last-input"),
        "{written}"
    );
    for option in ["--last-input", "--no-last-input"] {
        let written = on_a_terminal(&[&beacon[..], &[option]].concat()).await;
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

/// Gateways take these values for absent: each run would make a row of its own.
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

#[tokio::test]
async fn failures_have_codes_and_first_words() {
    let gateway = start(config());
    let url = gateway.url();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("ws://{}", silent.local_addr().unwrap());
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let free_url = format!("ws://{free}");
    let long = format!("gopher://{}", "x".repeat(10_000));
    let cases: [(&[&str], i32, &str); 9] = [
        (&["list", "--url", &url, "--token", "wrong"], 4, "refused: "),
        (&["list", "--url", &url], 4, "refused: "),
        (&["list", "--url", &free_url], 3, "cannot connect: "),
        (
            &["list", "--url", &silent_url, "--timeout", "100"],
            5,
            "timeout: ",
        ),
        (&["list", "--url", "gopher://x"], 2, "usage: "),
        (&["list", "--url", &long], 2, "usage: "),
        (&["serve", "--max-entries", "1"], 2, "usage: "),
        (
            &["serve", "--bind", "lan", "--port", "0"],
            2,
            "usage: refusing to listen beyond this machine",
        ),
        (&["serve", "--token", "undefined"], 2, "usage: "),
    ];
    for (arguments, code, words) in cases {
        let output = run(program(arguments)).await;
        assert_eq!(output.code, code, "{arguments:?}: {}", output.stderr);
        assert!(
            output.stderr.contains(&format!("presence-gateway: {words}")),
            "{arguments:?}: {}",
            output.stderr
        );
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    assert_eq!(run(program(&["frobnicate"])).await.code, 2);
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_secret_the_printed_url_is_all_it_takes() {
    let (mut child, url) = serve(&["--port", "0"]).await;
    assert!(url.contains("/#token="), "{url}");
    let list = run(program(&["list", "--url", &url])).await;
    assert_eq!(list.code, 0, "{}", list.stderr);
    let token = url.split_once("#token=").unwrap().1;
    let other = run(program(&["list", "--url", url.split('#').next().unwrap()])).await;
    assert_eq!(other.code, 4);
    assert!(!other.stderr.contains(token));
    child.kill().await.unwrap();
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_port_in_use_is_explained() {
    let gateway = start(config());
    let port = gateway.address().port().to_string();
    let output = run(program(&[
        "serve",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--token",
        "x",
    ]))
    .await;
    assert_eq!(output.code, 1);
    for words in [
        "is in use by ",
        &format!("(pid {})", std::process::id()),
        "OpenClaw gateway",
        "--port ",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    gateway.shutdown().await;
}

#[tokio::test]
#[cfg(unix)]
async fn a_signal_ends_it_well_and_the_log_holds_no_secret() {
    let mut command = program(&[
        "serve",
        "--port",
        "0",
        "--log-level",
        "trace",
        "--log-format",
        "json",
    ]);
    command
        .env("OPENCLAW_GATEWAY_TOKEN", "top-s3cret")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut url = None;
    while url.is_none() {
        let line = within("the URL", lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        url = line.split_once("open ").map(|(_, url)| url.trim().to_owned());
    }
    let url = url.unwrap();
    for token in ["top-s3cret", "wr0ng-s3cret"] {
        run(program(&["list", "--url", &url, "--token", token])).await;
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains("stopped") && log.contains("AUTH_TOKEN_MISMATCH"),
        "{log}"
    );
    assert!(!log.contains("s3cret"), "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

/// `sh` lowers the limit of the program.
#[cfg(unix)]
#[tokio::test]
async fn more_connections_than_open_files_are_refused_if_asked_for() {
    let serve = |files: u32, arguments: &str| {
        let mut command = Command::new("/bin/sh");
        let program = env!("CARGO_BIN_EXE_presence-gateway");
        let line = format!("ulimit -n {files} && exec {program} serve --port 0 {arguments}");
        command
            .args(["-c", &line])
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    };
    let refused = run(serve(1_000, "--max-connections 873")).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert_eq!(
        refused.stderr,
        "presence-gateway: usage: --max-connections 873: the hard limit of open files is 1000, which allows 872; raise \
         it (ulimit -Hn) or ask for fewer\n"
    );
    for (arguments, words) in [
        ("--max-connections 872", "listening"),
        ("", "max_connections=872"),
    ] {
        let mut child = serve(1_000, arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        loop {
            let line = within("a line", lines.next_line())
                .await
                .unwrap()
                .expect("the gateway ended");
            if line.contains(words) {
                assert_eq!(line.contains("WARN"), arguments.is_empty(), "{line}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn help_teaches() {
    let help = run(program(&["--help"])).await;
    assert_eq!(help.code, 0);
    for words in [
        "serve",
        "list",
        "watch",
        "beacon",
        "Exit codes",
        "3 cannot connect",
    ] {
        assert!(
            help.stdout.contains(words),
            "{words} is missing:\n{}",
            help.stdout
        );
    }
    let serve = run(program(&["serve", "--help"])).await;
    for words in [
        "--max-entries",
        "OPENCLAW_GATEWAY_MAX_ENTRIES",
        "--config",
        "[default: 18789]",
    ] {
        assert!(
            serve.stdout.contains(words),
            "{words} is missing:\n{}",
            serve.stdout
        );
    }
}
