//! Plain HTTP by TLS whose answers are many records, or never end.

use presence_gateway::WebRoot;

use super::support::TOKEN;
use super::*;

#[tokio::test]
async fn a_large_file_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = "0123456789abcdef".repeat(128 * 1024);
    std::fs::write(folder.path().join("index.html"), &text).unwrap();
    let authority = Authority::new();
    let mut config = authority.config();
    config.web_root = Some(Arc::new(WebRoot::read(folder.path()).unwrap()));
    let gateway = start(config);
    for version in VERSIONS {
        let answer = get(&authority.client(&[version]), gateway.address(), "/").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(body == text, "{} of {} bytes", body.len(), text.len());
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn events_arrive_as_they_happen() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    let client = authority.client(&VERSIONS);
    let mut stream = connect(&client, gateway.address()).await;
    let request = format!(
        "GET /api/presence/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut until = async |words: &str| {
        within(words, async {
            while !String::from_utf8_lossy(&heard).contains(words) {
                assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
            }
        })
        .await;
    };
    until("event: presence.snapshot").await;
    let mut joined = open(&client, gateway.address(), "").await;
    joined.hello(connect_params("newcomer", READ)).await;
    until("\"instanceId\":\"newcomer\"").await;
    gateway.shutdown().await;
}
