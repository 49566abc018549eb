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
