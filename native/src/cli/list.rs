//! `list`: prints the connected clients.

use std::io::IsTerminal;

use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::model::RawEntry;

use super::client::{Link, client_info, in_time, no_params};
use super::options::ListOptions;
use super::target::Target;
use super::{Failure, is_bidi_control, print, roster};

pub(super) async fn list(options: &ListOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let payload = in_time(&target, async {
        link.connect().await?;
        // A list with keys came with the handshake, and only it says which gateway a row is from.
        if !options.json && link.machine().mirror().version().is_some() {
            return Ok(None);
        }
        link.call("system-presence", &no_params()).await.map(Some)
    })
    .await?;
    let now_ms = link.machine().server_ms(link.now());
    let Some(payload) = payload else {
        let table = roster::table(link.machine().mirror(), now_ms, |_| String::new());
        link.stop().await;
        return print(&table);
    };
    link.stop().await;
    if options.json {
        let is_for_people = std::io::stdout().is_terminal();
        return print(&format!(
            "{}\n",
            if is_for_people {
                escaped(&payload)
            } else {
                payload.to_string()
            }
        ));
    }
    let rows = RawEntry::parse_list(&payload)
        .ok_or_else(|| Failure::Other("the gateway's answer is not a list of rows".to_owned()))?;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, now_ms);
    print(&roster::table(&mirror, now_ms, |_| String::new()))
}

/// The same JSON without characters that steer a terminal: they can only be in its strings.
fn escaped(json: &str) -> String {
    json.chars()
        .map(|c| {
            if (c.is_control() && !c.is_ascii_whitespace()) || is_bidi_control(c) {
                format!("\\u{:04x}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_cannot_steer_it_and_says_the_same() {
        let json = "[{\"host\":\"a\u{9b}31m\u{202e}\u{7f}\u{e9}\"}]\n";
        let shown = escaped(json);
        assert_eq!(shown, "[{\"host\":\"a\\u009b31m\\u202e\\u007f\u{e9}\"}]\n");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(json));
    }
}
