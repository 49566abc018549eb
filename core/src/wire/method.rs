//! Which methods there are, and who may call them (SPEC 2, reference 3.5 and 4.6).

use super::error::WireError;
use crate::model::{Role, scope};

/// A method this gateway knows.
///
/// ```
/// use presence_core::model::{Role, scope};
/// use presence_core::wire::Method;
/// let method = Method::resolve("system-presence")?;
/// assert_eq!(method, Method::SystemPresence);
/// assert!(method.authorize(Role::Operator, &[scope::READ], 4).is_ok());
/// assert!(method.authorize::<&str>(Role::Operator, &[], 4).is_err());
/// # Ok::<(), presence_core::wire::WireError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The handshake; only valid as the first request.
    Connect,
    /// The roster.
    SystemPresence,
    /// The roster with keys, version and digest, for clients that take deltas (SPEC 2.1).
    PresenceSnapshot,
    /// A beacon.
    SystemEvent,
    /// The gateway's health.
    Health,
    /// The gateway's versions and counters.
    Status,
    /// Would wake the agent; known, because clients call it, but there is none.
    Wake,
    /// The last heartbeat of the agent: always `null` here.
    LastHeartbeat,
    /// Switches heartbeats on or off.
    SetHeartbeats,
    /// The configuration: a stub that probes can read.
    ConfigGet,
    /// The nodes: connected, or gone a while ago.
    NodeList,
    /// The same nodes, as a list of pairings.
    NodePairList,
    /// One of them.
    NodeDescribe,
    /// Agents: none here.
    AgentsList,
    /// Device pairings: none here.
    DevicePairList,
    /// An event of a node.
    NodeEvent,
    /// A node's skills.
    NodeSkillsUpdate,
    /// A node's plugin tools.
    NodePluginToolsUpdate,
    /// A node's runners.
    NodeRunnerInventoryUpdate,
}

/// The methods that `hello-ok.features.methods` states: those that are answered. Clients gate pages
/// on this list. `connect` is over by then and `wake` is only ever refused, so neither is in it.
pub const ADVERTISED: [Method; 17] = [
    Method::SystemPresence,
    Method::PresenceSnapshot,
    Method::SystemEvent,
    Method::Health,
    Method::Status,
    Method::LastHeartbeat,
    Method::SetHeartbeats,
    Method::ConfigGet,
    Method::NodeList,
    Method::NodePairList,
    Method::NodeDescribe,
    Method::AgentsList,
    Method::DevicePairList,
    Method::NodeEvent,
    Method::NodeSkillsUpdate,
    Method::NodePluginToolsUpdate,
    Method::NodeRunnerInventoryUpdate,
];

/// The events that `hello-ok.features.events` states: those that are sent.
pub const EVENTS: [&str; 5] = [
    "connect.challenge",
    "presence",
    "node.presence",
    "tick",
    "shutdown",
];

/// The capability by which a client asks for deltas instead of full lists (SPEC 2.1).
pub const DELTA_CAP: &str = "presence-delta";

/// The events that a client with [`DELTA_CAP`] is sent instead of `presence`.
pub const DELTA_EVENTS: [&str; 6] = [
    "connect.challenge",
    "presence.delta",
    "presence.snapshot",
    "node.presence",
    "tick",
    "shutdown",
];

/// Every method, for the search by name.
const ALL: [Method; 19] = {
    let mut all = [Method::Connect; 19];
    let mut index = 0;
    while index < ADVERTISED.len() {
        all[index] = ADVERTISED[index];
        index += 1;
    }
    all[ADVERTISED.len()] = Method::Wake;
    all
};

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Any operator, whatever its scopes. `system-event` is one: which rows a beacon may write is
    /// decided by the row (SPEC 2, "Beacon rights").
    Operator,
    /// Operators with this scope, or one that implies it.
    Scope(&'static str),
    /// Nodes only.
    Node,
}

impl Method {
    /// The method called `name`.
    ///
    /// # Errors
    /// `unknown method: <name>`.
    pub fn resolve(name: &str) -> Result<Self, WireError> {
        Self::from_name(name).ok_or_else(|| WireError::unknown_method(name))
    }

