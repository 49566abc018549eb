//! `list`: prints the connected clients.

use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::model::RawEntry;

use super::client::{Link, client_info, in_time, no_params};
use super::options::ListOptions;
use super::target::Target;
use super::{Failure, print, roster};

pub(super) async fn list(options: &ListOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let payload = in_time(&target, async {
        link.connect().await?;
        link.call("system-presence", &no_params()).await
    })
    .await?;
    let now_ms = link.machine().server_ms(link.now());
    link.stop().await;
    if options.json {
        return print(&format!("{payload}\n"));
    }
    let rows = RawEntry::parse_list(&payload)
        .ok_or_else(|| Failure::Other("the gateway's answer is not a list of rows".to_owned()))?;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, now_ms);
    print(&roster::table(&mirror, now_ms, |_| String::new()))
}
