//! Beacons: which row they are about, and what they write (SPEC 1.2 to 1.4).

use presence_core::Now;
use presence_core::model::beacon::Beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::roster::Holder;

use super::Model;
use super::identity::id_of;
use super::row::{add_missing, last_id_wins, last_write_wins};
use super::text::{self, Key, normalise, parsed_text, present, text_key};

/// Why a beacon was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It claimed to be the gateway.
    ClaimsSelf,
    /// Only rows with live connections could have gone for its row.
    Full,
}

impl Model {
    /// A beacon arrived.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn beacon(&mut self, beacon: &Beacon, holder: Holder, now: Now) -> Result<u64, Refusal> {
        let instance = id_of(&beacon.instance_id);
        if instance.is_some() && instance == id_of(&self.self_entry.instance_id) {
            return Err(Refusal::ClaimsSelf);
        }
        self.settle(now);
        let at = match self.row_of_beacon(beacon) {
            Ok(at) => at,
            // Self, the rows with live connections, and this one.
            Err(_) if 1 + self.live_rows() + 1 > self.cap => return Err(Refusal::Full),
            Err(key) => {
                let at = self.make_row(key);
                if let Holder::Connection(conn) = holder {
                    self.rows[at].holder = Some(conn);
                }
                at
            }
        };
        if let Some(instance) = instance {
            self.rows[at].key = Key::Named(instance);
        }
        Ok(self.write_beacon(at, beacon, holder, now))
    }

    /// The row that a beacon leads to, or the key of a new one.
    pub(super) fn row_of_beacon(&self, beacon: &Beacon) -> Result<usize, Key> {
        let (instance, device) = (id_of(&beacon.instance_id), id_of(&beacon.device_id));
        let parsed = parsed_text(&beacon.text);
        let key = beacon_key(beacon, parsed.as_ref(), instance.clone(), device.clone());
        self.row_by_ids(&instance, &device)
            .or_else(|| self.row_by_key(&key))
            .ok_or(key)
    }

    pub(super) fn write_beacon(&mut self, at: usize, beacon: &Beacon, holder: Holder, now: Now) -> u64 {
        let beacon = &Beacon {
            host: present("host", beacon.host.clone()),
            ip: present("ip", beacon.ip.clone()),
            version: present("version", beacon.version.clone()),
            instance_id: present("id", beacon.instance_id.clone()),
            device_id: present("id", beacon.device_id.clone()),
            ..beacon.clone()
        };
        let parsed = parsed_text(&beacon.text);
        let id = self.rows[at].id;
        self.step(Some(id), |model| {
            let row = &mut model.rows[at];
            let fields = &mut row.fields;
            let from_text = |kind: &str, pick: fn(&text::ParsedText) -> &str| -> Option<Box<str>> {
                present(kind, parsed.as_ref().map(|parsed| pick(parsed).into()))
            };
            let host = beacon.host.clone().or_else(|| from_text("host", |p| &p.host));
            let ip = beacon.ip.clone().or_else(|| from_text("ip", |p| &p.ip));
            let version = beacon
                .version
                .clone()
                .or_else(|| from_text("version", |p| &p.version));
            let mode = beacon
                .mode
                .clone()
                .or_else(|| parsed.as_ref().map(|p| p.mode.as_str().into()));
            let reason = beacon
                .reason
                .clone()
                .or_else(|| parsed.as_ref().map(|p| p.reason.as_str().into()));
            let are_written = [&host, &ip, &version, &mode, &reason].map(Option::is_some);
            last_write_wins(&mut fields.host, host);
            last_write_wins(&mut fields.ip, ip);
            last_write_wins(&mut fields.version, version);
            last_write_wins(&mut fields.mode, mode);
            last_write_wins(&mut fields.reason, reason);
            last_write_wins(&mut fields.platform, beacon.platform.clone());
            last_write_wins(&mut fields.device_family, beacon.device_family.clone());
            last_write_wins(&mut fields.model_identifier, beacon.model_identifier.clone());
            last_id_wins(&mut fields.instance_id, beacon.instance_id.clone());
            if row.owner.is_none() {
                last_id_wins(&mut fields.device_id, beacon.device_id.clone());
            }
            fields.text = Some(beacon.text.clone());
            let seconds = beacon
                .last_input_seconds
                .or_else(|| parsed.as_ref().map(|parsed| parsed.last_input_seconds))
                .map(|seconds| seconds.min(MAX_SAFE_INTEGER));
            for (member, is_written) in [
                ("host", are_written[0]),
                ("ip", are_written[1]),
                ("version", are_written[2]),
                ("mode", are_written[3]),
                ("reason", are_written[4]),
                ("platform", beacon.platform.is_some()),
                ("deviceFamily", beacon.device_family.is_some()),
                ("modelIdentifier", beacon.model_identifier.is_some()),
                ("text", true),
            ] {
                if is_written {
                    row.written_by.remove(member);
                }
            }
            if beacon.clear_last_input {
                (row.input_at, row.input_by) = (None, None);
            } else if let Some(seconds) = seconds {
                row.input_at = Some(i128::from(now.age_ms) - i128::from(seconds) * 1_000);
                row.input_by = None;
            }
            add_missing(&mut row.from_beacons.0, &beacon.roles);
            add_missing(&mut row.from_beacons.1, &beacon.scopes);
            model.mark_written(at, now);
            model.mark_alive(at, now);
        });
        self.version += 1;
        if let Holder::Connection(conn) = holder {
            self.evict_over_quota(conn);
        }
        self.evict_over_cap(id);
        self.publish(now);
        id
    }
}

fn beacon_key(
    beacon: &Beacon,
    parsed: Option<&text::ParsedText>,
    instance: Option<String>,
    device: Option<String>,
) -> Key {
    let key = instance
        .or(device)
        .or_else(|| normalise(&present("host", Some(parsed?.host.as_str().into()))?))
        .or_else(|| normalise(&present("ip", Some(parsed?.ip.as_str().into()))?));
    Key::Named(key.unwrap_or_else(|| text_key(&beacon.text)))
}