    /// The method called `name`, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.into_iter().find(|method| method.name() == name)
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::SystemPresence => "system-presence",
            Self::PresenceSnapshot => "presence.snapshot",
            Self::SystemEvent => "system-event",
            Self::Health => "health",
            Self::Status => "status",
            Self::Wake => "wake",
            Self::LastHeartbeat => "last-heartbeat",
            Self::SetHeartbeats => "set-heartbeats",
            Self::ConfigGet => "config.get",
            Self::NodeList => "node.list",
            Self::NodePairList => "node.pair.list",
            Self::NodeDescribe => "node.describe",
            Self::AgentsList => "agents.list",
            Self::DevicePairList => "device.pair.list",
            Self::NodeEvent => "node.event",
            Self::NodeSkillsUpdate => "node.skills.update",
            Self::NodePluginToolsUpdate => "node.pluginTools.update",
            Self::NodeRunnerInventoryUpdate => "node.runnerInventory.update",
        }
    }

    /// Who may call it.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Connect | Self::Health | Self::SystemEvent => Access::Operator,
            Self::SystemPresence
            | Self::PresenceSnapshot
            | Self::Status
            | Self::LastHeartbeat
            | Self::ConfigGet
            | Self::NodeList
            | Self::NodeDescribe
            | Self::AgentsList => Access::Scope(scope::READ),
            Self::Wake => Access::Scope(scope::WRITE),
            Self::SetHeartbeats => Access::Scope(scope::ADMIN),
            Self::DevicePairList | Self::NodePairList => Access::Scope(scope::PAIRING),
            Self::NodeEvent
            | Self::NodeSkillsUpdate
            | Self::NodePluginToolsUpdate
            | Self::NodeRunnerInventoryUpdate => Access::Node,
        }
    }

    /// Whether a connection with this role and these scopes may call it, on `protocol`.
    ///
    /// # Errors
    /// `unauthorized role: <role>`, or the missing scope in the words of that protocol.
    pub fn authorize<S: AsRef<str>>(self, role: Role, scopes: &[S], protocol: u32) -> Result<(), WireError> {
        match (self.access(), role) {
            (Access::Node, Role::Node) | (Access::Operator, Role::Operator) => Ok(()),
            (Access::Scope(wanted), Role::Operator) if scope::is_satisfied(scopes, wanted) => Ok(()),
            (Access::Scope(wanted), Role::Operator) => Err(WireError::missing_scope(wanted, protocol)),
            _ => Err(WireError::unauthorized_role(role)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const NODE_METHODS: [&str; 4] = [
        "node.event",
        "node.skills.update",
        "node.pluginTools.update",
        "node.runnerInventory.update",
    ];

    #[test]
    fn names_are_unique_and_lead_back() {
        let mut names: Vec<_> = ALL.iter().map(|method| method.name()).collect();
        for name in &names {
            assert_eq!(Method::from_name(name).unwrap().name(), *name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn wake_and_connect_are_known_but_not_advertised() {
        for name in ["wake", "connect"] {
            let method = Method::from_name(name).unwrap();
            assert!(!ADVERTISED.contains(&method));
        }
    }

    #[test]
    fn an_unknown_method_is_unknown_to_everybody() {
        assert_eq!(
            Method::resolve("chat.history").unwrap_err().message,
            "unknown method: chat.history"
        );
        assert_eq!(Method::from_name("Health"), None);
    }

    #[test]
    fn nodes_call_their_own_methods_and_nothing_else() {
        for method in ALL {
            let answer = method.authorize::<&str>(Role::Node, &[], 4);
            if NODE_METHODS.contains(&method.name()) {
                assert_eq!(answer, Ok(()));
            } else {
                assert_eq!(answer.unwrap_err().message, "unauthorized role: node");
            }
        }
    }

    #[test]
    fn not_even_an_admin_may_speak_for_a_node() {
        for name in NODE_METHODS {
            let refused = Method::resolve(name)
                .unwrap()
                .authorize(Role::Operator, &[scope::ADMIN], 4);
            assert_eq!(refused.unwrap_err().message, "unauthorized role: operator");
        }
    }

    #[test]
    fn scopes_of_operators() {
        let cases = [
            ("system-presence", scope::READ),
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
        for (name, wanted) in cases {
            let method = Method::resolve(name).unwrap();
            let refused = method.authorize::<&str>(Role::Operator, &[], 3).unwrap_err();
            assert_eq!(refused, WireError::missing_scope(wanted, 3));
            assert_eq!(method.authorize(Role::Operator, &[wanted], 4), Ok(()), "{name}");
            assert_eq!(
                method.authorize(Role::Operator, &[scope::ADMIN], 4),
                Ok(()),
                "{name}"
            );
            let written = method.authorize(Role::Operator, &[scope::WRITE], 4);
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
                Method::resolve(name)
                    .unwrap()
                    .authorize::<&str>(Role::Operator, &[], 4),
                Ok(())
            );
        }
    }
}
