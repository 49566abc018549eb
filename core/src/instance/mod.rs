//! One row per instance: which rows are of the same one, and how they merge (SPEC 3).

mod group;
mod merge;
mod raw;

pub(crate) use self::group::{Namer, SELF_KEY, keyed_group};
pub(crate) use self::merge::{Merged, merge};
pub(crate) use self::raw::{Raw, grouped};
