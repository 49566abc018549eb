//! The joined connections, at small and dense indexes, which a shell can use for its own table.

use slab::Slab;

use super::ConnId;
use super::member::Member;

#[derive(Clone, Debug, Default)]
pub(super) struct Members(Slab<Member>);

impl Members {
    pub(super) fn insert(&mut self, member: Member) -> ConnId {
        let serial = member.serial;
        let slot = self.0.insert(member) as u32;
        ConnId { slot, serial }
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Member> {
        self.0.try_remove(slot as usize)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Member> {
        self.0.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Member> {
        self.0.get_mut(slot as usize)
    }

    /// Whether `conn` is still the connection in its slot.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        self.get(conn.slot)
            .is_some_and(|member| member.serial == conn.serial)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All members in slot order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ConnId, &Member)> {
        self.0
            .iter()
            .map(|(slot, member)| (conn_id(slot, member), member))
    }

    /// All members in slot order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Member)> {
        self.0
            .iter_mut()
            .map(|(slot, member)| (conn_id(slot, member), member))
    }
}

fn conn_id(slot: usize, member: &Member) -> ConnId {
    ConnId {
        slot: slot as u32,
        serial: member.serial,
    }
}
