//! A connection's statements about its node, encoded once.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::ip::is_loopback;
use crate::model::json::{escaped_len, write_string};
use crate::roster::size;
use crate::server::Handshake;

/// Most bytes of one node as JSON: optional members that do not fit are left out.
pub(in crate::server::hub) const MAX_NODE_BYTES: usize = 8 * 1024;

/// The longest text of a node without its id and the optional members.
const FRAME: &str = concat!(
    r#"{"nodeId":"","paired":true,"caps":[],"commands":[],"connectedAtMs":9007199254740991,"connected":false,"#,
    r#""lastSeenAtMs":9007199254740991,"lastSeenReason":"significant_location","lastActiveAtMs":9007199254740991}"#
);

/// The lists of a handshake that only nodes show.
#[derive(Debug, Default)]
pub(in crate::server::hub) struct Offer {
    pub(in crate::server::hub) caps: Vec<Box<str>>,
    pub(in crate::server::hub) commands: Vec<Box<str>>,
}

/// The members of a node that its connection states.
#[derive(Clone, Debug)]
pub(super) struct Description {
    /// The `nodeId`.
    pub(super) id: Box<str>,
    /// The other members as JSON text, with a comma before each.
    pub(super) members: Box<str>,
    /// When the connection joined, on the age clock.
    pub(super) joined_ms: u64,
}

impl Description {
    pub(super) fn new(id: &str, handshake: &Handshake, offer: &Offer, joined_ms: u64) -> Self {
        let client = &handshake.client;
        let remote_ip = handshake.remote_ip.as_deref().filter(|ip| !is_loopback(ip));
        // With room for any id that it may have later.
        let ids = [Some(id), client.instance_id.as_deref(), Some(&handshake.conn_id)];
        let id_bytes = ids.into_iter().flatten().map(escaped_len).max().unwrap_or(0);
        let mut room = MAX_NODE_BYTES.saturating_sub(FRAME.len() + id_bytes);
        let mut members = String::from(r#","paired":true"#);
        // In order of weight.
        for (name, value) in [
            ("platform", Some(&*client.platform)),
            ("version", Some(&*client.version)),
            ("displayName", client.display_name.as_deref()),
            ("deviceFamily", client.device_family.as_deref()),
            ("modelIdentifier", client.model_identifier.as_deref()),
            ("remoteIp", remote_ip),
        ] {
            if let Some(value) = value
                && fits(size::member(name, value), &mut room)
            {
                members += &format!(r#","{name}":"#);
                write_string(&mut members, value);
            }
        }
        for (name, items) in [("caps", &offer.caps), ("commands", &offer.commands)] {
            let bytes = items.iter().map(|item| size::item(item)).sum::<usize>();
            // The last item has no comma.
            let shown = if fits(bytes.saturating_sub(1), &mut room) {
                &**items
            } else {
                &[]
            };
            members += &format!(r#","{name}":["#);
            for (index, item) in shown.iter().enumerate() {
                members += if index > 0 { "," } else { "" };
                write_string(&mut members, item);
            }
            members += "]";
        }
        Self {
            id: id.into(),
            members: members.into(),
            joined_ms,
        }
    }
}

/// Takes `bytes` of the room. A member that does not fit takes all of it, so that later ones are left out as well.
fn fits(bytes: usize, room: &mut usize) -> bool {
    let rest = room.checked_sub(bytes);
    *room = rest.unwrap_or(0);
    rest.is_some()
}
