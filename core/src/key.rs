//! Presence keys (SPEC 1.2).
/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresenceKey(alloc::boxed::Box<str>);
