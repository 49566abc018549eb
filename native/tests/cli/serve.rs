//! `serve`, the exit codes and the help.

use super::*;

#[tokio::test]
async fn failures_have_codes_and_first_words() {
    let gateway = start(config());
    let url = gateway.url();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
async fn the_printed_url_with_the_created_token_connects() {
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
    let taken = gateway.address().to_string();
    let output = run(program(&["serve", "--port", "0", "--metrics-bind", &taken])).await;
    assert!(
        output
            .stderr
            .contains("use another address: --metrics-bind 127.0.0.1:"),
        "{}",
        output.stderr
    );
    gateway.shutdown().await;
}

#[tokio::test]
#[cfg(unix)]
async fn a_signal_stops_the_gateway_and_the_log_has_no_secret() {
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
    // Without --record-last it only logs a line.
    support::process::signal(&child, rustix::process::Signal::USR1);
    let listed = run(program(&["list", "--url", &url, "--token", "top-s3cret"])).await;
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    support::process::signal(&child, rustix::process::Signal::TERM);
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains("stopped") && log.contains("AUTH_TOKEN_MISMATCH"),
        "{log}"
    );
    assert!(log.contains("SIGUSR1: nothing is recorded in memory"), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

/// Neither a file nor a pipe to a program: Linux pipes a dump if the limit is 0, but not if it is 1.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_crash_leaves_no_core_dump() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::ExitStatusExt;

    let folder = tempfile::tempdir().unwrap();
    let serve = format!(
        "ulimit -c unlimited; exec {} serve --port 0 --token t",
        env!("CARGO_BIN_EXE_presence-gateway")
    );
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &serve])
        .current_dir(folder.path())
        .env_clear()
        .kill_on_drop(true);
    let (mut child, _) = started(command).await;
    let process = format!("/proc/{}", child.id().unwrap());
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let limits = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))
        .unwrap();
    let bytes: Vec<&str> = limits.split_whitespace().take(2).collect();
    // Where the limit cannot be raised to 1, the process cannot be dumped, and its files belong to root.
    let is_hidden = std::fs::metadata(format!("{process}/limits")).unwrap().uid() == 0;
    assert!(
        bytes == ["1", "1"] || bytes == ["0", "0"] && is_hidden,
        "{limits}"
    );
    support::process::signal(&child, rustix::process::Signal::ABORT);
    let status = within("the end", child.wait()).await.unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
}

/// `sh` lowers the limit of the program.
#[cfg(unix)]
#[tokio::test]
async fn more_connections_than_open_files_are_refused() {
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
    let starved = run(serve(7, "")).await;
    assert_eq!(starved.code, 1, "{}", starved.stderr);
    assert!(
        starved
            .stderr
            .contains("the hard limit of open files is 7, and at least 16 are needed"),
        "{}",
        starved.stderr
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
async fn help_has_examples() {
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

#[tokio::test]
async fn an_empty_variable_is_not_set() {
    let mut empty = program(&["--port", "0", "--config", "no-such-file"]);
    for name in [
        "PORT",
        "CONFIG",
        "LOG_LEVEL",
        "AUTH",
        "WEB_ROOT",
        "TOKEN",
        "TRUSTED_PROXY",
    ] {
        empty.env(format!("OPENCLAW_GATEWAY_{name}"), "");
    }
    // Only the file is wrong.
    let refused = run(empty).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .starts_with("presence-gateway: usage: configuration file no-such-file: "),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn an_empty_variable_of_a_list_is_an_empty_list() {
    let mut gateway = program(&["--port", "0", "--token", "t"])
        .env("OPENCLAW_GATEWAY_EPHEMERAL_MODE", "")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let url = loop {
        let line = within("the URL", lines.next_line()).await.unwrap().unwrap();
        if let Some((_, url)) = line.split_once("ws://") {
            break format!("ws://{}", url.split_whitespace().next().unwrap());
        }
    };
    let list = run(program(&["list", "--url", &url, "--token", "t", "--json"])).await;
    let rows: Value = serde_json::from_str(&list.stdout).unwrap();
    // All modes get a row, so the command lists itself, too.
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
    gateway.kill().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_end_is_refused() {
    let refused = run(program(&["serve", "--config", "/dev/zero"])).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("it is not a regular file"),
        "{}",
        refused.stderr
    );
}

/// The unit names existing options and variables, and the actual times.
#[tokio::test]
async fn the_unit_for_systemd_fits_the_program() {
    let unit = include_str!("../../ops/presence-gateway.service");
    let help = run(program(&["serve", "--help"])).await.stdout;
    for word in ["OPENCLAW_GATEWAY_TOKEN", "--drain-ms"] {
        assert!(unit.contains(word) && help.contains(word), "{word}");
    }
    let drain_ms = presence_gateway::GatewayConfig::default().drain_ms;
    let stop_s = unit
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="))
        .unwrap();
    assert_eq!(stop_s.parse::<u64>().unwrap() * 1_000, 2 * drain_ms);
}

/// Without options for other servers, it has only listening sockets and those of its clients.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_these_options_the_gateway_opens_no_connections() {
    let (mut child, url) = serve(&["--port", "0"]).await;
    assert_eq!(run(program(&["list", "--url", &url])).await.code, 0);
    let folder = std::path::PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let own: Vec<String> = std::fs::read_dir(folder.join("fd"))
        .unwrap()
        .filter_map(|file| std::fs::read_link(file.unwrap().path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let port = url.split(['/', '#']).nth(2).unwrap().rsplit(':').next().unwrap();
    let port = format!(":{:04X}", port.parse::<u16>().unwrap());
    let mut listens = 0;
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let table = std::fs::read_to_string(folder.join("net").join(table)).unwrap();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, inode) = (fields[1], fields[9]);
            if own.iter().any(|socket| socket == inode) {
                assert!(local.ends_with(&port), "{line}");
                listens += 1;
            }
        }
    }
    assert!(listens >= 1, "the sockets were looked for in the wrong place");
    child.kill().await.unwrap();
}
