//! `list`: the table and the raw list.

use super::*;

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
async fn the_error_of_an_unavailable_gateway_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await.unwrap();
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 21\r\n\r\nToo many connections\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let list = run(program(&["list", "--url", &url])).await;
    server.await.unwrap();
    assert_eq!(list.code, 3, "{}", list.stderr);
    assert!(
        list.stderr
            .contains("HTTP 503 Service Unavailable: Too many connections"),
        "{}",
        list.stderr
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn pings_of_a_gateway_that_does_not_read_take_no_memory() {
    /// Together far more bytes than the program needs: each ping has an answer of its size.
    const PINGS: usize = 400_000;
    const MOST_KB: u64 = 32 * 1024;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    // It must not give up before all pings have arrived.
    let mut child = program(&["watch", "--timeout", "600000", "--url", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (stream, _) = within("a connection", listener.accept()).await.unwrap();
    let mut stream = tokio_tungstenite::accept_async(stream)
        .await
        .unwrap()
        .into_inner();
    let mut ping = vec![0x89, 125];
    ping.extend([b'x'; 125]);
    let pings = ping.repeat(1_000);
    for _ in 0..PINGS / 1_000 {
        within("the pings", stream.write_all(&pings)).await.unwrap();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak_kb: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    child.kill().await.unwrap();
    assert!(peak_kb < MOST_KB, "{peak_kb} kB");
}
