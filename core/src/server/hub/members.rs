//! The joined connections: a slab, so that a shell can keep its own table by the same index.

use alloc::vec::Vec;

use super::ConnId;
use super::member::Member;

#[derive(Debug, Default)]
pub(super) struct Members {
    slots: Vec<Option<Member>>,
    free: Vec<u32>,
    count: usize,
}

impl Members {
    pub(super) fn insert(&mut self, member: Member) -> u32 {
        self.count += 1;
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(member);
            return slot;
        }
        self.slots.push(Some(member));
        (self.slots.len() - 1) as u32
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Member> {
        let member = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        self.count -= 1;
        Some(member)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Member> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Member> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Whether `conn` still is the one in its slot.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        self.get(conn.slot)
            .is_some_and(|member| member.serial == conn.serial)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// All members in slot order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Member)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(slot, member)| Some((slot as u32, member.as_ref()?)))
    }

    /// All members in slot order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Member)> {
        self.slots
            .iter_mut()
            .enumerate()
            .filter_map(|(slot, member)| Some((slot as u32, member.as_mut()?)))
    }
}
