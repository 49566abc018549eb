//! Every method: its name, its access rule and the reader of its parameters (SPEC 2, reference 3.5 and 4.6).

use alloc::boxed::Box;

use super::beacon;
use super::error::WireError;
use super::history::{self, HISTORY, HistoryQuery};
use super::node_event::{self, NodeEvent};
use super::params::{Length, Members, ParamsError};
use super::tree::Tree;
use crate::model::{Beacon, Role, scope};

/// Most UTF-16 units of the requested `nodeId`.
const MAX_NODE_ID_UNITS: usize = 1_024;
/// Most UTF-16 units of the requested `row`: the name of a gateway and an id in lower case, which may be longer than
/// the id.
const MAX_ROW_KEY_UNITS: usize = 4_096;

/// The access rule of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every connection: for unknown methods, and for `connect`, which is refused for all connections.
    Anyone,
    /// Any operator, whatever its scopes. An example is `system-event`: the right to write a row
    /// depends on the row (SPEC 2, "Beacon rights").
    Operator,
    /// Operators with this scope, or one that implies it.
    Scope(&'static str),
    /// Nodes only.
    Node,
}

/// A call with its parameters.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// The roster.
    SystemPresence,
    /// The roster with keys, version and digest, for clients that take deltas (SPEC 2.1).
    PresenceSnapshot,
    /// The findings; with the key of a row, also the explanation of that row (SPEC 6.1).
    PresenceExplain(Option<Box<str>>),
    /// The sessions of clients, if a history is written (SPEC 6.3).
    PresenceHistory(Box<HistoryQuery>),
    /// A beacon.
    SystemEvent(Box<Beacon>),
    /// The gateway's health.
    Health,
    /// The gateway's versions and counters.
    Status,
    /// The last heartbeat of the agent: always `null` here.
    LastHeartbeat,
    /// Switches heartbeats on or off; this gateway has none.
    SetHeartbeats,
    /// The configuration: a stub that probes can read.
    ConfigGet,
    /// The nodes: connected, or recently disconnected.
    NodeList,
    /// The same nodes, as a list of pairings.
    NodePairList,
    /// The node with this id.
    NodeDescribe(Box<str>),
    /// Agents: none here.
    AgentsList,
    /// Device pairings: none here.
    DevicePairList,
    /// An event of a node.
    NodeEvent(NodeEvent),
    /// A node's skills, plugin tools or runners, which are not kept.
    NodeUpdate,
    /// Would wake the agent; accepted because clients call it, although there is no agent.
    Wake,
    /// The handshake again; only valid as the first request.
    Connect,
}

/// A method of this gateway.
///
/// ```
/// use presence_core::model::{Role, scope};
/// use presence_core::wire::Method;
/// let method = Method::find("system-presence").unwrap();
/// assert!(method.access.authorize(Role::Operator, &[scope::READ], 4).is_ok());
/// assert!(method.access.authorize::<&str>(Role::Operator, &[], 4).is_err());
/// ```
#[derive(Debug)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// The access rule.
    pub access: Access,
    /// Reads the call from the parameters.
    pub(super) read: fn(&Tree<'_>) -> Result<Call, ParamsError>,
}

