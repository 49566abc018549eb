//! One joined connection in the hub.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::node_key::NodeKey;
use super::trace::Trace;
use crate::model::key::RowKey;
use crate::model::placeholder::Kind;
use crate::model::{Role, scope};
use crate::roster::{ConnectWrite, RowId};
use crate::server::Handshake;
use crate::wire::method::{DELTA_CAP, HIDE_ADDRESSES_CAP, OWN_ROWS_CAP};

#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Unique: distinguishes a connection from earlier ones in its slot.
    pub(super) serial: u64,
    pub(super) handshake: Handshake,
    /// Whether it is sent presence.
    pub(super) reads: bool,
    /// Whether it is sent deltas instead of lists.
    pub(super) takes_deltas: bool,
    /// Whether it is sent snapshots of this gateway's own rows instead, where other gateways are observed (SPEC 7).
    pub(super) sees_own: bool,
    /// Whether addresses are hidden from it.
    pub(super) hides: bool,
    /// Whether its mode makes a row.
    pub(super) is_tracked: bool,
    /// The key its handshake resolves to, regardless of the owner of that row.
    pub(super) key: RowKey,
    /// The row it is bound to; may be gone.
    pub(super) row: Option<RowId>,
    /// Its node, if its role is node.
    pub(super) node: Option<NodeKey>,
    /// The newest presence version that it was sent, or that is queued for it.
    pub(super) has_version: u64,
    /// Calls refused for the role, in a row.
    pub(super) refused_calls: u32,
    pub(super) heartbeat: Heartbeat,
    /// For findings.
    pub(super) trace: Trace,
}

/// The state between ping and pong. Both waits last one ping interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    pub(super) due_ms: u64,
    pub(super) awaits_pong: bool,
}

impl Member {
    /// The values that it writes to its row; `slot` is its own.
    pub(super) fn connect_write(&self, slot: u32) -> ConnectWrite<'_> {
        let handshake = &self.handshake;
        ConnectWrite {
            conn: self.serial,
            seat: slot,
            conn_id: &handshake.conn_id,
            client: &handshake.client,
            role: handshake.role,
            scopes: &handshake.scopes,
            device_id: handshake.device_id.as_deref(),
            remote_ip: handshake.remote_ip.as_deref(),
            user: handshake.user.as_deref(),
        }
    }

    pub(super) fn has_scope(&self, wanted: &str) -> bool {
        scope::is_satisfied(&self.handshake.scopes, wanted)
    }
}

/// Removes placeholders (SPEC 1.4), for the roster and the lists of nodes. Returns the placeholder that was the
/// `instanceId`.
pub(super) fn drop_placeholders(handshake: &mut Handshake) -> Option<&'static str> {
    let client = &handshake.client;
    let is_host = |text: &str| Kind::Host.is_placeholder(text);
    let has_host = client.display_name.as_deref().is_some_and(is_host);
    let id = client.instance_id.as_deref();
    let placeholder = id.and_then(|id| Kind::Id.placeholder(id));
    let has_id = placeholder.is_some();
    if has_host || has_id {
        let client = Arc::make_mut(&mut handshake.client);
        client.display_name.take_if(|_| has_host);
        client.instance_id.take_if(|_| has_id);
    }
    handshake.remote_ip.take_if(|ip| Kind::Ip.is_placeholder(ip));
    placeholder
}

/// Operators with `operator.read` are sent presence; nodes never (SPEC 2, "Recipients").
pub(super) fn may_read(role: Role, scopes: &[Box<str>]) -> bool {
    role == Role::Operator && scope::is_satisfied(scopes, scope::READ)
}

/// Whether the client requested deltas and has the right to read (SPEC 2.1).
pub(super) fn takes_deltas(handshake: &Handshake) -> bool {
    reads_with(handshake, DELTA_CAP)
}

/// Whether the client requested this gateway's own rows only and has the right to read (SPEC 7).
pub(super) fn wants_own_rows(handshake: &Handshake) -> bool {
    reads_with(handshake, OWN_ROWS_CAP)
}

/// Whether its token hides addresses, or the client requested that.
pub(super) fn hides(handshake: &Handshake) -> bool {
    has_cap(handshake, HIDE_ADDRESSES_CAP)
}

fn reads_with(handshake: &Handshake, wanted: &str) -> bool {
    may_read(handshake.role, &handshake.scopes) && has_cap(handshake, wanted)
}

fn has_cap(handshake: &Handshake, wanted: &str) -> bool {
    handshake.caps.iter().any(|cap| **cap == *wanted)
}
