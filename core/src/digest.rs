//! The digest of a roster: equal rosters have equal digests, whatever their order (SPEC 2.1).
//!
//! Each row contributes XXH3-64 (seed 0) of its wire key, a line feed and the canonical JSON
//! (RFC 8785) of its entry without `ts` and `lastInputSeconds`; the digest is the sum modulo 2^64.
//! A sum, so that one changed row costs one row.

use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::entry::PresenceEntry;

/// One row's part, from its entry.
#[must_use]
pub fn of_entry(key: &str, entry: &PresenceEntry) -> u64 {
    match serde_json::to_value(entry) {
        Ok(Value::Object(entry)) => of_json(key, entry),
        // Strings, integers and lists of strings always become an object.
        _ => 0,
    }
}

/// One row's part, from an entry as it came over the wire. Members we do not know take part too.
///
/// ```
/// use presence_core::digest;
/// let serde_json::Value::Object(entry) = serde_json::json!({ "ts": 5, "host": "pi" }) else { panic!() };
/// assert_eq!(digest::to_hex(digest::of_json("SELF", entry)), "a65b9137050a3aaf");
/// ```
#[must_use]
pub fn of_json(key: &str, mut entry: Map<String, Value>) -> u64 {
    entry.remove("ts");
    entry.remove("lastInputSeconds");
    // Without blanks, members in order, strings escaped as RFC 8785 wants, integers as they are:
    // the map is ordered and no entry holds a fraction.
    let canonical = serde_json::to_string(&entry).unwrap_or_default();
    xxh3_64(format!("{key}\n{canonical}").as_bytes())
}

/// The digest on the wire: 16 lower-case hex digits.
#[must_use]
pub fn to_hex(digest: u64) -> String {
    format!("{digest:016x}")
}
