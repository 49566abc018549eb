//! `list`: prints the connected clients.

use std::io::IsTerminal;

use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::model::RawEntry;

use super::client::{Link, client_info, in_time, no_params};
use super::options::ListOptions;
use super::output::escaped;
use super::target::Target;
use super::{Failure, print, roster};

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
