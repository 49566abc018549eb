//! `doctor` and `explain` on gateways of this project.

use serde_json::json;

use super::*;

/// Params of a client without any id, which gets a row for each connection.
fn without_id(name: &str) -> Value {
    let mut params = support::connect_params(name, &["operator.read"]);
    params["client"].as_object_mut().unwrap().remove("instanceId");
    params
}

#[tokio::test]
async fn a_gateway_of_this_project_answers_from_its_memory() {
    let gateway = start(config());
    let (address, url) = (gateway.address(), gateway.url());
    let doctor = [client("doctor", &url), vec!["--json"]].concat();
    let (mut reader, _) = Client::connect(address, "reader", &["operator.read"]).await;
    let (_healthy, _) = Client::connect(address, "studio", &["operator.read"]).await;
    let output = run(program(&doctor)).await;
    assert_eq!((output.code, &*output.stderr), (0, ""), "{}", output.stdout);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["source"]),
        (&json!(true), &json!("gateway"))
    );
    assert_eq!(
        (&report["checksSkipped"], &report["findings"]),
        (&json!([]), &json!([]))
    );
    assert!(report.get("skippedWhy").is_none());
    assert!(
        report["checksRun"]
            .as_array()
            .unwrap()
            .contains(&json!("presence/no-instance-id"))
    );

    for _ in 0..3 {
        let mut tab = Client::open(address, "").await;
        tab.hello(without_id("tab")).await;
        drop(tab);
    }
    loop {
        let event = reader.event_named("presence").await;
        let list = event["payload"]["presence"].as_array().unwrap().clone();
        if list
            .iter()
            .filter(|row| row["host"] == "tab" && row["reason"] == "disconnect")
            .count()
            == 3
        {
            break;
        }
    }
    let output = run(program(&doctor)).await;
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (output.code, &report["ok"]),
        (6, &json!(false)),
        "{}",
        output.stdout
    );
    let is_it = |finding: &&Value| finding["code"] == "NO_INSTANCE_ID";
    let finding = report["findings"].as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!(finding["rows"].as_array().unwrap().len(), 3, "{finding}");

    let text = run(program(&client("doctor", &url))).await;
    assert_eq!(text.code, 6);
    assert!(text.stdout.contains("Rows: tab ("), "{}", text.stdout);
    assert!(
        text.stdout.contains(" in 6 rows; ") && !text.stdout.contains("skipped"),
        "{}",
        text.stdout
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn explain_names_the_key_the_writers_and_the_end_of_a_row() {
    let gateway = start(config());
    let (address, url) = (gateway.address(), gateway.url());
    let (mut studio, _) = Client::connect(address, "Mac-1", &["operator.read", "operator.admin"]).await;
    let beacon = json!({"text": "t", "instanceId": "mac-1", "host": "Studio", "lastInputSeconds": 5});
    studio.request("system-event", beacon).await;
    let explain = |row: &'static str| {
        let mut arguments = client("explain", &url);
        arguments.push(row);
        arguments
    };
    for row in ["mac-1", "STUDIO", "mac"] {
        let output = run(program(&explain(row))).await;
        assert_eq!((output.code, &*output.stderr), (0, ""), "{row}");
        for words in [
            "(mac-1)\n",
            "instanceId",
            "MEMBER",
            "lastInputSeconds",
            "beacon of test",
            "CONNECTION",
        ] {
            assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
        }
    }
    let output = run(program(&[explain("mac-1"), vec!["--json"]].concat())).await;
    let explained: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&explained["source"], &explained["row"]["key"]),
        (&json!("gateway"), &json!("mac-1"))
    );
    assert_eq!(explained["row"]["keyFrom"], "instanceId");

    let (_second, _) = Client::connect(address, "mac-2", &["operator.read"]).await;
    let output = run(program(&explain("mac-"))).await;
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("2 rows are called `mac-`; pass a key: "),
        "{}",
        output.stderr
    );
    let output = run(program(&explain("nobody"))).await;
    assert_eq!((output.code, &*output.stdout), (1, ""));
    assert!(
        output
            .stderr
            .contains("no row has the key, instanceId, deviceId or host `nobody`")
    );
    gateway.shutdown().await;
}