/// The methods that `hello-ok.features.methods` states, in that order: those that are answered. Clients show pages
/// depending on this list. [`HISTORY`] is stated only if a history is written.
pub static ADVERTISED: &[Method] = &[
    method("system-presence", Access::Scope(scope::READ), |_| {
        Ok(Call::SystemPresence)
    }),
    method("presence.snapshot", Access::Scope(scope::READ), |_| {
        Ok(Call::PresenceSnapshot)
    }),
    method("presence.explain", Access::Scope(scope::READ), |params| {
        let members = Members::of(params)?;
        let row = members.optional_string("row", Length::nonempty(MAX_ROW_KEY_UNITS))?;
        Ok(Call::PresenceExplain(row.map(Into::into)))
    }),
    method(HISTORY, Access::Scope(scope::READ), |params| {
        history::parse(params).map(Box::new).map(Call::PresenceHistory)
    }),
    method(beacon::METHOD, Access::Operator, |params| {
        beacon::parse(params).map(Box::new).map(Call::SystemEvent)
    }),
    method("health", Access::Operator, |_| Ok(Call::Health)),
    method("status", Access::Scope(scope::READ), |_| Ok(Call::Status)),
    method("last-heartbeat", Access::Scope(scope::READ), |_| {
        Ok(Call::LastHeartbeat)
    }),
    method("set-heartbeats", Access::Scope(scope::ADMIN), |params| {
        Members::of(params)?.required_bool("enabled")?;
        Ok(Call::SetHeartbeats)
    }),
    method("config.get", Access::Scope(scope::READ), |_| Ok(Call::ConfigGet)),
    method("node.list", Access::Scope(scope::READ), |_| Ok(Call::NodeList)),
    method("node.pair.list", Access::Scope(scope::PAIRING), |_| {
        Ok(Call::NodePairList)
    }),
    method("node.describe", Access::Scope(scope::READ), |params| {
        let members = Members::of(params)?;
        let id = members.required_string("nodeId", Length::nonempty(MAX_NODE_ID_UNITS))?;
        Ok(Call::NodeDescribe(id.into()))
    }),
    method("agents.list", Access::Scope(scope::READ), |_| {
        Ok(Call::AgentsList)
    }),
    method("device.pair.list", Access::Scope(scope::PAIRING), |_| {
        Ok(Call::DevicePairList)
    }),
    method("node.event", Access::Node, |params| {
        node_event::parse(params).map(Call::NodeEvent)
    }),
    method("node.skills.update", Access::Node, |_| Ok(Call::NodeUpdate)),
    method("node.pluginTools.update", Access::Node, |_| Ok(Call::NodeUpdate)),
    method("node.runnerInventory.update", Access::Node, |_| {
        Ok(Call::NodeUpdate)
    }),
];

/// Methods that hello does not state: `wake` is always refused, and `connect` is done by then.
static OTHERS: &[Method] = &[
    method("wake", Access::Scope(scope::WRITE), |_| Ok(Call::Wake)),
    method(CONNECT, Access::Anyone, |_| Ok(Call::Connect)),
];

/// The name of the handshake's method.
pub(crate) const CONNECT: &str = "connect";

/// The events that `hello-ok.features.events` states: those that are sent.
pub const EVENTS: [&str; 5] = [
    "connect.challenge",
    "presence",
    "node.presence",
    "tick",
    "shutdown",
];

/// The capability by which a client requests deltas instead of full lists (SPEC 2.1).
pub const DELTA_CAP: &str = "presence-delta";

/// The capability by which an observer requests the gateway's own rows, without those of the gateways that it
/// observes (SPEC 7).
pub const OWN_ROWS_CAP: &str = "presence-own";

/// The capability that hides addresses from a connection (SPEC 4). A client may request it, and a token may impose it.
pub const HIDE_ADDRESSES_CAP: &str = "presence-hide-addresses";

/// The events that a client with [`DELTA_CAP`] receives instead of `presence`.
pub const DELTA_EVENTS: [&str; 6] = [
    "connect.challenge",
    "presence.delta",
    "presence.snapshot",
    "node.presence",
    "tick",
    "shutdown",
];

const fn method(
    name: &'static str,
    access: Access,
    read: fn(&Tree<'_>) -> Result<Call, ParamsError>,
) -> Method {
    Method { name, access, read }
}

impl Method {
    /// The method called `name`, if there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|method| method.name == name)
    }

    fn all() -> impl Iterator<Item = &'static Self> {
        ADVERTISED.iter().chain(OTHERS)
    }
}

