//! Prints a recording of a busy gateway, for measuring replays: 1,000 clients that send beacons and answer pings. Among
//! them one reconnects repeatedly, one has a new id each time, one spells its id in two ways, one has two sockets, one
//! sends too many beacons, and one has a wrong clock.
//!
//! `cargo run --release -p presence-core --example recording -- 100000 > recording.jsonl`

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use presence_core::model::ClientInfo;
use presence_core::recording::{Input, Recorder, Redactor};
use presence_core::server::{Handshake, HubConfig, LeaveCause};
use presence_core::wire::{Limits, Request};
use presence_core::{Now, PresenceEntry, model::Role};

const CLIENTS: u64 = 1_000;
/// Time between two inputs, in ms: each client has one in 10 s, of which two in three are pongs.
const STEP_MS: u64 = 10;
/// Turns between a connect and a close of the clients that do not stay.
const TURNS_PER_STAY: u64 = 1_500;
/// Inputs at the end among which are those of the client that sends too many beacons.
const BUSY_INPUTS: u64 = 2_000;

/// Writes inputs, one after the other.
struct Lab<W> {
    out: W,
    recorder: Recorder,
    redactor: Redactor,
    now: Now,
    inputs: u64,
    serial: u64,
}

impl<W: Write> Lab<W> {
    fn write(&mut self, input: Input) -> io::Result<()> {
        self.inputs += 1;
        let lines = self.recorder.record(input, self.now);
        self.out.write_all(lines.as_bytes())?;
        match self.recorder.checkpoint_if_due(self.now) {
            Some(lines) => self.out.write_all(lines.as_bytes()),
            None => Ok(()),
        }
    }

    fn join(&mut self, name: &str, id: &str) -> io::Result<u64> {
        self.serial += 1;
        let handshake = handshake(self.serial, name, id);
        self.write(Input::join(self.serial, &handshake, &self.redactor))?;
        Ok(self.serial)
    }

    fn beacon(&mut self, serial: u64, id: &str) -> io::Result<()> {
        let frame = format!(
            r#"{{"type":"req","id":"1","method":"system-event","params":{{"text":"Hello from {id}","instanceId":"{id}","lastInputSeconds":{}}}}}"#,
            self.inputs % 90
        );
        let request = Request::parse(&frame).map_err(|error| io::Error::other(format!("{error:?}")))?;
        match Input::call(serial, &request, &self.redactor) {
            Some(input) => self.write(input),
            None => Ok(()),
        }
    }
}

fn main() -> io::Result<()> {
    let inputs = std::env::args().nth(1).and_then(|number| number.parse().ok());
    let inputs: u64 = inputs.unwrap_or(100_000);
    let now = Now {
        age_ms: 0,
        wall_ms: 1_700_000_000_000,
    };
    let redactor = Redactor::new([7; 32]);
    let (recorder, header) = Recorder::new(&config(), &redactor, now);
    let mut lab = Lab {
        out: BufWriter::new(io::stdout().lock()),
        recorder,
        redactor,
        now,
        inputs: 0,
        serial: 0,
    };
    lab.out.write_all(header.as_bytes())?;
    let mut clients = Vec::new();
    let ids = (0..CLIENTS).map(|number| format!("client-{number}"));
    let twice = ["Client -7", "twin", "twin"].map(String::from);
    for id in ids.chain(twice) {
        clients.push((lab.join(&format!("host of {id}"), &id)?, id));
        lab.now = lab.now.after(1);
    }
    let mut guests = Vec::new();
    for turn in 0.. {
        if lab.inputs + 1 >= inputs {
            break;
        }
        lab.now = lab.now.after(STEP_MS);
        let len = clients.len() as u64;
        let (serial, id) = &clients[(turn % len) as usize];
        if (turn / len).is_multiple_of(3) {
            lab.beacon(*serial, id)?;
        } else {
            lab.write(Input::Pong(*serial))?;
        }
        if turn % TURNS_PER_STAY == 0 {
            if guests.is_empty() {
                guests.push(lab.join("restarts", "restarts")?);
                guests.push(lab.join("forgets", &format!("{turn:08x}"))?);
            } else {
                for serial in guests.drain(..) {
                    lab.write(Input::leave(serial, LeaveCause::PeerClosed))?;
                }
            }
        }
        if lab.inputs + BUSY_INPUTS > inputs && turn % 50 == 0 {
            lab.beacon(1, "client-0")?;
        }
    }
    lab.write(Input::RefusedClock("openclaw-macos".into(), 3_600_000))?;
    let digest = lab.recorder.digest(lab.now);
    lab.out.write_all(digest.as_bytes())?;
    lab.out.flush()
}

fn config() -> HubConfig {
    HubConfig {
        limits: Limits::default(),
        ttl_ms: 300_000,
        max_entries: 2_000,
        ephemeral_modes: Vec::new(),
        hash_seed: 1,
        server_version: env!("CARGO_PKG_VERSION").into(),
        boot_id: "example".into(),
        self_entry: PresenceEntry {
            host: Some("gateway".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            ..PresenceEntry::default()
        },
        auth_mode: "token",
    }
}

fn handshake(serial: u64, name: &str, id: &str) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: format!("conn-{serial}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: Arc::from(["operator.admin".into()]),
        client: Arc::new(ClientInfo {
            id: "openclaw-macos".into(),
            version: "2026.2.1".into(),
            platform: "macos".into(),
            mode: "ui".into(),
            display_name: Some(name.into()),
            instance_id: Some(id.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: Vec::new(),
        commands: Vec::new(),
        remote_ip: Some("10.0.0.7".into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}
