//! The handshake of a client, as the hub gets it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::model::{ClientInfo, Role};

/// An accepted handshake, with which a connection joins the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The id of the `connect` request, echoed in its response.
    pub request_id: Box<str>,
    /// The connection's id on the wire (`hello-ok.server.connId`), unique per process.
    pub conn_id: Box<str>,
    /// The protocol number in force: 3 or 4.
    pub protocol: u32,
    /// The role in force.
    pub role: Role,
    /// The scopes in force, in the order of the request; a node has none.
    pub scopes: Arc<[Box<str>]>,
    /// The client.
    pub client: Arc<ClientInfo>,
    /// The verified device id.
    pub device_id: Option<Box<str>>,
    /// Extensions the client understands.
    pub caps: Vec<Box<str>>,
    /// Commands a node offers.
    pub commands: Vec<Box<str>>,
    /// The client's address as far as it can be attributed; loopback ones are ignored by the roster.
    pub remote_ip: Option<Box<str>>,
    /// The id of the user of the connection, as a trusted proxy states it.
    pub user: Option<Box<str>>,
    /// Whether a node may report the input of its user: `permissions.accessibility`.
    pub may_report_input: bool,
    /// How far the time in its device proof is ahead of the gateway's, in ms; `None` without a proof.
    pub clock_skew_ms: Option<i64>,
    /// For a visitor, which joins, makes one request and leaves: the number of the quota that its rows about others
    /// count against (SPEC 1.5), shared by all of its visits; at least [`MIN_VISITOR`]. `None` for a connection that
    /// stays, which has a quota of its own.
    pub visitor: Option<u64>,
}

/// The least number of a visitor: above all serials of connections.
pub const MIN_VISITOR: u64 = 1 << 52;
