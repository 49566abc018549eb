//! The identity of nodes.

use alloc::boxed::Box;

/// The key of a node: connections with equal keys are one node. A claimed id never equals a proven one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKey {
    /// A verified device.
    Device(Box<str>),
    /// The key of an `instanceId`.
    Instance(Box<str>),
    /// A connection without an id, by its serial.
    Connection(u64),
}
