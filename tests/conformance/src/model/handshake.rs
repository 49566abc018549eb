//! Handshakes: the row they join or make, and what they write (SPEC 1.2 and 1.4).

use std::collections::BTreeMap;

use presence_core::Now;
use presence_core::roster::ConnectWrite;

use super::Model;
use super::identity::id_of;
use super::row::{LiveConnection, ModelRow, Text, last_id_wins, last_write_wins};
use super::text::{self, Key, normalise, present};

impl Model {
    /// A handshake succeeded.
    pub fn connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        self.settle(now);
        let id = self.write_handshake(write, now);
        self.version += 1;
        self.replace(id, write);
        self.evict_over_cap(id);
        self.publish(now);
        id
    }

    /// Handles a pong on a live connection whose row was evicted: restores the row, unless that would evict a row with
    /// a live connection.
    pub fn restore(&mut self, write: &ConnectWrite<'_>, now: Now) -> Option<u64> {
        self.settle(now);
        let mut after = self.clone();
        let id = after.write_handshake(write, now);
        after.version += 1;
        let live_before = after.live_rows();
        after.evict_over_cap(id);
        if after.live_rows() < live_before {
            return None;
        }
        *self = after;
        self.publish(now);
        Some(id)
    }

    /// The row of a connection was evicted; its own beacon is about to create it again.
    pub fn rebuild(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        self.settle(now);
        self.write_handshake(write, now)
    }

    /// That beacon was refused.
    pub fn keep_rebuilt(&mut self, id: u64, now: Now) {
        self.version += 1;
        self.evict_over_cap(id);
        self.publish(now);
    }

    fn write_handshake(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        let client = write.client;
        let own = id_of(&self.self_entry.instance_id);
        let instance = id_of(&client.instance_id).filter(|id| Some(id) != own.as_ref());
        let device = write.device_id.and_then(normalise);
        let (found, is_apart) = self.row_of_handshake(write);
        let at = match found {
            Ok(at) => at,
            Err(key) => self.make_row(key),
        };
        let id = self.rows[at].id;
        let leaving = self.step(Some(id), |model| {
            let mut leaving = Vec::new();
            let row = &mut model.rows[at];
            if !is_apart {
                if let Some(instance) = &instance {
                    row.key = Key::Named(instance.clone());
                }
                if let Some(device) = device {
                    leaving = row.take_ownership(device);
                }
                last_write_wins(&mut row.fields.device_id, write.device_id.map(Into::into));
                if id_of(&client.instance_id).is_none() || instance.is_some() {
                    let own = present("id", client.instance_id.clone());
                    last_id_wins(&mut row.fields.instance_id, own);
                }
            }
            let is_node = write.role.as_str() == "node";
            let required = |value: &Text| Some(value.clone());
            let live = LiveConnection {
                conn: write.conn,
                conn_id: write.conn_id.into(),
                role: write.role.as_str(),
                scopes: write.scopes.to_vec(),
                client_id: client.id.clone(),
                mode: client.mode.clone(),
                says: BTreeMap::from([
                    ("host", present("host", client.display_name.clone())),
                    (
                        "ip",
                        write
                            .remote_ip
                            .filter(|ip| !text::is_loopback(ip) && !text::is_placeholder("ip", ip))
                            .map(Into::into),
                    ),
                    ("version", present("version", required(&client.version))),
                    ("platform", required(&client.platform)),
                    ("mode", required(&client.mode)),
                    ("clientId", required(&client.id)),
                    ("deviceFamily", client.device_family.clone()),
                    ("modelIdentifier", client.model_identifier.clone()),
                    ("timeZone", client.time_zone.clone()),
                    ("user", write.user.map(Into::into)),
                    (
                        "reason",
                        Some(if is_node { "node-connected" } else { "connect" }.into()),
                    ),
                ]),
            };
            row.join(live, now.age_ms);
            row.holder = None;
            model.mark_written(at, now);
            model.mark_alive(at, now);
            leaving
        });
        self.move_apart(leaving, now);
        id
    }

    /// SPEC 1.2, "Replacement".
    fn replace(&mut self, kept: u64, write: &ConnectWrite<'_>) {
        let Some(device) = write.device_id.and_then(normalise) else {
            return;
        };
        let is_left_behind = |row: &ModelRow| {
            row.id != kept
                && row.live.is_empty()
                && row.owner.as_ref() == Some(&device)
                && row.sets().0.iter().any(|role| **role == *write.role.as_str())
                && row.fields.client_id.as_ref() == Some(&write.client.id)
                && row.fields.mode.as_deref().and_then(normalise) == normalise(&write.client.mode)
        };
        while let Some(at) = self.rows.iter().position(is_left_behind) {
            self.remove(at);
        }
    }
}
