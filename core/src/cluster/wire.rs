//! The values in the buckets as JSON (SPEC 7.1).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{FORMAT, MAX_ROWS};
use crate::model::RawEntry;
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::json::json_text;
use crate::roster::MAX_ROW_BYTES;

/// Most bytes of the value of a row: its entry, its key and numbers.
const MAX_VALUE_BYTES: usize = 4 * MAX_ROW_BYTES;
/// Most bytes of a lease: a line of three numbers for each row.
const MAX_LEASE_BYTES: usize = 64 * MAX_ROWS;

/// A row as its gateway wrote it. Its times are ages at the time of writing, in ms.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RowValue<'a> {
    #[serde(borrow)]
    pub(super) key: Cow<'a, str>,
    pub(super) incarnation: u64,
    pub(super) stamp: u64,
    /// Of its last proof of life.
    pub(super) age: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) online: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activity: Option<u64>,
    #[serde(borrow)]
    pub(super) entry: &'a RawValue,
}

/// A row as its gateway sees it in its lease: number, stamp, age of the last proof of life in ms.
pub(super) type RowAge = (u64, u64, u64);

/// The lease of a gateway.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LeaseValue<'a> {
    pub(super) format: u64,
    #[serde(borrow)]
    pub(super) boot: Cow<'a, str>,
    /// 0: the name is claimed, and the lease holds no rows.
    pub(super) incarnation: u64,
    /// The highest stamp so far.
    pub(super) stamp: u64,
    pub(super) rows: Vec<RowAge>,
}

/// Why a value is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValueError {
    #[error(
        "it has format {0}, and this gateway reads format {FORMAT}: use one version of the gateway in the fleet"
    )]
    Format(u64),
    #[error("a value cannot be read: {0}")]
    Invalid(Box<str>),
}

impl RowValue<'_> {
    pub(super) fn to_json(&self) -> String {
        json_text(self)
    }
}

/// Reads the value of a row, and its entry.
pub(super) fn read_row(value: &[u8]) -> Result<(RowValue<'_>, RawEntry), ValueError> {
    bounded(value, MAX_VALUE_BYTES)?;
    let row: RowValue<'_> = serde_json::from_slice(value).map_err(invalid)?;
    checked(row.incarnation)?;
    let entry = RawEntry::read(row.entry.get());
    let entry = entry.ok_or_else(|| ValueError::Invalid("the entry is not a row".into()))?;
    Ok((row, entry))
}

/// Reads a lease.
pub(super) fn read_lease(value: &[u8]) -> Result<LeaseValue<'_>, ValueError> {
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }

    bounded(value, MAX_LEASE_BYTES)?;
    let Format { format } = serde_json::from_slice(value).map_err(invalid)?;
    if format != FORMAT {
        return Err(ValueError::Format(format));
    }
    let lease: LeaseValue<'_> = serde_json::from_slice(value).map_err(invalid)?;
    checked(lease.incarnation)?;
    Ok(lease)
}

impl LeaseValue<'_> {
    pub(super) fn to_json(&self) -> String {
        json_text(self)
    }
}

/// Checks that a later process can have a higher incarnation.
fn checked(incarnation: u64) -> Result<(), ValueError> {
    if incarnation <= MAX_SAFE_INTEGER {
        return Ok(());
    }
    Err(ValueError::Invalid("its incarnation is beyond 2^53-1".into()))
}

fn bounded(value: &[u8], most: usize) -> Result<(), ValueError> {
    if value.len() <= most {
        return Ok(());
    }
    Err(ValueError::Invalid("it is too long".into()))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: serde_json::Error) -> ValueError {
    use alloc::string::ToString;

    ValueError::Invalid(error.to_string().into())
}
