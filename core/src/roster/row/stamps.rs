//! The last writers of a row's members, apart from the handshakes of live connections: beacons and closed connections.
//! Members that live connections wrote are in [`Writers`](super::Writers).

use alloc::vec::Vec;

use super::field::{Field, Fields};

/// The kind of write that a member is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Handshake,
    Beacon,
}

/// The members that a write states: texts, and members outside [`Field`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated(u32);

impl Stated {
    pub(crate) const INSTANCE_ID: Self = Self(1 << 16);
    pub(crate) const DEVICE_ID: Self = Self(1 << 17);
    pub(crate) const LAST_INPUT: Self = Self(1 << 18);
    pub(crate) const ROLES: Self = Self(1 << 19);
    pub(crate) const SCOPES: Self = Self(1 << 20);

    /// Ignores bits that belong to no member.
    #[cfg(feature = "recording")]
    pub(crate) fn of_bits(bits: u32) -> Self {
        Self(bits & ((1 << 21) - 1))
    }

    #[cfg(feature = "recording")]
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// With `other` too, if `is_in`.
    pub(crate) fn with(self, other: Self, is_in: bool) -> Self {
        if is_in { Self(self.0 | other.0) } else { self }
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl From<Fields> for Stated {
    fn from(fields: Fields) -> Self {
        Self(u32::from(fields.bits()))
    }
}

impl From<Field> for Stated {
    fn from(field: Field) -> Self {
        Fields::default().with(field, true).into()
    }
}

/// One write, with the members that no later write replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The connection's serial; 0 if it is unknown.
    pub(crate) conn: u64,
    /// On the age clock.
    pub(crate) at_ms: u64,
    pub(crate) origin: Origin,
    pub(crate) stated: Stated,
}

/// The last writes of a row. Each member is in at most one of them, which bounds their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamps(Vec<Stamp>);

impl Stamps {
    /// Adds a write, which replaces other writes of its members.
    pub(crate) fn write(&mut self, stamp: Stamp) {
        if let [last] = &mut self.0[..]
            && last.stated.without(stamp.stated) == Stated::default()
        {
            *last = stamp;
            return;
        }
        self.remove(stamp.stated);
        self.0.reserve_exact(1);
        self.0.push(stamp);
    }

    /// Removes the writers of these members.
    pub(crate) fn remove(&mut self, stated: Stated) {
        self.0.retain_mut(|stamp| {
            stamp.stated = stamp.stated.without(stated);
            stamp.stated != Stated::default()
        });
    }

    /// The last write of a member.
    pub(crate) fn of(&self, member: Stated) -> Option<&Stamp> {
        self.0.iter().find(|stamp| stamp.stated.has(member))
    }

    #[cfg(feature = "recording")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stamp> {
        self.0.iter()
    }

    /// The newest beacon.
    pub(crate) fn last_beacon(&self) -> Option<&Stamp> {
        let beacons = self.0.iter().filter(|stamp| stamp.origin == Origin::Beacon);
        beacons.max_by_key(|stamp| stamp.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(conn: u64, stated: Stated) -> Stamp {
        Stamp {
            conn,
            at_ms: conn * 10,
            origin: Origin::Beacon,
            stated,
        }
    }

    #[test]
    fn each_member_has_one_last_write() {
        let (host, ip) = (Stated::from(Field::Host), Stated::from(Field::Ip));
        let both = host.with(ip, true);
        let mut stamps = Stamps::default();
        stamps.write(stamp(1, both));
        stamps.write(stamp(2, ip.with(Stated::ROLES, true)));
        let writer = |stamps: &Stamps, member| stamps.of(member).map(|stamp| stamp.conn);
        assert_eq!(writer(&stamps, host), Some(1));
        assert_eq!(writer(&stamps, ip), Some(2));
        assert_eq!(writer(&stamps, Stated::ROLES), Some(2));
        assert_eq!(writer(&stamps, Stated::SCOPES), None);
        assert_eq!(stamps.last_beacon().map(|stamp| stamp.conn), Some(2));
        stamps.write(stamp(3, both.with(Stated::ROLES, true)));
        assert_eq!(stamps.0.len(), 1, "what is replaced is not kept");
        stamps.remove(host);
        assert_eq!(writer(&stamps, host), None);
        assert_eq!(writer(&stamps, ip), Some(3));
    }

    #[test]
    fn there_are_no_more_writes_than_members() {
        let mut stamps = Stamps::default();
        for conn in 0..10_000 {
            stamps.write(stamp(conn, Stated(1 << (conn % 21))));
        }
        assert_eq!(stamps.0.len(), 21);
        assert!(stamps.0.capacity() <= 42);
    }
}