impl Access {
    /// Checks that a connection with this role and these scopes has access, on `protocol`.
    ///
    /// # Errors
    /// `unauthorized role: <role>`, or the missing scope in the words of that protocol.
    pub fn authorize<S: AsRef<str>>(self, role: Role, scopes: &[S], protocol: u32) -> Result<(), WireError> {
        match (self, role) {
            (Self::Anyone, _) | (Self::Node, Role::Node) | (Self::Operator, Role::Operator) => Ok(()),
            (Self::Scope(wanted), Role::Operator) if scope::is_satisfied(scopes, wanted) => Ok(()),
            (Self::Scope(wanted), Role::Operator) => Err(WireError::missing_scope(wanted, protocol)),
            (Self::Node | Self::Operator | Self::Scope(_), _) => Err(WireError::unauthorized_role(role)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::Request;

    const NODE_METHODS: [&str; 4] = [
        "node.event",
        "node.skills.update",
        "node.pluginTools.update",
        "node.runnerInventory.update",
    ];

    #[test]
    fn names_are_unique_and_lead_back() {
        let mut names: Vec<_> = Method::all().map(|method| method.name).collect();
        for name in &names {
            assert_eq!(Method::find(name).unwrap().name, *name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Method::all().count());
    }

    #[test]
    fn wake_and_connect_are_known_but_not_advertised() {
        for name in ["wake", "connect"] {
            assert!(Method::find(name).is_some());
            assert!(!ADVERTISED.iter().any(|method| method.name == name));
        }
    }

    #[test]
    fn an_unknown_method_is_unknown_to_every_role() {
        let request = Request::parse(r#"{"type":"req","id":"1","method":"chat.history"}"#).unwrap();
        for role in [Role::Operator, Role::Node] {
            assert_eq!(request.access.authorize::<&str>(role, &[], 4), Ok(()));
        }
        assert_eq!(request.call.unwrap_err().message, "unknown method: chat.history");
        assert!(Method::find("Health").is_none());
    }

    #[test]
    fn nodes_call_their_own_methods_and_nothing_else() {
        for method in Method::all() {
            let answer = method.access.authorize::<&str>(Role::Node, &[], 4);
            if NODE_METHODS.contains(&method.name) || method.name == CONNECT {
                assert_eq!(answer, Ok(()));
            } else {
                assert_eq!(answer.unwrap_err().message, "unauthorized role: node");
            }
        }
    }

    #[test]
    fn even_an_admin_cannot_call_methods_of_nodes() {
        for name in NODE_METHODS {
            let refused = Method::find(name)
                .unwrap()
                .access
                .authorize(Role::Operator, &[scope::ADMIN], 4);
            assert_eq!(refused.unwrap_err().message, "unauthorized role: operator");
        }
    }

    #[test]
    fn scopes_of_operators() {
        let cases = [
            ("system-presence", scope::READ),
            ("presence.snapshot", scope::READ),
            ("presence.explain", scope::READ),
            ("presence.history", scope::READ),
            ("status", scope::READ),
            ("node.list", scope::READ),
            ("node.describe", scope::READ),
            ("agents.list", scope::READ),
            ("last-heartbeat", scope::READ),
            ("config.get", scope::READ),
            ("wake", scope::WRITE),
            ("set-heartbeats", scope::ADMIN),
            ("device.pair.list", scope::PAIRING),
            ("node.pair.list", scope::PAIRING),
        ];
        for method in Method::all().filter(|method| matches!(method.access, Access::Scope(_))) {
            assert!(
                cases.iter().any(|(name, _)| *name == method.name),
                "add `{}` to `cases`, with the scope that PROTOCOL.md states (2, Methods)",
                method.name
            );
        }
        for (name, wanted) in cases {
            let method = Method::find(name).unwrap();
            let refused = method
                .access
                .authorize::<&str>(Role::Operator, &[], 3)
                .unwrap_err();
            assert_eq!(refused, WireError::missing_scope(wanted, 3));
            assert_eq!(
                method.access.authorize(Role::Operator, &[wanted], 4),
                Ok(()),
                "{name}"
            );
            assert_eq!(
                method.access.authorize(Role::Operator, &[scope::ADMIN], 4),
                Ok(()),
                "{name}"
            );
            let written = method.access.authorize(Role::Operator, &[scope::WRITE], 4);
            assert_eq!(
                written.is_ok(),
                matches!(wanted, scope::READ | scope::WRITE),
                "{name}"
            );
        }
    }

    #[test]
    fn health_and_beacons_need_no_scope() {
        for name in ["health", "system-event"] {
            assert_eq!(
                Method::find(name)
                    .unwrap()
                    .access
                    .authorize::<&str>(Role::Operator, &[], 4),
                Ok(())
            );
        }
    }
}
