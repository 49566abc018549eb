//! Two gateways with one file: only the first writes it.

use serde_json::json;

use super::recording::recording;
use super::*;

/// A second gateway with these options, which must not start. Returns what it says.
async fn refused(options: &[&str]) -> String {
    let output = run(program(
        &[&["serve", "--token", support::TOKEN], options].concat(),
    ))
    .await;
    assert_eq!(output.code, 1, "{}", output.stderr);
    output.stderr
}

#[tokio::test]
async fn a_second_gateway_moves_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (mut gateway, address, file) = recording(folder.path(), &[]).await;
    let path = file.to_str().unwrap();
    let older = format!("{path}.1");
    std::fs::write(&older, std::fs::read(&file).unwrap()).unwrap();
    let before = std::fs::read(&older).unwrap();

    let port = address.port().to_string();
    let why = refused(&["--port", &port, "--record", path]).await;
    assert!(why.contains("port"), "{why}");
    let why = refused(&["--port", "0", "--record", path]).await;
    assert!(why.contains("another gateway writes it"), "{why}");

    assert_eq!(std::fs::read(&older).unwrap(), before);
    drop(Client::connect(address, "studio", &["operator.read"]).await);
    support::process::signal(&gateway, rustix::process::Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();
    let output = run(program(&["replay", path, "--json"])).await;
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["rows"].as_array().unwrap().len(), 2);
}

#[cfg(feature = "history")]
#[tokio::test]
async fn a_second_gateway_ends_no_session_of_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let path = file.to_str().unwrap();
    let options = ["--port", "0", "--token", support::TOKEN, "--history", path];
    let (mut gateway, url) = serve(&options).await;
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let (mut client, _) = Client::connect(address.parse().unwrap(), "studio", &["operator.read"]).await;

    let why = refused(&["--port", "0", "--history", path]).await;
    assert!(why.contains("another gateway writes it"), "{why}");

    within("the session", async {
        loop {
            let page = client
                .request("presence.history", json!({ "instance": "studio" }))
                .await;
            let Some(session) = page["payload"]["sessions"].get(0) else {
                continue;
            };
            assert!(session["to"].is_null(), "{session}");
            break;
        }
    })
    .await;
    gateway.kill().await.unwrap();
}
