//! Bounds of settings.
//!
//! Every configuration has a `validate` that names the setting that is out of bounds. The machines
//! themselves stay free of panics and of overflows with any value.

use core::ops::RangeInclusive;

/// The longest time a setting may state, in ms: 2^31 - 1, about 24 days. This is the limit of timers in browsers
/// and Node, which get `policy.tickIntervalMs`.
pub const MAX_SPAN_MS: u64 = 2_147_483_647;

/// The most bytes a setting may state: 1 GiB.
pub const MAX_BYTES: u64 = 1 << 30;

/// The least bytes of a frame or a buffer that a setting may state: an ordinary `connect` fits.
pub const MIN_BYTES: u64 = 512;

/// A setting that is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSetting {
    /// Below the least value.
    #[error("{name}: {value} is less than {least}")]
    TooSmall {
        /// The name of the field; with a dot if it is in a nested part.
        name: &'static str,
        /// The given value.
        value: u64,
        /// The least value.
        least: u64,
    },
    /// Above the greatest value.
    #[error("{name}: {value} is more than {most}")]
    TooLarge {
        /// The name of the field; with a dot if it is in a nested part.
        name: &'static str,
        /// The given value.
        value: u64,
        /// The greatest value.
        most: u64,
    },
}

impl InvalidSetting {
    /// The setting, as the field is called: `ttl_ms`, `limits.tick_interval_ms`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooSmall { name, .. } | Self::TooLarge { name, .. } => name,
        }
    }
}

/// Checks one setting.
///
/// # Errors
/// [`InvalidSetting`] names it if it is out of bounds.
pub fn within(name: &'static str, value: u64, bounds: RangeInclusive<u64>) -> Result<(), InvalidSetting> {
    let (least, most) = bounds.into_inner();
    if value < least {
        Err(InvalidSetting::TooSmall { name, value, least })
    } else if value > most {
        Err(InvalidSetting::TooLarge { name, value, most })
    } else {
        Ok(())
    }
}

/// A count as a setting's value.
#[must_use]
pub fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
