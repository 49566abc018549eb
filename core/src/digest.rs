//! The digest of a roster, by which both ends of a delta connection verify that they hold the same rows
//! (SPEC 2.1).
//!
//! A row contributes XXH3-64 (seed 0) of its wire key, a line feed and the RFC 8785 JSON of its entry
//! without its times ([`TIME_MEMBERS`]); the digest is the sum over all rows, mod 2^64. A sum can be updated
//! from the changed rows alone, in any order.

use alloc::format;
use alloc::string::String;

use xxhash_rust::xxh3::xxh3_64;

use crate::model::RawEntry;
use crate::model::entry::{PresenceEntry, TIME_MEMBERS};
use crate::model::json::{json_text, write_canonical};

/// A sum over rows.
///
/// ```
/// use presence_core::PresenceEntry;
/// use presence_core::digest::{Digest, of_entry};
/// let row = of_entry("mac-1", &PresenceEntry { host: Some("studio".into()), ..PresenceEntry::default() });
/// let mut digest = Digest::default();
/// assert_eq!(digest.to_hex(), "0000000000000000");
/// digest.add(row);
/// assert_eq!(digest.to_hex(), "af4a0cfaf450e418");
/// digest.remove(row);
/// assert_eq!(digest, Digest::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// Adds a row.
    pub fn add(&mut self, row: u64) {
        self.0 = self.0.wrapping_add(row);
    }

    /// Removes a row.
    pub fn remove(&mut self, row: u64) {
        self.0 = self.0.wrapping_sub(row);
    }

    /// Adds all rows of another digest.
    #[cfg(feature = "cluster")]
    pub(crate) fn join(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// The digest on the wire: 16 lower-case hex digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

/// The contribution of a row of the gateway's roster.
#[must_use]
pub fn of_entry(key: &str, entry: &PresenceEntry) -> u64 {
    of_json(key, &json_text(entry))
}

/// The contribution of a row as the client received it, unknown members included.
#[must_use]
pub fn of_raw(key: &str, entry: &RawEntry) -> u64 {
    of_json(key, entry.as_str())
}

/// The contribution of a row, from its JSON.
pub(crate) fn of_json(key: &str, entry: &str) -> u64 {
    let mut text = String::with_capacity(key.len() + 1 + entry.len());
    text.push_str(key);
    text.push('\n');
    write_canonical(&mut text, entry, &TIME_MEMBERS);
    xxh3_64(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn full() -> PresenceEntry {
        PresenceEntry {
            host: Some("Zoé's \"Mac\"\n".into()),
            ip: Some("10.0.0.5".into()),
            version: Some("1.2".into()),
            platform: Some("macos 26.1.0".into()),
            device_family: Some("Mac".into()),
            model_identifier: Some("Mac16,6".into()),
            mode: Some("ui".into()),
            last_input_seconds: Some(7),
            reason: Some("connect".into()),
            instance_id: Some("Mac-1".into()),
            device_id: Some("8ef0".into()),
            roles: vec!["operator".into()],
            scopes: vec!["operator.read".into(), "operator.admin".into()],
            client_id: Some("openclaw-macos".into()),
            time_zone: Some("Europe/Paris".into()),
            text: Some("Node: x · mode ui".into()),
            online_since: Some(1_795_293_000_000),
            last_activity_at: Some(1_795_293_118_315),
            user_id: Some("zoé@example.com".into()),
            ts: 1_795_293_125_315,
        }
    }

    #[test]
    fn known_answers() {
        assert_eq!(of_entry("SELF", &PresenceEntry::default()), xxh3_64(b"SELF\n{}"));
        assert_eq!(
            format!("{:016x}", of_entry("SELF", &PresenceEntry::default())),
            "fdaf7787cde1aca6"
        );
    }

    #[test]
    fn the_digest_is_of_the_key_and_the_sorted_members_without_times() {
        let text = concat!(
            "mac-1\n",
            r#"{"clientId":"openclaw-macos","deviceFamily":"Mac","deviceId":"8ef0","host":"Zoé's \"Mac\"\n","#,
            r#""instanceId":"Mac-1","ip":"10.0.0.5","mode":"ui","modelIdentifier":"Mac16,6","#,
            r#""platform":"macos 26.1.0","reason":"connect","roles":["operator"],"#,
            r#""scopes":["operator.read","operator.admin"],"text":"Node: x · mode ui","timeZone":"Europe/Paris","#,
            r#""user":{"id":"zoé@example.com"},"version":"1.2"}"#,
        );
        assert_eq!(
            of_entry("mac-1", &full()),
            xxh3_64(text.as_bytes()),
            "a new member belongs to `text`"
        );
    }

    #[test]
    fn both_ends_agree_on_every_member() {
        for entry in [full(), PresenceEntry::default()] {
            let raw = RawEntry::read(&serde_json::to_string(&entry).unwrap()).unwrap();
            assert_eq!(of_raw("k", &raw), of_entry("k", &entry));
        }
    }

    #[test]
    fn the_digest_ignores_times_and_order_and_nothing_else() {
        let raw = |text: &str| of_raw("k", &RawEntry::read(text).unwrap());
        let digest = raw(r#"{"a":1,"b":{"d":2,"c":3}}"#);
        assert_eq!(
            raw(
                r#"{"ts":9,"onlineSince":5,"lastActivityAt":6,"b":{"c":3,"d":2},"lastInputSeconds":4,"a":1}"#
            ),
            digest
        );
        assert_ne!(raw(r#"{"a":1,"b":{"d":2,"c":4}}"#), digest);
        assert_ne!(raw(r#"{"a":1,"b":{"d":2,"c":3,"ts":0}}"#), digest);
    }
}
