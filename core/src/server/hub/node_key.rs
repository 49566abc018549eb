//! Which connections are one node.

use alloc::boxed::Box;

/// What makes two connections the same node. A claimed id never is a proven one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKey {
    /// A verified device.
    Device(Box<str>),
    /// The key of an `instanceId`.
    Instance(Box<str>),
    /// A connection without an id, by its serial.
    Connection(u64),
}
