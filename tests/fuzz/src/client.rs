//! A client whose gateway sends arbitrary frames: each line is a frame, or after an `@` another event.

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientOutput};
use presence_core::model::ClientInfo;
use presence_core::wire::presence::MAX_ROWS;
use presence_core::wire::{Call, ConnectParams, Request};

/// More lines find no more defects.
const MAX_LINES: usize = 64;
/// Most outputs of a client for one line.
const MAX_OUTPUTS: usize = 64;

/// Feeds the lines to a client, which must send only frames that a gateway accepts.
///
/// # Panics
/// When the client sends an invalid frame or has too many outputs.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut now = Now {
        age_ms: 1_000,
        wall_ms: 1_800_000_000_000,
    };
    let info = ClientInfo {
        id: "cli".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: "ui".into(),
        instance_id: Some("me".into()),
        ..ClientInfo::default()
    };
    let mut client = Client::new(ClientConfig::new(info), now);
    client.start(now);
    let (mut socket, mut last_id) = (0, String::from("1"));
    for line in text.lines().take(MAX_LINES) {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["@close", code] => client.handle_close(socket, code.parse().unwrap_or(1006), "gone", now),
            ["@wait", ms] => {
                now = now.after(ms.parse::<u32>().unwrap_or(1).into());
                client.handle_timeout(now);
            }
            ["@start"] => client.start(now),
            ["@stop"] => client.stop(now),
            ["@hide"] => client.set_visible(false, now),
            ["@show"] => client.set_visible(true, now),
            ["@online"] => client.set_online(true, now),
            _ => client.handle_text(socket, &line.replace("$id", &last_id), now),
        }
        let mut outputs = 0;
        while let Some(output) = client.poll_output() {
            outputs += 1;
            assert!(outputs < MAX_OUTPUTS, "the client does not come to rest");
            match output {
                ClientOutput::Open { socket: opened } => {
                    socket = opened;
                    client.handle_open(socket, now);
                }
                ClientOutput::Send { text, .. } => last_id = check(&text),
                _ => {}
            }
        }
        assert!(client.mirror().len() <= MAX_ROWS);
        assert!(client.poll_timeout().is_none_or(|at| at >= now.age_ms));
    }
}

/// Checks a frame of the client as its gateway does; returns its id.
fn check(text: &str) -> String {
    let request = Request::parse(text).expect("a valid frame");
    let call = request.call.expect("valid parameters");
    if matches!(call, Call::Connect) {
        let frame: serde_json::Value = serde_json::from_str(text).expect("JSON");
        ConnectParams::parse(&frame["params"].to_string()).expect("valid parameters of connect");
    }
    request.id.into()
}
