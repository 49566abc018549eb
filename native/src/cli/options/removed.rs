//! Removed options. They are refused by name, so that no configuration relies on them.

use std::convert::Infallible;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Any value of a removed option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed;

impl FromStr for Removed {
    type Err = Infallible;

    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

impl<'de> Deserialize<'de> for Removed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self)
    }
}
