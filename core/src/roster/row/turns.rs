//! Connections that write different hosts to one row in turn (SPEC 1.2, "One id in two places").

/// The last connections that returned to a row: each wrote its host again after another one had replaced it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct TurnState {
    /// The serial of the connection that returned last.
    returned: u64,
    /// The last two that took turns.
    last: Option<HostTurn>,
}

/// Two connections that took turns: each of them returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub(crate) struct HostTurn {
    /// Their serials.
    pub(crate) conns: [u64; 2],
    /// The time of the last write, on the age clock.
    #[cfg_attr(feature = "recording", serde(rename = "at"))]
    pub(crate) at_ms: u64,
}

impl TurnState {
    /// Notes that `conn` returned and replaced the host that `other` had written. Returns whether the two take turns.
    pub(crate) fn note_return(&mut self, conn: u64, other: u64, at_ms: u64) -> bool {
        // A connection that wrote once, such as an operator's correction, does not return.
        let is_turn = self.returned == other;
        self.returned = conn;
        if is_turn {
            self.last = Some(HostTurn {
                conns: [other, conn],
                at_ms,
            });
        }
        is_turn
    }

    /// The last two connections that took turns.
    pub(crate) fn last(&self) -> Option<HostTurn> {
        self.last
    }
}
