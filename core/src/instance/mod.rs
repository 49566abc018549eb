//! One row per instance: grouping and merging of rows (SPEC 3).

mod group;
mod merge;
mod raw;

#[cfg(feature = "client")]
pub(crate) use self::group::Namer;
#[cfg(feature = "server")]
pub(crate) use self::group::identified;
pub(crate) use self::group::{SELF_KEY, keyed_group};
#[cfg(feature = "client")]
pub(crate) use self::merge::Merged;
pub(crate) use self::merge::merge;
pub(crate) use self::raw::Raw;
#[cfg(feature = "client")]
pub(crate) use self::raw::grouped;
